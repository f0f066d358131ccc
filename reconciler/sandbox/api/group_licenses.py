"""Licenses of groups: their assignment, done after the reply, and members in error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups, objects
from reconciler.sandbox.api.licenses import changes, check_plans
from reconciler.sandbox.calls import Route
from reconciler.sandbox.company.skus import E3_CLASS, PREMIUM
from reconciler.sandbox.data import accounts, processing
from reconciler.sandbox.data.holdings import NO_ERROR, Holding
from reconciler.sandbox.data.properties import GROUP_DEFAULTS
from reconciler.sandbox.data.store import resources, setting, to_text
from reconciler.sandbox.data.subscriptions import Subscriptions, is_open
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.wire import Reply


def assign(call: Call) -> Reply:
    """`POST /groups/{id}/assignLicense`: 202 at once, and the members follow.

    Seats and the members' own licenses are looked at when it is their turn; what is refused at
    once lies in the group. Service plans must have what they depend on in the same group
    (Entra, "Resolve group license assignment problems").
    """
    group = groups.get(call.db, call.key)
    added, removed = changes(call)
    _require_premium(call)
    if not group.properties.get("securityEnabled"):
        raise errors.GROUP_NOT_LICENSABLE.error()
    held = {
        license_["skuId"]: Holding(
            license_["skuId"], "", tuple(license_["disabledPlans"]), NO_ERROR
        )
        for license_ in group.properties.get("assignedLicenses", ())
    }
    if not held.keys() >= set(removed):
        raise errors.GROUP_LICENSE_NOT_HELD.error()
    kept = {sku_id: one for sku_id, one in held.items() if sku_id not in removed} | added
    check_plans(kept.values(), Subscriptions(call.db))
    call.db.execute(
        "UPDATE \"group\" SET document = json_set(document, '$.assignedLicenses', json(?)) "
        "WHERE id = ?",
        (to_text([_license(one) for one in kept.values()]), group.id),
    )
    processing.enqueue(call.db, group.id, call.now)
    return _accepted(call, groups.get(call.db, group.id))


def _license(holding: Holding) -> dict[str, Any]:
    return {"disabledPlans": holding.disabled, "skuId": holding.sku_id}


def _require_premium(call: Call) -> None:
    """Raise unless one of the company's subscriptions allows licenses of groups."""
    for sku in resources(call.db, "sku"):
        held = {plan["servicePlanId"] for plan in sku["servicePlans"]}
        if is_open(sku) and (held & PREMIUM or sku["skuPartNumber"] in E3_CLASS):
            return
    raise errors.GROUP_LICENSING.error()


def _accepted(call: Call, group: Group) -> Reply:
    where = f"{call.request.root.removesuffix('/v1.0')}/v2/{setting(call.db, 'tenant')}"
    location = f"{where}/directoryObjects/{group.id}/Microsoft.DirectoryServices.Group"
    shown = call.entity("groups/$entity", groups.show(group, GROUP_DEFAULTS), 202)
    return replace(shown, headers={"location": location})


def members_in_error(call: Call) -> Reply:
    """`GET /groups/{id}/membersWithLicenseErrors`: living members whom it could not license."""
    asked = odata.options(call.request)
    if asked.filter is not None:
        raise errors.NOT_SERVED.error(what="$filter on membersWithLicenseErrors")
    group = groups.get(call.db, call.key)
    rows = call.db.execute(
        "SELECT m.seq, u.seq, u.id, upn, u.deleted, manager, password, u.document "
        "FROM member AS m JOIN user AS u ON u.id = member_id "
        "WHERE m.group_id = :group AND m.seq > :after AND u.deleted IS NULL AND EXISTS "
        "(SELECT 1 FROM license AS l WHERE l.user_id = member_id AND l.group_id = :group "
        "AND l.error <> 'None') ORDER BY m.seq LIMIT :limit",
        {"group": group.id, "after": asked.after, "limit": asked.top + 1},
    ).fetchall()
    return odata.page(
        call,
        asked,
        "directoryObjects",
        rows,
        lambda row: objects.show(call, accounts.from_row(row[1:]), asked),
    )


ROUTES: Final = (
    (
        "POST",
        "groups/{}/assignLicense",
        Route(assign, p.GROUP_LICENSE_ASSIGN, activity="Set group license"),
    ),
    ("GET", "groups/{}/membersWithLicenseErrors", Route(members_in_error, p.MEMBER_READ, 3)),
)
