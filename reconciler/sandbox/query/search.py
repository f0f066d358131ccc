"""`$search` of directory objects: words of displayName and description, beginnings of others.

Graph, "Use the $search query parameter", section "Using $search on directory object
collections". That a word is found by its beginning is inferred from the examples there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox.query.sql import Sql, begins, both, either

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.query.queries import Index

_TOKEN: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()])|([A-Za-z]+))')
_WORDED: Final = frozenset(("displayName", "description"))
_FUNCTION: Final = "has_words"
_WORD: Final = re.compile(r"\d+|[^\W\d_]+|[^\w\s]|_")
_CASING: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SYMBOLS: Final = re.compile(r"[\W_]+")
_DEEPEST: Final = 30
_MOST_CLAUSES: Final = 100
"""No bound of Graph's is known; this one keeps the SQL within SQLite's."""


def prepare(db: sqlite3.Connection) -> None:
    """Teach this connection to look for words."""
    db.create_function(_FUNCTION, 2, _has_words, deterministic=True)


def condition(text: str, index: Index) -> Sql:
    """Give the SQL of a `$search`; raises Graph's refusals."""
    return _Parser(text, index).whole()


def words(text: str) -> list[str]:
    """Split *text* at spaces, symbols, numbers, and capitals after small letters."""
    parts = [word for chunk in _CASING.split(text) for word in _WORD.findall(chunk)]
    return [part.lower() for part in parts]


def _indexed(text: str) -> set[str]:
    """Give what *text* is found by: its words, and those that only symbols separate as one."""
    joined = {_SYMBOLS.sub("", chunk).lower() for chunk in text.split()}
    return {*words(text), *joined} - {""}


def _has_words(value: str | None, text: str) -> bool:
    """Whether each word of *text* begins one of *value*, in any order."""
    if value is None:
        return False
    wanted = _words_once(text)
    # Cheaper than to split every value: most have not even the letters.
    letters = _SYMBOLS.sub("", value).lower()
    if any(word.isalnum() and word not in letters for word in wanted):
        return False
    known = _indexed(value)
    return all(any(one.startswith(word) for one in known) for word in wanted)


_words_once = lru_cache(maxsize=16)(words)
"""One search asks for the same words of every row."""


class _Parser:
    """`"property:text"`, `AND`, `OR` and parentheses; `AND` binds tighter."""

    def __init__(self, text: str, index: Index) -> None:
        self._text = text.rstrip()
        self._index = index
        self._position = 0
        self._depth = 0
        self._clauses = 0

    def whole(self) -> Sql:
        found = self._either()
        if self._position < len(self._text):
            raise self._syntax()
        return found

    def _syntax(self) -> errors.GraphError:
        rest = self._text[self._position :].lstrip()
        position = len(self._text) - len(rest)
        return errors.SEARCH_SYNTAX.error(character=rest[:1], position=position, text=self._text)

    def _has(self, word: str) -> bool:
        found = _TOKEN.match(self._text, self._position)
        if found is None or word not in {found[2], found[3]}:
            return False
        self._position = found.end()
        return True

    def _either(self) -> Sql:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._syntax()
        parts = [self._both()]
        while self._has("OR"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else either(parts)

    def _both(self) -> Sql:
        parts = [self._clause()]
        while self._has("AND"):
            parts.append(self._clause())
        return parts[0] if len(parts) == 1 else both(parts)

    def _clause(self) -> Sql:
        if self._has("("):
            inner = self._either()
            if not self._has(")"):
                raise self._syntax()
            return inner
        found = _TOKEN.match(self._text, self._position)
        if found is None or found[1] is None:
            # A bare word is one of OData's, so the fault lies behind it.
            self._position = found.end(3) if found and found[3] else self._position
            raise self._syntax()
        self._position = found.end()
        self._clauses += 1
        if self._clauses > _MOST_CLAUSES:
            raise errors.UNSUPPORTED.error()
        return self._sought(re.sub(r"\\(.)", r"\1", found[1]))

    def _sought(self, clause: str) -> Sql:
        path, colon, text = clause.partition(":")
        if not colon:
            raise errors.SEARCH_PROPERTY.error(clause=clause)
        prop = self._index.property_at(path.strip())
        if prop.name in _WORDED:
            return Sql(f"{_FUNCTION}({prop.sql}, ?)", (text.strip(),))
        return begins(prop.sql, text.strip())
