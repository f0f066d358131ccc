"""What Graph charges for a request: one table, so that it can be corrected.

Graph, "Throttling limits", identity and access, late 2026. Resource units and writes are
two limits of their own; a write costs a unit as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from kiota_abstractions.method import Method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiota_abstractions.request_information import RequestInformation

BOUND_FOR_A_WRITE = 3
"""Members that one write binds: twenty cost about seven (a comment in Canvas LMS)."""
_UNITS = {"members": 3, "users": 2, "memberOf": 2, "subscribedSkus": 3}
"""By the last word of a path; everything else costs one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request, or several, take from either limit."""

    units: int = 0
    writes: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Give both together."""
        return Cost(self.units + other.units, self.writes + other.writes)


def total(requests: Iterable[RequestInformation]) -> Cost:
    """Give what *requests* cost together."""
    return sum((cost(info) for info in requests), Cost())


def cost(info: RequestInformation) -> Cost:
    """Give what one request costs."""
    if info.http_method is Method.GET:
        return Cost(units=_units(info))
    return Cost(units=1, writes=binding(_bound(info)))


def binding(members: int) -> int:
    """Give the writes that a request costs which binds so many *members*."""
    return max(1, -(-members // BOUND_FOR_A_WRITE))


def _units(info: RequestInformation) -> int:
    path, _, query = info.url.partition("?")
    words = [word for word in path.split("/") if not word.startswith("microsoft.graph.")]
    saved, added = "select=" in query, "expand=" in query  # `$` may be written as %24
    return max(1, _UNITS.get(words[-1], 1) - saved + added)


def _bound(info: RequestInformation) -> int:
    content = info.content or b""
    if info.http_method is not Method.PATCH or b"@odata.bind" not in content:
        return 0
    body = orjson.loads(content)
    return sum(len(value) for name, value in body.items() if name.endswith("@odata.bind"))
