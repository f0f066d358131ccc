"""One comment and one issue, kept as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.github.comments import keep_comment
from reconciler.github.context import Voice
from reconciler.github.issues import close_issue, keep_issue
from tests.github.conftest import BOT, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github.conftest import Fake

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
