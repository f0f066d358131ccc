"""The plan that was approved: which pull request a commit came from, and what it showed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic
from reconciler.errors import Refused

if TYPE_CHECKING:
    from reconciler.github.api import GitHub

PLAN = "plan.json"
"""What the file is called in the artifact."""
READ_PULLS, READ_RUNS = "pull-requests: read", "actions: read"
_MOST_BYTES = 256 * 1024 * 1024
_BY_HAND = "run the apply workflow by hand to apply without an approval, if that is what you want"


@dataclass(frozen=True, slots=True)
class Approval:
    """What the reviewers of a pull request had before them."""

    pull_request: int
    head: str
    """The commit that was reviewed."""
    run_id: int
    """The run that made the plan."""
    approvers: tuple[str, ...]
    plan: bytes


def approval(github: GitHub, commit: str, *, workflow: str, artifact: str) -> Approval:
    """Find what was approved for the pull request that was merged as *commit*.

    Raises `Refused` where no pull request was, or where its plan is not there any more.
    """
    pull = _merged_as(github, commit)
    number, head = int(pull["number"]), str(pull["head"]["sha"])
    run = _planned(github, head, workflow)
    again = f"run the plan of pull request #{number} again, then this; or {_BY_HAND}"
    if run is None:
        raise _refused(f"no plan was made for {head[:12]}, the head of #{number}", again)
    found = github.pages(f"actions/runs/{run['id']}/artifacts", READ_RUNS, "artifacts")
    there = [each for each in found if each["name"] == artifact and not each["expired"]]
    if not there:
        raise _refused(f"the plan that was approved with #{number} is kept no longer", again)
    newest = max(there, key=lambda each: int(each["id"]))
    content = github.download(f"actions/artifacts/{newest['id']}/zip", READ_RUNS)
    return Approval(
        number, head, int(run["id"]), _approvers(github, number, head), _unzipped(content)
    )


def _merged_as(github: GitHub, commit: str) -> Any:  # noqa: ANN401 -- JSON
    """Give the pull request that became *commit*, however it was merged."""
    recent = github.get(
        "pulls", READ_PULLS, state="closed", sort="updated", direction="desc", per_page=100
    )
    for pull in recent:
        if pull["merge_commit_sha"] == commit and pull["merged_at"]:
            return pull
    raise _refused(f"no pull request was merged as {commit[:12]}", _BY_HAND)


def _planned(github: GitHub, head: str, workflow: str) -> Any:  # noqa: ANN401 -- JSON
    """Give the last finished run of *workflow* on *head*, for a pull request."""
    runs = github.pages(
        "actions/runs", READ_RUNS, "workflow_runs", head_sha=head, event="pull_request"
    )
    fit = (
        run
        for run in runs
        if run["head_sha"] == head
        and str(run["path"]).partition("@")[0] == workflow
        and run["conclusion"] == "success"
    )
    return max(fit, key=lambda run: int(run["id"]), default=None)


def _approvers(github: GitHub, number: int, head: str) -> tuple[str, ...]:
    """Give who approved *head* itself, each once; a later word of theirs counts."""
    said: dict[str, str] = {}
    for review in github.pages(f"pulls/{number}/reviews", READ_PULLS):
        if review.get("commit_id") == head and review.get("state") != "COMMENTED":
            said[str((review.get("user") or {}).get("login"))] = str(review.get("state"))
    return tuple(sorted(login for login, state in said.items() if state == "APPROVED"))


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(PLAN).file_size > _MOST_BYTES:
                raise _refused("the plan of the artifact is larger than any plan", _BY_HAND)
            return archive.read(PLAN)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _refused("the artifact holds no plan that can be read", _BY_HAND) from error


def _refused(summary: str, hint: str) -> Refused:
    return Refused((Diagnostic(summary, hint),))
