"""Find drift: what the tenant has that the files do not say, person by person.

It is read off a plan, from the other side: what an apply would change back is what somebody
changed. What an apply would do for the first time is no drift, as far as the tenant tells
the two apart; `Standing` says which it is, or that nobody can tell.
"""

from __future__ import annotations

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
from reconciler.findings import Drift, Finding, Kind, Standing, in_order
from reconciler.guards.situation import Situation
from reconciler.guards.tenant import wrong_tenant
from reconciler.model import Mark, folded
from reconciler.names import Managed, Names, Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.changes import Change
    from reconciler.model import DeclaredUser, Desired, Observed, ObservedUser
    from reconciler.plan import Plan


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
