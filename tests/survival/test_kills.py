"""An apply is killed once at each moment of each exchange, and a rerun finishes the job."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.survival.front import front
from tests.survival.killing import Killer
from tests.survival.processes import KILLED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.survival.world import World

PARTS = 4
"""Tests that share the moments, so that they can run beside each other."""


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_exchange(
    part: int, survivors: World, tmp_path: Path, covered: Callable[[str, int], None]
) -> None:
    """Wherever an apply dies, one more run converges, and every new account can sign in."""
    killer, failures, survived = Killer(), list[str](), 0
    with front(survivors.certificates, survivors.trusted, killer) as login:
        for moment in count(part, PARTS):
            folder = tmp_path / str(moment)
            folder.mkdir()
            with survivors.tenant(folder, killer.intercept, killer.record) as (file, endpoints):
                killer.begin(moment)
                killed = survivors.launcher.run(
                    survivors.arguments(folder / "out"),
                    login.environment(endpoints.environment),
                    on_begun=killer.begun,
                )
                killer.end()
                if not killer.struck_at:
                    break
                assert killed.code == KILLED, (killer.struck_at, killed)
                wrong = survivors.converges(file, folder / "out", endpoints, killed)
            failures += [f"{killer.struck_at}: {line}" for line in wrong]
            survived += 1
            if not wrong:
                shutil.rmtree(folder)
    covered("kill matrix", survived)

    assert not failures, "\n".join(failures)
    assert killed.code == 0
    assert survived >= LEAST // PARTS
    assert killer.seen >= EXPECTED


LEAST = 60
EXPECTED = {
    "before login's POST token",
    "after login's POST token",
    "before POST $batch",
    "after POST $batch",
    "after POST users",
    "after PATCH users/*",
    "after POST directory/deletedItems/*/restore",
    "after POST users/*/revokeSignInSessions",
    "after DELETE users/*",
    "after POST users/*/assignLicense",
    "after PUT users/*/manager/$ref",
    "after DELETE users/*/manager/$ref",
    "after PATCH groups/*",
    "after POST roleManagement/directory/roleAssignments",
    "after DELETE roleManagement/directory/roleAssignments/*",
    "after DELETE groups/*/members/*/$ref",
}
"""Moments without which the runs would not have been what they are meant to be."""
