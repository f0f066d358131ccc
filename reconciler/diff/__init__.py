"""Desired and observed in, changes out. Knows no clock, no network and no order of execution.

What is declared is exact, what is declared null is cleared, what is not declared is left
alone. On accounts that carry our mark, entitlements that the tenant file lists are held
if and only if they are declared; nothing else is ever taken away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.diff.accounts import comparable, existing, new, removed, restored, returning
from reconciler.diff.comparison import Comparison
from reconciler.diff.licenses import direct_licenses, left_licenses, license_changes
from reconciler.diff.managers import manager_changes
from reconciler.diff.memberships import left_groups, membership_changes
from reconciler.diff.ownership import Ownership, leavers, may_change, ownership
from reconciler.diff.roles import directory_roles, left_roles, role_changes
from reconciler.model import Account, Removal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.model import CohortName, DeclaredUser, Desired, Observed, ObservedUser

__all__ = [
    "Ownership",
    "comparable",
    "diff",
    "direct_licenses",
    "directory_roles",
    "leavers",
    "may_change",
    "ownership",
]


def diff(desired: Desired, observed: Observed) -> Iterator[Change]:
    """Give every change between what is declared and what there is.

    Names that stand for nothing, and accounts that are not ours, make no change here: the
    guards refuse them.
    """
    comparison = Comparison.of(desired, observed)
    for user in desired.users:
        yield from _declared(comparison, user)
    for leaver, cohort in leavers(desired, observed):
        yield from _leaver(comparison, leaver, cohort)


def _declared(comparison: Comparison, user: DeclaredUser) -> Iterator[Change]:
    """Compare one declared person with the account of that name, or with nothing."""
    current = comparison.names.user(user.user_principal_name)
    if current:
        if may_change(user, current, comparison.source):
            yield from existing(comparison, user, current)
            yield from _entitlements(comparison, user, current.account, current)
    elif deleted := returning(comparison, user):
        yield restored(comparison, user, deleted)
        account = Account(user.user_principal_name, deleted.id)
        yield from _entitlements(comparison, user, account, deleted)
    elif not user.adopt:
        yield new(comparison, user)
        yield from _entitlements(comparison, user, Account(user.user_principal_name), None)


def _entitlements(
    comparison: Comparison, user: DeclaredUser, account: Account, current: ObservedUser | None
) -> Iterator[Change]:
    yield from manager_changes(comparison, user, account, current)
    yield from license_changes(comparison, user, account, current)
    yield from membership_changes(comparison, user, account, current)
    yield from role_changes(comparison, user, account, current)


def _leaver(comparison: Comparison, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
    """Give what `removal` does to an owned account that nobody declares any more."""
    if comparison.tenant_file.removal is not Removal.KEEP:
        yield from left_roles(comparison, user, cohort)
        yield from left_groups(comparison, user, cohort)
        yield from left_licenses(comparison, user, cohort)
        yield from removed(comparison, user, cohort)
