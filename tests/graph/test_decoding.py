from __future__ import annotations

from typing import Any

import pytest

from reconciler.fields import FIELDS
from reconciler.graph import decoding
from reconciler.model import (
    Account,
    Domain,
    Group,
    LicenseState,
    ObjectId,
    RoleAssignment,
    RoleDefinition,
    ServicePlan,
    Sku,
    Tenant,
    UserPrincipalName,
)

SLOT, EXTENSION = "extensionAttribute15", "extension_b1_owner"


def test_tenant() -> None:
    """A domain that does not say so is not verified."""
    domains: list[dict[str, Any]] = [
        {"id": "contoso.com", "isVerified": True},
        {"id": "contoso.dev"},
    ]

    assert decoding.tenant({"id": "t"}, domains) == Tenant(
        ObjectId("t"),
        "",
        (Domain("contoso.com", is_verified=True), Domain("contoso.dev", is_verified=False)),
    )


def test_sku() -> None:
    """The id is that of the SKU, not the subscription's, which holds the tenant's too."""
    item = {
        "id": "tenant_e5",
        "skuId": "e5",
        "skuPartNumber": "SPE_E5",
        "capabilityStatus": "Warning",
        "appliesTo": "User",
        "consumedUnits": 14,
        "prepaidUnits": {"enabled": 25, "suspended": 3, "warning": 2, "lockedOut": 0},
        "servicePlans": [{"servicePlanId": "y", "servicePlanName": "YAMMER"}],
    }

    assert decoding.sku(item) == Sku(
        ObjectId("e5"),
        "SPE_E5",
        "Warning",
        "User",
        25,
        2,
        14,
        (ServicePlan(ObjectId("y"), "YAMMER"),),
    )


def test_a_sku_of_few_words() -> None:
    """Absent counts as nothing: no seats, no plans."""
    item = {"skuId": "e5", "skuPartNumber": "SPE_E5", "prepaidUnits": None}

    assert decoding.sku(item) == Sku(ObjectId("e5"), "SPE_E5", "", "", 0, 0, 0, ())


def test_group() -> None:
    """What decides whether it can be written is read, and what its members inherit."""
    item = {
        "id": "g",
        "displayName": "Staff",
        "groupTypes": ["Unified"],
        "mailEnabled": True,
        "onPremisesSyncEnabled": None,
        "isAssignableToRole": None,
        "assignedLicenses": [{"skuId": "e5", "disabledPlans": []}],
    }

    assert decoding.group(item) == Group(
        ObjectId("g"),
        "Staff",
        ("Unified",),
        mail_enabled=True,
        on_premises_sync_enabled=False,
        is_assignable_to_role=False,
        sku_ids=frozenset({ObjectId("e5")}),
    )


def test_roles() -> None:
    """A definition by its name, an assignment by its scope."""
    assert decoding.role_definition({"id": "r"}) == RoleDefinition(ObjectId("r"), "")
    own = {"id": "r", "displayName": "Pilot", "isBuiltIn": False}
    assert decoding.role_definition(own) == RoleDefinition(
        ObjectId("r"), "Pilot", is_built_in=False
    )
    for theirs in ({**own, "isBuiltIn": True}, {**own, "isBuiltIn": None}):
        assert decoding.role_definition(theirs) == RoleDefinition(ObjectId("r"), "Pilot")
    assert decoding.role_assignment({"id": "a", "roleDefinitionId": "r"}) == RoleAssignment(
        ObjectId("a"), ObjectId("r"), ""
    )


def test_account() -> None:
    """A manager may be something without a name, such as a contact."""
    assert decoding.account({"id": "c"}) == Account(UserPrincipalName(""), ObjectId("c"))


USER: dict[str, Any] = {"id": "ada-id", "userPrincipalName": "ada@contoso.com"}


def test_a_user_of_few_words() -> None:
    """Every field is there, null where Graph is silent, and lists empty."""
    user = decoding.user(USER, SLOT)

    empty = {"businessPhones", "otherMails"}
    assert user.fields == {f.name: () if f.name in empty else None for f in FIELDS}
    assert (user.mark, user.manager, user.licenses, user.groups, user.roles) == (
        None,
        None,
        (),
        frozenset(),
        (),
    )
    assert user.on_premises_sync_enabled is None


def test_a_user() -> None:
    """Everything that was asked for, here and elsewhere, in a stable order."""
    item = USER | {
        "accountEnabled": False,
        "businessPhones": ["+44"],
        "employeeHireDate": "2026-03-01T00:00:00.000Z",
        "manager": {"@odata.type": "#microsoft.graph.user", "id": "g", "userPrincipalName": "g@c"},
        "onPremisesSyncEnabled": False,
    }
    roles = [RoleAssignment(ObjectId(n), ObjectId("r"), "/") for n in "ba"]

    user = decoding.user(item, SLOT, frozenset({ObjectId("staff")}), roles)

    assert (user.fields["accountEnabled"], user.fields["businessPhones"]) == (False, ("+44",))
    assert user.fields["employeeHireDate"] == "2026-03-01T00:00:00Z"
    assert user.manager == Account(UserPrincipalName("g@c"), ObjectId("g"))
    assert [role.id for role in user.roles] == ["a", "b"]
    assert user.on_premises_sync_enabled is False


@pytest.mark.parametrize(
    ("ownership", "item", "mark"),
    [
        (SLOT, {"onPremisesExtensionAttributes": {SLOT: "a/b"}}, "a/b"),
        (SLOT, {"onPremisesExtensionAttributes": {SLOT: None}}, None),
        (SLOT, {"onPremisesExtensionAttributes": None}, None),
        (SLOT, {EXTENSION: "a/b"}, None),
        (EXTENSION, {EXTENSION: "a/b"}, "a/b"),
        (EXTENSION, {EXTENSION: ""}, None),
        (EXTENSION, {}, None),
    ],
)
def test_the_mark(ownership: str, item: dict[str, Any], mark: str | None) -> None:
    """An empty attribute is no mark."""
    assert decoding.mark(item, ownership) == mark


@pytest.mark.parametrize(
    "name",
    [
        "0f0c7b1e2d4b4a5c8f6a9b8c7d6e5f40rita@contoso.com",
        "0F0C7B1E2D4B4A5C8F6A9B8C7D6E5F40rita@contoso.com",
        "rita@contoso.com",
    ],
    ids=["prefixed", "in capitals", "as it was"],
)
def test_a_deleted_user_has_the_name_it_had(name: str) -> None:
    """The recycle bin puts the id before a name, so that it can be given away."""
    item = {"id": "0f0c7b1e-2d4b-4a5c-8f6a-9b8c7d6e5f40", "userPrincipalName": name}

    assert decoding.deleted_user(item, SLOT).user_principal_name == "rita@contoso.com"


@pytest.mark.parametrize(
    ("item", "state", "error"),
    [
        ({"state": "Active", "error": "None"}, "Active", None),
        ({"state": "Active", "error": None}, "Active", None),
        ({"error": "CountViolation"}, "Error", "CountViolation"),
        ({"state": "Active", "error": "CountViolation"}, "Error", "CountViolation"),
        ({"state": "Disabled", "error": "Other"}, "Disabled", "Other"),
        ({}, "Active", None),
    ],
)
def test_the_state_of_a_licence(item: dict[str, Any], state: str, error: str | None) -> None:
    """The word "None" is no error, and an error counts where the state does not tell."""
    found = decoding.license_state({"skuId": "e5", "disabledPlans": ["y"], **item})

    assert found == LicenseState(ObjectId("e5"), None, frozenset({ObjectId("y")}), state, error)


def test_a_licence_through_a_group() -> None:
    """Who gave it is told, because only direct ones are compared."""
    assert decoding.license_state({"skuId": "e5", "assignedByGroup": "g"}).assigned_by_group == "g"


def test_each_object_once() -> None:
    """What two questions found is one thing, in an order of its own."""
    items = [{"id": "b"}, {"id": "a"}, {"id": "b"}]

    assert list(decoding.by_id(items)) == ["a", "b"]
