"""What lies in a body: names in any capitals, each value of the type that Graph wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


def lowered(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give what *body* holds by lower-case name."""
    return {name.lower(): value for name, value in body.items()}


def text(given: Mapping[str, Any], name: str) -> str | None:
    """Give a text, or None when it is null or missing; raises Graph's refusal of other types."""
    value = given.get(name.lower())
    if value is None or isinstance(value, str):
        return value
    _refuse_node(name, value, "PrimitiveValue")
    raise errors.WRONG_TYPE.error(kind="String")


def required(given: Mapping[str, Any], name: str, resource: str) -> str:
    """Give a text; raises Graph's refusal of one that is missing from a *resource*."""
    value = text(given, name)
    if not value:
        raise errors.MISSING_VALUE.error(property=name, resource=resource)
    return value


def flag(given: Mapping[str, Any], name: str) -> bool | None:
    """Give a boolean, or None when it is null or missing; raises as `text` does."""
    value = given.get(name.lower())
    if value is None or isinstance(value, bool):
        return value
    _refuse_node(name, value, "PrimitiveValue")
    raise errors.WRONG_TYPE.error(kind="Boolean")


def number(given: Mapping[str, Any], name: str) -> int | None:
    """Give a whole number, or None when it is null or missing; raises as `text` does."""
    value = given.get(name.lower())
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    _refuse_node(name, value, "PrimitiveValue")
    raise errors.WRONG_TYPE.error(kind="Int32")


def part(given: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Give an object by lower-case name, or None when it is null or missing."""
    value = given.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, dict):
        found = "StartArray" if isinstance(value, list) else "PrimitiveValue"
        raise errors.WRONG_NODE.error(found=found, property=name, expected="StartObject")
    return lowered(value)


def _refuse_node(name: str, value: object, expected: str) -> None:
    if isinstance(value, dict | list):
        found = "StartObject" if isinstance(value, dict) else "StartArray"
        raise errors.WRONG_NODE.error(found=found, property=name, expected=expected)
