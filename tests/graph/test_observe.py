"""Graph to Observed, over real HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from reconciler.diagnostics import Position
from reconciler.graph.connection import connect
from reconciler.graph.mentioned import Mentioned
from reconciler.graph.observe import observe
from reconciler.model import (
    CohortName,
    Desired,
    Listed,
    Observed,
    TenantFile,
    UserPrincipalName,
)
from reconciler.sandbox.company.contoso import stable_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import ID_OF

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.graph.transport import Graph
    from reconciler.model import DeclaredUser
    from tests.graph.conftest import Fake, Tenant

    Declared = Callable[..., DeclaredUser]

HERE = Position("cohorts/tenant.yaml", 1, 1)
PRIYA = "priya@contoso.com"
STAFF = "Research - All staff"


def observed(tenant: Tenant, *users: DeclaredUser, **more: Any) -> Observed:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Observe what concerns *users*."""

    async def ask() -> Observed:
        async with connect("global", tenant.endpoints.environment) as graph:
            return await observe(graph, Desired(users, (), **more))

    return asyncio.run(ask())


def a_file(**more: Any) -> TenantFile:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a tenant file."""
    return TenantFile(**{"source": "hr-sync", "position": HERE, **more})


def test_the_tenant_itself(tenant: Tenant) -> None:
    """Organisation, domains and licences are read for every plan; roles for none of these."""
    found = observed(tenant)

    assert found.tenant.display_name == "Contoso"
    assert [d.name for d in found.tenant.domains if not d.is_verified] == ["contoso.dev"]
    assert {sku.part_number: sku.id for sku in found.skus} == ID_OF
    assert (found.users, found.groups, found.role_definitions) == ((), (), ())


def test_a_person_wholly(tenant: Tenant, declared: Declared) -> None:
    """Fields, manager, licences, memberships and roles of a declared person."""
    maria = declared(
        "MARIA.admin@contoso.com", groups=(STAFF,), roles=("User Administrator",), department="IT"
    )
    priya = declared(PRIYA, groups=(STAFF,))

    found = observed(tenant, maria, priya)

    by_name = {user.user_principal_name: user for user in found.users}
    assert set(by_name) == {"maria.admin@contoso.com", PRIYA}
    one, other = (
        by_name[UserPrincipalName("maria.admin@contoso.com")],
        by_name[UserPrincipalName(PRIYA)],
    )
    assert one.fields["department"] == "IT"
    assert one.manager is not None
    assert one.manager.user_principal_name == "tomasz.nowak@contoso.com"
    assert [state.sku_id for state in one.licenses] == [ID_OF["SPE_E3"]]
    assert [role.role_definition_id for role in one.roles] == [BUILT_IN["User Administrator"]]
    assert one.groups == frozenset()
    assert other.groups == {stable_id(f"group {STAFF}")}
    assert other.roles == ()
    assert len(found.role_definitions) == len(BUILT_IN)


def test_names_and_ids(tenant: Tenant, declared: Declared) -> None:
    """Groups, roles and people can be named by id; namesakes are all found."""
    person = declared(
        PRIYA,
        groups=(stable_id(f"group {STAFF}").upper(), "Project Phoenix"),
        roles=(BUILT_IN["User Administrator"],),
        manager=stable_id("user olivia.reyes@contoso.com"),
    )

    found = observed(
        tenant, person, tenant_file=a_file(protected=("breakglass@contoso.com", PRIYA.upper()))
    )

    names = sorted(group.display_name for group in found.groups)
    assert names == ["Project Phoenix", "Project Phoenix", STAFF]
    people = {account.user_principal_name for account in found.people}
    assert people == {"olivia.reyes@contoso.com", "breakglass@contoso.com"}


def test_more_names_than_one_filter_takes(tenant: Tenant, declared: Declared) -> None:
    """Forty people are three questions, and nobody is lost between them."""
    people = [declared(f"nobody{n}@contoso.com") for n in range(39)]

    found = observed(tenant, *people, declared(PRIYA))

    assert [user.user_principal_name for user in found.users] == [PRIYA]


def test_misspelt_groups_are_looked_for(tenant: Tenant, declared: Declared) -> None:
    """Groups with a name like it are there to suggest, and apart from those that exist."""
    found = observed(tenant, declared(PRIYA, groups=("Research - All stuff",)))

    assert found.groups == ()
    assert STAFF in [group.display_name for group in found.similar_groups]


def test_a_declared_person_in_the_recycle_bin(tenant: Tenant, declared: Declared) -> None:
    """Who has no account may have had one, under the same name and our mark."""
    rita = declared("Returning.Rita@contoso.com")

    found = observed(tenant, rita, declared(PRIYA))

    (deleted,) = found.deleted_users
    assert deleted.user_principal_name == "returning.rita@contoso.com"
    assert deleted.mark == "contoso-identity/research-2026"


def test_the_recycle_bin_stays_shut_where_nobody_is_missing(
    tenant: Tenant, declared: Declared
) -> None:
    """It is read only for people who have no account."""
    before = len(tenant.exchanges)

    assert observed(tenant, declared(PRIYA)).deleted_users == ()
    assert [e for e in tenant.exchanges[before:] if "deletedItems" in e.path] == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"tenant_file": a_file()}, ["hr.hanna@contoso.com"]),
        (
            {"tenant_file": a_file(), "scope": frozenset({CohortName("emea")})},
            ["hr.hanna@contoso.com"],
        ),
        ({"tenant_file": a_file(), "scope": frozenset({CohortName("beta")})}, []),
        ({"tenant_file": a_file(source="contoso-identity")}, []),
        ({"tenant_file": a_file(source="HR-Sync")}, []),
        ({"tenant_file": a_file(source="hr")}, []),
        ({"tenant_file": TenantFile(source="hr-sync")}, []),
    ],
    ids=[
        "ours",
        "in scope",
        "of another cohort",
        "of somebody else",
        "in other capitals",
        "of half a name",
        "without a file",
    ],
)
def test_who_carries_our_mark(tenant: Tenant, more: dict[str, Any], expected: list[str]) -> None:
    """Owned people whom nobody declares are read as well, as far as the scope goes."""
    assert [user.user_principal_name for user in observed(tenant, **more).users] == expected


def test_a_declared_person_is_read_once(tenant: Tenant, declared: Declared) -> None:
    """Who is declared and marked is one person."""
    found = observed(tenant, declared("hr.hanna@contoso.com"), tenant_file=a_file())

    assert [user.user_principal_name for user in found.users] == ["hr.hanna@contoso.com"]


def test_what_the_tenant_file_lists_is_read(tenant: Tenant) -> None:
    """Managed groups and roles are looked at for leavers, whom no file names."""
    tenant_file = a_file(groups=(Listed(STAFF, HERE),), roles=(Listed("user administrator", HERE),))

    found = observed(tenant, tenant_file=tenant_file)

    assert [group.display_name for group in found.groups] == [STAFF]
    assert "User Administrator" in [role.display_name for role in found.role_definitions]


def test_the_index_is_not_believed(
    fake: Callable[..., Fake], batched: Callable[..., Callable[[httpx.Request], httpx.Response]]
) -> None:
    """The index lags: who it still shows and who is not there when read directly has gone."""
    mark = {"onPremisesExtensionAttributes": {"extensionAttribute15": "hr-sync/emea"}}
    rows = [{"id": f"{n}", "userPrincipalName": f"u{n}@contoso.com", **mark} for n in "12"]

    def part(url: str) -> tuple[int, Any]:
        plain = unquote(url)
        if "startsWith" in plain:
            return 200, {"value": rows}
        if "id in ('1','2')" in plain:
            return 200, {"value": rows[1:]}
        return 200, {"value": [{"id": "tenant", "displayName": "T"}] if "organiz" in plain else []}

    async def ask(graph: Graph) -> Observed:
        return await observe(graph, Desired((), (), a_file()))

    found = fake(batched(part)).run(ask)

    assert [user.id for user in found.users] == ["2"]


def test_everything_mentioned_once(declared: Declared) -> None:
    """Names are compared without case, ids are told from names, who is declared is no stranger."""
    ada = declared(
        "Ada@contoso.com", groups=("B", "a", "A"), roles=("Reader",), manager="BOB@c.com"
    )
    bob = declared("bob@contoso.com", manager="ada@CONTOSO.com", groups=(stable_id("group x"),))
    tenant_file = TenantFile(
        protected=("bob@c.com", stable_id("user y")),
        groups=(Listed("c", HERE),),
        roles=(Listed("READER", HERE),),
    )

    found = Mentioned.by(Desired((ada, bob), (), tenant_file))

    assert found == Mentioned(
        users=("Ada@contoso.com", "bob@contoso.com"),
        people=("BOB@c.com",),
        people_ids=(stable_id("user y"),),
        groups=("A", "B", "c"),
        group_ids=(stable_id("group x"),),
        roles=frozenset({"reader"}),
    )
