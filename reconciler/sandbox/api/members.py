"""`/groups/{id}/members`: add, remove; binding them is in `group_writes.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import group_deletions, groups, links, objects, users
from reconciler.sandbox.api.groups import Group
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, referenced
from reconciler.sandbox.data.accounts import User

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Reply


def _writable(call: Call) -> Group:
    """Give the group of the path, if this caller may change its members."""
    found = groups.find(call.db, call.key)
    group = groups.require_write(call, permissions.MEMBER_WRITE, found)
    if refusal := group.refuse_members():
        raise refusal
    return group


def add(call: Call) -> Reply:
    """`POST /groups/{id}/members/$ref`."""
    group = _writable(call)
    links.add_members(call, group, [referenced(call.body())])
    return NO_CONTENT


def bare(_: Call) -> Reply:
    """`POST /groups/{id}/members`, which wants `$ref`."""
    raise errors.BARE_MEMBERS.error()


def remove(call: Call) -> Reply:
    """`DELETE /groups/{id}/members/{oid}/$ref`."""
    links.remove_member(call, _writable(call), objects.linked_id(call.db, call.keys[1]))
    return NO_CONTENT


def delete_object(call: Call) -> Reply:
    """`DELETE /groups/{id}/members/{oid}`: without `/$ref` the object itself goes."""
    group = groups.get(call.db, call.key)
    key = objects.linked_id(call.db, call.keys[1])
    held = call.db.execute(
        "SELECT 1 FROM member WHERE group_id = ? AND member_id = ?", (group.id, key)
    ).fetchone()
    member = objects.find_any(call.db, key) if held else None
    match member:
        case None:
            raise errors.NO_RESOURCE.error(id=key)
        case User():
            permissions.require(call, permissions.USER_DELETE)
            return users.delete(Call(call.db, call.request, call.caller, (key,), call.now))
        case Group():
            return group_deletions.remove(call, member)
        case _:
            raise errors.NOT_SERVED.error(what="the deletion of service principals")


ROUTES: Final = (
    ("POST", "groups/{}/members", Route(bare, permissions.MEMBER_WRITE)),
    (
        "POST",
        "groups/{}/members/$ref",
        Route(add, permissions.ANYBODY, activity="Add member to group"),
    ),
    (
        "DELETE",
        "groups/{}/members/{}/$ref",
        Route(remove, permissions.ANYBODY, activity="Remove member from group"),
    ),
    (
        "DELETE",
        "groups/{}/members/{}",
        Route(delete_object, permissions.USER_DELETE | permissions.GROUP_DELETE),
    ),
)
