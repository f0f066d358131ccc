from __future__ import annotations

import pytest

from reconciler.changes import Wave
from reconciler.estimate import Estimate, Limit, Stage

WRITES, UNITS = Limit(3_000, 150), Limit(3_500, 10)


@pytest.mark.parametrize(
    ("spent", "seconds"), [(0, 0), (3_000, 0), (3_001, 0.05), (3_700, 35), (6_000, 150)]
)
def test_wait(spent: int, seconds: float) -> None:
    """A full bucket is spent at once; what is beyond it waits until it has come back."""
    assert WRITES.wait(spent) == pytest.approx(seconds)


def stage(wave: Wave, writes: int, units: int) -> Stage:
    """Give a wave with a request for each write."""
    return Stage(wave, writes, writes, -(-writes // 20), writes, units)


def test_waves_add_up() -> None:
    """What came before is spent, so the end of a wave counts from the start of all."""
    users, entitlements = stage(Wave.USERS, 2_000, 2_000), stage(Wave.ENTITLEMENTS, 1_700, 1_700)
    found = Estimate((users, entitlements), WRITES, UNITS)

    assert list(found.ends) == [(users, 0), (entitlements, 35)]
    assert (found.requests, found.batches, found.spent, found.seconds) == (3_700, 185, 3_700, 35)


def test_the_tighter_limit_counts() -> None:
    """Where resource units run out before writes do, they say how long it takes."""
    users = stage(Wave.USERS, 100, 7_000)

    assert Estimate((users,), WRITES, UNITS).seconds == 10


def test_nothing_takes_no_time() -> None:
    """A plan without changes sends nothing."""
    empty = Estimate((), WRITES, UNITS)

    assert (empty.requests, empty.batches, empty.spent, empty.seconds) == (0, 0, 0, 0)
