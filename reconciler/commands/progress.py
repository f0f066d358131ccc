"""How far a run is: a bar with counts and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reconciler.changes import Wave
from reconciler.executor.outcomes import Failed
from reconciler.executor.report import told
from reconciler.text import counted

if TYPE_CHECKING:
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.surroundings import Watcher

WORDS = {
    Wave.REVOKE_ROLES: "taking roles back",
    Wave.REVOKE_ENTITLEMENTS: "taking licenses and memberships back",
    Wave.LEAVERS: "leavers",
    Wave.USERS: "users",
    Wave.ENTITLEMENTS: "managers, licenses, memberships",
    Wave.ROLES: "roles",
}


class Unheard:
    """Another watcher, whose reader may leave: a run does not end for it."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def wave(self, wave: Wave, changes: int) -> None:
        """Say that *wave* begins."""
        with suppress(OSError):
            self._watcher.wave(wave, changes)

    def settled(self, outcome: Outcome) -> None:
        """Say what became of a change."""
        with suppress(OSError):
            self._watcher.settled(outcome)

    def confirming(self, changes: int) -> None:
        """Say what is waited for."""
        with suppress(OSError):
            self._watcher.confirming(changes)


class Lines:
    """A line for each wave, and one for each change that failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def wave(self, wave: Wave, changes: int) -> None:
        """Say that *wave* begins."""
        click.echo(f"{WORDS[wave]}: {counted(changes, 'change')}", err=True)

    def settled(self, outcome: Outcome) -> None:
        """Say so where a change failed; what was skipped for it stands in the summary."""
        if isinstance(outcome, Failed):
            click.echo(f"failed: {told(outcome.change)}", err=True)

    def confirming(self, changes: int) -> None:
        """Say what is waited for."""
        click.echo(f"waiting until the tenant shows {counted(changes, 'change')}", err=True)


class Bar:
    """A bar over all changes, on standard error."""

    def __init__(self, changes: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=changes)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def wave(self, wave: Wave, changes: int) -> None:  # noqa: ARG002 -- the bar counts over all waves
        """Name the wave that begins."""
        self._progress.update(self._task, description=WORDS[wave])

    def settled(self, outcome: Outcome) -> None:  # noqa: ARG002 -- every outcome is a step
        """Count one change."""
        self._progress.advance(self._task)

    def confirming(self, changes: int) -> None:
        """Name what is waited for."""
        description = f"until the tenant shows {counted(changes, 'change')}"
        self._progress.update(self._task, description=description)
