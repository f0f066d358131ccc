"""Lists of what the role APIs keep: `$select`, `$filter`, `$expand` of closed types.

They are no directory objects: every operator may be asked without the advanced parameters
(Graph, "Support for $filter" of the unifiedRole types).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.api import objects
from reconciler.sandbox.data.assignments import UNITS, WHOLE_TENANT
from reconciler.sandbox.data.properties import Filter, Kind, Property
from reconciler.sandbox.data.store import resource
from reconciler.sandbox.query import expand, odata, singles
from reconciler.sandbox.query.queries import Index
from reconciler.sandbox.wire import Json

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.wire import Reply

_ALL: Final = 1 << 31
"""More than any list holds."""
_ITEM: Final = re.compile(r"[^,(]+(?:\([^()]*\))?")

Document: TypeAlias = dict[str, Any]
Related: TypeAlias = Callable[["Call", Document, tuple[str, ...]], Json]
"""Gives what an object refers to, with what is selected of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of object: its name in Graph, its collection, and its properties in order."""

    type: str
    collection: str
    properties: Mapping[str, Property]
    """By lower-case name."""
    relations: Mapping[str, tuple[str, Related]]
    """By lower-case name: the name, and what gives it."""

    def names(self, select: tuple[str, ...]) -> tuple[str, ...]:
        """Give the properties to show; raises Graph's refusal of one that the type lacks."""
        if not select or "*" in select:
            return tuple(prop.name for prop in self.properties.values())
        for name in select:
            if name.lower() not in self.properties:
                raise errors.UNKNOWN_SELECT.error(property=name, type=self.type)
        return tuple(self.properties[name.lower()].name for name in select)


def shape(
    kind: str,
    collection: str,
    properties: tuple[Property, ...],
    relations: Mapping[str, Related],
) -> Shape:
    """Give a shape of these parts."""
    return Shape(
        kind,
        f"roleManagement/directory/{collection}",
        {prop.name.lower(): prop for prop in properties},
        {name.lower(): (name, related) for name, related in relations.items()},
    )


def text(name: str, column: str | None = None) -> Property:
    """Give a text that may be filtered on."""
    return Property(name, filter=Filter.DEFAULT, column=column)


def moment(name: str) -> Property:
    """Give a moment that may be filtered on."""
    return Property(name, Kind.MOMENT, Filter.DEFAULT)


def other(name: str) -> Property:
    """Give a property of a complex type."""
    return Property(name, Kind.OTHER)


def listing(call: Call, shape: Shape, source: str, *values: object, is_paged: bool = True) -> Reply:
    """Give one page of the rows of *source*: a number and a document, then the columns.

    All of them, whatever `$top` says, if the collection is not *is_paged*.
    """
    asked = odata.options(call.request)
    if not is_paged:
        asked = replace(asked, top=_ALL, after=0)
    names = shape.names(asked.select)
    related = _related(shape, asked.expand)
    where, given = "1", tuple[Any, ...]()
    if asked.filter is not None:
        found = Index(shape.properties, {}, has_header=True, has_count=True)
        condition = found.condition(asked.filter)
        where, given = condition.text, condition.values
    rows = call.db.execute(
        f"SELECT seq, document FROM ({source}) WHERE {where} AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 -- by queries.py
        (*values, *given, asked.after, asked.top + 1),
    ).fetchall()

    def count() -> int:
        query = f"SELECT count(*) FROM ({source}) WHERE {where}"  # noqa: S608 -- as above
        (number,) = call.db.execute(query, (*values, *given)).fetchone()
        return int(number)

    def show(row: tuple[Any, ...]) -> Document:
        return _shown(call, orjson.loads(row[1]), names, related)

    context = odata.context(shape.collection, asked.select, names)
    return odata.page(call, asked, context, rows, show, count=count)


def one(call: Call, shape: Shape, document: Document, status: int = 200) -> Reply:
    """Give one object with what `$select` and `$expand` ask for."""
    asked = singles.options(call.request)
    names = shape.names(asked.select)
    context = odata.context(shape.collection, asked.select, names)
    shown = _shown(call, document, names, _related(shape, asked.expand))
    return call.entity(f"{context}/$entity", shown, status)


def _shown(
    call: Call,
    document: Document,
    names: tuple[str, ...],
    related: Mapping[str, Callable[[Call, Document], Json]],
) -> Document:
    shown = {name: document.get(name) for name in names}
    return shown | {name: relation(call, document) for name, relation in related.items()}


def _related(shape: Shape, asked: str | None) -> dict[str, Callable[[Call, Document], Json]]:
    """Give what `$expand` names, one or several relations, with what it selects of each."""
    related: dict[str, Callable[[Call, Document], Json]] = {}
    for item in _ITEM.findall(asked or ""):
        wanted = expand.parse(item)
        found = shape.relations.get(wanted.name.lower())
        if found is None:
            raise errors.UNKNOWN_SELECT.error(property=wanted.name, type=shape.type)
        name, relation = found
        related[name] = partial(_of, relation, wanted.select)
    return related


def _of(relation: Related, select: tuple[str, ...], call: Call, document: Document) -> Json:
    return relation(call, document, select)


# --- what these objects refer to


def principal(call: Call, document: Document, select: tuple[str, ...]) -> Document | None:
    """Give the user, group or service principal that holds the role."""
    return directory_object(call, document["principalId"], select)


def directory_object(call: Call, key: str, select: tuple[str, ...]) -> Document | None:
    """Give any object of the directory, named with its type."""
    found = objects.find_any(call.db, key)
    return None if found is None else objects.show(call, found, odata.Options(select=select))


def role_definition(call: Call, document: Document, select: tuple[str, ...]) -> Document | None:
    """Give the role itself."""
    found = resource(call.db, "roleDefinition", document["roleDefinitionId"]) or {}
    wanted = {name.lower() for name in select}
    return {name: value for name, value in found.items() if not wanted or name.lower() in wanted}


def directory_scope(call: Call, document: Document, select: tuple[str, ...]) -> Document | None:
    """Give what the role is held over; the whole tenant is no object."""
    scope = document["directoryScopeId"]
    if scope == WHOLE_TENANT:
        return None
    return directory_object(call, scope.removeprefix(UNITS).removeprefix("/"), select)


def nothing(_: Call, __: Document, ___: tuple[str, ...]) -> Document | None:
    """Give what the tenant never has, such as the eligibility that was activated."""
    return None


BASIC: Final[Mapping[str, Related]] = {
    "principal": principal,
    "roleDefinition": role_definition,
    "directoryScope": directory_scope,
}


def role(db: sqlite3.Connection, key: str) -> Document | None:
    """Give the role definition with this id or of this template."""
    row = db.execute(
        "SELECT document FROM resource WHERE kind = 'roleDefinition' "
        "AND (id = ?1 OR json_extract(document, '$.templateId') = lower(?1)) LIMIT 1",
        (key,),
    ).fetchone()
    return None if row is None else dict(orjson.loads(row[0]))
