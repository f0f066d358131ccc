"""What may stand in no file at all: hidden characters, and private keys.

Both are looked for in the whole text before anything else reads it, comments included:
a character that reorders a line deceives whoever reviews it, and a private key in a
repository is lost wherever it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reconciler.diagnostics import Diagnostic, Position
from reconciler.text import hidden_in, name_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN: Final = 60
_PRIVATE_KEY: Final = re.compile(
    r"age-secret-key-|age-plugin-[a-z0-9+._-]{1,64}-1|-----begin ", re.IGNORECASE
)
_SECRET: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8}|(?i:secret-key-)")
"""What a token starts with, and what an escape leaves of a private key's first words."""
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
PRIVATE_KEY_HINT: Final = (
    "take it out of the file and of the history, make a new pair, and list its public key"
)


def holds_private_key(text: str) -> bool:
    """Whether *text* holds, or looks like, the secret half of a key."""
    return next(_private_keys(text), None) is not None


def shown(text: str) -> str:
    """Give *text* as a message may quote it: visible, short, and never a secret."""
    if holds_private_key(text) or _SECRET.search(text):
        return "…"
    return visible(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def scrutinize(file: str, text: str) -> Iterator[Diagnostic]:
    """Give a diagnostic for each hidden character and each private key in *text*."""
    lines = _Lines(file, text)
    for index, character in hidden_in(text, is_file=True):
        summary = f"the file holds {name_of(character)}, which cannot be seen"
        yield Diagnostic(summary, "remove the character", lines.position(index))
    for index in _private_keys(text):
        yield Diagnostic("the file holds a private key", PRIVATE_KEY_HINT, lines.position(index))


def _private_keys(text: str) -> Iterator[int]:
    # Two plain searches spare almost every text the slower pattern.
    lower = text.lower()
    if "age-" in lower or "-----" in lower:
        yield from (match.start() for match in _PRIVATE_KEY.finditer(text))


class _Lines:
    """Where the lines of a text start; found on the first use, for most never."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_ENDS.finditer(self.text))]

    def position(self, index: int) -> Position:
        line = bisect_right(self.starts, index)
        return Position(self.file, line, index - self.starts[line - 1] + 1)
