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
GROUP_LICENSE_ASSIGN: Final = frozenset(
    ("LicenseAssignment.ReadWrite.All", "Group.ReadWrite.All", _WRITE_ALL)
)
LICENSE_REPROCESS: Final = frozenset(("User.ReadWrite.All", _WRITE_ALL))
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
ANYBODY: Final[frozenset[str]] = frozenset()
"""For handlers that ask themselves, because an owner needs no permission."""
GROUP_WRITE: Final = frozenset(("Group.ReadWrite.All", _WRITE_ALL))
GROUP_CREATE: Final = GROUP_WRITE | {"Group.Create"}
GROUP_DELETE: Final = frozenset(("Group.ReadWrite.All",))
GROUP_RESTORE: Final = GROUP_WRITE
DELETED_GROUP_READ: Final = frozenset(("Group.Read.All", "Group.ReadWrite.All", *_READ_ALL))
OWNER_READ: Final = frozenset(
    (
        "Group.Read.All",
        "Group.ReadWrite.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        *_READ_ALL,
    )
)
PRINCIPAL_READ: Final = frozenset(("Application.Read.All", "Application.ReadWrite.All", *_READ_ALL))
PRINCIPAL_WRITE: Final = frozenset(("Application.ReadWrite.All", _WRITE_ALL))
MEMBER_READ: Final = GROUP_READ | {"GroupMember.ReadBasic.All"}
MEMBER_WRITE: Final = frozenset(("GroupMember.ReadWrite.All", "Group.ReadWrite.All", _WRITE_ALL))
MEMBER_OF: Final = frozenset(("GroupMember.ReadBasic.All", "Group.ReadBasic.All", *_READ_ALL))
TRANSITIVE_MEMBER_OF: Final = MEMBER_OF | {
    "Group.Read.All",
    "GroupMember.Read.All",
    "User.Read.All",
}
OWNED_READ: Final = frozenset(("User.Read.All", "User.ReadWrite.All", *_READ_ALL))
GROUP_EXTENSION_READ: Final = frozenset(("Group.Read.All", "Group.ReadWrite.All", *_READ_ALL))
GROUP_EXTENSION_WRITE: Final = frozenset(("Group.ReadWrite.All", _WRITE_ALL))
APPLICATION_WRITE_ALL: Final = "Application.ReadWrite.All"
EXTENSION_WRITE: Final = frozenset(("Application.ReadWrite.OwnedBy", APPLICATION_WRITE_ALL))
EXTENSION_READ: Final = EXTENSION_WRITE | {"Application.Read.All", *_READ_ALL}
CHECK_MEMBER: Final = TRANSITIVE_MEMBER_OF | {"Group.ReadWrite.All", "User.ReadWrite.All"}
DOMAIN_READ: Final = frozenset(("Domain.Read.All", "Domain.ReadWrite.All", *_READ_ALL))
ORGANIZATION_READ: Final = frozenset(
    ("Organization.Read.All", "Organization.ReadWrite.All", "User.Read.All", *_READ_ALL)
)
DELETED_READ: Final = USER_READ_FULL
AUDIT_READ: Final = frozenset(("AuditLog.Read.All", "Directory.Read.All"))
OBJECT_READ: Final = frozenset(_READ_ALL)
ROLE_WRITE: Final = frozenset(("RoleManagement.ReadWrite.Directory",))
ROLE_READ: Final = ROLE_WRITE | {"RoleManagement.Read.Directory", *_READ_ALL}
DEFINITION_READ: Final = ROLE_READ | {"RoleManagement.Read.All"}
_ANY_ROLE_READ: Final = frozenset(("RoleManagement.Read.All", "RoleManagement.Read.Directory"))
ELIGIBILITY_WRITE: Final = ROLE_WRITE | {"RoleEligibilitySchedule.ReadWrite.Directory"}
ELIGIBILITY_READ: Final = (
    ELIGIBILITY_WRITE | _ANY_ROLE_READ | {"RoleEligibilitySchedule.Read.Directory"}
)
ACTIVATION_WRITE: Final = ROLE_WRITE | {"RoleAssignmentSchedule.ReadWrite.Directory"}
ACTIVATION_REMOVE: Final = ACTIVATION_WRITE | {
    "RoleAssignmentSchedule.Remove.Directory",
    "RoleEligibilitySchedule.Remove.Directory",
}
ACTIVATION_READ: Final = (
    ACTIVATION_WRITE | _ANY_ROLE_READ | {"RoleAssignmentSchedule.Read.Directory"}
)
UNIT_READ: Final = frozenset(
    ("AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All", *_READ_ALL)
)
# Graph's description lists Group.Create and Group.ReadWrite.All beside these two: they are
# for `POST …/members`, which makes a new group in the unit. Whoever could add what is there
# already would decide over whom roles are held.
UNIT_WRITE: Final = frozenset(("AdministrativeUnit.ReadWrite.All", _WRITE_ALL))
PASS_WRITE: Final = frozenset(
    ("UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")
)
PASS_READ: Final = PASS_WRITE | {"UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"}
METHOD_POLICY_READ: Final = frozenset(
    (
        "Policy.Read.AuthenticationMethod",
        "Policy.ReadWrite.AuthenticationMethod",
        "Policy.Read.All",
    )
)
PASSWORD_RESET: Final = "User-PasswordProfile.ReadWrite.All"  # noqa: S105 -- a permission
ENABLE_DISABLE: Final = "User.EnableDisableAccount.All"

PLAN_SET: Final = (
    "AuditLog.Read.All",
    "Domain.Read.All",
    "GroupMember.Read.All",
    "GroupMember.ReadBasic.All",
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

ADMIN_SET: Final = (
    "AdministrativeUnit.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "AuditLog.Read.All",
    "Directory.ReadWrite.All",
    "Domain.ReadWrite.All",
    "Group.Create",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagementPolicy.ReadWrite.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthMethod-TAP.ReadWrite.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
"""What the administration is granted: the widest of each kind that there is."""


def require(call: Call, permissions: frozenset[str], *, is_pim: bool = False) -> None:
    """Raise Graph's 403 unless the caller was granted one of *permissions*, or there are none.

    PIM has words of its own for it and names what is missing.
    """
    if not permissions or not permissions.isdisjoint(call.caller.permissions):
        return
    if is_pim:
        raise errors.NO_SCOPE.error(scopes=",".join(sorted(permissions)))
    raise errors.DENIED.error()


def reads_users_whole(call: Call) -> bool:
    """Whether the caller sees more of users than what is basic."""
    return call.may(*USER_READ_FULL)


def roles_of(db: sqlite3.Connection, principal_id: str) -> frozenset[str]:
    """Give the roles that a principal holds now, over whatever, by itself or through a group."""
    rows = db.execute(
        "SELECT role_id FROM role_assignment WHERE principal_id = ?1 UNION "
        "SELECT role_id FROM member JOIN role_assignment ON principal_id = group_id "
        'JOIN "group" AS g ON g.id = group_id WHERE member_id = ?1 AND g.deleted IS NULL',
        (principal_id,),
    )
    return frozenset(role for (role,) in rows)


def roles_over(db: sqlite3.Connection, principal_id: str, target_id: str = "") -> frozenset[str]:
    """Give the roles that a principal holds over the whole tenant, or a unit with the target."""
    rows = db.execute(
        "WITH holder(id) AS (SELECT ?1 UNION SELECT group_id FROM member "
        'JOIN "group" AS g ON g.id = group_id WHERE member_id = ?1 AND g.deleted IS NULL) '
        "SELECT role_id FROM role_assignment JOIN holder ON principal_id = holder.id "
        "WHERE scope = '/' OR EXISTS (SELECT 1 FROM member WHERE member_id = ?2 "
        "AND scope = '/administrativeUnits/' || group_id)",
        (principal_id, target_id),
    )
    return frozenset(role for (role,) in rows)


def _is_in_role_assignable_group(db: sqlite3.Connection, user_id: str) -> bool:
    row = db.execute(
        'SELECT 1 FROM member JOIN "group" ON id = group_id WHERE member_id = ?1 '
        "AND deleted IS NULL AND json_extract(document, '$.isAssignableToRole') "
        'UNION SELECT 1 FROM owner JOIN "group" ON id = group_id WHERE owner_id = ?1 '
        "AND deleted IS NULL AND json_extract(document, '$.isAssignableToRole')",
        (user_id,),
    ).fetchone()
    return row is not None


def require_reach(call: Call, user_id: str) -> None:
    """Raise Graph's 403 unless the caller's own roles reach up to this user."""
    held = roles_of(call.db, user_id)
    in_group = _is_in_role_assignable_group(call.db, user_id)
    if not held and not in_group:
        return
    own = roles_over(call.db, call.caller.principal_id, user_id)
    if own & REACHES_ALL:
        return
    is_within = not in_group and held <= REACHED_BY_USER_ADMINISTRATOR
    if USER_ADMINISTRATOR not in own or not is_within:
        raise errors.DENIED.error()


def require_administrator(call: Call, user_id: str) -> None:
    """Raise Graph's 403 unless the caller is at least a User Administrator over this user."""
    own = roles_over(call.db, call.caller.principal_id, user_id)
    if not own & (REACHES_ALL | {USER_ADMINISTRATOR}):
        raise errors.DENIED.error()
