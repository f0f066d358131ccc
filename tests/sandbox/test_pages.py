"""Pages of users that are kept ready say what the users themselves say."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.data import pages

_TABLES = (
    "CREATE TABLE user_page (seq INTEGER PRIMARY KEY, shown TEXT)",
    "CREATE TABLE user_block (block INTEGER PRIMARY KEY, number INTEGER, shown TEXT)",
)
numbers = st.integers(min_value=1, max_value=5 * pages.SIZE)


def _read(db: sqlite3.Connection, top: int) -> list[str]:
    """Follow the pages from the first to the last."""
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        items, after = pages.parts(db, after, top)
        page = b",".join(items).decode().split(",") if items else []
        assert len(page) == top or (after is None and len(page) < top)
        found += page
    return found


@given(
    seeded=st.integers(min_value=0, max_value=4 * pages.SIZE),
    writes=st.lists(st.tuples(numbers, st.booleans())),
    top=st.integers(min_value=1, max_value=3 * pages.SIZE),
)
def test_pages_hold_everybody_once_and_in_order(
    seeded: int, writes: list[tuple[int, bool]], top: int
) -> None:
    """Whatever was put and dropped, pages of any size hold all that is left, in order."""
    with closing(sqlite3.connect(":memory:")) as db:
        for table in _TABLES:
            db.execute(table)
        kept = {seq: f"a{seq}" for seq in range(1, seeded + 1)}
        pages.put_all(db, kept.items())
        for turn, (seq, stays) in enumerate(writes):
            if stays:
                kept[seq] = f"b{turn}"
                pages.put(db, seq, kept[seq])
            else:
                kept.pop(seq, None)
                pages.drop(db, seq)
        assert _read(db, top) == [kept[seq] for seq in sorted(kept)]


def test_a_page_takes_few_rows() -> None:
    """A page of 999 users is read from whole blocks, and a part of one at either end."""
    with closing(sqlite3.connect(":memory:")) as db:
        for table in _TABLES:
            db.execute(table)
        pages.put_all(db, ((seq, "x") for seq in range(1, 3001)))
        whole = db.execute("SELECT count(*) FROM user_block WHERE number = ?", (pages.SIZE,))
        assert whole.fetchone()[0] == 3000 // pages.SIZE - 1
        items, _ = pages.parts(db, 999, 999)
        assert len(b",".join(items).split(b",")) == 999
        assert len(items) < 999 // pages.SIZE + 3
