"""`/subscribedSkus`: what the company has, and how much of it is used.

Knows `$select` and `$top`; the other options are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import closed
from reconciler.sandbox.calls import Route
from reconciler.sandbox.data.store import resource, resources
from reconciler.sandbox.data.subscriptions import consumed
from reconciler.sandbox.trouble.lag import Area

if TYPE_CHECKING:
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.wire import Reply


def listing(call: Call) -> Reply:
    """`GET /subscribedSkus`."""
    skus = (_counted(call, sku) for sku in resources(call.db, "sku"))
    return closed.listing(call, "subscribedSkus", "subscribedSku", skus, errors.SKU_FILTER)


def read(call: Call) -> Reply:
    """`GET /subscribedSkus/{tenantId}_{skuId}`."""
    sku = resource(call.db, "sku", call.key.rpartition("_")[2])
    if sku is None or sku["id"] != call.key.lower():
        raise errors.NO_RESOURCE.error(id=call.key)
    return closed.one(call, "subscribedSkus", "subscribedSku", _counted(call, sku))


def _counted(call: Call, sku: dict[str, Any]) -> dict[str, Any]:
    return {**sku, "consumedUnits": consumed(call.db, sku["skuId"])}


ROUTES: Final = (
    ("GET", "subscribedSkus", Route(listing, p.SKU_READ, 3, area=Area.SEATS)),
    ("GET", "subscribedSkus/{}", Route(read, p.SKU_READ, 3, area=Area.SEATS)),
)
