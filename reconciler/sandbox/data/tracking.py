"""What delta queries read: the objects there are, the changes since, and links between them.

Links are a user's manager and a group's members. A link whose other end is deleted is hidden,
and shows again when that is restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

Row = tuple[int, str]
"""A number to go on from, and the id of an object."""


@dataclass(frozen=True, slots=True)
class Links:
    """The relationship of a kind of object that is tracked."""

    name: str
    present: str
    """The SQL of an object's links: number, id and type of the other end."""


LINKS: Final = {
    "user": Links(
        "manager",
        "SELECT 1 AS seq, boss.id AS other, 'user' AS kind FROM user "
        "JOIN user AS boss ON boss.id = user.manager "
        "WHERE user.id = :id AND boss.deleted IS NULL",
    ),
    "group": Links(
        "members",
        "SELECT m.seq AS seq, m.member_id AS other, "
        "CASE WHEN g.id IS NULL THEN 'user' ELSE 'group' END AS kind "
        "FROM member AS m LEFT JOIN user AS u ON u.id = m.member_id "
        'LEFT JOIN "group" AS g ON g.id = m.member_id '
        "WHERE m.group_id = :id AND u.deleted IS NULL AND g.deleted IS NULL",
    ),
}


@dataclass(frozen=True, slots=True)
class Window:
    """The changes of one kind of object after *since*, up to *until*."""

    kind: str
    ids: tuple[str, ...]
    """The only objects to look at; empty for all."""
    since: int | None
    """None for all that there is."""
    until: int


class Seen(NamedTuple):
    """What happened to one object in a window."""

    is_new: bool
    is_gone: bool
    names: frozenset[str]
    """The properties that changed."""
    has_links: bool
    """Whether a link came or went."""


UNSEEN: Final = Seen(is_new=True, is_gone=False, names=frozenset(), has_links=False)


def last_change(db: sqlite3.Connection) -> int:
    """Give the number of the latest change."""
    (number,) = db.execute("SELECT coalesce(max(seq), 0) FROM change").fetchone()
    return int(number)


def _only(window: Window) -> str:
    return f" AND id IN ({', '.join('?' * len(window.ids))})" if window.ids else ""


def objects(db: sqlite3.Connection, window: Window, after: int, most: int) -> list[Row]:
    """Give living objects in the order in which they were made."""
    return db.execute(
        f'SELECT seq, id FROM "{window.kind}" WHERE deleted IS NULL AND seq > ?'  # noqa: S608 -- constants
        f"{_only(window)} ORDER BY seq LIMIT ?",
        (after, *window.ids, most),
    ).fetchall()


def changed(db: sqlite3.Connection, window: Window, after: int, most: int) -> list[Row]:
    """Give each object of *window* once, at its last change there."""
    return db.execute(
        "SELECT seq, id FROM change AS c NOT INDEXED WHERE kind = ? AND seq > ? AND seq <= ?"  # noqa: S608 -- as above
        f"{_only(window)} AND NOT EXISTS (SELECT 1 FROM change AS d WHERE d.kind = c.kind "
        "AND d.id = c.id AND d.seq > c.seq AND d.seq <= ?) ORDER BY seq LIMIT ?",
        (
            window.kind,
            max(window.since or 0, after),
            window.until,
            *window.ids,
            window.until,
            most,
        ),
    ).fetchall()


def seen(db: sqlite3.Connection, window: Window, key: str) -> Seen:
    """Give what happened to an object."""
    rows = db.execute(
        "SELECT verb, other FROM change WHERE kind = ? AND id = ? AND seq > ? AND seq <= ?",
        (window.kind, key, window.since, window.until),
    ).fetchall()
    verbs = {verb for verb, _ in rows}
    texts = (other for verb, other in rows if verb == "update")
    return Seen(
        is_new="insert" in verbs,
        is_gone="delete" in verbs,
        names=frozenset(name for text in texts for name in text.split(",")),
        has_links=not verbs.isdisjoint({"link", "unlink"}),
    )


# --- links

Link = tuple[int, dict[str, Any]]
"""A number to go on from, and what is shown."""


def present(db: sqlite3.Connection, kind: str, key: str, within: int, most: int) -> Iterator[Link]:
    """Give an object's links after the one with the number *within*."""
    text = f"SELECT * FROM ({LINKS[kind].present}) WHERE seq > :within ORDER BY seq LIMIT :most"  # noqa: S608 -- constants
    for number, other, type_ in db.execute(text, {"id": key, "within": within, "most": most}):
        yield number, _link(type_, other)


def moved(
    db: sqlite3.Connection, window: Window, key: str, within: int, most: int
) -> Iterator[Link]:
    """Give the links that came or went in *window*, as they are now."""
    rows = db.execute(
        "SELECT max(seq), other FROM change WHERE kind = ? AND id = ? AND seq > ? AND seq <= ? "
        "AND verb IN ('link', 'unlink') GROUP BY other HAVING max(seq) > ? ORDER BY 1 LIMIT ?",
        (window.kind, key, window.since, window.until, within, most),
    ).fetchall()
    kept = f"SELECT kind FROM ({LINKS[window.kind].present}) WHERE other = :other"  # noqa: S608 -- constants
    for number, other in rows:
        found = db.execute(kept, {"id": key, "other": other}).fetchone()
        if found:
            yield number, _link(found[0], other)
        else:
            yield number, _link(_type(db, other), other) | {"@removed": {"reason": "deleted"}}


def _link(kind: str, key: str) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": key}


def _type(db: sqlite3.Connection, key: str) -> str:
    row = db.execute('SELECT 1 FROM "group" WHERE id = ?', (key,)).fetchone()
    return "group" if row else "user"
