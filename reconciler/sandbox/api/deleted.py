"""`/directory/deletedItems`: users and Microsoft 365 groups that were deleted, for 30 days.

A restored user has its id, memberships, roles and licenses again, even without a free
seat (Entra, "Restore or remove a recently deleted user"); a group its members and owners.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import bodies, group_deletions, groups, objects, purging, users
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id
from reconciler.sandbox.data import accounts, addresses, values
from reconciler.sandbox.data.accounts import User
from reconciler.sandbox.data.properties import GROUP_DEFAULTS, USER_DEFAULTS
from reconciler.sandbox.query import lists, odata, singles
from reconciler.sandbox.query.lists import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.wire import Reply

_ID_LENGTH = 32
"""Characters of an id without dashes, which stand before a deleted user's UPN."""


_USERS: Final = Rows(accounts.COLUMNS, "user WHERE deleted IS NOT NULL")
_GROUPS: Final = Rows(groups.COLUMNS, '"group" WHERE deleted IS NOT NULL')


def listing(call: Call) -> Reply:
    """`GET /directory/deletedItems/microsoft.graph.user`."""
    asked = odata.options(call.request, is_searchable=True)
    names = users.selected(call, asked)

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return accounts.show(call.db, accounts.from_row(row), names)

    context = odata.context("users", asked.select, names)
    return lists.page(call, asked, context, _USERS, objects.USERS, show)


def listing_groups(call: Call) -> Reply:
    """`GET /directory/deletedItems/microsoft.graph.group`."""
    asked = odata.options(call.request, is_searchable=True)
    names = groups.selected(call, asked)

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return groups.show(groups.from_row(row), names)

    context = odata.context("groups", asked.select, names)
    return lists.page(call, asked, context, _GROUPS, objects.GROUPS, show)


def read(call: Call) -> Reply:
    """`GET /directory/deletedItems/{id}`."""
    asked = singles.options(call.request)
    found = _get(call)
    if isinstance(found, User):
        permissions.require(call, permissions.DELETED_READ)
        return _typed(call, "user", accounts.show(call.db, found, users.selected(call, asked)))
    permissions.require(call, permissions.DELETED_GROUP_READ)
    return _typed(call, "group", groups.show(found, groups.selected(call, asked)))


def _get(call: Call) -> User | Group:
    key = checked_id(call.key)
    found = accounts.find(call.db, key, deleted=True) or groups.find(call.db, key, deleted=True)
    if found is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return found


def _typed(call: Call, kind: str, document: dict[str, Any]) -> Reply:
    shown = {"@odata.type": f"#microsoft.graph.{kind}", **document}
    return call.entity("directoryObjects/$entity", shown)


def _writable(call: Call) -> User | Group:
    """Give the deleted object of the path, if this caller may bring it back or let it go."""
    found = _get(call)
    if isinstance(found, User):
        permissions.require(call, permissions.USER_DELETE)
        permissions.require_reach(call, found.id)
        return found
    return groups.require_write(call, permissions.GROUP_RESTORE, found)


def restore(call: Call) -> Reply:
    """`POST /directory/deletedItems/{id}/restore`, with or without a body."""
    found = _writable(call)
    if isinstance(found, User):
        wanted = _wanted_upn(call)
        upn = found.upn[_ID_LENGTH:] if wanted is None else wanted
        restored = replace(
            found, upn=upn, deleted=None, properties=_with_free_addresses(call, found)
        )
        accounts.save(call.db, restored)
        return _typed(call, "user", users.shown(call, restored, USER_DEFAULTS))
    group_deletions.require_restorable(call.db, found)
    call.db.execute('UPDATE "group" SET deleted = NULL WHERE id = ?', (found.id,))
    return _typed(call, "group", groups.show(replace(found, deleted=None), GROUP_DEFAULTS))


def refuse_restore(call: Call) -> Reply:
    """`POST /users/{id}/restore`: what is deleted is not found there.

    msgraph-sdk-powershell#987; that a living user is answered the same is inferred.
    """
    raise errors.NO_RESOURCE.error(id=call.key)


def _with_free_addresses(call: Call, user: User) -> Mapping[str, Any]:
    """Give the properties of a user that comes back; raises the refusal of a taken address.

    `autoReconcileProxyConflict` gives such addresses up instead (Graph, "Restore deleted item").
    """
    body = call.request.body
    given = bodies.lowered(body) if isinstance(body, dict) else {}
    if not bodies.flag(given, "autoReconcileProxyConflict"):
        addresses.require_free(call.db, user.id, user.properties)
        return user.properties
    held = {address for address, _ in addresses.rows(user.id, user.properties)}
    return addresses.without(user.properties, addresses.taken(call.db, user.id, held))


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
    found = _writable(call)
    if not isinstance(found, User):
        group_deletions.forget(call.db, found, call.now)
    else:
        purging.forget_user(call.db, found)
    return NO_CONTENT


_EITHER: Final = permissions.USER_DELETE | permissions.GROUP_RESTORE

ROUTES: Final = (
    (
        "GET",
        "directory/deletedItems/microsoft.graph.user",
        Route(listing, permissions.DELETED_READ),
    ),
    (
        "GET",
        "directory/deletedItems/microsoft.graph.group",
        Route(listing_groups, permissions.DELETED_GROUP_READ),
    ),
    (
        "GET",
        "directory/deletedItems/{}",
        Route(read, permissions.DELETED_READ | permissions.DELETED_GROUP_READ),
    ),
    (
        "DELETE",
        "directory/deletedItems/{}",
        Route(purge, _EITHER, activity="Hard Delete user"),
    ),
    (
        "POST",
        "directory/deletedItems/{}/restore",
        Route(restore, _EITHER, activity="Restore user"),
    ),
    ("POST", "users/{}/restore", Route(refuse_restore, permissions.USER_DELETE)),
)
