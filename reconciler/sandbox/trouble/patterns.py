"""Which requests are meant: `POST /users`, `GET|PATCH /users/*`, `* /groups/**`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import routes
from reconciler.sandbox.errors import GraphError

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Incoming

_ANY = "*"
_DEEP = "**"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Methods, none of them for any, and a path below `/v1.0`."""

    methods: frozenset[str]
    path: re.Pattern[str]

    def matches(self, incoming: Incoming) -> bool:
        """Whether *incoming* is meant, however its path is written."""
        if self.methods and incoming.method not in self.methods:
            return False
        try:
            parts = routes.segments(incoming.path)
        except GraphError:
            return False
        return self.path.fullmatch("".join(f"/{part}" for part in parts)) is not None


def pattern(text: str) -> Pattern:
    """Read a pattern: `*` stands for one segment or a part of it, `**` for any number."""
    methods, _, path = text.partition(" ")
    named = frozenset(methods.split("|")) - {_ANY}
    expression = "".join(_expression(part) for part in path.split("/") if part)
    return Pattern(named, re.compile(expression, re.IGNORECASE))


def _expression(part: str) -> str:
    if part == _DEEP:
        return "(?:/[^/]+)*"
    return "/" + re.escape(part).replace(r"\*", "[^/]*" if part != _ANY else "[^/]+")
