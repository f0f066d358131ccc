"""`reconciler github` in a job of Actions: what it says, what it leaves, and how it fails."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.sandbox.serving import Running, bound, config, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from tests.cli.conftest import Outcome

    Run = Callable[..., Outcome]

HEAD, MERGED = "a" * 40, "b" * 40
PULL = {
    "number": 7,
    "head": {"sha": HEAD},
    "base": {"ref": "main", "repo": {"default_branch": "main"}},
    "merge_commit_sha": MERGED,
    "merged_at": "2026-03-02T09:00:00Z",
}
RUN = {
    "id": 3,
    "head_sha": HEAD,
    "path": ".github/workflows/plan.yml",
    "conclusion": "success",
    "head_repository": {"full_name": "contoso/people"},
}
ARTIFACT = {"id": 5, "name": "plan", "expired": False, "created_at": "2026-03-02T08:00:00Z"}
REVIEW = {
    "user": {"login": "rita", "type": "User"},
    "state": "APPROVED",
    "commit_id": HEAD,
    "submitted_at": "2026-03-02T08:30:00Z",
}
PLAN: dict[str, list[int]] = {"changes": [], "refusals": []}


@contextmanager
def _hub() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """Serve a repository in which nothing was said yet; gives its address and what is written."""
    written: list[tuple[str, str, Any]] = []

    async def answer(request: Request) -> Response:
        path = request.path_params.get("path", "")
        if request.method != "GET":
            body = await request.json()
            written.append((request.method, path, body))
            return JSONResponse({**body, "html_url": f"https://github.example/{path}"})
        if path.endswith("/zip"):
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as archive:
                archive.writestr("plan.json", json.dumps(PLAN))
            return Response(content.getvalue())
        known: dict[str, Any] = {
            "": {"default_branch": "main"},
            f"compare/{'c' * 40}...{MERGED}": {"files": [{"filename": "cohorts/a.yaml"}]},
            f"compare/{MERGED}...main": {"files": [{"filename": "cohorts/a.yaml"}]},
            "pulls": [PULL],
            "actions/runs": {"workflow_runs": [RUN]},
            "actions/runs/3/artifacts": {"artifacts": [ARTIFACT]},
            "pulls/7/reviews": [REVIEW],
            "collaborators/rita/permission": {"permission": "write"},
        }
        return JSONResponse(known.get(path, []))

    routes = [
        Route("/repos/contoso/people", answer),
        Route("/repos/contoso/people/{path:path}", answer, methods=["GET", "POST", "PATCH"]),
    ]
    with bound(0) as listening, serving(Running(((config(Starlette(routes=routes)), listening),))):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", written


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, Any]]]:
    """Be a job of Actions on pull request 7; gives what is written at GitHub."""
    event = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}
    Path("event.json").write_text(json.dumps(event))
    with _hub() as (url, found):
        for name, value in {
            "GITHUB_API_URL": url,
            "GITHUB_REPOSITORY": "contoso/people",
            "GITHUB_TOKEN": "t",
            "GITHUB_RUN_ID": "12",
            "GITHUB_SHA": MERGED,
            "GITHUB_EVENT_PATH": "event.json",
        }.items():
            monkeypatch.setenv(name, value)
        yield found


def _folder(**files: str) -> None:
    Path("out").mkdir(exist_ok=True)
    for name, text in files.items():
        Path(f"out/{name.replace('_', '.')}").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"changes": [1], "refusals": []}, True),
        ({"changes": [], "refusals": [1]}, True),
        (PLAN, False),
        (None, True),
    ],
    ids=["changes", "refused", "nothing", "no plan"],
)
def test_a_comment_is_made_where_there_is_something_to_say(
    run: Run,
    written: list[tuple[str, str, Any]],
    plan: object,
    says: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """The first comment comes with the first thing to say, and leads to the run."""
    _folder(plan_md="2 people join\n", **({"plan_json": json.dumps(plan)} if plan else {}))

    outcome = run("github", "comment", "out")

    assert outcome.code == 0
    if not says:
        assert (outcome.out, written) == ("nothing to say, and nothing said so far\n", [])
        return
    ((method, path, body),) = written
    assert (method, path) == ("POST", "issues/7/comments")
    assert body["body"] == (
        "<!-- reconciler:plan -->\n2 people join\n\n---\nThe whole plan and its report for "
        f"{HEAD[:12]}: [run 12](https://github.com/contoso/people/actions/runs/12).\n"
    )


def test_an_issue_is_opened_for_drift_and_closed_without(
    run: Run, written: list[tuple[str, str, Any]]
) -> None:
    """What the folder holds decides; without an open issue there is nothing to close."""
    Path("out").mkdir()
    lost = run("github", "issue", "out")
    _folder(drift_json="{}")
    quiet = run("github", "issue", "out")
    _folder(drift_md="bob has drifted\n")
    loud = run("github", "issue", "out")

    assert (lost.code, "'out/drift.json' is not there" in lost.err) == (64, True)
    assert quiet.out == "no issue is open\n"
    assert loud.out == "https://github.example/issues\n"
    ((_, _, body),) = written
    assert body["title"] == "The tenant differs from the files"
    assert body["body"].startswith("<!-- reconciler:drift -->\nbob has drifted\n")


def test_what_was_approved_is_fetched(
    run: Run, written: list[tuple[str, str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan lies in the folder with who approved it, and later steps know where."""
    monkeypatch.setenv("GITHUB_OUTPUT", "outputs")

    outcome = run("github", "approved", "--out", "got")

    assert outcome.out == f"approved with pull request #7, at {HEAD[:12]}\n"
    assert json.loads(Path("got/plan.json").read_text()) == PLAN
    assert json.loads(Path("got/approval.json").read_text()) == {
        "pullRequest": 7,
        "head": HEAD,
        "planRun": 3,
        "approvers": ["rita"],
    }
    assert "got/plan.json" in Path("outputs").read_text()
    assert written == []


@pytest.mark.usefixtures("written")
def test_a_rerun_looks_whether_main_has_moved_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt of a push is refused where its files were changed again."""
    Path("event.json").write_text(json.dumps({"before": "c" * 40}))
    first = run("github", "approved", "--out", "got")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    second = run("github", "approved", "--out", "got")

    assert (first.code, second.code) == (0, 3)
    assert "has changed cohorts/a.yaml since bbbbbbbbbbbb" in second.err


@pytest.mark.usefixtures("written")
def test_what_is_missing_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was never filled, a commit of nobody, a place that cannot be written."""
    Path("out").mkdir()
    Path("taken").write_text("mine")
    unfilled = run("github", "comment", "out")
    unknown = run("github", "approved", "--commit", "c" * 40)
    blocked = run("github", "approved", "--out", "taken/x")
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    monkeypatch.delenv("GITHUB_SHA")
    nowhere, none = run("github", "comment", "out"), run("github", "approved")

    assert (unfilled.code, unknown.code, blocked.code) == (64, 3, 1)
    assert "'out/plan.md' is not there" in unfilled.err
    assert "no pull request was merged as cccccccccccc" in unknown.err
    assert (nowhere.code, none.code) == (64, 64)
    assert "this run is about no pull request" in nowhere.err
    assert "no commit is known" in none.err


def test_outside_of_actions_it_says_what_is_missing(run: Run) -> None:
    """On a terminal a person is told what Actions would set."""
    Path("out").mkdir()

    outcome = run("github", "issue", "out")

    assert outcome.code == 64
    assert "GITHUB_API_URL and GITHUB_REPOSITORY and GITHUB_TOKEN not set" in outcome.err
