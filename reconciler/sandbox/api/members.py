"""`/groups/{id}/members`: list, add, bind, remove."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import groups, licenses, objects
from reconciler.sandbox.api.users import delete
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id, reference_key, referenced
from reconciler.sandbox.data import accounts
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.wire import Reply

MOST_LINKS = 20

_DIRECT = "SELECT seq, member_id FROM member WHERE group_id = :group"
_NESTED = (
    "WITH RECURSIVE inside(id) AS (SELECT :group UNION SELECT member_id FROM member "
    "JOIN inside ON group_id = inside.id) "
    "SELECT min(seq) AS seq, member_id FROM member JOIN inside ON group_id = inside.id "
    "GROUP BY member_id"
)
"""All that is inside a group, each once, in the order in which it came."""


def listing(call: Call) -> Reply:
    """`GET /groups/{id}/members`."""
    return _page(call, _DIRECT, with_groups=True)


def listing_users(call: Call) -> Reply:
    """`GET /groups/{id}/members/microsoft.graph.user`: a cast is an advanced query."""
    require_advanced(call)
    return _page(call, _DIRECT, with_groups=False)


def transitive(call: Call) -> Reply:
    """`GET /groups/{id}/transitiveMembers`."""
    return _page(call, _NESTED, with_groups=True)


def require_advanced(call: Call) -> None:
    """Raise Graph's refusal of a cast in a default query."""
    asked = odata.options(call.request)
    if not (asked.is_eventual and asked.count):
        raise errors.UNSUPPORTED.error()


def _page(call: Call, source: str, *, with_groups: bool) -> Reply:
    asked = odata.options(call.request)
    if asked.filter is not None:
        raise errors.NOT_SERVED.error(what="$filter on members")
    group = groups.get(call.db, call.key)
    kinds = [_LIVE_USERS, _GROUPS] if with_groups else [_LIVE_USERS]
    text = " UNION ALL ".join(kind.format(source=source) for kind in kinds)
    rows = call.db.execute(
        f"{text} ORDER BY 1 LIMIT :limit",
        {"group": group.id, "after": asked.after, "limit": asked.top + 1},
    ).fetchall()
    shapes = _shapes(call, asked)

    def count() -> int:
        (number,) = call.db.execute(
            f"SELECT count(*) FROM ({text})",  # noqa: S608 -- constants
            {"group": group.id, "after": 0},
        ).fetchone()
        return int(number)

    name = "directoryObjects" if with_groups else "users"
    return odata.page(call, asked, name, rows, shapes, count=count)


_LIVE_USERS = (
    "SELECT m.seq, 'user', u.seq, u.id, u.upn, u.deleted, u.manager, u.password, u.document "
    "FROM ({source}) AS m JOIN user AS u ON u.id = m.member_id "
    "WHERE m.seq > :after AND u.deleted IS NULL"
)
_GROUPS = (
    "SELECT m.seq, 'group', g.seq, g.id, NULL, NULL, NULL, NULL, g.document "
    'FROM ({source}) AS m JOIN "group" AS g ON g.id = m.member_id WHERE m.seq > :after'
)


def _shapes(call: Call, asked: odata.Options) -> Any:  # noqa: ANN401 -- a function of a row
    def shape(row: tuple[Any, ...]) -> dict[str, Any]:
        found: User | Group
        if row[1] == "user":
            found = accounts.from_row(row[2:])
        else:
            found = groups.from_row((row[2], row[3], row[8]))
        return objects.show(call, found, asked)

    return shape


# --- writing


def add(call: Call) -> Reply:
    """`POST /groups/{id}/members/$ref`."""
    group = groups.writable(call)
    _link(call, group, [referenced(call.body())])
    return NO_CONTENT


def bare(_: Call) -> Reply:
    """`POST /groups/{id}/members`, which wants `$ref`."""
    raise errors.BARE_MEMBERS.error()


def bind(call: Call) -> Reply:
    """`PATCH /groups/{id}` with `members@odata.bind`: up to 20 members, all or none."""
    body = call.body()
    names = {name.lower(): name for name in body if not name.lower().startswith("@odata.")}
    references = body.get(names.pop("members@odata.bind", ""))
    if names:
        raise errors.NOT_SERVED.error(
            what=f"a change of {', '.join(sorted(names.values()))} of a group"
        )
    if not isinstance(references, list) or not references:
        raise errors.BAD_REFERENCE.error(reference=references)
    if len(references) > MOST_LINKS:
        raise errors.TOO_MANY_LINKS.error()
    _link(call, groups.writable(call), [reference_key(reference) for reference in references])
    return NO_CONTENT


def _link(call: Call, group: Group, keys: list[str]) -> None:
    found = [objects.find(call.db, key) for key in keys]
    for key, member in zip(keys, found, strict=True):
        if member is None:
            raise errors.NO_RESOURCE.error(id=key)
    ids = [member.id for member in found if member]
    if len(set(ids)) < len(ids):
        raise errors.TWICE_IN_ONE_CHANGE.error()
    try:
        call.db.executemany(
            "INSERT INTO member (group_id, member_id) VALUES (?, ?)",
            [(group.id, key) for key in ids],
        )
    except sqlite3.IntegrityError as error:
        raise errors.ALREADY_MEMBER.error() from error
    for member in found:
        if isinstance(member, accounts.User):
            licenses.inherit(call.db, member, group)


def remove(call: Call) -> Reply:
    """`DELETE /groups/{id}/members/{oid}/$ref`."""
    group = groups.writable(call)
    member = checked_id(call.keys[1])
    cursor = call.db.execute(
        "DELETE FROM member WHERE group_id = ? AND member_id = ?", (group.id, member)
    )
    if not cursor.rowcount:
        raise errors.NO_RESOURCE.error(id=member)
    licenses.disinherit(call.db, member, group)
    return NO_CONTENT


def delete_object(call: Call) -> Reply:
    """`DELETE /groups/{id}/members/{oid}`: without `/$ref` the object itself goes."""
    group = groups.get(call.db, call.key)
    member = checked_id(call.keys[1])
    held = call.db.execute(
        "SELECT 1 FROM member WHERE group_id = ? AND member_id = ?", (group.id, member)
    ).fetchone()
    if held is None:
        raise errors.NO_RESOURCE.error(id=member)
    permissions.require(call, permissions.USER_DELETE)
    return delete(Call(call.db, call.request, call.caller, (member,)))


ROUTES: Final = (
    ("PATCH", "groups/{}", Route(bind, permissions.MEMBER_WRITE)),
    ("GET", "groups/{}/members", Route(listing, permissions.MEMBER_READ, 3)),
    ("POST", "groups/{}/members", Route(bare, permissions.MEMBER_WRITE)),
    (
        "GET",
        "groups/{}/members/microsoft.graph.user",
        Route(listing_users, permissions.MEMBER_READ, 3),
    ),
    ("GET", "groups/{}/transitiveMembers", Route(transitive, permissions.MEMBER_READ, 5)),
    ("POST", "groups/{}/members/$ref", Route(add, permissions.MEMBER_WRITE)),
    ("DELETE", "groups/{}/members/{}/$ref", Route(remove, permissions.MEMBER_WRITE)),
    ("DELETE", "groups/{}/members/{}", Route(delete_object, permissions.USER_DELETE)),
)
