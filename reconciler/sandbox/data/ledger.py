"""What each write touched: the source of delta queries, audit records and lagging replicas.

Triggers that live as long as the connection note every row, so that no handler has to; a
tenant being filled has none yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

_ROWS: Final = {
    "user": (
        "id",
        "NULL",
        (
            "json_set({row}.document, '$.userPrincipalName', {row}.upn, "
            "'$.deletedDateTime', {row}.deleted, '$.manager', {row}.manager)"
        ),
    ),
    "user_page": ("seq", "NULL", "NULL"),
    "group": ("id", "NULL", "json_set({row}.document, '$.deletedDateTime', {row}.deleted)"),
    "member": ("group_id", "member_id", "NULL"),
    "owner": ("group_id", "owner_id", "NULL"),
    "license": ("user_id", "sku_id", "json_object('skuId', {row}.sku_id)"),
    "role_assignment": ("principal_id", "role_id", "NULL"),
    "resource": ("id", "kind", "{row}.document"),
}
"""By table: whose row it is, the other end, and what to remember of it before a change."""

_VERBS: Final = {"insert": "NEW", "update": "NEW", "delete": "OLD"}

TABLES: Final = tuple(_ROWS)

_KEPT: Final = frozenset(("user", "group", "member"))
"""The tables that delta queries ask about."""


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


def watch(db: sqlite3.Connection) -> None:
    """Note what is written on this connection from now on."""
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


def keep(db: sqlite3.Connection, touches: Iterable[Touch], moment: str) -> None:
    """Keep what delta queries ask for later."""
    db.executemany(
        "INSERT INTO change (at, kind, id, other, verb) VALUES (?, ?, ?, ?, ?)",
        [
            (moment, touch.table, touch.id, touch.other, touch.verb)
            for touch in touches
            if touch.table in _KEPT
        ],
    )
