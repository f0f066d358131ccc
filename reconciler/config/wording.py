"""What a broken rule of a schema means, in the words of the people who write the files.

No value of `credentials` is ever quoted, and nothing that looks like a private key.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.countries import country_hint
from reconciler.config.scrutiny import shown
from reconciler.config.suggestions import SUGGESTIONS, shape_hint
from reconciler.config.upn import wrong_upn
from reconciler.text import did_you_mean, listing, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

Words = tuple[str, str | None]
"""A summary and a hint."""

_NOUNS: Final = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping of keys to values",
}
_CHARACTERS: Final = {
    "mailNickname": re.compile(r"[!#-'*+./0-9=?A-Z^-~-]"),
    "source": re.compile(r"[A-Za-z0-9._-]"),
}
"""What may be in it at all, to name the first character that may not."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A value, and the rule of the schema that it breaks."""

    path: tuple[str | int, ...]
    rule: str
    """The keyword of JSON Schema."""
    wanted: Any
    """What the keyword says."""
    value: Any
    part: dict[str, Any]
    """The part of the schema that the keyword is in."""

    @property
    def name(self) -> str:
        """Name what stands at the path: by its key, or as one of a list."""
        if not self.path:
            return "the file"
        last = self.path[-1]
        return last if isinstance(last, str) else f"item {last + 1} of {self.path[-2]}"

    @property
    def key(self) -> str:
        """Give the key that the value, or the list that it is in, stands under."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")

    @property
    def is_nullable(self) -> bool:
        """Whether null would clear the value."""
        return "null" in self.part.get("type", ())


def words(breach: Breach) -> Words:
    """Say what is wrong and what to do, for a rule about a value."""
    if breach.rule in {"pattern", "maxLength"}:
        if not breach.value.strip():
            return _empty(breach)
        if breach.name in _OWN_WORDS:
            return _OWN_WORDS[breach.name](breach.value)
    return _WORDS[breach.rule](breach)


def unknown_key(key: str, breach: Breach) -> Words:
    """Say that nobody reads *key*, and which one was meant."""
    known = breach.part["properties"]
    hint = did_you_mean(key, known) or f"known here: {listing(known, limit=40)}"
    return f"unknown key '{shown(key)}'", hint


def missing_key(key: str, breach: Breach) -> Words:
    """Say that *key* is missing, with an example of it."""
    part = breach.part["properties"][key]
    example = part["const"] if "const" in part else part["examples"][0]
    written = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    place = f" in {breach.name}" if breach.path else ""
    return f"'{key}' is missing{place}", f"for example, {key}: {written}"


def _wrong_type(breach: Breach) -> Words:
    wanted = breach.wanted if isinstance(breach.wanted, list) else [breach.wanted]
    if breach.value is None:
        return f"{breach.name} cannot be null", _null_hint(wanted)
    kinds = [noun for kind, noun in _NOUNS.items() if kind in wanted]
    summary = f"{breach.name} must be {' or '.join(kinds)}, not {_kind(breach.value)}"
    return summary, shape_hint(breach.path, breach.part, breach.value) or _type_hint(breach, wanted)


def _null_hint(wanted: list[str]) -> str:
    if "array" in wanted:
        return "write [] for an empty list"
    if "string" in wanted:
        return "leave it out, or put it in quotes if it is a name"
    return "leave it out, or give it a value"


def _type_hint(breach: Breach, wanted: list[str]) -> str | None:
    if "maximum" in breach.part:
        return _range_hint(breach)
    hints = {
        "boolean": "write true or false, without quotes",
        "integer": "write decimal digits, without quotes",
        "string": "put text that starts with a bracket or a hyphen in quotes",
    }
    return next((hint for kind, hint in hints.items() if kind in wanted), None)


def _kind(value: object) -> str:
    match value:
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping of keys to values"


def _not_constant(breach: Breach) -> Words:
    summary = f"{breach.name} must be {breach.wanted}, not {shown(str(breach.value))}"
    return summary, f"write {breach.name}: {breach.wanted}"


def _not_a_choice(breach: Breach) -> Words:
    choices = [choice for choice in breach.wanted if choice is not None]
    hint = f"write {', '.join(choices[:-1])} or {choices[-1]}"
    if not isinstance(breach.value, str):
        return f"{breach.name} must be one of {listing(choices)}", hint
    summary = f"{breach.name} '{shown(breach.value)}' is not one of {listing(choices)}"
    return summary, did_you_mean(breach.value, choices) or hint


def _too_long(breach: Breach) -> Words:
    length, limit = len(breach.value), breach.wanted
    summary = f"{breach.name} has {length:,} characters; {limit} are allowed"
    return summary, f"shorten it by {length - limit:,}"


def _too_many(breach: Breach) -> Words:
    summary = f"{breach.name} has {len(breach.value):,} items; {breach.wanted} are allowed"
    return summary, f"remove {len(breach.value) - breach.wanted:,}"


def _too_few(breach: Breach) -> Words:
    return f"{breach.name} is empty", "name at least one"


def _empty(breach: Breach) -> Words:
    hint = "write null to clear it" if breach.is_nullable else "give it a value"
    return f"{breach.name} is empty", hint


def _too_high(breach: Breach) -> Words:
    summary = f"{breach.name} must be at most {breach.wanted}, not {breach.value}"
    return summary, _range_hint(breach)


def _range_hint(breach: Breach) -> str:
    return f"write a whole number from {breach.part['minimum']} to {breach.part['maximum']}"


def _not_matching(breach: Breach) -> Words:
    summary = f"{breach.name} '{shown(breach.value)}' {breach.part['patternErrorMessage']}"
    suggest = SUGGESTIONS.get(breach.key)
    return summary, (suggest and suggest(breach.value)) or _first_stray(breach) or _example(breach)


def no_country(written: str) -> Words:
    """Say that *written* is no country's code, and which one was meant."""
    summary = f"usageLocation '{shown(written)}' is not an ISO 3166-1 alpha-2 code"
    return summary, country_hint(written)


def _first_stray(breach: Breach) -> str | None:
    allowed = _CHARACTERS.get(breach.name)
    stray = next((c for c in breach.value if not allowed.match(c)), None) if allowed else None
    return f"it holds {name_of(stray)}" if stray else None


def _example(breach: Breach) -> str:
    return f"for example, {breach.part['examples'][0]}"


_OWN_WORDS: Final[dict[str, Callable[[str], Words]]] = {
    "usageLocation": no_country,
    "userPrincipalName": wrong_upn,
}
_WORDS: Final[dict[str, Callable[[Breach], Words]]] = {
    "type": _wrong_type,
    "const": _not_constant,
    "enum": _not_a_choice,
    "maxLength": _too_long,
    "maxItems": _too_many,
    "minItems": _too_few,
    "maximum": _too_high,
    "pattern": _not_matching,
}
