"""Text from outside, made safe to show and easy to correct.

Names come from files and from the tenant: anybody may have written them. Nothing of
theirs may move a terminal's cursor, reverse a line or hide a character.
"""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HIDDEN = frozenset(
    # Characters that reorder the text around them (Unicode TR9), the marks of direction too.
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    # Characters of no width, with which two names look alike; not U+200C and U+200D, which
    # Persian, Indic scripts and emoji need.
    "\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff"
)
_TAGS = range(0xE0000, 0xE0080)
"""Characters that repeat ASCII and are shown by nothing."""


def is_hidden(character: str) -> bool:
    """Whether *character* controls how others are shown instead of being shown."""
    if character in _HIDDEN or ord(character) in _TAGS:
        return True
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def name_of(character: str) -> str:
    """Name a character that cannot be shown: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'CONTROL CHARACTER')}"


def visible(text: str) -> str:
    """Give *text* with every hidden character written out, on one line."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(f"\\u{{{ord(c):x}}}" if is_hidden(c) else c for c in text)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that *word* was most likely meant to be, if any is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Give the hint `did you mean '…'?`, if any candidate is near."""
    match = nearest(word, candidates)
    return f"did you mean '{visible(match)}'?" if match else None


def listing(names: Iterable[str], limit: int = 10) -> str:
    """Give `a, b and 3 more`: all of a few names, the first of many."""
    shown = list(names)
    rest = len(shown) - limit
    head = ", ".join(visible(name) for name in shown[:limit])
    return f"{head} and {rest} more" if rest > 0 else head


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Give `1 change`, `2 changes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
