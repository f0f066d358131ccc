from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.errors import Refused
from reconciler.github.approvals import Approval, approval, check_not_overtaken
from tests.github.conftest import Fake

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = ".github/workflows/plan.yml"
HEAD, MERGED = "a" * 40, "b" * 40


PLAN = b"plan.json"


def _zip(name: str = "plan.json", content: bytes = b"{}", kind: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _at(hour: int) -> str:
    return f"2026-03-02T{hour:02}:00:00Z"


def _run(number: int, **more: object) -> dict[str, object]:
    known = {
        "id": number,
        "head_sha": HEAD,
        "path": WORKFLOW,
        "conclusion": "success",
        "head_repository": {"full_name": "contoso/people"},
    }
    return known | more


def _artifact(number: int, hour: int, **more: object) -> dict[str, object]:
    known = {"id": number, "name": "plan", "expired": False, "created_at": _at(hour)}
    return known | more


def _review(
    login: str, state: str = "APPROVED", hour: int = 9, commit: str = HEAD, kind: str = "User"
) -> dict[str, object]:
    return {
        "user": {"login": login, "type": kind},
        "state": state,
        "commit_id": commit,
        "submitted_at": _at(hour),
    }


def _pull(**more: object) -> dict[str, object]:
    known = {
        "number": 7,
        "head": {"sha": HEAD},
        "base": {"ref": "main", "repo": {"default_branch": "main"}},
        "merge_commit_sha": MERGED,
        "merged_at": _at(10),
    }
    return known | more


@dataclass
class Repository:
    """What GitHub says of one repository, by path."""

    pulls: list[Any] = field(default_factory=lambda: [_pull()])
    runs: list[Any] = field(default_factory=lambda: [_run(3)])
    artifacts: dict[int, list[Any]] = field(
        default_factory=lambda: {3: [_artifact(5, 8), _artifact(6, 8, name="other")]}
    )
    reviews: list[Any] = field(default_factory=lambda: [_review("ada")])
    permissions: dict[str, str] = field(default_factory=dict)
    """What people may do, where that is not to write."""
    fetched: list[str] = field(default_factory=list)

    file: bytes = field(default_factory=_zip)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a read, a page at a time."""
        path = request.url.path.removeprefix("/repos/contoso/people/")
        first = (int(request.url.params.get("page", "1")) - 1) * 100
        if path.endswith("/zip"):
            self.fetched.append(path)
            return httpx.Response(200, content=self.file)
        if path.startswith("collaborators/"):
            login = path.split("/")[1]
            return httpx.Response(200, json={"permission": self.permissions.get(login, "write")})
        if path.endswith("/artifacts"):
            found = self.artifacts.get(int(path.split("/")[2]), [])
            return httpx.Response(200, json={"artifacts": found})
        return httpx.Response(
            200,
            json={
                "pulls": self.pulls[first : first + 100],
                "actions/runs": {"workflow_runs": self.runs},
                "pulls/7/reviews": self.reviews,
            }[path],
        )

    def approval(self) -> Approval:
        """Find what was approved."""
        github = Fake(self.answer).github
        return approval(github, MERGED, workflow=WORKFLOW, artifact="plan")


def test_what_was_approved_is_found() -> None:
    """From a commit to its pull request, to the plan of its head, to the file itself."""
    reviews = [
        _review("zoe"),
        _review("ada", "CHANGES_REQUESTED"),
        _review("ada"),
        _review("ada", "COMMENTED"),
        _review("bob"),
        _review("bob", "DISMISSED"),
        _review("cat", commit="c" * 40),
        _review("eve"),
        _review("helper[bot]", kind="Bot"),
        {"user": None, "state": "PENDING", "commit_id": HEAD, "submitted_at": None},
    ]

    found = Repository(reviews=reviews, permissions={"eve": "read"}).approval()

    assert found == Approval(7, HEAD, 3, ("ada", "zoe"), b"{}")


def test_a_plan_that_was_made_after_the_approval_is_not_taken_for_it() -> None:
    """Of several plans of one head, that counts which was there when it was approved."""
    world = Repository(
        runs=[_run(4), _run(3)],
        artifacts={3: [_artifact(5, 8), _artifact(4, 7)], 4: [_artifact(9, 11)]},
    )

    assert world.approval().run_id == 3
    assert world.fetched == ["actions/artifacts/5/zip"]


def test_a_pull_request_is_found_however_many_were_closed_since() -> None:
    """The list is read until the merge is found."""
    others = [_pull(merge_commit_sha="e" * 40) for _ in range(230)]

    assert Repository(pulls=[*others, _pull()]).approval().pull_request == 7


def _bomb() -> bytes:
    """Give an archive that says of its file that it is far larger than any plan."""
    content = bytearray(_zip())
    place = content.rindex(b"PK\x01\x02") + 24
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    return bytes(content)


def _spoilt(local: dict[int, int], central: dict[int, int]) -> bytes:
    """Give an archive with some bytes changed in the header before its file, and at its end."""
    content = bytearray(_zip())
    for start, changes in ((0, local), (content.rindex(b"PK\x01\x02"), central)):
        for offset, byte in changes.items():
            content[start + offset] = byte
    return bytes(content)


def _broken(kind: int) -> bytes:
    """Give an archive whose file's compressed data is none, behind its first bytes."""
    packed = _zip(content=b"".join(b"%d" % n**9 for n in range(400)), kind=kind)
    start = packed.index(PLAN) + len(PLAN) + 10
    end = packed.rindex(b"PK\x01\x02")
    return packed[:start] + b"\xff" * (end - start) + packed[end:]


HOSTILE = {
    "encrypted": _spoilt({6: 1}, {8: 1}),
    "packed as nobody does": _spoilt({8: 99}, {10: 99}),
    "cut short": _spoilt({19: 255, 23: 255}, {21: 255, 25: 255}),
    "a name that is no text": _spoilt({}, {9: 8, 46: 255}),
    "broken deflate": _broken(zipfile.ZIP_DEFLATED),
    "broken bzip2": _broken(zipfile.ZIP_BZIP2),
    "broken lzma": _broken(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("file", HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_cannot_be_unpacked_is_told(file: bytes) -> None:
    """Whatever is wrong with it, a person learns that there is no plan, and what to do then."""
    with pytest.raises(Refused, match="the artifact holds no plan that can be read") as caught:
        Repository(file=file).approval()
    assert "run the workflow `override`" in str(caught.value.diagnostics[0].hint)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Repository(pulls=[]), "no pull request was merged as bbbbbbbbbbbb"),
        (
            lambda: Repository(pulls=[_pull(merged_at=None)]),
            "no pull request was merged as",
        ),
        (
            lambda: Repository(
                pulls=[_pull(base={"ref": "x", "repo": {"default_branch": "main"}})]
            ),
            "no pull request was merged as",
        ),
        (lambda: Repository(runs=[]), "no plan was made for aaaaaaaaaaaa, the head of #7"),
        (lambda: Repository(runs=[_run(3, conclusion="failure")]), "no plan was made for"),
        (lambda: Repository(runs=[_run(3, path=".github/x.yml")]), "no plan was made for"),
        (lambda: Repository(runs=[_run(3, head_sha="d" * 40)]), "no plan was made for"),
        (
            lambda: Repository(runs=[_run(3, head_repository={"full_name": "eve/people"})]),
            "no plan was made for",
        ),
        (lambda: Repository(runs=[_run(3, head_repository=None)]), "no plan was made for"),
        (lambda: Repository(artifacts={}), "no plan was made for"),
        (lambda: Repository(reviews=[]), "nobody who may write has approved aaaaaaaaaaaa"),
        (
            lambda: Repository(permissions={"ada": "read"}),
            "nobody who may write has approved",
        ),
        (
            lambda: Repository(artifacts={3: [_artifact(5, 8, expired=True)]}),
            "the plan that was approved with #7 is kept no longer",
        ),
        (
            lambda: Repository(artifacts={3: [_artifact(5, 10)]}),
            "the plan of #7 was made after #7 was approved",
        ),
        (
            lambda: Repository(
                artifacts={3: [_artifact(5, 8, expired=True), _artifact(6, 11)]},
            ),
            "the plan of #7 was made after #7 was approved",
        ),
        (
            lambda: Repository(
                artifacts={3: [_artifact(5, 7), _artifact(6, 9)]},
                reviews=[_review("ada", hour=8), _review("bob", hour=10)],
            ),
            "ada approved #7 before its last plan was made",
        ),
        (lambda: Repository(file=b"no zip"), "the artifact holds no plan that can be read"),
        (lambda: Repository(file=_zip("x.json")), "the artifact holds no plan"),
        (lambda: Repository(file=_bomb()), "larger than any plan"),
    ],
    ids=[
        "pushed",
        "closed unmerged",
        "merged elsewhere",
        "never planned",
        "plan failed",
        "another workflow",
        "another commit",
        "a fork's run",
        "a deleted fork's run",
        "no artifact",
        "never reviewed",
        "approved by a reader",
        "expired",
        "planned after",
        "planned again after",
        "planned between",
        "broken",
        "another file",
        "a bomb",
    ],
)
def test_without_an_approved_plan_nothing_is_found(
    make: Callable[[], Repository], told: str
) -> None:
    """Whatever is missing on the way is told, and what to do then."""
    with pytest.raises(Refused, match=told) as caught:
        make().approval()
    assert "run the workflow `override`" in str(caught.value.diagnostics[0].hint)


@pytest.mark.parametrize(
    ("pushed", "since", "told"),
    [
        (["cohorts/a.yaml"], [], None),
        (["cohorts/a.yaml"], ["cohorts/b.yaml", "README.md"], None),
        (["cohorts/a.yaml", "x"], ["cohorts/a.yaml"], "has changed cohorts/a.yaml since bbbbbb"),
        ([f"{n}" for n in range(300)], [], "more files changed between dddddddddddd and bbbbbb"),
    ],
    ids=["newest", "others since", "the same since", "too many"],
)
def test_a_rerun_brings_nothing_old_back(
    pushed: list[str], since: list[str], told: str | None
) -> None:
    """Jobs that are run again stop where main has moved on in the files that they are about."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/repos/contoso/people").strip("/")
        names = {
            f"compare/{'d' * 40}...{MERGED}": pushed,
            f"compare/{MERGED}...main": since,
        }
        if not path:
            return httpx.Response(200, json={"default_branch": "main"})
        return httpx.Response(200, json={"files": [{"filename": n} for n in names[path]]})

    github = Fake(answer).github
    if told is None:
        check_not_overtaken(github, "d" * 40, MERGED)
        return
    with pytest.raises(Refused, match=told):
        check_not_overtaken(github, "d" * 40, MERGED)
