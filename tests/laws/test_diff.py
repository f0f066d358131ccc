from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from reconciler.changes import Create, UserKey, Wave
from reconciler.diff import diff
from reconciler.model import Removal
from reconciler.plan import build
from reconciler.seats import count_seats, seats_taken

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model import LicenseState, Observed, ObservedUser, RoleAssignment
    from tests.laws.conftest import World

UNMANAGED = {"id-FLOW_FREE", "id-Book club", "id-Guest"}


@given(data=st.data())
def test_applied_plan_leaves_nothing_to_do(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """Once the changes are made, nothing differs: a rerun is empty."""
    world = data.draw(any_world)

    assert world.after.changes == ()


@given(data=st.data())
def test_new_tenant_becomes_what_is_declared(
    data: st.DataObject, any_world: st.SearchStrategy[World], empty_tenant: Observed
) -> None:
    """Where there was nothing, there is what is declared afterwards, and nothing else."""
    world = replace(data.draw(any_world), observed=empty_tenant)
    made = {user.user_principal_name: user for user in world.after.observed.users}
    joiners = [person for person in world.desired.users if not person.adopt]

    assert made.keys() == {person.user_principal_name for person in joiners}
    for person in joiners:
        account = made[person.user_principal_name]
        declared = {
            n: v for n, v in person.fields.items() if n != "manager" and v not in {None, ()}
        }
        names = {f"id-{g.group}" for g in person.groups}
        assert account.mark == f"us/{person.cohort}"
        assert {n: account.fields[n] for n in declared} == declared
        assert account.groups == names
        assert {role.role_definition_id for role in account.roles} == {
            f"id-{role.role}" for role in person.roles
        }
        assert {state.sku_id for state in account.licenses} >= {
            f"id-{license_.sku}" for license_ in person.licenses
        }


@given(data=st.data())
def test_accounts_of_others_are_never_touched(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """No change is about an account that is neither ours nor to be adopted."""
    world = data.draw(any_world)
    adopted = {person.user_principal_name for person in world.desired.users if person.adopt}
    others = {
        user.id
        for user in (*world.observed.users, *world.observed.deleted_users)
        if not (user.mark or "").startswith("us/")
        and not (user.mark is None and user.user_principal_name in adopted)
    }

    assert others.isdisjoint(change.key.account.id for change in world.changes)


@given(data=st.data())
def test_people_out_of_scope_are_never_touched(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """Who is neither declared nor of a cohort in scope stays as before, and so under `keep`."""
    world = data.draw(any_world)
    scope, removal = world.desired.scope, world.desired.tenant_file.removal
    declared = {person.user_principal_name for person in world.desired.users}
    after = {user.id: user for user in world.after.observed.users}

    for user in world.observed.users:
        cohort = (user.mark or "").partition("/")[2]
        in_scope = scope is None or cohort in scope
        if user.user_principal_name not in declared and (removal is Removal.KEEP or not in_scope):
            assert after[user.id] == user


@given(data=st.data())
def test_undeclared_stays(data: st.DataObject, any_world: st.SearchStrategy[World]) -> None:
    """Undeclared properties and unmanaged entitlements of declared people stay as they are."""
    world = data.draw(any_world)
    after = {user.id: user for user in world.after.observed.users}
    declared = {person.user_principal_name: person for person in world.desired.users}

    for user in world.observed.users:
        if user.user_principal_name in declared:
            fields = declared[user.user_principal_name].fields
            now = after[user.id]
            assert _undeclared(now, fields.keys()) == _undeclared(user, fields.keys())
            assert _unmanaged(now) == _unmanaged(user)
            assert "manager" in fields or now.manager == user.manager


def _undeclared(user: ObservedUser, declared: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in user.fields.items() if name not in declared}


def _unmanaged(user: ObservedUser) -> tuple[set[LicenseState], set[str], set[RoleAssignment]]:
    licenses = {s for s in user.licenses if s.sku_id in UNMANAGED and not s.assigned_by_group}
    roles = {
        r for r in user.roles if r.role_definition_id in UNMANAGED or r.directory_scope_id != "/"
    }
    return licenses, {group for group in user.groups if group in UNMANAGED}, roles


@given(data=st.data())
def test_adopted_people_lose_nothing(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """As long as an entry says `adopt: true`, every entitlement of its account stays."""
    world = data.draw(any_world)
    adopted = {person.user_principal_name for person in world.desired.users if person.adopt}
    lost = [
        change
        for change in world.changes
        if change.symbol == "-"
        and change.key.kind != "manager"
        and change.key.account.user_principal_name in adopted
    ]

    assert lost == []


@given(data=st.data())
def test_order(data: st.DataObject, any_world: st.SearchStrategy[World]) -> None:
    """Roles go first; an account is there before what it gets, and left bare before it goes."""
    changes = data.draw(any_world).changes
    made = {c.key.account: i for i, c in enumerate(changes) if isinstance(c.key, UserKey)}

    assert [c.wave for c in changes] == sorted(c.wave for c in changes)
    for index, change in enumerate(changes):
        account = made.get(change.key.account, index)
        if change.wave in {Wave.ENTITLEMENTS, Wave.ROLES}:
            assert account <= index
        elif changes[account].wave is Wave.LEAVERS:
            assert index <= account
        assert (change.wave is Wave.REVOKE_ROLES) == (
            change.symbol == "-" and change.key.kind == "roleAssignment"
        )


@given(data=st.data())
def test_one_change_for_one_thing(data: st.DataObject, any_world: st.SearchStrategy[World]) -> None:
    """Nothing is changed twice in one plan: an address and an action name one change."""
    addresses = [change.key.address for change in data.draw(any_world).changes]

    assert len(addresses) == len(set(addresses))


@given(data=st.data())
def test_every_new_account_is_marked(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """An account is ours from the moment in which it exists."""
    world = data.draw(any_world)

    for change in diff(world.desired, world.observed):
        if isinstance(change, Create) and isinstance(change.key, UserKey):
            assert ("mark", f"us/{change.cohort}") in [(f.path, f.after) for f in change.fields]


@given(data=st.data())
def test_seats(data: st.DataObject, any_world: st.SearchStrategy[World]) -> None:
    """The seats that a plan counts are those that people occupy after it and not before."""
    world = data.draw(any_world)
    before, after = _occupied(world.observed), _occupied(world.after.observed)
    counted = {
        seats.sku_id: (seats.assigned, seats.freed)
        for seats in count_seats(world.observed, world.changes)
    }
    taken = seats_taken(world.observed, world.changes)
    skus = {sku for sku, _ in before ^ after}

    assert counted == {
        sku: (
            sum(seat[0] == sku for seat in after - before),
            sum(seat[0] == sku for seat in before - after),
        )
        for sku in skus
    }
    assert sorted(seat.sku_id for seat in taken) == sorted(sku for sku, _ in after - before)


def _occupied(observed: Observed) -> set[tuple[str, str]]:
    """Give who occupies a seat of what."""
    return {
        (state.sku_id, user.id)
        for user in observed.users
        for state in user.licenses
        if state.assigned_by_group is None or state.state.startswith("Active")
    }


@given(data=st.data())
def test_nobody_reports_to_the_deleted(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """A plan is refused for exactly those people whose declared manager it deletes."""
    world = data.draw(any_world)
    there = {user.user_principal_name: user.id for user in world.observed.users}
    gone = there.keys() - {user.user_principal_name for user in world.after.observed.users}
    deleted = {*gone, *(there[name] for name in gone)}
    reporting = {
        person.user_principal_name
        for person in world.desired.users
        if person.fields.get("manager") in deleted
    }
    told = [
        refusal.summary
        for refusal in build(world.desired, world.observed).refusals
        if refusal.summary.endswith("is deleted by this plan")
    ]

    assert len(told) == len(reporting)
    assert all(any(f"of '{name}'" in summary for summary in told) for name in reporting)
