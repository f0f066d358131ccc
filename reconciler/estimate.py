"""An estimate: what an apply would send, and how long Graph's quota makes it wait.

It says what is certain before anything is sent: how many requests, what they cost, and
the time below which Graph lets no application do it. Round trips, retries and the reads
that confirm the result come on top, and nobody knows them beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Wave


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket that Graph keeps: *amount* at once, and as much again in so many *seconds*."""

    amount: float
    seconds: float

    @property
    def rate(self) -> float:
        """What comes back in a second."""
        return self.amount / self.seconds

    def wait(self, spent: float) -> float:
        """Give the seconds before which so much cannot be *spent*, from a full bucket on."""
        return max(0.0, spent - self.amount) / self.rate


@dataclass(frozen=True, slots=True)
class Stage:
    """What one wave sends, where nothing has to be sent twice."""

    wave: Wave
    changes: int
    requests: int
    batches: int
    """Round trips at least: twenty requests in one, and none beside another of its lane."""
    writes: int
    units: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an apply sends, wave by wave, and the limits of one application in one tenant."""

    stages: tuple[Stage, ...]
    writes: Limit
    units: Limit

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return sum(stage.requests for stage in self.stages)

    @property
    def batches(self) -> int:
        """In how many round trips they go, at least."""
        return sum(stage.batches for stage in self.stages)

    @property
    def spent(self) -> int:
        """What they take of the limit on writes."""
        return sum(stage.writes for stage in self.stages)

    @property
    def ends(self) -> Iterator[tuple[Stage, float]]:
        """Give each wave and the seconds, from the start of all, before which it cannot end."""
        writes = units = 0
        for stage in self.stages:
            writes += stage.writes
            units += stage.units
            yield stage, max(self.writes.wait(writes), self.units.wait(units))

    @property
    def seconds(self) -> float:
        """Give the seconds before which nobody can be through."""
        return max((seconds for _, seconds in self.ends), default=0.0)
