"""Group licenses on their way to the members, which the reply to their assignment is not.

Graph answers 202 and works afterwards. What is left to do lies in the database, so that it is
done even after a restart, some members before each request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.data import accounts, holdings
from reconciler.sandbox.data.store import set_resource, to_text
from reconciler.sandbox.data.subscriptions import Subscriptions

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

_KIND: Final = "licenseProcessing"
_STEP: Final = 500
"""Members that are processed before a request: few enough that it hardly waits for them."""


def enqueue(db: sqlite3.Connection, group_id: str, now: datetime) -> None:
    """Have the members of a group processed; one that already waits begins anew."""
    job = {"group": group_id, "at": now.timestamp(), "after": 0}
    db.execute("INSERT OR REPLACE INTO resource VALUES (?, ?, ?)", (_KIND, group_id, to_text(job)))
    _tell(db, group_id, "QueuedForProcessing")


def is_due(db: sqlite3.Connection, until: datetime) -> bool:
    """Whether a group waits since *until* or longer; costs next to nothing."""
    return _due(db, until) is not None


def settle(db: sqlite3.Connection, until: datetime, now: datetime) -> None:
    """Process some members of the groups that wait since *until*, the longest waiting first."""
    left = _STEP
    while left > 0 and (job := _due(db, until)):
        left -= _process(db, job, left, now)


def _due(db: sqlite3.Connection, until: datetime) -> dict[str, Any] | None:
    row = db.execute(
        "SELECT document FROM resource WHERE kind = ? AND json_extract(document, '$.at') <= ? "
        "ORDER BY json_extract(document, '$.at') LIMIT 1",
        (_KIND, until.timestamp()),
    ).fetchone()
    return None if row is None else dict(orjson.loads(row[0]))


def _process(db: sqlite3.Connection, job: dict[str, Any], most: int, now: datetime) -> int:
    """Process up to *most* members of a group; gives how many there were."""
    rows = db.execute(
        "SELECT m.seq, u.seq, u.id, upn, deleted, manager, password, document "
        "FROM member AS m JOIN user AS u ON u.id = member_id "
        "WHERE group_id = ? AND m.seq > ? ORDER BY m.seq LIMIT ?",
        (job["group"], job["after"], most),
    ).fetchall()
    skus = Subscriptions(db)
    for _, *row in rows:
        holdings.process(db, accounts.from_row(tuple(row)), skus, now)
    if len(rows) == most:
        set_resource(db, _KIND, job["group"], job | {"after": rows[-1][0]})
        _tell(db, job["group"], "ProcessingInProgress")
    else:
        db.execute("DELETE FROM resource WHERE kind = ? AND id = ?", (_KIND, job["group"]))
        _tell(db, job["group"], "ProcessingComplete")
    return len(rows)


def _tell(db: sqlite3.Connection, group_id: str, state: str) -> None:
    """Show on the group how far its licenses are."""
    db.execute(
        "UPDATE \"group\" SET document = json_set(document, '$.licenseProcessingState', "
        "json_object('state', ?)) WHERE id = ?",
        (state, group_id),
    )
