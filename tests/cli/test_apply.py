"""Applies as an operator meets them: what is left behind, what is never shown, how they end."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from reconciler.config.schema import schema_text
from reconciler.credentials import unseal
from reconciler.sandbox.company.contoso import AGE_IDENTITY, EXTENSIONS
from reconciler.sandbox.server import running
from reconciler.sandbox.wire import Exchange, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.sandbox.server import Endpoints
    from reconciler.sandbox.wire import Incoming

    Run = Callable[..., Any]

COHORTS = Path(__file__).parents[2] / "cohorts"
KEY = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
BETA = f"""\
version: 1
cohort: beta-2026
defaults: {{usageLocation: GB}}
licenses: [{{sku: SPE_E5}}]
groups: [Research - All staff]
roles:
  - {{role: Reports Reader, justification: Monthly report}}
credentials: {{recipients: [{KEY}]}}
users:
  - {{givenName: Ada, surname: Lovelace, userPrincipalName: ada@contoso.com}}
  - {{givenName: Grace, surname: Hopper, userPrincipalName: grace@contoso.com}}
"""
READS = {"GET"}
QUESTIONS = re.compile(r"/(getByIds|checkMemberGroups|getMemberGroups)$")


@contextmanager
def _tenant(
    monkeypatch: pytest.MonkeyPatch,
    intercept: Callable[[Incoming], Reply | None] | None = None,
) -> Iterator[tuple[Endpoints, list[Exchange]]]:
    """Run a tenant of its own, which the environment points at."""
    exchanges: list[Exchange] = []
    with running(intercept=intercept, record=exchanges.append) as endpoints:
        for name, value in endpoints.environment.items():
            monkeypatch.setenv(name, value)
        yield endpoints, exchanges


def _writes(exchanges: list[Exchange]) -> list[str]:
    return [
        f"{exchange.method} {exchange.path}"
        for exchange in exchanges
        if exchange.method not in READS
        and not exchange.is_batch
        and not QUESTIONS.search(exchange.path)
    ]


def _write(path: str, content: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content, encoding="utf-8")


def _sign_in(environment: Mapping[str, str], name: str, password: str) -> str:
    """Sign in with a password; gives the code of what the login service answers."""
    trusted = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    form = {
        "grant_type": "password",
        "client_id": environment["AZURE_CLIENT_ID"],
        "client_secret": environment["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
        "username": name,
        "password": password,
    }
    url = (
        f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    )
    with httpx.Client(verify=trusted) as client:
        answer = client.post(url, data=form).json()
    found = re.match(r"AADSTS\d+", answer.get("error_description", "signed in"))
    return found[0] if found else "signed in"


def _rows(plaintext: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(plaintext.decode())))


def test_every_sealed_credential_signs_in_and_must_be_changed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row of the examples' sealed files is accepted by the tenant, as a password to change."""
    with _tenant(monkeypatch) as (endpoints, _):
        outcome = run("apply", "--yes", COHORTS)
        sealed = sorted(Path("out").glob("*.age"))
        rows = [row for file in sealed for row in _rows(unseal(file.read_bytes(), [_IDENTITY]))]
        answers = {
            _sign_in(endpoints.environment, row["Email/UPN"], row["Initial Password"])
            for row in rows
        }
        wrong = _sign_in(endpoints.environment, rows[0]["Email/UPN"], "not the password")

    assert outcome.code == 0
    assert [file.name for file in sealed] == [
        "contractors-2026-q4.credentials.csv.age",
        "helpdesk-pilot.credentials.csv.age",
        "research-2026.credentials.csv.age",
        "tokyo-office.credentials.csv.age",
    ]
    assert len(rows) == 21
    assert answers == {"AADSTS50055"}
    assert wrong == "AADSTS50126"


_IDENTITY = AGE_IDENTITY.encode()


@pytest.mark.skipif(
    shutil.which("age") is None, reason="Debian's age is not installed: `apt-get install age`"
)
def test_plain_age_opens_a_sealed_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's `age -d` gives the same CSV as `unseal`, with the three columns."""
    _write("cohorts/beta.yaml", BETA)
    _write("identity.txt", AGE_IDENTITY)
    with _tenant(monkeypatch) as (endpoints, _):
        run("apply", "--yes")
        opened = subprocess.run(
            ["age", "-d", "-i", "identity.txt", "out/beta-2026.credentials.csv.age"],  # noqa: S607 -- from PATH, as a person would
            capture_output=True,
            check=True,
        ).stdout
        answers = [
            _sign_in(endpoints.environment, row["Email/UPN"], row["Initial Password"])
            for row in _rows(opened)
        ]
    ours = run("unseal", "out/beta-2026.credentials.csv.age", "-i", "identity.txt")

    assert opened.decode() == ours.out
    assert ours.out.splitlines()[0] == "Name,Email/UPN,Initial Password"
    assert answers == ["AADSTS50055", "AADSTS50055"]


def test_no_password_is_anywhere_but_in_the_sealed_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Output, journal, receipt, logs and every other file of a run hold no password."""
    caplog.set_level("DEBUG")
    _write("cohorts/beta.yaml", BETA)
    refused = _failing("POST", "/v1.0/users", 1, _BAD)
    with _tenant(monkeypatch, refused):
        first = run("apply", "--yes")
        second = run("apply", "--yes")
    sealed = Path("out").glob("*.age")
    rows = [row for file in sealed for row in _rows(unseal(file.read_bytes(), [_IDENTITY]))]
    files = [file.read_text("utf-8") for file in Path().rglob("*") if file.suffix in _TEXTS]
    everything = "\n".join([first.out, first.err, second.out, second.err, caplog.text, *files])

    assert len(rows) == 2
    assert "beta-2026" in everything
    assert [row for row in rows if row["Initial Password"] in everything] == []


_TEXTS = {".json", ".jsonl", ".yaml", ".txt", ".csv", ".part"}
_BAD = Reply(
    400,
    {
        "error": {
            "code": "Request_BadRequest",
            "message": "Property jobTitle is invalid.",
            "innerError": {"request-id": "11111111-2222-3333-4444-555555555555"},
        }
    },
)


def _failing(
    method: str, path: str, times: int, reply: Reply
) -> Callable[[Incoming], Reply | None]:
    left = [times]

    def intercept(incoming: Incoming) -> Reply | None:
        if (incoming.method, incoming.path) == (method, path) and left[0]:
            left[0] -= 1
            return reply
        return None

    return intercept


def test_one_failure_leaves_the_others_done_and_exits_with_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary says what was done, what was not and why, with Graph's request-id."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch, _failing("POST", "/v1.0/users", 1, _BAD)):
        failed = run("apply", "--yes")
        again = run("apply", "--yes")
        converged = run("plan", "--detailed-exitcode")

    assert failed.code == 1
    assert "Partly failed: 4 of 8 changes made in Contoso, 1 failed, 3 skipped" in failed.out
    assert (
        "Request_BadRequest: Property jobTitle is invalid. "
        "(request-id 11111111-2222-3333-4444-555555555555)"
    ) in failed.out
    assert "did not succeed" in failed.out
    assert again.code == 0
    assert converged.code == 0


def test_the_second_apply_makes_no_write(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply, apply again: the tenant sees reads only, for all of the examples."""
    with _tenant(monkeypatch) as (_, exchanges):
        run("apply", "--yes", COHORTS)
        written = len(_writes(exchanges))
        exchanges.clear()
        outcome = run("apply", "--yes", COHORTS)

    assert written > 50
    assert outcome.code == 0
    assert _writes(exchanges) == []


def test_a_refused_plan_writes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard, or input that is wrong, stops an apply before anything is sent or left behind."""
    _write("cohorts/beta.yaml", BETA.replace("SPE_E5", "PROJECTPROFESSIONAL"))
    with _tenant(monkeypatch) as (_, exchanges):
        refused = run("apply", "--yes")
        _write("cohorts/beta.yaml", BETA.replace(KEY, "age1x"))
        seen = len(exchanges)
        wrong = run("apply", "--yes")

    assert refused.code == 3
    assert _writes(exchanges) == []
    assert wrong.code == 65
    assert len(exchanges) == seen
    assert not Path("out").exists()


def test_receipt_and_journal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run leaves a receipt as published, and a journal of JSON lines that end with its result."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch):
        run("apply", "--yes", "--out", "results")
    receipt = json.loads(Path("results/receipt.json").read_text("utf-8"))
    lines = Path("results/journal.jsonl").read_text("utf-8").splitlines()
    journal = [json.loads(line) for line in lines]
    events = [line["event"] for line in journal]

    Draft202012Validator(json.loads(schema_text("receipt"))).validate(receipt)
    assert receipt["result"] == "applied"
    assert {outcome["outcome"] for outcome in receipt["outcomes"]} == {"applied"}
    assert all(outcome["user"]["id"] for outcome in receipt["outcomes"])
    assert events[:3] == ["started", "sealed", "sending"]
    assert journal[-1]["result"] == "applied"


def test_missing_permission(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity that plans can plan, and an apply with it says what it lacks and exits 77."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch) as (endpoints, exchanges):
        for name, value in endpoints.read_only_environment.items():
            monkeypatch.setenv(name, value)
        planned = run("plan", "--detailed-exitcode")
        applied = run("apply", "--yes")

    assert planned.code == 2
    assert applied.code == 77
    assert applied.err.startswith("error: the application may not create and change users (one of ")
    assert _writes(exchanges) == []


def test_wrong_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in that is refused exits with 77 and never repeats the secret."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch):
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-secret-that-is-wrong")
        outcome = run("plan")

    assert outcome.code == 77
    assert "AADSTS7000215" in outcome.err
    assert "a-secret-that-is-wrong" not in outcome.out + outcome.err


def test_unreachable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login service that does not answer exits with 69."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch):
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://localhost:9")
        outcome = run("plan")

    assert outcome.code == 69
    assert outcome.err.startswith("error: the login service does not answer\n")


def test_annotations(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In GitHub Actions each problem also becomes an annotation on its line."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _write("cohorts/beta.yaml", BETA.replace("GB", "UK"))
    outcome = run("validate")

    assert (
        "::error file=cohorts/beta.yaml,line=3,col=27::usageLocation 'UK' is not an "
        "ISO 3166-1 alpha-2 code (did you mean 'GB'?)"
    ) in outcome.err


def test_ownership_in_a_directory_extension(run: Run) -> None:
    """A tenant can keep the marks in a directory extension: found again, taken back, converged."""
    extension = EXTENSIONS[0]
    tenant = (
        "version: 1\ntenant: contoso.onmicrosoft.com\nsource: contoso-identity\n"
        f"ownership: {extension}\nlicenses: [SPE_E5]\ngroups: [Research - All staff]\n"
        "roles: [Reports Reader]\nremoval: disable\n"
    )
    _write("cohorts/tenant.yaml", tenant)
    _write("cohorts/beta.yaml", BETA)
    first = run("apply", "--yes", "--sandbox=t.sqlite")
    second = run("plan", "--sandbox=t.sqlite", "--detailed-exitcode")
    Path("cohorts/beta.yaml").write_text(BETA[: BETA.index("  - {givenName: Grace")], "utf-8")
    third = run("plan", "--sandbox=t.sqlite", "--detailed-exitcode")

    assert (first.code, second.code, third.code) == (0, 0, 2)
    assert "~ user grace@contoso.com: sign-in is blocked, sessions end" in third.out


# --- on a terminal --------------------------------------------------------------------


class _Terminal:
    """The command on a real terminal, typed at by a test."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._reader, writer = pty.openpty()
        self.process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "reconciler", *arguments],
            stdin=writer,
            stdout=writer,
            stderr=writer,
            env={**os.environ, "TERM": "xterm", **(environment or {})},
            start_new_session=True,
        )
        os.close(writer)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read on until *text* is shown."""
        while text not in self.shown:
            self._wait()
            self.shown += os.read(self._reader, 4096).decode("utf-8", "replace")

    def _wait(self) -> bool:
        """Wait for something to be shown; what hangs fails, and does not hang the tests."""
        ready, _, _ = select.select([self._reader], [], [], 60)
        if not ready:
            self.process.kill()
        assert ready, f"nothing more was shown after: {self.shown[-200:]}"
        return True

    def type(self, text: str) -> None:
        """Type *text*."""
        os.write(self._reader, text.encode())

    def end(self) -> int:
        """Read to the end; gives the exit code."""
        try:
            while self._wait() and (chunk := os.read(self._reader, 4096)):
                self.shown += chunk.decode("utf-8", "replace")
        except OSError:
            pass  # how a terminal says on Linux that nobody writes to it any more
        os.close(self._reader)
        return self.process.wait(timeout=30)


def test_asks_on_a_terminal_and_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --yes a person is asked; no is no, and nothing was written."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch) as (_, exchanges):
        terminal = _Terminal("apply")
        terminal.until("Make 8 changes in Contoso? [y/N]: ")
        terminal.type("n\n")
        declined = terminal.end()
        unwritten = _writes(exchanges)
        terminal = _Terminal("apply")
        terminal.until("[y/N]: ")
        terminal.type("y\n")
        agreed = terminal.end()

    assert declined == 130
    assert unwritten == []
    assert agreed == 0
    assert "Applied: 8 of 8 changes" in terminal.shown


def test_a_question_is_asked_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is none is asked for again; the end of the input is a no."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch) as (_, exchanges):
        terminal = _Terminal("apply")
        terminal.until("[y/N]: ")
        terminal.type("maybe\n")
        terminal.until("please answer y or n")
        terminal.until("[y/N]: ")
        terminal.type("\x04")
        code = terminal.end()

    assert code == 130
    assert _writes(exchanges) == []


def test_a_rerun_names_the_pieces_that_a_killed_run_left(run: Run) -> None:
    """Credentials of a run that died are in its sealed pieces, and somebody is told so."""
    _write("cohorts/beta.yaml", BETA)
    _write("out/beta-2026.part-0001.credentials.csv.age", "sealed")
    first = run("apply", "--yes", "--sandbox=t.sqlite")
    nothing_to_do = run("apply", "--yes", "--sandbox=t.sqlite")
    named = (
        "An earlier run ended before it put its credentials together; these open as well:\n"
        "  out/beta-2026.part-0001.credentials.csv.age\n"
    )

    assert (first.code, nothing_to_do.code) == (0, 0)
    assert named in first.out
    assert named in nothing_to_do.out


def test_a_role_assignable_group_needs_its_permission_before_the_first_write(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the application may not do is told before an account is created for it."""
    listed = "groups: [{group: Tier 1 helpdesk, roleAssignable: true}]\nlicenses: [SPE_E5]\n"
    tenant = "version: 1\ntenant: contoso.com\nsource: s\nroles: [Reports Reader]\n"
    _write("cohorts/tenant.yaml", tenant + listed)
    _write("cohorts/beta.yaml", BETA.replace("Research - All staff", "Tier 1 helpdesk"))
    with _tenant(monkeypatch) as (endpoints, exchanges):
        for name, value in endpoints.read_only_environment.items():
            monkeypatch.setenv(name, value)
        outcome = run("apply", "--yes")

    assert outcome.code == 77
    assert (
        "change role-assignable groups (one of RoleManagement.ReadWrite.Directory)" in outcome.err
    )
    assert _writes(exchanges) == []


def test_ctrl_c_ends_a_question_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt at the prompt is an answer, and the answer is no."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch) as (_, exchanges):
        terminal = _Terminal("apply")
        terminal.until("[y/N]: ")
        terminal.process.send_signal(signal.SIGINT)
        code = terminal.end()

    assert code == 130
    assert terminal.shown.rstrip().endswith("Interrupted: nothing was changed.")
    assert _writes(exchanges) == []


def test_a_tenant_that_changes_while_somebody_reads_is_planned_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing changes that the plan did not show: what was agreed to has to be the plan still."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch):
        terminal = _Terminal("apply")
        terminal.until("[y/N]: ")
        _write("elsewhere/beta.yaml", BETA[: BETA.index("  - {givenName: Grace")])
        subprocess.run(
            [sys.executable, "-m", "reconciler", "apply", "--yes", "--out", "o", "elsewhere"],
            check=True,
            capture_output=True,
        )
        terminal.type("y\n")
        terminal.until("The tenant changed while you were reading.")
        terminal.until("Make 4 changes in Contoso? [y/N]: ")
        terminal.type("y\n")
        code = terminal.end()

    assert code == 0
    assert "Applied: 4 of 4 changes" in terminal.shown


def test_a_guard_that_objects_while_somebody_reads_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was agreed to may be refused by now, although its changes are the same ones."""
    people = "".join(
        f"  - {{displayName: P{n}, userPrincipalName: p{n}@contoso.com}}\n" for n in range(7)
    )
    head = BETA[: BETA.index("groups:")].replace("SPE_E5", "POWER_BI_PRO")
    keys = f"credentials: {{recipients: [{KEY}]}}\nusers:\n"
    *_, last = people.splitlines(keepends=True)
    _write("cohorts/beta.yaml", head + keys + people.removesuffix(last))
    _write("elsewhere/gamma.yaml", head.replace("beta", "gamma") + keys + last)
    with _tenant(monkeypatch) as (_, exchanges):
        terminal = _Terminal("apply")
        terminal.until("Make 12 changes in Contoso? [y/N]: ")
        subprocess.run(
            [sys.executable, "-m", "reconciler", "apply", "--yes", "--out", "o", "elsewhere"],
            check=True,
            capture_output=True,
        )
        written = len(_writes(exchanges))
        terminal.type("y\n")
        code = terminal.end()

    assert code == 3
    assert "The tenant changed while you were reading." in terminal.shown
    assert "too few seats of POWER_BI_PRO: 6 needed, 5 free, 0 freed" in terminal.shown
    assert len(_writes(exchanges)) == written


def test_a_reader_that_leaves_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to watch: without anybody who reads its progress, an apply ends as always."""
    _write("cohorts/beta.yaml", BETA)
    with _tenant(monkeypatch):
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr
        process.stderr.close()
        code = process.wait(timeout=60)
    receipt = json.loads(Path("out/receipt.json").read_text("utf-8"))

    assert code == 0
    assert receipt["summary"] == {"applied": 8, "failed": 0, "skipped": 0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "cancelled"])
def test_an_interrupt_ends_the_run_between_two_requests(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """What is in flight is awaited, the rest is skipped, receipt and credentials are complete."""
    _write("cohorts/beta.yaml", BETA)
    arrived: list[str] = []

    def slow(incoming: Incoming) -> Reply | None:
        if incoming.method == "POST" and incoming.path == "/v1.0/users":
            arrived.append(incoming.path)
            time.sleep(0.3)
        return None

    with _tenant(monkeypatch, slow):
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not arrived:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        code = process.wait(timeout=30)
    receipt = json.loads(Path("out/receipt.json").read_text("utf-8"))
    rows = _rows(unseal(Path("out/beta-2026.credentials.csv.age").read_bytes(), [_IDENTITY]))

    assert code == 130
    assert receipt["result"] == "interrupted"
    assert receipt["summary"] == {"applied": 2, "failed": 0, "skipped": 6}
    assert len(rows) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "cancelled"])
@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"]], ids=" ".join)
def test_an_interrupt_while_planning_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], number: signal.Signals
) -> None:
    """A command that has not written anything yet ends at once, and with the same code."""
    _write("cohorts/beta.yaml", BETA)
    arrived: list[str] = []

    def slow(incoming: Incoming) -> Reply | None:
        arrived.append(incoming.path)
        time.sleep(0.3)
        return None

    with _tenant(monkeypatch, slow) as (_, exchanges):
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own words
            [sys.executable, "-m", "reconciler", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not arrived:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        printed = process.communicate(timeout=30)

    assert process.returncode == 130
    assert printed == ("", "\nerror: interrupted\n")
    assert _writes(exchanges) == []


def test_output_that_nobody_reads_ends_quietly() -> None:
    """`reconciler plan | head -1` shows no traceback."""
    _write("cohorts/beta.yaml", BETA)
    piped = subprocess.run(  # noqa: S602 -- a pipe as a person types it
        f"{sys.executable} -m reconciler plan --sandbox=t.sqlite | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert piped.stdout == "Contoso: 2 people join\n"
    assert "Traceback" not in piped.stderr


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["validate"]], ids=["version", "help", "validate"]
)
def test_commands_without_a_tenant_import_nothing_of_graph(arguments: list[str]) -> None:
    """What is asked offline does not wait for the SDK."""
    _write("cohorts/beta.yaml", BETA)
    code = (
        "import sys; from reconciler import cli\n"
        f"code = cli.run({arguments!r})\n"
        "loaded = {module.partition('.')[0] for module in sys.modules}\n"
        "print(sorted(loaded & {'msgraph', 'azure', 'httpx'}))\n"
        "sys.exit(code)"
    )
    ran = subprocess.run(  # noqa: S603 -- our own interpreter and our own words
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert ran.stdout.splitlines()[-1] == "[]"
