from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.model import (
    Removal,
    RemovalLimit,
)

if TYPE_CHECKING:
    from reconciler.model import FieldValue
    from tests.core.conftest import Given

GB: dict[str, FieldValue] = {"usageLocation": "GB"}


def test_removals_over_the_limit(given: Given) -> None:
    """Taking away more than the limit is refused kind by kind; the flag lifts it exactly."""
    names = [f"p{i}" for i in range(10)]
    accounts = [given.account(name, groups=["Staff"], roles=["Reader"]) for name in names]
    staying = [given.person(name, groups=["Staff"], roles=["Reader"]) for name in names[3:]]
    desired = given.desired(*staying, file=replace(given.file, removal=Removal.DELETE))
    observed = given.observed(*accounts, given.account("other", mark="them/x"))
    told = [
        f"cohorts/tenant.yaml:1:1: error: plan removes 3 of 10 {noun}s (30 %, limit 25 %)\n"
        "  hint: review every removal, then allow all of the plan's with --allow-removals=9, or in "
        "a pull request with a higher `guards.removals`"
        for noun in ("managed membership", "managed role assignment", "owned account")
    ]

    assert given.refusals(desired, observed) == told
    assert given.refusals(desired, observed, allowed=8) == told
    assert given.refusals(desired, observed, allowed=9) == []


def test_blocked_people_count(given: Given) -> None:
    """Blocking the sign-in of people who stay is refused beyond the limit as deleting them is."""
    names = [f"p{i}" for i in range(10)]
    blocked = [given.person(name, fields={"accountEnabled": False}) for name in names[:3]]
    desired = given.desired(*blocked, *map(given.person, names[3:]))
    observed = given.observed(*map(given.account, names))

    assert given.refusals(desired, observed) == [
        (
            "cohorts/tenant.yaml:1:1: error: plan removes 3 of 10 owned accounts (30 %, limit "
            "25 %)\n"
            "  hint: review every removal, then allow all of the plan's with --allow-removals=3, "
            "or in a pull request with a higher `guards.removals`"
        )
    ]
    assert given.refusals(desired, observed, allowed=3) == []


def test_service_plans_that_are_taken_count(given: Given) -> None:
    """Switching services off in the licenses of many is as much of a removal as taking them."""
    names = [f"p{i}" for i in range(10)]
    observed = given.observed(*(given.account(name, licenses=["SPE_E5"]) for name in names))
    reduced = given.license("SPE_E5", "TEAMS")
    less = [given.person(name, licenses=[reduced], fields=GB) for name in names[:3]]
    same = [given.person(name, licenses=["SPE_E5"], fields=GB) for name in names[3:]]

    (told,) = given.refusals(given.desired(*less, *same), observed)

    assert "plan removes 3 of 10 managed licenses (30 %, limit 25 %)" in told
    assert given.refusals(given.desired(*less, *same), observed, allowed=3) == []


@pytest.mark.parametrize(
    ("limit", "refused"),
    [
        (RemovalLimit(percent=50, minimum=4), False),
        (RemovalLimit(percent=49, minimum=4), True),
        (RemovalLimit(percent=49, minimum=5), False),
        (RemovalLimit(percent=0, minimum=0), True),
        (RemovalLimit(percent=100, minimum=0), False),
    ],
    ids=["at the limit", "over it", "few", "none allowed", "all allowed"],
)
def test_removal_limit(given: Given, limit: RemovalLimit, *, refused: bool) -> None:
    """The limit is a share of a population that is large enough to have shares."""
    names = ["ada", "bob", "eve", "joe"]
    observed = given.observed(*(given.account(name, licenses=["SPE_E5"]) for name in names))
    staying = [given.person(name, licenses=["SPE_E5"]) for name in names[:2]]
    losing = [given.person(name) for name in names[2:]]
    desired = given.desired(*staying, *losing, file=replace(given.file, removals=limit))
    told = (
        "cohorts/tenant.yaml:1:1: error: plan removes 2 of 4 managed licenses "
        f"(50 %, limit {limit.percent} %)\n"
        "  hint: review every removal, then allow all of the plan's with --allow-removals=2, or in "
        "a pull request with a higher `guards.removals`"
    )

    assert given.refusals(desired, observed) == ([told] if refused else [])
