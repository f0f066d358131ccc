"""Access tokens: JSON Web Tokens of three parts (RFC 7519), signed with HS256.

Microsoft signs with RS256; clients may not look inside an access token for Graph beyond
its claims, and one key that never leaves the tenant's file serves both endpoints.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.login import resources

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFETIME = 3599
"""Seconds, as in Microsoft's replies."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an application, its service principal or a person, and what was granted."""

    app_id: str
    principal_id: str
    permissions: frozenset[str]
    expires: float
    issued: float = 0
    is_person: bool = False


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signature(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def sign(claims: Mapping[str, Any], key: bytes) -> str:
    """Give the token that carries *claims*."""
    head = _encode(orjson.dumps({"typ": "JWT", "alg": "HS256", "kid": "sandbox"}))
    text = f"{head}.{_encode(orjson.dumps(dict(claims)))}"
    return f"{text}.{_encode(_signature(key, text))}"


def is_ours(token: str, key: bytes) -> bool:
    """Whether *token* was signed here, for whatever resource, and is good still."""
    try:
        is_signed, claims = _verified(token, key)
        return is_signed and bool(claims["exp"] > time.time())
    except (errors.GraphError, KeyError, TypeError):
        return False


def read(token: str, key: bytes) -> Caller:
    """Give whom *token* stands for; raises the 401 that Graph answers when it is no good."""
    is_signed, claims = _verified(token, key)
    try:
        caller = Caller(
            app_id=claims["appid"],
            principal_id=claims["oid"],
            permissions=frozenset(claims.get("roles", ())),
            expires=claims["exp"] + 0.0,
            issued=claims.get("iat", 0) + 0.0,
            is_person=claims.get("idtyp") == "user",
        )
    except (KeyError, TypeError) as error:
        raise errors.TOKEN_MALFORMED.error() from error
    if not is_signed:
        raise errors.TOKEN_FORGED.error()
    if not resources.is_graph(claims.get("aud")):
        raise errors.TOKEN_AUDIENCE.error()
    return alive(caller)


def _verified(token: str, key: bytes) -> tuple[bool, dict[str, Any]]:
    """Give the claims of *token*, and whether they were signed with *key*."""
    text, _, signature = token.rpartition(".")
    try:
        claims = dict(orjson.loads(_decode(text.partition(".")[2])))
        signed = _decode(signature)
    except (ValueError, TypeError) as error:
        raise errors.TOKEN_MALFORMED.error() from error
    return hmac.compare_digest(signed, _signature(key, text)), claims


def alive(caller: Caller) -> Caller:
    """Give *caller* back unless its token has expired."""
    if caller.expires <= time.time():
        raise errors.TOKEN_EXPIRED.error()
    return caller
