"""One comment on a pull request, kept up to date in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.github.api import GitHub
    from reconciler.github.context import Voice

WRITE = "pull-requests: write"


def keep_comment(
    github: GitHub, number: int, voice: Voice, body: str, *, is_news: bool
) -> str | None:
    """Make our comment on pull request *number* say *body*; gives its URL.

    Where there is none yet, one is made if it *is_news*, and None is given otherwise.
    """
    said = voice.says(body)
    comments = github.pages(f"issues/{number}/comments", WRITE)
    found = next(filter(voice.spoke, comments), None)
    if found is None:
        if not is_news:
            return None
        found = github.post(f"issues/{number}/comments", WRITE, {"body": said})
    elif found["body"] != said:
        found = github.patch(f"issues/comments/{found['id']}", WRITE, {"body": said})
    return str(found["html_url"])
