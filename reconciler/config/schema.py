"""The published schemas: found in a checkout or in a wheel, and made fast to use."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import reconciler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.config.documents import Scalar

Schema = dict[str, Any]
_MAX_DIGITS: Final = 18
_PACKAGE: Final = Path(reconciler.__file__).parent


def schema_text(name: str, package: Path = _PACKAGE) -> str:
    """Give the published schema called *name*: cohort, tenant, plan or receipt.

    A wheel carries the schemas inside *package*; in a checkout they lie beside it.
    """
    inside, beside = (
        folder / "schema" / f"{name}.schema.json" for folder in (package, package.parent)
    )
    return (inside if inside.is_file() else beside).read_text(encoding="utf-8")


@cache
def schema(name: str) -> Schema:
    """Give the schema called *name* with each reference replaced by what it means.

    Following a reference costs a validator more than the check it leads to.
    """
    published: Schema = json.loads(schema_text(name))
    definitions = published.get("$defs", {})
    inlined: Schema = _inlined(published, definitions)
    return inlined


@cache
def readings(name: str) -> Mapping[str, Callable[[str], Scalar]]:
    """Give the keys whose plain values the schema wants as something else than text."""
    by_type = {"boolean": _boolean, "integer": _integer}
    return {
        key: by_type[part["type"]]
        for key, part in _properties(schema(name))
        if part.get("type") in ("boolean", "integer")
    }


def _inlined(part: Any, definitions: Schema) -> Any:  # noqa: ANN401 -- JSON is anything
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in part.items() if key != "$defs"}


def _properties(part: Schema) -> Iterator[tuple[str, Schema]]:
    for key, value in part.get("properties", {}).items():
        yield key, value
        yield from _properties(value)
    if "items" in part:
        yield from _properties(part["items"])


def _boolean(text: str) -> Scalar:
    return {"true": True, "false": False}.get(text, text)


def _integer(text: str) -> Scalar:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else text
