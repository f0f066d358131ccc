"""Query options and pages: `$select`, `$filter`, `$top`, `$expand`, `$count`, `$skiptoken`."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import EXTENSION_NAME
from reconciler.sandbox.data.store import resources
from reconciler.sandbox.query.queries import LONGEST_TARGET, Index, Sql
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.properties import Property
    from reconciler.sandbox.query.queries import Collection
    from reconciler.sandbox.wire import Incoming

PAGE = 100
LARGEST_PAGE = 999
_EXPANDED = re.compile(r"\s*(\w+)\s*(?:\(\s*\$select\s*=\s*([^)]*)\))?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one request, as far as the tenant knows them."""

    select: tuple[str, ...] = ()
    """As asked, in the caller's capitals; empty when there is none."""
    filter: str | None = None
    top: int = PAGE
    expand: str | None = None
    count: bool = False
    after: int = 0
    """The last row of the page before."""
    is_eventual: bool = False

    def expanded(self) -> tuple[str, tuple[str, ...]] | None:
        """Give what `$expand` names, in small letters, and its inner `$select`."""
        if self.expand is None:
            return None
        found = _EXPANDED.fullmatch(self.expand)
        if found is None:
            raise errors.NOT_SERVED.error(what=f"$expand={self.expand}")
        return found[1].lower(), _names(found[2] or "")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def options(request: Incoming) -> Options:
    """Read the query of *request*; raises Graph's refusals."""
    given = {
        name.lower().removeprefix("$"): value
        for name, value in parse_qsl(request.query, keep_blank_values=True)
    }
    is_eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    if "search" in given and not is_eventual:
        raise errors.SEARCH_NEEDS_HEADER.error()
    for name in ("search", "orderby", "skip"):
        if name in given:
            raise errors.NOT_SERVED.error(what=f"${name}")
    return Options(
        select=_names(given.get("select", "")),
        filter=given.get("filter"),
        top=_page_size(given.get("top", str(PAGE))),
        expand=given.get("expand"),
        count=given.get("count", "").lower() == "true",
        after=_row(given["skiptoken"]) if "skiptoken" in given else 0,
        is_eventual=is_eventual,
    )


def _page_size(text: str) -> int:
    size = int(text) if re.fullmatch(r"-?\d{1,9}", text) else 0
    if not 1 <= size <= LARGEST_PAGE:
        raise errors.PAGE_SIZE.error(size=text)
    return size


def _token(row: int) -> str:
    return base64.urlsafe_b64encode(f"row:{row}".encode()).decode()


def _row(token: str) -> int:
    try:
        head, _, row = base64.urlsafe_b64decode(token).decode().partition(":")
        if head == "row":
            return int(row)
    except (binascii.Error, ValueError):
        pass
    raise errors.PAGE_TOKEN.error()


def chosen(
    select: tuple[str, ...],
    properties: Mapping[str, Property],
    defaults: tuple[str, ...],
    extensions: Mapping[str, str],
) -> tuple[str, ...]:
    """Give the properties to show, under Graph's names.

    User and group are open types: a name that neither has is passed over.
    """
    if not select:
        return defaults
    known = {name: prop.name for name, prop in properties.items()} | dict(extensions)
    return tuple(dict.fromkeys(known[n.lower()] for n in select if n.lower() in known))


def extensions(call: Call) -> dict[str, str]:
    """Give the registered directory extensions, by lower-case name."""
    return {entry["name"].lower(): entry["name"] for entry in resources(call.db, "extension")}


def mentions_extension(text: str) -> bool:
    """Whether *text* may name a directory extension: only then they are looked up."""
    return EXTENSION_NAME.search(text) is not None


def condition(
    call: Call,
    asked: Options,
    properties: Mapping[str, Property],
    collections: Mapping[str, Collection],
) -> Sql:
    """Give the SQL of `$filter`, or of everything."""
    if asked.filter is None:
        return Sql("1")
    index = Index(
        properties,
        collections,
        extensions(call) if mentions_extension(asked.filter) else {},
        asked.is_eventual,
        asked.count,
    )
    if index.is_advanced and len(call.request.target) > LONGEST_TARGET:
        raise errors.UNSUPPORTED.error()
    return index.condition(asked.filter)


def context(name: str, select: tuple[str, ...], shown: tuple[str, ...]) -> str:
    """Give the name of a collection in `@odata.context`, with what was selected."""
    return f"{name}({','.join(shown)})" if select else name


def page(  # noqa: PLR0913 -- a page is made of these, and all have names at the call
    call: Call,
    asked: Options,
    name: str,
    rows: list[Any],
    show: Callable[[Any], dict[str, Any]],
    *,
    count: Callable[[], int] | None = None,
) -> Reply:
    """Give one page: *rows* is one more than the page holds, if there is a next one.

    Each row begins with its number. `@odata.count` is only on the first page of a query
    that asks for it with `ConsistencyLevel: eventual`; elsewhere it is passed over.
    """
    body: dict[str, Any] = {"@odata.context": f"{call.request.root}/$metadata#{name}"}
    if count and asked.count and asked.is_eventual and not asked.after:
        body["@odata.count"] = count()
    if len(rows) > asked.top:
        rows = rows[: asked.top]
        body["@odata.nextLink"] = _next_link(call.request, rows[-1][0])
    body["value"] = [show(row) for row in rows]
    return Reply(200, body)


@dataclass(frozen=True, slots=True)
class Ready:
    """The items of a page that are JSON already."""

    items: bytes
    last: int | None
    """The row that the next page is after; None on the last page."""
    count: int | None = None
    """How many items there are on all pages, if that was asked."""


def ready_page(call: Call, asked: Options, name: str, ready: Ready) -> Reply:
    """Give one page of items that are JSON already."""
    head: dict[str, Any] = {"@odata.context": f"{call.request.root}/$metadata#{name}"}
    if ready.count is not None and not asked.after:
        head["@odata.count"] = ready.count
    if ready.last is not None:
        head["@odata.nextLink"] = _next_link(call.request, ready.last)
    return Reply(200, b"".join((orjson.dumps(head)[:-1], b',"value":[', ready.items, b"]}")))


def _next_link(request: Incoming, row: int) -> str:
    kept = [
        (name, value)
        for name, value in parse_qsl(request.query, keep_blank_values=True)
        if name.lower() != "$skiptoken"
    ]
    query = urlencode([*kept, ("$skiptoken", _token(row))], safe="$,()'", quote_via=quote)
    return f"{request.root}{request.path.removeprefix('/v1.0')}?{query}"
