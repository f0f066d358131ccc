"""What this machine does for a plan: files, Graph's pages, the difference, the text.

Measured is the whole process of `reconciler plan`, of which nothing is left out but the
waiting; the tenant that answers it is another process, whose work does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench import people, reads
from tests.bench.measures import Measure
from tests.bench.served import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.served import Taken

_ROUNDS: Final = 3
_CPU: Final = 3.0
_MEBIBYTES: Final = 300.0
_TIMES: Final = 10
_GROWTH: Final = 11.0


def measures(folder: Path) -> list[Measure]:
    """Measure plans of 10,000 and of 100,000 people who are all as they should be."""
    one = _best(folder, 1, _ROUNDS)
    ten = _best(folder, _TIMES, 1)
    what = f"plan of {people.EACH:,} people with 20 fields"
    growth = f"plan of {_TIMES * people.EACH:,} people: its processor time to that of"
    return [
        Measure(f"{what}: processor time", "s", one.cpu, _CPU),
        Measure(f"{what}: memory at its peak", "MiB", one.mebibytes, _MEBIBYTES),
        Measure(f"{growth} {people.EACH:,}", "times", ten.cpu / one.cpu, _GROWTH),
    ]


def _best(folder: Path, cohorts: int, rounds: int) -> Taken:
    files, tenant = reads.many(folder, cohorts)
    with served(tenant) as running:
        taken = [running.reconciler("plan", "--detailed-exitcode", files) for _ in range(rounds)]
    return min(taken, key=lambda each: each.cpu)
