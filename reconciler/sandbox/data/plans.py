"""Service plans: which need others, which exclude each other, and those that a user has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox.company.skus import EXCLUSIVE, NEEDS, SERVICES
from reconciler.sandbox.data.store import resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet


def lacking(plans: AbstractSet[str]) -> tuple[str, tuple[str, ...]] | None:
    """Give a plan among *plans* with those that it needs and that are not there, if any."""
    for plan in sorted(plans):
        missing = tuple(need for need in NEEDS.get(plan, ()) if need not in plans)
        if missing:
            return plan, missing
    return None


def excluding(plans: AbstractSet[str]) -> tuple[str, ...]:
    """Give plans among *plans* of which a user can have only one; none if all is well."""
    for group in EXCLUSIVE:
        both = plans & group
        if len(both) > 1:
            return tuple(sorted(both))
    return ()


def assigned(db: sqlite3.Connection, states: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give `assignedPlans` of a user with these `licenseAssignmentStates`."""
    shown: dict[str, dict[str, Any]] = {}
    for state in states:
        sku = resource(db, "sku", state["skuId"])
        if sku is None or state["state"] != "Active":
            continue
        for plan in sku["servicePlans"]:
            key = plan["servicePlanId"]
            if key not in state["disabledPlans"]:
                shown[key] = {
                    "assignedDateTime": state["lastUpdatedDateTime"],
                    "capabilityStatus": "Enabled",
                    "service": SERVICES.get(key, plan["servicePlanName"]),
                    "servicePlanId": key,
                }
    return list(shown.values())


def provisioned(plans: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give `provisionedPlans` of a user with these `assignedPlans`."""
    return [
        {
            "capabilityStatus": plan["capabilityStatus"],
            "provisioningStatus": "Success",
            "service": plan["service"],
        }
        for plan in plans
    ]
