"""How fast requests may go: as fast as Graph takes them, and as few refused as can be.

Graph keeps a token bucket for each limit (Graph, "Throttling guidance"). Two of them are
kept here as well, for all workers of a run together. What Graph tells corrects them: a
reply says in `x-ms-throttle-limit-percentage` how much of a limit is used once that is
0.8, and a refusal says in `Retry-After` when to come back. So the documented figures are
where a run begins, and what the tenant really grants is what it goes by.

Pure but for the clock that it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.graph.costs import Cost
    from reconciler.graph.reply import Reply

WRITES = (3_000.0, 150.0)
"""Writes of one application in one tenant, in so many seconds (late 2026)."""
UNITS = (3_500.0, 10.0)
"""Resource units of one application in a tenant of the smallest size (late 2026)."""
TOLD_FROM = 0.8
"""The share of a limit from which Graph tells it."""
MARGIN = 0.03
"""The share that is left alone: what is told is rounded, and others write as well."""
TOO_MANY = 429
_SERVER_ERROR = 500
_TINY = 1e-6
"""What sums of fractions may be off by."""
_A_WHILE = 1.0
"""Seconds over which a rate can be learnt."""
_CLEAR_RISE = 0.03
"""A rise of the share that tells how large a limit is: smaller ones are lost in rounding."""
_PROBE = 20.0
"""What is sent at once to find out how large a limit is, or whether it is open again."""
_FIRST_ANSWER = 1.0
"""Seconds after which to ask again whether the first request was answered."""
_STEP = 0.2
"""How far a later measurement moves what is taken for the capacity."""
_SMALLEST = 150.0
"""Below this no limit is taken to be: a batch of twenty requests costs up to 140."""
_FASTEST = 10.0
"""The share of the documented rate above which none is taken to be."""
_SLOWEST = 0.5
"""The share of the documented rate below which none is taken to be: the told share brakes."""


class _Point(NamedTuple):
    """What was known when a reply told a share."""

    moment: float
    spent: float
    share: float


@dataclass(slots=True)
class Allowance:
    """What is left of one limit, as far as it is known: a bucket that fills steadily."""

    capacity: float
    rate: float
    """What comes back in a second."""
    begins_alone: bool = False
    """Whether nothing is sent beside the first request, whose answer tells who was here before."""
    left: float = field(init=False)
    _documented: float = field(init=False)
    _documented_rate: float = field(init=False)
    flying: float = 0.0
    """Spent on requests that are not answered yet."""
    _spent: float = 0.0
    _moment: float = 0.0
    _closed_until: float = 0.0
    _rising: _Point | None = None
    _steady: _Point | None = None
    """Where the lessons on capacity and rate began."""
    _is_measured: bool = False
    """Whether the capacity is what was seen, rather than what is documented."""
    _is_silence_room: bool = True
    """Whether a reply that tells nothing means that there is room: not once one came late."""

    def __post_init__(self) -> None:
        """Begin with a full bucket; whoever emptied it before will be told of."""
        self.left = self._documented = self.capacity
        self._documented_rate = self.rate

    @classmethod
    def of(cls, limit: tuple[float, float], *, begins_alone: bool = False) -> Allowance:
        """Give the allowance of a documented *limit*: an amount in so many seconds."""
        amount, seconds = limit
        return cls(amount, amount / seconds, begins_alone)

    def delay(self, amount: float, now: float) -> float:
        """Give the seconds until *amount* may be spent; 0 where it may be now."""
        self._fill(now)
        if now < self._closed_until:
            return self._closed_until - now
        if self.begins_alone and self.flying and not self._spent:
            return _FIRST_ANSWER
        missing = min(amount, self.capacity) - self.left
        return missing / self.rate if missing > _TINY else 0.0

    def closed(self, now: float) -> float:
        """Give the seconds for which Graph wants nothing."""
        return max(0.0, self._closed_until - now)

    def spend(self, amount: float, now: float) -> None:
        """Take *amount* for a request that is sent now."""
        self._fill(now)
        self.left -= amount
        self.flying += amount

    def answered(self, amount: float) -> None:
        """Note that a request came back that *amount* was spent on."""
        self.flying -= amount
        self._spent += amount

    def told(self, share: float, now: float) -> None:
        """Learn that *share* of the limit is used."""
        self._fill(now)
        here = _Point(now, self._spent, share)
        self._learn_capacity(here)
        self._learn_rate(here)
        # Beyond the whole limit Graph refuses, and says for how long.
        room = self.capacity * (1 - MARGIN - min(share, 1.0))
        # How large the limit is here is not known before the share has clearly risen.
        self.left = (room if self._is_measured else min(room, _PROBE)) - self.flying

    def silent(self, now: float) -> None:
        """Learn that less than is told of is used; there is room for at least the rest."""
        self._fill(now)
        if self._is_silence_room:
            room = self.capacity * (1 - MARGIN - TOLD_FROM)
            self.left = max(self.left, room - self.flying)

    def refused(self, wait: float, now: float, *, share: float | None) -> None:
        """Learn that a request was too many; nothing goes for *wait* seconds."""
        if share is None:
            self._fill(now)
            self._is_silence_room = False
            self.left = min(self.left, _PROBE)
        else:
            self.told(share, now)
        self._closed_until = max(self._closed_until, now + wait)

    def _learn_capacity(self, here: _Point) -> None:
        """Take it from a quick rise of the share, in which next to nothing came back."""
        first = self._rising = self._rising or here
        spent, rise = here.spent - first.spent, here.share - first.share
        drained = self.rate * (here.moment - first.moment)
        if rise < 0 or drained > spent / 4:
            self._rising = here
        elif rise >= _CLEAR_RISE:
            seen = min(self._documented, max(_SMALLEST, (spent - drained) / rise))
            step = _STEP if self._is_measured else 1.0
            self.capacity += (seen - self.capacity) * step
            self._is_measured = True

    def _learn_rate(self, here: _Point) -> None:
        """Take it from what was spent over a while, of which the share shows what is left."""
        first = self._steady = self._steady or here
        seconds, rise = here.moment - first.moment, here.share - first.share
        if seconds >= _A_WHILE and (self._is_measured or abs(rise) < _CLEAR_RISE):
            drained = here.spent - first.spent - self.capacity * rise
            slowest, fastest = _SLOWEST * self._documented_rate, _FASTEST * self._documented_rate
            self.rate = min(max(slowest, drained / seconds), fastest, 2 * self.rate)
        if seconds >= 10 * _A_WHILE:
            self._steady = here

    def _fill(self, now: float) -> None:
        # While refusals last nothing is gained: at their end there is room for one request.
        since = max(self._moment, min(now, self._closed_until))
        self.left = min(self.capacity, self.left + (now - since) * self.rate)
        self._moment = now


@dataclass(slots=True)
class Pace:
    """The pace of everything that one connection sends; *monotonic* is its clock."""

    monotonic: Callable[[], float]
    writes: Allowance = field(default_factory=lambda: Allowance.of(WRITES, begins_alone=True))
    units: Allowance = field(default_factory=lambda: Allowance.of(UNITS))

    def delay(self, cost: Cost) -> float:
        """Give the seconds until what costs *cost* may be sent; 0 where it may be now."""
        now = self.monotonic()
        waits = [self.units.delay(cost.units, now)]
        if cost.writes:
            waits.append(self.writes.delay(cost.writes, now))
        return max(waits)

    def sent(self, cost: Cost) -> None:
        """Note that what costs *cost* is sent now."""
        now = self.monotonic()
        self.units.spend(cost.units, now)
        self.writes.spend(cost.writes, now)

    def heard(self, cost: Cost, replies: Iterable[Reply], patience: float) -> None:
        """Learn from the *replies* to what cost *cost*; none where nothing came back.

        *patience* is how many seconds to wait where a refusal does not say.
        """
        now = self.monotonic()
        self.units.answered(cost.units)
        self.writes.answered(cost.writes)
        told = list(replies)
        if not told:
            return
        limit = self.writes if cost.writes else self.units
        share = max((each for reply in told if (each := reply.used) is not None), default=None)
        refused = [reply for reply in told if reply.status == TOO_MANY]
        for reply in refused:
            wait = patience if reply.retry_after is None else reply.retry_after
            for about in self._refusing(reply, limit):
                about.refused(wait, now, share=share if about is limit else None)
        if refused:
            return
        if share is not None:
            limit.told(share, now)
        elif all(reply.status < _SERVER_ERROR for reply in told):
            limit.silent(now)  # trouble tells nothing, least of all that there is room

    @property
    def closed(self) -> float:
        """Seconds for which Graph wants nothing at all, or no writes."""
        now = self.monotonic()
        return max(self.writes.closed(now), self.units.closed(now))

    def _refusing(self, reply: Reply, limit: Allowance) -> tuple[Allowance, ...]:
        """Give the limits that a refusal is about, by what Graph says of it."""
        information = reply.headers.get("x-ms-throttle-information", "")
        if information.startswith("Write"):
            return (self.writes,)
        if information.startswith("ResourceUnit"):
            return (self.units,)
        return (self.writes, self.units) if information else (limit,)
