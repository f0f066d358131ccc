"""Schedules of PIM: who may take a role or has it, from when and until when.

A schedule lies under its holding, so that there is one of a kind. The moment at which the
next one begins or ends is kept beside them: to ask whether it has come costs next to nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.data import assignments
from reconciler.sandbox.data.assignments import of_document
from reconciler.sandbox.data.moments import parse
from reconciler.sandbox.data.store import (
    add_resource,
    resource,
    resources,
    set_resource,
    set_setting,
)

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.data.assignments import Holding

ELIGIBLE: Final = "roleEligibilitySchedule"
ACTIVE: Final = "roleAssignmentSchedule"
"""Kinds of schedules, under the names of their resources."""

WAITING, BEGUN = "Granted", "Provisioned"
"""What Graph calls the status before and after a schedule begins (its examples of replies)."""

_DUE: Final = "schedulesDue"


def request_kind(kind: str) -> str:
    """Give the kind of the requests that schedules of *kind* come from."""
    return f"{kind}Request"


def find(db: sqlite3.Connection, kind: str, holding: Holding) -> dict[str, Any] | None:
    """Give the schedule of *holding*, if there is one."""
    return resource(db, kind, holding.key)


def start_of(schedule: dict[str, Any]) -> datetime:
    """Give the moment from which it counts."""
    return _moment(schedule["scheduleInfo"]["startDateTime"])


def end_of(schedule: dict[str, Any]) -> datetime | None:
    """Give the moment from which it counts no more; None when it never ends."""
    end = schedule["scheduleInfo"]["expiration"]["endDateTime"]
    return None if end is None else _moment(end)


def _moment(text: str) -> datetime:
    found = parse(text)
    assert found is not None, text  # noqa: S101 -- written by `precise`
    return found


def keep(db: sqlite3.Connection, kind: str, schedule: dict[str, Any], now: datetime) -> None:
    """Keep a schedule, in place of the one of the same holding, and let it begin in its time."""
    holding = of_document(schedule)
    write = set_resource if find(db, kind, holding) else add_resource
    write(db, kind, holding.key, schedule)
    begins = start_of(schedule)
    if begins <= now:
        _begin(db, kind, schedule)
    for moment in (begins, end_of(schedule)):
        if moment is not None and moment > now:
            _remind(db, moment)


def drop(db: sqlite3.Connection, kind: str, holding: Holding) -> None:
    """Forget a schedule; of an active one also take back what it gave."""
    db.execute("DELETE FROM resource WHERE kind = ? AND id = ?", (kind, holding.key))
    if kind == ACTIVE:
        assignments.remove(db, holding)


def forget(db: sqlite3.Connection, principal_id: str) -> None:
    """Forget all schedules of a principal that is no more."""
    for kind in (ELIGIBLE, ACTIVE):
        db.execute(
            "DELETE FROM resource WHERE kind = ? AND id > ? AND id < ?",
            (kind, f"{principal_id}/", f"{principal_id}0"),
        )


def is_due(db: sqlite3.Connection, now: datetime) -> bool:
    """Whether a schedule begins or ends by *now*."""
    due = _due(db)
    return due is not None and due <= now


def _due(db: sqlite3.Connection) -> datetime | None:
    found = db.execute("SELECT value FROM setting WHERE name = ?", (_DUE,)).fetchone()
    return None if found is None else datetime.fromisoformat(found[0])


def _remind(db: sqlite3.Connection, moment: datetime) -> None:
    """Note a moment at which a schedule begins or ends, if it is the next one."""
    due = _due(db)
    if due is None or moment < due:
        set_setting(db, _DUE, moment.isoformat())


def settle(db: sqlite3.Connection, now: datetime) -> None:
    """Let schedules begin and end whose time has come, and note when the next one does."""
    db.execute("DELETE FROM setting WHERE name = ?", (_DUE,))
    for kind in (ELIGIBLE, ACTIVE):
        for schedule in resources(db, kind):
            end = end_of(schedule)
            if end is not None and end <= now:
                drop(db, kind, of_document(schedule))
            else:
                keep(db, kind, schedule, now)


def _begin(db: sqlite3.Connection, kind: str, schedule: dict[str, Any]) -> None:
    holding = of_document(schedule)
    if kind == ACTIVE and not assignments.is_held(db, holding):
        assignments.add(db, holding)
    if schedule["status"] == WAITING:
        set_resource(db, kind, holding.key, {**schedule, "status": BEGUN})
        answer(db, kind, schedule["createdUsing"], BEGUN)


def answer(db: sqlite3.Connection, kind: str, key: str, status: str) -> None:
    """Let the request that a schedule comes from show *status*."""
    made = resource(db, request_kind(kind), key) or {}
    set_resource(db, request_kind(kind), key, {**made, "status": status})
