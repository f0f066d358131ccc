"""Direct licences; what groups give is seen, and never assigned twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, Delete, FieldChange, LicenseKey, Reason, Update, Wave
from reconciler.diff.comparison import keeps_undeclared
from reconciler.names import Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.diff.comparison import Comparison
    from reconciler.model import (
        Account,
        CohortName,
        DeclaredLicense,
        DeclaredUser,
        LicenseState,
        ObjectId,
        ObservedUser,
        Sku,
    )


def direct_licenses(user: ObservedUser | None) -> dict[ObjectId, LicenseState]:
    """Give the licences that *user* holds directly, by SKU: the only ones compared."""
    states = user.licenses if user else ()
    return {state.sku_id: state for state in states if state.assigned_by_group is None}


def license_changes(
    comparison: Comparison, user: DeclaredUser, account: Account, current: ObservedUser | None
) -> Iterator[Change]:
    """Give the licences to assign or change, and the managed ones to take back.

    Who gets one and loses one swaps them in one request, and is never without.
    """
    held = direct_licenses(current)
    given = _given_by_groups(comparison, user, current)
    found = [(comparison.names.skus[license_.sku], license_) for license_ in user.licenses]
    wanted = {sku.id: (sku, d) for sku, d in found if not isinstance(sku, Unresolved)}
    granted: list[Change] = []
    for sku, license_ in wanted.values():
        state = held.get(sku.id)
        if state or sku.id not in given:  # a second one beside a group's would only cost
            granted += _assigned(comparison, user, account, sku, license_, state)
    yield from granted
    if not keeps_undeclared(user):
        # From an account in the recycle bin nothing can be taken before it is back.
        exists = comparison.names.user(user.user_principal_name) is not None
        wave = Wave.REVOKE_ENTITLEMENTS if exists and not granted else Wave.ENTITLEMENTS
        for sku_id in sorted((held.keys() & comparison.managed.skus.keys()) - wanted.keys()):
            sku = comparison.managed.skus[sku_id]
            yield _taken_back(account, user.cohort, sku, wave, Reason.NOT_DECLARED)


def left_licenses(
    comparison: Comparison, user: ObservedUser, cohort: CohortName
) -> Iterator[Change]:
    """Give the managed licences that a leaver loses."""
    held = direct_licenses(user)
    for sku_id in sorted(held.keys() & comparison.managed.skus.keys()):
        sku, reason = comparison.managed.skus[sku_id], Reason.USER_NOT_DECLARED
        yield _taken_back(user.account, cohort, sku, Wave.REVOKE_ENTITLEMENTS, reason)


def _taken_back(
    account: Account, cohort: CohortName, sku: Sku, wave: Wave, reason: Reason
) -> Delete:
    key = LicenseKey(account, sku.id, sku.part_number)
    return Delete(key, cohort, wave, reason=reason)


def _given_by_groups(
    comparison: Comparison, user: DeclaredUser, current: ObservedUser | None
) -> set[ObjectId]:
    """Give the SKUs that groups give *user*, or will once this plan is applied."""
    found = (comparison.names.groups[declared.group] for declared in user.groups)
    joined = {group.id: group for group in found if not isinstance(group, Unresolved)}
    left = frozenset() if keeps_undeclared(user) else comparison.managed.groups.keys() - joined
    inherited = [
        state
        for state in (current.licenses if current else ())
        if state.assigned_by_group not in {None, *left}
    ]
    failed = {s.sku_id for s in inherited if not s.state.startswith("Active")}
    active = {s.sku_id for s in inherited if s.state.startswith("Active")}
    promised = {sku_id for group in joined.values() for sku_id in group.sku_ids}
    return active | (promised - failed)


def _assigned(  # noqa: PLR0913, PLR0917 -- both sides of one license
    comparison: Comparison,
    user: DeclaredUser,
    account: Account,
    sku: Sku,
    license_: DeclaredLicense,
    state: LicenseState | None,
) -> Iterator[Change]:
    before = state.disabled_plans if state else None
    after = _disabled_after(_plan_ids(comparison, sku, license_.disabled_plans), before)
    if state and after == before:
        return
    verb = Update if state else Create
    fields: tuple[FieldChange, ...] = ()
    if after or before:
        names = _plan_names(sku, before), _plan_names(sku, after)
        fields = (FieldChange("disabledPlans", *names),)
    key = LicenseKey(account, sku.id, sku.part_number, tuple(sorted(after)))
    yield verb(key, user.cohort, Wave.ENTITLEMENTS, fields, position=license_.position)


def _plan_ids(
    comparison: Comparison, sku: Sku, names: tuple[str, ...] | None
) -> frozenset[ObjectId] | None:
    if names is None:
        return None
    plans = (comparison.names.service_plan(sku, name) for name in names)
    return frozenset(plan.id for plan in plans if not isinstance(plan, Unresolved))


def _disabled_after(
    declared: frozenset[ObjectId] | None, before: frozenset[ObjectId] | None
) -> frozenset[ObjectId]:
    """Give the plans that should be off: the declared ones, and those that are off anyway.

    Microsoft adds plans to a SKU, some of them off: what nobody declared is no
    difference, and is merged, not reset. An empty list is a word of its own: all on.
    """
    if declared == frozenset():
        return declared
    return (declared or frozenset()) | (before or frozenset())


def _plan_names(sku: Sku, plans: frozenset[ObjectId] | None) -> tuple[str, ...] | None:
    if plans is None:
        return None
    names = {plan.id: plan.name for plan in sku.service_plans}
    return tuple(sorted(names.get(plan, plan) for plan in plans))
