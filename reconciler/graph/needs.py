"""Which permissions cohort files need, which of them are missing, and which are too many.

What a read or a change takes stands in `permissions`, and nowhere else; here are only the
reads and changes that the files can lead to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import (
    Change,
    Create,
    Delete,
    FieldChange,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.diagnostics import Diagnostic
from reconciler.errors import ExitCode
from reconciler.graph.permissions import AUDIT_LOG, MEMBER_OF, READ_ROLES, READS
from reconciler.graph.permissions import needs as of_change
from reconciler.graph.steps import Step, warning
from reconciler.model import Account, CohortName, ObjectId, Removal, UserPrincipalName
from reconciler.text import counted, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model import Desired

LEAST = (
    "User.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "Domain.Read.All",
    "RoleManagement.Read.Directory",
    "LicenseAssignment.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "User.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.RevokeSessions.All",
    "RoleManagement.ReadWrite.Directory",
)
"""What to grant: the first of these that does (Graph, permissions reference, August 2026).

The last two of users are narrower than `User.ReadWrite.All`, which whoever creates accounts
needs anyway.
"""
OPTIONAL = {
    "GroupMember.ReadBasic.All": "ask large groups per person",
    AUDIT_LOG: "tell who changed what has drifted",
}
"""What a command can do without, and uses where it is there."""
_SOMEBODY = Account(UserPrincipalName("somebody@example.com"), ObjectId("somebody"))
_COHORT = CohortName("any")
_REVOKED = (FieldChange("signInSessions", "valid", "revoked"),)
_DANGERS = {
    "RoleManagement.ReadWrite.Directory": ", which can make anybody Global Administrator",
    "Application.ReadWrite.All": ", which can act as any application",
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something to be allowed to do: any one of *any_of* allows it."""

    what: str
    any_of: frozenset[str]
    why: str

    @property
    def least(self) -> str:
        """The permission to grant for it."""
        return next(name for name in LEAST if name in self.any_of)


def needs(desired: Desired, *, writes: bool) -> tuple[Need, ...]:
    """Give what *desired* needs: to be read, and with *writes* to be applied as well.

    A plan may turn out to need less: what has nothing to do asks for nothing.
    """
    found = [Need(what, any_of, "every plan reads them") for what, any_of in READS.items()]
    if roles := _roles(desired):
        found.append(Need(*READ_ROLES, f"the files name {roles}"))
    for change, why in _writes(desired) if writes else ():
        found += (Need(what, any_of, why) for what, any_of in of_change(change))
    once: dict[str, Need] = {}
    for need in found:
        once.setdefault(need.what, need)
    return tuple(once.values())


def _writes(desired: Desired) -> Iterator[tuple[Change, str]]:
    """Give a change of each kind that the files can lead to, and why it may come to that."""
    users, tenant_file = desired.users, desired.tenant_file
    key = UserKey(_SOMEBODY)
    if users:
        people = f"the files declare {counted(len(users), 'person', 'people')}"
        yield Create(key, _COHORT, Wave.USERS), people
        yield Restore(key, _COHORT, Wave.USERS), f"{people}, who may be in the recycle bin"
    if managers := sum("manager" in user.fields for user in users):
        why = f"{counted(managers, 'person', 'people')} have a manager declared"
        yield Create(ManagerKey(_SOMEBODY, None), _COHORT, Wave.ENTITLEMENTS), why
    if tenant_file.removal is not Removal.KEEP:
        verb = Delete if tenant_file.removal is Removal.DELETE else Update
        why = f"`removal: {tenant_file.removal}` in the tenant file"
        yield verb(key, _COHORT, Wave.LEAVERS, _REVOKED), why
    if blocked := sum(user.fields.get("accountEnabled") is False for user in users):
        why = f"the sign-in of {counted(blocked, 'person', 'people')} is declared blocked"
        yield Update(key, _COHORT, Wave.USERS, _REVOKED), why
    yield from _entitlements(desired)


def _entitlements(desired: Desired) -> Iterator[tuple[Change, str]]:
    users, tenant_file, wave = desired.users, desired.tenant_file, Wave.ENTITLEMENTS
    licenses = _named(
        (license_.sku for user in users for license_ in user.licenses),
        (listed.name for listed in tenant_file.licenses or ()),
    )
    if licenses:
        key = LicenseKey(_SOMEBODY, ObjectId("sku"), "sku")
        yield Create(key, _COHORT, wave), f"the files name licenses: {licenses}"
    groups = _named(
        (group.group for user in users for group in user.groups),
        (listed.name for listed in tenant_file.groups or ()),
    )
    if groups:
        group = MembershipKey(_SOMEBODY, ObjectId("group"), "group")
        yield Create(group, _COHORT, wave), f"the files name groups: {groups}"
    privileged = _named(
        listed.name for listed in tenant_file.groups or () if listed.role_assignable
    )
    if privileged:
        group = MembershipKey(_SOMEBODY, ObjectId("group"), "group", is_assignable_to_role=True)
        yield Create(group, _COHORT, wave), f"`roleAssignable: true` in the files: {privileged}"
    if roles := _roles(desired):
        role = RoleAssignmentKey(_SOMEBODY, ObjectId("role"), "role")
        yield Create(role, _COHORT, Wave.ROLES), f"the files name {roles}"


def _roles(desired: Desired) -> str:
    names = _named(
        (role.role for user in desired.users for role in user.roles),
        (listed.name for listed in desired.tenant_file.roles or ()),
    )
    return f"directory roles: {names}" if names else ""


def _named(*names: Iterator[str]) -> str:
    return listing(dict.fromkeys(name for some in names for name in some), limit=3)


def judged(asked: tuple[Need, ...], granted: frozenset[str], *, writes: bool) -> Iterator[Step]:
    """Give a step for each of what is *asked*, and one for each of *granted* that is too much."""
    for need in asked:
        does = sorted(need.any_of & granted)
        told = f"{listing(does)} ({need.why})"
        yield Step(
            "permissions",
            told,
            () if does else (_missing(need),),
            about=need.what,
            code=ExitCode.PERMISSION_MISSING,
        )
    for name in sorted(granted):
        if problem := _too_much(name, asked, writes=writes):
            yield Step("permissions", problems=(problem,))


def _missing(need: Need) -> Diagnostic:
    return Diagnostic(
        f"the application may not {need.what}; needed because {need.why}",
        f"grant the application permission {need.least} of Microsoft Graph, with admin consent "
        "(docs/setup.md)",
    )


def _too_much(name: str, asked: tuple[Need, ...], *, writes: bool) -> Diagnostic | None:
    """Say what is wrong with having *name*, if anything is."""
    if not writes and is_write(name):
        return warning(
            f"{name} writes, and an identity for plans has only to read",
            "take it away from the application that plans: pull requests run as it",
        )
    wider = [need for need in asked if name in need.any_of]
    is_optional = name in OPTIONAL or (name in MEMBER_OF and not is_write(name))
    if is_optional or (wider and name in LEAST):
        return None
    if wider:
        least = listing(sorted({need.least for need in wider}))
        return warning(
            f"{name} allows more than these files need",
            f"grant {least} in its place, then take it away",
        )
    danger = _DANGERS.get(name, "")
    return warning(
        f"nothing in these files needs {name}{danger}",
        "take it away, unless other cohorts that this identity applies need it",
    )


def is_write(permission: str) -> bool:
    """Whether *permission* allows more than to read: `User.Read.All` does not."""
    return not permission.partition(".")[2].startswith(("Read.", "ReadBasic."))
