"""`/directory/deletedItems`: users that were deleted, for 30 days.

A restored user has its id, memberships, roles and licenses again, even without a free
seat (Entra, "Restore or remove a recently deleted user").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import permissions
from reconciler.sandbox.api import users
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id
from reconciler.sandbox.data import accounts, values
from reconciler.sandbox.data.properties import USER, USER_DEFAULTS
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.queries import USER_COLLECTIONS

if TYPE_CHECKING:
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.wire import Reply

_ID_LENGTH = 32
"""Characters of an id without dashes, which stand before a deleted user's UPN."""


def listing(call: Call) -> Reply:
    """`GET /directory/deletedItems/microsoft.graph.user`."""
    asked = odata.options(call.request)
    where = odata.condition(call, asked, USER, USER_COLLECTIONS)
    names = users.selected(call, asked)
    rows = call.db.execute(
        f"SELECT {accounts.COLUMNS} FROM user WHERE deleted IS NOT NULL AND {where.text} "  # noqa: S608 -- by queries.py
        "AND seq > ? ORDER BY seq LIMIT ?",
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return accounts.show(call.db, accounts.from_row(row), names)

    def count() -> int:
        (number,) = call.db.execute(
            f"SELECT COUNT(*) FROM user WHERE deleted IS NOT NULL AND {where.text}",  # noqa: S608 -- by queries.py
            where.values,
        ).fetchone()
        return int(number)

    context = odata.context("users", asked.select, names)
    return odata.page(call, asked, context, rows, show, count=count)


def read(call: Call) -> Reply:
    """`GET /directory/deletedItems/{id}`."""
    asked = odata.options(call.request)
    user = _get(call)
    document = accounts.show(call.db, user, users.selected(call, asked))
    return call.entity("directoryObjects/$entity", _typed(document))


def _get(call: Call) -> User:
    return accounts.get(call.db, checked_id(call.key), deleted=True)


def _typed(document: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.user", **document}


def restore(call: Call) -> Reply:
    """`POST /directory/deletedItems/{id}/restore`, with or without a body."""
    user = _get(call)
    permissions.require_reach(call, user.id)
    wanted = _wanted_upn(call)
    upn = user.upn[_ID_LENGTH:] if wanted is None else wanted
    restored = replace(user, upn=upn, deleted=None)
    accounts.save(call.db, restored)
    document = accounts.show(call.db, restored, USER_DEFAULTS)
    return call.entity("directoryObjects/$entity", _typed(document))


def _wanted_upn(call: Call) -> str | None:
    body = call.request.body
    given = body.get("newUserPrincipalName") if isinstance(body, dict) else None
    if given is None:
        return None
    upn = values.properties({"userPrincipalName": given}, {})["userPrincipalName"]
    users.check_domain(call, upn)
    return str(upn)


def purge(call: Call) -> Reply:
    """`DELETE /directory/deletedItems/{id}`: for good."""
    user = _get(call)
    permissions.require_reach(call, user.id)
    for text in (
        "DELETE FROM member WHERE member_id = ?",
        "DELETE FROM owner WHERE owner_id = ?",
        "DELETE FROM license WHERE user_id = ?",
        "DELETE FROM role_assignment WHERE principal_id = ?",
        "UPDATE user SET manager = NULL WHERE manager = ?",
    ):
        call.db.execute(text, (user.id,))
    accounts.remove(call.db, user)
    return NO_CONTENT


ROUTES: Final = (
    (
        "GET",
        "directory/deletedItems/microsoft.graph.user",
        Route(listing, permissions.DELETED_READ),
    ),
    ("GET", "directory/deletedItems/{}", Route(read, permissions.DELETED_READ)),
    ("DELETE", "directory/deletedItems/{}", Route(purge, permissions.USER_DELETE)),
    ("POST", "directory/deletedItems/{}/restore", Route(restore, permissions.USER_DELETE)),
)
