"""What crosses the wire, as values: a request, its reply, and a test's say in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Whatever JSON may hold; handlers check what they use."""

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request to Graph, alone or from inside a `$batch`."""

    method: str
    path: str
    """As sent, still percent-encoded and without the query: `/v1.0/users/ada%40contoso.com`."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: Json = None
    """Parsed; None when there was none."""
    is_inner: bool = False
    """Whether it came inside a `$batch`."""
    scheme: str = "http"
    """How the caller knows Graph: `http` or `https`."""

    @property
    def target(self) -> str:
        """Give path and query as a request line shows them."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def root(self) -> str:
        """Give the address of Graph as this caller knows it."""
        return f"{self.scheme}://{self.headers.get('host', 'graph.microsoft.com')}/v1.0"


class Cut(Enum):
    """Where a reply breaks off."""

    START = "before its first byte"
    HEADERS = "inside its headers"
    BODY = "in the middle of its body"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; *body* None is an empty one, and bytes are JSON already."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Whether the connection breaks before the body is complete."""
    cut_in: Cut = Cut.BODY
    """Where, if it does."""
    delay: float = 0.0
    """Seconds that it is held back."""


@dataclass(frozen=True, slots=True)
class After:
    """Let the tenant do what was asked, then answer *reply* in place of its own answer."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Spoil:
    """Let the tenant do what was asked and answer it: late, or not to the end."""

    delay: float = 0.0
    """Seconds."""
    cut_in: Cut | None = None


Verdict: TypeAlias = Reply | After | Spoil | None
"""A reply in place of the tenant's, what becomes of its own, or None to stand aside."""

Intercept: TypeAlias = Callable[[Incoming], Verdict]
"""A fault, asked about each request, alone or inside a batch."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that Graph was asked and what the caller got; a batch's parts count alone."""

    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """Without `authorization`."""
    body: Json
    status: int
    reply: Json
    reply_headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    is_inner: bool = False
    is_batch: bool = False
    """Whether it is the `$batch` that carried others."""
    is_fault: bool = False
    """Whether a fault had its say in the reply."""


Record: TypeAlias = Callable[[Exchange], None]
"""Somebody who is told of every exchange."""


def stamp(moment: datetime | None = None) -> str:
    """Give *moment*, or now, as Graph writes it: `2026-11-23T16:00:00Z`."""
    return f"{(moment or datetime.now(UTC)).isoformat()[:19]}Z"
