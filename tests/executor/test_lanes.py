"""What is sent together, what at once, and what never."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter

from reconciler.changes import Change, Create, LicenseKey, ManagerKey, MembershipKey, Wave
from reconciler.executor.chains import Chains
from reconciler.executor.run import execute
from reconciler.executor.surroundings import Clock, Stop
from reconciler.executor.tasks import Queue, Task
from reconciler.graph.auth import Renewable
from reconciler.graph.clouds import Cloud
from reconciler.graph.operations import Operation
from reconciler.graph.transport import BATCHES_AT_ONCE, Graph
from reconciler.graph.waiting import Waiting
from reconciler.model import Account, CohortName, ObjectId, Tenant, UserPrincipalName
from reconciler.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.executor.receipt import Run

BETA = CohortName("beta")
CLOUD = Cloud("https://graph.example", "https://login.example", "https://graph.example/.default")


def person(number: int) -> Account:
    """Give somebody who exists."""
    return Account(UserPrincipalName(f"p{number:03}@contoso.com"), ObjectId(f"id-{number:03}"))


def joins(number: int, group: str) -> Create:
    """Give a membership to be made."""
    key = MembershipKey(person(number), ObjectId(group), group)
    return Create(key, BETA, Wave.ENTITLEMENTS)


def licensed(number: int) -> Create:
    """Give a licence to be assigned."""
    key = LicenseKey(person(number), ObjectId("e5"), "SPE_E5")
    return Create(key, BETA, Wave.ENTITLEMENTS)


@dataclass
class SlowGraph:
    """Accepts everything, in no hurry, and remembers what was in flight at once."""

    flying: list[set[str]] = field(default_factory=list)
    most: int = 0
    clashes: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a batch after others had their turn."""
        parts = orjson.loads(request.content)["requests"]
        if parts[0]["method"] == "GET":  # the run asks what it has written
            return httpx.Response(503)
        lanes = [part["url"].partition("?")[0] for part in parts]
        self.sizes.append(len(parts))
        mine = set(lanes)
        self.clashes += [lane for lane in mine if lanes.count(lane) > 1]
        self.clashes += [lane for lane in mine if any(lane in other for other in self.flying)]
        self.flying.append(mine)
        self.most = max(self.most, len(self.flying))
        for _ in range(20):
            await asyncio.sleep(0)
        self.flying.remove(mine)
        replies = [{"id": part["id"], "status": 204} for part in parts]
        return httpx.Response(200, json={"responses": replies})

    async def sleep(self, _: float) -> None:
        """Take no time."""

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """Sign in, as a credential does."""
        return AccessToken("a.b.c", 2**31)

    def wave(self, *_: object) -> None:
        """Watch, as a watcher does."""

    def settled(self, *_: object) -> None:
        """Watch, as a watcher does."""

    def confirming(self, *_: object) -> None:
        """Watch, as a watcher does."""


def run(slow: SlowGraph, out: Path, *changes: Change) -> Run:
    """Execute a plan of *changes* against *slow*."""
    plan = Plan(Tenant(ObjectId("t"), "T", ()), "s", "extensionAttribute15", changes, {})
    clock = Clock(lambda: datetime(2026, 3, 2, tzinfo=UTC), lambda: 0.0)

    async def executed() -> Run:
        async with httpx.AsyncClient(transport=httpx.MockTransport(slow.answer)) as client:
            adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), client)
            adapter.base_url = "https://graph.example/v1.0"
            graph = Graph(adapter, Renewable(slow), CLOUD, Waiting(sleep=slow.sleep))
            done, _ = await execute(plan, graph, out=out, watcher=slow, clock=clock, stop=Stop())
            return done

    return asyncio.run(executed())


def test_a_few_batches_at_once(tmp_path: Path) -> None:
    """Batches of twenty are in flight together, as many as Graph advises and no more."""
    slow = SlowGraph()

    done = run(slow, tmp_path, *(licensed(n) for n in range(190)))

    assert done.result == "applied"
    assert (slow.most, slow.sizes) == (BATCHES_AT_ONCE, [20] * 9 + [10])


def test_one_group_is_written_once_at_a_time(tmp_path: Path) -> None:
    """While a write to a group is in flight, no other one is sent, in whatever batch."""
    slow = SlowGraph()
    changes = [joins(n, group) for n in range(95) for group in ("staff", "door")]

    done = run(slow, tmp_path, *changes, *(licensed(n) for n in range(95)))

    assert done.result == "applied"
    assert slow.clashes == []
    assert slow.most > 1


def a_task(lane: str, not_before: float = 0.0) -> Task:
    """Give a task of a lane."""
    return Task(Operation((licensed(1),), lane), not_before=not_before)


def lanes(tasks: Any) -> list[str]:  # noqa: ANN401 -- any collection of tasks
    """Give the lanes of *tasks*."""
    return [task.operation.lane for task in tasks]


@pytest.mark.parametrize(
    ("waiting", "taken", "left"),
    [
        ("abc", "abc", ""),
        ("aab", "ab", "a"),
        ("Aaba", "b", "Aaa"),
        ("axb", "ab", ""),
        ("xxa", "a", ""),
        ("", "", ""),
    ],
    ids=["all", "one of a lane", "who waits is not overtaken", "dropped", "a lane ends", "none"],
)
def test_what_can_be_sent_now(waiting: str, taken: str, left: str) -> None:
    """Capitals are not due yet, x is pointless; what stays keeps its order."""
    tasks = [a_task(c.lower(), 9.0 if c.isupper() else 0.0) for c in waiting]
    queue = Queue(tasks)

    found = queue.take(5.0, lambda task: task.operation.lane == "x")

    assert "".join(lanes(found)) == taken
    assert len(queue) == len(left)
    assert "".join(lanes(queue.drain())) == left.lower()
    assert len(queue) == 0


def test_a_lane_goes_on_when_its_task_is_back() -> None:
    """While one is out the lane rests; what is to be sent again comes before the others."""
    first, second = a_task("a"), a_task("a")
    queue = Queue([first, second])

    assert queue.take(0.0, lambda _: False) == [first]
    assert queue.take(0.0, lambda _: False) == []
    queue.back([first], again=[first])
    assert queue.take(0.0, lambda _: False) == [first]
    queue.back([first], again=[])
    assert queue.take(0.0, lambda _: False) == [second]
    queue.back([second], again=[])
    assert (len(queue), queue.take(0.0, lambda _: False)) == (0, [])


def test_what_is_not_due_is_told_and_comes_in_time() -> None:
    """The first moment at which something falls due is known."""
    early, late = a_task("a", 3.0), a_task("b", 7.0)
    queue = Queue([late, early])

    assert queue.take(1.0, lambda _: False) == []
    assert queue.due() == 3.0
    assert queue.take(3.0, lambda _: False) == [early]
    assert queue.due() == 7.0


def test_no_more_than_a_batch_is_taken() -> None:
    """The rest stays where it was."""
    queue = Queue(a_task(str(n)) for n in range(25))

    found = queue.take(0.0, lambda _: False)

    assert (lanes(found), lanes(queue.drain())) == (
        [str(n) for n in range(20)],
        [str(n) for n in range(20, 25)],
    )


NEW = Account(UserPrincipalName("New@contoso.com"))


def test_chains() -> None:
    """Who fails takes along what hangs on the account, by whatever case of the name."""
    chains = Chains(lambda: 0.0)
    first = Create(LicenseKey(NEW, ObjectId("e5"), "SPE_E5"), BETA, Wave.ENTITLEMENTS)
    lower = Account(UserPrincipalName("new@CONTOSO.com"))
    second = Create(MembershipKey(lower, ObjectId("g"), "g"), BETA, Wave.ENTITLEMENTS)
    reports = Create(ManagerKey(person(1), lower), BETA, Wave.ENTITLEMENTS)

    assert (chains.broken(first), chains.broken(second)) == (None, None)
    assert chains.broken(reports) == "user/new@contoso.com"
    chains.made(NEW, ObjectId("made"))
    assert chains.broken(reports) is None
    chains.end(first)
    chains.end(second)
    assert chains.broken(second) == first.key.address
    assert chains.broken(first) is None
    assert (chains.id_of(lower), chains.identified(second).key.account.id) == ("made", "made")
    assert chains.identified(licensed(1)) == licensed(1)


@pytest.mark.parametrize(("elapsed", "is_fresh"), [(0.0, True), (299.0, True), (300.0, False)])
def test_accounts_are_fresh_for_a_while(elapsed: float, *, is_fresh: bool) -> None:
    """What this run has made may be invisible for five minutes."""
    moments = iter((0.0, elapsed, elapsed))
    chains = Chains(lambda: next(moments))
    chains.made(NEW, ObjectId("made"))

    assert chains.is_fresh([person(1), NEW]) == is_fresh
    assert not chains.is_fresh([person(1)])


def test_a_stop_counts_once() -> None:
    """The first reason is the one that is told, and trouble while sleeping is not lost."""
    stop = Stop()
    stop.request("the first")
    stop.request("the second")

    async def trouble() -> None:
        raise ZeroDivisionError

    assert stop.because == "the first"
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Stop().cut_short(trouble()))
