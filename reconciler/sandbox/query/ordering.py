"""`$orderby`: by what a list may be sorted, and the SQL of the page after a row.

Which properties, and whether the default index knows them: "Advanced query capabilities
on Microsoft Entra ID objects", section "Support for sorting".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import GROUP, USER, Filter
from reconciler.sandbox.query.sql import EVERYTHING, Sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.query.options import Options

_ITEM: Final = re.compile(r"\s*([\w/.]+)(?:\s+(asc|desc))?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sortable:
    """A property by which a list may be sorted."""

    sql: str
    filter: Filter = Filter.ADVANCED
    is_basic: bool = True
    """Whether those may sort by it, too, who read only what is basic of users."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a list is sorted by."""

    sql: str
    descends: bool

    @property
    def term(self) -> str:
        """Give it as a term of `ORDER BY`."""
        return f"{self.sql} COLLATE NOCASE{' DESC' if self.descends else ''}"


USERS: Final = {
    "displayname": Sortable(USER["displayname"].sql, Filter.DEFAULT),
    "userprincipalname": Sortable("upn", Filter.DEFAULT),
    "createddatetime": Sortable(USER["createddatetime"].sql, is_basic=False),
    "deleteddatetime": Sortable("deleted", is_basic=False),
}
GROUPS: Final = {
    "displayname": Sortable(GROUP["displayname"].sql, Filter.DEFAULT),
    "deleteddatetime": Sortable("deleted"),
}
LINKED: Final = {"displayname": Sortable("label")}
"""Members and other directory objects of several types."""


def keys(
    asked: Options, sortable: Mapping[str, Sortable], *, is_whole: bool = True
) -> tuple[Key, ...]:
    """Give what `$orderby` names; raises Graph's refusals.

    *is_whole* tells whether the caller reads users whole.
    """
    if asked.orderby is None:
        return ()
    if asked.filter is not None and not asked.is_advanced:
        raise errors.SORTING.error()
    items = asked.orderby.split(",")
    if len(items) > len(sortable):
        raise errors.SORTING.error()
    named = tuple(_key(asked, item, sortable) for item in items)
    if not is_whole and not all(entry.is_basic for entry, _ in named):
        raise errors.DENIED.error()
    found = tuple(Key(entry.sql, descends) for entry, descends in named)
    if asked.after and len(asked.marks) != len(found):
        raise errors.PAGE_TOKEN.error()
    return found


def _key(asked: Options, item: str, sortable: Mapping[str, Sortable]) -> tuple[Sortable, bool]:
    """Give what one item names, and whether it descends."""
    read = _ITEM.fullmatch(item)
    if read is None:
        raise errors.ORDER_SYNTAX.error(position=len(item), text=item)
    entry = sortable.get(read[1].lower())
    if entry is None or (entry.filter is Filter.ADVANCED and not asked.is_advanced):
        raise errors.SORTING.error()
    return entry, (read[2] or "").lower() == "desc"


def following(sorted_by: tuple[Key, ...], asked: Options, number: str) -> Sql:
    """Give the condition that a row stands behind the last one of the page before."""
    if not asked.after:
        return EVERYTHING
    sign = "<" if sorted_by[0].descends else ">"
    condition = Sql(f"{number} {sign} ?", (asked.after,))
    for key, mark in reversed(list(zip(sorted_by, asked.marks, strict=True))):
        condition = _behind(key, mark, condition)
    return condition


def _behind(key: Key, mark: str | None, rest: Sql) -> Sql:
    """Give the condition that a row stands behind *mark*, or with it and behind in *rest*.

    Rows without a value come first, and last in a list that descends.
    """
    sql = f"{key.sql} COLLATE NOCASE"
    same = f"({sql} IS ? AND {rest.text})"
    if mark is None:
        beyond = "0" if key.descends else f"{key.sql} IS NOT NULL"
        return Sql(f"({beyond} OR {same})", (mark, *rest.values))
    if key.descends:
        beyond = f"{sql} < ? OR {key.sql} IS NULL"
        return Sql(f"({beyond} OR {same})", (mark, mark, *rest.values))
    # The first half says nothing new; it is what the index is asked.
    return Sql(f"({sql} >= ? AND ({sql} > ? OR {same}))", (mark, mark, mark, *rest.values))


def terms(sorted_by: tuple[Key, ...], number: str) -> str:
    """Give `ORDER BY`, down to the row itself."""
    last = f"{number}{' DESC' if sorted_by[0].descends else ''}"
    return ", ".join((*(key.term for key in sorted_by), last))
