"""An answer from Graph, whether it came alone or in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from reconciler.graph.errors import GraphError, graph_error, request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 2.0
"""More than this of a limit nobody can have used: whatever is told then, it is no share."""
_CARRIED_OUT = range(200, 300)
"""A redirect is none: it is never followed, so the request was not carried out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers in lower case, and the body decoded from JSON (None where empty)."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def error(self) -> GraphError | None:
        """The error, unless the request was carried out."""
        if self.status in _CARRIED_OUT:
            return None
        return graph_error(self.status, self.body, self.headers)

    @property
    def request_id(self) -> str | None:
        """What Graph's support asks for."""
        return request_id(self.headers.get("request-id"))

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where Graph says so; it may be a fraction."""
        try:
            return max(0.0, float(self.headers["retry-after"]))
        except (KeyError, ValueError):
            return None

    @property
    def used(self) -> float | None:
        """The share of the nearest limit that is used, which Graph tells from 0.8 to 1.8."""
        try:
            share = float(self.headers["x-ms-throttle-limit-percentage"])
        except (KeyError, ValueError):
            return None
        return share if 0 <= share <= _MOST else None

    @property
    def date(self) -> datetime | None:
        """When Graph answered, by its own clock."""
        try:
            return parsedate_to_datetime(self.headers["date"]).replace(tzinfo=UTC)
        except (KeyError, ValueError, OverflowError):
            return None
