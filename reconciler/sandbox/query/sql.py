"""Conditions in SQL, with what an index can do for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST = "\U0010ffff"
"""Sorts behind every character, so that a prefix is a range."""


class Reach(IntEnum):
    """What an index finds of a condition."""

    SCAN = 0
    """Nothing: every row is looked at, in the order of the rows."""
    MANY = 1
    """Several stretches of an index, whose rows come in another order than the list's."""
    ONE = 2
    """One value of an index, whose rows come in the order of the list."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition with its parameters."""

    text: str
    values: tuple[Any, ...] = ()
    reach: Reach = Reach.SCAN


EVERYTHING = Sql("1")
NOTHING = Sql("0")


def both(parts: Sequence[Sql]) -> Sql:
    """Give the condition that all *parts* hold; one index is enough for it."""
    return Sql(_joined(parts, "AND"), _values(parts), max(part.reach for part in parts))


def either(parts: Sequence[Sql]) -> Sql:
    """Give the condition that any of *parts* holds; each of them needs its index."""
    is_indexed = all(part.reach for part in parts)
    return Sql(_joined(parts, "OR"), _values(parts), Reach.MANY if is_indexed else Reach.SCAN)


def negated(part: Sql) -> Sql:
    """Give the condition that *part* does not hold; what has no value does not."""
    return Sql(f"NOT coalesce({part.text}, 0)", part.values)


def _joined(parts: Sequence[Sql], word: str) -> str:
    return f"({f' {word} '.join(part.text for part in parts)})"


def _values(parts: Sequence[Sql]) -> tuple[Any, ...]:
    return tuple(value for part in parts for value in part.values)


def begins(expression: str, text: str, reach: Reach = Reach.SCAN) -> Sql:
    """Give the condition that *expression* begins with *text*, in any capitals.

    As a range, not as LIKE: an index on the expression answers it.
    """
    key = f"{expression} COLLATE NOCASE"
    return Sql(f"({key} >= ? AND {key} < ?)", (text, text + _LAST), min(reach, Reach.MANY))


def ends(expression: str, text: str) -> Sql:
    """Give the condition that *expression* ends with *text*, in any capitals."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Sql(f"{expression} LIKE ? ESCAPE '\\'", (f"%{escaped}",))
