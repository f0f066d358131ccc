"""Transcripts: what a person types and reads, as text files that are run.

A transcript is a file in `transcripts/`. `-- path --` begins a file that is written as it
stands; `$ reconciler …` runs the command in the same folder and is followed by what it
prints, standard output first, then standard error, then the exit code unless it is 0.
`$ rm PATH` removes a file. Digests, request-ids and times are replaced by `…`.

`pytest tests/cli --update-transcripts` writes down what is printed now; review reads the
difference.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import cli
from reconciler.sandbox.tracing import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parent / "transcripts"
_VARYING = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:…"),
    (re.compile(r"request-id [0-9a-f-]{36}"), "request-id …"),
    (re.compile(r"in \d+\.\d s\."), "in … s."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person accept what the commands print now."""
    parser.addoption("--update-transcripts", action="store_true", help="rewrite transcripts")


@dataclass(frozen=True)
class Written:
    """A file that the transcript lays down."""

    path: str
    content: str


@dataclass(frozen=True)
class Typed:
    """A command, and what is printed."""

    line: str
    printed: str


@dataclass(frozen=True)
class Outcome:
    """What one command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = "Callable[..., Outcome]"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process, as `reconciler ARGUMENTS`."""

    def run_(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give every command a machine without credentials, colours or a wide terminal."""
    for name in {*os.environ} - {VARIABLE}:
        if name.startswith(("AZURE_", "RECONCILER_", "GITHUB_", "SSL_CERT", "REQUESTS_CA")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with chdir(tmp_path):
        yield


def parse(text: str) -> list[Written | Typed]:
    """Read a transcript; lines before the first file or command are prose."""
    steps: list[Written | Typed] = []
    for block in re.split(r"^(?=-- .+ --$|\$ )", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        if head.startswith("$ "):
            steps.append(Typed(head[2:], body.strip("\n")))
        else:
            steps.append(Written(head.removeprefix("-- ").removesuffix(" --"), body))
    return steps


def prose(text: str) -> str:
    """Give what stands before the first file or command: the sentence that is shown to hold."""
    return re.split(r"^(?=-- .+ --$|\$ )", text, flags=re.MULTILINE)[0]


def perform(steps: list[Written | Typed], run: Callable[..., Outcome]) -> Iterator[Written | Typed]:
    """Do every step; gives it back with what was really printed."""
    for step in steps:
        if isinstance(step, Written):
            path = Path(step.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content.rstrip("\n") + "\n", encoding="utf-8")
            yield step
        else:
            yield Typed(step.line, _printed(step.line, run))


def _printed(line: str, run: Callable[..., Outcome]) -> str:
    program, *arguments = shlex.split(line)
    if program == "rm":
        Path(arguments[0]).unlink()
        return ""
    assert program == "reconciler", f"transcripts run reconciler and rm, not {program}"
    outcome = run(*arguments)
    printed = outcome.out + outcome.err
    for pattern, replacement in _VARYING:
        printed = pattern.sub(replacement, printed)
    code = f"[exit {outcome.code}]" if outcome.code else ""
    lines = [line.rstrip() for line in printed.splitlines()]
    return "\n".join([*lines, *filter(None, [code])]).strip("\n")


def written(intro: str, steps: list[Written | Typed]) -> str:
    """Write a transcript down."""
    blocks = [intro.rstrip("\n")]
    for step in steps:
        if isinstance(step, Written):
            body = step.content.rstrip("\n")
            blocks.append(f"-- {step.path} --\n{body}")
        else:
            blocks.append(f"$ {step.line}\n{step.printed}".rstrip("\n"))
    return "\n\n".join(blocks) + "\n"


@pytest.fixture
def replay(
    run: Callable[..., Outcome], request: pytest.FixtureRequest
) -> Callable[[str], tuple[str, str]]:
    """Replay the transcript called *name*: what it says, and what really happens."""

    def replay_(name: str) -> tuple[str, str]:
        path = FOLDER / f"{name}.txt"
        said = path.read_text(encoding="utf-8")
        intro = prose(said)
        happens = written(intro, list(perform(parse(said), run)))
        if request.config.getoption("--update-transcripts"):
            path.write_text(happens, encoding="utf-8")
            said = happens
        return said, happens

    return replay_
