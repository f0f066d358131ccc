"""A GitHub that a function answers, and one that remembers comments and issues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from reconciler.github.api import GitHub

if TYPE_CHECKING:
    from collections.abc import Callable

BOT = "github-actions[bot]"
NOW = 1_700_000_000.0


@dataclass
class Fake:
    """Answers by *answer*; keeps what was sent and slept."""

    answer: Callable[[httpx.Request], httpx.Response]
    sent: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the API of one repository."""

        def answered(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            return self.answer(request)

        client = httpx.Client(
            base_url="https://api.example", transport=httpx.MockTransport(answered)
        )
        self.github = GitHub(client, "contoso/people", self.slept.append, lambda: NOW)

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """Give what was written: how, where, and what."""
        return [
            (request.method, request.url.path.removeprefix("/repos/contoso/people/"), body(request))
            for request in self.sent
            if request.method != "GET"
        ]


def body(request: httpx.Request) -> Any:  # noqa: ANN401 -- JSON
    """Give what was sent."""
    return orjson.loads(request.content)


def said(number: int, text: str, login: str = BOT, **more: object) -> dict[str, object]:
    """Give a comment or an issue as GitHub shows it."""
    return {
        "id": number,
        "number": number,
        "user": {"login": login},
        "body": text,
        "html_url": f"https://github.example/{number}",
        **more,
    }


@pytest.fixture
def holding() -> Callable[..., Fake]:
    """Give a GitHub that has these comments or issues, and takes every write."""

    def made(*items: dict[str, object]) -> Fake:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.method != "GET":
                sent = body(request)
                return httpx.Response(200, json=said(99, str(sent.get("body"))))
            page = int(request.url.params["page"])
            return httpx.Response(200, json=list(items[(page - 1) * 100 : page * 100]))

        return Fake(answer)

    return made
