"""Problems as values: what is wrong, where it stands, and what to do about it.

Detecting a problem and printing it are two places. The code that detects one makes a
`Diagnostic`; only the command line prints them, all at once and sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: lines and columns count from 1, columns in characters."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        """Give the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How much a problem matters: an error stops, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: *summary* says subject and what happened, *hint* what to do.

    Both are lower case without a full stop and carry the numbers. Neither may hold a
    credential, a private key or anything else that is secret.
    """

    summary: str
    hint: str | None = None
    position: Position | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Give the form a person reads: `file:line:column: error: …` and `hint: …`."""
        place = f"{self.position}: " if self.position else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.severity}: {self.summary}{hint}"


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file, line and column, then by text; what has no place comes first."""

    def key(diagnostic: Diagnostic) -> tuple[bool, Position, str]:
        position = diagnostic.position or Position("", 0, 0)
        return diagnostic.position is not None, position, diagnostic.summary

    return tuple(sorted(dict.fromkeys(diagnostics), key=key))
