from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.changes import (
    Adopt,
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
from reconciler.graph.operations import Maker, Operation, operations, user_properties
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.requests import Requests
    from tests.graph.conftest import Wire

    Shown = Callable[[RequestInformation], Wire]
    Sent = Callable[..., list[tuple[str, str, Any]]]

ROOT = "https://graph.example/v1.0"
SLOT = "extensionAttribute15"
BETA = CohortName("beta")


def account(name: str, *, new: bool = False) -> Account:
    """Give an account; a new one has no id yet."""
    return Account(
        UserPrincipalName(f"{name}@contoso.com"), None if new else ObjectId(f"{name}-id")
    )


ADA, GRACE = account("ada"), account("grace")
NEW = account("new", new=True)


def member(person: Account, group: str = "staff") -> MembershipKey:
    """Give a membership."""
    return MembershipKey(person, ObjectId(f"{group}-id"), group)


def sku(person: Account, name: str, *plans: str) -> LicenseKey:
    """Give a licence."""
    return LicenseKey(person, ObjectId(f"{name}-id"), name, tuple(ObjectId(p) for p in plans))


def create(key: Any, *fields: FieldChange) -> Create:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a creation."""
    return Create(key, BETA, Wave.ENTITLEMENTS, fields)


def delete(key: Any, *fields: FieldChange) -> Delete:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a deletion."""
    return Delete(key, BETA, Wave.ENTITLEMENTS, fields)


def grouped(*changes: Change) -> list[tuple[str, int]]:
    """Give lane and size of each operation."""
    return [(operation.lane, len(operation.changes)) for operation in operations(changes)]


def test_licences_of_one_account_go_together() -> None:
    """A swap is one request, and accounts do not mix."""
    ada, grace = "user/ada@contoso.com", "user/grace@contoso.com"

    assert grouped(
        create(sku(ADA, "SPE_E5")),
        delete(sku(ADA, "SPE_E3")),
        create(sku(GRACE, "SPE_E5")),
    ) == [(ada, 2), (grace, 1)]


def test_new_members_go_twenty_at_a_time() -> None:
    """Graph takes up to twenty in one bind; removals go alone."""
    people = [account(f"p{n}") for n in range(41)]

    found = grouped(
        *(create(member(person)) for person in people),
        create(member(ADA, "door")),
        delete(member(GRACE)),
    )

    assert found == [
        ("group/staff-id", 1),
        ("group/staff-id", 20),
        ("group/staff-id", 20),
        ("group/staff-id", 1),
        ("group/door-id", 1),
    ]


def test_other_changes_go_alone_in_their_accounts_lane() -> None:
    """What is written to one account is never in flight twice."""
    lane = "user/ada@contoso.com"

    assert (
        grouped(
            Update(UserKey(ADA), BETA, Wave.USERS),
            create(ManagerKey(ADA, GRACE)),
            create(RoleAssignmentKey(ADA, ObjectId("role-id"), "Reader")),
        )
        == [(lane, 1)] * 3
    )


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans()), max_size=80)
)
def test_no_change_is_lost_or_repeated(drawn: list[tuple[str, str, bool]]) -> None:
    """Whatever the changes, each is in exactly one operation."""
    changes = [
        (create if joins else delete)(member(account(person), group))
        for person, group, joins in drawn
    ]

    found = [change for operation in operations(changes) for change in operation.changes]

    assert sorted(map(id, found)) == sorted(map(id, changes))


def test_split_takes_away_first() -> None:
    """Apart, what is given up comes before what is taken, in the same lane."""
    added, removed = create(sku(ADA, "SPE_E5")), delete(sku(ADA, "SPE_E3"))

    parts = Operation((added, removed), "lane").split()

    assert parts == (Operation((removed,), "lane"), Operation((added,), "lane"))


@pytest.fixture
def sent(requests: Requests, wire: Shown) -> Callable[..., list[tuple[str, str, Any]]]:
    """Give method, URL and body of everything that an operation sends."""
    maker = Maker(requests, ROOT, SLOT, lambda found: found.id or ObjectId("made-id"))

    def shown(*changes: Change, password: str | None = None) -> list[tuple[str, str, Any]]:
        infos = maker.requests_for(Operation(changes, "lane"), password)
        found = [wire(info) for info in infos]
        return [(w.method, w.url, orjson.loads(w.body) if w.body else None) for w in found]

    return shown


TITLE = FieldChange("jobTitle", "Lead", None)
MARK = FieldChange("mark", None, "contoso-identity/beta")
BLOCK = FieldChange("accountEnabled", before=True, after=False)
REVOKE = FieldChange("signInSessions", "valid", "revoked")
STAMPED = {"onPremisesExtensionAttributes": {SLOT: "contoso-identity/beta"}}


def test_create_user(sent: Sent) -> None:
    """Account, mark and password are one request: there is no account without a mark."""
    change = create(UserKey(NEW), FieldChange("displayName", None, "New"), MARK)

    assert sent(change, password="Pw") == [  # noqa: S106 -- made up
        (
            "POST",
            "/users",
            {
                "displayName": "New",
                **STAMPED,
                "passwordProfile": {"password": "Pw", "forceChangePasswordNextSignIn": True},
            },
        )
    ]


def test_adopt_user(sent: Sent) -> None:
    """An adopted account gets the mark and what differs, and keeps its password."""
    change = Adopt(UserKey(ADA), BETA, Wave.USERS, (TITLE, MARK))

    assert sent(change) == [("PATCH", "/users/ada-id", {"jobTitle": None, **STAMPED})]


def test_block_user(sent: Sent) -> None:
    """Sessions end before the block: a run that dies in between does both again."""
    change = Update(UserKey(ADA), BETA, Wave.LEAVERS, (BLOCK, REVOKE))

    assert sent(change) == [
        ("POST", "/users/ada-id/revokeSignInSessions", {}),
        ("PATCH", "/users/ada-id", {"accountEnabled": False}),
    ]


def test_delete_user(sent: Sent) -> None:
    """A leaver is signed out and blocked before the account goes."""
    assert sent(delete(UserKey(ADA), BLOCK, REVOKE)) == [
        ("POST", "/users/ada-id/revokeSignInSessions", {}),
        ("PATCH", "/users/ada-id", {"accountEnabled": False}),
        ("DELETE", "/users/ada-id", None),
    ]


def test_delete_a_blocked_user(sent: Sent) -> None:
    """What is blocked already just goes."""
    assert sent(delete(UserKey(ADA))) == [("DELETE", "/users/ada-id", None)]


def test_restore_user(sent: Sent) -> None:
    """An account comes back first, and is changed then, if anything differs."""
    back = Restore(UserKey(ADA), BETA, Wave.USERS)
    changed = Restore(UserKey(ADA), BETA, Wave.USERS, (TITLE,))
    restore: tuple[str, str, Any] = ("POST", "/directory/deletedItems/ada-id/restore", {})

    assert sent(back) == [restore]
    assert sent(changed) == [restore, ("PATCH", "/users/ada-id", {"jobTitle": None})]


def test_licences(sent: Sent) -> None:
    """Additions, changed plans and removals of one account are one request."""
    changes = (
        create(sku(NEW, "SPE_E5", "yammer")),
        Update(sku(NEW, "PBI"), BETA, Wave.ENTITLEMENTS),
        delete(sku(NEW, "SPE_E3")),
    )

    assert sent(*changes) == [
        (
            "POST",
            "/users/made-id/assignLicense",
            {
                "addLicenses": [
                    {"skuId": "SPE_E5-id", "disabledPlans": ["yammer"]},
                    {"skuId": "PBI-id", "disabledPlans": []},
                ],
                "removeLicenses": ["SPE_E3-id"],
            },
        )
    ]


def test_memberships(sent: Sent) -> None:
    """One member is added by reference, several by a bind, and one removed by reference."""
    objects = f"{ROOT}/directoryObjects"

    assert sent(create(member(NEW))) == [
        ("POST", "/groups/staff-id/members/$ref", {"@odata.id": f"{objects}/made-id"})
    ]
    assert sent(create(member(NEW)), create(member(ADA))) == [
        (
            "PATCH",
            "/groups/staff-id",
            {"members@odata.bind": [f"{objects}/made-id", f"{objects}/ada-id"]},
        )
    ]
    assert sent(delete(member(ADA))) == [("DELETE", "/groups/staff-id/members/ada-id/$ref", None)]


def test_managers(sent: Sent) -> None:
    """A manager is set and changed by the same request, and cleared by another."""
    put = ("PUT", "/users/ada-id/manager/$ref", {"@odata.id": f"{ROOT}/users/made-id"})

    assert sent(create(ManagerKey(ADA, NEW))) == [put]
    assert sent(Update(ManagerKey(ADA, NEW), BETA, Wave.ENTITLEMENTS)) == [put]
    assert sent(delete(ManagerKey(ADA, None))) == [("DELETE", "/users/ada-id/manager/$ref", None)]


def test_roles(sent: Sent) -> None:
    """A role is assigned by what it is, and revoked by the assignment's own id."""
    role = ObjectId("role-id")
    path = "/roleManagement/directory/roleAssignments"

    assert sent(create(RoleAssignmentKey(NEW, role, "Reader"))) == [
        (
            "POST",
            path,
            {
                "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
                "roleDefinitionId": "role-id",
                "principalId": "made-id",
                "directoryScopeId": "/",
            },
        )
    ]
    held = RoleAssignmentKey(ADA, role, "Reader", "/", ObjectId("assignment-id"))
    assert sent(delete(held)) == [("DELETE", f"{path}/assignment-id", None)]


@pytest.mark.parametrize(
    ("ownership", "body"),
    [
        (SLOT, STAMPED),
        ("extension_b1_owner", {"extension_b1_owner": "contoso-identity/beta"}),
    ],
)
def test_the_mark_goes_where_the_tenant_file_says(ownership: str, body: dict[str, Any]) -> None:
    """An extensionAttribute lives in an object; lists stay lists, and null stays null."""
    fields = (
        FieldChange("businessPhones", (), ("1",)),
        FieldChange("otherMails", ("a@b",), ()),
        TITLE,
        REVOKE,
        MARK,
    )

    assert user_properties(fields, ownership) == {
        "businessPhones": ["1"],
        "otherMails": [],
        "jobTitle": None,
        **body,
    }
