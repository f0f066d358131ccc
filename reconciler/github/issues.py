"""One issue that is open while there is something to say, and closed when there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.github.api import GitHub
    from reconciler.github.context import Voice

WRITE = "issues: write"


def keep_issue(github: GitHub, voice: Voice, title: str, body: str) -> str:
    """Have one open issue of ours that says *body*; gives its URL."""
    said = voice.says(body)
    found = min(_open(github, voice), key=lambda issue: int(issue["number"]), default=None)
    if found is None:
        found = github.post("issues", WRITE, {"title": title, "body": said})
    elif (found["title"], found["body"]) != (title, said):
        new = {"title": title, "body": said}
        found = github.patch(f"issues/{found['number']}", WRITE, new)
    return str(found["html_url"])


def close_issue(github: GitHub, voice: Voice, farewell: str) -> str | None:
    """Close our issue after a last comment; gives its URL, or None where none is open."""
    url = None
    for issue in _open(github, voice):
        url = str(issue["html_url"])
        github.post(f"issues/{issue['number']}/comments", WRITE, {"body": farewell})
        closed = {"state": "closed", "state_reason": "completed"}
        github.patch(f"issues/{issue['number']}", WRITE, closed)
    return url


def _open(github: GitHub, voice: Voice) -> list[Any]:
    issues = github.pages("issues", WRITE, state="open", creator=voice.login)
    return [issue for issue in issues if "pull_request" not in issue and voice.spoke(issue)]
