from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PLAN_APP, TENANT_ID
from reconciler.sandbox.trouble.costs import Cost, cost
from reconciler.sandbox.trouble.quotas import Meter, limits
from reconciler.sandbox.trouble.settings import Quota, Size, Throttled, Trouble, Wait
from reconciler.sandbox.wire import Incoming

Made = Callable[..., dict[str, Any]]
APP = APPLY_APP.client_id
JSON = {"Content-Type": "application/json"}
PERCENTAGE = "x-ms-throttle-limit-percentage"


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


Limited = Callable[..., httpx.Client]


@pytest.fixture
def limited(start: Callable[..., httpx.Client], clock: Clock) -> Limited:
    """Start a tenant of one's own with this quota."""
    return lambda **quota: start(trouble=Trouble(quota=Quota(**quota)), clock=clock)


def _reads(graph: httpx.Client, number: int) -> list[httpx.Response]:
    """Ask for what costs one unit."""
    return [graph.get("/domains") for _ in range(number)]


def test_without_a_quota_nothing_is_charged(start: Callable[..., httpx.Client]) -> None:
    """Costs are told, and no limit is ever near."""
    replies = _reads(start(), 3)
    assert {reply.headers["x-ms-resource-unit"] for reply in replies} == {"1"}
    assert not any(PERCENTAGE in reply.headers for reply in replies)


def test_the_limits_are_those_that_graph_documents() -> None:
    """Amounts and periods, for each size of a tenant."""
    told = [(each.scope, each.measure, each.amount, each.seconds) for each in limits(Quota())]
    assert told == [
        ("Tenant_Application", "units", 3_500, 10),
        ("Tenant_Application", "writes", 3_000, 150),
        ("Tenant_Application", "audits", 5, 10),
        ("Application", "units", 150_000, 20),
        ("Application", "writes", 35_000, 300),
        ("Application", "requests", 130_000, 10),
        ("Tenant", "writes", 18_000, 300),
    ]
    sizes = [limits(Quota(size))[0].amount for size in Size]
    assert sizes == [3_500, 5_000, 8_000]


def test_units_are_refused_beyond_their_limit(limited: Limited, clock: Clock) -> None:
    """From 0.8 on replies warn; then comes 429 with the headers of Graph, until time passes."""
    graph = limited(amount=10 / 3_500)
    replies = _reads(graph, 11)
    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    shares = [reply.headers.get(PERCENTAGE) for reply in replies]
    assert shares == [None] * 7 + ["0.8", "0.9", "1", "1.1"]
    refused = replies[-1]
    assert refused.headers["x-ms-resource-unit"] == "1"
    assert refused.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    scope = f"Tenant_Application/ReadWrite/{APP}/{TENANT_ID}"
    assert refused.headers["x-ms-throttle-scope"] == scope
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["error"]["code"] == "TooManyRequests"
    clock.now += 2
    assert graph.get("/domains").status_code == 200


def test_who_waits_as_told_is_served(limited: Limited, clock: Clock) -> None:
    """`Retry-After` is never too short, and refused requests count, up to 1.8."""
    graph = limited(amount=10 / 3_500, wait=Wait.FRACTIONAL)
    replies = _reads(graph, 30)
    last = replies[-1]
    assert last.headers[PERCENTAGE] == "1.8"
    assert last.headers["retry-after"] == "9.000"
    clock.now += float(last.headers["retry-after"])
    assert graph.get("/domains").status_code == 200
    assert graph.get("/domains").status_code == 429


@pytest.mark.parametrize(
    ("wait", "expected"), [(Wait.WHOLE, "1"), (Wait.FRACTIONAL, "0.400"), (Wait.ABSENT, None)]
)
def test_retry_after_is_written_as_asked(limited: Limited, wait: Wait, expected: str) -> None:
    """Whole, fractional or absent; a period may be scaled."""
    graph = limited(amount=5 / 3_500, time=0.1, wait=wait)
    refused = _reads(graph, 6)[-1]
    assert (refused.status_code, refused.headers.get("retry-after")) == (429, expected)


def test_the_directory_may_have_its_own_words(limited: Limited) -> None:
    """`Request_ThrottledTemporarily` comes in the usual envelope and names the seconds."""
    graph = limited(amount=5 / 3_500, code=Throttled.TEMPORARILY)
    error = _reads(graph, 6)[-1].json()["error"]
    assert error["code"] == "Request_ThrottledTemporarily"
    assert error["message"] == (
        "Your request is throttled temporarily. Please try after 4 seconds."
    )
    assert error["innerError"]["request-id"]


def test_writes_have_a_limit_of_their_own(limited: Limited, clock: Clock, body: Made) -> None:
    """Reading goes on when no more may be written, and nothing was done."""
    graph = limited(amount=2 / 3_000, size=Size.L)
    sent = [body() for _ in range(3)]
    replies = [graph.post("/users", json=each) for each in sent]
    assert [reply.status_code for reply in replies] == [201, 201, 429]
    assert replies[-1].headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert replies[-1].headers["retry-after"] == "150"
    clock.now += 10
    assert graph.get(f"/users/{sent[2]['userPrincipalName']}").status_code == 404
    clock.now += 140
    assert graph.post("/users", json=sent[2]).status_code == 201


def test_the_parts_of_a_batch_are_charged_alone(limited: Limited) -> None:
    """The outer reply stays 200; refused parts say when to come back."""
    graph = limited(amount=3 / 3_500, wait=Wait.FRACTIONAL)
    requests = [{"id": str(number), "method": "GET", "url": "/domains"} for number in range(5)]
    reply = graph.post("/$batch", json={"requests": requests})
    parts = {part["id"]: part for part in reply.json()["responses"]}
    assert reply.status_code == 200
    assert {key: part["status"] for key, part in parts.items()} == {
        "0": 200,
        "1": 200,
        "2": 200,
        "3": 429,
        "4": 429,
    }
    waits = [float(parts[key]["headers"]["Retry-After"]) for key in ("3", "4")]
    assert waits == [6.667, 10.0]
    assert parts["4"]["body"]["error"]["code"] == "TooManyRequests"
    assert parts["4"]["headers"]["X-Ms-Throttle-Scope"].startswith("Tenant_Application/")


def test_a_bind_costs_a_write_for_three_members(limited: Limited, body: Made, clock: Clock) -> None:
    """Twenty members at once cost seven writes."""
    graph = limited(amount=8 / 3_000, size=Size.L)
    people = graph.get("/users?$top=20&$select=id").json()["value"]
    references = [f"https://graph.microsoft.com/v1.0/directoryObjects/{p['id']}" for p in people]
    clock.now += 100
    group = next(each.id for each in GROUPS if each.nickname == "contractors")
    members = graph.get(f"/groups/{group}/members?$select=id").json()["value"]
    held = {member["id"] for member in members}
    added = [each for each in references if each.rpartition("/")[2] not in held]
    assert len(added) > 15
    clock.now += 100
    reply = graph.patch(f"/groups/{group}", json={"members@odata.bind": added})
    assert reply.status_code == 204
    left = 8 - -(-len(added) // 3)
    replies = [graph.post("/users", json=body()) for _ in range(left + 1)]
    assert [each.status_code for each in replies] == [201] * left + [429]


def test_applications_have_limits_of_their_own(clock: Clock) -> None:
    """What one uses up another still has, but for what the whole tenant may write."""
    meter = Meter(Quota(amount=1 / 3_000), clock)
    write = Cost(units=1, writes=1)
    assert meter.charge(APP, write).wait == 0
    assert meter.charge(APP, write).information == "WriteLimitExceeded"
    assert meter.charge(PLAN_APP.client_id, write).wait == 0
    for number in range(3):
        assert meter.charge(f"app {number}", write).wait == 0
    toll = meter.charge("one more", write)
    assert (toll.scope, toll.information) == ("Tenant", "WriteLimitExceeded")
    assert toll.wait > 0


def test_the_audit_log_is_a_service_of_its_own(clock: Clock) -> None:
    """Five requests in ten seconds, which cost the directory nothing."""
    meter = Meter(Quota(), clock)
    asked = Cost(units=1, writes=0, is_audit=True)
    waits = [meter.charge(APP, asked).wait for _ in range(6)]
    assert waits == [0, 0, 0, 0, 0, 4]
    assert meter.charge(APP, Cost(units=3_500, writes=0)).wait == 0


def test_what_costs_more_than_the_limit_passes_alone(clock: Clock) -> None:
    """A limit scaled very small lets one request through at a time."""
    meter = Meter(Quota(amount=0.0001), clock)
    dear = Cost(units=5, writes=0)
    assert meter.charge(APP, dear).wait == 0
    assert meter.charge(APP, dear).wait > 0
    clock.now += 60
    assert meter.charge(APP, dear).wait == 0


@pytest.mark.parametrize(
    ("method", "target", "price", "units", "writes"),
    [
        ("GET", "/users", 2, 2, 0),
        ("GET", "/users?$select=id", 2, 1, 0),
        ("GET", "/users?$select=id&$top=19", 2, 1, 0),
        ("GET", "/users?$top=20", 2, 2, 0),
        ("GET", "/users?$top=5", 2, 1, 0),
        ("GET", "/users?$top=many", 2, 2, 0),
        ("GET", "/users?$expand=manager", 2, 3, 0),
        ("GET", "/users?select=id&expand=manager", 2, 2, 0),
        ("GET", "/groups/x/transitiveMembers?$select=id&$top=1", 5, 3, 0),
        ("GET", "/domains?$select=id", 1, 1, 0),
        ("POST", "/directoryObjects/getByIds", 5, 5, 0),
        ("POST", "/directoryObjects/getByIds?$select=id", 5, 2, 0),
        ("POST", "/directoryObjects/microsoft.graph.getByIds?$select=id", 5, 2, 0),
        ("POST", "/users/x/checkMemberGroups", 4, 4, 0),
        ("POST", "/users/x/assignLicense?$select=id", 1, 1, 1),
        ("POST", "/users", 1, 1, 1),
        ("PATCH", "/users/x", 1, 1, 1),
        ("DELETE", "/users/x", 1, 1, 1),
        ("PUT", "/users/x/manager/$ref", 1, 1, 1),
    ],
)
def test_costs_are_those_that_graph_documents(
    method: str, target: str, price: int, units: int, writes: int
) -> None:
    """`$select` and small pages save a unit, `$expand` adds one; asking is no write."""
    path, _, query = target.partition("?")
    assert cost(Incoming(method, f"/v1.0{path}", query), price) == Cost(units, writes)


@pytest.mark.parametrize(
    ("body", "writes"),
    [
        ({"members@odata.bind": ["x"] * 20}, 7),
        ({"Members@odata.bind": ["x"] * 3, "owners@odata.bind": ["x"]}, 2),
        ({"members@odata.bind": []}, 1),
        ({"manager@odata.bind": "x"}, 1),
        ([1], 1),
        (None, 1),
    ],
)
def test_links_are_counted_by_threes(body: object, writes: int) -> None:
    """A body's links cost a write for each three, and any body at least one."""
    incoming = Incoming("PATCH", "/v1.0/groups/x", body=body)
    assert cost(incoming, 1).writes == writes


@pytest.mark.parametrize(
    ("method", "path", "units"),
    [
        ("GET", "/users", 2),
        ("GET", "/users/priya@contoso.com", 1),
        ("GET", "/users/priya@contoso.com/memberOf", 2),
        ("GET", "/users/priya@contoso.com/licenseDetails", 2),
        ("GET", "/groups", 1),
        ("GET", f"/groups/{GROUPS[0].id}/members", 3),
        ("GET", f"/groups/{GROUPS[0].id}/transitiveMembers", 5),
        ("GET", "/subscribedSkus", 3),
        ("POST", "/directoryObjects/getByIds", 5),
        ("POST", "/users/priya@contoso.com/checkMemberGroups", 4),
        ("POST", "/users/priya@contoso.com/getMemberGroups", 2),
    ],
)
def test_replies_tell_what_they_cost(
    graph: httpx.Client, token: Callable[..., str], method: str, path: str, units: int
) -> None:
    """`x-ms-resource-unit` is the price of each path."""
    bodies = {
        "getByIds": {"ids": []},
        "checkMemberGroups": {"groupIds": []},
        "getMemberGroups": {"securityEnabledOnly": False},
    }
    sent = bodies.get(path.rpartition("/")[2]) if method == "POST" else None
    asking = {
        "Authorization": f"Bearer {token('Directory.Read.All', 'LicenseAssignment.Read.All')}"
    }
    reply = graph.request(method, path, json=sent, headers=asking)
    assert (reply.status_code, reply.headers["x-ms-resource-unit"]) == (200, str(units))
