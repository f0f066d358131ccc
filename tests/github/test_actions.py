from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import UsageError
from reconciler.github.actions import SUMMARY_BYTES, add_summary, set_outputs
from reconciler.github.context import Context

if TYPE_CHECKING:
    from pathlib import Path


def _outputs(text: str) -> dict[str, str]:
    """Read what a step has set, as the runner does (actions/runner, FileCommandManager.cs)."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value: list[str] = []
        while (each := next(lines)) != end:
            value.append(each)
        found[name] = "\n".join(value)
    return found


def test_outputs_cannot_be_forged(tmp_path: Path) -> None:
    """A value that looks like another output, or like the end of its own, is a value."""
    file = tmp_path / "outputs"
    forged = "x\nreconciler-0\nadmin<<E\ntrue\nE"

    set_outputs({"GITHUB_OUTPUT": str(file)}, {"changes": True, "create": 2, "name": forged})

    assert _outputs(file.read_text()) == {"changes": "true", "create": "2", "name": forged}


def test_a_summary_is_cut_where_github_would_refuse_it(tmp_path: Path) -> None:
    """What does not fit is left out at the end of a line, and the summary says so."""
    file = tmp_path / "summary"
    add_summary({"GITHUB_STEP_SUMMARY": str(file)}, "- é\n" * 300_000)
    add_summary({"GITHUB_STEP_SUMMARY": str(tmp_path / "short")}, "- é")

    shown = file.read_text("utf-8")
    assert len(shown.encode()) <= SUMMARY_BYTES
    assert shown.endswith(
        "- é\n\n_The rest does not fit here: it is in the artifact of this run._\n"
    )
    assert (tmp_path / "short").read_text("utf-8") == "- é\n"


def test_outside_of_actions_nothing_is_written() -> None:
    """Without the runner's files there is nowhere to write to, and that is no error."""
    set_outputs({}, {"changes": True})
    add_summary({"GITHUB_STEP_SUMMARY": ""}, "text")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A wrong variable is named."""
    with pytest.raises(UsageError, match="GITHUB_OUTPUT names no file"):
        set_outputs({"GITHUB_OUTPUT": str(tmp_path / "no" / "o")}, {"changes": True})


@pytest.mark.parametrize(
    ("event", "pull_request", "head"),
    [
        ({"pull_request": {"number": 7, "head": {"sha": "abc"}}}, 7, "abc"),
        ({"pull_request": {"number": "7", "head": {"sha": 1}}}, None, None),
        ({"pull_request": None}, None, None),
        ([], None, None),
    ],
    ids=["a pull request", "nonsense", "none", "no object"],
)
def test_the_event(
    tmp_path: Path, event: object, pull_request: int | None, head: str | None
) -> None:
    """What triggered the run is read from the runner's file."""
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    context = Context.of({"GITHUB_EVENT_PATH": str(file)})

    assert (context.pull_request, context.head) == (pull_request, head)
    assert context.run_url is None


def test_a_run_has_a_page() -> None:
    """The page is the one of this run in this repository."""
    context = Context.of({"GITHUB_REPOSITORY": "contoso/people", "GITHUB_RUN_ID": "12"})

    assert context.run_url == "https://github.com/contoso/people/actions/runs/12"
    assert context.event == {}


def test_an_event_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A wrong variable is named."""
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
        Context.of({"GITHUB_EVENT_PATH": str(tmp_path / "none")})
