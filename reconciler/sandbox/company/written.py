"""A seed file as it was written.

Plain scalars are text, as in cohort files, so that `usageLocation: NO` is Norway and
`employeeId: 007` keeps its zeros; only where the schema wants something else are they
that. What the schema leaves open is read as YAML 1.2 reads it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import documents
from reconciler.sandbox.data.properties import EXTENSION_ATTRIBUTES, USER, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.documents import Document, Schema, Where

_OWN: Final = frozenset(
    ("id", "userPrincipalName", "passwordProfile", "deletedDateTime", "identities")
)
_CONSTANTS: Final = {"true": True, "false": False}
_NUMBERS: Final = ("integer", "number")
_EMPTY: Final = frozenset(("", "null", "~"))


@cache
def schema(package: Path = documents.PACKAGE) -> Schema:
    """Give the published schema, with Graph's properties of users where it lets in any."""
    published = documents.schema("sandbox", package)
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


def read(file: Path) -> Document:
    """Read *file*; raises as `documents.read` does."""
    return documents.read(file, _meaning)


def _meaning(text: str, where: Where) -> str | bool | float | None:
    """Give what a scalar without quotes means."""
    if text in _EMPTY:
        return None
    part = _part(where)
    wanted = part.get("type")
    if wanted in _NUMBERS:
        return documents.number(text, whole=wanted == "integer")
    if wanted == "boolean":
        return _CONSTANTS.get(text, text)
    return text if part else documents.plain(text)


def _part(where: Where) -> Schema:
    """Give what the schema says of the value at *where*; nothing of what it leaves open."""
    part = schema()
    for step in where:
        below = part.get("items") if isinstance(step, int) else _below(part, step)
        part = below if isinstance(below, dict) else {}
    return part


def _below(part: Schema, key: str) -> Any:  # noqa: ANN401 -- false, true or a schema
    if key in part.get("properties", ()):
        return part["properties"][key]
    patterns = part.get("patternProperties", {})
    found = [known for pattern, known in patterns.items() if re.search(pattern, key)]
    return found[0] if found else part.get("additionalProperties")
