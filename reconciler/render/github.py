"""The few pieces of GitHub's Markdown that a plan is made of.

Everything that came from outside stands in a code span: it is the one place where GitHub
makes nothing of it, neither a mention nor a link, a reference, an emoji or HTML (mentions
are found after entities and backslashes are gone, so escaping would not do).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def code(text: str) -> str:
    """Give *text* as a code span: literally, on one line, and never empty."""
    shown = visible(text) if text.strip() else f'"{visible(text)}"'
    runs = {len(run) for run in re.findall("`+", shown)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def cell(text: str) -> str:
    r"""Give *text* as a code span inside a table, where `|` ends a cell and `\|` does not."""
    return code(text).replace("|", r"\|")


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table under a heading; nothing at all where there are no rows."""
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    if not body:
        return ""
    head = f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n{body}"
    return f"#### {title}\n\n{head}" if title else head


def titled(title: str, lines: Iterable[str]) -> str:
    """Give lines under a heading; nothing at all where there are none."""
    body = "\n".join(lines)
    return f"#### {title}\n\n{body}" if body else ""


PAGE_BYTES = 1_000_000
"""A step adds up to a mebibyte to the page of its run (GitHub, workflow commands); some are
left for other words of its."""
_WHOLE = (
    "the report of this run and `reconciler plan` show all: read one of them before you approve."
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the comment; *instead* is what stands for it where there is no room."""

    full: str
    instead: str | None = None
    item: str = "line"
    """What each line below the heading is, where lines have to be left out."""
    heading: int = 1
    """Lines of *full* that say what the rest is, and stay."""
    is_last_to_go: bool = False
    where: str = _WHOLE
    """Where all of it is, in a sentence of its own."""


def rows(full: str, item: str, *, is_last_to_go: bool = False, where: str = _WHOLE) -> Section:
    """Give a table under its heading as a section whose every row is an *item*."""
    return Section(full, None, item, _TABLE_HEADING, is_last_to_go, where)


_TABLE_HEADING = 4
_CUT = Section(
    "**Not everything is shown here**, or this comment would be too long: what is left out says "
    "so in its place, and `reconciler plan` shows all"
)


def optional(full: str, what: str) -> Section:
    """Give a section that may be left out, in words that say *what* is missing."""
    instead = f"_Left out, or this comment would be too long:_ {what}; `reconciler plan` shows all"
    return Section(full, instead if full else None)


def fitted(sections: Sequence[Section], limit: int) -> list[Section]:
    """Give each section in full as long as there is room, the first ones first.

    Sections that have nothing to stand for them are given even where they exceed *limit*.
    Where something is left out, the second section says so: readers of the top know at once.
    """
    shown = list(_fitted(sections, limit))
    if shown == list(sections):
        return shown
    first, *others = sections
    return list(_fitted([first, _CUT, *others], limit))


def _fitted(sections: Sequence[Section], limit: int) -> Iterator[Section]:
    least = sum(len(s.full if s.instead is None else s.instead) + 2 for s in sections)
    room = limit - least
    for section in sections:
        extra = 0 if section.instead is None else len(section.full) - len(section.instead)
        if section.instead is not None and extra > room:
            yield Section(section.instead)
        else:
            room -= extra
            yield section


def joined(sections: Iterable[Section]) -> str:
    """Give the sections one after the other; empty ones leave nothing."""
    return "\n\n".join(section.full for section in sections if section.full) + "\n"


def cut(sections: Sequence[Section], limit: int, size: Callable[[str], int] = len) -> list[Section]:
    """Take items from the ends of the longest sections until all are within *limit*, and say so.

    For what GitHub would refuse altogether, whatever it is that must be seen; *size* is how
    it counts. What is last to go is touched when there is nothing else left to take.
    """
    shown = list(sections)
    sizes = [size(section.full) + 2 for section in sections]
    order = sorted(range(len(shown)), key=lambda i: (shown[i].is_last_to_go, -sizes[i]))
    for place in order:
        over = sum(sizes) - limit
        if over <= 0:
            break
        full = _shortened(shown[place], over, size)
        if size(full) + 2 < sizes[place]:
            shown[place] = replace(shown[place], full=full)
            sizes[place] = size(full) + 2
    return shown


def _shortened(section: Section, over: int, size: Callable[[str], int]) -> str:
    """Take items from the end of *section* until it is shorter by *over*."""
    if section.instead is not None:
        return section.instead
    lines = section.full.split("\n")
    total = len(lines) - section.heading
    kept, saved = total, -size(_missing(section, total, total)) - 2
    while kept > 0 and saved < over:
        kept -= 1
        saved += size(lines[section.heading + kept]) + 1
    statement = _missing(section, total - kept, total)
    return "\n".join([*lines[: section.heading + kept], "", statement])


def _missing(section: Section, number: int, total: int) -> str:
    whole = counted(total, section.item)
    return f"**Left out here: {number:,} of {whole}**; {section.where}"


def bytes_of(text: str) -> int:
    """Give how long *text* is in UTF-8."""
    return len(text.encode())
