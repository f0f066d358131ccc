"""What every form of a drift says: sentences from the tenant's side, in the past or present.

Names from outside are shown as the form wants them: *show* makes each harmless there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import LicenseKey
from reconciler.findings import Kind, Standing
from reconciler.render.outline import WORDS
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.findings import Drift, Evidence, Finding
    from reconciler.model import FieldValue

    Show = Callable[[str], str]

WAITING = (Standing.NOT_APPLIED, Standing.UNKNOWN)
SIGNS = {Kind.HELD: "+", Kind.UNDECLARED: "+"} | dict.fromkeys(
    (Kind.ABSENT, Kind.DELETED, Kind.NOT_HELD), "-"
)
"""What the tenant has more and less than the files; the rest differs."""


def headline(drift: Drift) -> str:
    """Sum the drift up: `2 people have drifted: 3 differences`, or that there is none."""
    drifted = drift.drifted
    if not drifted:
        return "no drift"
    number = people(drifted)
    verb = "has" if number == 1 else "have"
    differences = counted(len(drifted), "difference")
    return f"{counted(number, 'person', 'people')} {verb} drifted: {differences}"


def people(findings: Iterable[Finding]) -> int:
    """Count whom *findings* are about."""
    return len({finding.key.account for finding in findings})


def sentence(finding: Finding, show: Show, quote: Show) -> str:
    """Say what there is and what the files say; *quote* shows values."""
    waits = finding.standing in WAITING
    word = WORDS[finding.key.kind]
    name = show(finding.key.name)
    match finding.kind:
        case Kind.ABSENT:
            return _ABSENT[finding.standing]
        case Kind.DELETED:
            return "the account was deleted: it is in the recycle bin"
        case Kind.UNDECLARED:
            return "the account carries our mark, and nobody declares it"
        case Kind.UNADOPTED:
            return _UNADOPTED[finding.standing]
        case Kind.HELD:
            return f"has {word} {name}, which the files do not declare"
        case Kind.NOT_HELD:
            return f"does not have {word} {name} {'yet' if waits else 'any more'}"
        case Kind.BROKEN:
            error = value(finding.actual, quote)
            return f"{word} {name} does not work: Graph says {error}"
        case _:
            path = show(finding.path or "")
            what = f"{word} {name} {path}" if isinstance(finding.key, LicenseKey) else path
            actual, declared = (value(v, quote) for v in (finding.actual, finding.declared))
            return f"{what}: the tenant has {actual}, the files say {declared}"


_ABSENT = {
    Standing.DRIFT: "the account was there, and is gone: it is not in the recycle bin either",
    Standing.NOT_APPLIED: "the account has not been made yet",
    Standing.UNKNOWN: "there is no account: it was never made, or is gone for good; "
    "the tenant does not tell which",
}
_UNADOPTED = {
    Standing.DRIFT: "the mark of the account was taken away",
    Standing.NOT_APPLIED: "the account has not been adopted yet",
    Standing.UNKNOWN: "the account carries no mark: it was not adopted yet, or the mark was "
    "taken away; the tenant does not tell which",
}


def value(this: FieldValue, show: Show) -> str:
    """Give the value of a property."""
    match this:
        case None | ():
            return "nothing"
        case bool():
            return show(str(this).lower())
        case str():
            return show(this)
        case _:
            return ", ".join(map(show, this))


def who(evidence: Evidence, show: Show) -> str:
    """Say who did it: `Grace Hopper (grace@contoso.com)`."""
    actor = evidence.actor
    named = [show(text) for text in (actor.name, actor.identity) if text]
    name = f"{named[0]} ({named[1]})" if len(named) > 1 else (named or ["nobody named"])[0]
    if actor.is_ours:
        return f"the reconciler's own application, {name}"
    return name if actor.is_person else f"application {name}"


def deed(evidence: Evidence, show: Show) -> str:
    """Say what was done: `Update user, Department`."""
    parts = [show(part) for part in (evidence.activity, evidence.property) if part]
    return ", ".join(parts)


def log(drift: Drift) -> str | None:
    """Say how far the audit log was asked; None where all of it was, or nobody to ask for."""
    asked, wanted, silence = drift.log.asked, drift.log.wanted, drift.log.silence
    if silence:
        scope = f"of {counted(wanted - asked, 'account')} " if asked else ""
        return f"Who changed what {scope}is not told: {silence}."
    if asked < wanted:
        return (
            f"Who changed what is told of {asked:,} of {counted(wanted, 'account')}: "
            "the audit log is not asked about more in one run."
        )
    return None
