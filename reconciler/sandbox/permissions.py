"""Who may do what: application permissions, and targets that want more than those.

Permissions from Microsoft's permissions.json (August 2026); for privileged targets,
Graph, "Who can perform sensitive actions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox.company.roledata import (
    REACHED_BY_USER_ADMINISTRATOR,
    REACHES_ALL,
    USER_ADMINISTRATOR,
)

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.calls import Call

_WRITE_ALL: Final = "Directory.ReadWrite.All"
_READ_ALL: Final = ("Directory.Read.All", _WRITE_ALL)

USER_READ_FULL: Final = frozenset(("User.Read.All", "User.ReadWrite.All", *_READ_ALL))
USER_READ: Final = USER_READ_FULL | {"User.ReadBasic.All"}
USER_CREATE: Final = frozenset(("User.ReadWrite.All", _WRITE_ALL))
USER_UPDATE: Final = USER_CREATE | {
    "User.EnableDisableAccount.All",
    "User-PasswordProfile.ReadWrite.All",
}
USER_DELETE: Final = frozenset(("User.DeleteRestore.All", "User.ReadWrite.All"))
USER_REVOKE: Final = frozenset(("User.RevokeSessions.All", "User.ReadWrite.All", _WRITE_ALL))
MANAGER_READ: Final = USER_READ_FULL
LICENSE_ASSIGN: Final = frozenset(
    ("LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", _WRITE_ALL)
)
LICENSE_DETAILS: Final = USER_READ_FULL | {
    "LicenseAssignment.Read.All",
    "LicenseAssignment.ReadWrite.All",
}
SKU_READ: Final = frozenset(
    (
        "LicenseAssignment.Read.All",
        "LicenseAssignment.ReadWrite.All",
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        *_READ_ALL,
    )
)
GROUP_READ: Final = frozenset(
    (
        "Group.Read.All",
        "Group.ReadBasic.All",
        "Group.ReadWrite.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        *_READ_ALL,
    )
)
MEMBER_READ: Final = GROUP_READ | {"GroupMember.ReadBasic.All"}
MEMBER_WRITE: Final = frozenset(("GroupMember.ReadWrite.All", "Group.ReadWrite.All", _WRITE_ALL))
MEMBER_OF: Final = frozenset(("GroupMember.ReadBasic.All", "Group.ReadBasic.All", *_READ_ALL))
TRANSITIVE_MEMBER_OF: Final = MEMBER_OF | {
    "Group.Read.All",
    "GroupMember.Read.All",
    "User.Read.All",
}
CHECK_MEMBER: Final = TRANSITIVE_MEMBER_OF | {"Group.ReadWrite.All", "User.ReadWrite.All"}
DOMAIN_READ: Final = frozenset(("Domain.Read.All", "Domain.ReadWrite.All", *_READ_ALL))
ORGANIZATION_READ: Final = frozenset(
    ("Organization.Read.All", "Organization.ReadWrite.All", "User.Read.All", *_READ_ALL)
)
DELETED_READ: Final = USER_READ_FULL
OBJECT_READ: Final = frozenset(_READ_ALL)
ROLE_WRITE: Final = frozenset(("RoleManagement.ReadWrite.Directory",))
ROLE_READ: Final = ROLE_WRITE | {"RoleManagement.Read.Directory", *_READ_ALL}
PASSWORD_RESET: Final = "User-PasswordProfile.ReadWrite.All"  # noqa: S105 -- a permission
ENABLE_DISABLE: Final = "User.EnableDisableAccount.All"

PLAN_SET: Final = (
    "Domain.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "RoleEligibilitySchedule.Read.Directory",
    "RoleManagement.Read.Directory",
    "User.Read.All",
)
"""What a reader of plans is granted."""

APPLY_SET: Final = (
    *PLAN_SET,
    "GroupMember.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "User.DeleteRestore.All",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
)
"""What the writer is granted."""


def require(call: Call, permissions: frozenset[str]) -> None:
    """Raise Graph's 403 unless the caller was granted one of *permissions*."""
    if permissions.isdisjoint(call.caller.permissions):
        raise errors.DENIED.error()


def roles_of(db: sqlite3.Connection, principal_id: str) -> frozenset[str]:
    """Give the roles that a principal holds, by itself or through a group."""
    rows = db.execute(
        "SELECT role_id FROM role_assignment WHERE principal_id = ?1 UNION "
        "SELECT role_id FROM member JOIN role_assignment ON principal_id = group_id "
        "WHERE member_id = ?1",
        (principal_id,),
    )
    return frozenset(role for (role,) in rows)


def _is_in_role_assignable_group(db: sqlite3.Connection, user_id: str) -> bool:
    row = db.execute(
        'SELECT 1 FROM member JOIN "group" ON id = group_id WHERE member_id = ? '
        "AND json_extract(document, '$.isAssignableToRole')",
        (user_id,),
    ).fetchone()
    return row is not None


def require_reach(call: Call, user_id: str) -> None:
    """Raise Graph's 403 unless the caller's own roles reach up to this user."""
    held = roles_of(call.db, user_id)
    in_group = _is_in_role_assignable_group(call.db, user_id)
    if not held and not in_group:
        return
    own = roles_of(call.db, call.caller.principal_id)
    if own & REACHES_ALL:
        return
    is_within = not in_group and held <= REACHED_BY_USER_ADMINISTRATOR
    if USER_ADMINISTRATOR not in own or not is_within:
        raise errors.DENIED.error()


def require_administrator(call: Call) -> None:
    """Raise Graph's 403 unless the caller is at least a User Administrator."""
    if not roles_of(call.db, call.caller.principal_id) & (REACHES_ALL | {USER_ADMINISTRATOR}):
        raise errors.DENIED.error()
