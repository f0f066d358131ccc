"""One issue that is open while there is something to say, and closed when there is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.github.api import GitHub
    from reconciler.github.context import Voice

WRITE = "issues: write"


def keep_issue(github: GitHub, voice: Voice, title: str, body: str) -> str:
    """Have one open issue of ours that says *body*; gives its URL."""
    new = {"title": title, "body": voice.says(body)}

    def kept() -> dict[str, Any] | None:
        """Give our open issue, which says *body* by then, or None where there is none."""
        ours: list[dict[str, Any]] = _open(github, voice)
        found = min(ours, key=lambda issue: int(issue["number"]), default=None)
        if found and any(found[name] != text for name, text in new.items()):
            found = github.patch(f"issues/{found['number']}", WRITE, new)
        return found

    found = kept()
    if found is None:
        found = github.post("issues", WRITE, new, kept)
    return str(found["html_url"])


def close_issue(github: GitHub, voice: Voice, farewell: str) -> str | None:
    """Close our issue after a last comment; gives its URL, or None where none is open.

    A run that ended between the two has said it already: its rerun only closes.
    """
    url = None
    for issue in _open(github, voice):
        url = str(issue["html_url"])
        path = f"issues/{issue['number']}"
        said = partial(_said, github, voice, f"{path}/comments", farewell)
        if said() is None:
            github.post(f"{path}/comments", WRITE, {"body": farewell}, said)
        github.patch(path, WRITE, {"state": "closed", "state_reason": "completed"})
    return url


def _said(github: GitHub, voice: Voice, path: str, text: str) -> dict[str, Any] | None:
    comments = github.pages(path, WRITE)
    return next((each for each in comments if voice.is_by_us(each) and each["body"] == text), None)


def _open(github: GitHub, voice: Voice) -> list[Any]:
    issues = github.pages("issues", WRITE, state="open", creator=voice.login)
    return [issue for issue in issues if "pull_request" not in issue and voice.spoke(issue)]
