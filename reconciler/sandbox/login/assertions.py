"""Client assertions: an application proves who it is with its certificate (RFC 7523).

What is asked of them is in "Microsoft identity platform application authentication
certificate credentials"; the numbers and texts are those that people report
(microsoft-authentication-library-for-js#8339, -for-dotnet#4951, ADAL for Python #79).
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.login.refusals import of_client

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cryptography.x509 import Certificate

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What `client_assertion_type` must say."""
_ALGORITHMS: Final = frozenset(("PS256", "RS256"))

_MALFORMED: Final = "JWT token is invalid or malformed."
_LAST: Final = 253_402_300_799
"""The end of the year 9999, in seconds."""


@dataclass(frozen=True, slots=True)
class _Assertion:
    """A JSON Web Token in its parts; *signed* is what the signature is of."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def check(
    assertion: str, *, certificate: bytes | None, client_id: str, audiences: Collection[str]
) -> None:
    """Raise Microsoft's refusal unless *assertion* is of this client, for us, and in time.

    *certificate* is the one that is registered for the application, in PEM.
    """
    parts = _parts(assertion)
    _check_signature(parts, certificate, client_id)
    claims = parts.claims
    if not client_id == claims.get("iss") == claims.get("sub"):
        raise of_client(
            700021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        )
    if claims.get("aud") not in audiences:
        raise of_client(700023, "Client assertion audience claim does not match Realm issuer.")
    _check_time(claims, time.time())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _parts(assertion: str) -> _Assertion:
    try:
        head, payload, signature = assertion.split(".")
        header, claims = (orjson.loads(_decoded(part)) for part in (head, payload))
        parts = _Assertion(
            dict(header), dict(claims), f"{head}.{payload}".encode(), _decoded(signature)
        )
    except (ValueError, TypeError) as error:
        raise of_client(50027, _MALFORMED) from error
    return parts


def _check_signature(parts: _Assertion, certificate: bytes | None, client_id: str) -> None:
    from cryptography import x509  # noqa: PLC0415 -- slow to load, and few sign in like this

    registered = x509.load_pem_x509_certificate(certificate) if certificate else None
    if registered is None or not _names(parts.header, registered):
        raise _unregistered("The key was not found.", client_id)
    if not _is_signed(parts, registered):
        raise _unregistered(
            "Key was found, but use of the key to verify the signature failed.", client_id
        )


def _unregistered(reason: str, client_id: str) -> Exception:
    return of_client(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on "
        f"application. [Reason - {reason}, Please visit the Azure Portal, Graph Explorer or "
        f"directly use MS Graph to see configured keys for app Id '{client_id}'].",
    )


def _names(header: Mapping[str, Any], certificate: Certificate) -> bool:
    """Whether the thumbprint in *header* is of *certificate*: `x5t#S256`, or the older `x5t`."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 -- as above

    known = {
        "x5t#S256": certificate.fingerprint(hashes.SHA256()),
        "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303 -- a name, not a proof
    }
    for name, expected in known.items():
        if name in header:
            return _thumbprint(header[name]) == expected
    return False


def _thumbprint(text: object) -> bytes | None:
    try:
        return _decoded(str(text))
    except ValueError:
        return None


def _is_signed(parts: _Assertion, certificate: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415 -- as above

    key, digest = certificate.public_key(), hashes.SHA256()
    algorithm = parts.header.get("alg")
    if algorithm not in _ALGORITHMS or not isinstance(key, rsa.RSAPublicKey):
        return False
    scheme = (
        padding.PSS(padding.MGF1(digest), digest.digest_size)
        if algorithm == "PS256"
        else padding.PKCS1v15()
    )
    try:
        key.verify(parts.signature, parts.signed, scheme, digest)
    except InvalidSignature:
        return False
    return True


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    start, end = _numeric_date(claims.get("nbf", 0)), _numeric_date(claims.get("exp"))
    if not start <= now < end:
        current, valid, expiry = (_moment(seconds) for seconds in (now, start, end))
        raise of_client(
            700024,
            "Client assertion is not within its valid time range. "
            f"Current time: {current}, assertion valid from {valid}, expiry time of assertion "
            f"{expiry}. Review the documentation at "
            "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        )


def _numeric_date(value: object) -> float:
    """Give seconds since 1970, which may have a fraction (RFC 7519, "NumericDate")."""
    if isinstance(value, int | float) and 0 <= value <= _LAST:
        return value
    raise of_client(50027, _MALFORMED)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
