"""What a broken rule of a schema means, in words for whoever wrote the file.

A part of a schema may say so itself, in `errorMessage` and, for a pattern,
`patternErrorMessage`. No value is quoted that could be a secret: only choices, and the start of
text that has a pattern with words of its own, in fields that are for no secret.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.diagnostics import Diagnostic
from reconciler.text import did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

    from reconciler.sandbox.documents import Document, Schema, Where

_NOUNS: Final = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping of keys to values",
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
_KEYS_LISTED: Final = 20
_LONGEST_QUOTED: Final = 40
_SECRET: Final = frozenset(("secret", "password", "clientId", "certificate", "jwks"))
"""Fields that hold a secret, or into which one is put by a slip."""


def problems(document: Document, schema: Schema) -> Iterator[Diagnostic]:
    """Give each breach of *schema*, at its place."""
    # It takes 60 ms to import, and only those who name such a file need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415 -- see above

    for error in Draft202012Validator(schema).iter_errors(document.root):
        where = tuple(error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from _unknown(document, error, where)
            case "required":
                missing = [key for key in error.validator_value if key not in error.instance]
                place = f" in {_name(where)}" if where else ""
                for key in missing:
                    summary = f"'{key}' is missing{place}"
                    yield Diagnostic(summary, _example(error, where), document.at(*where))
            case _:
                summary = f"{_name(where)} {_words(error)}"
                yield Diagnostic(summary, _hint(error, where), document.at(*where))


def _name(where: Where) -> str:
    if not where:
        return "the file"
    last = where[-1]
    return visible(last) if isinstance(last, str) else f"item {last + 1} of {where[-2]}"


def _unknown(document: Document, error: ValidationError, where: Where) -> Iterator[Diagnostic]:
    part = cast("Schema", error.schema)
    known, patterns = part["properties"], part.get("patternProperties", ())
    for key in cast("Schema", error.instance):
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            hint = did_you_mean(key, known) or (
                f"known here: {listing(sorted(known), limit=_KEYS_LISTED)}"
            )
            place = document.at_key(*where, key)
            yield Diagnostic(f"unknown key '{visible(key)}'", hint, place)


def _words(error: ValidationError) -> str:
    rule: Any = error.validator_value
    part = cast("Schema", error.schema)
    if "errorMessage" in part:
        return str(part["errorMessage"])
    if error.validator == "type":
        kinds = [rule] if isinstance(rule, str) else [kind for kind in rule if kind != "null"]
        nouns = " or ".join(_NOUNS[kind] for kind in kinds)
        return f"must be {nouns}, not {_noun(error.instance)}"
    if error.validator == "enum":
        return f"is not one of {listing(rule)}"
    if error.validator == "pattern":
        return f"{_quoted(error)}{part['patternErrorMessage']}"
    return _LIMITS[str(error.validator)].format(limit=rule)


def _quoted(error: ValidationError) -> str:
    """Give the text that broke a pattern, and nothing of what could be a secret."""
    if not _SECRET.isdisjoint(error.absolute_path):
        return ""
    text = str(error.instance)
    shown = text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…"
    return f"'{visible(shown)}' "


def _noun(value: object) -> str:
    kinds = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "empty" if value is None else kinds.get(type(value), "a mapping of keys to values")


def _hint(error: ValidationError, where: Where) -> str | None:
    near = None
    if error.validator == "enum" and isinstance(error.instance, str):
        near = did_you_mean(error.instance, cast("list[str]", error.validator_value))
    return near or _example(error, where)


def _example(error: ValidationError, where: Where) -> str | None:
    """Give the first example of the part of the schema that was broken, if it has any."""
    for example in cast("Schema", error.schema).get("examples", ())[:1]:
        written = json.dumps(example, ensure_ascii=False)
        key = where[-1] if where and isinstance(where[-1], str) else None
        return f"for example, {key}: {written}" if key else f"for example, {written}"
    return None
