from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.diagnostics import Position
from reconciler.model import (
    Listed,
    ObjectId,
    Removal,
    RoleDefinition,
    TenantFile,
)

if TYPE_CHECKING:
    from reconciler.model import DeclaredLicense, FieldValue
    from tests.core.conftest import Given

GB: dict[str, FieldValue] = {"usageLocation": "GB"}


def test_unknown_names(given: Given) -> None:
    """Each name that stands for nothing is told once, with a near one or what there is."""
    licenses: list[str | DeclaredLicense] = [
        "SPE_E55",
        given.license("SPE_E5", "YAMER", "Outlook", line=3),
    ]
    fields: dict[str, FieldValue] = {**GB, "manager": "prya@contoso.com"}
    people = [
        given.person(name, licenses=licenses, groups=["Staf"], roles=["Pilot"], fields=GB)
        for name in ("ada", "bob")
    ]
    people.append(given.person("eve", line=12, fields=fields))

    assert given.refusals(given.desired(*people), given.observed()) == [
        (
            "cohorts/beta.yaml:3:1: error: service plan 'Outlook' of SPE_E5 does not exist in this "
            "tenant\n  hint: the tenant has: SWAY, TEAMS, YAMMER"
        ),
        (
            "cohorts/beta.yaml:3:1: error: service plan 'YAMER' of SPE_E5 does not exist in this "
            "tenant\n  hint: did you mean 'YAMMER'?"
        ),
        (
            "cohorts/beta.yaml:4:1: error: license 'SPE_E55' does not exist in this tenant\n"
            "  hint: did you mean 'SPE_E5'?"
        ),
        (
            "cohorts/beta.yaml:5:1: error: group 'Staf' does not exist in this tenant\n"
            "  hint: did you mean 'Staff'?"
        ),
        (
            "cohorts/beta.yaml:6:1: error: role 'Pilot' does not exist in this tenant\n"
            "  hint: the tenant has: Guest Inviter, Reader, User Administrator"
        ),
        (
            "cohorts/beta.yaml:12:20: error: manager 'prya@contoso.com' of 'eve@contoso.com' is "
            "neither in the tenant nor declared\n"
            "  hint: correct the name, or declare the manager in a cohort of this run"
        ),
    ]


def test_similar_groups_are_suggested(given: Given) -> None:
    """A group that no file mentions is suggested for a name that is near its name."""
    similar = replace(given.group("Staff"), id=ObjectId("id-9"), display_name="Sales - all")
    observed = replace(given.observed(), groups=(), similar_groups=(similar,))
    desired = given.desired(given.person(groups=["Sales - al"]), file=TenantFile())

    assert given.refusals(desired, observed) == [
        (
            "cohorts/beta.yaml:5:1: error: group 'Sales - al' does not exist in this tenant\n"
            "  hint: did you mean 'Sales - all'?"
        )
    ]


def test_nothing_to_suggest(given: Given) -> None:
    """Where the tenant has nothing of a kind, there is nothing to hint at."""
    observed = replace(given.observed(), groups=())
    desired = given.desired(given.person(groups=["Staff"]), file=TenantFile())

    assert given.refusals(desired, observed) == [
        "cohorts/beta.yaml:5:1: error: group 'Staff' does not exist in this tenant"
    ]


def test_ambiguous_names(given: Given) -> None:
    """A name that several things share is refused, with the ids to choose from."""
    skus = (*given.skus, replace(given.sku("SPE_E5"), id=ObjectId("id-2")))
    groups = (*given.groups, replace(given.group("Staff"), id=ObjectId("id-3")))
    roles = (*given.roles, RoleDefinition(ObjectId("id-4"), "reader"))
    observed = replace(given.observed(), skus=skus, groups=groups, role_definitions=roles)
    person = given.person(licenses=["SPE_E5"], groups=["staff"], roles=["Reader"])

    assert given.refusals(given.desired(person, file=TenantFile()), observed) == [
        (
            "cohorts/beta.yaml:4:1: error: license 'SPE_E5' is ambiguous: 2 licenses have this "
            "name\n"
            "  hint: write the id instead, one of: id-SPE_E5, id-2"
        ),
        (
            "cohorts/beta.yaml:5:1: error: group 'staff' is ambiguous: 2 groups have this name\n"
            "  hint: write the id instead, one of: id-Staff, id-3"
        ),
        (
            "cohorts/beta.yaml:6:1: error: role 'Reader' is ambiguous: 2 roles have this name\n"
            "  hint: write the id instead, one of: id-Reader, id-4"
        ),
    ]


def test_unknown_names_in_the_tenant_file(given: Given) -> None:
    """What the tenant file lists must exist too: nothing else can be managed."""
    entry = (Listed("Sta", Position("cohorts/tenant.yaml", 9)),)
    file = replace(given.file, licenses=entry, groups=entry, roles=entry)
    start = "cohorts/tenant.yaml:9:1: error:"

    assert given.refusals(given.desired(file=file), given.observed()) == [
        f"{start} group 'Sta' does not exist in this tenant\n  hint: did you mean 'Staff'?",
        (
            f"{start} license 'Sta' does not exist in this tenant\n"
            "  hint: the tenant has: FLOW_FREE, SPE_E3, SPE_E5"
        ),
        (
            f"{start} role 'Sta' does not exist in this tenant\n"
            "  hint: the tenant has: Guest Inviter, Reader, User Administrator"
        ),
    ]


def test_ambiguous_service_plan(given: Given) -> None:
    """Parts of a licence are told apart by their ids too."""
    sku = given.sku("SPE_E5")
    twin = replace(sku.service_plans[0], id=ObjectId("id-2"))
    observed = given.with_sku(
        given.observed(), replace(sku, service_plans=(*sku.service_plans, twin))
    )
    person = given.person(licenses=[given.license("SPE_E5", "TEAMS")], fields=GB)

    assert given.refusals(given.desired(person), observed) == [
        (
            "cohorts/beta.yaml:4:1: error: service plan 'TEAMS' of SPE_E5 is ambiguous: "
            "2 service plans have this name\n  hint: write the id instead, one of: id-TEAMS, id-2"
        )
    ]


@pytest.mark.parametrize("called", ["BOB@contoso.com", "ID-bob"], ids=["by name", "by id"])
@pytest.mark.parametrize("already", [False, True], ids=["newly named", "already"])
def test_leaving_manager(given: Given, called: str, *, already: bool) -> None:
    """Nobody can report to an account that the same plan deletes, as of now or anew."""
    person = given.person(fields={"manager": called})
    manager = given.anybody("bob") if already else None
    observed = given.observed(given.account(manager=manager), given.account("bob"))
    told = [
        (
            "cohorts/beta.yaml:10:20: error: manager 'bob@contoso.com' of 'ada@contoso.com' is "
            "deleted by this plan\n  hint: name another manager, or declare the manager as long "
            "as somebody reports there"
        )
    ]
    outcomes = {
        removal: given.refusals(
            given.desired(person, file=replace(given.file, removal=removal)), observed
        )
        for removal in Removal
    }

    assert outcomes == {Removal.DELETE: told, Removal.DISABLE: [], Removal.KEEP: []}


@pytest.mark.parametrize("called", ["bob@contoso.com", "id-bob"], ids=["by name", "by id"])
def test_manager_declared_elsewhere_is_not_leaving(given: Given, called: str) -> None:
    """A manager whom a file that is not named declares stays, and can be reported to."""
    person = given.person(fields={"manager": called})
    desired = given.desired(person, file=replace(given.file, removal=Removal.DELETE))
    scoped = replace(desired, scope=frozenset({person.cohort}))
    moved = replace(scoped, elsewhere=frozenset({"bob@contoso.com"}))
    observed = given.observed(given.account(), given.account("bob"))

    assert len(given.refusals(scoped, observed)) == 1
    assert given.refusals(moved, observed) == []


def test_manager_who_stays_beside_leavers(given: Given) -> None:
    """A leaver is in the way of nobody who reports to somebody else, or to nobody."""
    people = [
        given.person(fields={"manager": "carl@contoso.com"}),
        given.person("carl", fields={"manager": None}),
        given.person("dora", fields={"manager": "carl@contoso.com"}),
    ]
    desired = given.desired(*people, file=replace(given.file, removal=Removal.DELETE))
    accounts = [given.account(name) for name in ("ada", "bob")]

    assert given.refusals(desired, given.observed(*accounts)) == []


def test_names_too_long_to_be_looked_up(given: Given) -> None:
    """Graph compares 120 characters of a name: a longer one cannot be found, whatever it is."""
    name = "x" * 121
    person = given.person(licenses=[name], groups=[name], roles=[name])
    told = [
        (
            f"cohorts/beta.yaml:{line}:1: error: {kind} '{name}' is too long to be looked up: "
            "121 characters, Graph compares 120 at most\n  hint: write the id instead"
        )
        for line, kind in ((4, "license"), (5, "group"), (6, "role"))
    ]

    assert given.refusals(given.desired(person, file=TenantFile()), given.observed()) == told


def test_names_that_are_just_short_enough(given: Given) -> None:
    """A name of 120 characters is looked up like any other, found or not."""
    name = "x" * 120
    group = replace(given.group("Staff"), display_name=name)
    desired = given.desired(given.person(groups=[name]), file=TenantFile())
    nothing = replace(given.observed(), groups=())

    assert given.refusals(desired, given.with_group(given.observed(), group)) == []
    assert given.refusals(desired, nothing) == [
        f"cohorts/beta.yaml:5:1: error: group '{name}' does not exist in this tenant"
    ]


def test_listed_names_too_long_to_be_looked_up(given: Given) -> None:
    """What the tenant file lists is held to the same length."""
    entry = (Listed("x" * 121, Position("cohorts/tenant.yaml", 9)),)
    file = replace(given.file, licenses=entry, groups=entry, roles=entry)

    assert [
        text.partition(" 'x")[0] + text.partition("x'")[2].partition(":")[0]
        for text in given.refusals(given.desired(file=file), given.observed())
    ] == [
        f"cohorts/tenant.yaml:9:1: error: {kind} is too long to be looked up"
        for kind in ("group", "license", "role")
    ]
