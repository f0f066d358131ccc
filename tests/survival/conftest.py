"""The world that runs are killed in, and how many of them survived."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.survival.world import World, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROPERTY = "survived"


@pytest.fixture(scope="session")
def survivors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give the tenant that runs are disturbed in, and the processes to run there."""
    with world(tmp_path_factory.mktemp("survival")) as made:
        yield made


@pytest.fixture
def covered(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Tell the summary that so many points of a matrix have been covered."""

    def covered_(matrix: str, points: int) -> None:
        record_property(_PROPERTY, [matrix, points])

    return covered_


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each matrix covered, summed up over its parts and over all workers."""
    points: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == _PROPERTY:
                points[value[0]] += value[1]
    for matrix, number in sorted(points.items()):
        terminalreporter.write_line(f"{matrix}: {number:,} points, all converged")
