"""What a broken rule of the schema means, in words for whoever wrote the seed file.

No value is quoted that could be a secret: only choices, and text that has a pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from jsonschema import Draft202012Validator

from reconciler.diagnostics import Diagnostic
from reconciler.sandbox.company.written import Written, schema
from reconciler.text import did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

    from reconciler.sandbox.company.written import Schema

_NOUNS: Final = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "empty",
}
_LIMITS: Final = {
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "minItems": "must have at least {limit} items",
    "maxItems": "must have at most {limit} items",
    "minProperties": "must have at least {limit} keys",
    "const": "must be {limit}",
}


def problems(written: Written) -> Iterator[Diagnostic]:
    """Give each breach of the schema, at its place."""
    for error in Draft202012Validator(schema()).iter_errors(written.root):
        path = tuple(error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from _unknown(written, error, path)
            case "required":
                missing = [key for key in error.validator_value if key not in error.instance]
                place = f" in {_name(path)}" if path else ""
                for key in missing:
                    yield Diagnostic(f"'{key}' is missing{place}", None, written.at(*path))
            case _:
                yield Diagnostic(f"{_name(path)} {_words(error)}", _hint(error), written.at(*path))


def _name(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the file"
    last = path[-1]
    return visible(last) if isinstance(last, str) else f"item {last + 1} of {path[-2]}"


def _unknown(
    written: Written, error: ValidationError, path: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    known = cast("Schema", error.schema)["properties"]
    for key in cast("Schema", error.instance):
        if key not in known and not key.startswith("extension_"):
            hint = did_you_mean(key, known) or f"known here: {listing(sorted(known), limit=12)}"
            place = written.at_key(*path, key)
            yield Diagnostic(f"unknown key '{visible(key)}'", hint, place)


def _words(error: ValidationError) -> str:
    rule: Any = error.validator_value
    if error.validator == "type":
        kinds = [rule] if isinstance(rule, str) else [kind for kind in rule if kind != "null"]
        nouns = " or ".join(_NOUNS[kind] for kind in kinds)
        return f"must be {nouns}, not {_noun(error.instance)}"
    if error.validator == "enum":
        return f"is not one of {listing(rule)}"
    if error.validator == "pattern":
        message = cast("Schema", error.schema)["patternErrorMessage"]
        return f"'{visible(str(error.instance))}' {message}"
    return _LIMITS[str(error.validator)].format(limit=rule)


def _noun(value: object) -> str:
    kinds = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "empty" if value is None else kinds.get(type(value), "a mapping of keys to values")


def _hint(error: ValidationError) -> str | None:
    if error.validator == "enum" and isinstance(error.instance, str):
        return did_you_mean(error.instance, cast("list[str]", error.validator_value))
    return None
