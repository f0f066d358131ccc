"""What is gone for good: deleted by name, or 30 days after it came into the recycle bin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.sandbox.api import access_passes, group_deletions, groups, openextensions
from reconciler.sandbox.data import accounts, schedules
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

KEPT_FOR: Final = timedelta(days=30)
"""How long the recycle bin keeps what is in it (Graph, "deletedItems")."""
_STEP: Final = 500
"""Of each kind that go before a request: few enough that it hardly waits for them."""


def forget_user(db: sqlite3.Connection, user: accounts.User) -> None:
    """Let a deleted user go for good, with all that it was in, had and was granted."""
    for text in (
        "DELETE FROM member WHERE member_id = ?",
        "DELETE FROM owner WHERE owner_id = ?",
        "DELETE FROM license WHERE user_id = ?",
        "DELETE FROM role_assignment WHERE principal_id = ?",
        "UPDATE user SET manager = NULL WHERE manager = ?",
    ):
        db.execute(text, (user.id,))
    schedules.forget(db, user.id)
    access_passes.forget(db, user.id)
    openextensions.forget(db, user.id)
    accounts.remove(db, user)


def is_due(db: sqlite3.Connection, now: datetime) -> bool:
    """Whether anything has been in the bin for its time by *now*; costs next to nothing."""
    until = stamp(now - KEPT_FOR)
    (found,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM user WHERE deleted <= ?1) "
        'OR EXISTS (SELECT 1 FROM "group" WHERE deleted <= ?1)',
        (until,),
    ).fetchone()
    return bool(found)


def settle(db: sqlite3.Connection, now: datetime) -> None:
    """Let go what has been in the bin for its time, the longest there first."""
    values = (stamp(now - KEPT_FOR), _STEP)
    for row in db.execute(
        f"SELECT {accounts.COLUMNS} FROM user WHERE deleted <= ? ORDER BY deleted LIMIT ?",  # noqa: S608 -- constants
        values,
    ).fetchall():
        forget_user(db, accounts.from_row(row))
    for row in db.execute(
        f'SELECT {groups.COLUMNS} FROM "group" WHERE deleted <= ? ORDER BY deleted LIMIT ?',  # noqa: S608 -- constants
        values,
    ).fetchall():
        group_deletions.forget(db, groups.from_row(row), now)
