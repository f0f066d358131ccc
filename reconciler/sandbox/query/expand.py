"""The grammar of `$expand`: one relationship, with `$select` and `$levels` inside.

Graph, "Use query parameters": directory objects expand one relationship to one level, and
up to 20 of its objects, without a link to the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reconciler.sandbox import errors

MOST_EXPANDED: Final = 20
_DEEPEST: Final = 1000
"""Managers above one another that `$levels` may ask for (Graph, "List manager")."""
_ITEM: Final = re.compile(r"([\w.]+)\s*(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A relationship to show with an object."""

    name: str
    """As asked, in the caller's capitals."""
    select: tuple[str, ...] = ()
    levels: int = 1


def names(text: str) -> tuple[str, ...]:
    """Give the names in a list of them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse(text: str) -> Expansion:
    """Give what `$expand` names; raises Graph's refusal of more than one thing."""
    items = _items(text)
    if len(items) > 1:
        raise errors.EXPAND_MANY.error(count=len(items))
    found = _ITEM.fullmatch(items[0].strip())
    if found is None:
        raise errors.EXPAND_TERM.error(term=text)
    return _with_options(found[1], found[2] or "")


def _items(text: str) -> list[str]:
    """Split at the commas that are outside of parentheses."""
    items, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            items.append(text[start:position])
            start = position + 1
    return [*items, text[start:]]


def _with_options(name: str, inner: str) -> Expansion:
    select: tuple[str, ...] = ()
    levels = 1
    for option in filter(None, (part.strip() for part in inner.split(";"))):
        key, _, value = option.partition("=")
        match key.strip().lower().removeprefix("$"):
            case "select":
                select = names(value)
            case "levels":
                levels = _levels(value.strip())
            case "filter" | "expand" | "orderby" | "search" | "top" | "skip" | "count":
                # Documented not to be supported; parameters may also be ignored silently.
                raise errors.UNSUPPORTED.error()
            case _:
                raise errors.EXPAND_TERM.error(term=option)
    return Expansion(name, select, levels)


def _levels(text: str) -> int:
    if text.lower() == "max":
        return _DEEPEST
    if not re.fullmatch(r"[1-9]\d{0,3}", text) or int(text) > _DEEPEST:
        raise errors.EXPAND_TERM.error(term=f"$levels={text}")
    return int(text)
