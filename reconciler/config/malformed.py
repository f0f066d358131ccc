"""Text that is no YAML, told to those who wrote it.

A parser says where it gave up and what it would have accepted there. The mistake is often
elsewhere and always simpler: a colon that is missing, a quote that is not closed. Each
rule here knows one mistake, by what the parser says (libyaml, or PyYAML's own, which puts
it in other words) and by the text around the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.config.scrutiny import shown
from reconciler.diagnostics import Diagnostic, Position
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import yaml

_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_HYPHENS: Final = re.compile(r"\s*(?:-\s+)*")
_KEY: Final = re.compile(r"[^#]*?:(?:\s|$)")
_CLOSERS: Final = ("}", "]")


class Place(NamedTuple):
    """A place as libyaml counts: from 0."""

    line: int
    column: int


Told = tuple[str, str, Place]
"""A summary, a hint, and where the mistake is."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a parser gave up, and why."""

    lines: Sequence[str]
    message: str
    """What it was doing, and what it found."""
    place: Place
    opened: Place
    """Where that starts which it was reading."""

    def line(self, number: int) -> str:
        """Give one line; the end of the text may lie after the last one."""
        return self.lines[number] if number < len(self.lines) else ""

    def before(self, place: Place) -> str:
        """Give what stands before *place* on its line."""
        return self.line(place.line)[: place.column]

    def after(self, place: Place) -> str:
        """Give what stands at *place* and after it on its line."""
        return self.line(place.line)[place.column :]

    def above(self, place: Place) -> Iterator[int]:
        """Give the lines above *place* that say something, the nearest first."""
        for number in range(min(place.line, len(self.lines)) - 1, -1, -1):
            if self.lines[number].strip() and not self.lines[number].lstrip().startswith("#"):
                yield number


def malformed(file: str, text: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    """Say what is wrong in *text*, where a parser raised *error*."""
    failure = _failure(text, error)
    for pattern, rule in _RULES:
        if re.search(pattern, failure.message) and (told := rule(failure)):
            summary, hint, place = told
            return Diagnostic(summary, hint, Position(file, place.line + 1, place.column + 1))
    place = failure.place
    return Diagnostic(
        f"the file is not YAML: {visible(error.problem or 'it cannot be read')}",
        "check the indentation, the quotes and the brackets of this line and of those above",
        Position(file, place.line + 1, place.column + 1),
    )


def _failure(text: str, error: yaml.MarkedYAMLError) -> Failure:
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    places = [Place(mark.line, mark.column) for mark in marks] or [Place(0, 0)]
    message = f"{error.context}: {error.problem}"
    return Failure(_LINE_ENDS.split(text), message, places[0], places[-1])


def _tab(failure: Failure) -> Told | None:
    if not failure.after(failure.place).startswith("\t"):
        return None
    return "a tab is used for indentation", "replace the tab with spaces", failure.place


def _open_quote(failure: Failure) -> Told:
    quote = failure.after(failure.opened)[:1]
    hint = f"write {quote} at the end of the text"
    return "the quote that opens here is never closed", hint, failure.opened


def _escape(failure: Failure) -> Told:
    hint = "write \\\\ for a backslash, or put the text in single quotes"
    return "a backslash in double quotes starts no escape that YAML knows", hint, failure.place


def _sign(failure: Failure) -> Told | None:
    """Tell a value that starts with a character which YAML keeps for itself."""
    is_inside = re.search(r"anchor|alias|directive|block scalar|a tag", failure.message)
    place = failure.opened if is_inside else failure.place
    sign = failure.after(place)[:1]
    if not sign:
        return None
    return f"text cannot start with {visible(sign)} here", "put the text in quotes", place


def _unfinished(failure: Failure) -> Told:
    hint = "write the bracket, ] or }, that is missing at its end"
    return "the file ends inside of brackets that are never closed", hint, failure.place


def _colon(failure: Failure) -> Told:
    """Tell apart why a key stands where none can be: three mistakes look alike here."""
    key = failure.before(failure.place)
    start = Place(failure.place.line, _key_column(key))
    upper = next(failure.above(start), None)
    if upper is None or _KEY.match(f"{key[start.column :]} "):
        summary = "a value that is not in quotes holds a colon and a space"
        return summary, "put the value in quotes", failure.place
    line = failure.lines[upper]
    if not _KEY.match(line):
        return _without_colon(failure, Place(upper, _key_column(line)))
    hint = f"{_aligned(failure, start)}, or put the text in quotes if the value above goes on"
    return "the line is indented differently from those above", hint, start


def _no_colon(failure: Failure) -> Told:
    return _without_colon(failure, failure.opened)


def _without_colon(failure: Failure, place: Place) -> Told:
    written = failure.after(place).partition(" #")[0].strip()
    quoted = f"'{shown(written)}'"
    if written.startswith("-"):
        return f"{quoted} has no space after the hyphen", f"write - {shown(written[1:])}", place
    key, colon, value = written.partition(":")
    if not colon:
        key, _, value = written.partition(" ")
    missing = "space after the colon" if colon else "colon"
    return f"{quoted} has no {missing}", f"write {shown(f'{key}: {value}'.strip())}", place


def _items_beside_key(failure: Failure) -> Told:
    hint = "write each item on a line of its own, or put text that starts with a hyphen in quotes"
    return "a list cannot start on the line of its key", hint, failure.place


def _quote(failure: Failure) -> Told | None:
    """Tell what follows a closing quote: often another one was meant to close."""
    before = failure.before(failure.place).rstrip()
    if not before.endswith(('"', "'")):
        return None
    text = "\n".join([*failure.lines[: failure.place.line], before[:-1]])
    index = text.rfind(before[-1])
    opened = Place(text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1)
    if opened.line < failure.place.line:
        summary = f"the quote that opens here is closed only on line {failure.place.line + 1}"
        return summary, f"write {before[-1]} at the end of the text", opened
    if "flow" in failure.message:
        return None
    hint = "put all of it in one pair of quotes; in single quotes, '' stands for '"
    return "text follows the closing quote", hint, failure.place


def _flow(failure: Failure) -> Told:
    """Tell what is wrong between brackets."""
    opener, found = failure.after(failure.opened)[:1], failure.after(failure.place)[:1]
    closer = "}" if opener == "{" else "]"
    if failure.place.line > failure.opened.line:
        hint = f"write {closer} at its end, and a comma between two entries"
        return f"the {opener} that opens here is not closed", hint, failure.opened
    if found in _CLOSERS:
        return f"{found} cannot close what {opener} opens", f"write {closer}", failure.place
    hint = f"write the comma, or {closer}; put a value that holds : or brackets in quotes"
    return "a comma is missing, or a value needs quotes", hint, failure.place


def _closer(failure: Failure) -> Told | None:
    found = failure.after(failure.place)[:1]
    if found not in _CLOSERS:
        return None
    return f"{found} closes nothing", "remove it, or put the text in quotes", failure.place


def _indentation(failure: Failure) -> Told | None:
    if failure.before(failure.place).strip():
        return None
    is_item = failure.after(failure.place).startswith("-")
    what = "the list item is indented differently from the others"
    other = "the line is indented differently from those above"
    return what if is_item else other, _aligned(failure, failure.place), failure.place


def _first_key(failure: Failure) -> Told | None:
    first = next((n for n, text in enumerate(failure.lines) if _KEY.match(text)), None)
    column = _indent(failure.lines[first]) if first is not None else 0
    if first is None or not column:
        return None
    hint = "remove the spaces before it, so that it starts where the other keys start"
    return "the first key is indented", hint, Place(first, column)


def _aligned(failure: Failure, place: Place) -> str:
    """Say with which line above, hyphen with hyphen or key with key, *place* may align."""
    is_item = failure.after(place).startswith("-")
    columns = [
        (number, _indent(line) if is_item else _key_column(line))
        for number in failure.above(place)
        if (line := failure.lines[number]).lstrip().startswith("-") or not is_item
    ]
    others = [(number, column) for number, column in columns if column != place.column]
    if not others:
        return "align it with the lines that it belongs to"
    number, column = min(others, key=lambda other: abs(other[1] - place.column))
    needed = f"indent it by {counted(column, 'space')}" if column else "do not indent it"
    return f"{needed}, like line {number + 1}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _key_column(line: str) -> int:
    hyphens = _HYPHENS.match(line)
    return hyphens.end() if hyphens else 0


_RULES: Final[tuple[tuple[str, Callable[[Failure], Told | None]], ...]] = (
    (r"tab character|cannot start any token", _tab),
    (r"quoted scalar: found unexpected", _open_quote),
    (r"unknown escape", _escape),
    (
        (
            r"cannot start any token|node content|mapping keys are not allowed|undefined tag handle"
            r"|ing (an anchor|an alias|a tag|a directive|a block scalar)"
        ),
        _sign,
    ),
    (r"node content", _unfinished),
    (r"mapping values are not allowed", _colon),
    (r"could not find expected ':'", _no_colon),
    (r"sequence entries are not allowed", _items_beside_key),
    (r"flow (mapping|sequence)|expected key|'-' indicator|<block end>", _quote),
    (r"flow (mapping|sequence)", _flow),
    (r"expected key|'-' indicator|<block end>", _closer),
    (r"expected key|'-' indicator|<block end>", _indentation),
    (r"<document start>", _first_key),
)
"""What the parser says, and the mistakes that it may mean; the first that fits is told."""
