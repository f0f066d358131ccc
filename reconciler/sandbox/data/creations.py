"""Who made which user or group, for the directory quota of who makes them.

Entra, "Microsoft Entra service limits and restrictions": what can be restored counts in full,
and what cannot be any more counts a quarter, for 30 days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.sandbox.data.ledger import Touch

_COUNTED_FOR: Final = timedelta(days=30)
_TABLES: Final = frozenset(("user", "group"))


def noted(
    db: sqlite3.Connection, principal_id: str | None, touches: Iterable[Touch], now: datetime
) -> bool:
    """Keep who made what and what is gone for good; tells whether anything was made.

    *principal_id* is who wrote, or None for the tenant itself.
    """
    has_made = False
    for touch in touches:
        if touch.table not in _TABLES:
            continue
        if touch.verb == "insert" and principal_id is not None:
            db.execute("INSERT INTO creation VALUES (?, ?, NULL)", (touch.id, principal_id))
            has_made = True
        elif touch.verb == "delete":
            db.execute("UPDATE creation SET gone = ? WHERE id = ?", (stamp(now), touch.id))
    return has_made


def require_quota(db: sqlite3.Connection, principal_id: str, most: float, now: datetime) -> None:
    """Raise Graph's refusal when what *principal_id* has made is more than *most* objects."""
    since = stamp(now - _COUNTED_FOR)
    db.execute("DELETE FROM creation WHERE principal = ? AND gone <= ?", (principal_id, since))
    (used,) = db.execute(
        "SELECT total(CASE WHEN gone IS NULL THEN 1 ELSE 0.25 END) FROM creation "
        "WHERE principal = ?",
        (principal_id,),
    ).fetchone()
    if used > most:
        raise errors.DIRECTORY_QUOTA.error()
