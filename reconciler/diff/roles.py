"""Directory roles, over all of the directory; assignments to a part of it are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, Delete, FieldChange, Reason, RoleAssignmentKey, Wave
from reconciler.diff.comparison import keeps_undeclared
from reconciler.names import Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.diff.comparison import Comparison
    from reconciler.model import (
        Account,
        CohortName,
        DeclaredRole,
        DeclaredUser,
        ObjectId,
        ObservedUser,
        RoleDefinition,
    )

DIRECTORY_SCOPE = "/"


def directory_roles(user: ObservedUser | None) -> dict[ObjectId, ObjectId]:
    """Give the assignments over the whole directory, by role."""
    roles = user.roles if user else ()
    return {
        role.role_definition_id: role.id
        for role in roles
        if role.directory_scope_id == DIRECTORY_SCOPE
    }


def role_changes(
    comparison: Comparison, user: DeclaredUser, account: Account, current: ObservedUser | None
) -> Iterator[Change]:
    """Give the roles that *user* gets, and the managed ones to take back."""
    held = directory_roles(current)
    found = [(comparison.names.roles[declared.role], declared) for declared in user.roles]
    wanted = {role.id: (role, d) for role, d in found if not isinstance(role, Unresolved)}
    for role, declared in wanted.values():
        if role.id not in held:
            yield _assigned(user, account, role, declared)
    if not keeps_undeclared(user):
        for role_id in sorted((held.keys() & comparison.managed.roles.keys()) - wanted.keys()):
            role, assignment = comparison.managed.roles[role_id], held[role_id]
            yield _revoked(account, user.cohort, role, assignment, Reason.NOT_DECLARED)


def left_roles(comparison: Comparison, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
    """Give the managed roles that a leaver loses."""
    held = directory_roles(user)
    for role_id in sorted(held.keys() & comparison.managed.roles.keys()):
        role, assignment = comparison.managed.roles[role_id], held[role_id]
        yield _revoked(user.account, cohort, role, assignment, Reason.USER_NOT_DECLARED)


def _assigned(
    user: DeclaredUser, account: Account, role: RoleDefinition, declared: DeclaredRole
) -> Create:
    fields = [FieldChange("justification", None, declared.justification)]
    if declared.ticket:
        fields.append(FieldChange("ticket", None, declared.ticket))
    key = RoleAssignmentKey(account, role.id, role.display_name, DIRECTORY_SCOPE)
    return Create(key, user.cohort, Wave.ROLES, tuple(fields), position=declared.position)


def _revoked(
    account: Account,
    cohort: CohortName,
    role: RoleDefinition,
    assignment: ObjectId,
    reason: Reason,
) -> Delete:
    key = RoleAssignmentKey(account, role.id, role.display_name, DIRECTORY_SCOPE, assignment)
    return Delete(key, cohort, Wave.REVOKE_ROLES, reason=reason)
