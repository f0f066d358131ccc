"""One comment on a pull request, kept up to date in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    said, path = voice.says(body), f"issues/{number}/comments"

    def kept() -> dict[str, Any] | None:
        """Give our comment, which says *body* by then, or None where there is none."""
        found: dict[str, Any] | None = next(filter(voice.spoke, github.pages(path, WRITE)), None)
        if found and found["body"] != said:
            found = github.patch(f"issues/comments/{found['id']}", WRITE, {"body": said})
        return found

    found = kept()
    if found is None and is_news:
        found = github.post(path, WRITE, {"body": said}, kept)
    return None if found is None else str(found["html_url"])
