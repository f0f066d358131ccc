"""`python -m tests.bench [--only PART]…`: measure, print one table, and fail past a bound.

All parts together also write docs/benchmarks.md and its chart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import local, page, progress, reads, sandbox, sidebyside, startup, writes
from tests.bench.measures import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.measures import Measure
    from tests.bench.sidebyside import Way
    from tests.bench.writes import Applied


class Parts:
    """What can be measured, by name, with what the page tells beside the table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ways: tuple[Way, Way] | None = None
        self.applied: Applied | None = None

    @property
    def by_name(self) -> dict[str, Callable[[], list[Measure]]]:
        """Give the parts in the order of the table."""
        return {
            "side-by-side": self._side_by_side,
            "writes": self._writes,
            "reads": lambda: [*reads.of_many(self._folder), *reads.of_few(self._folder)],
            "local": lambda: local.measures(self._folder),
            "startup": startup.measures,
            "progress": lambda: progress.measures(self._folder),
            "sandbox": lambda: sandbox.measures(self._folder),
        }

    def _side_by_side(self) -> list[Measure]:
        self.ways = sidebyside.measure(self._folder)
        return sidebyside.measures(self.ways)

    def _writes(self) -> list[Measure]:
        self.applied = writes.measure(self._folder)
        return writes.measures(self.applied)


def main() -> int:
    """Give 0 when all bounds are kept."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        parts = Parts(Path(folder))
        only = _asked(list(parts.by_name))
        measures = [each for name in only for each in _measured(name, parts.by_name[name])]
    print(table(measures))  # noqa: T201 -- what this command is for
    if parts.ways:
        print(f"\n{page.side_by_side(parts.ways)}")  # noqa: T201 -- as above
    if len(only) == len(parts.by_name) and parts.ways and parts.applied:
        page.write(measures, parts.ways, parts.applied)
    return 0 if all(each.is_within for each in measures) else 1


def _asked(names: list[str]) -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=names, help="measure this part alone")
    chosen = parser.parse_args().only
    return [name for name in names if chosen is None or name in chosen]


def _measured(name: str, part: Callable[[], list[Measure]]) -> list[Measure]:
    """Measure one part, and say how long that took."""
    start = time.perf_counter()
    measures = part()
    sys.stderr.write(f"{name}: {time.perf_counter() - start:.0f} s\n")
    return measures


sys.exit(main())
