"""Audit records: who did what, kept in the transaction that did it.

Only what succeeded is recorded; Entra records some failures too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox.data import ledger
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.activities import performed
from reconciler.sandbox.data.ledger import Touch
from reconciler.sandbox.data.store import to_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from reconciler.sandbox.data.activities import Activity

KEPT_FOR: Final = timedelta(days=30)
"""How long the log goes back (Entra, "Microsoft Entra data retention", P1 and P2)."""
_PRUNED_EVERY: Final = 128
"""Every so many records, as many old ones are looked at and those past their time forgotten."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wrote, in which request."""

    app_id: str | None = None
    principal_id: str | None = None
    name: str | None = None
    """Of one that is no application of the tenant."""
    is_person: bool = False
    activity: str | None = None
    """What the route is called, if it writes."""
    keys: tuple[str, ...] = ()
    """The ids in the path."""
    correlation: str = ""
    """The id that the caller gave the request, or the one it got."""
    agent: str | None = None


LICENSING: Final = Actor(name="Microsoft Azure AD Group-Based Licensing")
PIM: Final = Actor(name="MS-PIM")
"""Those who write when nobody asks them to."""


def noted(db: sqlite3.Connection, actor: Actor, now: datetime) -> list[Touch]:
    """Keep what has just been written for delta queries and the audit log.

    Gives all rows that were touched, with those that this took, for the replicas.
    """
    touches = ledger.taken(db)
    done = ledger.changes(db, touches)
    kept = ledger.keep(db, done, now)
    activities = performed(db, done, actor.activity, actor.keys)
    return [*touches, *kept, *_recorded(db, activities, actor, now)]


def moment(when: datetime) -> str:
    """Give *when* as the log shows it, with seven digits of a second."""
    return f"{when.astimezone(UTC).isoformat(timespec='microseconds')[:26]}0Z"


def _recorded(
    db: sqlite3.Connection, activities: list[Activity], actor: Actor, now: datetime
) -> list[Touch]:
    if not activities:
        return []
    at = moment(now)
    common = _common(db, actor, at)
    kept = []
    for activity in activities:
        category, service, operation = about(activity.name)
        document = common | {
            "category": category,
            "activityDisplayName": activity.name,
            "loggedByService": service,
            "operationType": operation,
            "targetResources": list(activity.targets),
        }
        number = db.execute(
            "INSERT INTO audit (at, document) VALUES (?, ?)", (at, to_text(document))
        ).lastrowid
        kept.append(Touch("audit", number or 0, "", None, "insert", None))
    if kept[-1].row % _PRUNED_EVERY < len(kept):
        db.execute(
            "DELETE FROM audit WHERE at < ? "
            "AND seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?)",
            (moment(now - KEPT_FOR), 2 * _PRUNED_EVERY),
        )
    return kept


def _common(db: sqlite3.Connection, actor: Actor, at: str) -> dict[str, Any]:
    details = [{"key": "User-Agent", "value": actor.agent}] if actor.agent else []
    correlation = actor.correlation if GUID.fullmatch(actor.correlation) else str(uuid4())
    return {
        "category": "",
        "correlationId": correlation,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": "",
        "activityDateTime": at,
        "loggedByService": "",
        "operationType": "",
        "initiatedBy": {
            "user": _user(db, actor) if actor.is_person else None,
            "app": None if actor.is_person else _application(db, actor),
        },
        "targetResources": [],
        "additionalDetails": details,
    }


def _application(db: sqlite3.Connection, actor: Actor) -> dict[str, Any]:
    row = db.execute(
        "SELECT document ->> '$.displayName' FROM resource WHERE kind = 'application' AND id = ?",
        (actor.app_id,),
    ).fetchone()
    return {
        "appId": actor.app_id,
        "displayName": row[0] if row else actor.name,
        "servicePrincipalId": actor.principal_id,
        "servicePrincipalName": None,
    }


def _user(db: sqlite3.Connection, actor: Actor) -> dict[str, Any]:
    row = db.execute(
        "SELECT upn, document ->> '$.displayName' FROM user WHERE id = ?", (actor.principal_id,)
    ).fetchone()
    upn, name = row or (None, None)
    return {
        "id": actor.principal_id,
        "displayName": name,
        "userPrincipalName": upn,
        "ipAddress": None,
    }


_CORE, _AUTHENTICATION = "Core Directory", "Authentication Methods"
_CATEGORIES: Final = (
    (re.compile(r" in PIM\b"), "RoleManagement", "PIM"),
    (re.compile(r"security info"), "UserManagement", _AUTHENTICATION),
    (re.compile(r"administrative unit"), "AdministrativeUnit", _CORE),
    (re.compile(r"\brole\b"), "RoleManagement", _CORE),
    (re.compile(r"\bgroup\b"), "GroupManagement", _CORE),
    (re.compile(r"polic(y|ies)\b"), "Policy", _CORE),
    (re.compile(r"domain|company"), "DirectoryManagement", _CORE),
    (re.compile(r"application|service principal|credential"), "ApplicationManagement", _CORE),
)
"""The first that fits; all else is about users."""
_OPERATIONS: Final = {
    "Add": "Add",
    "Delete": "Delete",
    "Hard": "Delete",
    "Remove": "Delete",
}
_LINKED: Final = {"Add": "Assign", "Remove": "Unassign"}
_LINK: Final = re.compile(r"(member|owner) (to|from) ")


def about(name: str) -> tuple[str, str, str]:
    """Give the category, the service and the type of operation of an activity."""
    verb = name.partition(" ")[0]
    operations = _LINKED if _LINK.search(name) else _OPERATIONS
    operation = operations.get(verb, "Update")
    for pattern, category, service in _CATEGORIES:
        if pattern.search(name):
            return category, service, operation
    return "UserManagement", _CORE, operation
