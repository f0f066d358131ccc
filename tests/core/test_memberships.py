from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import MembershipKey, RoleAssignmentKey, is_removal
from reconciler.diagnostics import Position
from reconciler.model import DeclaredRole, ObjectId, Removal, RoleAssignment
from reconciler.plan import build

if TYPE_CHECKING:
    from tests.core.conftest import Given


@pytest.mark.parametrize("group", ["Staff", "STAFF", "id-Staff"], ids=["name", "case", "id"])
def test_joined(given: Given, group: str) -> None:
    """A declared group is joined by its name or id, at the line that asks for it."""
    desired = given.desired(given.person(groups=[group]))
    (change,) = given.changes(desired, given.observed(given.account()))

    assert change.key == MembershipKey(given.anybody("ada"), given.group("Staff").id, "Staff")
    assert (change.verb, change.position) == ("create", Position("cohorts/beta.yaml", 5))
    assert given.told(desired, given.observed(given.account(groups=["Staff"]))) == []


def test_joined_once(given: Given) -> None:
    """A group that is named by name and by id is joined once."""
    desired = given.desired(given.person(groups=["Staff", "id-Staff"]))

    assert given.told(desired, given.observed(given.account())) == ["5 + membership/ada/id-Staff"]


def test_managed_group_is_left(given: Given) -> None:
    """A managed group that is not declared is left, one that is not managed kept."""
    observed = given.observed(given.account(groups=["Staff", "Lab", "Book club"]))

    assert given.told(given.desired(given.person(groups=["Lab"])), observed) == [
        "2 - membership/ada/id-Staff"
    ]


def test_role_with_its_reasons(given: Given) -> None:
    """A declared role is assigned over the directory, with justification and ticket."""
    role = DeclaredRole("reader", "Audits us", "CHG1", Position("cohorts/beta.yaml", 6))
    desired = given.desired(given.person(roles=[role, "User Administrator"]))
    observed = given.observed(given.account())

    assert given.told(desired, observed) == [
        "6 + roleAssignment/ada/id-Reader/ justification=None→Audits us ticket=None→CHG1",
        "6 + roleAssignment/ada/id-User Administrator/ justification=None→Runs the help desk",
    ]
    assert [c.position for c in given.changes(desired, observed)] == [role.position] * 2
    assert (
        given.told(desired, given.observed(given.account(roles=["Reader", "User Administrator"])))
        == []
    )


def test_managed_role_is_revoked(given: Given) -> None:
    """A managed role that is not declared is revoked by the id of its assignment."""
    observed = given.observed(given.account(roles=["Reader", "Guest Inviter"]))
    (change,) = given.changes(given.desired(given.person()), observed)

    assert given.told(given.desired(given.person()), observed) == [
        "1 - roleAssignment/ada/id-Reader/"
    ]
    assert isinstance(change.key, RoleAssignmentKey)
    assert change.key.assignment_id == "of-Reader"


def test_role_over_a_part_of_the_directory_is_not_ours(given: Given) -> None:
    """An assignment at another scope is neither taken away nor taken for the declared one."""
    unit = RoleAssignment(ObjectId("a-1"), ObjectId("id-Reader"), "/administrativeUnits/u1")
    observed = given.observed(given.account(roles=[unit]))

    assert given.told(given.desired(given.person()), observed) == []
    assert given.told(given.desired(given.person(roles=["Reader"])), observed) == [
        "6 + roleAssignment/ada/id-Reader/ justification=None→Runs the help desk"
    ]


@pytest.mark.parametrize(
    ("declared", "held", "told"),
    [
        ("priya@contoso.com", None, ["5 + manager/ada manager=None→priya"]),
        ("PRIYA@contoso.com", "bob", ["5 ~ manager/ada manager=bob→priya"]),
        ("id-priya", "bob", ["5 ~ manager/ada manager=bob→priya"]),
        (None, "bob", ["5 - manager/ada manager=bob→None"]),
        ("priya@contoso.com", "priya", []),
        ("ID-PRIYA", "priya", []),
        (None, None, []),
    ],
    ids=["new", "other", "by id", "cleared", "same", "same by id", "none already"],
)
def test_manager(given: Given, declared: str | None, held: str | None, told: list[str]) -> None:
    """A declared manager is exact, by name or id, and null clears the reference."""
    desired = given.desired(given.person(fields={"manager": declared}))
    account = given.account(manager=given.anybody(held) if held else None)
    observed = replace(given.observed(account), people=(given.anybody("priya"),))

    assert given.told(desired, observed) == told


def test_manager_is_unmanaged_where_absent(given: Given) -> None:
    """A manager that no file mentions stays."""
    observed = given.observed(given.account(manager=given.anybody("bob")))

    assert given.told(given.desired(given.person()), observed) == []


def test_manager_created_in_the_same_run(given: Given) -> None:
    """A new person reports to one who is created by the same plan, a wave earlier."""
    ada = given.person(fields={"manager": "GRACE@contoso.com"})
    changes = given.changes(given.desired(ada, given.person("grace")), given.observed())

    assert [(c.wave, c.key.address, c.key.account.id) for c in changes] == [
        (4, "user/ada@contoso.com", None),
        (4, "user/grace@contoso.com", None),
        (5, "manager/ada@contoso.com", None),
    ]
    assert changes[2].key.name == "grace@contoso.com"
    assert changes[2].position == ada.positions["manager"]


def test_manager_is_not_a_deleted_namesake(given: Given) -> None:
    """A manager who is created anew is not mistaken for the deleted account of the name."""
    ada = given.person(fields={"manager": "grace@contoso.com"})
    desired = given.desired(ada, given.person("grace"))
    observed = replace(
        given.observed(given.account()), deleted_users=(given.account("grace", mark=None),)
    )
    (change,) = (c for c in given.changes(desired, observed) if c.key.kind == "manager")

    assert getattr(change.key, "manager", None) == replace(given.anybody("grace"), id=None)


def test_names_of_keys(given: Given) -> None:
    """Every change can be named beside its account, and a cleared manager too."""
    person = given.person(
        "bob",
        licenses=["SPE_E5"],
        groups=["Staff"],
        roles=["Reader"],
        fields={"manager": None, "city": "Paris"},
    )
    account = given.account("bob", manager=given.anybody("ada"))

    assert [c.key.name for c in given.changes(given.desired(person), given.observed(account))] == [
        "bob@contoso.com",
        "SPE_E5",
        "no manager",
        "Staff",
        "Reader",
    ]


def test_clearing_a_manager_is_no_removal(given: Given) -> None:
    """To report to nobody takes nothing away: it counts towards no limit."""
    desired = given.desired(given.person(fields={"manager": None}))
    observed = given.observed(given.account(manager=given.anybody("bob"), groups=["Staff"]))

    assert [(c.verb, c.key.kind, is_removal(c)) for c in given.changes(desired, observed)] == [
        ("delete", "membership", True),
        ("delete", "manager", False),
    ]


@pytest.mark.parametrize("joins", [True, False], ids=["joined", "left"])
@pytest.mark.parametrize("leaver", [False, True], ids=["person", "leaver"])
def test_role_assignable_group(given: Given, *, joins: bool, leaver: bool) -> None:
    """A change of membership says whether the group makes its members privileged."""
    groups = ["Staff", "Lab"]
    people = [] if leaver else [given.person(groups=groups if joins else [])]
    desired = given.desired(*people, file=replace(given.file, removal=Removal.DISABLE))
    account = given.account(groups=[] if joins else groups, fields={"accountEnabled": not leaver})
    staff = replace(given.group("Staff"), is_assignable_to_role=True)
    observed = given.with_group(given.observed(account), staff)
    keys = [c.key for c in given.changes(desired, observed) if isinstance(c.key, MembershipKey)]

    assert {key.group_display_name: key.is_assignable_to_role for key in keys} == (
        {} if joins and leaver else {"Staff": True, "Lab": False}
    )


def test_role_assignable_group_is_the_same_change(given: Given) -> None:
    """What permission a membership takes is no part of its address, nor of the digest."""
    desired = given.desired(given.person(groups=["Staff"]))
    observed = given.observed(given.account())
    staff = replace(given.group("Staff"), is_assignable_to_role=True)
    plans = build(desired, observed), build(desired, given.with_group(observed, staff))
    (plain,), (assignable,) = (plan.changes for plan in plans)

    assert plain.key != assignable.key
    assert plain.key.address == assignable.key.address
    assert plans[0].digest == plans[1].digest
