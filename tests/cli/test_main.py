"""How the command line ends when it is used wrongly, or the machine gets in its way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from reconciler import cli
from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import GraphFailed, InputError, Refused
from reconciler.text import hidden_in

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]

COHORT = "version: 1\ncohort: c\nusers: []\n"
SAFE = r"\u{1b}]0;pwned\u{7}\u{202e}\u{a}\u{3a}:error::"
HINT = "  hint: see that there is room, and access"


def test_without_a_command_it_helps(run: Run) -> None:
    """The help is shown as it is, and the exit code says that nothing was asked for."""
    outcome = run()

    assert outcome.code == 64
    assert outcome.err.startswith("Usage: reconciler [OPTIONS] COMMAND [ARGS]...\n")
    assert "  130  interrupted\n" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["paln"], "error: no such command 'paln'\n  hint: did you mean 'plan'?\n"),
        (["xyzzy"], "error: no such command 'xyzzy'\n  hint: see `reconciler --help`\n"),
        (
            ["plan", "--colour"],
            (
                "error: no such option '--colour'. (Did you mean one of: '--cloud', '--out'?)\n"
                "  hint: see `reconciler plan --help`\n"
            ),
        ),
        (
            ["unseal", "x"],
            (
                "error: invalid value for 'FILE': File 'x' does not exist\n"
                "  hint: see `reconciler unseal --help`\n"
            ),
        ),
    ],
    ids=["mistyped", "unknown", "option", "file"],
)
def test_a_wrong_command_line(run: Run, arguments: list[str], told: str) -> None:
    """It says what is wrong in the form of every other error, and exits with 64."""
    outcome = run(*arguments)

    assert (outcome.code, outcome.err) == (64, told)


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "AGE-SECRET-KEY-1QQQQQQQQQQQQ"],
        ["unseal", "c.yaml", "-i", "AGE-SECRET-KEY-1QQQQQQQQQQQQ"],
        ["plan", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"],
    ],
    ids=["a key as a path", "a key as an identity", "a token as a path"],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(run: Run, arguments: list[str]) -> None:
    """Messages quote what was typed, but never a private key or a token."""
    Path("c.yaml").write_text(COHORT, "utf-8")
    outcome = run(*arguments)

    assert outcome.code == 64
    assert "'…'" in outcome.err
    assert "QQQQ" not in outcome.err
    assert "eyJ" not in outcome.err


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"AZURE_CLIENT_CERTIFICATE_PATH": "-----BEGIN PRIVATE KEY-----\nMIIsecret\n"},
            "error: AZURE_CLIENT_CERTIFICATE_PATH names no usable certificate\n",
        ),
        (
            {"AZURE_TENANT_ID": "the secret!", "AZURE_CLIENT_SECRET": "secret"},
            "error: AZURE_TENANT_ID is neither the id of a tenant nor one of its domains\n",
        ),
        (
            {"RECONCILER_GRAPH_URL": "https://me:secret@graph.example"},
            "error: RECONCILER_GRAPH_URL is an address where a token would travel in the clear\n",
        ),
        (
            {"AZURE_AUTHORITY_HOST": "http://me:secret@login.example"},
            "error: AZURE_AUTHORITY_HOST is an address where a secret would travel in the clear\n",
        ),
        (
            {"AZURE_FEDERATED_TOKEN_FILE": "eyJhbGciOiJIUzI1NiJ9.secret.x"},
            "error: AZURE_FEDERATED_TOKEN_FILE names no file that can be read\n",
        ),
    ],
    ids=["certificate", "tenant", "graph", "login", "token"],
)
def test_a_secret_in_the_wrong_variable_is_not_repeated(
    run: Run, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    """An error names the variable and never what it holds."""
    Path("c.yaml").write_text(COHORT, "utf-8")
    known = {
        "AZURE_TENANT_ID": "28d80e74-2d69-4bb9-b1e4-740c4cf0551f",
        "AZURE_CLIENT_ID": "28d80e74-2d69-4bb9-b1e4-740c4cf0551f",
    }
    for name, value in {**known, **variables}.items():
        monkeypatch.setenv(name, value)
    outcome = run("plan", "c.yaml")

    assert outcome.code == 64
    assert outcome.err.startswith(told)
    assert "secret!" not in outcome.err
    assert "MIIsecret" not in outcome.err
    assert "me:secret" not in outcome.err
    assert "eyJ" not in outcome.err


BAD = "\x1b]0;pwned\x07\u202e\n::error::"


@pytest.mark.parametrize("is_action", [False, True], ids=["by hand", "in Actions"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GraphFailed(f"no{BAD}", "wait"), [f"error: no{SAFE}", "  hint: wait"]),
        (GraphFailed("no", f"wait{BAD}"), ["error: no", f"  hint: wait{SAFE}"]),
        (
            InputError((Diagnostic("no", None, Position(f"c{BAD}", 2, 3)),)),
            [f"c{SAFE}:2:3: error: no"],
        ),
        (
            Refused((Diagnostic(f"no ghs_{'a1' * 20}", f"wait ghp_{'b2' * 20}"),)),
            ["error: no …", "  hint: wait …"],
        ),
        (PermissionError(13, f"denied{BAD}"), [f"error: the system refused: denied{SAFE}", HINT]),
    ],
    ids=["summary", "hint", "file", "secrets", "system"],
)
def test_nothing_of_an_error_steers_a_terminal(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: list[str],
    *,
    is_action: bool,
) -> None:
    """Wherever its words come from, an error is shown as text, and has no secret in it."""

    @click.command
    def command() -> None:
        raise error

    monkeypatch.setenv("GITHUB_ACTIONS", str(is_action).lower())
    code = cli.run([], command)
    out, err = capsys.readouterr()

    assert (code, out) != (0, "")
    lines = click.unstyle(err).splitlines()
    assert lines[: len(told)] == told
    assert len(lines) == len(told) + is_action
    assert list(hidden_in("".join(lines))) == []
    assert not any(f"{letter}{digit}" * 3 in err for letter, digit in ("a1", "b2"))


def test_a_full_disk_behind_the_output() -> None:
    """What the system refuses is told in one line, without a traceback."""
    Path("c.yaml").write_text(COHORT, "utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "reconciler", "validate", "c.yaml"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: the system refused: no space left on device\n")
    assert "Traceback" not in ran.stderr


def test_a_fault_of_ours_is_one_line_and_a_trace_without_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An unexpected exception says where its trace is, and neither shows what it carried."""

    @click.command()
    def faulty() -> None:
        secret = "hunter" + "2"
        raise KeyError(secret)

    code = cli.run([], faulty)
    told = capsys.readouterr().err
    trace = Path(told.partition("the trace is in ")[2].partition(";")[0])
    written = trace.read_text("utf-8")
    trace.unlink()

    assert code == 1
    assert told.startswith("error: unexpected KeyError in reconciler itself\n")
    assert "KeyError" in written
    assert "hunter2" not in told + written


def test_what_libraries_log_is_not_shown(tmp_path: Path) -> None:
    """A warning of a library does not stand beside our own words."""
    script = tmp_path / "warns.py"
    script.write_text(
        "import logging, sys\n"
        "from reconciler import cli\n"
        "code = cli.run(['--version'])\n"
        "logging.getLogger('azure.identity').warning('a token')\n"
        "sys.exit(code)\n",
        "utf-8",
    )
    ran = subprocess.run(  # noqa: S603 -- our own interpreter and our own words
        [sys.executable, str(script)], capture_output=True, text=True, check=True
    )

    assert ran.stderr == ""
