from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import LicenseKey
from reconciler.diagnostics import Position
from reconciler.model import DeclaredLicense, TenantFile

if TYPE_CHECKING:
    from reconciler.model import DeclaredUser
    from tests.core.conftest import Given


@pytest.mark.parametrize("sku", ["SPE_E5", "spe_e5", "id-SPE_E5"], ids=["name", "case", "id"])
def test_assigned(given: Given, sku: str) -> None:
    """A licence that is declared and not held is assigned, at the line that asks for it."""
    desired = given.desired(given.person(licenses=[sku]))
    (change,) = given.changes(desired, given.observed(given.account()))

    assert change.key == LicenseKey(given.anybody("ada"), given.sku("SPE_E5").id, "SPE_E5")
    assert (change.verb, change.position) == ("create", Position("cohorts/beta.yaml", 4))
    assert given.told(desired, given.observed(given.account(licenses=["SPE_E5"]))) == []


def test_named_twice(given: Given) -> None:
    """A licence that is named by name and by id is assigned once."""
    desired = given.desired(given.person(licenses=["SPE_E5", "id-SPE_E5"]))

    assert given.told(desired, given.observed(given.account())) == ["5 + license/ada/SPE_E5"]


def test_managed_is_exact_and_unmanaged_left_alone(given: Given) -> None:
    """A managed licence that is not declared goes; one that is not managed stays."""
    observed = given.observed(given.account(licenses=["SPE_E5", "FLOW_FREE"]))

    assert given.told(given.desired(given.person()), observed) == ["2 - license/ada/SPE_E5"]


def test_swap(given: Given) -> None:
    """Who gets one licence and loses another swaps them in one wave."""
    desired = given.desired(given.person(licenses=["SPE_E5"]))

    assert given.told(desired, given.observed(given.account(licenses=["SPE_E3"]))) == [
        "5 - license/ada/SPE_E3",
        "5 + license/ada/SPE_E5",
    ]


def test_inherited_is_not_assigned_twice(given: Given) -> None:
    """A licence that a group gives is not assigned directly as well."""
    desired = given.desired(given.person(licenses=["SPE_E5"], groups=["Licensed"]))
    held = given.held("SPE_E5", through="Licensed")

    joiner = given.changes(desired, given.observed())

    assert [c.key.address for c in joiner] == [
        "user/ada@contoso.com",
        "membership/ada@contoso.com/id-Licensed",
    ]
    assert (
        given.told(desired, given.observed(given.account(licenses=[held], groups=["Licensed"])))
        == []
    )


def test_inherited_through_an_unmanaged_group(given: Given) -> None:
    """Any group that gives the licence counts, declared or not."""
    desired = given.desired(given.person(licenses=["SPE_E5"]))
    held = given.held("SPE_E5", through="Book club", state="ActiveWithError")
    observed = given.observed(given.account(licenses=[held], groups=["Book club"]))

    assert given.told(desired, observed) == []


def test_inherited_in_error_does_not_count(given: Given) -> None:
    """A licence that a group should give and cannot is assigned directly."""
    desired = given.desired(given.person(licenses=["SPE_E5"]))
    held = given.held("SPE_E5", through="Book club", state="Error")
    observed = given.observed(given.account(licenses=[held], groups=["Book club"]))

    assert given.told(desired, observed) == ["5 + license/ada/SPE_E5"]


@pytest.mark.parametrize("adopt", [False, True], ids=["owned", "adopted"])
def test_licence_of_a_group_that_is_left(given: Given, *, adopt: bool) -> None:
    """A licence that goes with a group left in this plan is assigned directly in its place."""
    desired = given.desired(given.person(licenses=["SPE_E5"], adopt=adopt))
    held = given.held("SPE_E5", through="Licensed")
    observed = given.observed(given.account(licenses=[held], groups=["Licensed"]))
    replaced = ["2 - membership/ada/id-Licensed", "5 + license/ada/SPE_E5"]

    assert given.told(desired, observed) == ([] if adopt else replaced)


def test_inherited_licence_is_not_taken_back(given: Given) -> None:
    """Only direct assignments are compared: what a group gives is not ours to remove."""
    held = given.held("SPE_E5", through="Book club")
    observed = given.observed(given.account(licenses=[held], groups=["Book club"]))

    assert given.told(given.desired(given.person()), observed) == []


def test_held_both_ways(given: Given) -> None:
    """A direct licence that a group gives as well is kept, and compared."""
    desired = given.desired(given.person(licenses=[given.license("SPE_E5", "TEAMS")]))
    held = given.held("SPE_E5", through="Book club")
    observed = given.observed(given.account(licenses=["SPE_E5", held], groups=["Book club"]))

    assert given.told(desired, observed) == ["5 ~ license/ada/SPE_E5 disabledPlans=→TEAMS"]


@pytest.mark.parametrize(
    ("declared", "held", "told"),
    [
        (None, None, ["5 + license/ada/SPE_E5"]),
        ((), None, ["5 + license/ada/SPE_E5"]),
        (("YAMMER",), None, ["5 + license/ada/SPE_E5 disabledPlans=None→YAMMER"]),
        (("yammer", "id-SWAY"), None, ["5 + license/ada/SPE_E5 disabledPlans=None→SWAY,YAMMER"]),
        (("YAMMER",), ("YAMMER",), []),
        (("YAMMER",), ("YAMMER", "SWAY"), []),
        (("YAMMER",), ("SWAY",), ["5 ~ license/ada/SPE_E5 disabledPlans=SWAY→SWAY,YAMMER"]),
        (("YAMMER",), ("NEW",), ["5 ~ license/ada/SPE_E5 disabledPlans=id-NEW→YAMMER,id-NEW"]),
        (("YAMMER",), (), ["5 ~ license/ada/SPE_E5 disabledPlans=→YAMMER"]),
        (None, ("SWAY",), []),
        ((), ("SWAY",), ["5 ~ license/ada/SPE_E5 disabledPlans=SWAY→"]),
        ((), (), []),
        (("NO_SUCH_PLAN",), (), []),
    ],
    ids=[
        "new, file does not say",
        "new, all on",
        "new, one off",
        "new, by case and id",
        "equal",
        "more are off",
        "merged",
        "unknown one is off",
        "one to switch off",
        "file does not say",
        "all on again",
        "all on already",
        "name stands for nothing",
    ],
)
def test_disabled_plans(
    given: Given,
    declared: tuple[str, ...] | None,
    held: tuple[str, ...] | None,
    told: list[str],
) -> None:
    """Declared plans are off, others stay as they are, and an empty list puts all of them on."""
    license_ = DeclaredLicense("SPE_E5", declared, Position("cohorts/beta.yaml", 4))
    desired = given.desired(given.person(licenses=[license_]))
    states = [] if held is None else [given.held("SPE_E5", *held)]

    assert given.told(desired, given.observed(given.account(licenses=states))) == told


def test_disabled_plan_ids(given: Given) -> None:
    """The change carries the ids of all plans that are off once it is made."""
    desired = given.desired(given.person(licenses=[given.license("SPE_E5", "YAMMER")]))
    observed = given.observed(given.account(licenses=[given.held("SPE_E5", "SWAY")]))
    (change,) = given.changes(desired, observed)

    assert isinstance(change.key, LicenseKey)
    assert change.key.disabled_plan_ids == ("id-SWAY", "id-YAMMER")


@pytest.mark.parametrize(
    "unresolved",
    [
        {"licenses": ["NO_SUCH_SKU"]},
        {"groups": ["No such group"]},
        {"roles": ["No such role"]},
        {"fields": {"manager": "nobody@contoso.com"}},
    ],
    ids=["license", "group", "role", "manager"],
)
def test_names_that_stand_for_nothing_change_nothing(
    given: Given, unresolved: dict[str, list[str]]
) -> None:
    """The comparison passes over what cannot be resolved: the guards refuse it."""
    person: DeclaredUser = given.person(**unresolved)  # type: ignore[arg-type]  # one of several

    assert (
        given.told(
            given.desired(person, file=TenantFile("us")),
            given.observed(given.account(manager=given.anybody("priya"))),
        )
        == []
    )


def test_restored_account_loses_what_is_undeclared(given: Given) -> None:
    """What a restored account held and is not declared goes once the account is back."""
    deleted = given.account(licenses=["SPE_E5"])
    observed = replace(given.observed(), deleted_users=(deleted,))

    assert given.told(given.desired(given.person()), observed) == [
        "4 < user/ada",
        "5 - license/ada/SPE_E5",
    ]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Active", []),
        ("ActiveWithError", []),
        ("Error", ["5 + license/ada/SPE_E5"]),
        ("Disabled", ["5 + license/ada/SPE_E5"]),
        (None, []),
    ],
    ids=str,
)
def test_what_a_declared_group_gives(given: Given, state: str | None, told: list[str]) -> None:
    """A declared group that could not give its licence gives none; one yet to do so will."""
    desired = given.desired(given.person(licenses=["SPE_E5"], groups=["Licensed"]))
    states = [given.held("SPE_E5", through="Licensed", state=state)] if state else []
    observed = given.observed(given.account(licenses=states, groups=["Licensed"]))

    assert given.told(desired, observed) == told


def test_joined_group_promises(given: Given) -> None:
    """A licence that comes with a group joined in this plan is not assigned directly."""
    desired = given.desired(given.person(licenses=["SPE_E5"], groups=["Licensed"]))

    assert given.told(desired, given.observed(given.account())) == [
        "5 + membership/ada/id-Licensed"
    ]


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (["Licensed"], ["2 - membership/ada/id-Lab", "5 + membership/ada/id-Licensed"]),
        (["Licensed", "Lab"], ["5 + license/ada/SPE_E5", "5 + membership/ada/id-Licensed"]),
    ],
    ids=["failing group left", "failing group kept"],
)
def test_promise_beside_a_failure(given: Given, groups: list[str], told: list[str]) -> None:
    """Where one group fails to give a licence, another is not trusted to, unless that one goes."""
    lab = replace(given.group("Lab"), sku_ids=frozenset({given.sku("SPE_E5").id}))
    failed = given.held("SPE_E5", through="Lab", state="Error")
    observed = given.with_group(
        given.observed(given.account(licenses=[failed], groups=["Lab"])), lab
    )

    assert (
        given.told(given.desired(given.person(licenses=["SPE_E5"], groups=groups)), observed)
        == told
    )


def test_one_group_fails_and_another_gives(given: Given) -> None:
    """A licence that any group does give is not assigned directly."""
    desired = given.desired(given.person(licenses=["SPE_E5"], groups=["Licensed"]))
    states = [
        given.held("SPE_E5", through="Licensed", state="Error"),
        given.held("SPE_E5", through="Book club"),
    ]
    observed = given.observed(given.account(licenses=states, groups=["Licensed", "Book club"]))

    assert given.told(desired, observed) == []
