"""What Graph shows of a change after it was made, and how long a run asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import (
    Change,
    Create,
    Delete,
    FieldChange,
    Key,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.credentials import generate
from reconciler.executor.convergence import PATIENCE
from reconciler.executor.surroundings import Stop
from reconciler.executor.visibility import Broken, NotYet, View, Visible, view
from reconciler.graph.auth import credential
from reconciler.model import (
    Account,
    CohortName,
    LicenseState,
    ObjectId,
    ObservedUser,
    RoleAssignment,
    UserPrincipalName,
)
from reconciler.sandbox.wire import Incoming, Reply

if TYPE_CHECKING:
    from reconciler.model import Desired
    from tests.executor.conftest import Applied, Company, Fault, Making

BETA = CohortName("beta")
MUST_CHANGE = 50055
ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("ada"))
GRACE = Account(UserPrincipalName("Grace@contoso.com"), None)
E5, E3, OFF = ObjectId("e5"), ObjectId("e3"), ObjectId("plan")
STAFF, ROLE = ObjectId("staff"), ObjectId("role")
USER = ObservedUser(
    id=ObjectId("ada"),
    user_principal_name=ADA.user_principal_name,
    fields={"department": "Research", "accountEnabled": True},
    mark="hr/beta",
    manager=Account(UserPrincipalName("grace@contoso.com"), ObjectId("grace")),
    licenses=(LicenseState(E5, None, frozenset({OFF}), "Active"),),
    groups=frozenset({STAFF}),
    roles=(RoleAssignment(ObjectId("assigned"), ROLE, "/"),),
    on_premises_sync_enabled=None,
)
LICENSE = LicenseKey(ADA, E5, "SPE_E5", (OFF,))
JOINED = MembershipKey(ADA, STAFF, "Staff")
GIVEN = replace(JOINED, license_sku_ids=(E3,))
HELD = RoleAssignmentKey(ADA, ROLE, "Reader", "/", ObjectId("assigned"))


def add(key: Key, *fields: FieldChange) -> Create:
    """Make something."""
    return Create(key, BETA, Wave.ENTITLEMENTS, fields)


def take(key: Key) -> Delete:
    """Take something away."""
    return Delete(key, BETA, Wave.REVOKE_ENTITLEMENTS)


def field(path: str, after: str | bool | None) -> FieldChange:  # noqa: FBT001 -- a value
    """Give what a property is to be."""
    return FieldChange(path, None, after)


def through(group: ObjectId | None, state: str, error: str | None = None) -> ObservedUser:
    """Give Ada with another licence, by *group*."""
    return replace(USER, licenses=(LicenseState(E3, group, frozenset(), state, error),))


VIEWS: dict[str, tuple[Change, ObservedUser | None, View]] = {
    "an account": (add(UserKey(ADA), field("mark", "hr/beta")), USER, Visible()),
    "another mark": (add(UserKey(ADA), field("mark", "hr/alpha")), USER, NotYet()),
    "no account yet": (add(UserKey(ADA)), None, NotYet()),
    "a field": (
        Update(UserKey(ADA), BETA, Wave.USERS, (field("department", "Research"),)),
        USER,
        Visible(),
    ),
    "an older field": (
        Update(UserKey(ADA), BETA, Wave.USERS, (field("department", "Sales"),)),
        USER,
        NotYet(),
    ),
    "a list that was cleared": (
        Update(UserKey(ADA), BETA, Wave.USERS, (field("otherMails", None),)),
        replace(USER, fields={"otherMails": ()}),
        Visible(),
    ),
    "a list in another order": (
        Update(UserKey(ADA), BETA, Wave.USERS, (FieldChange("otherMails", None, ("a@x", "b@x")),)),
        replace(USER, fields={"otherMails": ("b@x", "a@x")}),
        Visible(),
    ),
    "sessions cannot be seen": (
        Update(UserKey(ADA), BETA, Wave.LEAVERS, (field("signInSessions", "revoked"),)),
        USER,
        Visible(),
    ),
    "gone": (take(UserKey(ADA)), None, Visible()),
    "still there": (take(UserKey(ADA)), USER, NotYet()),
    "a manager, by whatever case": (add(ManagerKey(ADA, GRACE)), USER, Visible()),
    "another manager": (add(ManagerKey(ADA, ADA)), USER, NotYet()),
    "a manager who stays": (take(ManagerKey(ADA, None)), USER, NotYet()),
    "no manager": (take(ManagerKey(ADA, None)), replace(USER, manager=None), Visible()),
    "no manager yet": (add(ManagerKey(ADA, GRACE)), replace(USER, manager=None), NotYet()),
    "a license": (add(LICENSE), USER, Visible()),
    "a license with other plans": (add(replace(LICENSE, disabled_plan_ids=())), USER, NotYet()),
    "a license in the making": (
        add(LicenseKey(ADA, E3, "SPE_E3")),
        through(None, "PendingInput"),
        NotYet(),
    ),
    "a license in error": (
        add(LicenseKey(ADA, E3, "SPE_E3")),
        through(None, "Error", "CountViolation"),
        Broken("CountViolation", "the license SPE_E3 ended in the state Error"),
    ),
    "a license that only a group gives": (
        add(LicenseKey(ADA, E3, "SPE_E3")),
        through(STAFF, "Active"),
        NotYet(),
    ),
    "a license taken back": (take(LicenseKey(ADA, E3, "SPE_E3")), USER, Visible()),
    "a license not yet taken back": (take(LICENSE), USER, NotYet()),
    "a member": (add(JOINED), USER, Visible()),
    "no member yet": (add(JOINED), replace(USER, groups=frozenset()), NotYet()),
    "no member any more": (take(JOINED), replace(USER, groups=frozenset()), Visible()),
    "still a member": (take(JOINED), USER, NotYet()),
    "a group's license has not come": (add(GIVEN), USER, NotYet()),
    "a group's license": (add(GIVEN), through(STAFF, "Active"), Visible()),
    "a group's license in error": (
        add(GIVEN),
        through(STAFF, "Error"),
        Broken(
            "LicenseError", "the license e3 that the group 'Staff' gives ended in the state Error"
        ),
    ),
    "a role": (add(HELD), USER, Visible()),
    "a role elsewhere": (add(replace(HELD, directory_scope_id="/unit")), USER, NotYet()),
    "a role taken back": (take(replace(HELD, assignment_id=ObjectId("x"))), USER, Visible()),
    "a role not yet taken back": (take(HELD), USER, NotYet()),
}


@pytest.mark.parametrize(("change", "user", "seen"), VIEWS.values(), ids=VIEWS)
def test_what_is_visible(change: Change, user: ObservedUser | None, seen: View) -> None:
    """A change is confirmed when the account shows it, and broken when Graph says so."""
    assert view(change, user) == seen


def everything(make: Making) -> Desired:
    """Declare somebody with one of each."""
    person = make.person(
        "ada",
        licenses=("SPE_E5",),
        groups=("Contractors - Building access",),
        roles=("User Administrator",),
        manager="priya@contoso.com",
    )
    return make.desired(person)


def hidden(times: int) -> Fault:
    """Hide the accounts that a run asks for by id, so often."""
    left = [times]

    def fault(incoming: Incoming) -> Reply | None:
        if incoming.method != "GET" or "id%20in" not in incoming.query or not left[0]:
            return None
        left[0] -= 1
        return Reply(200, {"value": []}, {})

    return fault


def test_everything_is_confirmed(company: Company, make: Making) -> None:
    """A run says of each kind of change that Graph shows it, and has asked once."""
    applied = company.apply(everything(make))

    assert {outcome["confirmed"] for outcome in applied.receipt["outcomes"]} == {True}
    assert {outcome.change.key.kind for outcome in applied.run.outcomes} == {
        "user",
        "manager",
        "license",
        "membership",
        "roleAssignment",
    }
    assert applied.watching.waited == []


def test_what_is_not_visible_is_asked_for_again(company: Company, make: Making) -> None:
    """Longer each time, until it is there."""
    company.faults.append(hidden(3))

    applied = company.apply(everything(make))

    assert {outcome["confirmed"] for outcome in applied.receipt["outcomes"]} == {True}
    assert company.time.slept == [1.0, 2.0, 4.0]
    assert applied.watching.waited == [5, 5, 5]


def test_asking_ends(company: Company, make: Making) -> None:
    """What never shows was applied all the same: the run is no failure, and says what it saw."""
    company.faults.append(hidden(-1))

    applied = company.apply(everything(make))

    assert applied.run.result == "applied"
    assert {outcome["confirmed"] for outcome in applied.receipt["outcomes"]} == {False}
    assert PATIENCE / 2 < sum(company.time.slept) <= PATIENCE


def test_who_may_not_look_has_applied(company: Company, make: Making) -> None:
    """A read that fails after the writes takes nothing from what they did."""
    denied = make.error(403, "Authorization_RequestDenied", "Insufficient privileges")
    company.faults.append(lambda i: denied if "id%20in" in i.query else None)

    applied = company.apply(everything(make))

    assert applied.run.result == "applied"
    assert [e["event"] for e in applied.journal][-2:] == ["not confirmed", "finished"]


def test_a_stop_ends_the_asking(company: Company, make: Making) -> None:
    """Everything is made by then; nothing is asked any more."""
    stop = Stop()
    company.faults.append(hidden(-1))
    company.time.on_sleep = lambda: stop.request("the run was interrupted")

    applied = company.apply(everything(make), stop=stop)

    assert applied.run.result == "interrupted"
    assert applied.told == dict.fromkeys(applied.told, "applied")
    assert len(company.time.slept) == 1


def test_two_runs_at_once_make_one_tenant(company: Company, make: Making) -> None:
    """Both plan the same joiners; each account is made once, and its password is in one file."""
    names = [f"p{n}" for n in range(30)]
    people = [
        make.person(n, licenses=("SPE_E5",), groups=("Contractors - Building access",))
        for n in names
    ]
    desired = make.desired(*people)
    other = replace(company, out=company.out.with_name("other"))

    async def both() -> list[Applied]:
        runs = [
            each._apply(desired, generate, Stop(), lambda: None, credential)  # noqa: SLF001 -- two in one loop
            for each in (company, other)
        ]
        return list(await asyncio.gather(*runs))

    first, second = asyncio.run(both())

    assert (first.run.result, second.run.result) == ("applied", "applied")
    assert len(first.plan.changes) == len(second.plan.changes) == 90
    assert company.apply(desired).plan.changes == ()
    sealed = [make.unsealed(file) for each in (company, other) for file in each.out.glob("*.age")]
    passwords = [pair for file in sealed for pair in file.items()]
    assert sorted(upn for upn, _ in passwords) == sorted(f"{n}@contoso.com" for n in names)
    assert {company.sign_in(*pair) for pair in passwords} == {MUST_CHANGE}
