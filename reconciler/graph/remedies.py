"""What single findings of a check-up mean, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from reconciler.diagnostics import Diagnostic
from reconciler.graph.steps import Step, warning
from reconciler.model import folded
from reconciler.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from azure.core.credentials import TokenCredential

    from reconciler.errors import ReconcilerError
    from reconciler.graph.reply import Reply

_KINDS = {
    "ClientSecretCredential": "a client secret, because AZURE_CLIENT_SECRET is set",
    "CertificateCredential": "a certificate, because AZURE_CLIENT_CERTIFICATE_PATH is set",
    "WorkloadIdentityCredential": "a federated token, because AZURE_FEDERATED_TOKEN_FILE is set",
    "Federated": "GitHub's word, because this is a job of GitHub Actions and no other is named",
    "AzureCliCredential": "the sign-in of `az login`, because no variable names another",
}
_OF_PEOPLE = frozenset({"AzureCliCredential"})
WARNS_AFTER = timedelta(minutes=1)
FAILS_AFTER = timedelta(minutes=5)
"""How far clocks may be apart; Microsoft's services bear about five minutes."""
_NEAR = 0.8


def kind_of(credential: TokenCredential | None) -> str:
    """Say which credential it is, and why it and no other."""
    name = type(credential).__name__
    return _KINDS.get(name, name)


def is_of_application(credential: TokenCredential | None) -> bool:
    """Whether *credential* is that of AZURE_CLIENT_ID."""
    return type(credential).__name__ not in _OF_PEOPLE


def clock(theirs: datetime | None, ours: datetime) -> Step:
    """Compare this machine's clock with Graph's: tokens and assertions are dated."""
    if theirs is None:
        problem = warning("Microsoft Graph does not tell its time, so the clock is not checked")
        return Step("clock", problems=(problem,))
    skew = abs(ours - theirs)
    seconds = round(skew.total_seconds())
    if skew <= WARNS_AFTER:
        return Step("clock", "as Microsoft Graph's")
    side = "ahead of" if ours > theirs else "behind"
    told = f"this machine's clock is {seconds:,} seconds {side} Microsoft Graph's"
    hint = "have the machine set its clock from the network (NTP)"
    problem = Diagnostic(told, hint) if skew > FAILS_AFTER else warning(told, hint)
    return Step("clock", told, (problem,))


def quota(used: float | None, *, was_refused: bool) -> Step:
    """Say how near the limits of Graph are, as far as it tells: from 80 % on."""
    hint = "see what else runs as this application; an apply slows down by itself"
    if was_refused:
        problem = warning("Microsoft Graph refused the first request for being one too many", hint)
        return Step("quota", problems=(problem,))
    if used is not None and used >= _NEAR:
        problem = warning(f"{used:.0%} of a limit of this application is used", hint)
        return Step("quota", problems=(problem,))
    return Step("quota", "Microsoft Graph tells of no limit that is near")


@dataclass(frozen=True, slots=True)
class Extension:
    """A directory extension, which an application has to have registered."""

    name: str
    application: str
    """The id of the application whose it is, as it is written elsewhere."""

    @classmethod
    def of(cls, attribute: str) -> Extension:
        """Read `extension_<appId without hyphens>_<name>`."""
        return cls(attribute, str(UUID(attribute.split("_", 2)[1])))

    @property
    def told(self) -> str:
        """What to say where it is there."""
        return f"{self.name} is registered, by application {self.application}"

    def unknown(self, error: ReconcilerError, root: str) -> Step:
        """Give the step for an attribute that the Graph at *root* refused to look for."""
        short = self.name.split("_", 2)[2]
        body = f'{{"name":"{short}","dataType":"String","targetObjects":["User"]}}'
        problem = Diagnostic(
            f"{self.name} cannot be searched for: {error}",
            "register it, as an owner of the application: az rest --method POST --url "
            f"\"{root}/applications(appId='{self.application}')/extensionProperties\" "
            f"--body '{body}'",
        )
        return Step("ownership attribute", problems=(problem,))

    def judged(self, reply: Reply) -> Step:
        """Judge it by all that is registered in the tenant, which is what *reply* lists."""
        part = "ownership attribute"
        items = reply.body.get("value") if reply.error is None else None
        found = next((i for i in items or () if folded(i["name"]) == folded(self.name)), None)
        if found is None:
            told = f"{self.name} is not among the extensions that are registered"
            hint = f"see that application {self.application} was not deleted"
            return Step(part, self.told, (warning(told, hint),))
        if "User" not in found.get("targetObjects", ()) or found.get("dataType") != "String":
            told = f"{self.name} is not a text of users"
            hint = "register another one, with dataType String and targetObjects User"
            return Step(part, problems=(Diagnostic(told, hint),))
        whose = visible(found.get("appDisplayName") or self.application)
        return Step(part, f"{self.told} ({whose})")
