"""What each write touched: the source of delta queries, audit records and lagging replicas.

Triggers that live as long as the connection note every row, so that no handler has to; a
tenant being filled has none yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

_ROWS: Final = {
    "user": (
        "id",
        "NULL",
        (
            "json_set({row}.document, '$.userPrincipalName', {row}.upn, "
            "'$.deletedDateTime', {row}.deleted, '$.manager', {row}.manager, "
            "'$.passwordSalt', substr({row}.password, 1, 16))"
        ),
    ),
    "user_page": ("seq", "NULL", "NULL"),
    "user_block": ("block", "NULL", "NULL"),
    "group": ("id", "NULL", "json_set({row}.document, '$.deletedDateTime', {row}.deleted)"),
    "member": ("group_id", "member_id", "NULL"),
    "owner": ("group_id", "owner_id", "NULL"),
    "license": (
        "user_id",
        "sku_id",
        (
            "json_object('skuId', {row}.sku_id, 'groupId', {row}.group_id, "
            "'disabledPlans', json({row}.disabled), 'error', {row}.error)"
        ),
    ),
    "role_assignment": ("principal_id", "role_id", "json_object('scope', {row}.scope)"),
    "resource": ("id", "kind", "{row}.document"),
}
"""By table: whose row it is, the other end, and what to remember of it before a change."""

_DERIVED: Final = frozenset(("user_page", "user_block"))
"""The tables that only repeat what others hold."""

PASSWORD: Final = "passwordSalt"  # noqa: S105 -- a name
"""Tells a new password from the old one, and nothing else of either; not a property."""

_VERBS: Final = {"insert": "NEW", "update": "NEW", "delete": "OLD"}

TABLES: Final = tuple(_ROWS)


def _reading(table: str, shown: str) -> str:
    row = shown.replace("{row}", f'"{table}"')
    return f'SELECT {row} FROM "{table}" WHERE rowid = ?'  # noqa: S608 -- constants


_READ: Final = {
    table: _reading(table, shown) for table, (_, _, shown) in _ROWS.items() if shown != "NULL"
}

KEPT_FOR: Final = timedelta(days=7)
"""How long delta queries can look back (Graph, "Use delta query", token duration)."""

_PRUNED_EVERY: Final = 128
"""Every so many changes, as many old ones are looked at and those past their time forgotten."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One row that a write inserted, updated or deleted."""

    table: str
    row: int
    """Its rowid."""
    id: str
    """The object that it is of: the user of a license, the group of a membership."""
    other: str | None
    """The other end, if it has two: the member, the owner, the SKU, the role; or its kind."""
    verb: str
    """`insert`, `update` or `delete`."""
    before: Mapping[str, Any] | None
    """What it was: of users and groups the properties, `manager` and `deletedDateTime`."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one write did to one row, from before its first touch to after its last."""

    table: str
    id: str
    other: str | None
    verb: str
    before: Mapping[str, Any]
    """What it was, as in `Touch`; empty if there is nothing to remember."""
    after: Mapping[str, Any]

    def names(self) -> tuple[str, ...]:
        """Give the properties that differ."""
        if self.verb == "insert":
            return tuple(name for name, value in sorted(self.after.items()) if value is not None)
        both = self.before.keys() | self.after.keys()
        return tuple(n for n in sorted(both) if self.before.get(n) != self.after.get(n))


def watch(db: sqlite3.Connection) -> None:
    """Note what is written on this connection from now on."""
    # What a REPLACE deletes is noted too.
    db.execute("PRAGMA recursive_triggers = ON")
    db.execute(
        "CREATE TEMP TABLE touched (seq INTEGER PRIMARY KEY, name TEXT, row INTEGER, "
        "id TEXT, other TEXT, verb TEXT, before TEXT)"
    )
    for table, (key, other, before) in _ROWS.items():
        for verb, row in _VERBS.items():
            other_end = other if other == "NULL" else f"{row}.{other}"
            was = "NULL" if verb == "insert" else before.format(row="OLD")
            values = f"NULL, '{table}', {row}.rowid, {row}.{key}, {other_end}, '{verb}', {was}"
            head = f'CREATE TEMP TRIGGER touched_{table}_{verb} AFTER {verb} ON main."{table}"'
            db.execute(f"{head} BEGIN INSERT INTO touched VALUES ({values}); END")  # noqa: S608 -- constants


def taken(db: sqlite3.Connection) -> list[Touch]:
    """Give what has been touched since the last time, in that order, and forget it."""
    rows = db.execute(
        "SELECT name, row, id, other, verb, before FROM touched ORDER BY seq"
    ).fetchall()
    if rows:
        db.execute("DELETE FROM touched")
    return [
        Touch(name, row, str(key), other, verb, orjson.loads(before) if before else None)
        for name, row, key, other, verb, before in rows
    ]


def changes(db: sqlite3.Connection, touches: Iterable[Touch]) -> list[Change]:
    """Give what *touches* come to, row by row; a row that came and went is left out."""
    first: dict[tuple[str, int, str, str | None], Touch] = {}
    last: dict[tuple[str, int, str, str | None], str] = {}
    for touch in touches:
        if touch.table not in _DERIVED:
            key = (touch.table, touch.row, touch.id, touch.other)
            first.setdefault(key, touch)
            last[key] = touch.verb
    found = (_change(db, touch, last[key]) for key, touch in first.items())
    return [change for change in found if change]


def _change(db: sqlite3.Connection, touch: Touch, last: str) -> Change | None:
    was, stays = touch.verb != "insert", last != "delete"
    if not was and not stays:
        return None
    verb = "update" if was and stays else "insert" if stays else "delete"
    after: Mapping[str, Any] = {}
    if stays and (read := _READ.get(touch.table)):
        (text,) = db.execute(read, (touch.row,)).fetchone()
        after = orjson.loads(text)
    return Change(touch.table, touch.id, touch.other, verb, touch.before or {}, after)


# --- for delta queries


def keep(db: sqlite3.Connection, done: Iterable[Change], now: datetime) -> list[Touch]:
    """Keep what delta queries ask for later; gives the rows that this took."""
    moment = stamp(now)
    rows = dict.fromkeys(row for change in done for row in _tracked(db, change))
    kept = []
    for kind, key, other, verb in rows:
        number = db.execute(
            "INSERT INTO change (at, kind, id, other, verb) VALUES (?, ?, ?, ?, ?)",
            (moment, kind, key, other, verb),
        ).lastrowid
        kept.append(Touch("change", number or 0, key, other, "insert", None))
    if kept and kept[-1].row % _PRUNED_EVERY < len(kept):
        db.execute(
            "DELETE FROM change WHERE at < ? "
            "AND seq IN (SELECT seq FROM change ORDER BY seq LIMIT ?)",
            (stamp(now - KEPT_FOR), 2 * _PRUNED_EVERY),
        )
    return kept


_Tracked = tuple[str, str, str | None, str]
"""Kind and id of an object, what changed, and how.

That is for `update` the names of properties, for `link` and `unlink` the id of the member or
the manager.
"""


def _tracked(db: sqlite3.Connection, change: Change) -> Iterator[_Tracked]:
    match change.table:
        case "user" | "group":
            yield from _object(change)
            if (change.before.get("deletedDateTime") is None) != (
                change.after.get("deletedDateTime") is None
            ) and change.verb == "update":
                yield from _links_to(db, change)
        case "member":
            yield "group", change.id, change.other, _LINKS[change.verb]
        case "license":
            yield "user", change.id, "assignedLicenses,licenseAssignmentStates", "update"


_LINKS: Final = {"insert": "link", "delete": "unlink"}


def _object(change: Change) -> Iterator[_Tracked]:
    if change.verb != "update":
        yield change.table, change.id, None, change.verb
    elif names := [n for n in change.names() if n not in {"manager", PASSWORD}]:
        yield change.table, change.id, ",".join(names), "update"
    was, now = change.before.get("manager"), change.after.get("manager")
    if was != now:
        if was:
            yield "user", change.id, was, "unlink"
        if now:
            yield "user", change.id, now, "link"


def _links_to(db: sqlite3.Connection, change: Change) -> Iterator[_Tracked]:
    """Give the links that a deletion hides and a restoration shows again."""
    verb = "unlink" if change.after.get("deletedDateTime") else "link"
    text = "SELECT group_id FROM member WHERE member_id = ?"
    for (group,) in db.execute(text, (change.id,)).fetchall():
        yield "group", group, change.id, verb
    text = "SELECT id FROM user WHERE manager = ?"
    for (report,) in db.execute(text, (change.id,)).fetchall():
        yield "user", report, change.id, verb
