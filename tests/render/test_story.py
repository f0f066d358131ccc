from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import (
    Create,
    FieldChange,
    LicenseKey,
    MembershipKey,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName
from reconciler.render import comment
from reconciler.render.as_markdown import LIMIT
from reconciler.render.story import story

if TYPE_CHECKING:
    from reconciler.changes import Change
    from reconciler.plan import Plan


def _somebody(number: int) -> Account:
    return Account(UserPrincipalName(f"p{number}@contoso.com"))


def _joins(number: int, cohort: str) -> Change:
    return Create(UserKey(_somebody(number)), CohortName(cohort), Wave.USERS)


def _gets(number: int, sku: str) -> Change:
    key = LicenseKey(_somebody(number), ObjectId(sku), sku)
    return Create(key, CohortName("a"), Wave.ENTITLEMENTS)


def _enters(number: int, group: str) -> Change:
    key = MembershipKey(_somebody(number), ObjectId(group), group)
    return Create(key, CohortName("a"), Wave.ENTITLEMENTS)


def _rises(number: int, group: str) -> Change:
    key = MembershipKey(_somebody(number), ObjectId(group), group, is_assignable_to_role=True)
    return Create(key, CohortName("a"), Wave.ENTITLEMENTS)


def _shrinks(number: int, sku: str, *plans: str) -> Change:
    key = LicenseKey(_somebody(number), ObjectId(sku), sku)
    fields = (FieldChange("disabledPlans", ("SWAY",), plans),)
    return Update(key, CohortName("a"), Wave.ENTITLEMENTS, fields)


def _becomes(number: int, role: str) -> Change:
    key = RoleAssignmentKey(_somebody(number), ObjectId(role), role)
    return Create(key, CohortName("a"), Wave.ROLES)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((), ""),
        ((_joins(1, "beta"),), "1 person joins beta."),
        (
            (_joins(1, "beta"), _joins(2, "beta"), _joins(3, "alpha")),
            "3 people join beta (2) and alpha (1).",
        ),
        (
            tuple(_joins(n, f"c{n}") for n in range(7)),
            "7 people join c0 (1), c1 (1), c2 (1), c3 (1), c4 (1) and 2 more cohorts.",
        ),
        (
            (_enters(1, "Lab"), _gets(1, "E5"), _gets(2, "E5"), _becomes(1, "Reader")),
            "In all: 1 becomes Reader; 2 get E5; 1 enters Lab.",
        ),
        (
            (_enters(1, "Lab"), _rises(1, "Tier 1"), _rises(2, "Tier 1"), _gets(1, "E5")),
            "In all: 2 enter the role-assignable Tier 1; 1 gets E5; 1 enters Lab.",
        ),
        (
            (_shrinks(1, "E5", "SWAY", "YAMMER"), _shrinks(2, "E3"), _shrinks(3, "E5", "TEAMS")),
            "In all: 2 lose service plans of E5.",
        ),
        (
            tuple(_enters(1, f"G{n}") for n in range(7)),
            (
                "In all: 1 enters G0; 1 enters G1; 1 enters G2; 1 enters G3; 1 enters G4; "
                "2 more enter 2 others."
            ),
        ),
    ],
    ids=[
        "nobody",
        "one",
        "two cohorts",
        "many cohorts",
        "power first",
        "groups with power",
        "smaller licenses",
        "many groups",
    ],
)
def test_a_story(plans: dict[str, Plan], changes: tuple[Change, ...], told: str) -> None:
    """A plan is told in people and by name, and in bounds however much it is."""
    plan = replace(plans["nothing"], changes=changes)

    assert story(plan, lambda name: name) == told


@pytest.mark.parametrize("number", [1, 40_000])
def test_a_comment_is_never_too_long(plans: dict[str, Plan], number: int) -> None:
    """However much must be seen, GitHub takes it, and what is left out is counted."""
    plan = plans["leavers"]
    removed = [change for change in plan.changes if change.key.kind == "license"]
    many = tuple(replace(removed[0], position=None) for _ in range(number))
    shown = comment(replace(plan, changes=many))

    assert len(shown) <= LIMIT
    rows = shown.count("| license `SPE_E5` |")
    assert ("Left out here" in shown) == (number > 1)
    assert rows == number or f"Left out here: {number - rows:,} of {number:,} removals" in shown
