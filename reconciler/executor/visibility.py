"""Visibility: whether what a change brought about is what Graph answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from reconciler.changes import (
    Change,
    Delete,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.diff import comparable
from reconciler.fields import FIELDS_BY_NAME
from reconciler.model import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import FieldValue, LicenseState, ObservedUser

_ACTIVE = "Active"


@dataclass(frozen=True, slots=True)
class Visible:
    """Graph answers what was written."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """Graph answers something else, so far."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Graph took the change and says that it did not work out."""

    code: str
    message: str


View = Visible | NotYet | Broken


def view(change: Change, user: ObservedUser | None) -> View:
    """Tell whether *user*, read after the writes, shows *change*; None is nobody there."""
    key = change.key
    if user is None:
        return _when(isinstance(change, Delete))
    match key:
        case UserKey():
            return _when(not isinstance(change, Delete) and _shows_fields(change, user))
        case ManagerKey():
            return _when(_names_manager(key, user))
        case LicenseKey():
            return _license(change, key, user)
        case MembershipKey():
            return _membership(change, key, user)
        case RoleAssignmentKey():
            return _when(_shows_role(change, key, user))
        case _:
            assert_never(key)


def _when(is_visible: bool) -> View:  # noqa: FBT001 -- the one thing that it is about
    return Visible() if is_visible else NotYet()


def _shows_fields(change: Change, user: ObservedUser) -> bool:
    shown = {**user.fields, "mark": user.mark}
    return all(
        field.path not in shown or _is_same(field.path, shown[field.path], field.after)
        for field in change.fields
    )


def _is_same(path: str, one: FieldValue, other: FieldValue) -> bool:
    if path not in FIELDS_BY_NAME:
        return one == other
    return comparable(path, one) == comparable(path, other)


def _names_manager(key: ManagerKey, user: ObservedUser) -> bool:
    if key.manager is None or user.manager is None:
        return key.manager is user.manager
    return folded(user.manager.user_principal_name) == folded(key.manager.user_principal_name)


def _license(change: Change, key: LicenseKey, user: ObservedUser) -> View:
    direct = (state for state in user.licenses if state.assigned_by_group is None)
    state = next((state for state in direct if state.sku_id == key.sku_id), None)
    if isinstance(change, Delete):
        return _when(state is None)
    if state is None or state.disabled_plans != frozenset(key.disabled_plan_ids):
        return NotYet()
    return _worked(key.sku_part_number, "", [state])


def _membership(change: Change, key: MembershipKey, user: ObservedUser) -> View:
    """See a group that gives licences as joined once they have arrived."""
    is_member = key.group_id in user.groups
    if isinstance(change, Delete) or not is_member:
        return _when(is_member is not isinstance(change, Delete))
    given = {s.sku_id: s for s in user.licenses if s.assigned_by_group == key.group_id}
    states = [given[sku_id] for sku_id in key.license_sku_ids if sku_id in given]
    seen = _worked("", f" that the group '{key.group_display_name}' gives", states)
    is_missing = len(states) < len(key.license_sku_ids)
    return NotYet() if is_missing and not isinstance(seen, Broken) else seen


def _worked(name: str, whence: str, states: Sequence[LicenseState]) -> View:
    if broken := next((state for state in states if state.is_broken), None):
        what = name or broken.sku_id
        words = f"the license {what}{whence} ended in the state {broken.state}"
        return Broken(broken.error or "LicenseError", words)
    return _when(all(state.state == _ACTIVE for state in states))


def _shows_role(change: Change, key: RoleAssignmentKey, user: ObservedUser) -> bool:
    if isinstance(change, Delete):
        return all(role.id != key.assignment_id for role in user.roles)
    wanted = key.role_definition_id, key.directory_scope_id
    return any((r.role_definition_id, r.directory_scope_id) == wanted for r in user.roles)
