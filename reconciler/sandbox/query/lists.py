"""Lists of objects in a table: filtered, searched, sorted, page by page, by an index if any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.sandbox import errors
from reconciler.sandbox.permissions import reads_users_whole
from reconciler.sandbox.query import odata, ordering, search
from reconciler.sandbox.query.options import token
from reconciler.sandbox.query.queries import LONGEST_TARGET
from reconciler.sandbox.query.sql import Reach, Sql, both

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.properties import Property
    from reconciler.sandbox.query.lambdas import Collection
    from reconciler.sandbox.query.options import Options
    from reconciler.sandbox.query.ordering import Key, Sortable
    from reconciler.sandbox.wire import Reply


@dataclass(frozen=True, slots=True)
class Type:
    """What a query may ask of one type of object."""

    properties: Mapping[str, Property]
    collections: Mapping[str, Collection]
    sortable: Mapping[str, Sortable]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list: `SELECT columns FROM source`, which ends in a condition.

    *number* tells their order; it is the first column.
    """

    columns: str
    source: str
    number: str = "seq"
    values: tuple[Any, ...] = ()
    """What the source is given."""


def condition(call: Call, asked: Options, kind: Type) -> Sql:
    """Give the SQL of `$filter` and `$search` together."""
    where = odata.condition(call, asked, kind.properties, kind.collections)
    if asked.search is None:
        return where
    if len(call.request.target) > LONGEST_TARGET:
        raise errors.UNSUPPORTED.error()
    search.prepare(call.db)
    index = odata.index(call, asked, kind.properties, kind.collections)
    return both([where, search.condition(asked.search, index)])


def page(  # noqa: PLR0913, PLR0917 -- a page is made of these
    call: Call,
    asked: Options,
    name: str,
    rows: Rows,
    kind: Type,
    show: Callable[[tuple[Any, ...]], dict[str, Any]],
) -> Reply:
    """Give one page of *rows*; *show* is given their columns."""
    where = condition(call, asked, kind)
    return paged(call, asked, name, rows, where, kind.sortable, show)


def paged(  # noqa: PLR0913, PLR0917 -- as `page`, with the condition at hand
    call: Call,
    asked: Options,
    name: str,
    rows: Rows,
    where: Sql,
    sortable: Mapping[str, Sortable],
    show: Callable[[tuple[Any, ...]], dict[str, Any]],
) -> Reply:
    """Give one page of those *rows* that satisfy *where*."""
    sorted_by = ordering.keys(asked, sortable, is_whole=reads_users_whole(call))
    statement, values = select(rows, where, asked, sorted_by)
    found = call.db.execute(statement, values).fetchall()
    after = None
    if len(found) > asked.top:
        found = found[: asked.top]
        after = token(found[-1][0], found[-1][len(found[-1]) - len(sorted_by) :])
    value = [show(row[: len(row) - len(sorted_by)]) for row in found]

    def count() -> int:
        return counted(call, rows, where)

    return odata.value_page(call, asked, name, value, after, count=count)


def counted(call: Call, rows: Rows, where: Sql) -> int:
    """Give how many *rows* there are that satisfy *where*."""
    text = f"SELECT count(*) FROM {rows.source} AND {where.text}"  # noqa: S608 -- made here
    (number,) = call.db.execute(text, (*rows.values, *where.values)).fetchone()
    return int(number)


def select(
    rows: Rows, where: Sql, asked: Options, sorted_by: tuple[Key, ...] = ()
) -> tuple[str, tuple[Any, ...]]:
    """Give the statement of one page, and one row more, with its parameters.

    SQLite would rather walk all rows in their order than sort what an index finds. A `+`
    keeps it from that when the rows of an index come in another order.
    """
    if sorted_by:
        columns = ", ".join((rows.columns, *(key.sql for key in sorted_by)))
        following = ordering.following(sorted_by, asked, rows.number)
        order = ordering.terms(sorted_by, rows.number)
    else:
        columns = rows.columns
        order = f"+{rows.number}" if where.reach is Reach.MANY else rows.number
        following = Sql(f"{order} > ?", (asked.after,))
    text = (
        f"SELECT {columns} FROM {rows.source} AND {where.text} AND {following.text} "  # noqa: S608 -- made here
        f"ORDER BY {order} LIMIT ?"
    )
    return text, (*rows.values, *where.values, *following.values, asked.top + 1)
