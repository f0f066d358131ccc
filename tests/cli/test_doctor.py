"""`reconciler doctor`, as a person and a program read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler import cli
from reconciler.commands.doctor import as_json, as_text, command, summary
from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import ExitCode, PermissionMissing
from reconciler.graph.checkup import ORDER
from reconciler.graph.steps import Step, failed, warning
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.sandbox.server import Endpoints

TOP = Path(__file__).parents[2]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `reconciler doctor` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments], command)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Serve a tenant, as `reconciler sandbox serve` does."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder / "tenant.sqlite", folder=folder, tunnel_port=None) as found:
        yield found


def enter(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], **more: str) -> None:
    """Set the variables that say which tenant it is, and who asks."""
    for name, value in {**environment, **more}.items():
        monkeypatch.setenv(name, value)


def test_the_sandbox_with_the_examples(doctor: Callable[..., tuple[int, str, str]]) -> None:
    """Each step is a line with its status; problems have a remedy; the last line sums up."""
    code, out, err = doctor("--sandbox", "t.sqlite", TOP / "cohorts")

    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("ok       cloud: http://127.0.0.1:")
    assert "ok       tenant: Contoso (28d80e74-2d69-4bb9-b1e4-740c4cf0551f)" in lines
    warned = lines.index(
        "warning  permissions: nothing in these files needs User.RevokeSessions.All"
    )
    assert lines[warned + 1].startswith("           take it away, unless ")
    assert lines[-1] == "30 ok, 2 warnings, 0 failed, 0 skipped: nothing failed"


def test_a_folder_after_the_option(doctor: Callable[..., tuple[int, str, str]]) -> None:
    """`--sandbox cohorts/` means the folder, as with plan."""
    code, out, _ = doctor("--for", "plan", "--sandbox", TOP / "cohorts")

    assert code == 0
    assert "User.ReadWrite.All writes, and an identity for plans has only to read" in out
    assert Path(".reconciler/sandbox.sqlite").exists()


def test_a_permission_is_missing(
    doctor: Callable[..., tuple[int, str, str]],
    endpoints: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The identity that plans cannot apply: exit 77, and what to grant for what."""
    enter(monkeypatch, endpoints.read_only_environment)
    code, out, err = doctor(TOP / "cohorts")

    assert (code, err) == (77, "")
    assert (
        "failed   permissions: create and change users: the application may not create and change "
        "users; needed because the files declare 21 people\n"
        "           grant the application permission User.ReadWrite.All of Microsoft Graph"
    ) in out
    assert "skipped  tenant: a permission is missing" in out
    assert out.endswith("mend what failed, from the top\n")


def test_for_programs(
    doctor: Callable[..., tuple[int, str, str]],
    endpoints: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--format json` is one document with every step, the counts and the exit code."""
    enter(monkeypatch, endpoints.read_only_environment)
    code, out, err = doctor("--for", "plan", "--format", "json", TOP / "cohorts")
    whole = json.loads(out)

    assert (code, err, whole["exitCode"], whole["for"]) == (0, "", 0, "plan")
    assert tuple(dict.fromkeys(step["part"] for step in whole["steps"])) == ORDER
    assert sum(whole["counts"].values()) == len(whole["steps"])
    assert whole["counts"]["failed"] == 0


@pytest.mark.parametrize(
    ("format_", "variables", "ends", "told"),
    [
        (
            "text",
            {"AZURE_CLIENT_SECRET": "s3cret-but-wrong"},
            77,
            "failed   sign-in: the login service refused to sign in: AADSTS7000215",
        ),
        (
            "json",
            {"AZURE_CLIENT_SECRET": "s3cret-but-wrong"},
            77,
            '"summary": "the login service refused to sign in: AADSTS7000215',
        ),
        (
            "text",
            {"AZURE_CLIENT_SECRET": ""},
            1,
            "failed   credential: no credentials for Microsoft Graph in the environment",
        ),
        (
            "text",
            {"AZURE_AUTHORITY_HOST": "https://127.0.0.1:9"},
            69,
            "failed   login service: the login service does not answer",
        ),
    ],
    ids=["refused", "refused, for programs", "nobody", "nowhere"],
)
def test_what_fails_is_told_without_a_secret(  # noqa: PLR0913 -- fixtures and a table
    doctor: Callable[..., tuple[int, str, str]],
    endpoints: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
    *,
    format_: str,
    variables: dict[str, str],
    ends: int,
    told: str,
) -> None:
    """One line says what and why, the next what to do; no trace, and nothing that was typed."""
    enter(monkeypatch, endpoints.environment, **variables)
    code, out, err = doctor("--format", format_, TOP / "cohorts")

    assert (code, err) == (ends, "")
    assert told in out
    assert "Traceback" not in out
    assert "s3cret" not in out
    assert endpoints.environment["AZURE_CLIENT_SECRET"] not in out


def test_files_that_are_wrong(doctor: Callable[..., tuple[int, str, str]]) -> None:
    """What is wrong with the files is told as everywhere, before anybody is asked."""
    Path("c.yaml").write_text("version: 2\n", "utf-8")
    code, out, err = doctor("c.yaml")

    assert (code, out) == (65, "")
    assert err.startswith("c.yaml:1:")


PLACE = Position("cohorts/tenant.yaml", 3, 1)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step("clock", "right"), "ok       clock: right"),
        (Step("clock", because="'tenant' failed"), "skipped  clock: 'tenant' failed"),
        (Step("quota", problems=(warning("near"),)), "warning  quota: near"),
        (
            failed("tenant", PermissionMissing("no", "grant it")),
            "failed   tenant: no\n           grant it",
        ),
        (
            Step("domains", problems=(Diagnostic("a", "b", PLACE), Diagnostic("c"))),
            ("failed   domains: cohorts/tenant.yaml:3:1: a\n           b\nfailed   domains: c"),
        ),
        (Step("clock", "a\x1bb"), r"ok       clock: a\u{1b}b"),
        (Step("clock", because="a\x1bb"), r"skipped  clock: a\u{1b}b"),
        (
            Step("x", problems=(Diagnostic("a\x1bb", "c\u202ed", Position("e\x1b.yaml")),)),
            "failed   x: e\\u{1b}.yaml:1:1: a\\u{1b}b\n           c\\u{202e}d",
        ),
    ],
    ids=["ok", "skipped", "warning", "remedy", "several", "told", "because", "problem"],
)
def test_a_step_as_text(step: Step, expected: str) -> None:
    """Status, part, and what was found, or each problem with its remedy."""
    assert as_text(step) == expected


def test_colors() -> None:
    """On a terminal the status has a colour, and the words stay as they are."""
    colored = as_text(Step("clock", "right"), color=True)

    assert "\x1b[32mok" in colored
    assert colored.endswith("clock: right")


def test_the_summary() -> None:
    """One of a kind is told as one."""
    steps = [Step("a", "b"), Step("q", problems=(warning("near"),))]

    assert summary(steps) == "\n1 ok, 1 warning, 0 failed, 0 skipped: nothing failed"


def test_a_step_for_programs() -> None:
    """Nothing of a step is lost."""
    steps: list[Any] = [Step("domains", "x", (Diagnostic("a", "b", PLACE),), "one")]

    (item,) = json.loads(as_json(steps, "plan", ExitCode.FAILED))["steps"]
    assert item == {
        "part": "domains",
        "about": "one",
        "status": "failed",
        "found": "x",
        "because": None,
        "problems": [
            {
                "severity": "error",
                "summary": "a",
                "remedy": "b",
                "position": "cohorts/tenant.yaml:3:1",
            }
        ],
    }
