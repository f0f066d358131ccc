"""`/groups/{id}/owners`: add and remove; a group that had one keeps one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import permissions
from reconciler.sandbox.api import groups, links, objects
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, referenced

if TYPE_CHECKING:
    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.wire import Reply


def _writable(call: Call) -> Group:
    """Give the group of the path, if this caller may change its owners."""
    found = groups.find(call.db, call.key)
    group = groups.require_write(call, permissions.GROUP_WRITE, found)
    if refusal := group.refuse_write():
        raise refusal
    return group


def add(call: Call) -> Reply:
    """`POST /groups/{id}/owners/$ref`."""
    group = _writable(call)
    links.add_owners(call, group, [referenced(call.body())])
    return NO_CONTENT


def remove(call: Call) -> Reply:
    """`DELETE /groups/{id}/owners/{oid}/$ref`."""
    links.remove_owner(call, _writable(call), objects.linked_id(call.db, call.keys[1]))
    return NO_CONTENT


ROUTES: Final = (
    (
        "POST",
        "groups/{}/owners/$ref",
        Route(add, permissions.ANYBODY, activity="Add owner to group"),
    ),
    (
        "DELETE",
        "groups/{}/owners/{}/$ref",
        Route(remove, permissions.ANYBODY, activity="Remove owner from group"),
    ),
)
