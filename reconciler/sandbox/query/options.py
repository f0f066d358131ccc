"""The query options of a request, read and checked; what each may ask is decided elsewhere."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.query import expand

if TYPE_CHECKING:
    from reconciler.sandbox.query.expand import Expansion
    from reconciler.sandbox.wire import Incoming

PAGE: Final = 100
LARGEST_PAGE: Final = 999
_MOST_ROWS: Final = 1 << 63
_KNOWN: Final = frozenset(
    (
        "count",
        "deltatoken",
        "expand",
        "filter",
        "format",
        "orderby",
        "search",
        "select",
        "skip",
        "skiptoken",
        "top",
    )
)


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
    search: str | None = None
    orderby: str | None = None
    marks: tuple[str | None, ...] = ()
    """What the last row of the page before is sorted by."""

    def expansion(self) -> Expansion | None:
        """Give what `$expand` names."""
        return None if self.expand is None else expand.parse(self.expand)

    @property
    def is_advanced(self) -> bool:
        """Whether this is an advanced query: `$search` does without `$count`."""
        return self.is_eventual and (self.count or self.search is not None)


def options(request: Incoming, *, is_searchable: bool = False) -> Options:
    """Read the query of *request*; raises Graph's refusals.

    `$search` and `$orderby` are only for collections that are *is_searchable*.
    """
    given = _given(request.query)
    is_eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    if "skip" in given:
        raise errors.SKIP_UNSUPPORTED.error()
    if "search" in given and not is_eventual:
        raise errors.SEARCH_NEEDS_HEADER.error()
    if not is_searchable and given.keys() & {"search", "orderby"}:
        raise errors.UNSUPPORTED.error()
    after, marks = read_token(given["skiptoken"]) if "skiptoken" in given else (0, ())
    return Options(
        select=expand.names(given.get("select", "")),
        filter=given.get("filter"),
        top=_page_size(given.get("top", str(PAGE))),
        expand=given.get("expand"),
        count=_flag(given.get("count", "false")),
        after=after,
        is_eventual=is_eventual,
        search=given.get("search"),
        orderby=given.get("orderby"),
        marks=marks,
    )


def counting(request: Incoming) -> Options:
    """Read the query of a `$count` segment, which only an advanced query may have."""
    asked = options(request, is_searchable=True)
    if not asked.is_eventual:
        raise errors.COUNT_UNSUPPORTED.error()
    # As a segment it is what the parameter of that name is elsewhere.
    return replace(asked, count=True)


def _given(query: str) -> dict[str, str]:
    """Give the options by their names in small letters, with or without a `$`.

    A name that OData does not know is passed over unless it claims, by a `$`, to be one.
    """
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        option = name.lower().removeprefix("$")
        if option in given:
            raise errors.OPTION_TWICE.error(option=name)
        if option in _KNOWN:
            given[option] = value
        elif name.startswith("$"):
            raise errors.OPTION_UNKNOWN.error(option=name)
    return given


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise errors.BAD_COUNT.error(value=text)
    return text.lower() == "true"


def _page_size(text: str) -> int:
    size = int(text) if re.fullmatch(r"-?\d{1,9}", text) else 0
    if not 1 <= size <= LARGEST_PAGE:
        raise errors.PAGE_SIZE.error(size=text)
    return size


def token(row: int, marks: tuple[str | None, ...] = ()) -> str:
    """Give the `$skiptoken` of the page after *row*, which is sorted by *marks*."""
    return base64.urlsafe_b64encode(b"row:%d:%s" % (row, orjson.dumps(marks))).decode()


def read_token(text: str) -> tuple[int, tuple[str | None, ...]]:
    """Give what `token` was told; raises Graph's refusal of anything else."""
    try:
        head, row, marks = base64.urlsafe_b64decode(text).decode().split(":", 2)
        number, kept = int(row), orjson.loads(marks)
        is_list = isinstance(kept, list) and all(isinstance(m, str | None) for m in kept)
        if head == "row" and is_list and 0 <= number < _MOST_ROWS:
            return number, tuple(kept)
    except (binascii.Error, ValueError):
        pass
    raise errors.PAGE_TOKEN.error()
