"""Federated credentials: an application proves who it is with another issuer's token.

A credential says which issuer, subject and audience (exactly one) it trusts, and they are
compared exactly, case included ("Workload identity federation"; "Federated identity
credentials now use case-sensitive matching", August 2024). In what order Microsoft
compares them is inferred from what people quote: issuer, audience, subject.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.login import issuers, jwts, refusals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.sandbox.login.jwts import Jwt


@dataclass(frozen=True, slots=True)
class _Presented:
    """What an assertion says of where it is from, who it is of and whom it is for."""

    issuer: str
    subject: str
    audience: str


def is_federated(token: Jwt) -> bool:
    """Whether somebody else than the application itself issued *token*."""
    return "://" in str(token.claims.get("iss"))


async def check(application: Mapping[str, Any], token: Jwt) -> None:
    """Raise Microsoft's refusal unless a credential of *application* trusts *token*."""
    credentials = application.get("federatedIdentityCredentials") or ()
    if not credentials:
        raise refusals.NO_FEDERATION.error(
            client=application["appId"], name=application["displayName"]
        )
    credential = _matching(credentials, _presented(token.claims))
    await _check_signature(credential, token)
    jwts.check_time(token.claims, time.time())


def _presented(claims: Mapping[str, Any]) -> _Presented:
    issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
    if isinstance(audience, list) and len(audience) == 1:
        (audience,) = audience
    if not (isinstance(issuer, str) and isinstance(subject, str) and isinstance(audience, str)):
        raise refusals.MALFORMED.error()
    return _Presented(issuer, subject, audience)


def _matching(credentials: Sequence[Mapping[str, Any]], presented: _Presented) -> Mapping[str, Any]:
    """Give the credential that trusts what is *presented*; raises what tells the difference."""
    issuer, subject, audience = presented.issuer, presented.subject, presented.audience
    of_issuer = [known for known in credentials if known["issuer"] == issuer]
    if not of_issuer:
        raise refusals.FOREIGN_ISSUER.error(value=issuer)
    for_audience = [known for known in of_issuer if audience in known["audiences"]]
    of_subject = [known for known in of_issuer if known["subject"] == subject]
    both = [known for known in for_audience if known in of_subject]
    if both:
        return both[0]
    if not for_audience:
        raise refusals.FOREIGN_AUDIENCE.error(value=audience)
    if of_subject:
        raise refusals.NO_FEDERATED_RECORD.error(issuer=issuer, subject=subject, audience=audience)
    is_near = any(known["subject"].casefold() == subject.casefold() for known in for_audience)
    row = refusals.SUBJECT_CASE if is_near else refusals.FOREIGN_SUBJECT
    raise row.error(value=subject)


async def _check_signature(credential: Mapping[str, Any], token: Jwt) -> None:
    registered = credential.get("jwks")
    keys = issuers.keys_of(registered) if registered else await issuers.fetch(credential["issuer"])
    name = token.header.get("kid")
    key = issuers.named(keys, name)
    if key is None:
        raise refusals.UNKNOWN_ISSUER_KEY.error(key=name, issuer=credential["issuer"])
    # Microsoft takes RS256 and nothing else of an issuer ("Important considerations").
    if token.header.get("alg") != "RS256" or not jwts.is_signed(token, key):
        raise refusals.BAD_SIGNATURE.error()
