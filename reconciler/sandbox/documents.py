"""The sandbox's YAML files: plain values that know where they stand, and their schemas.

What a plain scalar means is up to the kind of file; `plain` reads it as YAML 1.2 does, which
guesses nothing from spelling but numbers, `true`, `false` and null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from yaml.nodes import ScalarNode, SequenceNode

import reconciler
from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import InputError, UsageError
from reconciler.text import visible

if TYPE_CHECKING:
    from yaml.nodes import Node

Where: TypeAlias = tuple[str | int, ...]
"""A place in a document: keys and, in lists, numbers from 0."""
Schema: TypeAlias = dict[str, Any]
Meaning: TypeAlias = Callable[[str, Where], Any]
"""Gives what a scalar without quotes means at a place."""

PACKAGE: Final = Path(reconciler.__file__).parent
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST: Final = 32
_MOST: Final = 100_000
"""Values that all aliases of a file may stand for."""
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, and where each value in it and each key stands."""

    file: str
    root: Any
    places: dict[Where, Position]
    keys: dict[Where, Position]

    def at(self, *where: str | int) -> Position:
        """Give the place of the value at *where*, or of the nearest above it."""
        known = (where[:length] for length in range(len(where), -1, -1))
        return next(self.places[each] for each in known if each in self.places)

    def at_key(self, *where: str | int) -> Position:
        """Give the place of the key at the end of *where*."""
        return self.keys[where]


def schema(name: str, package: Path = PACKAGE) -> Schema:
    """Give the published schema: a wheel carries it inside *package*, a checkout beside it."""
    inside, beside = (
        folder / "schema" / f"{name}.schema.json" for folder in (package, package.parent)
    )
    found = inside if inside.is_file() else beside
    return dict(json.loads(found.read_text(encoding="utf-8")))


def plain(text: str, _: Where = ()) -> str | float | bool | None:
    """Give what a scalar means in YAML 1.2."""
    return _WORDS[text] if text in _WORDS else number(text)


def number(text: str, *, whole: bool = False) -> str | float:
    """Give the number that *text* is; text that is none stays what it is."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if not whole and _NUMBER.fullmatch(text) else text


def read(path: Path, meaning: Meaning = plain) -> Document:
    """Read *path*, whatever it should hold.

    Raises a `UsageError` when it cannot be read, and an `InputError` with everything that makes
    it no plain YAML.
    """
    file, text = str(path), _text(path)
    try:
        node = _LOADER(text).get_single_node()
        if node is not None:
            return _Walk(file, meaning).document(node)
        problem = Diagnostic("the file is empty", _EXAMPLE, Position(file))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(file, mark) if mark else Position(file)
        reason = error.problem or error.context
        problem = Diagnostic(f"this is no YAML: {reason}", _EXAMPLE, place)
    except yaml.reader.ReaderError as error:
        summary = f"the file holds U+{error.character:04X}, which YAML does not allow"
        problem = Diagnostic(summary, "remove the character", Position(file))
    except RecursionError:
        summary = f"the file nests deeper than {_DEEPEST} levels"
        problem = Diagnostic(summary, "check its brackets", Position(file))
    raise InputError((problem,))


_EXAMPLE: Final = "see docs/sandbox.md for an example"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        shown = visible(str(path))
        raise UsageError(f"cannot read '{shown}': {reason}", "name another file") from error
    except UnicodeDecodeError as error:
        problem = Diagnostic("the file is not UTF-8", "save it as UTF-8", Position(str(path)))
        raise InputError((problem,)) from error


def _place(file: str, mark: Any) -> Position:  # noqa: ANN401 -- libyaml's, which its stubs leave out
    return Position(file, mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Walk:
    """From nodes to plain values."""

    file: str
    meaning: Meaning
    places: dict[Where, Position] = field(default_factory=dict)
    keys: dict[Where, Position] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    above: list[Node] = field(default_factory=list)
    seen: set[Node] = field(default_factory=set)
    repeated: int = 0

    def document(self, node: Node) -> Document:
        """Give the whole file; raises an `InputError` with all that cannot be read."""
        root = self.value(node, ())
        if self.problems:
            raise InputError(tuple(self.problems))
        return Document(self.file, root, self.places, self.keys)

    def value(self, node: Node, where: Where) -> Any:  # noqa: ANN401 -- any JSON
        """Give the value of *node*, which stands at *where*."""
        self.places[where] = _place(self.file, node.start_mark)
        if node in self.above:
            return self.problem(node, "an anchor cannot hold itself", "write out what it means")
        if len(where) > _DEEPEST:
            raise RecursionError
        self.count(node)
        if node.tag not in _TAGS:
            self.problem(node, f"tag '{visible(node.tag)}' is not supported", "remove it")
        if isinstance(node, ScalarNode):
            # A block is as good as quotes.
            return node.value if node.style else self.meaning(node.value, where)
        self.above.append(node)
        inner = self.sequence if isinstance(node, SequenceNode) else self.mapping
        value = inner(node, where)
        self.above.pop()
        return value

    def count(self, node: Node) -> None:
        """Raise when aliases stand for more than anybody means."""
        self.repeated += node in self.seen
        self.seen.add(node)
        if self.repeated > _MOST:
            self.problem(node, f"aliases stand for more than {_MOST:,} values", "use fewer of them")
            raise InputError(tuple(self.problems))

    def sequence(self, node: Any, where: Where) -> list[Any]:  # noqa: ANN401 -- a SequenceNode
        """Give the list of *node*."""
        return [self.value(each, (*where, index)) for index, each in enumerate(node.value)]

    def mapping(self, node: Any, where: Where) -> dict[str, Any]:  # noqa: ANN401 -- a MappingNode
        """Give the mapping of *node*; of a key that is given twice the first counts."""
        values: dict[str, Any] = {}
        for name, inner in node.value:
            if not isinstance(name, ScalarNode):
                self.problem(name, "a key is not text", "put the key in quotes")
            elif name.value in values:
                summary = f"key '{visible(name.value)}' is given twice"
                self.problem(name, summary, "keep one of them")
            else:
                key = (*where, name.value)
                self.keys[key] = _place(self.file, name.start_mark)
                values[name.value] = self.value(inner, key)
        return values

    def problem(self, node: Node, summary: str, hint: str) -> None:
        """Note what is wrong at *node*."""
        place = _place(self.file, node.start_mark)
        self.problems.append(Diagnostic(summary, hint, place))
