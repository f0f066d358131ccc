"""What it costs to watch: an apply on a terminal, with its bar, beside one in a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import writes
from tests.bench.measures import Measure
from tests.bench.served import served, tenant

if TYPE_CHECKING:
    from tests.bench.served import Served

_PEOPLE: Final = 400
_ROUNDS: Final = 3
_DEARER: Final = 1.05
_PER_SECOND: Final = 12.0
_ERASE: Final = b"\x1b[2K"
"""What a terminal is sent to draw the line again."""
_LAUNCH: Final = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class _Watched:
    cpu: float
    seconds: float
    refreshes: int = 0


def measures(folder: Path) -> list[Measure]:
    """Apply the same joiners to equal tenants, by turns with and without a terminal.

    Processor time is compared, of the best of several rounds, since it is what a bar takes
    away from the work; seconds would tell more of what else the machine does.
    """
    folder = folder / "progress"
    folder.mkdir()
    numbers = count(1)
    rounds = [
        (_apply(folder / str(next(numbers)), watched=False), _apply(folder / str(next(numbers))))
        for _ in range(_ROUNDS)
    ]
    plain, bar = (min(each.cpu for each in side) for side in zip(*rounds, strict=True))
    rate = max(bar.refreshes / bar.seconds for _, bar in rounds)
    what = f"apply of {_PEOPLE} joiners on a terminal"
    return [
        Measure(f"{what}: processor time to that in a pipe", "times", bar / plain, _DEARER),
        Measure(f"{what}: the bar is drawn", "/s", rate, _PER_SECOND),
    ]


def _apply(folder: Path, *, watched: bool = True) -> _Watched:
    folder.mkdir()
    seed, cohorts = folder / "seed.yaml", folder / "cohorts"
    writes.write(seed, cohorts, _PEOPLE)
    arguments = ["apply", "--yes", "--out", str(folder / "out"), str(cohorts)]
    with served(tenant(folder, "tenant", seed)) as running:
        if watched:
            return _on_terminal(running, arguments)
        taken = running.reconciler(*arguments)
        return _Watched(taken.cpu, taken.seconds)


def _on_terminal(running: Served, arguments: list[str]) -> _Watched:
    """Run `reconciler` with its standard error on a terminal, which is read as it comes."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while some := os.read(ours, 65536):
                shown.extend(some)
        except OSError:
            return  # as Linux says that nobody has the other side any more

    reading = threading.Thread(target=read)
    reading.start()
    command = [sys.executable, str(_LAUNCH), sys.executable, "-m", "reconciler", *arguments]
    environment = {**running.shell, "TERM": "xterm-256color", "COLUMNS": "100"}
    try:
        done = subprocess.run(  # noqa: S603 -- our own program
            command, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=300
        )
    finally:
        os.close(theirs)
        reading.join()
        os.close(ours)
    taken = json.loads(done.stdout)
    return _Watched(taken["cpu"], taken["seconds"], shown.count(_ERASE))
