from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
import pytest

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
from reconciler.errors import PermissionMissing
from reconciler.graph.permissions import (
    READS,
    check_reads,
    check_writes,
    granted,
    may_ask_member_of,
)
from reconciler.model import (
    Account,
    CohortName,
    Desired,
    Listed,
    ObjectId,
    TenantFile,
    UserPrincipalName,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model import DeclaredUser

PLAN_SET = ("User.Read.All", "GroupMember.Read.All", "Organization.Read.All", "Domain.Read.All")
ROLES = ("RoleManagement.Read.Directory",)
ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("ada-id"))
BETA = CohortName("beta")
REVOKE = (FieldChange("signInSessions", "valid", "revoked"),)


def token(**claims: Any) -> str:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Make an access token; nobody here looks at its signature."""
    payload = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"header.{payload}.signature"


def with_(*roles: str) -> str:
    """Make the token of an application with these permissions."""
    return token(roles=list(roles))


@pytest.mark.parametrize(
    "value",
    [
        token(scp="User.Read"),
        token(roles="User.Read.All"),
        "opaque",
        "a.!.c",
        "a.é.c",
        "a.W10.c",
        "a.e30=.c",
        "a.bm90IGpzb24.c",
        "",
    ],
    ids=[
        "delegated",
        "roles no list",
        "opaque",
        "no base64",
        "no ASCII",
        "a list",
        "empty",
        "no JSON",
        "",
    ],
)
def test_a_token_that_does_not_tell(value: str) -> None:
    """Where a token carries no permissions, nothing is refused beforehand."""
    assert granted(value) is None
    check_reads(value, Desired((), ()))
    check_writes(value, [Create(UserKey(ADA), BETA, Wave.USERS)])


@pytest.mark.parametrize("length", range(4))
def test_a_token_of_any_length_is_read(length: int) -> None:
    """base64url comes without its padding."""
    assert granted(token(roles=["A"], pad="x" * length)) == frozenset({"A"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (with_("GroupMember.ReadBasic.All"), True),
        (with_("User.Read.All", "Directory.Read.All"), True),
        (with_(*PLAN_SET), False),
        (with_(), False),
        (token(scp="Directory.Read.All"), False),
    ],
    ids=["least", "more", "too little", "nothing", "delegated"],
)
def test_who_may_ask_per_person(value: str, *, expected: bool) -> None:
    """Only a token that tells so: a plan can do without, and not with a refusal."""
    assert may_ask_member_of(value) is expected


@pytest.mark.parametrize("missing", range(4), ids=PLAN_SET)
def test_every_read_is_checked(missing: int) -> None:
    """A plan made with too little would take nulls for differences."""
    held = [name for name in PLAN_SET if name != PLAN_SET[missing]]
    what = list(READS)[missing]

    with pytest.raises(PermissionMissing, match=f"the application may not {what} ") as caught:
        check_reads(with_(*held), Desired((), ()))
    assert PLAN_SET[missing] in str(caught.value)
    assert "docs/permissions.md" in str(caught.value.hint)
    check_reads(with_(*PLAN_SET), Desired((), ()))


def test_roles_are_read_where_they_are_declared(declared: Callable[..., DeclaredUser]) -> None:
    """Only who declares or manages directory roles has to be able to read them."""
    by_person = Desired((declared("ada@contoso.com", roles=("Reader",)),), ())
    by_file = Desired((), (), TenantFile(roles=(Listed("Reader", by_person.users[0].position),)))

    for desired in (by_person, by_file):
        with pytest.raises(PermissionMissing, match="may not read directory roles"):
            check_reads(with_(*PLAN_SET), desired)
        check_reads(with_(*PLAN_SET, *ROLES), desired)


def test_all_that_is_missing_is_told_at_once() -> None:
    """Consent is asked for once."""
    with pytest.raises(PermissionMissing) as caught:
        check_reads(with_("User.Read.All"), Desired((), ()))
    assert str(caught.value).count("one of") == 3


USER, LICENSE = UserKey(ADA), LicenseKey(ADA, ObjectId("e5"), "SPE_E5")
NEEDS: dict[str, tuple[Change, str, str]] = {
    "create": (Create(USER, BETA, Wave.USERS), "User.ReadWrite.All", "create and change users"),
    "delete": (
        Delete(USER, BETA, Wave.LEAVERS),
        "User.DeleteRestore.All",
        "delete and restore users",
    ),
    "restore": (
        Restore(USER, BETA, Wave.USERS),
        "User.DeleteRestore.All",
        "delete and restore users",
    ),
    "manager": (
        Create(ManagerKey(ADA, None), BETA, Wave.ENTITLEMENTS),
        "User.ReadWrite.All",
        "create and change users",
    ),
    "license": (
        Create(LICENSE, BETA, Wave.ENTITLEMENTS),
        "LicenseAssignment.ReadWrite.All",
        "assign licenses",
    ),
    "membership": (
        Create(MembershipKey(ADA, ObjectId("g"), "Staff"), BETA, Wave.ENTITLEMENTS),
        "GroupMember.ReadWrite.All",
        "change group memberships",
    ),
    "role": (
        Create(RoleAssignmentKey(ADA, ObjectId("r"), "Reader"), BETA, Wave.ROLES),
        "RoleManagement.ReadWrite.Directory",
        "assign directory roles",
    ),
}


@pytest.mark.parametrize(("change", "permission", "what"), NEEDS.values(), ids=NEEDS)
def test_every_write_is_checked(change: Change, permission: str, what: str) -> None:
    """A run that could not finish is refused before it starts."""
    with pytest.raises(PermissionMissing, match=what):
        check_writes(with_(*PLAN_SET, *ROLES), [change])
    check_writes(with_(permission), [change])


def test_sessions_are_revoked_with_a_permission_of_their_own() -> None:
    """Blocking somebody signs them out, which takes a permission as well."""
    change = Update(USER, BETA, Wave.LEAVERS, REVOKE)

    check_writes(with_("User.ReadWrite.All"), [change])
    with pytest.raises(PermissionMissing, match="revoke sign-in sessions"):
        check_writes(with_("User.EnableDisableAccount.All"), [change])


def test_nothing_to_do_needs_nothing() -> None:
    """An empty plan can be applied by anybody."""
    check_writes(with_(), [])
