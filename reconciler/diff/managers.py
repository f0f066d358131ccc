"""Whom an account reports to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, Delete, FieldChange, ManagerKey, Update, Wave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.diff.comparison import Comparison
    from reconciler.model import Account, DeclaredUser, ObservedUser


def manager_changes(
    comparison: Comparison, user: DeclaredUser, account: Account, current: ObservedUser | None
) -> Iterator[Change]:
    """Give the change of manager; also to one whom this very plan creates."""
    if "manager" not in user.fields:
        return
    before = current.manager if current else None
    name = user.fields["manager"]
    after = comparison.names.account(str(name)) if name else None
    if (name and not after) or _same(before, after):
        return
    verb = Delete if after is None else Update if before else Create
    change = FieldChange("manager", _name(before), _name(after))
    key = ManagerKey(account, after)
    position = user.where("manager")
    yield verb(key, user.cohort, Wave.ENTITLEMENTS, (change,), position=position)


def _same(one: Account | None, other: Account | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.id == other.id


def _name(account: Account | None) -> str | None:
    return account.user_principal_name if account else None
