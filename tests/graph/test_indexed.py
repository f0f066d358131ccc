"""Cohorts that are too large to ask for everybody: what an index says that is behind."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from reconciler.changes import Create, Restore
from reconciler.commands.planning import planned
from reconciler.diagnostics import Position
from reconciler.graph.connection import connect
from reconciler.graph.observe import AT_ONCE, observe
from reconciler.graph.requests import Requests
from reconciler.model import CohortName, Desired, Listed, ObjectId, TenantFile
from reconciler.sandbox.company.contoso import EXTENSIONS, stable_id
from reconciler.sandbox.trouble.lag import Lag
from reconciler.sandbox.trouble.settings import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import httpx
    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.transport import Answer, Graph
    from reconciler.model import DeclaredUser, Observed
    from reconciler.plan import Plan
    from reconciler.sandbox.company.generating import Crowd
    from tests.graph.conftest import Fake, Tenant

    Declared = Callable[..., DeclaredUser]
    Named = Callable[[str, int], list[str]]
    Lagging = Callable[..., AbstractContextManager[Tenant]]

HERE = Position("cohorts/tenant.yaml", 1, 1)
SLOT = "extensionAttribute15"
NUMBER = AT_ONCE + 10
ADA, BOB = (f"many{n}@contoso.com" for n in (1, 2))
TEAM = "Team"


def mark(ownership: str, value: str) -> dict[str, Any]:
    """Give the properties that hold a mark."""
    if ownership.startswith("extensionAttribute"):
        return {"onPremisesExtensionAttributes": {ownership: value}}
    return {ownership: value}


@pytest.fixture
def lagging(
    peopled: Callable[..., AbstractContextManager[Tenant]],
    crowd: Callable[..., Crowd],
    names: Named,
) -> Lagging:
    """Run a tenant whose index never catches up, with a crowd that is ours and in a team."""

    @contextmanager
    def runs(ownership: str = SLOT) -> Iterator[Tenant]:
        ours = crowd("many", NUMBER, department="Lab", **mark(ownership, "many/all"))
        trouble = Trouble(lag=Lag(index=1e9))
        with peopled(ours, groups={TEAM: names("many", NUMBER)}, trouble=trouble) as tenant:
            yield tenant

    return runs


def sent(tenant: Tenant, *make: Callable[[Requests, str], RequestInformation]) -> list[Any]:
    """Change the tenant behind its index's back; gives the bodies of what it answered."""

    async def send() -> list[Answer]:
        async with connect("global", tenant.endpoints.environment) as graph:
            requests = Requests(graph.client)
            return await graph.batch([info(requests, graph.root) for info in make])

    replies: list[Any] = asyncio.run(send())
    assert [reply.error for reply in replies] == [None] * len(make)
    return [reply.body for reply in replies]


def id_of(name: str) -> ObjectId:
    """Give the id of somebody who was there from the start."""
    return ObjectId(stable_id(f"user {name}"))


def a_file(ownership: str = SLOT, source: str = "many") -> TenantFile:
    """Give a tenant file that manages the team."""
    return TenantFile(
        source=source,
        tenant="contoso.onmicrosoft.com",
        position=HERE,
        ownership=ownership,
        groups=(Listed(TEAM, HERE),),
    )


@pytest.fixture
def everybody(declared: Declared, names: Named) -> Callable[..., Desired]:
    """Declare the whole crowd, some of them otherwise."""

    def made(
        otherwise: Mapping[str, DeclaredUser] | None = None,
        tenant_file: TenantFile | None = None,
        **more: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
    ) -> Desired:
        users = {
            name: declared(name, groups=(TEAM,), cohort="all", department="Lab")
            for name in names("many", NUMBER)
        }
        everybody_ = {**users, **(otherwise or {})}.values()
        return Desired(tuple(everybody_), (), tenant_file or a_file(), **more)

    return made


def planning(tenant: Tenant, desired: Desired) -> tuple[Plan, list[str]]:
    """Plan, and give the filters by which accounts were asked for."""
    before = len(tenant.exchanges)

    async def ask() -> Plan:
        async with connect("global", tenant.endpoints.environment) as graph:
            return await planned(graph, desired, 0)

    plan = asyncio.run(ask())
    paths = [unquote(e.path) for e in tenant.exchanges[before:] if not e.is_batch]
    return plan, [path for path in paths if path.startswith("/v1.0/users?")]


def done(plan: Plan) -> list[tuple[str, str, str]]:
    """Give what a plan does, to what, of whom."""
    return [(c.verb, c.key.kind, c.key.account.user_principal_name) for c in plan.changes]


@pytest.mark.parametrize("ownership", [SLOT, EXTENSIONS[1]])
@pytest.mark.parametrize("scope", [None, frozenset({CohortName("all")})], ids=["all", "named"])
def test_a_converged_crowd_is_not_asked_for(
    ownership: str,
    scope: frozenset[CohortName] | None,
    lagging: Lagging,
    everybody: Callable[..., Desired],
) -> None:
    """Where nothing differs, one page of the index is all that is read of accounts."""
    with lagging(ownership) as tenant:
        plan, asked = planning(tenant, everybody(tenant_file=a_file(ownership), scope=scope))

    assert (done(plan), len(asked)) == ([], 1)
    assert ("startsWith" if scope is None else "in ('many/all')") in asked[0]


def test_what_the_index_is_behind_with_is_read_directly(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared
) -> None:
    """A difference that only the index shows is none, and no other account is asked for."""
    ada = declared(ADA, groups=(TEAM,), cohort="all", department="Works")
    with lagging() as tenant:
        sent(tenant, lambda r, _: r.update_user(id_of(ADA), {"department": "Works"}))
        plan, asked = planning(tenant, everybody({ADA: ada}))

    assert done(plan) == []
    assert [id_of(ADA) in path for path in asked] == [False, True]


def test_a_difference_that_is_one_is_planned(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared
) -> None:
    """What a direct read says as well is changed, with the memberships that were read before."""
    ada = declared(ADA, cohort="all", department="Works")
    with lagging() as tenant:
        plan, _ = planning(tenant, everybody({ADA: ada}))

    assert done(plan) == [("delete", "membership", ADA), ("update", "user", ADA)]


def test_who_has_gone_comes_back_from_the_recycle_bin(
    lagging: Lagging, everybody: Callable[..., Desired]
) -> None:
    """The index still shows somebody deleted: they are restored, not put into groups."""
    with lagging() as tenant:
        sent(tenant, lambda r, _: r.delete_user(id_of(ADA)))
        plan, _ = planning(tenant, everybody())

    (change, *others) = plan.changes
    assert isinstance(change, Restore)
    assert {c.key.account.user_principal_name for c in (change, *others)} == {ADA}


def test_a_namesake_of_who_has_gone_is_not_taken_for_them(
    lagging: Lagging, everybody: Callable[..., Desired]
) -> None:
    """A new account with the name of a deleted one is the one that is changed."""
    body = {
        "accountEnabled": True,
        "displayName": "Ada",
        "mailNickname": "ada",
        "userPrincipalName": ADA,
        "department": "Lab",
        "passwordProfile": {"password": "Correct-Horse-9"},
        **mark(SLOT, "many/all"),
    }
    with lagging() as tenant:
        *_, made = sent(
            tenant,
            lambda r, _: r.delete_user(id_of(ADA)),
            lambda r, _: r.create_user(body),
        )
        plan, _ = planning(tenant, everybody())

    assert [(c.key.kind, c.key.account.id) for c in plan.changes] == [("membership", made["id"])]


def test_who_is_not_in_the_index_yet_is_found(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared
) -> None:
    """Who was made a moment ago is not made again."""
    body = {
        "accountEnabled": True,
        "displayName": "New",
        "mailNickname": "new",
        "userPrincipalName": "new@contoso.com",
        "passwordProfile": {"password": "Correct-Horse-9"},
        **mark(SLOT, "many/all"),
    }
    new = declared("new@contoso.com", cohort="all")
    with lagging() as tenant:
        sent(tenant, lambda r, _: r.create_user(body))
        plan, asked = planning(tenant, everybody({"new": new}))

    assert (done(plan), len(asked)) == ([], 2)


def test_a_name_that_somebody_else_has_now_is_theirs(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared
) -> None:
    """Accounts change their names: the new one is looked up, and contradicts the index."""
    new = declared("new@contoso.com", cohort="all", groups=(TEAM,), department="Lab")
    with lagging() as tenant:
        rename = {"userPrincipalName": "new@contoso.com"}
        sent(tenant, lambda r, _: r.update_user(id_of(ADA), rename))
        plan, _ = planning(tenant, everybody({"new": new}))

    assert [(type(c), c.key.name) for c in plan.changes if c.key.kind == "user"] == [(Create, ADA)]
    assert {c.key.account.user_principal_name for c in plan.changes} == {ADA}


def test_a_manager_is_read_directly(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared
) -> None:
    """The index tells of no manager: whoever has one declared, or none, is asked for."""
    ada = declared(ADA, groups=(TEAM,), cohort="all", manager=BOB)
    bob = declared(BOB, groups=(TEAM,), cohort="all", manager=None)
    with lagging() as tenant:
        sent(
            tenant,
            lambda r, root: r.set_manager(id_of(ADA), id_of(BOB), root),
        )
        plan, asked = planning(tenant, everybody({ADA: ada, BOB: bob}))

    assert done(plan) == [("delete", "manager", BOB)]
    assert [f"'{ADA}','{BOB}'" in path for path in asked] == [False, True]


def test_a_manager_whom_only_the_index_knows_is_looked_up(
    lagging: Lagging, everybody: Callable[..., Desired], declared: Declared, names: Named
) -> None:
    """Nobody is made to report to an account that has gone since."""
    ada = declared(ADA, groups=(TEAM,), cohort="all", manager=names("many", 3)[-1])
    boss = declared(names("many", 3)[-1], cohort="all")
    desired = everybody({ADA: ada, boss.user_principal_name: boss})
    with lagging() as tenant:
        sent(
            tenant,
            lambda r, _: r.remove_member(
                ObjectId(stable_id(f"group {TEAM}")), id_of(boss.user_principal_name)
            ),
            lambda r, _: r.delete_user(id_of(boss.user_principal_name)),
        )
        plan, _ = planning(tenant, desired)

    assert done(plan)[0] == ("restore", "user", boss.user_principal_name)


def test_leavers_of_a_crowd_are_read_by_id(
    lagging: Lagging, everybody: Callable[..., Desired], names: Named
) -> None:
    """Who is marked and not declared is read directly; who has gone is no leaver."""
    *_, gone, leaver = names("many", NUMBER)
    staying = everybody()
    users = tuple(u for u in staying.users if u.user_principal_name not in {gone, leaver})
    with lagging() as tenant:
        sent(tenant, lambda r, _: r.delete_user(id_of(gone)))
        plan, asked = planning(tenant, Desired(users, (), a_file()))

    assert done(plan) == []
    assert [leaver in note.summary for note in plan.notes] == [True]
    assert [id_of(leaver) in path and id_of(gone) in path for path in asked] == [False, True]


def test_without_a_tenant_file_nobody_is_a_leaver(
    lagging: Lagging, everybody: Callable[..., Desired]
) -> None:
    """A crowd is still looked up by its marks, and nobody beyond it is read."""
    users = everybody().users[:-5]
    desired = Desired(users, (), TenantFile(source="many"))
    with lagging() as tenant:
        plan, asked = planning(tenant, desired)

    assert (done(plan), len(asked)) == ([], 1)


def test_marks_are_compared_to_the_letter(
    lagging: Lagging, everybody: Callable[..., Desired]
) -> None:
    """Graph finds marks in any capitals; those of another source are still foreign."""
    with lagging() as tenant:
        plan, _ = planning(tenant, everybody(tenant_file=a_file(source="MANY")))

    assert len(plan.refusals) == NUMBER
    assert "foreign mark" in plan.refusals[0].summary


def test_namesakes_in_the_index_are_not_believed(
    fake: Callable[..., Fake],
    batched: Callable[..., Callable[[httpx.Request], httpx.Response]],
    everybody: Callable[..., Desired],
) -> None:
    """An index that shows two accounts of one name is asked about neither."""
    desired = everybody(tenant_file=TenantFile(source="many", position=HERE))
    ours = mark(SLOT, "many/all")
    rows = [
        {"id": f"id-of-{u.user_principal_name}", "userPrincipalName": u.user_principal_name, **ours}
        for u in desired.users
    ]
    old = {**rows[0], "id": "old"}

    def part(url: str) -> tuple[int, Any]:
        plain = unquote(url)
        if "startsWith(onPrem" in plain:
            return 200, {"value": [*rows, old]}
        if f"userPrincipalName in ('{ADA}')" in plain:
            return 200, {"value": rows[:1]}
        return 200, {"value": [{"id": "tenant", "displayName": "T"}] if "organiz" in plain else []}

    async def ask(graph: Graph) -> Observed:
        return await observe(graph, desired)

    observed: Observed = fake(batched(part)).run(ask)

    assert len(observed.users) == NUMBER
    assert observed.indexed == {row["id"] for row in rows[1:]}
