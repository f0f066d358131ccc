"""The plan that was approved: which pull request a commit came from, and what it showed."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reconciler.diagnostics import Diagnostic
from reconciler.errors import Refused
from reconciler.text import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.github.api import GitHub

PLAN = "plan.json"
"""What the file is called in the artifact."""
READ_PULLS, READ_RUNS, READ_PEOPLE = "pull-requests: read", "actions: read", "metadata: read"
READ_CONTENTS = "contents: read"
_MOST_FILES = 300
"""In one comparison (GitHub Docs, "Compare two commits")."""
_MOST_BYTES = 256 * 1024 * 1024
_UNREADABLE = (
    zipfile.BadZipFile,
    KeyError,  # it holds no such file
    RuntimeError,  # encrypted; NotImplementedError: packed in a way that Python does not know
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # bzip2 says so of broken data
    ValueError,  # a name that is no text, a place that is none
)
"""What `zipfile` raises for archives that are broken or hostile."""
_BY_HAND = "run the workflow `override` to apply without an approval, if that is what you want"


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


@dataclass(frozen=True, slots=True)
class _Made:
    """A plan that a run left."""

    at: datetime
    artifact_id: int
    run_id: int
    is_expired: bool


def approval(github: GitHub, commit: str, *, workflow: str, artifact: str) -> Approval:
    """Find what was approved for the pull request that was merged as *commit*.

    That is the last plan of its head that was there when somebody who may write approved
    that head. A plan that was made later is one that nobody has seen. Raises `Refused` where
    there is no such plan, or where it is not kept any more.
    """
    pull = _merged_as(github, commit)
    number, head = int(pull["number"]), str(pull["head"]["sha"])
    made = sorted(_plans(github, head, workflow, artifact), key=lambda plan: plan.at)
    if not made:
        raise _refused(f"no plan was made for {head[:12]}, the head of #{number}", _again(number))
    said = _approvals(github, number, head)
    if not said:
        raise _refused(
            f"nobody who may write has approved {head[:12]}, the head of #{number}",
            f"let somebody approve #{number}, which a merged one can be too, then run this again; "
            f"or {_BY_HAND}",
        )
    plan = _seen(number, made, said)
    content = github.download(f"actions/artifacts/{plan.artifact_id}/zip", READ_RUNS)
    return Approval(number, head, plan.run_id, tuple(sorted(said)), _unzipped(content))


def check_not_overtaken(github: GitHub, before: str, commit: str) -> None:
    """Raise Refused where files of the push from *before* to *commit* have changed again since.

    For jobs that are run again: what they would apply stood in the files once.
    """
    branch = github.get("", READ_PEOPLE)["default_branch"]
    pushed = _files(github, before, commit)
    since = _files(github, commit, quote(branch, safe=""))
    if again := sorted(pushed & since):
        raise _refused(
            f"the default branch has changed {listing(again, 3)} since {commit[:12]}: a rerun "
            "would bring back what stood there before",
            f"run the newest `apply` again, or open a pull request; or {_BY_HAND}",
        )


def _files(github: GitHub, base: str, head: str) -> frozenset[str]:
    """Give the files that differ between two commits, in which *head* follows *base*."""
    files = github.get(f"compare/{base}...{head}", READ_CONTENTS)["files"]
    if len(files) >= _MOST_FILES:
        raise _refused(
            f"more files changed between {base[:12]} and {head[:12]} than GitHub tells",
            f"run the newest `apply` again, or open a pull request; or {_BY_HAND}",
        )
    return frozenset(str(file["filename"]) for file in files)


def _seen(number: int, made: Sequence[_Made], said: Mapping[str, datetime]) -> _Made:
    """Choose the plan that those who approved had before them."""
    last = max(said.values())
    shown = [plan for plan in made if plan.at <= last]
    if not shown or shown[-1].is_expired:
        if made[-1].at > last and not made[-1].is_expired:
            raise _refused(
                f"the plan of #{number} was made after #{number} was approved",
                f"let #{number} be approved again, as its plan is now, then run this again; or "
                f"{_BY_HAND}",
            )
        raise _refused(
            f"the plan that was approved with #{number} is kept no longer", _again(number)
        )
    if early := sorted(who for who, at in said.items() if at < shown[-1].at):
        raise _refused(
            f"{listing(early, 3)} approved #{number} before its last plan was made",
            f"let #{number} be approved again, as its plan is now, then run this again; or "
            f"{_BY_HAND}",
        )
    return shown[-1]


def _merged_as(github: GitHub, commit: str) -> Any:  # noqa: ANN401 -- JSON
    """Give the pull request that became *commit*, however it was merged."""
    closed = github.pages("pulls", READ_PULLS, state="closed", sort="updated", direction="desc")
    for pull in closed:
        if pull["merge_commit_sha"] == commit and pull["merged_at"]:
            base = pull["base"]
            if base["ref"] == base["repo"]["default_branch"]:
                return pull
    raise _refused(f"no pull request was merged as {commit[:12]}", _BY_HAND)


def _plans(github: GitHub, head: str, workflow: str, artifact: str) -> Iterator[_Made]:
    """Give what *workflow* made of *head*, for a pull request from this very repository.

    A run for a fork stands in the same list, and runs what the fork says that it runs.
    """
    runs = github.pages(
        "actions/runs", READ_RUNS, "workflow_runs", head_sha=head, event="pull_request"
    )
    for run in runs:
        if (
            run["head_sha"] != head
            or str(run["path"]).partition("@")[0] != workflow
            or run["conclusion"] != "success"
            or (run["head_repository"] or {}).get("full_name") != github.repository
        ):
            continue
        for each in github.pages(f"actions/runs/{run['id']}/artifacts", READ_RUNS, "artifacts"):
            if each["name"] == artifact:
                yield _Made(
                    _moment(each["created_at"]),
                    int(each["id"]),
                    int(run["id"]),
                    bool(each["expired"]),
                )


def _approvals(github: GitHub, number: int, head: str) -> dict[str, datetime]:
    """Give who approved *head* itself and when; a later word of theirs counts.

    Anybody may approve what anybody may read: GitHub counts those who may write, and so do
    we, by asking for what each may do. The association of a review hides members who do not
    show their membership, and an app approves for whoever can run it.
    """
    said: dict[str, Any] = {}
    for review in github.pages(f"pulls/{number}/reviews", READ_PULLS):
        user = review.get("user") or {}
        fits = review.get("commit_id") == head and review.get("submitted_at")
        if fits and review.get("state") != "COMMENTED" and user.get("type") != "Bot":
            said[str(user.get("login"))] = review
    return {
        login: _moment(review["submitted_at"])
        for login, review in said.items()
        if review["state"] == "APPROVED" and _may_write(github, login)
    }


def _may_write(github: GitHub, login: str) -> bool:
    found = github.get(f"collaborators/{quote(login, safe='')}/permission", READ_PEOPLE)
    return found["permission"] in {"admin", "write"}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _again(number: int) -> str:
    return (
        f"run the plan of pull request #{number} again, let it be approved again, then run "
        f"this again; or {_BY_HAND}"
    )


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(PLAN).file_size > _MOST_BYTES:
                raise _refused("the plan of the artifact is larger than any plan", _BY_HAND)
            return archive.read(PLAN)
    except _UNREADABLE as error:
        raise _refused("the artifact holds no plan that can be read", _BY_HAND) from error


def _refused(summary: str, hint: str) -> Refused:
    return Refused((Diagnostic(summary, hint),))
