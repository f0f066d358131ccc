from __future__ import annotations

import pytest

from reconciler.changes import (
    Adopt,
    Change,
    Create,
    Delete,
    FieldChange,
    Key,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Reason,
    Restore,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.effects import (
    is_privileged,
    makes_privileged,
    plans_taken,
    takes_away,
    takes_over,
)
from reconciler.model import Account, CohortName, FieldValue, ObjectId, UserPrincipalName

ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("1"))
USER = UserKey(ADA)
E5 = LicenseKey(ADA, ObjectId("sku"), "SPE_E5")
STAFF = MembershipKey(ADA, ObjectId("g"), "Staff")
TIER = MembershipKey(ADA, ObjectId("t"), "Tier 1", is_assignable_to_role=True)
ROLE = RoleAssignmentKey(ADA, ObjectId("r"), "Reports Reader")
MANAGER = ManagerKey(ADA, None)
GONE = Reason.USER_NOT_DECLARED


def change(
    of: type[Change], key: Key, *fields: tuple[str, FieldValue, FieldValue], gone: bool = False
) -> Change:
    """Give a change of one kind."""
    told = tuple(FieldChange(*field) for field in fields)
    reason = GONE if gone else Reason.DECLARED
    return of(key, CohortName("beta"), Wave.USERS, told, reason)


def plans(
    of: type[Change], before: FieldValue, after: FieldValue, key: Key = E5, *, gone: bool = False
) -> Change:
    """Give a change of the service plans that are off."""
    return change(of, key, ("disabledPlans", before, after), gone=gone)


@pytest.mark.parametrize(
    ("key", "power"),
    [(USER, False), (MANAGER, False), (E5, False), (STAFF, False), (TIER, True), (ROLE, True)],
)
def test_what_makes_privileged(key: Key, *, power: bool) -> None:
    """Roles, and groups that can hold some, give power; to lose them gives none."""
    assert makes_privileged(key) is power
    assert is_privileged(change(Create, key)) is power
    assert is_privileged(change(Update, key)) is power
    assert not is_privileged(change(Delete, key))
    assert not is_privileged(change(Update, key, gone=True))


@pytest.mark.parametrize(
    ("one", "taken"),
    [
        (plans(Update, (), ("SWAY",)), ("SWAY",)),
        (plans(Update, None, ("SWAY",)), ("SWAY",)),
        (plans(Update, ("SWAY",), ("SWAY", "TEAMS", "YAMMER")), ("TEAMS", "YAMMER")),
        (plans(Update, ("SWAY",), ("TEAMS",)), ("TEAMS",)),
        (plans(Update, ("SWAY", "TEAMS"), ("SWAY",)), ()),
        (plans(Update, ("SWAY",), ()), ()),
        (plans(Update, ("SWAY",), None), ()),
        (plans(Create, None, ("SWAY",)), ()),
        (plans(Delete, (), ("SWAY",)), ()),
        (plans(Update, (), ("SWAY",), USER), ()),
        (change(Update, E5, ("otherPlans", (), ("SWAY",))), ()),
        (change(Update, E5), ()),
    ],
)
def test_plans_taken(one: Change, taken: tuple[str, ...]) -> None:
    """Plans that were on and are off afterwards are taken, if the license was held before."""
    assert plans_taken(one) == taken


@pytest.mark.parametrize(
    ("one", "takes"),
    [
        (plans(Update, (), ("SWAY",)), True),
        (plans(Update, ("SWAY",), ()), False),
        (plans(Update, ("SWAY",), (), gone=True), True),
        (plans(Create, None, ("SWAY",)), False),
        (change(Delete, E5), True),
        (change(Delete, MANAGER), False),
        (change(Update, USER, ("accountEnabled", True, False)), True),
        (change(Create, USER, ("accountEnabled", None, False)), False),
        (change(Update, USER, ("jobTitle", "Clerk", None)), False),
    ],
)
def test_takes_away(one: Change, *, takes: bool) -> None:
    """Whatever a removal is takes something away, and so does a smaller license."""
    assert takes_away(one) is takes


@pytest.mark.parametrize(
    ("one", "over"),
    [
        (change(Adopt, USER), True),
        (change(Restore, USER), True),
        (change(Update, USER, ("mark", "us/alpha", "us/beta")), True),
        (change(Update, USER, ("jobTitle", "Clerk", "Chief")), False),
        (change(Create, USER, ("mark", None, "us/beta")), False),
    ],
)
def test_takes_over(one: Change, *, over: bool) -> None:
    """Accounts that become ours, come back or move are taken over; new ones are not."""
    assert takes_over(one) is over
