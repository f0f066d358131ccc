"""One comment and one issue, kept as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.github.comments import keep_comment
from reconciler.github.context import Voice
from reconciler.github.issues import close_issue, keep_issue
from tests.github.conftest import BOT, Fake, body, said

if TYPE_CHECKING:
    from collections.abc import Callable

    Holding = Callable[..., Fake]

MARK = "<!-- reconciler:plan -->"
VOICE = Voice(BOT, MARK)
OURS = f"{MARK}\n2 people join\n"


@pytest.mark.parametrize(
    ("items", "is_news", "writes"),
    [
        ((), True, [("POST", "issues/7/comments", {"body": OURS})]),
        ((), False, []),
        ((said(1, "hello", "ada"),), True, [("POST", "issues/7/comments", {"body": OURS})]),
        ((said(1, f"{MARK}\nold"),), True, [("PATCH", "issues/comments/1", {"body": OURS})]),
        ((said(1, f"{MARK}\nold"),), False, [("PATCH", "issues/comments/1", {"body": OURS})]),
        ((said(1, OURS),), True, []),
        (
            (said(1, f"{MARK}\nforged", "mallory"),),
            True,
            [("POST", "issues/7/comments", {"body": OURS})],
        ),
        (
            (*(said(n, "talk", "ada") for n in range(100)), said(100, f"{MARK}\nold")),
            True,
            [("PATCH", "issues/comments/100", {"body": OURS})],
        ),
    ],
    ids=[
        "the first",
        "nothing to say",
        "beside others",
        "in place",
        "empty by now",
        "the same",
        "somebody else's with our marker",
        "on the second page",
    ],
)
def test_one_comment(
    holding: Holding,
    items: tuple[dict[str, object], ...],
    is_news: bool,  # noqa: FBT001 -- a column of the table
    writes: list[object],
) -> None:
    """There is one comment of ours, it says what is so now, and nobody else's is touched."""
    fake = holding(*items)

    url = keep_comment(fake.github, 7, VOICE, "2 people join\n", is_news=is_news)

    assert fake.writes == writes
    assert (url is None) == (not items and not is_news)


@pytest.mark.parametrize(
    ("items", "writes"),
    [
        ((), [("POST", "issues", {"title": "Drift", "body": f"{MARK}\nnew"})]),
        (
            (said(3, f"{MARK}\nold", title="Drift"),),
            [("PATCH", "issues/3", {"title": "Drift", "body": f"{MARK}\nnew"})],
        ),
        ((said(3, f"{MARK}\nnew", title="Drift"),), []),
        (
            (said(3, f"{MARK}\nold", title="Drift", pull_request={}),),
            [("POST", "issues", {"title": "Drift", "body": f"{MARK}\nnew"})],
        ),
    ],
    ids=["the first", "in place", "the same", "a pull request is no issue"],
)
def test_one_open_issue(
    holding: Holding, items: tuple[dict[str, object], ...], writes: list[object]
) -> None:
    """There is one open issue of ours, and it says what is so now."""
    fake = holding(*items)

    assert keep_issue(fake.github, VOICE, "Drift", "new").startswith("https://github.example/")
    assert fake.writes == writes


def test_an_issue_is_closed_with_a_word(holding: Holding) -> None:
    """Where there is nothing to say any more, each of ours says so and is closed."""
    fake = holding(said(3, f"{MARK}\nold"), said(4, "a bug", "ada"))

    assert close_issue(fake.github, VOICE, "all is well") == "https://github.example/3"
    assert fake.writes == [
        ("POST", "issues/3/comments", {"body": "all is well"}),
        ("PATCH", "issues/3", {"state": "closed", "state_reason": "completed"}),
    ]
    assert close_issue(holding().github, VOICE, "all is well") is None


class Losing:
    """A GitHub that keeps what it is told, and loses its answer to the first POST."""

    def __init__(self, *, is_made: bool, answer: int | None, **before: dict[str, object]) -> None:
        self.kept: dict[str, list[dict[str, object]]] = {
            path.replace("_", "/"): [item] for path, item in before.items()
        }
        self._is_made, self._answer, self._lost = is_made, answer, False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as a repository does."""
        path = request.url.path.removeprefix("/repos/contoso/people/")
        if request.method == "GET":
            return httpx.Response(200, json=self.kept.get(path, []))
        if request.method == "PATCH":
            return httpx.Response(200, json=said(1, "", **body(request)))
        is_lost, self._lost = not self._lost, True
        made = said(50, str(body(request)["body"]), title=body(request).get("title"))
        if self._is_made or not is_lost:
            self.kept.setdefault(path, []).append(made)
        if not is_lost:
            return httpx.Response(201, json=made)
        if self._answer is None:
            raise httpx.ReadTimeout("slow")
        return httpx.Response(self._answer)


DOES: dict[str, tuple[Callable[[Fake], str | None], str]] = {
    "a comment": (
        lambda fake: keep_comment(fake.github, 7, VOICE, "2 people join\n", is_news=True),
        "issues/7/comments",
    ),
    "an issue": (lambda fake: keep_issue(fake.github, VOICE, "Drift", "new"), "issues"),
    "a farewell": (
        lambda fake: close_issue(fake.github, VOICE, "all is well"),
        "issues/3/comments",
    ),
}


@pytest.mark.parametrize("is_made", [True, False], ids=["made", "not made"])
@pytest.mark.parametrize("answer", [None, 502], ids=["lost", "trouble"])
@pytest.mark.parametrize("what", DOES)
def test_nothing_is_said_twice(what: str, answer: int | None, *, is_made: bool) -> None:
    """Where the answer was lost, what is there by now is what counts: there is one in the end."""
    does, path = DOES[what]
    before = {"issues": said(3, f"{MARK}\nold", title="Drift")} if what == "a farewell" else {}
    hub = Losing(is_made=is_made, answer=answer, **before)
    fake = Fake(hub)

    assert str(does(fake)).startswith("https://github.example/")
    assert len(hub.kept[path]) == 1
    assert [method for method, *_ in fake.writes].count("POST") == (1 if is_made else 2)


def test_what_another_run_made_meanwhile_is_gone_on_from() -> None:
    """A comment that is there after a lost answer, and says something else, is mended in place."""
    hub = Losing(is_made=False, answer=502)

    def answer(request: httpx.Request) -> httpx.Response:
        reply = hub(request)
        if request.method == "POST":
            hub.kept["issues/7/comments"] = [said(8, f"{MARK}\ntheirs")]
        return reply

    fake = Fake(answer)
    keep_comment(fake.github, 7, VOICE, "2 people join\n", is_news=True)

    assert fake.writes == [
        ("POST", "issues/7/comments", {"body": OURS}),
        ("PATCH", "issues/comments/8", {"body": OURS}),
    ]


@pytest.mark.parametrize(
    ("login", "times"), [(BOT, 0), ("mallory", 1)], ids=["said by us", "said by somebody else"]
)
def test_a_farewell_that_was_said_already_is_not_said_again(login: str, times: int) -> None:
    """A run that ended between its last comment and the closing is gone on from."""
    hub = Losing(
        is_made=True,
        answer=502,
        issues=said(3, f"{MARK}\nold"),
        issues_3_comments=said(9, "all is well", login),
    )
    fake = Fake(hub)

    close_issue(fake.github, VOICE, "all is well")

    assert [method for method, *_ in fake.writes] == ["POST"] * times + ["PATCH"]
