"""What a run is given: the time, its records, somebody who watches, a way to end it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from reconciler.changes import Wave
    from reconciler.executor.issuer import Issuer
    from reconciler.executor.journal import Journal
    from reconciler.executor.outcomes import Outcome


class Watcher(Protocol):
    """Whoever wants to see how far a run is."""

    def wave(self, wave: Wave, changes: int) -> None:
        """Note that *wave* begins, with so many changes."""

    def settled(self, outcome: Outcome) -> None:
        """Note what became of one change."""

    def confirming(self, changes: int) -> None:
        """Note that so many changes are made and not visible yet."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is: of the day for records, monotonic for waiting."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Records:
    """Who is told what a run does, and who makes its credentials."""

    issuer: Issuer
    journal: Journal
    watcher: Watcher


@dataclass(slots=True)
class Stop:
    """A way to end a run: nothing new is sent, what is in flight is waited for."""

    because: str | None = None
    _requested: asyncio.Event = field(default_factory=asyncio.Event)

    def request(self, because: str) -> None:
        """End the run; the first reason counts. To be called on the run's event loop."""
        self.because = self.because or because
        self._requested.set()

    async def cut_short(self, sleeping: Awaitable[object]) -> None:
        """Wait for *sleeping*, or until the run is to end."""
        waiting = [asyncio.ensure_future(sleeping), asyncio.ensure_future(self._requested.wait())]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
        finally:
            for task in waiting:
                task.cancel()
