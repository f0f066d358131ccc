"""A seed file as it was written: plain values that know where they stand.

Plain scalars are text, as in cohort files, so that `usageLocation: NO` is Norway and
`employeeId: 007` keeps its zeros; only where the schema wants something else are they
that. What the schema leaves open is read as YAML 1.2 reads it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import yaml

import reconciler
from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import InputError, UsageError
from reconciler.sandbox.data.properties import EXTENSION_ATTRIBUTES, USER, Kind
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

Path: TypeAlias = tuple[str | int, ...]
Schema: TypeAlias = dict[str, Any]

_PACKAGE: Final = File(reconciler.__file__).parent
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))
_OWN: Final = frozenset(
    ("id", "userPrincipalName", "passwordProfile", "deletedDateTime", "identities")
)
_CONSTANTS: Final = {"true": True, "false": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_NUMBERS: Final = ("integer", "number")
_EMPTY: Final = frozenset(("", "null", "~"))


@dataclass(frozen=True, slots=True)
class Written:
    """The value at the root of a file, with the place of each value and key below it."""

    file: str
    root: Any
    marks: dict[Path, tuple[int, int]]
    keys: dict[Path, tuple[int, int]]

    def at(self, *path: str | int) -> Position:
        """Give the place of the value at *path*, or of the nearest above it."""
        known = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in self.marks)
        return self._position(self.marks[known])

    def at_key(self, *path: str | int) -> Position:
        """Give the place of the key at the end of *path*."""
        return self._position(self.keys[path])

    def _position(self, mark: tuple[int, int]) -> Position:
        return Position(self.file, mark[0] + 1, mark[1] + 1)


@cache
def schema(package: File = _PACKAGE) -> Schema:
    """Give the published schema, with Graph's properties of users where it lets in any.

    A wheel carries the schemas inside *package*; in a checkout they lie beside it.
    """
    name = "sandbox.schema.json"
    inside, beside = (folder / "schema" / name for folder in (package, package.parent))
    found = inside if inside.is_file() else beside
    published: Schema = json.loads(found.read_text(encoding="utf-8"))
    person = published["properties"]["people"]["items"]
    crowd = published["properties"]["generate"]["items"]["properties"]["properties"]
    for part in (person, crowd):
        part["properties"] = _user_properties() | part.get("properties", {})
        part["patternProperties"] = {"^extension_": {"type": ["string", "null"]}}
        part["additionalProperties"] = False
    return published


def _user_properties() -> dict[str, Schema]:
    text: Schema = {"type": ["string", "null"]}
    flag: Schema = {"type": "boolean"}
    texts: Schema = {"type": "array", "items": {"type": "string"}}
    by_kind = {Kind.TEXT: text, Kind.MOMENT: text, Kind.BOOLEAN: flag, Kind.TEXTS: texts}
    known = {
        prop.name: by_kind[prop.kind] | ({"maxLength": prop.longest} if prop.longest else {})
        for prop in USER.values()
        if prop.kind in by_kind and prop.name not in _OWN
    }
    attributes = {"type": "object", "additionalProperties": False}
    attributes["properties"] = dict.fromkeys(EXTENSION_ATTRIBUTES, text)
    return known | {"onPremisesExtensionAttributes": attributes}


def read(file: File) -> Written:
    """Read *file*; raises a `UsageError` when it cannot be, an `InputError` when it is no YAML."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{visible(str(file))} is not in UTF-8", "save it as UTF-8") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"cannot read {visible(str(file))}: {reason}", "--seed names the file of a company"
        ) from error
    try:
        node = yaml.compose(text, yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(str(file), mark.line + 1, mark.column + 1) if mark else None
        raise InputError(
            (Diagnostic(f"this is no YAML: {error.problem or error.context}", None, place),)
        ) from error
    except yaml.YAMLError as error:
        reason = str(error).partition("\n")[0]
        found = Diagnostic(f"this is no YAML: {reason}", None, Position(str(file)))
        raise InputError((found,)) from error
    return _Reader(str(file)).written(node)


@dataclass(slots=True)
class _Reader:
    file: str
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def written(self, node: yaml.Node | None) -> Written:
        """Give the whole file; raises an `InputError` with all that cannot be read."""
        self.marks[()] = (0, 0)
        root = self._value(node, schema(), (), ()) if node else None
        if self.problems:
            raise InputError(tuple(self.problems))
        return Written(self.file, root, self.marks, self.keys)

    def _value(self, node: yaml.Node, part: Schema, path: Path, above: tuple[int, ...]) -> Any:  # noqa: ANN401 -- any JSON
        mark = node.start_mark
        self.marks[path] = (mark.line, mark.column)
        if id(node) in above:
            return self._problem(node, "an anchor cannot hold itself")
        if node.tag not in _TAGS:
            return self._problem(node, f"the tag {visible(node.tag)} is not read")
        inner = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return {
                key: self._value(value, known, (*path, key), inner)
                for key, value, known in self._items(node, part, path)
            }
        if isinstance(node, yaml.SequenceNode):
            items = part.get("items", {})
            return [self._value(n, items, (*path, i), inner) for i, n in enumerate(node.value)]
        return _scalar(str(node.value), part, is_quoted=bool(cast("yaml.ScalarNode", node).style))

    def _items(
        self, node: yaml.MappingNode, part: Schema, path: Path
    ) -> Iterator[tuple[str, yaml.Node, Schema]]:
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a key must be text")
                continue
            name = str(key.value)
            if name in seen:
                self._problem(key, f"the key '{visible(name)}' stands here a second time")
                continue
            seen.add(name)
            self.keys[(*path, name)] = (key.start_mark.line, key.start_mark.column)
            known = part.get("properties", {}).get(name, part.get("additionalProperties"))
            yield name, value, known if isinstance(known, dict) else {}

    def _problem(self, node: yaml.Node, summary: str) -> None:
        mark = node.start_mark
        place = Position(self.file, mark.line + 1, mark.column + 1)
        self.problems.append(Diagnostic(summary, None, place))


def _scalar(text: str, part: Schema, *, is_quoted: bool) -> str | bool | float | None:
    """Give what a scalar means; a block is as good as quotes."""
    if is_quoted:
        return text
    if text in _EMPTY:
        return None
    wanted = part.get("type")
    if wanted in _NUMBERS:
        return _number(text, whole=wanted == "integer")
    if wanted == "boolean":
        return _CONSTANTS.get(text, text)
    return text if part else _open(text)


def _open(text: str) -> str | bool | float:
    """Give what the schema says nothing about as YAML 1.2 reads it."""
    return _CONSTANTS[text] if text in _CONSTANTS else _number(text, whole=False)


def _number(text: str, *, whole: bool) -> str | float:
    """Give the number that *text* is; text that is none stays what it is."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if not whole and _NUMBER.fullmatch(text) else text
