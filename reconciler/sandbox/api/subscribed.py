"""`/subscribedSkus`: what the company has, and how much of it is used.

Knows `$select` only: `$filter` is refused, the other options are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api.closed import selected
from reconciler.sandbox.calls import Route
from reconciler.sandbox.data.store import resource, resources
from reconciler.sandbox.data.subscriptions import consumed
from reconciler.sandbox.query import odata
from reconciler.sandbox.trouble.lag import Area

if TYPE_CHECKING:
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.query.odata import Options
    from reconciler.sandbox.wire import Reply


def listing(call: Call) -> Reply:
    """`GET /subscribedSkus`."""
    asked = _options(call)
    value = [_shown(call, sku, asked) for sku in resources(call.db, "sku")]
    context = odata.context("subscribedSkus", asked.select, asked.select)
    return call.entity(context, {"value": value})


def read(call: Call) -> Reply:
    """`GET /subscribedSkus/{tenantId}_{skuId}`."""
    asked = _options(call)
    sku = resource(call.db, "sku", call.key.rpartition("_")[2])
    if sku is None or sku["id"] != call.key.lower():
        raise errors.NO_RESOURCE.error(id=call.key)
    context = odata.context("subscribedSkus", asked.select, asked.select)
    return call.entity(f"{context}/$entity", _shown(call, sku, asked))


def _options(call: Call) -> Options:
    asked = odata.options(call.request)
    if asked.filter is not None:
        raise errors.SKU_FILTER.error()
    return asked


def _shown(call: Call, sku: dict[str, Any], asked: Options) -> dict[str, Any]:
    return selected(
        "subscribedSku", {**sku, "consumedUnits": consumed(call.db, sku["skuId"])}, asked
    )


ROUTES: Final = (
    ("GET", "subscribedSkus", Route(listing, p.SKU_READ, 3, area=Area.SEATS)),
    ("GET", "subscribedSkus/{}", Route(read, p.SKU_READ, 3, area=Area.SEATS)),
)
