from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.diagnostics import Position
from reconciler.model import (
    Listed,
    ObjectId,
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
