"""`/groups`: list and read, and which groups may be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.calls import Call, Route, checked_id
from reconciler.sandbox.data.properties import GROUP, GROUP_DEFAULTS, Kind
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.queries import GROUP_COLLECTIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.query.odata import Options
    from reconciler.sandbox.wire import Reply

COLUMNS = "seq, id, document"


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the tenant keeps it."""

    seq: int
    id: str
    properties: Mapping[str, Any]

    def refuse_members(self) -> errors.GraphError | None:
        """Give the refusal of any change of members that lies in the kind of group."""
        kinds = self.properties.get("groupTypes", ())
        if self.properties.get("onPremisesSyncEnabled"):
            return errors.SYNCED.error()
        if "DynamicMembership" in kinds:
            return errors.DENIED.error()
        if self.properties.get("mailEnabled") and "Unified" not in kinds:
            return errors.MAIL_GROUP.error()
        return None


def from_row(row: tuple[Any, ...]) -> Group:
    """Give the group of a row of `COLUMNS`."""
    return Group(row[0], row[1], orjson.loads(row[2]))


def find(db: sqlite3.Connection, key: str) -> Group | None:
    """Give the group with this id, if there is one."""
    row = db.execute(f'SELECT {COLUMNS} FROM "group" WHERE id = ?', (key,)).fetchone()  # noqa: S608 -- constants
    return None if row is None else from_row(row)


def get(db: sqlite3.Connection, key: str) -> Group:
    """Give the group with this id; raises Graph's 400 or 404."""
    group = find(db, checked_id(key))
    if group is None:
        raise errors.NO_RESOURCE.error(id=key)
    return group


def show(group: Group, names: Iterable[str]) -> dict[str, Any]:
    """Give the named properties as Graph shows them, nulls included."""
    return {name: _value(group, name) for name in names}


def _value(group: Group, name: str) -> Any:  # noqa: ANN401 -- any JSON
    if name == "id":
        return group.id
    prop = GROUP.get(name.lower())
    return group.properties.get(name, [] if prop and prop.kind is Kind.TEXTS else None)


def selected(call: Call, asked: Options) -> tuple[str, ...]:
    """Give the properties of groups that a request asks for."""
    known = odata.extensions(call) if odata.mentions_extension(",".join(asked.select)) else {}
    return odata.chosen(asked.select, GROUP, GROUP_DEFAULTS, known | _LICENSES)


_LICENSES = {"assignedlicenses": "assignedLicenses"}
"""Shown when asked for; not one of the defaults."""


def listing(call: Call) -> Reply:
    """`GET /groups`."""
    asked = odata.options(call.request)
    where = odata.condition(call, asked, GROUP, GROUP_COLLECTIONS)
    names = selected(call, asked)
    rows = call.db.execute(
        f'SELECT {COLUMNS} FROM "group" WHERE {where.text} AND seq > ? ORDER BY seq LIMIT ?',  # noqa: S608 -- by queries.py
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()

    def count() -> int:
        text = f'SELECT count(*) FROM "group" WHERE {where.text}'  # noqa: S608 -- as above
        (number,) = call.db.execute(text, where.values).fetchone()
        return int(number)

    context = odata.context("groups", asked.select, names)
    return odata.page(
        call, asked, context, rows, lambda row: show(from_row(row), names), count=count
    )


def read(call: Call) -> Reply:
    """`GET /groups/{id}`."""
    asked = odata.options(call.request)
    group = get(call.db, call.key)
    names = selected(call, asked)
    context = odata.context("groups", asked.select, names)
    return call.entity(f"{context}/$entity", show(group, names))


def writable(call: Call) -> Group:
    """Give the group of the path, if this caller may change its members."""
    group = get(call.db, call.key)
    refusal = group.refuse_members()
    if refusal:
        raise refusal
    if group.properties.get("isAssignableToRole"):
        permissions.require(call, permissions.ROLE_WRITE)
    return group


ROUTES: Final = (
    ("GET", "groups", Route(listing, permissions.GROUP_READ)),
    ("GET", "groups/{}", Route(read, permissions.GROUP_READ)),
)
