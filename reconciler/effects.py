"""What a change means for its person: the power that it gives, and what it takes away.

Whoever shows, guards or records changes asks here, so that all of them mean the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    LicenseKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    Update,
    is_removal,
)

if TYPE_CHECKING:
    from reconciler.changes import Change, Key


def makes_privileged(key: Key) -> bool:
    """Whether it gives power over the tenant: a directory role, or a group that can hold one."""
    if isinstance(key, MembershipKey):
        return key.is_assignable_to_role
    return isinstance(key, RoleAssignmentKey)


def is_privileged(change: Change) -> bool:
    """Whether *change* gives somebody power over the tenant; a removal does not."""
    return makes_privileged(change.key) and not is_removal(change)


def plans_taken(change: Change) -> tuple[str, ...]:
    """Give the service plans that *change* switches off in a license that somebody keeps.

    A new license that comes without some takes nothing: they were never on.
    """
    if not (isinstance(change, Update) and isinstance(change.key, LicenseKey)):
        return ()
    off = (
        plan
        for field in change.fields
        if field.path == "disabledPlans" and isinstance(field.after, tuple)
        for plan in field.after
        if not (isinstance(field.before, tuple) and plan in field.before)
    )
    return tuple(off)


def takes_away(change: Change) -> bool:
    """Whether *change* takes something from a person: a removal, or a part of a license."""
    return is_removal(change) or bool(plans_taken(change))


def takes_over(change: Change) -> bool:
    """Whether an account becomes ours, comes back or moves to another cohort."""
    if isinstance(change, Create):
        return False
    return isinstance(change, Adopt | Restore) or any(f.path == "mark" for f in change.fields)
