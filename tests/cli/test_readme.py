"""The README says what is so: its example makes its plan, its tables are the program's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import cli
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_example_makes_the_plan_beside_it(
    run: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    """The ten lines of the README make the plan that it shows, next to the examples."""
    cohorts = Path("cohorts")
    cohorts.mkdir()
    (cohorts / "tenant.yaml").write_bytes((TOP / "cohorts/tenant.yaml").read_bytes())
    (cohorts / "beta-2026.yaml").write_text(_block("yaml"), encoding="utf-8")
    outcome = run("plan", "--sandbox", "cohorts/beta-2026.yaml")
    if request.config.getoption("--update-transcripts"):
        shown = README.replace(f"```text\n{_block('text')}```", f"```text\n{outcome.out}```")
        (TOP / "README.md").write_text(shown, encoding="utf-8")
        return

    assert len(_block("yaml").splitlines()) == 10
    assert outcome.out == _block("text")


def test_the_exit_codes_are_the_programs() -> None:
    """The table lists every exit code, in order, and no other; `--help` does so too."""
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)]
    helped = [int(code) for code in re.findall(r"^  (\d+) ", cli.HELP, re.MULTILINE)]

    assert listed == [code.value for code in ExitCode]
    assert helped == listed


def test_the_commands_are_the_programs() -> None:
    """The table of commands names every command."""
    table = README.partition("## In your tenant")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `reconciler (\w+)", table, re.MULTILINE)

    assert listed == list(cli.COMMANDS)


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and of the pages in docs/ leads to a file."""
    pages = [TOP / "README.md", *(TOP / "docs").glob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("name", ["side by side", "measured"])
def test_the_figures_are_those_that_were_measured(name: str) -> None:
    """The README's tables are those of docs/benchmarks.md, which `make bench` writes."""
    page = (TOP / "docs/benchmarks.md").read_text(encoding="utf-8")
    pattern = re.compile(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", re.DOTALL)

    assert pattern.findall(README) == pattern.findall(page)
    assert len(pattern.findall(README)) == 1
    assert "out of bounds" not in page
