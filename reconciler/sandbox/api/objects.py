"""Directory objects of any type: found by id, and listed where others refer to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.sandbox import errors
from reconciler.sandbox.api import groups, users
from reconciler.sandbox.api.groups import Group
from reconciler.sandbox.calls import checked_id
from reconciler.sandbox.data import accounts
from reconciler.sandbox.data.properties import GROUP, USER, Filter, Property
from reconciler.sandbox.data.store import path_expression, resource
from reconciler.sandbox.query import lists, odata, ordering
from reconciler.sandbox.query.lists import Rows, Type
from reconciler.sandbox.query.queries import GROUP_COLLECTIONS, USER_COLLECTIONS
from reconciler.sandbox.query.sql import EVERYTHING, NOTHING, Sql
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.query.odata import Options

_NAMED: Final = Type(
    {
        prop.name.lower(): prop
        for prop in (
            Property("id", filter=Filter.DEFAULT, column="id"),
            Property("displayName", filter=Filter.DEFAULT),
            Property("description", filter=Filter.ADVANCED),
            Property("appId", filter=Filter.DEFAULT),
            Property("roleTemplateId", filter=Filter.DEFAULT),
        )
    },
    {},
    {},
)
USERS: Final = Type(USER, USER_COLLECTIONS, ordering.USERS)
GROUPS: Final = Type(GROUP, GROUP_COLLECTIONS, ordering.GROUPS)
_CONTAINERS: Final = ("administrativeUnit", "directoryRole")

_SHOWN: Final = {
    "servicePrincipal": ("id", "deletedDateTime", "appId", "displayName", "servicePrincipalType"),
    "administrativeUnit": ("id", "deletedDateTime", "displayName", "description", "visibility"),
    "directoryRole": ("id", "deletedDateTime", "description", "displayName", "roleTemplateId"),
}

TYPES: Final = ("user", "group", "servicePrincipal", *_CONTAINERS)


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal: an application's own account in the directory."""

    id: str
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Container:
    """An administrative unit or an active role; *kind* is its type."""

    kind: str
    id: str
    properties: dict[str, Any]


Object: TypeAlias = "User | Group | Principal | Container"


def find(db: sqlite3.Connection, key: str) -> User | Group | Principal | None:
    """Give the living user, the group or the service principal with this id."""
    found = accounts.find(db, key) or groups.find(db, key)
    if found is not None:
        return found
    document = resource(db, "servicePrincipal", key)
    return None if document is None else Principal(document["id"], document)


def find_any(db: sqlite3.Connection, key: str) -> Object | None:
    """Give the living directory object of any type with this id."""
    found: Object | None = find(db, key)
    for kind in _CONTAINERS:
        if found is None and (document := resource(db, kind, key)) is not None:
            found = Container(kind, document["id"], document)
    return found


def linked_id(db: sqlite3.Connection, key: str) -> str:
    """Give the id of what a link names, by its id or, of a user, by its UPN."""
    if "@" not in key:
        return checked_id(key)
    return accounts.get(db, key).id


def exists(db: sqlite3.Connection, key: str) -> bool:
    """Whether a living user, a group or a service principal has this id."""
    return find(db, key) is not None


def type_of(found: Object) -> str:
    """Give the name of the type, as in `microsoft.graph.user`."""
    match found:
        case Container():
            return found.kind
        case Principal():
            return "servicePrincipal"
        case Group():
            return "group"
        case _:
            return "user"


def show(call: Call, found: Object, asked: Options) -> dict[str, Any]:
    """Give *found* as a member of a collection of mixed types."""
    return {"@odata.type": f"#microsoft.graph.{type_of(found)}", **_document(call, found, asked)}


def _document(call: Call, found: Object, asked: Options) -> dict[str, Any]:
    match found:
        case Principal() | Container():
            known = {name.lower(): name for name in _SHOWN[type_of(found)]}
            wanted = [known[n.lower()] for n in asked.select or known if n.lower() in known]
            return {name: found.properties.get(name) for name in wanted}
        case Group():
            return groups.show(found, groups.selected(call, asked))
        case _:
            return users.shown(call, found, users.selected(call, asked))


# --- objects that another one refers to


@dataclass(frozen=True, slots=True)
class Links:
    """The SQL of links from one object: `number`, which tells their order, and `target`."""

    sql: str
    values: tuple[Any, ...]
    kinds: tuple[str, ...]
    """The types of objects that they may lead to."""

    def union(self, other: Links) -> Links:
        """Give both, one kind between the other, so that all numbers differ."""
        text = (
            f"SELECT number * 2 AS number, target FROM ({self.sql}) UNION ALL "  # noqa: S608 -- constants
            f"SELECT number * 2 + 1, target FROM ({other.sql})"
        )
        return Links(text, self.values + other.values, (*self.kinds, *other.kinds))


def listing(call: Call, links: Links, cast: str | None = None) -> Reply:
    """Give a page of the objects that *links* lead to, all or those of one type.

    A cast, `$filter`, `$search` and `$orderby` are for advanced queries.
    """
    asked = odata.options(call.request, is_searchable=True)
    if asked.expand is not None:
        # Graph expands only what belongs to the objects of a collection of its own.
        raise errors.UNSUPPORTED.error()
    linked = _rows(call, asked, links, cast)
    name = f"{cast}s" if cast in {"user", "group"} else "directoryObjects"
    named = _selected(call, asked, (cast,) if cast else links.kinds)

    def shown(row: tuple[Any, ...]) -> dict[str, Any]:
        found = find_any(call.db, row[1])
        assert found is not None  # noqa: S101 -- the rows are those of objects that are there
        return _document(call, found, asked) if cast else show(call, found, asked)

    context = odata.context(name, asked.select, named)
    return lists.paged(call, asked, context, linked, EVERYTHING, ordering.LINKED, shown)


def _selected(call: Call, asked: Options, kinds: Iterable[str]) -> tuple[str, ...]:
    """Give what `$select` names of the properties that objects of *kinds* have."""
    known: dict[str, Property] = {}
    for kind in kinds:
        named = {"user": USER, "group": GROUP}.get(kind)
        known |= named or {name.lower(): Property(name) for name in _SHOWN[kind]}
    text = ",".join(asked.select)
    extensions = odata.extensions(call) if odata.mentions_extension(text) else {}
    return odata.chosen(asked.select, known, (), extensions)


def count(call: Call, links: Links, cast: str | None = None) -> Reply:
    """Give the number of the objects that *links* lead to, as text."""
    asked = odata.counting(call.request)
    number = lists.counted(call, _rows(call, asked, links, cast), EVERYTHING)
    return Reply(200, number, {"content-type": "text/plain"})


def first(call: Call, links: Links, most: int) -> list[Object]:
    """Give the first objects that *links* lead to."""
    found = rows(links, ((kind, EVERYTHING) for kind in links.kinds), odata.Options())
    text = f"SELECT {found.columns} FROM {found.source} ORDER BY number LIMIT ?"  # noqa: S608 -- made here
    keys = [row[1] for row in call.db.execute(text, (*found.values, most))]
    return [one for key in keys if (one := find_any(call.db, key)) is not None]


def _rows(call: Call, asked: Options, links: Links, cast: str | None) -> Rows:
    is_plain = cast is None and asked.filter is None and asked.search is None
    if not is_plain and not asked.is_advanced:
        raise errors.UNSUPPORTED.error()
    return rows(links, _conditions(call, asked, (cast,) if cast else links.kinds), asked)


def rows(links: Links, conditions: Iterable[tuple[str, Sql]], asked: Options) -> Rows:
    """Give the rows that *links* lead to, of these types under these conditions."""
    parts = [_part(kind, links, where, asked) for kind, where in conditions]
    text = " UNION ALL ".join(part.text for part in parts)
    values = tuple(value for part in parts for value in part.values)
    return Rows("number, id", f"({text}) WHERE 1", "number", values)


def _conditions(call: Call, asked: Options, kinds: Iterable[str]) -> list[tuple[str, Sql]]:
    """Give each kind's condition: of a property that it lacks, nothing of it is found."""
    found: list[tuple[str, Sql]] = []
    refusals = []
    for kind in kinds:
        try:
            where = lists.condition(call, asked, {"user": USERS, "group": GROUPS}.get(kind, _NAMED))
        except errors.GraphError as error:
            refusals.append(error)
            where = NOTHING
        found.append((kind, where))
    if len(refusals) == len(found):
        raise refusals[0]
    return found


def _part(kind: str, links: Links, where: Sql, asked: Options) -> Sql:
    """Give the number and the id of those of one kind, and the label if that matters."""
    label = path_expression("displayName") if asked.orderby else "NULL"
    if kind in {"user", "group"}:
        table, living = f'"{kind}"', "deleted IS NULL"
    else:
        table, living = "resource", f"kind = '{kind}'"
    text = (
        f"SELECT number, id, {label} AS label "  # noqa: S608 -- constants
        f"FROM ({links.sql}) JOIN {table} ON id = target WHERE {living} AND {where.text}"
    )
    return Sql(text, (*links.values, *where.values))
