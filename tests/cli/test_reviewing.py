"""From a pull request to its merge, on the command line: what was shown is what runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import Response

from reconciler.sandbox.serving import Running, bound, config, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from tests.cli.conftest import Outcome

    Run = Callable[..., Outcome]

KEY = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
TENANT = "version: 1\ntenant: contoso.com\nsource: s\nlicenses: [SPE_E5]\n"
SANDBOX = "--sandbox=t.sqlite"
APPROVED = ("--approved", "plan/plan.json")


def _cohort(name: str, *people: str, department: str = "Research") -> None:
    listed = "".join(
        f"  - {{displayName: {who}, userPrincipalName: {who}@contoso.com}}\n" for who in people
    )
    text = (
        f"version: 1\ncohort: {name}\ndefaults: {{usageLocation: GB, department: {department}}}\n"
        f"credentials: {{recipients: [{KEY}]}}\nusers:{listed and chr(10)}{listed or ' []'}\n"
    )
    Path("cohorts").mkdir(exist_ok=True)
    Path(f"cohorts/{name}.yaml").write_text(text, encoding="utf-8")


def _git(*arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@contoso.com")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)  # noqa: S603, S607 -- git itself


def _commit() -> None:
    _git("add", "--all", "cohorts")
    _git("commit", "--quiet", "--message", "change the cohorts")


@pytest.fixture
def merged(run: Run) -> None:
    """Merge two cohorts into a new repository, and apply them."""
    _git("init", "--quiet", ".")
    Path("cohorts").mkdir()
    Path("cohorts/tenant.yaml").write_text(TENANT, encoding="utf-8")
    _cohort("alpha", "ada")
    _cohort("beta", "bob")
    _commit()
    assert run("apply", "--yes", SANDBOX).code == 0


@pytest.mark.usefixtures("merged")
def test_what_was_approved_runs_whatever_else_changed(run: Run) -> None:
    """A pull request that adds somebody is applied although another cohort's person differs now."""
    _cohort("beta", "bob", "cat")
    _commit()
    planned = run("plan", "--since", "HEAD^", "--report", "plan", SANDBOX)
    Path("elsewhere").mkdir()
    Path("cohorts/alpha.yaml").rename("elsewhere/alpha.yaml")
    _cohort("alpha", "ada", department="Sales")
    assert run("apply", "--yes", SANDBOX, "cohorts/alpha.yaml").code == 0
    Path("elsewhere/alpha.yaml").rename("cohorts/alpha.yaml")

    applied = run("apply", "--yes", "--since", "HEAD^", *APPROVED, SANDBOX)

    assert planned.out.startswith("Contoso: 1 person joins")
    assert applied.code == 0
    assert "Applied: 1 of 1 change made" in applied.out
    again = run("apply", "--yes", "--since", "HEAD^", *APPROVED, SANDBOX)
    assert (again.code, "as the files declare it" in again.out) == (0, True)


@pytest.mark.usefixtures("merged")
def test_what_was_approved_runs_though_somebody_of_the_same_file_differs_now(run: Run) -> None:
    """Who was changed in the tenant since is left out with a word, and told by the next plan."""
    _cohort("beta", "bob", "cat")
    _commit()
    run("plan", "--since", "HEAD^", "--report", "plan", SANDBOX)
    _cohort("beta", "bob", department="Sales")
    assert run("apply", "--yes", SANDBOX, "cohorts/beta.yaml").code == 0
    _cohort("beta", "bob", "cat")

    applied = run("apply", "--yes", "--since", "HEAD^", *APPROVED, SANDBOX)

    assert applied.code == 0, applied.err
    assert "Applied: 1 of 1 change made" in applied.out
    assert "update user 'bob@contoso.com' is left out" in " ".join(applied.out.split())
    assert "1 person changes" in run("plan", "--format", "markdown", SANDBOX).out


@pytest.mark.usefixtures("merged")
def test_what_was_added_after_the_approval_stops_the_apply(run: Run) -> None:
    """More than was approved is told with its line, operation by operation, and nothing runs."""
    _cohort("beta", "bob", "cat")
    _commit()
    run("plan", "--since", "HEAD^", "--report", "plan", SANDBOX)
    _cohort("beta", "bob", "cat", "dan")
    _commit()

    applied = run("apply", "--yes", "--since", "HEAD~2", *APPROVED, SANDBOX)

    assert applied.code == 3
    assert applied.err == (
        "cohorts/beta.yaml:8:5: error: create user 'dan@contoso.com' was not approved\n"
        "  hint: let the plan be made and approved again, or apply by hand what is right now\n"
    )
    assert run("plan", SANDBOX).out.startswith("Contoso: 2 people join")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: _cohort("beta", "cat"), "Contoso: 1 person joins"),
        (lambda: Path("cohorts/beta.yaml").unlink(), "Contoso: 1 person changes"),
        (lambda: Path("cohorts/tenant.yaml").write_text(TENANT + "# more\n"), "1 person changes"),
        (lambda: Path("cohorts/notes.txt").write_text("x"), "Contoso: 1 person changes"),
    ],
    ids=["a cohort", "a file went", "the tenant file", "no cohort"],
)
@pytest.mark.usefixtures("merged")
def test_only_what_changed_is_planned(run: Run, change: Callable[[], object], told: str) -> None:
    """A change of cohort files narrows the plan to them; anything else is about everything."""
    _cohort("alpha", "ada", department="Sales")
    _commit()
    change()
    _commit()

    planned = run("plan", "--since", "HEAD^", SANDBOX)

    assert planned.code == 0
    assert told in planned.out


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("--output=x", "'--output=x' names no revision"),
        ("no-such-branch", "git cannot tell what changed: "),
    ],
)
@pytest.mark.usefixtures("merged")
def test_a_revision_that_is_none(run: Run, revision: str, told: str) -> None:
    """What git does not know is told, and nothing that looks like an option reaches it."""
    planned = run("plan", f"--since={revision}", SANDBOX)

    assert planned.code == 64
    assert told in planned.err
    assert not Path("x").exists()


@pytest.mark.usefixtures("merged")
def test_without_git_nothing_is_narrowed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git is told so."""
    monkeypatch.setenv("PATH", "")

    planned = run("plan", "--since", "HEAD^", SANDBOX)

    assert planned.code == 64
    assert "--since needs git, which is not installed" in planned.err


@pytest.mark.usefixtures("merged")
def test_the_first_push_of_a_branch_is_about_everything(run: Run) -> None:
    """GitHub names what was before it with zeros: then nothing narrows the plan."""
    assert run("plan", "--since", "0" * 40, SANDBOX).code == 0


@pytest.mark.usefixtures("merged")
def test_a_report_is_of_this_plan_or_of_none(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plan that cannot be made leaves no older one behind that could be approved."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    _cohort("beta", "bob", "cat")
    assert run("plan", "--report", "plan", SANDBOX).code == 0
    document = json.loads(Path("plan/plan.json").read_text("utf-8"))
    outputs = (tmp_path / "outputs").read_text("utf-8")
    _cohort("beta", "bob", "cat", "cat")

    refused = run("plan", "--report", "plan", SANDBOX)

    assert document["summary"]["create"] == 1
    assert document["digest"] in outputs
    assert refused.code == 65
    assert not Path("plan/plan.json").exists()
    assert not Path("plan/plan.html").exists()
    shown = Path("plan/plan.md").read_text("utf-8")
    assert shown.startswith("### No plan can be made: 1 problem\n")
    assert "cohorts/beta.yaml:8" in shown
    assert (tmp_path / "summary").read_text("utf-8").endswith(shown)


@pytest.mark.usefixtures("merged")
def test_the_page_is_the_same_by_itself_and_in_a_report(run: Run) -> None:
    """`--format html` writes the page that a report holds, and it names the plan's digest."""
    alone = run("plan", "--format", "html", "--report", "plan", SANDBOX)

    assert alone.code == 0
    assert alone.out == Path("plan/plan.html").read_text("utf-8")
    digest = json.loads(Path("plan/plan.json").read_text("utf-8"))["digest"]
    assert f"<code><bdi>{digest}</bdi></code>" in alone.out


@pytest.mark.usefixtures("merged")
def test_a_report_needs_its_folder(run: Run) -> None:
    """A folder that cannot be made is told, and no other file is touched."""
    Path("taken").write_text("mine")

    assert run("plan", "--report", "taken/plan", SANDBOX).code == 1
    assert Path("taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no JSON", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("\x80", "it is not JSON"),
        ("[]", "it is not the JSON form of a plan: the whole is no object"),
        ('{"digest": 1}', "it is not the JSON form of a plan: the whole has no 'format_version'"),
    ],
    ids=["text", "too deep", "bytes", "a list", "another object"],
)
@pytest.mark.usefixtures("merged")
def test_what_is_no_plan_approves_nothing(run: Run, content: str, why: str) -> None:
    """A file that is no plan is an error of usage, before anything is asked of the tenant."""
    Path("p.json").write_text(content, encoding="latin-1")

    applied = run("apply", "--yes", "--approved", "p.json", SANDBOX)

    assert applied.code == 64
    assert f"'p.json' is no plan that can have been approved: {why}\n" in applied.err


ROLE = "roles: [{role: Reports Reader, justification: Weekly figures, ticket: CHG7}]\n"


@pytest.mark.usefixtures("merged")
def test_privileged_changes_are_told_where_somebody_listens(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who approved stands in the audit; where nobody takes it, the command says so and fails."""
    Path("cohorts/tenant.yaml").write_text(TENANT + "roles: [Reports Reader]\n")
    _cohort("beta", "bob")
    file = Path("cohorts/beta.yaml")
    file.write_text(file.read_text().replace("credentials:", f"{ROLE}credentials:"))
    Path("plan").mkdir()
    Path("plan/approval.json").write_text('{"pullRequest": 7, "approvers": ["zoe"]}')
    assert run("plan", "--report", "plan", SANDBOX).code == 0
    with bound(0) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/audit"
        heard: list[bytes] = []

        async def listen(scope: Scope, receive: Receive, send: Send) -> None:
            heard.append(await Request(scope, receive).body())
            await Response(status_code=204 if b"Weekly" in heard[-1] else 410)(scope, receive, send)

        monkeypatch.setenv("RECONCILER_AUDIT_WEBHOOK", address)
        unsigned = run("apply", "--yes", *APPROVED, SANDBOX)
        monkeypatch.setenv("RECONCILER_AUDIT_WEBHOOK_SECRET", "shared")
        with serving(Running(((config(listen), listening),))):
            told = run("apply", "--yes", *APPROVED, SANDBOX)
            file.write_text(file.read_text().replace("Reader, justification: Weekly figures", ""))
            file.write_text(file.read_text().replace("{role: Reports , ticket: CHG7}", ""))
            refused = run("apply", "--yes", "--allow-removals", "9", SANDBOX)

    record = json.loads(heard[0])
    assert (unsigned.code, told.code, refused.code) == (64, 0, 1)
    assert record["approval"]["pullRequest"] == 7
    assert record["approval"]["approvers"] == ["zoe"]
    assert (record["justification"], record["ticket"]) == ("Weekly figures", "CHG7")
    assert "the audit could not be delivered to 127.0.0.1: it answered 410" in refused.err
    assert "1 of 1 change made" in refused.out


@pytest.mark.usefixtures("merged")
def test_an_approval_that_cannot_be_read_is_told(run: Run) -> None:
    """What lies beside the plan and is broken stops the apply before anything is asked."""
    assert run("plan", "--report", "plan", SANDBOX).code == 0
    Path("plan/approval.json").write_text("no JSON")

    applied = run("apply", "--yes", *APPROVED, SANDBOX)

    assert applied.code == 64
    assert "'plan/approval.json' cannot be read" in applied.err
