"""What GitHub Actions says of the run that a command is part of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

BOT = "github-actions[bot]"
"""Who speaks with the token that Actions gives each job."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What we have said on GitHub: by whose account, and how each text of a kind begins."""

    login: str
    marker: str

    def spoke(self, item: Mapping[str, Any]) -> bool:
        """Whether a comment or an issue is ours; a copy of our marker does not make it so."""
        return self.is_by_us(item) and str(item.get("body") or "").startswith(self.marker)

    def is_by_us(self, item: Mapping[str, Any]) -> bool:
        """Whether our account wrote it, of whatever kind it is."""
        return bool((item.get("user") or {}).get("login") == self.login)

    def says(self, body: str) -> str:
        """Give *body* as it is posted."""
        return f"{self.marker}\n{body}"


@dataclass(frozen=True, slots=True)
class Context:
    """One run of a workflow; empty strings outside of one."""

    repository: str
    sha: str
    run_id: str
    run_attempt: str
    actor: str
    server: str
    event: Mapping[str, Any]
    login: str = BOT
    """Whose comments and issues are ours."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Context:
        """Read it; raises UsageError where the event's file is there and is no JSON object."""
        return cls(
            environment.get("GITHUB_REPOSITORY", ""),
            environment.get("GITHUB_SHA", ""),
            environment.get("GITHUB_RUN_ID", ""),
            environment.get("GITHUB_RUN_ATTEMPT", ""),
            environment.get("GITHUB_ACTOR", ""),
            environment.get("GITHUB_SERVER_URL", "https://github.com"),
            _event(environment.get("GITHUB_EVENT_PATH", "")),
            environment.get("RECONCILER_GITHUB_LOGIN") or BOT,
        )

    def voice(self, kind: str) -> Voice:
        """Give what marks texts of one kind as ours."""
        return Voice(self.login, f"<!-- reconciler:{kind} -->")

    @property
    def run_url(self) -> str | None:
        """Where a person sees this run."""
        if not (self.repository and self.run_id):
            return None
        return f"{self.server}/{self.repository}/actions/runs/{self.run_id}"

    @property
    def pull_request(self) -> int | None:
        """The number of the pull request that the run is about."""
        number = (self.event.get("pull_request") or {}).get("number")
        return number if isinstance(number, int) else None

    @property
    def is_rerun(self) -> bool:
        """Whether somebody has run the jobs of an earlier run again."""
        return self.run_attempt.isdecimal() and int(self.run_attempt) > 1

    @property
    def before(self) -> str | None:
        """The commit that a push went on from."""
        sha = self.event.get("before")
        return sha if isinstance(sha, str) and sha.strip("0") else None

    @property
    def head(self) -> str | None:
        """The commit that the pull request proposes; the run itself sees it merged."""
        sha = ((self.event.get("pull_request") or {}).get("head") or {}).get("sha")
        return sha if isinstance(sha, str) else None


def _event(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError("GITHUB_EVENT_PATH names no event that can be read") from error
    return event if isinstance(event, dict) else {}
