"""The query options of a request for one object, which is no collection to narrow or to sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from reconciler.sandbox import errors
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.query.options import Options
    from reconciler.sandbox.wire import Incoming

_COLLECTIVE: Final = frozenset(("filter", "orderby", "skip", "top"))
"""`$count` is passed over: clients add it to whatever they ask."""


def options(request: Incoming) -> Options:
    """Read the query of *request*; raises Graph's refusals."""
    given = parse_qsl(request.query, keep_blank_values=True)
    if not _COLLECTIVE.isdisjoint(name.lower().removeprefix("$") for name, _ in given):
        raise errors.NOT_COLLECTION.error()
    return odata.options(request)
