"""The pace, held against the sandbox's quotas on a clock of its own."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest

from reconciler.graph.costs import Cost
from reconciler.graph.reply import Reply
from reconciler.graph.throttling import TOO_MANY, Allowance, Pace
from reconciler.sandbox.trouble import costs, throttling
from reconciler.sandbox.trouble.quotas import Meter
from reconciler.sandbox.trouble.settings import Quota, Size, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 20
AT_ONCE = 4
DOCUMENTED = 3_000.0
PER_SECOND = 20.0


@dataclass
class Simulation:
    """Somebody who writes *writes* times, and a Graph that counts; latencies in seconds."""

    amount: float
    time: float
    latency: float
    used: float = 0.0
    """The share of the quota that somebody else has used before."""
    wait: Wait = Wait.FRACTIONAL
    writes: int = 3_700
    tells: bool = True
    """Whether replies say how much of the limit is used."""
    now: float = 0.0
    sent: int = 0
    refused: int = 0
    flying: list[tuple[float, int, list[Reply] | int]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 -- the same each time

    def __post_init__(self) -> None:
        """Open both ends."""
        self.meter = Meter(Quota(Size.S, self.time, self.amount), lambda: self.now)
        for _ in range(int(self.used * DOCUMENTED * self.amount)):
            self.meter.charge("app", costs.Cost(1, 1))
        self.pace = Pace(lambda: self.now)

    @property
    def least(self) -> float:
        """Seconds that the quota alone takes, were nothing of it saved up."""
        return self.writes / (PER_SECOND * self.amount / self.time)

    def run(self) -> Simulation:
        """Write everything."""
        left = self.writes
        while left or self.flying:
            cost = Cost(min(BATCH, left), min(BATCH, left))
            room = self.pace.delay(cost) if left and len(self.flying) < AT_ONCE else float("inf")
            if room == 0:
                self.pace.sent(cost)
                left -= cost.writes
                self.sent += cost.writes
                self._fly(cost.writes)
                self.now += 0.005
            elif self.flying and self.flying[0][0] <= self.now + room:
                moment, _, what = heapq.heappop(self.flying)
                self.now = max(self.now, moment)
                left += self._land(what)
            else:
                self.now += room
        return self

    def _fly(self, what: list[Reply] | int) -> None:
        half = self.latency * (1 + 0.3 * self.chance.random()) / 2
        heapq.heappush(self.flying, (self.now + half, next(self.numbers), what))

    def _land(self, what: list[Reply] | int) -> int:
        """Charge a batch that arrives; hear replies that do, and give how many were refused."""
        if isinstance(what, int):
            self._fly([self._reply() for _ in range(what)])
            return 0
        refused = sum(reply.status == TOO_MANY for reply in what)
        self.refused += refused
        self.pace.heard(Cost(len(what), len(what)), what, patience=1.0)
        return refused

    def _reply(self) -> Reply:
        toll = self.meter.charge("app", costs.Cost(1, 1))
        headers = toll.headers if self.tells else {}
        if not toll.wait:
            return Reply(201, headers, {})
        after = throttling.retry_after(toll.wait, self.wait)
        return Reply(TOO_MANY, headers | ({"retry-after": after} if after else {}), {})


@pytest.mark.parametrize("latency", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("used", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("wait", [Wait.WHOLE, Wait.FRACTIONAL])
def test_writes_go_at_the_documented_quota(latency: float, used: float, wait: Wait) -> None:
    """Nothing of the quota is left lying, and next to nothing is refused."""
    simulation = Simulation(1, 1, latency, used, wait).run()

    assert simulation.now <= 1.1 * simulation.least
    assert simulation.refused <= 0.01 * simulation.sent


@pytest.mark.parametrize("latency", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("used", [0.0, 0.5])
@pytest.mark.parametrize(
    ("amount", "time"), [(0.1, 0.1), (0.1, 0.05), (0.1, 0.02), (0.2, 0.04), (0.5, 1.0)]
)
def test_writes_go_at_the_quota_that_is_granted(
    amount: float, time: float, latency: float, used: float
) -> None:
    """A tenant that grants other figures than the documented ones is found out."""
    simulation = Simulation(amount, time, latency, used).run()

    assert simulation.now <= 1.1 * simulation.least
    assert simulation.refused <= 0.03 * simulation.sent


@pytest.mark.parametrize("wait", Wait)
def test_without_being_told_the_documented_quota_is_kept(wait: Wait) -> None:
    """Where no reply tells a share, the first refusal is the last but for a few."""
    simulation = Simulation(1, 1, 0.1, 0.5, wait, tells=False).run()

    assert simulation.now <= 1.1 * simulation.least
    assert simulation.refused <= 0.05 * simulation.sent


def test_one_refusal_stops_everybody() -> None:
    """What Graph asks for is waited by all, not only by whom it refused."""
    now = 0.0
    pace = Pace(lambda: now)
    one = Cost(1, 1)
    pace.sent(one)

    pace.heard(one, [Reply(TOO_MANY, {"retry-after": "2.5"}, None)], patience=1.0)

    assert pace.delay(one) == 2.5
    assert pace.delay(Cost(1)) == 0.0
    now = 2.5
    assert pace.delay(one) == 0.0


def test_a_refusal_without_a_time_is_waited_as_long_as_the_sender_thinks() -> None:
    """Retry-After may be missing."""
    pace = Pace(lambda: 0.0)
    pace.sent(Cost(1))

    pace.heard(Cost(1), [Reply(TOO_MANY, {}, None)], patience=4.0)

    assert pace.delay(Cost(1)) == 4.0


def test_the_first_write_goes_alone() -> None:
    """Its answer tells what others have used before; then several go at once."""
    pace = Pace(lambda: 0.0)
    one = Cost(1, 1)
    pace.sent(one)

    assert pace.delay(one) > 0
    pace.heard(one, [Reply(201, {}, {})], patience=1.0)
    assert pace.delay(one) == 0.0


def test_what_costs_more_than_a_limit_waits_for_all_of_it() -> None:
    """And then goes: nothing is stuck for good."""
    allowance = Allowance(100.0, 10.0)
    allowance.spend(40.0, 0.0)

    assert allowance.delay(500.0, 0.0) == 4.0
    assert allowance.delay(500.0, 4.0) == 0.0


def test_a_share_beyond_the_limit_asks_for_no_more_than_the_whole() -> None:
    """Graph tells up to 1.8: what is beyond the limit it refuses itself, and says for how long."""
    waits: list[float] = []
    for share in ("1.0", "1.8"):
        pace = Pace(lambda: 0.0)
        pace.sent(Cost(1, 1))
        reply = Reply(200, {"x-ms-throttle-limit-percentage": share}, None)
        pace.heard(Cost(1, 1), [reply], 0.0)
        waits.append(pace.delay(Cost(20, 20)))

    assert waits[0] == waits[1] > 0


def test_an_answer_that_never_came_teaches_nothing() -> None:
    """What was spent on it is spent."""
    pace = Pace(lambda: 0.0)
    pace.sent(Cost(1, 1))

    pace.heard(Cost(1, 1), [], patience=1.0)

    assert pace.writes.flying == 0.0
    assert pace.writes.left == DOCUMENTED - 1
