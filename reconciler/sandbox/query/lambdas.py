"""Properties with many values in a `$filter`: `any(…)`, and how many there are.

Graph, "Use the $filter query parameter", section "Filter using lambda operators"; which
operators an item knows, from "Advanced query capabilities".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox.query.filters import Bare, Both, Compare, Either, Function, Node
from reconciler.sandbox.query.sql import Reach, Sql, begins, both, either, ends

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNT: Final = "/$count"
_SIGNS: Final = {"eq": "=", "ge": ">=", "le": "<="}
_ENDING: Final = frozenset(("otherMails", "proxyAddresses"))


@dataclass(frozen=True, slots=True)
class Collection:
    """A property with many values.

    *items* is the SQL of its rows, for one row of the table of the objects.
    """

    name: str
    items: str
    parts: Mapping[str, str]
    """SQL of what a test may compare, by path below an item in small letters; "" is itself."""
    keyed: str = ""
    """SQL that finds the objects by one value of one part, from the other end."""


def texts(name: str) -> Collection:
    """Give a collection of texts that lies in the document."""
    return Collection(name, f"json_each(document, '$.{name}') AS item", {"": "item.value"})


def records(name: str, *parts: str) -> Collection:
    """Give a collection of records that lies in the document."""
    known = {part.lower(): f"json_extract(item.value, '$.{part}')" for part in parts}
    return Collection(name, f"json_each(document, '$.{name}') AS item", known)


LICENSES: Final = Collection(
    "assignedLicenses",
    "(SELECT DISTINCT sku_id FROM license WHERE license.user_id = user.id "
    "AND license.error = 'None') AS item",
    {"skuid": "item.sku_id"},
    "id IN (SELECT user_id FROM license WHERE sku_id = lower(?) AND error = 'None')",
)
"""A user's licenses have a table, with an index for who holds a SKU."""


def collection_of(path: str) -> str | None:
    """Give the collection whose items *path* counts, in small letters; None if it is none."""
    lower = path.lower()
    return lower.removesuffix(_COUNT) if lower.endswith(_COUNT) else None


def count(collection: Collection, node: Compare) -> Sql:
    """Give the SQL of `collection/$count eq 0`: Graph knows `eq` and `ne` with 0 and 1."""
    if node.operator not in {"eq", "ne"} or type(node.value) is not int:
        raise errors.UNSUPPORTED.error()
    if node.value not in {0, 1}:
        raise errors.UNSUPPORTED.error()
    sign = "=" if node.operator == "eq" else "<>"
    counted = f"(SELECT count(*) FROM {collection.items}) {sign} ?"  # noqa: S608 -- constants
    return Sql(counted, (node.value,))


def any_of(collection: Collection, test: Node, *, is_advanced: bool) -> Sql:
    """Give the SQL of `collection/any(x:test)`; raises Graph's refusals."""
    if collection.keyed and isinstance(test, Compare) and test.operator == "eq":
        _part(collection, test.path)
        return Sql(collection.keyed, (_text(test.value),), Reach.MANY)
    inner = _test(collection, test, is_advanced=is_advanced)
    found = f"EXISTS (SELECT 1 FROM {collection.items} WHERE {inner.text})"  # noqa: S608 -- as above
    return Sql(found, inner.values)


def _test(collection: Collection, test: Node, *, is_advanced: bool) -> Sql:
    match test:
        case Compare(path, operator, value) if operator in _SIGNS:
            text = f"{_part(collection, path)} COLLATE NOCASE {_SIGNS[operator]} ?"
            return Sql(text, (_text(value),))
        case Function("startswith", path, value) if not path:
            return begins(_part(collection, path), _text(value))
        case Function("endswith", path, value) if collection.name in _ENDING:
            if is_advanced:
                return ends(_part(collection, path), _text(value))
        case Both(parts):
            return both([_test(collection, part, is_advanced=is_advanced) for part in parts])
        case Either(parts):
            return either([_test(collection, part, is_advanced=is_advanced) for part in parts])
    raise errors.UNSUPPORTED.error()


def _part(collection: Collection, path: str) -> str:
    sql = collection.parts.get(path.lower())
    if sql is None:
        raise errors.UNSUPPORTED.error()
    return sql


def _text(value: object) -> str:
    if isinstance(value, Bare):
        return value.text
    if not isinstance(value, str):
        raise errors.BAD_FILTER.error()
    return value
