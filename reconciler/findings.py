"""What a drift is: the differences, whether they were made in the tenant, and by whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model import folded
from reconciler.plan import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.changes import Key
    from reconciler.diagnostics import Diagnostic, Position
    from reconciler.model import CohortName, FieldValue, Tenant

FORMAT_VERSION = "1.0"
"""Of the JSON form: the first number grows when a reader could misread, the second when
something is added."""


class Kind(StrEnum):
    """In what a tenant differs from the files, in the order in which a person's are told."""

    ABSENT = "absent"
    """A declared account is not there, and not in the recycle bin either."""
    DELETED = "deleted"
    """A declared account is in the recycle bin, under our mark."""
    UNDECLARED = "undeclared"
    """An account carries our mark, and nobody declares it."""
    UNADOPTED = "unadopted"
    """A declared account with `adopt: true` carries no mark."""
    MARK = "mark"
    """A declared account carries another mark than ours, or none."""
    FIELD = "field"
    """A property has another value."""
    HELD = "held"
    """A managed entitlement is held and not declared."""
    NOT_HELD = "notHeld"
    """A declared entitlement is not held."""
    BROKEN = "broken"
    """A declared license is in an error state."""


class Standing(StrEnum):
    """Whether a difference was made in the tenant, or by the files."""

    DRIFT = "drift"
    NOT_APPLIED = "notApplied"
    """The files ask for it, and no apply has done it yet."""
    UNKNOWN = "unknown"
    """Either: the tenant does not tell."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the audit log names them."""

    name: str | None
    """displayName."""
    identity: str | None
    """The userPrincipalName of a person, the appId of an application, or the id of either."""
    is_person: bool
    is_ours: bool = False
    """Whether it is the application that applies these files."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The entry of the audit log that tells of a difference."""

    at: str
    """As Graph writes it: `2026-03-01T09:00:00Z`."""
    activity: str
    property: str | None
    """Which property of the account, where the entry names one."""
    actor: Actor


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference."""

    kind: Kind
    key: Key
    cohort: CohortName
    """The cohort that declares the person, or whose mark the account carries."""
    path: str | None = None
    """The property that differs, as in a plan."""
    declared: FieldValue = None
    actual: FieldValue = None
    position: Position | None = None
    standing: Standing = Standing.DRIFT
    evidence: Evidence | None = None

    @property
    def upn(self) -> str:
        """Whom it is about."""
        return self.key.account.user_principal_name

    @property
    def content(self) -> list[object]:
        """What it says, and nothing of when or by whom."""
        return [self.kind, self.key.address, self.path, self.declared, self.actual]


@dataclass(frozen=True, slots=True)
class AuditLog:
    """How far the audit log could be asked who did it."""

    asked: int = 0
    """Accounts that it was asked about."""
    wanted: int = 0
    """Accounts that it would have been asked about without a bound."""
    silence: str | None = None
    """Why it names nobody, or not everybody; None where it was read."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Every difference, in order of people; the digest is the same whenever the drift is."""

    tenant: Tenant
    source: str
    ownership: str
    findings: tuple[Finding, ...]
    refusals: tuple[Diagnostic, ...] = ()
    """What guards say of the files: nothing of them can be applied until it is mended."""
    log: AuditLog = AuditLog()

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """Give what was changed in the tenant."""
        return self.of(Standing.DRIFT)

    def of(self, *standings: Standing) -> tuple[Finding, ...]:
        """Give the findings of these standings."""
        return tuple(finding for finding in self.findings if finding.standing in standings)

    @property
    def digest(self) -> str:
        """Sum up what has drifted: not when, not by whom, nor what waits to be applied."""
        return digest_of([self.tenant.id, [finding.content for finding in self.drifted]])


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by person, then by what weighs most."""
    order = tuple(Kind)
    return tuple(
        sorted(
            findings,
            key=lambda f: (folded(f.upn), order.index(f.kind), f.key.address, f.path or ""),
        )
    )


def with_evidence(finding: Finding, evidence: Evidence | None) -> Finding:
    """Say what the audit log tells of *finding*, None being that it tells nothing.

    What our own application left as it is was changed in the files since; what nobody ever
    made or marked, as far back as the log goes, waits to be applied.
    """
    standing = finding.standing
    if evidence is None:
        if standing is Standing.UNKNOWN:
            standing = Standing.NOT_APPLIED
    elif evidence.actor.is_ours and finding.kind in _FOLLOWS_FILES:
        standing = Standing.NOT_APPLIED
    else:
        standing = Standing.DRIFT
    return replace(finding, standing=standing, evidence=evidence)


_FOLLOWS_FILES = frozenset({Kind.DELETED, Kind.MARK, Kind.FIELD, Kind.HELD, Kind.NOT_HELD})
