"""Documents against their schema: every violation as a diagnostic with its place.

jsonschema finds what is wrong, `wording` says it. Nine in ten values of a cohort file
are short texts with a pattern and a length; those are accepted here without the
ceremony that jsonschema makes of each value, which takes a second per ten thousand
people. Whatever is not accepted at once is judged by jsonschema alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from reconciler.config.schema import schema
from reconciler.config.scrutiny import shown
from reconciler.config.wording import Breach, missing_key, unknown_key, words
from reconciler.diagnostics import Diagnostic
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from reconciler.config.documents import Document, Table
    from reconciler.config.schema import Schema

_TEXT_RULES = frozenset({"type", "pattern", "maxLength"})
_NAMES = frozenset({"displayName", "givenName", "surname"})
"""Without these among the defaults people would seem to have no name."""
_ANNOTATIONS = frozenset({"description", "examples", "patternErrorMessage"})


@dataclass(frozen=True, slots=True)
class Violation:
    """A diagnostic, with what its place means for reading the rest."""

    path: tuple[str | int, ...]
    diagnostic: Diagnostic
    is_harmless: bool = False
    """Whether the rest can be read all the same: the key is merely unknown."""

    @property
    def user(self) -> int | None:
        """Whose entry it is in, by index; None for what is in nobody's."""
        match self.path:
            case ("users", int(index), *_):
                return index
            case _:
                return None

    @property
    def part(self) -> tuple[str, int | str] | None:
        """What can be left out so that the rest of the file is judged all the same."""
        match self.path:
            case (("licenses" | "groups" | "roles") as key, int(index), *_):
                return key, index
            case ("defaults", str(name), *_) if name not in _NAMES:
                return "defaults", name
            case _:
                return None


def violations(document: Document, schema_name: str) -> Iterator[Violation]:
    """Give each violation of the schema, at the value or the key that it is about.

    A value that breaks several rules is told once.
    """
    told: set[tuple[tuple[str | int, ...], bool]] = set()
    for error in validator(schema_name).iter_errors(document.root):
        breach = _breach(error)
        place = breach.path, breach.rule == "additionalProperties"
        if place not in told:
            told.add(place)
            yield from _violations(document, breach)


@cache
def validator(schema_name: str) -> Validator:
    """Give the validator for the schema called *schema_name*."""
    # It takes 60 ms to import, and only those who read files need it.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 -- see above

    judged = schema(schema_name)
    accepts = dict(_acceptances(judged))

    def properties(
        validator: Draft202012Validator, parts: dict[str, Schema], instance: object, _: Schema
    ) -> Iterator[ValidationError]:
        for key, value in instance.items() if isinstance(instance, dict) else ():
            part = parts.get(key)
            accept = accepts.get(id(part))
            if part is None or (accept and type(value) is str and accept(value)):
                continue
            yield from validator.descend(value, part, path=key, schema_path=key)

    extend = cast("Callable[..., Callable[[Schema], Validator]]", validators.extend)
    return extend(Draft202012Validator, {"properties": properties})(judged)


def misfit(document: Any, schema_name: str) -> str | None:  # noqa: ANN401 -- JSON
    """Say where *document*, of JSON, is not as its schema wants it; None where it is.

    No value of the document is repeated: what it holds may be anything.
    """
    error = next(validator(schema_name).iter_errors(document), None)
    if error is None:
        return None
    breach = _breach(error)
    where = visible("/".join(map(str, breach.path))) or "the whole"
    match breach.rule:
        case "required":
            missing = next(key for key in breach.wanted if key not in breach.value)
            return f"{where} has no '{missing}'"
        case "additionalProperties":
            stray = next(key for key in breach.value if key not in breach.part["properties"])
            return f"{where} has the unknown key '{shown(stray)}'"
        case "type":
            kinds = breach.wanted if isinstance(breach.wanted, list) else [breach.wanted]
            return f"{where} is no {' and no '.join(kinds)}"
        case _:
            return f"{where} does not fit the rule `{breach.rule}` of {schema_name}.schema.json"


def _breach(error: ValidationError) -> Breach:
    return Breach(
        path=tuple(error.absolute_path),
        rule=cast("str", error.validator),
        wanted=error.validator_value,
        value=error.instance,
        part=cast("Schema", error.schema),
    )


def _violations(document: Document, breach: Breach) -> Iterator[Violation]:
    position = document.at(breach.path)
    if breach.rule == "additionalProperties":
        table = cast("Table", breach.value)
        for key in (key for key in table if key not in breach.part["properties"]):
            at_key = document.position(table.key_marks[key])
            diagnostic = Diagnostic(*unknown_key(key, breach), at_key)
            yield Violation(breach.path, diagnostic, is_harmless=True)
    elif breach.rule == "required":
        for key in breach.wanted:
            if key not in breach.value:
                yield Violation(breach.path, Diagnostic(*missing_key(key, breach), position))
    else:
        yield Violation(breach.path, Diagnostic(*words(breach), position))


def _acceptances(part: Schema) -> Iterator[tuple[int, Callable[[str], bool]]]:
    """Give, for each part of a schema that only limits text, what accepts at once."""
    parts: list[Any] = [*part.get("properties", {}).values(), part.get("items", {})]
    for inner in parts:
        if "string" in inner.get("type", ()) and inner.keys() <= _TEXT_RULES | _ANNOTATIONS:
            yield id(inner), _acceptance(inner)
        yield from _acceptances(inner) if inner else ()


def _acceptance(part: Schema) -> Callable[[str], bool]:
    matches = re.compile(part.get("pattern", "")).search
    limit = part.get("maxLength", 1 << 30)
    return lambda text: len(text) <= limit and matches(text) is not None
