"""The keys of an issuer of tokens: as registered, or as it publishes them on this machine.

Microsoft asks any issuer on the internet. The sandbox asks those on loopback, where plain
HTTP will do; the keys of all others are registered with the credential. What an issuer
may take is bounded, so that none holds up those who sign in elsewhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import orjson

from reconciler.sandbox.login import jwts, refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_SECONDS: Final = 5.0
_BYTES: Final = 256 * 1024
_OK: Final = b"200"


def keys_of(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- any JSON
    """Give the keys in a JSON Web Key Set (RFC 7517), or in a bare list of keys."""
    keys = document.get("keys") if isinstance(document, dict) else document
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def named(keys: Sequence[dict[str, Any]], name: object) -> PublicKeyTypes | None:
    """Give the RSA key called *name*; without a name, the only one there is."""
    found = [key for key in keys if key.get("kid") == name or (name is None and len(keys) == 1)]
    return _rsa(found[0]) if found else None


def _rsa(key: dict[str, Any]) -> PublicKeyTypes | None:
    from cryptography.hazmat.primitives.asymmetric.rsa import (  # noqa: PLC0415 -- slow to load
        RSAPublicNumbers,
    )

    try:
        exponent, modulus = (int.from_bytes(jwts.decoded(key[part])) for part in ("e", "n"))
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (KeyError, ValueError, AttributeError):
        return None


async def fetch(issuer: str) -> list[dict[str, Any]]:
    """Ask *issuer* for its keys; raises Microsoft's refusal when it does not answer.

    An issuer beyond loopback is not asked and counts as one that does not answer, as does one
    whose keys are on another server than itself: it could have any local service asked.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            metadata = await _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            return keys_of(await _json(_beside(issuer, metadata["jwks_uri"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refusals.ISSUER_UNREACHABLE.error() from error


async def _json(address: str) -> Any:  # noqa: ANN401 -- any JSON
    """GET *address* as HTTP/1.0, whose replies end with the connection."""
    parts, (host, port) = urlsplit(address), _server(address)
    secured = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        host, port, ssl=secured, server_hostname=parts.hostname if secured else None
    )
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    head = f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n\r\n"
    try:
        writer.write(head.encode("ascii"))
        return orjson.loads(await _body(reader))
    finally:
        writer.close()


def _beside(issuer: str, address: str) -> str:
    """Give *address*; raises ValueError when it is on another server than *issuer*."""
    if _server(address) != _server(issuer):
        raise ValueError(address)
    return address


def _server(address: str) -> tuple[str, int]:
    """Give host and port of *address*; raises ValueError for what is not to be asked."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise ValueError(address)
    return _loopback(parts.hostname or ""), parts.port or (443 if parts.scheme == "https" else 80)


def _loopback(host: str) -> str:
    """Give the address to connect to; raises ValueError for all that is not this machine."""
    if host == "localhost":
        return "127.0.0.1"
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(host)
    return host


async def _body(reader: asyncio.StreamReader) -> bytes:
    """Give the body of a reply that is good and not too long."""
    whole = b""
    while len(whole) <= _BYTES and (more := await reader.read(_BYTES)):
        whole += more
    head, _, body = whole.partition(b"\r\n\r\n")
    if len(whole) > _BYTES or head.split(maxsplit=2)[1:2] != [_OK]:
        raise ValueError(len(whole))
    return body
