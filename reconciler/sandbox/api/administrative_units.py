"""`/directory/administrativeUnits`: units that roles can be held over, and who is in them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import objects
from reconciler.sandbox.api.objects import Links
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id, referenced
from reconciler.sandbox.company.governance import UNIT
from reconciler.sandbox.data.properties import Filter, Kind, Property
from reconciler.sandbox.data.store import resource
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Reply

_UNIT: Final = {
    prop.name.lower(): prop
    for prop in (
        Property("id", filter=Filter.DEFAULT, column="id"),
        Property("deletedDateTime", Kind.MOMENT),
        Property("description", filter=Filter.DEFAULT),
        Property("displayName", filter=Filter.DEFAULT),
        Property("isMemberManagementRestricted", Kind.BOOLEAN),
        Property("membershipRule"),
        Property("membershipType"),
        Property("membershipRuleProcessingState"),
        Property("visibility"),
    )
}
_NAMES: Final = tuple(prop.name for prop in _UNIT.values())


def listing(call: Call) -> Reply:
    """`GET /directory/administrativeUnits`: an open type, whose unknown names are passed over."""
    asked = odata.options(call.request)
    where = odata.condition(call, asked, _UNIT, {})
    names = odata.chosen(asked.select, _UNIT, _NAMES, {})
    text = f"FROM resource WHERE kind = '{UNIT}' AND {where.text}"
    rows = call.db.execute(
        f"SELECT rowid, document {text} AND rowid > ? ORDER BY rowid LIMIT ?",
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        document = orjson.loads(row[1])
        return {name: document.get(name) for name in names}

    def count() -> int:
        (number,) = call.db.execute(f"SELECT count(*) {text}", where.values).fetchone()
        return int(number)

    context = odata.context("directory/administrativeUnits", asked.select, names)
    return odata.page(call, asked, context, rows, show, count=count)


def _get(call: Call) -> dict[str, Any]:
    unit = resource(call.db, UNIT, checked_id(call.key))
    if unit is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return unit


# --- members


def members(call: Call) -> Reply:
    """`GET /directory/administrativeUnits/{id}/members`: users and groups.

    Only a cast says that there are extension attributes to filter on.
    """
    if (
        "extensionattribute"
        in (odata.options(call.request, is_searchable=True).filter or "").lower()
    ):
        raise errors.UNSUPPORTED.error()
    return objects.listing(call, _links(call))


def members_that_are_users(call: Call) -> Reply:
    """`GET …/members/microsoft.graph.user`: a cast is an advanced query."""
    return objects.listing(call, _links(call), "user")


def members_that_are_groups(call: Call) -> Reply:
    """`GET …/members/microsoft.graph.group`."""
    return objects.listing(call, _links(call), "group")


def _links(call: Call) -> Links:
    sql = "SELECT seq AS number, member_id AS target FROM member WHERE group_id = ?"
    return Links(sql, (_get(call)["id"],), ("user", "group"))


def add(call: Call) -> Reply:
    """`POST /directory/administrativeUnits/{id}/members/$ref`."""
    unit = _get(call)
    if unit.get("membershipType") == "Dynamic":
        # As of a dynamic group; the words for units are inferred.
        raise errors.DENIED.error()
    key = referenced(call.body())
    found = objects.find(call.db, key)
    if found is None:
        raise errors.NO_RESOURCE.error(id=key)
    try:
        call.db.execute(
            "INSERT INTO member (group_id, member_id) VALUES (?, ?)", (unit["id"], found.id)
        )
    except sqlite3.IntegrityError as error:
        raise errors.ALREADY_MEMBER.error() from error
    return NO_CONTENT


_MEMBERS: Final = "directory/administrativeUnits/{}/members"

ROUTES: Final = (
    ("GET", "directory/administrativeUnits", Route(listing, p.UNIT_READ)),
    ("GET", _MEMBERS, Route(members, p.UNIT_READ)),
    ("GET", f"{_MEMBERS}/microsoft.graph.user", Route(members_that_are_users, p.UNIT_READ)),
    ("GET", f"{_MEMBERS}/microsoft.graph.group", Route(members_that_are_groups, p.UNIT_READ)),
    (
        "POST",
        f"{_MEMBERS}/$ref",
        Route(add, p.UNIT_WRITE, activity="Add member to administrative unit"),
    ),
)
