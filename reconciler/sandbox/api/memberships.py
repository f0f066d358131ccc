"""What a user is a member of: `memberOf`, `transitiveMemberOf`, `checkMemberGroups`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups, objects
from reconciler.sandbox.api.members import require_advanced
from reconciler.sandbox.calls import Call, Route, checked_id
from reconciler.sandbox.data import accounts
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Reply

_DIRECT = "SELECT member_id, group_id FROM member WHERE member_id = :user"
_NESTED = (
    "WITH RECURSIVE above(id) AS (SELECT group_id FROM member WHERE member_id = :user "
    "UNION SELECT group_id FROM member JOIN above ON member_id = above.id) "
    "SELECT :user AS member_id, id AS group_id FROM above"
)
_MOST_CHECKED = 20


def member_of(call: Call) -> Reply:
    """`GET /users/{id}/memberOf`."""
    return _page(call, _DIRECT)


def member_of_groups(call: Call) -> Reply:
    """`GET /users/{id}/memberOf/microsoft.graph.group`: a cast is an advanced query."""
    require_advanced(call)
    return _page(call, _DIRECT)


def transitive(call: Call) -> Reply:
    """`GET /users/{id}/transitiveMemberOf`."""
    return _page(call, _NESTED)


def transitive_groups(call: Call) -> Reply:
    """`GET /users/{id}/transitiveMemberOf/microsoft.graph.group`."""
    require_advanced(call)
    return _page(call, _NESTED)


def _page(call: Call, source: str) -> Reply:
    asked = odata.options(call.request)
    if asked.filter is not None:
        raise errors.NOT_SERVED.error(what="$filter on memberOf")
    user = accounts.get(call.db, call.key)
    text = (
        f'SELECT g.seq, g.id, g.document FROM ({source}) JOIN "group" AS g ON g.id = group_id '  # noqa: S608 -- constants
        "WHERE g.seq > :after ORDER BY g.seq LIMIT :limit"
    )
    values = {"user": user.id, "after": asked.after, "limit": asked.top + 1}
    rows = call.db.execute(text, values).fetchall()

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return objects.show(call, groups.from_row(row), asked)

    def count() -> int:
        return len(call.db.execute(source, {"user": user.id}).fetchall())

    return odata.page(call, asked, "directoryObjects", rows, show, count=count)


def _ids(call: Call) -> list[str]:
    user = accounts.get(call.db, call.key)
    return [group for _, group in call.db.execute(_NESTED, {"user": user.id})]


def check(call: Call) -> Reply:
    """`POST /users/{id}/checkMemberGroups`: which of up to 20 groups, nested ones included."""
    asked = call.body().get("groupIds")
    if not isinstance(asked, list) or len(asked) > _MOST_CHECKED:
        raise errors.BAD_ID.error(id=asked)
    wanted = [checked_id(str(key)) for key in asked]
    held = set(_ids(call))
    return call.entity("Collection(Edm.String)", {"value": [k for k in wanted if k in held]})


def all_ids(call: Call) -> Reply:
    """`POST /users/{id}/getMemberGroups`, with `securityEnabledOnly`."""
    only_security = call.body().get("securityEnabledOnly") is True
    found = [group for key in _ids(call) if (group := groups.find(call.db, key))]
    value = [g.id for g in found if not only_security or g.properties.get("securityEnabled")]
    return call.entity("Collection(Edm.String)", {"value": value})


ROUTES: Final = (
    ("GET", "users/{}/memberOf", Route(member_of, p.MEMBER_OF, 2)),
    ("GET", "users/{}/memberOf/microsoft.graph.group", Route(member_of_groups, p.MEMBER_OF, 2)),
    ("GET", "users/{}/transitiveMemberOf", Route(transitive, p.TRANSITIVE_MEMBER_OF, 2)),
    (
        "GET",
        "users/{}/transitiveMemberOf/microsoft.graph.group",
        Route(transitive_groups, p.TRANSITIVE_MEMBER_OF, 2),
    ),
    ("POST", "users/{}/checkMemberGroups", Route(check, p.CHECK_MEMBER, 4)),
    ("POST", "users/{}/getMemberGroups", Route(all_ids, p.CHECK_MEMBER, 2)),
)
