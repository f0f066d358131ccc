"""Drift: what the tenant has that the files do not say, person by person.

It is read off a plan, from the other side: what an apply would change back is what somebody
changed. What an apply would do for the first time is no drift, as far as the tenant tells
the two apart; `Standing` says which it is, or that nobody can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    Delete,
    LicenseKey,
    Reason,
    Restore,
    UserKey,
)
from reconciler.diff import leavers, may_change
from reconciler.errors import Refused
from reconciler.guards.situation import Situation
from reconciler.guards.tenant import wrong_tenant
from reconciler.model import Mark, folded
from reconciler.names import Managed, Names, Unresolved
from reconciler.plan import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.changes import Change, Key
    from reconciler.diagnostics import Diagnostic, Position
    from reconciler.model import (
        CohortName,
        DeclaredUser,
        Desired,
        FieldValue,
        Observed,
        ObservedUser,
        Tenant,
    )
    from reconciler.plan import Plan

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


def find(desired: Desired, observed: Observed, plan: Plan) -> Drift:
    """Turn *plan*, made of the other two, round: what is there that was not asked for."""
    names = Names(desired, observed)
    findings = [
        *_changed(plan.changes),
        *_undeclared(desired, observed),
        *_foreign(desired, names),
        *_broken(desired, names),
    ]
    return Drift(plan.tenant, plan.source, plan.ownership, in_order(findings), plan.refusals)


def check_tenant(desired: Desired, observed: Observed) -> None:
    """Raise Refused in another tenant than the files name, of which they say nothing."""
    names = Names(desired, observed)
    managed = Managed.by(desired.tenant_file, names)
    wrong = tuple(wrong_tenant(Situation(desired, observed, names, managed, ())))
    if wrong:
        raise Refused(wrong)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by person, then by what weighs most."""
    order = tuple(Kind)
    return tuple(
        sorted(
            findings,
            key=lambda f: (folded(f.upn), order.index(f.kind), f.key.address, f.path or ""),
        )
    )


def _changed(changes: Iterable[Change]) -> Iterator[Finding]:
    """Give what a plan's changes say of declared people.

    Of an account that is not there, or not ours yet, nothing else is told.
    """
    kept = [change for change in changes if change.reason is not Reason.USER_NOT_DECLARED]
    whole = {folded(c.key.account.user_principal_name) for c in kept if _is_whole(c)}
    for change in kept:
        if _is_whole(change):
            yield _of_account(change)
        elif folded(change.key.account.user_principal_name) not in whole:
            yield from _of_part(change)


def _is_whole(change: Change) -> bool:
    return isinstance(change.key, UserKey) and isinstance(change, Create | Restore | Adopt)


def _of_account(change: Change) -> Finding:
    match change:
        case Restore():
            kind, standing = Kind.DELETED, Standing.DRIFT
        case Adopt():
            kind, standing = Kind.UNADOPTED, Standing.UNKNOWN
        case _:
            kind, standing = Kind.ABSENT, Standing.UNKNOWN
    return Finding(kind, change.key, change.cohort, position=change.position, standing=standing)


def _of_part(change: Change) -> Iterator[Finding]:
    is_held_or_not = change.key.kind not in {"user", "manager"}
    if is_held_or_not and isinstance(change, Create | Delete):
        kind = Kind.NOT_HELD if isinstance(change, Create) else Kind.HELD
        yield Finding(kind, change.key, change.cohort, position=change.position)
        return
    for field in change.fields:
        if field.path != "signInSessions":  # nobody changed them: an apply would end them
            kind = Kind.MARK if field.path == "mark" else Kind.FIELD
            yield Finding(
                kind,
                change.key,
                change.cohort,
                field.path,
                declared=field.after,
                actual=field.before,
                position=change.position,
            )


def _undeclared(desired: Desired, observed: Observed) -> Iterator[Finding]:
    """Give our accounts that nobody declares, whatever `removal` would do to them."""
    for user, cohort in leavers(desired, observed):
        yield Finding(Kind.UNDECLARED, UserKey(user.account), cohort)


def _foreign(desired: Desired, names: Names) -> Iterator[Finding]:
    """Give declared accounts that do not carry our mark, which a plan does not touch."""
    source = desired.tenant_file.source
    for user, current in _existing(desired, names):
        if not may_change(user, current, source):
            yield Finding(
                Kind.MARK,
                UserKey(current.account),
                user.cohort,
                "mark",
                declared=str(Mark(source, user.cohort)),
                actual=current.mark,
                position=user.position,
            )


def _broken(desired: Desired, names: Names) -> Iterator[Finding]:
    """Give licenses that declared people were given, directly or by a group, and do not have."""
    for user, current in _existing(desired, names):
        broken = [state for state in current.licenses if state.is_broken]
        if (
            not broken
            or not current.mark
            or not may_change(user, current, desired.tenant_file.source)
        ):
            continue
        declared = {
            *(_id(names.skus[license_.sku]) for license_ in user.licenses),
            *(_id(names.groups[group.group]) for group in user.groups),
        }
        for state in broken:
            if (state.assigned_by_group or state.sku_id) in declared:
                sku = names.skus[state.sku_id]
                part = state.sku_id if isinstance(sku, Unresolved) else sku.part_number
                yield Finding(
                    Kind.BROKEN,
                    LicenseKey(current.account, state.sku_id, part),
                    user.cohort,
                    "state",
                    declared="Active",
                    actual=state.error or state.state,
                    position=user.position,
                )


def _id(thing: object) -> object:
    return getattr(thing, "id", None)


def _existing(desired: Desired, names: Names) -> Iterator[tuple[DeclaredUser, ObservedUser]]:
    for user in desired.users:
        if current := names.user(user.user_principal_name):
            yield user, current


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
