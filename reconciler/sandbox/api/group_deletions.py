"""`DELETE /groups/{id}`, and what becomes of a group then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import groups, licenses, openextensions
from reconciler.sandbox.api.group_writes import require_unique
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import addresses, schedules
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.wire import Reply


def delete(call: Call) -> Reply:
    """`DELETE /groups/{id}`."""
    return remove(call, groups.find(call.db, call.key))


def remove(call: Call, found: Group | None) -> Reply:
    """Delete the group that was *found*; raises Graph's 404 when none was."""
    group = groups.require_write(call, permissions.GROUP_DELETE, found)
    if refusal := group.refuse_write(errors.MAIL_GROUP_DELETION):
        raise refusal
    if group.properties.get("assignedLicenses"):
        raise errors.GROUP_LICENSED.error()
    if _is_restorable(group):
        moment = stamp(call.now)
        call.db.execute('UPDATE "group" SET deleted = ? WHERE id = ?', (moment, group.id))
    else:
        forget(call.db, group, call.now)
    return NO_CONTENT


def _is_restorable(group: Group) -> bool:
    """Whether a deleted group waits for 30 days: security groups are gone (Graph, "Delete group").

    Recent texts of Microsoft's mention deleted security groups too; this is where to say so.
    """
    return group.is_unified


def require_restorable(db: sqlite3.Connection, group: Group) -> None:
    """Raise the refusal to restore a group whose names were given away (inferred)."""
    require_unique(db, group.properties, group.id)
    addresses.require_free(db, group.id, group.properties)


def forget(db: sqlite3.Connection, group: Group, now: datetime) -> None:
    """Let a group go for good, with all that it was in, had, gave and was granted."""
    holders = db.execute(
        "SELECT DISTINCT user_id FROM license WHERE group_id = ?", (group.id,)
    ).fetchall()
    for text in (
        'DELETE FROM "group" WHERE id = ?1',
        "DELETE FROM member WHERE group_id = ?1 OR member_id = ?1",
        "DELETE FROM owner WHERE group_id = ?1",
        "DELETE FROM role_assignment WHERE principal_id = ?1",
    ):
        db.execute(text, (group.id,))
    schedules.forget(db, group.id)
    openextensions.forget(db, group.id)
    addresses.forget(db, group.id)
    for (holder,) in holders:
        licenses.disinherit(db, holder, group, now)


ROUTES: Final = (
    ("DELETE", "groups/{}", Route(delete, permissions.ANYBODY, activity="Delete group")),
)
