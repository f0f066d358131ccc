"""Applies in this process, by the very steps of `reconciler apply`, on a clock of their own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.commands.planning import planned
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.executor.run import execute
from reconciler.executor.surroundings import Clock, Stop
from reconciler.graph.connection import connect
from reconciler.graph.permissions import check_writes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.changes import Wave
    from reconciler.executor.outcomes import Outcome
    from reconciler.model import Desired

_BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Time:
    """A clock that stands still except while somebody sleeps; sleeping takes no time."""

    elapsed: float = 0.0

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        await asyncio.sleep(0)
        self.elapsed += seconds

    @property
    def clock(self) -> Clock:
        """Give the clock in the engine's form."""
        return Clock(lambda: _BEGINNING + timedelta(seconds=self.elapsed), lambda: self.elapsed)


class _Nobody:
    """Watches nothing."""

    def wave(self, wave: Wave, changes: int) -> None:
        """Do nothing."""

    def confirming(self, *_: object) -> None:
        """Do nothing."""

    def settled(self, outcome: Outcome) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Done:
    """The exit code that the command would have had, and why."""

    code: int
    told: str


def apply(environment: Mapping[str, str], desired: Desired, out: Path) -> Done:
    """Apply *desired*; *out* gets the records."""
    try:
        return asyncio.run(_apply(environment, desired, out))
    except ReconcilerError as error:
        return Done(error.exit_code, str(error))


async def _apply(environment: Mapping[str, str], desired: Desired, out: Path) -> Done:
    time = Time()
    async with connect(
        "global",
        environment,
        sleep=time.sleep,
        jitter=lambda: 1.0,
        monotonic=lambda: time.elapsed,
    ) as graph:
        plan = await planned(graph, desired, 0)
        assert plan.refusals == ()
        check_writes(graph.token(), plan.changes)
        run, _ = await execute(
            plan, graph, out=out, watcher=_Nobody(), clock=time.clock, stop=Stop()
        )
    is_done = run.result in {"applied", "nothing to do"}
    told = [f"{o.change.key.address}: {o}" for o in run.outcomes if o.word != "applied"]
    return Done(ExitCode.DONE if is_done else ExitCode.FAILED, "\n".join(told))


def left_to_do(environment: Mapping[str, str], desired: Desired) -> list[str]:
    """Name what a plan would change now."""
    return asyncio.run(_left_to_do(environment, desired))


async def _left_to_do(environment: Mapping[str, str], desired: Desired) -> list[str]:
    async with connect("global", environment) as graph:
        plan = await planned(graph, desired, 0)
    return [f"a plan would {c.verb} {c.key.address}" for c in plan.changes]
