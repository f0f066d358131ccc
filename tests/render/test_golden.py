from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.render import json, markdown, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.plan import Plan

GOLDEN = Path(__file__).parents[1] / "golden"
FORMS: dict[str, Callable[[Plan], str]] = {
    "plan.txt": lambda plan: text(plan, color=False, width=100),
    "plan.ansi": lambda plan: text(plan, color=True, width=100),
    "plan.md": markdown,
    "plan.json": json,
}


@pytest.mark.parametrize("form", FORMS)
def test_golden(
    plans: dict[str, Plan], story: str, form: str, request: pytest.FixtureRequest
) -> None:
    """Each story looks as it did when somebody last agreed to it (`--update-golden` agrees)."""
    file = GOLDEN / story / form
    shown = FORMS[form](plans[story])
    if request.config.getoption("--update-golden", default=False):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(shown.encode())

    assert shown == file.read_bytes().decode()
