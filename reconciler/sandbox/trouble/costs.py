"""What a request costs (Graph, "Throttling limits", identity and access)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Incoming

_FEW: Final = 20
"""Pages smaller than this cost a unit less."""
_CHEAP: Final = {"getbyids": 2}
"""Actions that only read, with what they cost beside `$select`."""
_ASKING: Final = frozenset(
    ("getbyids", "checkmembergroups", "checkmemberobjects", "getmembergroups", "getmemberobjects")
)
"""Actions that only read and so cost no write (evidence I: each has a price in units)."""
_BOUND_AT_ONCE: Final = 3
"""Members that one write adds (R, a comment in Canvas LMS: 20 cost about 7)."""
_AUDIT: Final = "auditlogs"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request is charged."""

    units: int
    writes: int
    is_audit: bool = False
    """Whether it asks the audit log, a service with a limit of its own."""


def only_asks(incoming: Incoming) -> bool:
    """Whether *incoming* writes nothing, though it may be a POST."""
    return incoming.method == "GET" or _last(incoming) in _ASKING


def cost(incoming: Incoming, price: int) -> Cost:
    """Give what *incoming* costs, where its route costs *price* units."""
    is_audit = _AUDIT in incoming.path.lower().split("/")
    return Cost(_units(incoming, price), _writes(incoming), is_audit)


def _last(incoming: Incoming) -> str:
    """Give the last word of the path, without the namespace that an action may have."""
    return incoming.path.rstrip("/").rpartition("/")[2].rpartition(".")[2].lower()


def _units(incoming: Incoming, price: int) -> int:
    asked = {name.lower().lstrip("$"): value for name, value in parse_qsl(incoming.query)}
    if incoming.method != "GET":
        return _CHEAP.get(_last(incoming), price) if "select" in asked else price
    top = asked.get("top", "")
    saved = ("select" in asked) + (top.isdecimal() and int(top[:9]) < _FEW)
    return max(1, price - saved + ("expand" in asked))


def _writes(incoming: Incoming) -> int:
    if only_asks(incoming):
        return 0
    return max(1, -(-_bound(incoming.body) // _BOUND_AT_ONCE))


def _bound(body: Any) -> int:  # noqa: ANN401 -- any JSON
    """Count the links that *body* adds."""
    values = body.items() if isinstance(body, dict) else ()
    return sum(
        len(value)
        for name, value in values
        if name.lower().endswith("@odata.bind") and isinstance(value, list)
    )
