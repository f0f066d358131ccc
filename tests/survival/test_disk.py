"""An apply dies at each touch of the folder that its records lie in, and nothing is lost."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.survival.killing import Killer
from tests.survival.processes import KILLED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.survival.world import World

PARTS = 2
LEAST = 40
"""Touches: folder, pieces, sealed file and receipt, each in several steps; the journal's lines."""


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_touch_of_the_disk(
    part: int, survivors: World, tmp_path: Path, covered: Callable[[str, int], None]
) -> None:
    """Whatever step of writing its files an apply dies in, one more run finishes the job."""
    killer, failures, touched = Killer(), list[str](), list[str]()
    for touch in count(part, PARTS):
        folder = tmp_path / str(touch)
        folder.mkdir()
        with survivors.tenant(folder, killer.intercept) as (file, endpoints):
            killed = survivors.launcher.run(
                survivors.arguments(folder / "out"),
                endpoints.environment,
                kill_at=touch,
                out=folder / "out",
            )
            killer.end()
            if killed.code != KILLED:
                break
            where = killed.output.rpartition("killed before ")[2].strip()
            touched.append(where.replace(str(folder), ""))
            wrong = survivors.converges(file, folder / "out", endpoints, killed)
        failures += [f"touch {touch}, {where}: {line}" for line in wrong]
        if not wrong:
            shutil.rmtree(folder)
    covered("crashes at the disk", len(touched))

    assert not failures, "\n".join(failures)
    assert killed.code == 0
    assert len(touched) >= LEAST // PARTS
    assert any(".credentials.csv.age" in where for where in touched)
    assert "fsync" in touched
