"""What an apply of a plan would send: the very requests, counted and priced, never sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from reconciler.estimate import Estimate, Limit, Stage
from reconciler.graph.batching import SIZE
from reconciler.graph.costs import Cost, total
from reconciler.graph.operations import Maker, operations
from reconciler.graph.requests import Requests
from reconciler.graph.throttling import UNITS, WRITES
from reconciler.model import ObjectId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.changes import Change, Wave
    from reconciler.model import Account
    from reconciler.plan import Plan


def estimate(plan: Plan) -> Estimate:
    """Give what an apply of *plan* sends if all goes well, at the documented limits."""
    maker = Maker(_requests(), "", plan.ownership, _id_of)
    stages = tuple(_stage(wave, changes, maker) for wave, changes in plan.waves)
    return Estimate(stages, Limit(*WRITES), Limit(*UNITS))


def _stage(wave: Wave, changes: Iterable[Change], maker: Maker) -> Stage:
    lanes: Counter[str] = Counter()
    cost = Cost()
    number = 0
    for operation in operations(changes):
        requests = maker.requests_for(operation)
        lanes[operation.lane] += len(requests)
        cost += total(requests)
        number += len(operation.changes)
    sent = lanes.total()
    batches = max(-(-sent // SIZE), *lanes.values())
    return Stage(wave, number, sent, batches, cost.writes, cost.units)


def _id_of(account: Account) -> ObjectId:
    """Give an id, or what stands for that of an account which is yet to be made."""
    return account.id or ObjectId(account.user_principal_name)


def _requests() -> Requests:
    """Give what builds requests, with a transport that cannot send any."""
    nowhere = httpx.AsyncClient(transport=httpx.AsyncBaseTransport(), trust_env=False)
    adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), nowhere)
    return Requests(GraphServiceClient(request_adapter=adapter))
