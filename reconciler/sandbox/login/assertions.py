"""Client assertions: an application proves who it is with its certificate (RFC 7523).

What is asked of them is in "Microsoft identity platform application authentication
certificate credentials".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.login import jwts, refusals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cryptography.x509 import Certificate

    from reconciler.sandbox.login.jwts import Jwt

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What `client_assertion_type` must say."""


def check(
    token: Jwt, *, certificate: bytes | None, client_id: str, audiences: Collection[str]
) -> None:
    """Raise Microsoft's refusal unless *token* is of this client, for us, and in time.

    *certificate* is the one that is registered for the application, in PEM.
    """
    _check_signature(token, certificate, client_id)
    claims = token.claims
    if not client_id == claims.get("iss") == claims.get("sub"):
        raise refusals.WRONG_CLIENT.error()
    if claims.get("aud") not in audiences:
        raise refusals.WRONG_AUDIENCE.error()
    jwts.check_time(claims, time.time())


def _check_signature(token: Jwt, certificate: bytes | None, client_id: str) -> None:
    from cryptography import x509  # noqa: PLC0415 -- slow to load, and few sign in like this

    registered = x509.load_pem_x509_certificate(certificate) if certificate else None
    if registered is None or not _names(token.header, registered):
        raise refusals.NO_KEY.error(reason="The key was not found.", client=client_id)
    if not jwts.is_signed(token, registered.public_key()):
        raise refusals.NO_KEY.error(
            reason="Key was found, but use of the key to verify the signature failed.",
            client=client_id,
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
        return jwts.decoded(str(text))
    except ValueError:
        return None
