"""The grammar of `$filter`: text to a tree; what the tree may ask for is `queries.py`.

A subset of OData 4.01, part 2, section 5.1.1: what directory objects support.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reconciler.sandbox import errors

if TYPE_CHECKING:
    from collections.abc import Callable

Literal: TypeAlias = "str | bool | int | Bare | None"

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d+)"
    r"|(?P<word>[A-Za-z_$@][\w$./-]*)"
    r"|(?P<sign>[(),:]))"
)
_DEEPEST = 30
_MOST_TOKENS = 2000
"""More would be too deep for SQLite; no address that Graph takes has them."""
_LONGEST_NUMBER = 20
"""An `Edm.Int64` with its sign."""
_OPERATORS = frozenset(("eq", "ne", "gt", "ge", "lt", "le"))
_FUNCTIONS = frozenset(("startswith", "endswith", "contains"))


@dataclass(frozen=True, slots=True)
class Bare:
    """A GUID or a moment, written without quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`path operator value`."""

    path: str
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class In:
    """`path in (values)`."""

    path: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """`name(path, text)`, with the name in small letters."""

    name: str
    path: str
    text: Literal


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`collection/any(x:test)`; the test's paths are relative to one item, or empty."""

    collection: str
    test: Node


@dataclass(frozen=True, slots=True)
class Not:
    """`not part`."""

    part: Node


@dataclass(frozen=True, slots=True)
class Both:
    """`parts[0] and parts[1] …`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """`parts[0] or parts[1] …`."""

    parts: tuple[Node, ...]


Node: TypeAlias = Compare | In | Function | AnyOf | Not | Both | Either


def parse(text: str) -> Node:
    """Give the tree of a `$filter`; raises Graph's refusal of what is none."""
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise errors.BAD_FILTER.error()
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    if len(tokens) > _MOST_TOKENS:
        raise errors.UNSUPPORTED.error()
    return tokens


def _relative(test: Node, variable: str) -> Node:
    """Give *test* with paths below one item; raises the refusal of what tests something else."""
    match test:
        case Compare(path, operator, value):
            return Compare(_below(path, variable), operator, value)
        case Function(name, path, text):
            return Function(name, _below(path, variable), text)
        case Both(parts):
            return Both(tuple(_relative(part, variable) for part in parts))
        case Either(parts):
            return Either(tuple(_relative(part, variable) for part in parts))
    raise errors.BAD_FILTER.error()


def _below(path: str, variable: str) -> str:
    head, _, rest = path.partition("/")
    if head != variable:
        raise errors.BAD_FILTER.error()
    return rest


class _Parser:
    """Recursive descent: or, and, not, then a test or parentheses."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._deeper(self._either)
        if self._next < len(self._tokens):
            raise errors.BAD_FILTER.error()
        return node

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take(self, group: str, *texts: str) -> str:
        """Take the next token, which must be of *group* and, if any are given, one of *texts*."""
        kind, text = self._peek()
        if kind != group or (texts and text.lower() not in texts):
            raise errors.BAD_FILTER.error()
        self._next += 1
        return text

    def _has(self, group: str, *texts: str) -> bool:
        kind, text = self._peek()
        if kind == group and text.lower() in texts:
            self._next += 1
            return True
        return False

    def _chain(self, word: str, part: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [part()]
        while self._has("word", word):
            parts.append(part())
        return tuple(parts)

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise errors.BAD_FILTER.error()
        node = part()
        self._depth -= 1
        return node

    def _either(self) -> Node:
        parts = self._chain("or", self._both)
        return parts[0] if len(parts) == 1 else Either(parts)

    def _both(self) -> Node:
        parts = self._chain("and", self._test)
        return parts[0] if len(parts) == 1 else Both(parts)

    def _test(self) -> Node:
        if self._has("sign", "("):
            node = self._deeper(self._either)
            self._take("sign", ")")
            return node
        word = self._take("word")
        if word.lower() == "not":
            return Not(self._deeper(self._test))
        if word.lower() in _FUNCTIONS:
            return self._function(word.lower())
        if word.lower().endswith("/any"):
            return self._any(word[:-4])
        return self._comparison(word)

    def _function(self, name: str) -> Node:
        self._take("sign", "(")
        path = self._take("word")
        self._take("sign", ",")
        value = self._literal()
        self._take("sign", ")")
        return Function(name, path, value)

    def _any(self, collection: str) -> Node:
        self._take("sign", "(")
        variable = self._take("word")
        self._take("sign", ":")
        test = self._deeper(self._either)
        self._take("sign", ")")
        return AnyOf(collection, _relative(test, variable))

    def _comparison(self, path: str) -> Node:
        operator = self._take("word", "in", *_OPERATORS).lower()
        if operator != "in":
            return Compare(path, operator, self._literal())
        self._take("sign", "(")
        values = [self._literal()]
        while self._has("sign", ","):
            values.append(self._literal())
        self._take("sign", ")")
        return In(path, tuple(values))

    def _literal(self) -> Literal:
        kind, text = self._peek()
        self._next += 1
        match kind, text.lower():
            case "text", _:
                return text[1:-1].replace("''", "'")
            case (("guid" | "moment"), _):
                return Bare(text)
            case "number", _ if len(text) <= _LONGEST_NUMBER:
                return int(text)
            case "word", ("true" | "false") as boolean:
                return boolean == "true"
            case "word", "null":
                return None
        raise errors.BAD_FILTER.error()
