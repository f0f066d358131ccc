"""Reads that lag behind writes: Graph answers them from replicas, and so does the tenant.

A write goes to the tenant's own database and reaches each replica after that replica's time,
row by row and in order. What is kept unique is checked where the writes go, so that a UPN can
be taken and not yet be found, as in Graph.
"""

from __future__ import annotations

import re
import sqlite3
from collections import deque
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.sandbox.data.ledger import Touch
    from reconciler.sandbox.wire import Json


class Area(Enum):
    """What a read is answered from."""

    DIRECTORY = "directory"
    """Objects by id, and default queries."""
    INDEX = "index"
    """The index of advanced queries."""
    PIM = "pim"
    """Schedules of roles, and the principals that these may name."""
    SEATS = "seats"
    """The counters of `subscribedSkus`."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds after which each area shows what was written, and what else takes its time."""

    directory: float = 0.0
    index: float = 0.0
    pim: float = 0.0
    seats: float = 0.0
    licenses: float = 0.0
    """After which a group's licenses reach its members; without it, at the next request."""

    def __bool__(self) -> bool:
        """Whether anything lags."""
        return any(getattr(self, each.name) for each in fields(self))


NO_LAG: Final = Lag()


@dataclass(slots=True)
class _Replica:
    db: sqlite3.Connection
    lag: float
    statements: Mapping[str, _Statements]
    due: deque[tuple[float, str, int, tuple[Any, ...] | None]] = field(default_factory=deque)
    """When, table, rowid, and the row, or None for one that is gone."""
    hidden: dict[str, float] = field(default_factory=dict)
    """Ids and names of what was made, with the moment from which it shows."""

    def catch_up(self, now: float) -> None:
        while self.due and self.due[0][0] <= now:
            _, table, row, values = self.due.popleft()
            self.db.execute(self.statements[table].drop, (row,))
            if values is not None:
                self.db.execute(self.statements[table].write, values)
        for key in [key for key, moment in self.hidden.items() if moment <= now]:
            del self.hidden[key]


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_REFERENCE = re.compile(r"/users(?:/|\(')([^/?\"']+)")
"""A person's name in an address."""


@dataclass(frozen=True, slots=True)
class _Statements:
    """How the rows of a table are copied, rowid and all."""

    read: str
    write: str
    drop: str

    @classmethod
    def of(cls, db: sqlite3.Connection, table: str) -> _Statements:
        """Look at what columns *table* has; one of whole numbers that is the key is the rowid."""
        described = db.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,))
        columns = [
            "rowid",
            *(name for name, kind, key in described if not (key and kind == "INTEGER")),
        ]
        named, slots = ", ".join(columns), ", ".join("?" * len(columns))
        return cls(
            f'SELECT {named} FROM "{table}" WHERE rowid = ?',  # noqa: S608 -- names of the schema
            f'INSERT OR REPLACE INTO "{table}" ({named}) VALUES ({slots})',  # noqa: S608 -- likewise
            f'DELETE FROM "{table}" WHERE rowid = ?',  # noqa: S608 -- likewise
        )


class _Tables(dict[str, _Statements]):
    """The statements of each table, made when one is first touched."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def __missing__(self, table: str) -> _Statements:
        made = self[table] = _Statements.of(self._db, table)
        return made


class Replicas:
    """The copies that lag, one to an area that does; the others read the tenant itself."""

    def __init__(self, db: sqlite3.Connection, lag: Lag, clock: Callable[[], float]) -> None:
        self._main = db
        self._clock = clock
        self._statements = _Tables(db)
        self._copies = {
            area: _Replica(_copy(db), seconds, self._statements)
            for area in Area
            if (seconds := getattr(lag, area.value)) > 0
        }

    def noted(self, touches: Sequence[Touch]) -> None:
        """Pass on what has just been written, each part in its time."""
        if not self._copies:
            return
        now = self._clock()
        for table, row in dict.fromkeys((touch.table, touch.row) for touch in touches):
            values = self._main.execute(self._statements[table].read, (row,)).fetchone()
            for copy in self._copies.values():
                copy.due.append((now + copy.lag, table, row, values))
        for key in self._made(touches):
            for copy in self._copies.values():
                copy.hidden[key.lower()] = now + copy.lag

    def _made(self, touches: Sequence[Touch]) -> list[str]:
        """Give the ids of what is new, and the names of people among it."""
        made = [t for t in touches if t.verb == "insert" and t.table in {"user", "group"}]
        names = [
            self._main.execute("SELECT upn FROM user WHERE id = ?", (touch.id,)).fetchone()
            for touch in made
            if touch.table == "user"
        ]
        return [touch.id for touch in made] + [upn for (upn,) in names]

    def reading(self, area: Area) -> sqlite3.Connection:
        """Give what a read of *area* is answered from."""
        copy = self._copies.get(area)
        if copy is None:
            return self._main
        copy.catch_up(self._clock())
        return copy.db

    def hidden(self, area: Area, keys: Iterable[str], body: Json) -> str | None:
        """Give the first object that a write to *area* names and that does not show there yet.

        *keys* are ids or names; of *body* ids and references count, since other names in it
        may be new ones.
        """
        copy = self._copies.get(area)
        if copy is None:
            return None
        copy.catch_up(self._clock())
        if not copy.hidden:
            return None
        named = [key.lower() for key in keys]
        if body is not None:
            text = orjson.dumps(body).decode().lower()
            named += _ID.findall(text)
            named += [unquote(name) for name in _REFERENCE.findall(text)]
        return next((key for key in named if key in copy.hidden), None)

    def close(self) -> None:
        """Let the copies go."""
        for copy in self._copies.values():
            copy.db.close()


def _copy(db: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    db.backup(copy)
    return copy
