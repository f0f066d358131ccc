"""Lines for a terminal: wrapped by the width of what is shown, and coloured on request.

A Chinese character takes two cells and an accent none, so widths are counted in cells.
Colour repeats what symbols and words say; nothing is told by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES = {
    "bold": "1",
    "dim": "2",
    "-": "31",
    "+": "32",
    "~": "33",
    ">": "36",
    "<": "36",
    "error": "1;31",
}
"""SGR parameters (ECMA-48) of each style; a symbol is a style of its own."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of meaning; wrapping may make several of it."""

    text: str = ""
    indent: int = 0
    symbol: str = ""
    style: str = ""
    whole: bool = False
    """Never wrapped: a place in a file and what is wrong there are searched for as one."""


def shown(outside: str) -> str:
    """Give a name from outside: visible, no command to a runner, and with spaces in quotes."""
    harmless = visible(outside)
    return harmless if harmless == harmless.strip() else f'"{harmless}"'


def quoted(outside: str) -> str:
    """Give a value from outside between quotation marks that it cannot forge."""
    escaped = outside.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown(escaped)}"'


def wrapped(line: Line, width: int) -> Iterator[Line]:
    """Break *line* between words; a word that is too long stays whole, to be copied."""
    margin = line.indent + (2 if line.symbol else 0)
    room = width - margin
    if line.whole or cell_len(line.text) <= room:
        yield line
        return
    first, *rest = _broken(line.text, room)
    yield Line(first, line.indent, line.symbol, line.style)
    for part in rest:
        yield Line(part, margin + 2, style=line.style)


def _broken(words: str, room: int) -> list[str]:
    parts: list[str] = []
    current = ""
    for word in words.split(" "):
        candidate = f"{current} {word}" if current else word
        if current.strip() and cell_len(candidate) > room - (2 if parts else 0):
            parts.append(current)
            candidate = word
        current = candidate
    return [*parts, current]


def padded(label: str, cells: int) -> str:
    """Fill *label* up with spaces, to *cells* cells."""
    return label + " " * (cells - cell_len(label))


def plain(line: Line) -> str:
    """Give *line* as it is printed without colour."""
    symbol = f"{line.symbol} " if line.symbol else ""
    return f"{' ' * line.indent}{symbol}{line.text}".rstrip()


def painted(line: Line) -> str:
    """Give *line* as it is printed in colour."""
    symbol = f"{_paint(line.symbol, line.symbol)} " if line.symbol else ""
    return f"{' ' * line.indent}{symbol}{_paint(line.text, line.style)}"


def _paint(words: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{words}\x1b[0m" if style and words else words
