"""Direct memberships of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, Delete, MembershipKey, Reason, Wave
from reconciler.diff.comparison import keeps_undeclared
from reconciler.names import Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.diff.comparison import Comparison
    from reconciler.model import Account, CohortName, DeclaredUser, Group, ObservedUser


def membership_changes(
    comparison: Comparison, user: DeclaredUser, account: Account, current: ObservedUser | None
) -> Iterator[Change]:
    """Give the groups that *user* joins, and the managed ones to leave."""
    held = current.groups if current else frozenset()
    found = [(comparison.names.groups[declared.group], declared) for declared in user.groups]
    wanted = {group.id: (group, d) for group, d in found if not isinstance(group, Unresolved)}
    for group, declared in wanted.values():
        if group.id not in held:
            key = _key(account, group)
            yield Create(key, user.cohort, Wave.ENTITLEMENTS, position=declared.position)
    if not keeps_undeclared(user):
        for group_id in sorted((held & comparison.managed.groups.keys()) - wanted.keys()):
            group = comparison.managed.groups[group_id]
            yield _left(account, user.cohort, group, Reason.NOT_DECLARED)


def left_groups(comparison: Comparison, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
    """Give the managed groups that a leaver is taken out of."""
    for group_id in sorted(user.groups & comparison.managed.groups.keys()):
        group = comparison.managed.groups[group_id]
        yield _left(user.account, cohort, group, Reason.USER_NOT_DECLARED)


def _left(account: Account, cohort: CohortName, group: Group, reason: Reason) -> Delete:
    key = _key(account, group)
    return Delete(key, cohort, Wave.REVOKE_ENTITLEMENTS, reason=reason)


def _key(account: Account, group: Group) -> MembershipKey:
    return MembershipKey(
        account,
        group.id,
        group.display_name,
        group.is_assignable_to_role,
        tuple(sorted(group.sku_ids)),
    )
