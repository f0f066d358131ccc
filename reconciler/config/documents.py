"""What a YAML file says, as plain values that know where they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from reconciler.diagnostics import Diagnostic, Position

if TYPE_CHECKING:
    from collections.abc import Iterable


class Mark(Protocol):
    """Where a value starts: lines and columns count from 0, as libyaml counts them."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column, in characters."""


class Table(dict[str, "Value"]):
    """A mapping that knows where its keys and values stand."""

    __slots__ = ("key_marks", "marks")

    def __init__(self) -> None:
        super().__init__()
        self.key_marks: dict[str, Mark] = {}
        self.marks: dict[str, Mark] = {}


class Series(list["Value"]):
    """A list that knows where its items stand."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []


Value = str | bool | int | None | Table | Series
Scalar = str | bool | int | None


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read: the value at its root, and what was wrong on the way."""

    file: str
    root: Value
    diagnostics: tuple[Diagnostic, ...] = ()

    def position(self, mark: Mark) -> Position:
        """Give the place of *mark* as a person counts."""
        return Position(self.file, mark.line + 1, mark.column + 1)

    def at(self, path: Iterable[str | int]) -> Position:
        """Give the place of the value at *path*; the whole stands at the file's start."""
        node: Any = self.root
        position = Position(self.file)
        for step in path:
            position = self.position(node.marks[step])
            node = node[step]
        return position


class Unreadable(Exception):  # noqa: N818 -- reads as the sentence it stands for
    """The text cannot be understood any further; *diagnostics* say what was found."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__()
        self.diagnostics = diagnostics


def leave_out(document: Document, parts: Iterable[tuple[str, int | str]]) -> None:
    """Drop items of lists and keys of tables at the root of *document*: its faulty parts."""
    root = cast("Table", document.root)
    gone: dict[str, set[int | str]] = {}
    for key, inner in parts:
        gone.setdefault(key, set()).add(inner)
    for key, inners in gone.items():
        root[key] = _without(cast("Table | Series", root[key]), inners)


def _without(holder: Table | Series, gone: set[int | str]) -> Table | Series:
    """Copy what is left of *holder*: with an alias it may stand in another place too."""
    if isinstance(holder, Series):
        series = Series()
        left = [index for index in range(len(holder)) if index not in gone]
        series.extend(holder[index] for index in left)
        series.marks.extend(holder.marks[index] for index in left)
        return series
    table = Table()
    table.update({key: value for key, value in holder.items() if key not in gone})
    table.marks, table.key_marks = holder.marks, holder.key_marks
    return table
