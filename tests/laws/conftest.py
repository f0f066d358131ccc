"""Any small world, and what a plan would make of it.

Few people, few things and few values, so that everything meets everything soon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import strategies as st

from reconciler.changes import (
    Change,
    Create,
    Delete,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.diagnostics import Position
from reconciler.diff import diff
from reconciler.fields import FIELDS_BY_NAME
from reconciler.model import (
    Account,
    Cohort,
    CohortName,
    DeclaredGroup,
    DeclaredLicense,
    DeclaredRole,
    DeclaredUser,
    Desired,
    Domain,
    Group,
    LicenseState,
    Listed,
    ObjectId,
    Observed,
    ObservedUser,
    Removal,
    RoleAssignment,
    RoleDefinition,
    ServicePlan,
    Sku,
    Tenant,
    TenantFile,
    UserPrincipalName,
)
from reconciler.plan import in_order_of_execution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model import FieldValue

Drawn = TypeVar("Drawn")

PLANS = tuple(ServicePlan(ObjectId(f"id-{name}"), name) for name in ("TEAMS", "SWAY", "YAMMER"))
SKUS = tuple(
    Sku(ObjectId(f"id-{name}"), name, "Enabled", "User", enabled, 0, 0, PLANS)
    for name, enabled in (("SPE_E5", 3), ("SPE_E3", 9), ("FLOW_FREE", 9))
)
GROUPS = tuple(
    Group(
        ObjectId(f"id-{name}"),
        name,
        group_types=(),
        mail_enabled=False,
        on_premises_sync_enabled=False,
        is_assignable_to_role=False,
        sku_ids=frozenset(skus),
    )
    for name, skus in (
        ("Staff", ()),
        ("Licensed", (SKUS[0].id,)),
        ("Book club", (SKUS[1].id,)),
    )
)
ROLES = tuple(RoleDefinition(ObjectId(f"id-{r}"), r) for r in ("Reader", "Pilot", "Guest"))
NAMES = tuple(UserPrincipalName(f"{name}@contoso.com") for name in ("ada", "bob", "eve", "joe"))
BOSS = Account(UserPrincipalName("boss@contoso.com"), ObjectId("id-boss"))
COHORTS = tuple(
    Cohort(CohortName(name), None, None, ("age1x",), Position(f"{name}.yaml"))
    for name in ("beta", "gamma")
)
VALUES: dict[str, st.SearchStrategy[FieldValue]] = {
    "accountEnabled": st.booleans(),
    "city": st.sampled_from(["Bath", "Ghent", None]),
    "department": st.sampled_from(["Research", None]),
    "otherMails": st.sampled_from([(), ("a@x", "b@x"), ("b@x", "a@x"), ("a@x",)]),
    "usageLocation": st.sampled_from(["GB", "FR"]),
}
OFF = st.frozensets(st.sampled_from([plan.id for plan in PLANS]))


def some(things: Iterable[Drawn]) -> st.SearchStrategy[list[Drawn]]:
    """Draw some of *things*, each once."""
    return st.lists(st.sampled_from(list(things)), unique=True)


@st.composite
def licenses(draw: st.DrawFn) -> tuple[DeclaredLicense, ...]:
    """Declare some of the managed licences, with plans off or not mentioned."""
    plans = st.none() | some(plan.name for plan in PLANS).map(tuple)
    skus = draw(some(sku.part_number for sku in SKUS[:2]))
    return tuple(DeclaredLicense(sku, draw(plans), Position("beta.yaml", 4)) for sku in skus)


@st.composite
def people(draw: st.DrawFn, number: int) -> DeclaredUser:
    """Declare the person of this number."""
    managers = [*NAMES, BOSS.user_principal_name, "id-boss", "id-bob", "nobody@contoso.com", None]
    fields: dict[str, FieldValue] = draw(
        st.fixed_dictionaries({}, optional={**VALUES, "manager": st.sampled_from(managers)})
    )
    position = Position("beta.yaml", 10 + number)
    return DeclaredUser(
        user_principal_name=NAMES[number],
        cohort=draw(st.sampled_from(COHORTS)).name,
        fields=fields,
        display_name="Somebody",
        licenses=draw(licenses()),
        groups=tuple(
            DeclaredGroup(name, position)
            for name in draw(some(group.display_name for group in GROUPS[:2]))
        ),
        roles=tuple(
            DeclaredRole(name, "needs it", None, position)
            for name in draw(some(role.display_name for role in ROLES[:2]))
        ),
        adopt=draw(st.booleans()),
        position=position,
        positions={},
    )


@st.composite
def accounts(draw: st.DrawFn, name: UserPrincipalName, *, deleted: bool = False) -> ObservedUser:
    """Observe an account, whosever it is; in the recycle bin much cannot be seen."""
    groups = draw(some(GROUPS)) if not deleted else []
    states = [
        LicenseState(sku, None, draw(OFF), "Active") for sku in draw(some(s.id for s in SKUS))
    ]
    for group in groups:
        state = draw(st.sampled_from(["Active", "ActiveWithError", "Error"]))
        states += [LicenseState(sku, group.id, frozenset(), state) for sku in group.sku_ids]
    scopes = st.sampled_from(["/", "/administrativeUnits/x"])
    roles = draw(some(ROLES)) if not deleted else []
    managers: list[Account | None] = [None, BOSS, Account(NAMES[1], ObjectId("id-bob"))]
    return ObservedUser(
        id=ObjectId(f"id-{name.partition('@')[0]}" + ("-deleted" if deleted else "")),
        user_principal_name=name,
        fields=dict.fromkeys(FIELDS_BY_NAME) | draw(st.fixed_dictionaries(VALUES)),
        mark=draw(st.sampled_from(["us/beta", "us/beta", "us/gamma", "them/x", None])),
        manager=draw(st.sampled_from(managers)),
        licenses=tuple(states),
        groups=frozenset(group.id for group in groups),
        roles=tuple(
            RoleAssignment(ObjectId(f"of-{role.id}"), role.id, draw(scopes)) for role in roles
        ),
        on_premises_sync_enabled=None,
    )


def tenant_file(removal: Removal) -> TenantFile:
    """Manage the first two of everything."""

    def listed(*names: str) -> tuple[Listed, ...]:
        return tuple(Listed(name, Position("tenant.yaml", 7)) for name in names)

    return TenantFile(
        source="us",
        tenant="contoso.com",
        licenses=listed(*(sku.part_number for sku in SKUS[:2])),
        groups=listed(*(group.display_name for group in GROUPS[:2])),
        roles=listed(*(role.display_name for role in ROLES[:2])),
        removal=removal,
        position=Position("tenant.yaml"),
    )


def tenant(users: Iterable[ObservedUser] = (), deleted: Iterable[ObservedUser] = ()) -> Observed:
    """Observe a tenant with these accounts."""
    contoso = Tenant(ObjectId("t"), "Contoso", (Domain("contoso.com", is_verified=True),))
    return Observed(contoso, SKUS, GROUPS, (), ROLES, tuple(users), tuple(deleted), (BOSS,))


@dataclass(frozen=True)
class World:
    """What is declared, and what there is."""

    desired: Desired
    observed: Observed

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs, in order."""
        return in_order_of_execution(diff(self.desired, self.observed))

    @property
    def after(self) -> World:
        """The world in which the changes are made."""
        return replace(self, observed=applied(self.observed, self.changes))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw people who are declared, accounts that there are, and some that there were."""
    declared = [draw(people(number)) for number in draw(some(range(len(NAMES))))]
    users = [draw(accounts(name)) for name in draw(some(NAMES))]
    taken = {user.user_principal_name for user in users}
    binned = [name for name in draw(some(NAMES)) if name not in taken]
    deleted = [draw(accounts(name, deleted=True)) for name in binned]
    scopes = st.none() | st.frozensets(st.sampled_from([cohort.name for cohort in COHORTS]))
    file = tenant_file(draw(st.sampled_from(Removal)))
    desired = Desired(tuple(declared), COHORTS, file, draw(scopes))
    return World(desired, tenant(users, deleted))


# --- What a plan would make of it -----------------------------------------------------


def applied(observed: Observed, changes: Iterable[Change]) -> Observed:
    """Give the tenant as it is once *changes* are made: Graph, without its moods."""
    users = {user.user_principal_name: user for user in observed.users}
    deleted = {user.user_principal_name: user for user in observed.deleted_users}
    known = {account.user_principal_name: account for account in observed.people}
    for change in changes:
        name = change.key.account.user_principal_name
        match change:
            case Create(key=UserKey()):
                users[name] = _changed(_nobody(name), change)
            case Restore():
                users[name] = _changed(deleted.pop(name), change)
            case Delete(key=UserKey()):
                deleted[name] = _changed(users.pop(name), change)
            case _ if isinstance(change.key, ManagerKey) and change.key.manager:
                manager = change.key.manager
                called = manager.user_principal_name
                found = users[called].account if called in users else known.get(called, manager)
                users[name] = replace(users[name], manager=found)
            case _:
                users[name] = _changed(users[name], change)
    return replace(observed, users=tuple(users.values()), deleted_users=tuple(deleted.values()))


def _nobody(name: UserPrincipalName) -> ObservedUser:
    return ObservedUser(
        id=ObjectId(f"new-{name}"),
        user_principal_name=name,
        fields=dict.fromkeys(FIELDS_BY_NAME),
        mark=None,
        manager=None,
        licenses=(),
        groups=frozenset(),
        roles=(),
        on_premises_sync_enabled=None,
    )


def _changed(user: ObservedUser, change: Change) -> ObservedUser:
    match change.key:
        case UserKey():
            after = {field.path: field.after for field in change.fields}
            mark = after.get("mark", user.mark)
            fields = {name: after.get(name, value) for name, value in user.fields.items()}
            return replace(user, fields=fields, mark=mark if isinstance(mark, str) else None)
        case ManagerKey():
            return replace(user, manager=None)
        case LicenseKey(sku_id=sku, disabled_plan_ids=off):
            rest = tuple(s for s in user.licenses if (s.sku_id, s.assigned_by_group) != (sku, None))
            mine = LicenseState(sku, None, frozenset(off), "Active")
            return replace(user, licenses=rest if isinstance(change, Delete) else (*rest, mine))
        case MembershipKey(group_id=group):
            return _moved(user, group, joins=isinstance(change, Create))
        case RoleAssignmentKey(role_definition_id=role, directory_scope_id=scope) as key:
            others = tuple(held for held in user.roles if held.id != key.assignment_id)
            made = RoleAssignment(ObjectId(f"new-{role}"), role, scope)
            return replace(user, roles=others if isinstance(change, Delete) else (*others, made))


def _moved(user: ObservedUser, group_id: ObjectId, *, joins: bool) -> ObservedUser:
    rest = tuple(state for state in user.licenses if state.assigned_by_group != group_id)
    if not joins:
        return replace(user, licenses=rest, groups=user.groups - {group_id})
    (skus,) = (group.sku_ids for group in GROUPS if group.id == group_id)
    given = tuple(LicenseState(sku, group_id, frozenset(), "Active") for sku in sorted(skus))
    return replace(user, licenses=(*rest, *given), groups=user.groups | {group_id})


def sample() -> World:
    """Give a world with many changes at once, for those who cannot draw one."""
    person = DeclaredUser(
        user_principal_name=NAMES[0],
        cohort=COHORTS[0].name,
        fields={"city": "Bath", "usageLocation": "GB", "manager": NAMES[1]},
        display_name="Somebody",
        licenses=tuple(
            DeclaredLicense(sku.part_number, ("SWAY", "TEAMS"), Position("beta.yaml", 4))
            for sku in SKUS
        ),
        groups=tuple(DeclaredGroup(g.display_name, Position("beta.yaml", 5)) for g in GROUPS),
        roles=tuple(
            DeclaredRole(r.display_name, "y", None, Position("beta.yaml", 6)) for r in ROLES
        ),
        adopt=False,
        position=Position("beta.yaml", 10),
        positions={},
    )
    second = replace(person, user_principal_name=NAMES[1], fields={}, adopt=True)
    leaver = replace(
        _nobody(NAMES[2]),
        mark="us/beta",
        fields={"accountEnabled": True},
        licenses=tuple(LicenseState(sku.id, None, frozenset(), "Active") for sku in SKUS),
        groups=frozenset(group.id for group in GROUPS),
        roles=tuple(RoleAssignment(ObjectId(f"of-{r.id}"), r.id, "/") for r in ROLES),
    )
    adopted = replace(leaver, id=ObjectId("bob"), user_principal_name=NAMES[1], mark=None)
    desired = Desired((person, second), COHORTS, tenant_file(Removal.DELETE))
    return World(desired, tenant([leaver, adopted]))


@pytest.fixture(scope="session")
def any_world() -> st.SearchStrategy[World]:
    """Give the strategy that draws worlds."""
    return worlds()


@pytest.fixture(scope="session")
def empty_tenant() -> Observed:
    """Give a tenant without accounts of ours."""
    return tenant()
