"""YAML text to documents, with nothing guessed and nothing overlooked.

PyYAML's own constructors guess types from spelling (`NO` is false, `007` is seven) and
lose places. This composer reads libyaml's events instead: text stays text, each mapping
and list remembers where its parts stand, and what a reader of the file could
misunderstand (a key given twice, a merge key, a tag) is a diagnostic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.config.documents import Document, Series, Table, Unreadable
from reconciler.config.malformed import malformed
from reconciler.config.scrutiny import PRIVATE_KEY_HINT, holds_private_key, shown
from reconciler.diagnostics import Diagnostic, Position
from reconciler.text import hidden_in, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.config.documents import Mark, Scalar, Value

MAX_DEPTH: Final = 32
"""How deep mappings and lists may nest; a cohort file needs seven levels."""
MAX_VALUES: Final = 1_000_000
"""How many values one file may hold, an alias counted as all that it stands for."""
MAX_DIAGNOSTICS: Final = 20_000
"""Where a file has so many that the rest is not worth reading."""

Loader = yaml.SafeLoader | yaml.CSafeLoader
LOADER: Final[type[Loader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it; the other is ten times slower."""
_Event = Any
"""What libyaml gives; its stubs leave out most of what the kinds of events carry."""
_STRING_TAG: Final = "tag:yaml.org,2002:str"
_NULLS: Final = frozenset({"null", "~", ""})


def compose(
    file: str,
    text: str,
    readings: Mapping[str, Callable[[str], Scalar]],
    *,
    loader: type[Loader] = LOADER,
) -> Document:
    """Read *text*, the content of *file*; raise `Unreadable` where it is no YAML.

    *readings* names the keys whose plain values are not text, and how to read them.
    """
    composer = _Composer(file, readings)
    try:
        root = composer.document(loader(text))
    except yaml.MarkedYAMLError as error:
        raise Unreadable(*composer.diagnostics, malformed(file, text, error)) from error
    except yaml.reader.ReaderError as error:
        summary = f"the file holds U+{error.character:04X}, which YAML does not allow"
        problem = Diagnostic(summary, "remove the character", Position(file))
        raise Unreadable(*composer.diagnostics, problem) from error
    return Document(file, root, tuple(composer.diagnostics))


class _Composer:
    """One pass over the events of one file."""

    def __init__(self, file: str, readings: Mapping[str, Callable[[str], Scalar]]) -> None:
        self.file = file
        self.readings = readings
        self.diagnostics: list[Diagnostic] = []
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.open_anchors: set[str] = set()
        self.known_keys: dict[str, str] = {}
        self.depth = 0
        self.size = 0

    def document(self, events: Loader) -> Value:
        """Compose the only document of the stream."""
        self.next: Callable[[], _Event] = events.get_event
        self.next()
        start = self.next()
        if isinstance(start, StreamEndEvent):
            raise self.fatal("the file is empty", "remove it, or declare a cohort", start)
        root = self.value(self.next(), "")
        self.next()
        more = self.next()
        if not isinstance(more, StreamEndEvent):
            raise self.fatal("the file holds several documents", "use one file for each", more)
        return root

    def value(self, event: _Event, key: str) -> Value:
        """Compose what starts with *event*; *key* is what it stands under."""
        self.grow(1, event)
        if type(event) is ScalarEvent:
            return self.scalar(event, key)
        if isinstance(event, AliasEvent):
            return self.alias(event)
        return self.container(event, key)

    def scalar(self, event: _Event, key: str) -> Scalar:
        """Compose text, or what *key* asks for where it is plain."""
        text: str = event.value
        value: Scalar = text
        if event.tag is not None and event.tag != _STRING_TAG:
            self.tagged(event)
        elif not event.style and event.tag is None:
            if text in _NULLS:
                value = None
            elif key in self.readings:
                value = self.readings[key](text)
        if not (text.isascii() and text.isprintable()):
            self.hidden(event, text)
        if event.style == '"' and holds_private_key(text):
            self.report("text holds a private key", PRIVATE_KEY_HINT, event)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1)
        return value

    def container(self, event: _Event, key: str) -> Value:
        """Compose a mapping or a list, and remember it where it has an anchor."""
        if event.tag is not None:
            self.tagged(event)
        if self.depth == MAX_DEPTH:
            problem = f"the file nests deeper than {MAX_DEPTH} levels"
            raise self.fatal(problem, "a cohort file needs seven: check its brackets", event)
        self.depth += 1
        before, anchor = self.size, event.anchor
        if anchor is not None:
            self.open_anchors.add(anchor)
        composed = self.table() if isinstance(event, MappingStartEvent) else self.series(key)
        if anchor is not None:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (composed, self.size - before + 1)
        self.depth -= 1
        return composed

    def table(self) -> Table:
        """Compose a mapping; of a key that is given twice the first value counts."""
        table = Table()
        while not isinstance(event := self.next(), MappingEndEvent):
            key = self.key(event)
            start = self.next()
            value = self.value(start, key or "")
            if key is None:
                continue
            if key in table:
                self.duplicate(key, event, table.key_marks[key])
            else:
                table[key] = value
                table.key_marks[key] = event.start_mark
                table.marks[key] = start.start_mark
        return table

    def series(self, key: str) -> Series:
        """Compose a list."""
        series = Series()
        while not isinstance(event := self.next(), SequenceEndEvent):
            series.append(self.value(event, key))
            series.marks.append(event.start_mark)
        return series

    def key(self, event: _Event) -> str | None:
        """Compose a key; None, with a diagnostic, for one that is not text."""
        is_plain = type(event) is ScalarEvent and not event.style
        if is_plain and event.value in self.known_keys and event.tag is event.anchor is None:
            self.grow(1, event)  # people have the same few keys: each is looked at once
            return self.known_keys[event.value]
        if isinstance(event, ScalarEvent) and event.value == "<<" and not event.style:
            hint = "write the values out, or put what people share under 'defaults'"
            self.report("merge keys (<<) are not supported", hint, event)
            return None
        key = self.value(event, "")
        if isinstance(key, str) and not isinstance(event, AliasEvent):
            if is_plain and key.isprintable():
                self.known_keys[event.value] = key
            return key
        self.report("a key is not text", "put the key in quotes", event)
        return None

    def alias(self, event: _Event) -> Value:
        """Give what the alias stands for, within the bound on all of them."""
        name = event.anchor
        if name in self.open_anchors:
            problem = f"alias '*{shown(name)}' stands inside what it stands for"
            raise self.fatal(problem, "write the value out", event)
        if name not in self.anchors:
            hint = "put text that starts with * in quotes"
            raise self.fatal(f"alias '*{shown(name)}' stands for nothing", hint, event)
        value, size = self.anchors[name]
        self.grow(size - 1, event)
        return value

    def grow(self, size: int, event: _Event) -> None:
        """Count values, and refuse more than the bound before anything walks them."""
        self.size += size
        if self.size > MAX_VALUES:
            problem = f"the file holds more than {MAX_VALUES:,} values"
            raise self.fatal(problem, "an alias counts as all that it stands for", event)

    def tagged(self, event: _Event) -> None:
        """Refuse a tag: nothing here needs one."""
        hint = "remove the tag; text is text without one"
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.report(f"tag '{shown(tag)}' is not supported", hint, event)

    def hidden(self, event: _Event, text: str) -> None:
        """Refuse what an escape or a line break brings into text."""
        for character in dict.fromkeys(hidden for _, hidden in hidden_in(text)):
            hint = "write it on one line (>- folds lines into one)" if character == "\n" else None
            self.report(f"text holds {name_of(character)}", hint or "remove the character", event)

    def duplicate(self, key: str, event: _Event, first: Mark) -> None:
        """Refuse a key that is given twice, naming both places."""
        place = Position(self.file, first.line + 1, first.column + 1)
        summary = f"key '{shown(key)}' is given twice, first at {place}"
        self.report(summary, "keep one of them", event)

    def report(self, summary: str, hint: str, event: _Event) -> None:
        """Note a problem that leaves the rest of the file readable."""
        mark = event.start_mark
        position = Position(self.file, mark.line + 1, mark.column + 1)
        self.diagnostics.append(Diagnostic(summary, hint, position))
        if len(self.diagnostics) == MAX_DIAGNOSTICS:
            raise Unreadable(*self.diagnostics)

    def fatal(self, summary: str, hint: str, event: _Event) -> Unreadable:
        """Give the error for a problem that makes the rest of the file unreadable."""
        self.report(summary, hint, event)
        return Unreadable(*self.diagnostics)
