"""JSON Web Tokens that clients bring (RFC 7519): their parts, their times, their signature."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.login import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_ALGORITHMS: Final = frozenset(("PS256", "RS256"))
_LAST: Final = 253_402_300_799
"""The end of the year 9999, in seconds."""


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token in its parts; *signed* is what the signature is of."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def decoded(text: str) -> bytes:
    """Give the bytes that base64url *text* stands for; raises ValueError."""
    plain = text.rstrip("=")
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def parsed(assertion: str) -> Jwt:
    """Give the parts of *assertion*; raises Microsoft's refusal of what is no token."""
    try:
        head, payload, signature = assertion.split(".")
        header, claims = (orjson.loads(decoded(part)) for part in (head, payload))
        return Jwt(dict(header), dict(claims), f"{head}.{payload}".encode(), decoded(signature))
    except (ValueError, TypeError) as error:
        raise refusals.MALFORMED.error() from error


def is_signed(token: Jwt, key: PublicKeyTypes) -> bool:
    """Whether the holder of the RSA key to *key* signed *token*."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- slow to load
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415 -- as above

    digest, algorithm = hashes.SHA256(), token.header.get("alg")
    if algorithm not in _ALGORITHMS or not isinstance(key, rsa.RSAPublicKey):
        return False
    scheme = (
        padding.PSS(padding.MGF1(digest), digest.digest_size)
        if algorithm == "PS256"
        else padding.PKCS1v15()
    )
    try:
        key.verify(token.signature, token.signed, scheme, digest)
    except InvalidSignature:
        return False
    return True


def check_time(claims: Mapping[str, Any], now: float) -> None:
    """Raise Microsoft's refusal unless *now* is between `nbf` and `exp`."""
    start, end = _numeric_date(claims.get("nbf", 0)), _numeric_date(claims.get("exp"))
    if not start <= now < end:
        raise refusals.WRONG_TIME.error(now=_moment(now), start=_moment(start), end=_moment(end))


def _numeric_date(value: object) -> float:
    """Give seconds since 1970, which may have a fraction (RFC 7519, "NumericDate")."""
    if isinstance(value, int | float) and 0 <= value <= _LAST:
        return value
    raise refusals.MALFORMED.error()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
