"""What the login service's refusals mean, and what to configure against each.

None of them is answered by trying again. A federated credential is known to all of the login
service some minutes after it was made ("Workload identity federation", considerations): a
wait short enough to bear would seldom see the end of it, and would hold up every refusal
that a person has to mend. So the hint says that it may be that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from reconciler.graph import jwt
from reconciler.text import visible


@dataclass(frozen=True, slots=True)
class Presented:
    """What a job's token says of itself, unverified: none of it is secret."""

    issuer: str
    subject: str
    audience: str
    valid: str
    """From when until when, as far as it says."""


class AssertionRefused(ClientAuthenticationError):  # noqa: N818 -- reads as what it stands for
    """The login service read *presented*, and did not let it in."""

    def __init__(self, message: str, presented: Presented) -> None:
        super().__init__(message=message)
        self.presented = presented


def is_unreached(error: ClientAuthenticationError) -> bool:
    """Whether azure-identity calls it a refusal that nobody answered, as it does."""
    return isinstance(error.__cause__ or error.__context__, ServiceRequestError)


def presented(token: str) -> Presented | None:
    """Read what *token* says of itself; None where it is none that could be read."""
    told = jwt.told(token)
    if told is None:
        return None
    issuer, subject, audience = (visible(str(told.get(name))) for name in ("iss", "sub", "aud"))
    times = (_moment(told.get(name)) for name in ("nbf", "exp"))
    return Presented(issuer, subject, audience, " until ".join(times))


def _moment(seconds: object) -> str:
    if not isinstance(seconds, int):
        return "an unknown time"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return "an impossible time"


@dataclass(frozen=True, slots=True)
class _Remedy:
    """What to do: *federated* for a job of GitHub Actions, where that is something else.

    Braces around the name of something presented stand for it. Evidence is marked as in the
    list of Microsoft's refusals: `D` documented, `R` quoted by somebody, `I` inferred.
    """

    own: str
    federated: str = ""
    evidence: str = field(kw_only=True)


_IDENTITY: Final = (
    "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret, certificate or federated credential "
    "behind them"
)
_OWN: Final = (
    "give the application that AZURE_CLIENT_ID names a federated credential with exactly the "
    "issuer, subject and audience of the token; one that is new takes some minutes to be known"
)
_PRESENTED: Final = (
    "this job presented issuer '{issuer}', subject '{subject}' and audience '{audience}'"
)
_CREDENTIAL: Final = (
    f"{_PRESENTED}: the application that AZURE_CLIENT_ID names needs a federated credential "
    "(Certificates & secrets) of exactly these three, capitals included"
)
_SOON: Final = "if there is one, it may be new: run it again in some minutes"
_KEY: Final = (
    "issuer '{issuer}' publishes no key that signed this job's token, or does not answer "
    "Microsoft: its `/.well-known/openid-configuration` has to be open to the internet"
)
_TENANT: Final = "check AZURE_TENANT_ID, and --cloud: each cloud has tenants of its own"
_CLOCK: Final = _Remedy(
    "this machine's clock is off, or the federated token is too old: mend it, then run it again",
    "this job's token is valid from {valid} and was asked for just now: run it again; if it "
    "stays so, the clock of issuer '{issuer}' is off",
    evidence="D reference-error-codes",
)
_SIGNATURE: Final = "R microsoft-authentication-library-for-js#8339; D reference-error-codes"

_REMEDIES: Final[dict[str, _Remedy]] = {
    # --- federated credentials
    "70021": _Remedy(
        _OWN, f"{_CREDENTIAL}; {_SOON}", evidence="R azure-workload-identity#616, Azure/login#178"
    ),
    "70025": _Remedy(_OWN, f"{_CREDENTIAL}, and has none at all; {_SOON}", evidence="R"),
    "700211": _Remedy(
        _OWN,
        f"{_CREDENTIAL}; none has this issuer, for which a slash at the end counts, and which is "
        f"another one on a GitHub Enterprise Server; {_SOON}",
        evidence="R azure-workload-identity#1200",
    ),
    "700212": _Remedy(
        _OWN,
        f"{_CREDENTIAL}; none has this audience: correct it, choose the cloud with --cloud, or "
        "set RECONCILER_OIDC_AUDIENCE to the one that the credential has",
        evidence="R hashicorp/terraform-provider-azuread#1755",
    ),
    "700213": _Remedy(
        _OWN, f"{_CREDENTIAL}; none has this subject; {_SOON}", evidence="R dotnet/maui#31978"
    ),
    "7002138": _Remedy(
        _OWN,
        f"{_CREDENTIAL}; there is one whose subject differs in capitals alone",
        evidence="R Azure/login#515; D breaking changes, August 2024",
    ),
    "501661": _Remedy(_IDENTITY, _KEY, evidence="R GitLab documentation, Azure OIDC"),
    "7000272": _Remedy(_IDENTITY, _KEY, evidence="R"),
    "700027": _Remedy(
        "register the certificate with the application that AZURE_CLIENT_ID names",
        _KEY,
        evidence=_SIGNATURE,
    ),
    "700024": _CLOCK,
    "500133": _CLOCK,
    # --- the application and its tenant
    "700016": _Remedy(
        "AZURE_CLIENT_ID has to be the Application (client) ID of an app registration, not an "
        f"Object ID, and AZURE_TENANT_ID its tenant; {_TENANT}",
        evidence="R",
    ),
    "7000229": _Remedy(
        "the application has no service principal in this tenant: an administrator makes one by "
        "granting consent to its permissions",
        evidence="R the login service's own text",
    ),
    "7000112": _Remedy(
        "the application is disabled in this tenant: an administrator enables it under "
        "Enterprise applications",
        evidence="D reference-error-codes",
    ),
    "90002": _Remedy(_TENANT, evidence="R"),
    "900023": _Remedy(_TENANT, evidence="D reference-error-codes"),
    "53003": _Remedy(
        "a Conditional Access policy for workload identities keeps this application out: an "
        "administrator finds which in the sign-in log, under service principals",
        evidence="D reference-error-codes; I that it is one for workload identities",
    ),
    # --- secrets
    "7000215": _Remedy(
        "AZURE_CLIENT_SECRET has to be the value of a secret of this application, not its id",
        evidence="R",
    ),
    "7000222": _Remedy(
        "make a new secret, or sign in without one: by certificate or federated credential",
        evidence="R",
    ),
}
_UNKNOWN: Final = _Remedy(_IDENTITY, evidence="I")
_OF_SUBJECT: Final = frozenset({"70021", "70025", "700213"})
_WITH_IDS: Final = re.compile(r"repo:[^@/:]+@\d+/[^@/:]+@\d+:")


def remedy(line: str, presented: Presented | None = None) -> str:
    """Say what to do about the refusal that *line* tells, of what was *presented*."""
    found = re.search(r"AADSTS(\d+)", line)
    number = found[1] if found else ""
    known = _REMEDIES.get(number, _UNKNOWN)
    if presented is None:
        return known.own
    told = known.federated or f"{known.own}; {_PRESENTED}"
    more = _of_subject(presented.subject) if number in _OF_SUBJECT else ()
    return "; ".join((told.format(**_values(presented)), *more))


def _values(presented: Presented) -> dict[str, str]:
    return {name: getattr(presented, name) for name in Presented.__slots__}


def _of_subject(subject: str) -> list[str]:
    """Say what people stumble on in a subject that GitHub made.

    Since July 2026 the subject of a repository that is new, renamed, moved or switched over
    has the ids of owner and repository (GitHub Changelog, 2026-04-23; Azure/login#617, #635).
    Entra's portal writes it so for every repository.
    """
    if not subject.startswith("repo:"):
        return []
    told = []
    if _WITH_IDS.match(subject):
        told.append("the numbers behind `@` are the ids of owner and repository, and belong to it")
    else:
        told.append(
            "a credential with ids (`repo:owner@id/name@id:…`), as the portal writes them, needs "
            "immutable subjects switched on in the OIDC settings of the repository"
        )
    if ":ref:" in subject:
        told.append("a subject has `environment:` only in a job with `environment:`")
    return told
