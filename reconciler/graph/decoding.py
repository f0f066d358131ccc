"""Graph's JSON to our nouns. Properties that are absent count as null."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from reconciler.fields import FIELDS, Field, Kind
from reconciler.graph.requests import mark_property
from reconciler.model import (
    Account,
    Domain,
    Group,
    LicenseState,
    ObjectId,
    ObservedUser,
    RoleAssignment,
    RoleDefinition,
    ServicePlan,
    Sku,
    Tenant,
    UserPrincipalName,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model import FieldValue

Json = dict[str, Any]

_NO_ERROR = frozenset({None, "", "None"})
"""What `error` says where there is none: null in the documentation, "None" in reality."""


def tenant(organization: Json, domains: Iterable[Json]) -> Tenant:
    """Read the organisation and its domains."""
    return Tenant(
        ObjectId(organization["id"]),
        organization.get("displayName") or "",
        tuple(Domain(domain["id"], bool(domain.get("isVerified"))) for domain in domains),
    )


def sku(item: Json) -> Sku:
    """Read one of subscribedSkus; its id is that of the SKU, not of the subscription."""
    units = item.get("prepaidUnits") or {}
    return Sku(
        id=ObjectId(item["skuId"]),
        part_number=item["skuPartNumber"],
        capability_status=item.get("capabilityStatus") or "",
        applies_to=item.get("appliesTo") or "",
        enabled=units.get("enabled") or 0,
        warning=units.get("warning") or 0,
        consumed=item.get("consumedUnits") or 0,
        service_plans=tuple(
            ServicePlan(ObjectId(plan["servicePlanId"]), plan["servicePlanName"])
            for plan in item.get("servicePlans") or ()
        ),
    )


def group(item: Json) -> Group:
    """Read a group."""
    return Group(
        id=ObjectId(item["id"]),
        display_name=item.get("displayName") or "",
        group_types=tuple(item.get("groupTypes") or ()),
        mail_enabled=bool(item.get("mailEnabled")),
        on_premises_sync_enabled=bool(item.get("onPremisesSyncEnabled")),
        is_assignable_to_role=bool(item.get("isAssignableToRole")),
        sku_ids=frozenset(ObjectId(x["skuId"]) for x in item.get("assignedLicenses") or ()),
    )


def role_definition(item: Json) -> RoleDefinition:
    """Read a directory role."""
    is_built_in = item.get("isBuiltIn") is not False
    return RoleDefinition(ObjectId(item["id"]), item.get("displayName") or "", is_built_in)


def role_assignment(item: Json) -> RoleAssignment:
    """Read one role assignment; whose it is stands in its principalId."""
    return RoleAssignment(
        ObjectId(item["id"]),
        ObjectId(item["roleDefinitionId"]),
        item.get("directoryScopeId") or "",
    )


def account(item: Json) -> Account:
    """Read who somebody is."""
    return Account(UserPrincipalName(item.get("userPrincipalName") or ""), ObjectId(item["id"]))


def user(
    item: Json,
    ownership: str,
    groups: frozenset[ObjectId] = frozenset(),
    roles: Iterable[RoleAssignment] = (),
) -> ObservedUser:
    """Read an account, with what was asked for elsewhere."""
    manager = item.get("manager")
    return ObservedUser(
        id=ObjectId(item["id"]),
        user_principal_name=UserPrincipalName(item["userPrincipalName"]),
        fields={field.name: _field(field, item.get(field.name)) for field in FIELDS},
        mark=mark(item, ownership),
        manager=account(manager) if manager else None,
        licenses=tuple(license_state(state) for state in item.get("licenseAssignmentStates") or ()),
        groups=groups,
        roles=tuple(sorted(roles, key=lambda role: role.id)),
        on_premises_sync_enabled=item.get("onPremisesSyncEnabled"),
    )


def users(
    accounts: Mapping[str, Json],
    ownership: str,
    groups_of: Mapping[ObjectId, frozenset[ObjectId]],
    assignments: Iterable[Json],
) -> tuple[ObservedUser, ...]:
    """Put *accounts*, by id, together with what each of them is in and holds."""
    roles_of: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
    for assignment in assignments:
        roles_of[assignment["principalId"]].append(role_assignment(assignment))
    return tuple(
        user(accounts[key], ownership, groups_of.get(key, frozenset()), roles_of[key])
        for key in sorted(map(ObjectId, accounts))
    )


def deleted_user(item: Json, ownership: str) -> ObservedUser:
    """Read an account of the recycle bin, under the name it had.

    There its name is prefixed with its id, without dashes (widely known, nowhere
    documented); a name without the prefix is taken as it is.
    """
    prefix = item["id"].replace("-", "")
    name = re.sub(f"^{re.escape(prefix)}", "", item["userPrincipalName"], flags=re.IGNORECASE)
    return user({**item, "userPrincipalName": name}, ownership)


def mark(item: Json, ownership: str) -> str | None:
    """Read what the ownership attribute holds."""
    holder = item.get(mark_property(ownership))
    if ownership.startswith("extensionAttribute"):
        holder = holder.get(ownership) if isinstance(holder, dict) else None
    return holder or None


def license_state(item: Json) -> LicenseState:
    """Read one of licenseAssignmentStates; an error counts even where the state is silent."""
    state = item.get("state") or "Active"
    error = None if item.get("error") in _NO_ERROR else item["error"]
    if error and state == "Active":
        state = "Error"
    assigned_by_group = item.get("assignedByGroup")
    return LicenseState(
        sku_id=ObjectId(item["skuId"]),
        assigned_by_group=ObjectId(assigned_by_group) if assigned_by_group else None,
        disabled_plans=frozenset(ObjectId(plan) for plan in item.get("disabledPlans") or ()),
        state=state,
        error=error,
    )


def _field(field: Field, value: Any) -> FieldValue:  # noqa: ANN401 -- JSON
    if field.kind is Kind.TEXTS:
        return tuple(value or ())
    if field.kind is Kind.DATE and value:
        return re.sub(r"\.0+Z$", "Z", value)
    result: FieldValue = value
    return result


def by_id(items: Iterable[Json]) -> dict[str, Json]:
    """Give each object once, in the order of ids."""
    return {item["id"]: item for item in sorted(items, key=lambda item: str(item["id"]))}
