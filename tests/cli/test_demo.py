"""`make demo` shows what it promises."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_demonstration_runs_and_says_how_to_go_on(tmp_path: Path) -> None:
    """It applies the examples, plans again without changes, and its last words can be typed."""
    demo = tmp_path / "not" / "there" / "yet"
    binaries = Path(sys.executable).parent
    ran = subprocess.run(  # noqa: S603 -- our own Makefile
        ["make", "--old-file=.venv/runtime", "demo", f"DEMO={demo}", f"BIN={binaries}"],  # noqa: S607 -- from PATH, as a person would
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    typed = next(line for line in ran.stdout.splitlines() if " unseal " in line and "txt" in line)
    opened = subprocess.run(  # noqa: S603 -- the line that the demonstration printed
        typed.split(), cwd=TOP, capture_output=True, text=True, check=True
    )

    assert (ran.returncode, ran.stderr.count("error")) == (0, 0)
    assert "Applied: 90 of 90 changes made in Contoso" in ran.stdout
    assert "\nNo changes: Contoso is as the files declare it\n" in ran.stdout
    assert opened.stdout.startswith("Name,Email/UPN,Initial Password\n")
