"""Licenses of users: `assignLicense`, `licenseDetails` and `reprocessLicenseAssignment`.

Words of refusal from recorded replies of `assignLicense`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import closed, users
from reconciler.sandbox.calls import Route
from reconciler.sandbox.company.skus import PROHIBITED
from reconciler.sandbox.data import accounts, holdings, plans
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.holdings import NO_ERROR, Holding
from reconciler.sandbox.data.properties import USER_DEFAULTS
from reconciler.sandbox.data.store import resource
from reconciler.sandbox.data.subscriptions import Subscriptions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.wire import Reply

_ARRAYS = ("addLicenses", "removeLicenses")


# --- members of groups


def inherit(call: Call, user: User, group: Group) -> None:
    """Give a new member what its group carries; what stands in the way is an error of it."""
    if group.properties.get("assignedLicenses"):
        holdings.process(call.db, user, Subscriptions(call.db), call.now)


def disinherit(db: sqlite3.Connection, user_id: str, group: Group, now: datetime) -> None:
    """Take back what somebody who is no longer a member had from its group."""
    row = db.execute(
        "SELECT 1 FROM license WHERE user_id = ? AND group_id = ? LIMIT 1", (user_id, group.id)
    ).fetchone()
    if row is None:
        return
    user = accounts.find(db, user_id) or accounts.get(db, user_id, deleted=True)
    holdings.process(db, user, Subscriptions(db), now)


# --- what assignLicense is given, to users and groups


def changes(call: Call) -> tuple[dict[str, Holding], tuple[str, ...]]:
    """Give the direct holdings to add, by SKU, and the SKUs to remove, each of them known."""
    given = {name.lower(): value for name, value in call.body().items()}
    missing = [name for name in _ARRAYS if not isinstance(given.get(name.lower()), list)]
    if missing:
        raise errors.PARAMETERS.error(operation="assignLicense", missing=", ".join(missing))
    added = [_addition(call.db, entry) for entry in given["addlicenses"]]
    removed = tuple(_known(call.db, _guid(entry))["skuId"] for entry in given["removelicenses"])
    if not added and not removed:
        raise errors.NO_LICENSE_CHANGES.error()
    return {holding.sku_id: holding for holding in added}, removed


def _guid(value: object) -> str:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise errors.WRONG_TYPE.error(kind="Guid")
    return value.lower()


def _known(db: sqlite3.Connection, sku_id: str) -> dict[str, Any]:
    sku = resource(db, "sku", sku_id)
    if sku is None:
        raise errors.UNKNOWN_SKU.error(sku=sku_id)
    return sku


def _addition(db: sqlite3.Connection, entry: object) -> Holding:
    if not isinstance(entry, dict):
        raise errors.WRONG_TYPE.error(kind="Guid")
    given = {name.lower(): value for name, value in entry.items()}
    sku = _known(db, _guid(given.get("skuid")))
    if sku["appliesTo"] != "User":
        raise errors.COMPANY_SKU.error(sku=sku["skuId"])
    off = given.get("disabledplans") or []
    if not isinstance(off, list):
        raise errors.WRONG_NODE.error(
            found="PrimitiveValue", property="disabledPlans", expected="StartArray"
        )
    disabled = tuple(dict.fromkeys(_guid(plan) for plan in off))
    known = {plan["servicePlanId"] for plan in sku["servicePlans"]}
    foreign = [plan for plan in disabled if plan not in known]
    if foreign:
        raise errors.UNKNOWN_PLANS.error(plans=", ".join(foreign))
    return Holding(sku["skuId"], "", disabled, NO_ERROR)


def check_plans(held: Iterable[Holding], skus: Subscriptions) -> None:
    """Raise Graph's refusal of service plans that do not go together, or that lack others."""
    enabled = holdings.enabled_plans(held, skus)
    if both := plans.excluding(enabled):
        raise errors.PLANS_EXCLUSIVE.error(plans=",".join(both))
    if fault := plans.lacking(enabled):
        raise errors.PLAN_DEPENDENCY.error(plan=fault[0], needs=",".join(fault[1]))


# --- users


def assign(call: Call) -> Reply:
    """`POST /users/{id}/assignLicense`: additions and removals together, or nothing.

    Judged is what the user holds after both, from groups too. A synced user is no exception:
    licenses are the cloud's.
    """
    user = accounts.get(call.db, call.key)
    added, removed = changes(call)
    before = holdings.of(call.db, user.id)
    taken = _taken(before, removed)
    if added and user.properties.get("usageLocation") in {None, *PROHIBITED}:
        raise errors.NO_USAGE_LOCATION.error()
    skus = Subscriptions(call.db)
    _check_seats(before, added, skus)
    kept = [held for held in before if held.group_id or held.sku_id not in {*removed, *added}]
    check_plans(filter(holdings.is_active, (*kept, *added.values())), skus)
    for holding in taken:
        holdings.drop(call.db, user.id, holding)
    for holding in added.values():
        holdings.put(call.db, user.id, holding, call.now)
    return _shown(call, user)


def _taken(before: list[Holding], removed: tuple[str, ...]) -> list[Holding]:
    """Give the holdings to remove; raises Graph's refusal of what is not held directly."""
    direct = {held.sku_id: held for held in before if not held.group_id}
    for sku_id in removed:
        if sku_id in direct:
            continue
        if any(held.sku_id == sku_id for held in before):
            raise errors.INHERITED.error()
        raise errors.NOT_HELD.error()
    return [direct[sku_id] for sku_id in removed]


def _check_seats(before: list[Holding], added: Iterable[str], skus: Subscriptions) -> None:
    seated = holdings.held_skus(before)
    for sku_id in added:
        if sku_id not in seated and not skus.has_seat(sku_id):
            raise errors.NO_SEATS.error(sku=sku_id)


def _shown(call: Call, user: User) -> Reply:
    return call.entity("users/$entity", users.shown(call, user, USER_DEFAULTS))


def reprocess(call: Call) -> Reply:
    """`POST /users/{id}/reprocessLicenseAssignment`: tries again what its groups give."""
    user = accounts.get(call.db, call.key)
    holdings.process(call.db, user, Subscriptions(call.db), call.now)
    return _shown(call, user)


def details(call: Call) -> Reply:
    """`GET /users/{id}/licenseDetails`."""
    user = accounts.get(call.db, call.key)
    assigned = accounts.show(call.db, user, ["assignedLicenses"])["assignedLicenses"]
    shown = (_detail(call.db, user, license_) for license_ in assigned)
    return closed.listing(call, f"users('{user.id}')/licenseDetails", "licenseDetails", shown)


def _detail(db: sqlite3.Connection, user: User, license_: dict[str, Any]) -> dict[str, Any]:
    sku = _known(db, license_["skuId"])
    off = license_["disabledPlans"]
    return {
        "id": f"{user.id}_{sku['skuId']}",
        "skuId": sku["skuId"],
        "skuPartNumber": sku["skuPartNumber"],
        "servicePlans": [
            plan | {"provisioningStatus": "Disabled"} if plan["servicePlanId"] in off else plan
            for plan in sku["servicePlans"]
        ],
    }


ROUTES: Final = (
    (
        "POST",
        "users/{}/assignLicense",
        Route(assign, p.LICENSE_ASSIGN, activity="Change user license"),
    ),
    (
        "POST",
        "users/{}/reprocessLicenseAssignment",
        Route(reprocess, p.LICENSE_REPROCESS, activity="Change user license"),
    ),
    ("GET", "users/{}/licenseDetails", Route(details, p.LICENSE_DETAILS, 2)),
)
