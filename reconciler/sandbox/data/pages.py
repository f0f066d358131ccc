"""What lists show of users, kept ready: a page is then a matter of joining texts.

Each user's default properties lie in `user_page` as the JSON of one item. Users come in blocks
by their number; once a block is full its items lie in `user_block` too, joined, so that a
page of 999 takes some thirty rows and not a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

SIZE: Final = 32
"""Numbers in a block."""

_JOINED: Final = (
    "SELECT count(*) AS number, coalesce(group_concat(shown, ','), '') AS shown "
    "FROM (SELECT shown FROM user_page WHERE seq >= :first AND seq < :first + :size ORDER BY seq)"
)
_ROWS: Final = (
    "SELECT count(*), max(seq), CAST(group_concat(shown, ',') AS BLOB) FROM "
    "(SELECT seq, shown FROM user_page WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?)"
)
_END: Final = 2**62
"""More than any number."""


def put(db: sqlite3.Connection, seq: int, shown: str) -> None:
    """Keep what lists show of the user with this number."""
    db.execute("INSERT OR REPLACE INTO user_page VALUES (?, ?)", (seq, shown))
    if seq % SIZE == 0:
        _fill(db, seq // SIZE - 1)
    _renew(db, seq // SIZE)


def drop(db: sqlite3.Connection, seq: int) -> None:
    """Show the user with this number in lists no more."""
    db.execute("DELETE FROM user_page WHERE seq = ?", (seq,))
    _renew(db, seq // SIZE)


def put_all(db: sqlite3.Connection, items: Iterable[tuple[int, str]]) -> None:
    """Keep what lists show of many new users, in the order of their numbers."""
    items = list(items)
    db.executemany("INSERT INTO user_page VALUES (?, ?)", items)
    for block in sorted({seq // SIZE for seq, _ in items} - {0}):
        _fill(db, block - 1)


def _values(block: int) -> dict[str, int]:
    return {"block": block, "first": block * SIZE, "size": SIZE}


def _fill(db: sqlite3.Connection, block: int) -> None:
    db.execute(
        f"INSERT OR REPLACE INTO user_block SELECT :block, number, shown FROM ({_JOINED})",  # noqa: S608 -- constants
        _values(block),
    )


def _renew(db: sqlite3.Connection, block: int) -> None:
    """Join the items of a block again, if it is a full one."""
    db.execute(
        f"UPDATE user_block SET (number, shown) = ({_JOINED}) WHERE block = :block",  # noqa: S608 -- as above
        _values(block),
    )


def read_ahead(db: sqlite3.Connection) -> None:
    """Touch every block once, so that the first to ask for pages does not wait for the disk."""
    db.execute("SELECT sum(length(CAST(shown AS BLOB))) FROM user_block").fetchone()


def parts(db: sqlite3.Connection, after: int, top: int) -> tuple[list[bytes], int | None]:
    """Give up to *top* items that come after a number: JSON, in parts to be joined by commas.

    All is bytes: reading names of all scripts as text and writing them again costs the most.

    With them comes the number that the next page is after; None when there is no next page.
    """
    texts: list[bytes] = []
    here, left = after + 1, top
    if here % SIZE:
        # The rest of a block that the page before has begun.
        here, left = _rows(db, texts, here, left, -(-here // SIZE) * SIZE)
    if here % SIZE == 0:
        here, left = _blocks(db, texts, here, left)
    here, left = _rows(db, texts, here, left, _END)
    more = db.execute("SELECT 1 FROM user_page WHERE seq >= ? LIMIT 1", (here,)).fetchone()
    return texts, here - 1 if more else None


def _rows(
    db: sqlite3.Connection, texts: list[bytes], first: int, left: int, end: int
) -> tuple[int, int]:
    """Add up to *left* items below *end*; give the number to go on from, and what is left."""
    number, last, shown = db.execute(_ROWS, (first, end, left)).fetchone()
    if shown:
        texts.append(shown)
    if number < left:
        return end, left - number
    return last + 1 if number else first, 0


def _blocks(db: sqlite3.Connection, texts: list[bytes], here: int, left: int) -> tuple[int, int]:
    """Add whole blocks as long as they follow each other and there is room; likewise."""
    found: Any = db.execute(
        "SELECT block, number, CAST(shown AS BLOB) FROM user_block "
        "WHERE block >= ? ORDER BY block LIMIT ?",
        (here // SIZE, left // SIZE + 1),
    )
    for block, number, shown in found:
        if block * SIZE != here or number > left:
            break
        if shown:
            texts.append(shown)
        here, left = here + SIZE, left - number
    return here, left
