"""What an observation costs, counted by the tenant that is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from reconciler.commands.planning import planned
from reconciler.diagnostics import Position
from reconciler.graph.connection import connect
from reconciler.model import Desired, Listed, TenantFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from reconciler.model import DeclaredUser
    from reconciler.plan import Plan
    from reconciler.sandbox.company.generating import Crowd
    from reconciler.sandbox.wire import Exchange
    from tests.graph.conftest import Tenant

    Declared = Callable[..., DeclaredUser]
    Named = Callable[[str, int], list[str]]

HERE = Position("cohorts/tenant.yaml", 1, 1)
MANY, FEW, OTHERS, BIG = 10_000, 20, 89_980, 50_000
TEAMS = ("Team 1", "Team 2", "Team 3")
ALL_STAFF = "All staff"
PAGES = -(-MANY // 999)


def marked(mark: str) -> dict[str, Any]:
    """Give the properties that hold *mark*."""
    return {"onPremisesExtensionAttributes": {"extensionAttribute15": mark}}


@pytest.fixture(scope="module")
def crowded(
    peopled: Callable[..., AbstractContextManager[Tenant]],
    crowd: Callable[..., Crowd],
    names: Named,
) -> Iterator[Tenant]:
    """Run a tenant of 100,000 people: two repositories own some, and groups are large."""
    with peopled(
        crowd("many", MANY, **marked("many/all")),
        crowd("few", FEW, **marked("few/beta")),
        crowd("other", OTHERS),
        groups={
            **dict.fromkeys(TEAMS, names("many", MANY)),
            ALL_STAFF: [*names("few", FEW), *names("other", BIG - FEW)],
        },
    ) as tenant:
        yield tenant


def planning(tenant: Tenant, desired: Desired, **more: str) -> tuple[Plan, list[Exchange]]:
    """Plan, and give what was asked for that; *more* says who asks."""
    before = len(tenant.exchanges)

    async def ask() -> Plan:
        async with connect("global", {**tenant.endpoints.environment, **more}) as graph:
            return await planned(graph, desired, 0)

    return asyncio.run(ask()), tenant.exchanges[before:]


def a_file(source: str, *groups: str) -> TenantFile:
    """Give a tenant file that manages *groups*."""
    listed = tuple(Listed(group, HERE) for group in groups)
    return TenantFile(source=source, tenant="contoso.onmicrosoft.com", position=HERE, groups=listed)


def test_a_converged_crowd_costs_its_pages(
    crowded: Tenant, declared: Declared, names: Named
) -> None:
    """Ten thousand owned people in three groups of as many are read page by page, no more."""
    users = tuple(
        declared(name, groups=TEAMS, cohort="all", mailNickname=name.partition("@")[0])
        for name in names("many", MANY)
    )

    plan, exchanges = planning(crowded, Desired(users, (), a_file("many", *TEAMS)))

    asked = [unquote(e.path) for e in exchanges if not e.is_batch]
    users_pages = [path for path in asked if path.startswith("/v1.0/users")]
    members_pages = [path for path in asked if "/members" in path]
    assert (plan.changes, plan.refusals) == ((), ())
    assert len(users_pages) <= PAGES
    assert len(members_pages) <= PAGES * len(TEAMS)
    assert len(asked) - len(users_pages) - len(members_pages) <= 12


def test_a_small_cohort_costs_as_little_in_a_large_tenant(
    crowded: Tenant, declared: Declared, names: Named
) -> None:
    """Twenty people of a hundred thousand, in a group of half of them, take twelve round trips."""
    users = tuple(declared(name, groups=(ALL_STAFF,)) for name in names("few", FEW))

    plan, exchanges = planning(crowded, Desired(users, (), a_file("few", ALL_STAFF)))

    assert (plan.changes, plan.refusals) == ((), ())
    assert len([e for e in exchanges if not e.is_inner]) <= 12
    assert len([e for e in exchanges if "/members" in e.path]) == 1
    assert len([e for e in exchanges if "/memberOf" in e.path]) == FEW


def test_a_plan_tells_who_is_missing_in_a_large_group(
    crowded: Tenant, declared: Declared, names: Named
) -> None:
    """Asked per person, groups still tell members from others: among people whom nobody paged."""
    inside, outside = names("other", BIG)[-FEW - 1], names("other", OTHERS)[-1]
    users = tuple(declared(name, groups=(ALL_STAFF,)) for name in (inside, outside))
    adopted = tuple(replace(user, adopt=True) for user in users)

    plan, _ = planning(crowded, Desired(adopted, (), a_file("else", ALL_STAFF)))

    joined = [c.key.account.user_principal_name for c in plan.changes if c.key.kind == "membership"]
    assert joined == [outside]
