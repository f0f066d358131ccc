"""Every transcript is what a person really reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = sorted(path.stem for path in (Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_transcript(name: str, replay: Callable[[str], tuple[str, str]]) -> None:
    """What the transcript says is printed, letter by letter."""
    said, happens = replay(name)

    assert happens == said
