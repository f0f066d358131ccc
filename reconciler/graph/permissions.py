"""What the identity may do, told before anything is asked of it.

An app-only token carries its permissions in `roles`. A read with too few of them can
succeed and give nulls, which would look like differences (microsoft-graph-docs#3975).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.changes import (
    Change,
    Delete,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.errors import PermissionMissing
from reconciler.graph import jwt
from reconciler.text import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model import Desired

_DIRECTORY_READ = {"Directory.Read.All", "Directory.ReadWrite.All"}
_USER_WRITE = {"User.ReadWrite.All", "Directory.ReadWrite.All"}
_ROLE_WRITE = {"RoleManagement.ReadWrite.Directory"}

READS: Mapping[str, frozenset[str]] = {
    "read users": frozenset({"User.Read.All", *_USER_WRITE, *_DIRECTORY_READ}),
    "read groups and memberships": frozenset(
        {
            "GroupMember.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            *_DIRECTORY_READ,
        }
    ),
    "read licenses and the organization": frozenset(
        {"Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY_READ}
    ),
    "read domains": frozenset({"Domain.Read.All", "Domain.ReadWrite.All", *_DIRECTORY_READ}),
}
"""What every plan needs: any one of each (Graph, permissions reference, August 2026)."""

READ_ROLES = (
    "read directory roles",
    frozenset({"RoleManagement.Read.Directory", *_ROLE_WRITE, *_DIRECTORY_READ}),
)


MEMBER_OF = frozenset({"GroupMember.ReadBasic.All", "Group.ReadBasic.All", *_DIRECTORY_READ})
"""What it takes to ask for a user's memberOf: any one (as above)."""


AUDIT_LOG = "AuditLog.Read.All"
"""What it takes to ask who changed what: optional, for drift is told without it (as above)."""


def granted(token: str) -> frozenset[str] | None:
    """Give the permissions that an access token carries; None where it does not tell.

    A delegated token (Azure CLI) has none: what it may do depends on the person.
    """
    roles = _claim(token, "roles")
    return frozenset(roles) if isinstance(roles, list) else None


def application(token: str) -> str | None:
    """Give the appId of the application that an access token is of; None where it does not tell."""
    app = _claim(token, "appid") or _claim(token, "azp")
    return app if isinstance(app, str) else None


def _claim(token: str, name: str) -> object:
    return (jwt.told(token) or {}).get(name)


def check_reads(token: str, desired: Desired) -> None:
    """Raise PermissionMissing unless *token* can read what a plan needs."""
    needs = dict(READS)
    if desired.tenant_file.roles or any(user.roles for user in desired.users):
        needs |= [READ_ROLES]
    _check(granted(token), needs)


def may_ask_member_of(token: str) -> bool:
    """Whether *token* is known to be enough to ask what each person is in.

    Not where it does not tell: a refusal would end a plan that can do without.
    """
    return not MEMBER_OF.isdisjoint(granted(token) or ())


def may_read_audit_log(token: str) -> bool:
    """Whether it is worth asking the audit log: where the token does not tell, it is."""
    roles = granted(token)
    return roles is None or AUDIT_LOG in roles


def check_writes(token: str, changes: Iterable[Change]) -> None:
    """Raise PermissionMissing unless *token* can make every one of *changes*."""
    _check(granted(token), dict(need for change in changes for need in needs(change)))


def needs(change: Change) -> Iterable[tuple[str, frozenset[str]]]:
    """Give what *change* takes: what it is for, and the permissions of which any one will do."""
    write = frozenset(_USER_WRITE)
    match change.key:
        case UserKey() if isinstance(change, Delete | Restore):
            yield "delete and restore users", write | {"User.DeleteRestore.All"}
            if change.fields:
                yield "create and change users", write
        case UserKey() | ManagerKey():
            yield "create and change users", write
        case LicenseKey():
            yield "assign licenses", write | {"LicenseAssignment.ReadWrite.All"}
        case MembershipKey():
            if change.key.is_assignable_to_role:
                yield "change role-assignable groups", frozenset(_ROLE_WRITE)
            yield (
                "change group memberships",
                frozenset(
                    {"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
                ),
            )
        case RoleAssignmentKey():
            yield "assign directory roles", frozenset(_ROLE_WRITE)
        case _:
            assert_never(change.key)
    if any(field.path == "signInSessions" for field in change.fields):
        yield "revoke sign-in sessions", write | {"User.RevokeSessions.All"}


def _check(roles: frozenset[str] | None, needs: Mapping[str, frozenset[str]]) -> None:
    if roles is None:
        return
    missing = {what: any_of for what, any_of in needs.items() if not any_of & roles}
    if missing:
        told = "; ".join(
            f"{what} (one of {listing(sorted(any_of))})" for what, any_of in missing.items()
        )
        raise PermissionMissing(
            f"the application may not {told}",
            "grant the permissions to the application in Microsoft Entra, with admin consent; "
            "docs/permissions.md lists the least that is needed",
        )
