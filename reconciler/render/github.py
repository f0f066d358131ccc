"""The few pieces of GitHub's Markdown that a plan is made of.

Everything that came from outside stands in a code span: it is the one place where GitHub
makes nothing of it, neither a mention nor a link, a reference, an emoji or HTML (mentions
are found after entities and backslashes are gone, so escaping would not do).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


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


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the comment; *instead* is what stands for it where there is no room."""

    full: str
    instead: str | None = None


_CUT = Section(
    "**Not everything is shown here**, or this comment would be too long: what is left out says "
    "so in its place, and `reconciler plan` shows all"
)


def optional(full: str, what: str) -> Section:
    """Give a section that may be left out, in words that say *what* is missing."""
    instead = f"_Left out, or this comment would be too long:_ {what}; `reconciler plan` shows all"
    return Section(full, instead if full else None)


def fitted(sections: Sequence[Section], limit: int) -> list[str]:
    """Give each section in full as long as there is room, the first ones first.

    Sections that have nothing to stand for them are given even where they exceed *limit*.
    Where something is left out, the second section says so: readers of the top know at once.
    """
    shown = list(_fitted(sections, limit))
    if shown == [section.full for section in sections]:
        return shown
    first, *others = sections
    return list(_fitted([first, _CUT, *others], limit))


def cut(texts: Sequence[str], limit: int) -> list[str]:
    """Take lines from the ends of the longest *texts* until all are within *limit*, and say so.

    For what GitHub would refuse altogether, whatever it is that must be seen.
    """
    shown = list(texts)
    while (over := sum(len(text) + 2 for text in shown) - limit) > 0:
        place = max(range(len(shown)), key=lambda place: len(shown[place]))
        shown[place] = _shortened(shown[place], over)
    return shown


def _shortened(text: str, over: int) -> str:
    """Take lines from the end of *text* until it is *over* characters shorter."""
    lines = text.splitlines()
    kept, saved = len(lines), -len(_MORE) - 12
    while kept > 1 and saved < over:
        kept -= 1
        saved += len(lines[kept]) + 1
    return "\n".join([*lines[:kept], "", _MORE.format(counted(len(lines) - kept, "line"))])


_MORE = "**{} more of this are not shown here: read the whole report before you approve.**"


def _fitted(sections: Sequence[Section], limit: int) -> Iterator[str]:
    least = sum(len(s.full if s.instead is None else s.instead) + 2 for s in sections)
    room = limit - least
    for section in sections:
        extra = 0 if section.instead is None else len(section.full) - len(section.instead)
        if section.instead is not None and extra > room:
            yield section.instead
        else:
            room -= extra
            yield section.full
