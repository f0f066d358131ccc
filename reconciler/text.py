"""Text from outside, made safe to show and easy to correct.

Names come from files and from the tenant: anybody may have written them. Nothing of
theirs may move a terminal's cursor, reverse a line or hide a character.
"""

from __future__ import annotations

import difflib
import re
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
_TELLING = 4
"""Letters that the beginning of a name must have to stand for it."""
_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#\[)")
_SECRET = re.compile(
    r"AGE-SECRET-KEY-[A-Z0-9]+|-----BEGIN [^-]*PRIVATE KEY-----.*|eyJ[\w-]{8,}[\w.-]*"
    r"|b3BlbnNzaC1rZXkt[\w+/=-]*|MI[IGH][\w+/]{20,}[\w+/=]*",
    re.IGNORECASE | re.DOTALL,
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
    """Give *text* with every hidden character written out, on one line.

    It is no command to a runner that shows it in its log either: GitHub's obeys
    `::command::` at the start of a line, to which wrapping could move it, and `##[command]`
    anywhere (actions/runner, ActionCommand.cs).
    """
    text = _COMMAND.sub(lambda found: _written_out(found[0]), text)
    if text.isprintable() and text.isascii():
        return text
    return "".join(_written_out(c) if is_hidden(c) else c for c in text)


def _written_out(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def without_secrets(text: str) -> str:
    """Give *text* without what is plainly a secret: private keys and access tokens.

    For messages that quote what a person typed in the wrong place.
    """
    return _SECRET.sub("…", text)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that *word* was most likely meant to be, if any is near."""
    wanted = word.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(wanted, by_folded, n=1, cutoff=0.7)
    if not matches:  # the beginning of a longer name: YAMER for YAMMER_ENTERPRISE
        starts = {folded[: len(wanted) + 1]: folded for folded in reversed(by_folded)}
        near = difflib.get_close_matches(wanted, starts, n=1, cutoff=0.8)
        matches = [starts[start] for start in near if len(wanted) >= _TELLING]
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
