"""What the query options make of a reply: `$select`, `$filter`, contexts, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import BASIC, EXTENSION_NAME, USER
from reconciler.sandbox.data.store import resources
from reconciler.sandbox.permissions import reads_users_whole
from reconciler.sandbox.query.options import (
    Options,
    counting,
    options,
    token,
)
from reconciler.sandbox.query.queries import LONGEST_TARGET, Index
from reconciler.sandbox.query.sql import EVERYTHING, Sql
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.properties import Property
    from reconciler.sandbox.query.lambdas import Collection
    from reconciler.sandbox.wire import Incoming

__all__ = [
    "Options",
    "Ready",
    "chosen",
    "condition",
    "context",
    "counting",
    "extensions",
    "index",
    "mentions_extension",
    "options",
    "page",
    "ready_page",
    "value_page",
]


def chosen(
    select: tuple[str, ...],
    properties: Mapping[str, Property],
    defaults: tuple[str, ...],
    extensions: Mapping[str, str],
) -> tuple[str, ...]:
    """Give the properties to show, under Graph's names.

    User and group are open types: a name that neither has is passed over. `*` is inferred.
    """
    if not select or "*" in select:
        return defaults
    known = {name: prop.name for name, prop in properties.items()} | dict(extensions)
    return tuple(dict.fromkeys(known[n.lower()] for n in select if n.lower() in known))


def extensions(call: Call) -> dict[str, str]:
    """Give the registered directory extensions, by lower-case name."""
    return {entry["name"].lower(): entry["name"] for entry in resources(call.db, "extension")}


def mentions_extension(text: str) -> bool:
    """Whether *text* may name a directory extension: only then they are looked up."""
    return EXTENSION_NAME.search(text) is not None


def index(
    call: Call,
    asked: Options,
    properties: Mapping[str, Property],
    collections: Mapping[str, Collection],
) -> Index:
    """Give what this request may ask of objects with these properties."""
    text = f"{asked.filter} {asked.search}"
    return Index(
        properties,
        collections,
        extensions(call) if mentions_extension(text) else {},
        readable=None if properties is not USER or reads_users_whole(call) else BASIC,
        has_header=asked.is_eventual,
        has_count=asked.count or asked.search is not None,
        has_expand=asked.expand is not None,
    )


def condition(
    call: Call,
    asked: Options,
    properties: Mapping[str, Property],
    collections: Mapping[str, Collection],
) -> Sql:
    """Give the SQL of `$filter`, or of everything."""
    if asked.filter is None:
        return EVERYTHING
    found = index(call, asked, properties, collections)
    if found.is_advanced and len(call.request.target) > LONGEST_TARGET:
        raise errors.UNSUPPORTED.error()
    return found.condition(asked.filter)


def context(name: str, select: tuple[str, ...], shown: tuple[str, ...]) -> str:
    """Give the name of a collection in `@odata.context`, with what was selected."""
    return f"{name}({','.join(shown)})" if select and shown else name


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
    after = None
    if len(rows) > asked.top:
        rows = rows[: asked.top]
        after = token(rows[-1][0])
    value = [show(row) for row in rows]
    return value_page(call, asked, name, value, after, count=count)


def value_page(  # noqa: PLR0913 -- as above
    call: Call,
    asked: Options,
    name: str,
    value: list[Any],
    after: str | None,
    *,
    count: Callable[[], int] | None = None,
) -> Reply:
    """Give one page of these items; *after* is the token of the next one."""
    body: dict[str, Any] = {"@odata.context": f"{call.request.root}/$metadata#{name}"}
    if count and asked.count and asked.is_eventual and not asked.after:
        body["@odata.count"] = count()
    if after is not None:
        body["@odata.nextLink"] = _next_link(call.request, after)
    body["value"] = value
    return Reply(200, body)


@dataclass(frozen=True, slots=True)
class Ready:
    """The items of a page that are JSON already."""

    items: list[bytes]
    """Parts of JSON, to be joined by commas."""
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
        head["@odata.nextLink"] = _next_link(call.request, token(ready.last))
    # One join, because each copies the page.
    first, *others = ready.items or [b""]
    start = b"".join((orjson.dumps(head)[:-1], b',"value":[', first))
    *between, last = (start, *others)
    return Reply(200, b",".join((*between, last + b"]}")))


def _next_link(request: Incoming, after: str) -> str:
    kept = [
        (name, value)
        for name, value in parse_qsl(request.query, keep_blank_values=True)
        if name.lower() != "$skiptoken"
    ]
    query = urlencode([*kept, ("$skiptoken", after)], safe="$,()'", quote_via=quote)
    path = request.path.removeprefix("/v1.0").lstrip("/")
    return f"{request.root}/{path}?{query}"
