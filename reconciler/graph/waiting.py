"""How long to wait, and on which clock: for what Graph asks, and where it asks for nothing."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import GraphFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LONGEST_WAIT = 300.0
"""Seconds: a Retry-After beyond this is a reason to stop and say so."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The time that a connection goes by; *jitter* gives numbers from 0 to 1."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    answer_within: float = 300.0
    """Seconds in which an answer has to be complete, however steadily it trickles in."""

    def patience(self, asked: float | None, attempt: int) -> float:
        """Give the seconds to wait before sending again; *asked* is what Graph asked for."""
        if asked is not None and asked > LONGEST_WAIT:
            raise GraphFailed(
                f"Graph asks to wait {asked:.0f} seconds, more than the {LONGEST_WAIT:.0f} this "
                "command waits",
                "run it again later: a rerun goes on where this one stopped",
            )
        if asked is None:
            return self.backoff(attempt)
        # "At once" is believed once: a service that is not back by then says so for a while.
        return asked if asked >= 1 or not attempt else max(asked, self.backoff(attempt - 1))

    def backoff(self, attempt: int) -> float:
        """Give 1, 2, 4 … 30 seconds, each shortened at random to at least half."""
        return float(min(30, 2**attempt) * (0.5 + self.jitter() / 2))
