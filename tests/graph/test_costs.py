"""What requests cost, held against the sandbox's own reading of the same page of Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from reconciler.graph.costs import Cost, binding, cost, total
from reconciler.model import ObjectId
from reconciler.sandbox.trouble import costs as sandbox
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.requests import Requests
    from tests.graph.conftest import Wire

    Shown = Callable[[RequestInformation], Wire]
    Make = Callable[[Requests], RequestInformation]

ROOT = "https://graph.example/v1.0"
MARK = "extensionAttribute15"
ADA, STAFF, ROLE = ObjectId("ada-id"), ObjectId("staff-id"), ObjectId("role-id")

REQUESTS: dict[str, tuple[Make, int, Cost]] = {
    "organization": (lambda r: r.organization(), 1, Cost(1)),
    "licences": (lambda r: r.subscribed_skus(), 3, Cost(3)),
    "people, with managers": (lambda r: r.users(MARK, names=["a@b.c"])[0], 2, Cost(2)),
    "who people are": (lambda r: r.people(["a@b.c"], [])[0], 2, Cost(1)),
    "members": (lambda r: r.members(STAFF), 3, Cost(2)),
    "groups of a person": (lambda r: r.member_of(ADA), 2, Cost(1)),
    "the recycle bin": (lambda r: r.deleted_users(MARK), 1, Cost(1)),
    "an account": (lambda r: r.create_user({"displayName": "Ada"}), 1, Cost(1, 1)),
    "a change": (lambda r: r.update_user(ADA, {"city": "Paris"}), 1, Cost(1, 1)),
    "one member": (lambda r: r.add_member(STAFF, ADA, ROOT), 1, Cost(1, 1)),
    "twenty members": (lambda r: r.add_members(STAFF, [ADA] * 20, ROOT), 1, Cost(1, 7)),
    "three members": (lambda r: r.add_members(STAFF, [ADA] * 3, ROOT), 1, Cost(1, 1)),
    "a member less": (lambda r: r.remove_member(STAFF, ADA), 1, Cost(1, 1)),
}


@pytest.mark.parametrize(("make", "price", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_costs_what_graph_charges(
    make: Make, price: int, expected: Cost, requests: Requests, wire: Shown
) -> None:
    """Client and sandbox, which know nothing of each other, charge the same."""
    info = make(requests)
    sent = wire(info)

    path, _, query = sent.url.partition("?")
    body = orjson.loads(sent.body) if sent.body else None
    incoming = Incoming(sent.method, path, query, body=body)
    charged = sandbox.cost(incoming, price)
    assert cost(info) == expected
    assert (charged.units, charged.writes) == (expected.units, expected.writes)


def test_costs_add_up(requests: Requests) -> None:
    """A batch costs what its requests cost."""
    infos = [requests.subscribed_skus(), requests.add_members(STAFF, [ADA] * 20, ROOT)]

    assert total(infos) == Cost(4, 7)
    assert total([]) == Cost()


def test_binding_costs_a_write_for_every_three() -> None:
    """Begun threes count."""
    assert [binding(members) for members in (0, 1, 3, 4, 20)] == [1, 1, 1, 2, 7]
