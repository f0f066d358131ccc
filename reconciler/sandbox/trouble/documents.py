"""YAML files of the sandbox: read with places, held against a published schema.

Nothing is guessed from spelling but whole numbers, decimal ones, `true`, `false` and null.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import yaml
from yaml.nodes import ScalarNode, SequenceNode

import reconciler
from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import InputError, UsageError
from reconciler.text import did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError
    from yaml.nodes import Node

Where = tuple[str | int, ...]
"""A place in a document: keys and, in lists, numbers from 0."""

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PACKAGE: Final = Path(reconciler.__file__).parent
_DEEPEST: Final = 32
_MOST: Final = 100_000
"""Values in a file, an alias counted as all that it stands for."""
_PLAIN: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_WHOLE: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,17}\.\d{1,17}", re.ASCII)
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


class _TooMuchError(Exception):
    """More values than anybody writes."""


@dataclass(slots=True)
class Document:
    """A file's content, and where each of its parts stands."""

    file: str
    root: Any = None
    places: dict[Where, Position] = field(default_factory=dict)
    """Of values."""
    keys: dict[Where, Position] = field(default_factory=dict)
    """Of the keys that they stand under."""
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def report(self, summary: str, hint: str | None, place: Position) -> None:
        """Note a problem."""
        self.diagnostics.append(Diagnostic(summary, hint, place))


def load(path: Path, schema: str) -> Document:
    """Read *path* and hold it against the published *schema*.

    Raises a `UsageError` when it cannot be read, and an `InputError` with everything that is
    wrong in it.
    """
    document = _composed(str(path), _text(path))
    if not document.diagnostics:
        _validate(document, _schema(schema))
    if document.diagnostics:
        raise InputError(tuple(document.diagnostics))
    return document


def _schema(name: str) -> dict[str, Any]:
    """Give the schema: a wheel carries it inside the package, a checkout beside it."""
    folders = (_PACKAGE / "schema", _PACKAGE.parent / "schema")
    paths = (folder / f"{name}.schema.json" for folder in folders)
    found = next(path for path in paths if path.is_file())
    return dict(json.loads(found.read_text(encoding="utf-8")))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"cannot read '{path}': {reason}", "name another file") from error
    except UnicodeDecodeError as error:
        problem = Diagnostic("the file is not UTF-8", "save it as UTF-8", Position(str(path)))
        raise InputError((problem,)) from error


def _composed(file: str, text: str) -> Document:
    """Read *text* without knowing what it should hold."""
    document = Document(file)
    hint = "see docs/sandbox.md for an example"
    try:
        node = _LOADER(text).get_single_node()
        if node is None:
            document.report("the file is empty", hint, Position(file))
        else:
            document.root = _Walk(document).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(file, mark) if mark else Position(file)
        document.report(f"this is no YAML: {error.problem or error.context}", hint, place)
    except yaml.reader.ReaderError as error:
        summary = f"the file holds U+{error.character:04X}, which YAML does not allow"
        document.report(summary, "remove the character", Position(file))
    except _TooMuchError:
        summary, told = f"the file holds more than {_MOST:,} values", "an alias counts as all of it"
        document.report(summary, told, Position(file))
    except RecursionError:
        summary = f"the file nests deeper than {_DEEPEST} levels"
        document.report(summary, "check its brackets", Position(file))
    return document


def _place(file: str, mark: Any) -> Position:  # noqa: ANN401 -- libyaml's, which its stubs leave out
    return Position(file, mark.line + 1, mark.column + 1)


class _Walk:
    """From nodes to plain values."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.size = 0

    def value(self, node: Node, where: Where) -> Any:  # noqa: ANN401 -- any JSON
        """Give the value of *node*, which stands at *where*."""
        place = self.document.places[where] = _place(self.document.file, node.start_mark)
        self.size += 1
        # An alias may stand inside what it stands for, or for very much.
        if len(where) > _DEEPEST:
            raise RecursionError
        if self.size > _MOST:
            raise _TooMuchError
        if node.tag not in _PLAIN:
            self.document.report(f"tag '{visible(node.tag)}' is not supported", "remove it", place)
        if isinstance(node, ScalarNode):
            return node.value if node.style else _plain(node.value)
        if isinstance(node, SequenceNode):
            return [self.value(each, (*where, number)) for number, each in enumerate(node.value)]
        return self.mapping(node, where)

    def mapping(self, node: Any, where: Where) -> dict[str, Any]:  # noqa: ANN401 -- a MappingNode
        """Give the mapping of *node*; of a key that is given twice the first counts."""
        values: dict[str, Any] = {}
        for name, inner in node.value:
            place = _place(self.document.file, name.start_mark)
            if not isinstance(name, ScalarNode):
                self.document.report("a key is not text", "put the key in quotes", place)
            elif name.value in values:
                summary = f"key '{visible(name.value)}' is given twice"
                self.document.report(summary, "keep one of them", place)
            else:
                key = (*where, name.value)
                self.document.keys[key] = place
                values[name.value] = self.value(inner, key)
        return values


def _plain(text: str) -> str | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _validate(document: Document, schema: dict[str, Any]) -> None:
    # It takes 60 ms to import, and only those who name such a file need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415 -- see above

    for error in Draft202012Validator(schema).iter_errors(document.root):
        document.diagnostics += _told(document, error)


def _told(document: Document, error: ValidationError) -> Iterator[Diagnostic]:
    """Say what is wrong, in the words of the part of the schema that it is about."""
    where: Where = tuple(error.absolute_path)
    part: Any = error.schema
    known, given = part.get("properties", {}), cast("dict[str, Any]", error.instance)
    if error.validator == "additionalProperties":
        for key in [key for key in given if key not in known]:
            hint = did_you_mean(key, known) or f"known here: {listing(known, limit=40)}"
            place = document.keys[*where, key]
            yield Diagnostic(f"unknown key '{visible(key)}'", hint, place)
    elif error.validator == "required":
        for key in [key for key in part["required"] if key not in given]:
            yield Diagnostic(f"'{key}' is missing", _example(where, part), document.places[where])
    else:
        summary = f"{_name(where)} {part['errorMessage']}"
        yield Diagnostic(summary, _example(where, part), document.places[where])


def _name(where: Where) -> str:
    match where:
        case ():
            return "the file"
        case (*_, str(key), int(number)):
            return f"item {number + 1} of {key}"
        case _:
            return str(where[-1])


def _example(where: Where, part: dict[str, Any]) -> str:
    written = json.dumps(part["examples"][0], ensure_ascii=False)
    key = where[-1] if where and isinstance(where[-1], str) else None
    return f"for example, {key}: {written}" if key else f"for example, {written}"
