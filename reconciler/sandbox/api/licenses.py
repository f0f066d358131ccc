"""Licenses: seats, direct and inherited assignments, `subscribedSkus`.

A seat is used by a living user who holds the SKU in any way; one who holds it in two ways
uses one. Words of refusal from recorded replies of `assignLicense`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.calls import Route
from reconciler.sandbox.company.skus import NEEDS
from reconciler.sandbox.data import accounts
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.properties import USER_DEFAULTS
from reconciler.sandbox.data.store import resource, resources, to_text
from reconciler.sandbox.wire import Reply, stamp

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.accounts import User

_ARRAYS = ("addLicenses", "removeLicenses")


@dataclass(frozen=True, slots=True)
class _Addition:
    sku: dict[str, Any]
    disabled: tuple[str, ...]


# --- seats


def consumed(db: sqlite3.Connection, sku_id: str) -> int:
    """Give how many seats of a SKU are used."""
    (number,) = db.execute(
        "SELECT count(DISTINCT user_id) FROM license JOIN user ON user.id = user_id "
        "WHERE sku_id = ? AND error = 'None' AND deleted IS NULL",
        (sku_id,),
    ).fetchone()
    return int(number)


def _holds(db: sqlite3.Connection, user_id: str, sku_id: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM license WHERE user_id = ? AND sku_id = ? AND error = 'None'",
        (user_id, sku_id),
    ).fetchone()
    return row is not None


def _has_seat(db: sqlite3.Connection, user_id: str, sku: dict[str, Any]) -> bool:
    """Whether this user may hold *sku*: units in their grace period still count."""
    if _holds(db, user_id, sku["skuId"]):
        return True
    units = sku["prepaidUnits"]
    is_open = sku["capabilityStatus"] in {"Enabled", "Warning"}
    return is_open and consumed(db, sku["skuId"]) < units["enabled"] + units["warning"]


def _put(
    db: sqlite3.Connection,
    user_id: str,
    addition: _Addition,
    *,
    group_id: str = "",
    error: str = "None",
) -> None:
    db.execute(
        "INSERT OR REPLACE INTO license VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, addition.sku["skuId"], group_id, to_text(addition.disabled), stamp(), error),
    )


# --- inherited


def inherit(db: sqlite3.Connection, user: User, group: Group) -> None:
    """Give a new member what its group carries; without a seat it holds an error instead."""
    for license_ in group.properties.get("assignedLicenses", ()):
        sku = _sku(db, license_["skuId"])
        error = "None" if _has_seat(db, user.id, sku) else "CountViolation"
        addition = _Addition(sku, tuple(license_["disabledPlans"]))
        _put(db, user.id, addition, group_id=group.id, error=error)


def disinherit(db: sqlite3.Connection, user_id: str, group: Group) -> None:
    """Take back what a member had from its group."""
    db.execute("DELETE FROM license WHERE user_id = ? AND group_id = ?", (user_id, group.id))


# --- direct


def assign(call: Call) -> Reply:
    """`POST /users/{id}/assignLicense`: additions and removals together, or nothing."""
    user = accounts.get(call.db, call.key)
    add, remove = _arrays(call.body())
    additions = [_addition(call.db, entry) for entry in add]
    for sku_id in [_guid(entry) for entry in remove]:
        _remove(call.db, user, sku_id)
    if additions and not user.properties.get("usageLocation"):
        raise errors.NO_USAGE_LOCATION.error()
    for addition in additions:
        if not _has_seat(call.db, user.id, addition.sku):
            raise errors.NO_SEATS.error(sku=addition.sku["skuId"])
        _put(call.db, user.id, addition)
    return call.entity("users/$entity", accounts.show(call.db, user, USER_DEFAULTS))


def _arrays(body: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    given = {name.lower(): value for name, value in body.items()}
    missing = [name for name in _ARRAYS if not isinstance(given.get(name.lower()), list)]
    if missing:
        raise errors.LICENSE_ARRAYS.error(missing=", ".join(missing))
    return given["addlicenses"], given["removelicenses"]


def _guid(value: object) -> str:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise errors.BAD_GUID.error()
    return value.lower()


def _sku(db: sqlite3.Connection, sku_id: str) -> dict[str, Any]:
    """Give the SKU, if people can hold it: one that applies to the company is as unknown."""
    sku = resource(db, "sku", sku_id)
    if sku is None or sku["appliesTo"] != "User":
        raise errors.UNKNOWN_SKU.error(sku=sku_id)
    return sku


def _addition(db: sqlite3.Connection, entry: object) -> _Addition:
    if not isinstance(entry, dict):
        raise errors.BAD_GUID.error()
    given = {name.lower(): value for name, value in entry.items()}
    sku = _sku(db, _guid(given.get("skuid")))
    plans = given.get("disabledplans") or []
    if not isinstance(plans, list):
        raise errors.WRONG_NODE.error(
            found="PrimitiveValue", property="disabledPlans", expected="StartArray"
        )
    disabled = tuple(_guid(plan) for plan in plans)
    _check_plans(sku, disabled)
    return _Addition(sku, disabled)


def _check_plans(sku: dict[str, Any], disabled: tuple[str, ...]) -> None:
    names = {plan["servicePlanId"]: plan["servicePlanName"] for plan in sku["servicePlans"]}
    foreign = [plan for plan in disabled if plan not in names]
    if foreign:
        raise errors.UNKNOWN_PLANS.error(plans=", ".join(foreign))
    for plan, name in names.items():
        needs = [names[need] for need in NEEDS.get(plan, ()) if need in disabled]
        if plan not in disabled and needs:
            raise errors.PLAN_DEPENDENCY.error(plan=name, needs=", ".join(needs))


def _remove(db: sqlite3.Connection, user: User, sku_id: str) -> None:
    _sku(db, sku_id)
    cursor = db.execute(
        "DELETE FROM license WHERE user_id = ? AND sku_id = ? AND group_id = ''",
        (user.id, sku_id),
    )
    if not cursor.rowcount:
        raise errors.INHERITED.error() if _holds(db, user.id, sku_id) else errors.NOT_HELD.error()


# --- reading


def subscribed(call: Call) -> Reply:
    """`GET /subscribedSkus`."""
    value = [_shown(call, sku) for sku in resources(call.db, "sku")]
    return call.entity("subscribedSkus", {"value": value})


def subscribed_one(call: Call) -> Reply:
    """`GET /subscribedSkus/{tenantId}_{skuId}`."""
    sku = resource(call.db, "sku", call.key.rpartition("_")[2])
    if sku is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return call.entity("subscribedSkus/$entity", _shown(call, sku))


def _shown(call: Call, sku: dict[str, Any]) -> dict[str, Any]:
    return {**sku, "consumedUnits": consumed(call.db, sku["skuId"])}


def details(call: Call) -> Reply:
    """`GET /users/{id}/licenseDetails`."""
    user = accounts.get(call.db, call.key)
    assigned = accounts.show(call.db, user, ["assignedLicenses"])["assignedLicenses"]
    value = [_detail(call.db, user, license_) for license_ in assigned]
    context = f"users('{user.id}')/licenseDetails"
    return call.entity(context, {"value": value})


def _detail(db: sqlite3.Connection, user: User, license_: dict[str, Any]) -> dict[str, Any]:
    sku = _sku(db, license_["skuId"])
    plans = [
        plan
        | {
            "provisioningStatus": "Disabled"
            if plan["servicePlanId"] in license_["disabledPlans"]
            else "Success"
        }
        for plan in sku["servicePlans"]
    ]
    return {
        "id": f"{user.id}_{sku['skuId']}",
        "skuId": sku["skuId"],
        "skuPartNumber": sku["skuPartNumber"],
        "servicePlans": plans,
    }


ROUTES: Final = (
    ("POST", "users/{}/assignLicense", Route(assign, p.LICENSE_ASSIGN)),
    ("GET", "users/{}/licenseDetails", Route(details, p.LICENSE_DETAILS, 2)),
    ("GET", "subscribedSkus", Route(subscribed, p.SKU_READ, 3)),
    ("GET", "subscribedSkus/{}", Route(subscribed_one, p.SKU_READ, 3)),
)
