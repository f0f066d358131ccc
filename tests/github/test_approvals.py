from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.errors import Refused
from reconciler.github.approvals import Approval, approval
from tests.github.conftest import Fake

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = ".github/workflows/plan.yml"
HEAD, MERGED = "a" * 40, "b" * 40


def _zip(name: str = "plan.json", content: bytes = b"{}") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _run(number: int, **more: object) -> dict[str, object]:
    known = {"id": number, "head_sha": HEAD, "path": WORKFLOW, "conclusion": "success"}
    return known | more


def _review(login: str, state: str, commit: str = HEAD) -> dict[str, object]:
    return {"user": {"login": login}, "state": state, "commit_id": commit}


@dataclass
class Repository:
    """What GitHub says of one repository, by path."""

    pulls: list[Any] = field(
        default_factory=lambda: [
            {
                "number": 7,
                "head": {"sha": HEAD},
                "merge_commit_sha": MERGED,
                "merged_at": "2026-03-02T09:00:00Z",
            }
        ]
    )
    runs: list[Any] = field(default_factory=lambda: [_run(1), _run(3), _run(2)])
    artifacts: list[Any] = field(
        default_factory=lambda: [
            {"id": 5, "name": "plan", "expired": False},
            {"id": 6, "name": "other", "expired": False},
        ]
    )
    reviews: list[Any] = field(default_factory=list)
    file: bytes = field(default_factory=_zip)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a read."""
        path = request.url.path.removeprefix("/repos/contoso/people/")
        if path.endswith("/zip"):
            return httpx.Response(200, content=self.file)
        return httpx.Response(
            200,
            json={
                "pulls": self.pulls,
                "actions/runs": {"workflow_runs": self.runs},
                "actions/runs/3/artifacts": {"artifacts": self.artifacts},
                "pulls/7/reviews": self.reviews,
            }[path],
        )

    def approval(self) -> Approval:
        """Find what was approved."""
        github = Fake(self.answer).github
        return approval(github, MERGED, workflow=WORKFLOW, artifact="plan")


def test_what_was_approved_is_found() -> None:
    """From a commit to its pull request, to the last plan of its head, to the file itself."""
    reviews = [
        _review("zoe", "APPROVED"),
        _review("ada", "CHANGES_REQUESTED"),
        _review("ada", "APPROVED"),
        _review("ada", "COMMENTED"),
        _review("bob", "APPROVED"),
        _review("bob", "DISMISSED"),
        _review("cat", "APPROVED", "c" * 40),
    ]

    found = Repository(reviews=reviews).approval()

    assert found == Approval(7, HEAD, 3, ("ada", "zoe"), b"{}")


def _bomb() -> bytes:
    """Give an archive that says of its file that it is far larger than any plan."""
    content = bytearray(_zip())
    place = content.rindex(b"PK\x01\x02") + 24
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Repository(pulls=[]), "no pull request was merged as bbbbbbbbbbbb"),
        (
            lambda: Repository(
                pulls=[{"number": 7, "merge_commit_sha": MERGED, "merged_at": None}]
            ),
            "no pull request was merged as",
        ),
        (lambda: Repository(runs=[]), "no plan was made for aaaaaaaaaaaa, the head of #7"),
        (lambda: Repository(runs=[_run(3, conclusion="failure")]), "no plan was made for"),
        (lambda: Repository(runs=[_run(3, path=".github/x.yml")]), "no plan was made for"),
        (lambda: Repository(runs=[_run(3, head_sha="d" * 40)]), "no plan was made for"),
        (
            lambda: Repository(artifacts=[{"id": 5, "name": "plan", "expired": True}]),
            "the plan that was approved with #7 is kept no longer",
        ),
        (lambda: Repository(file=b"no zip"), "the artifact holds no plan that can be read"),
        (lambda: Repository(file=_zip("x.json")), "the artifact holds no plan"),
        (lambda: Repository(file=_bomb()), "larger than any plan"),
    ],
    ids=[
        "pushed",
        "closed unmerged",
        "never planned",
        "plan failed",
        "another workflow",
        "another commit",
        "expired",
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
    assert "by hand" in str(caught.value.diagnostics[0].hint)
