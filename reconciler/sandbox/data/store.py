"""The tenant's memory: one SQLite file, or none.

What queries ask for has a column or an index; the rest of an object is a JSON document.
Everything happens on one thread, a request at a time, so a transaction never waits.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.errors import UsageError
from reconciler.sandbox import ownership

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_APPLICATION_ID = 0x52454353
"""`RECS`: what makes an SQLite file one of ours."""
_FORMAT = 3
_MAPPED = 1 << 30
"""Bytes of the file that are read without a copy."""
_NAME_ANOTHER = "--sandbox=FILE names the database of the local tenant; name another file"

INDEXED_PATHS = {
    "user": (
        "accountEnabled",
        "city",
        "country",
        "createdDateTime",
        "department",
        "displayName",
        "employeeId",
        "givenName",
        "jobTitle",
        "mail",
        "mailNickname",
        "onPremisesExtensionAttributes.extensionAttribute15",
        "onPremisesImmutableId",
        "onPremisesSyncEnabled",
        "state",
        "surname",
        "usageLocation",
        "userType",
    ),
    "group": (
        "createdDateTime",
        "description",
        "displayName",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "onPremisesLastSyncDateTime",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "securityEnabled",
        "uniqueName",
    ),
}
"""What Graph answers from its default index, and what marks accounts: no query for it scans."""


def path_expression(path: str) -> str:
    """Give the SQL that reads *path* of a document; the indexes are on these very words."""
    return f"json_extract(document, '$.{path}')"


_TABLES = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE resource (
    kind TEXT NOT NULL, id TEXT NOT NULL COLLATE NOCASE, document TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE user (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE COLLATE NOCASE,
    upn TEXT NOT NULL UNIQUE COLLATE NOCASE,
    deleted TEXT, manager TEXT, password TEXT,
    document TEXT NOT NULL
);
CREATE INDEX user_deleted ON user (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX user_manager ON user (manager) WHERE manager IS NOT NULL;
CREATE TABLE user_page (seq INTEGER PRIMARY KEY, shown TEXT NOT NULL);
CREATE TABLE user_block (
    block INTEGER PRIMARY KEY, number INTEGER NOT NULL, shown TEXT NOT NULL
);
CREATE TABLE "group" (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE COLLATE NOCASE,
    deleted TEXT,
    document TEXT NOT NULL
);
CREATE INDEX group_deleted ON "group" (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE member (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL, member_id TEXT NOT NULL,
    UNIQUE (group_id, member_id)
);
CREATE INDEX member_member ON member (member_id);
CREATE INDEX member_group ON member (group_id);
CREATE TABLE license (
    user_id TEXT NOT NULL, sku_id TEXT NOT NULL, group_id TEXT NOT NULL,
    disabled TEXT NOT NULL, updated TEXT NOT NULL, error TEXT NOT NULL DEFAULT 'None',
    PRIMARY KEY (user_id, sku_id, group_id)
);
CREATE INDEX license_sku ON license (sku_id, user_id);
CREATE INDEX license_error ON license (group_id) WHERE error <> 'None';
CREATE TABLE role_assignment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    role_id TEXT NOT NULL COLLATE NOCASE, principal_id TEXT NOT NULL COLLATE NOCASE,
    scope TEXT NOT NULL,
    UNIQUE (principal_id, role_id, scope)
);
CREATE TABLE owner (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL, owner_id TEXT NOT NULL,
    UNIQUE (group_id, owner_id)
);
CREATE INDEX owner_owner ON owner (owner_id);
CREATE TABLE address (
    address TEXT NOT NULL, holder TEXT NOT NULL,
    PRIMARY KEY (address, holder)
) WITHOUT ROWID;
CREATE INDEX address_holder ON address (holder);
CREATE TABLE creation (
    id TEXT PRIMARY KEY, principal TEXT NOT NULL, gone TEXT
) WITHOUT ROWID;
CREATE INDEX creation_principal ON creation (principal);
CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, other TEXT, verb TEXT NOT NULL
);
CREATE INDEX change_object ON change (kind, id);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, document TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
"""


def _create(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        if not _is_index(statement):
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {_FORMAT}")


def _is_index(statement: str) -> bool:
    return statement.lstrip().startswith("CREATE INDEX")


def add_indexes(db: sqlite3.Connection) -> None:
    """Make the indexes of a tenant that has its company: sooner, each row would cost more."""
    for statement in filter(_is_index, _TABLES.split(";")):
        db.execute(statement)
    for table, paths in INDEXED_PATHS.items():
        for number, path in enumerate(paths):
            where = f"({path_expression(path)} COLLATE NOCASE)"
            db.execute(f'CREATE INDEX {table}_path_{number} ON "{table}" {where}')


def connect(file: Path | None) -> tuple[sqlite3.Connection, bool]:
    """Open *file*, or memory; tell whether it was new and wants its company.

    Raises a `UsageError` when the file is something else, or of another format.
    """
    if file is not None:
        ownership.require_database(file)
        if not file.exists():
            _make(file)
    db = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        with _named(file):
            _require_ours(db, file)
            if file is not None:
                ownership.tighten(file)
            return db, _prepare(db, file)
    except UsageError:
        db.close()
        raise


def _make(file: Path) -> None:
    """Make *file* empty and for this user alone: it holds the secrets of applications."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.close(os.open(file, flags, 0o600))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"cannot make {file}: {reason}", _NAME_ANOTHER) from error


@contextmanager
def read_only(file: Path) -> Iterator[sqlite3.Connection]:
    """Have *file* to read, whoever else has it; raises a `UsageError` when it is no tenant."""
    if not file.exists():
        raise UsageError(
            f"there is no sandbox tenant in {file}", "`reconciler sandbox serve` makes one"
        )
    address = f"{file.absolute().as_uri()}?mode=ro"
    with _named(file), closing(sqlite3.connect(address, uri=True, isolation_level=None)) as db:
        _require_ours(db, file)
        _require_format(db, file)
        yield db


def check(file: Path) -> None:
    """Raise a `UsageError` unless *file* is a tenant of any format, or could become one.

    Makes the folder of a new one, but none above it: a longer path is rather a slip.
    """
    try:
        file.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot keep a sandbox tenant in {file.parent}: {_reason(error)}",
            "make the folder, or name another file",
        ) from error
    ownership.require_database(file)
    if file.exists():
        with _named(file), closing(sqlite3.connect(file)) as db:
            _require_ours(db, file)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the folder above it does not exist"
    return (error.strerror or type(error).__name__).lower()


@contextmanager
def _named(file: Path | None) -> Iterator[None]:
    """Say of which file it is that SQLite complains."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise _foreign(file) from error
        raise UsageError(
            f"{file or 'memory'} cannot be used as a sandbox tenant: {error}", _NAME_ANOTHER
        ) from error


def _foreign(file: Path | None) -> UsageError:
    return UsageError(f"{file} is not a sandbox tenant", _NAME_ANOTHER)


def _mark(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _is_empty(db: sqlite3.Connection) -> bool:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables


def _require_ours(db: sqlite3.Connection, file: Path | None) -> None:
    if not _is_empty(db) and _mark(db, "application_id") != _APPLICATION_ID:
        raise _foreign(file)


def _require_format(db: sqlite3.Connection, file: Path | None) -> None:
    if _mark(db, "user_version") != _FORMAT:
        raise UsageError(
            f"{file} is a sandbox tenant of another version",
            f"name another file, or run `reconciler sandbox reset --file {file}`",
        )


def _prepare(db: sqlite3.Connection, file: Path | None) -> bool:
    """Make the tables of an empty file; leave one of another format untouched."""
    is_empty = _is_empty(db)
    if not is_empty:
        _require_format(db, file)
    db.execute("PRAGMA busy_timeout = 5000")
    db.execute("PRAGMA journal_mode = WAL")
    # A crash of this process loses nothing; only one of the whole machine may.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA mmap_size = {_MAPPED}")
    db.execute("PRAGMA temp_store = MEMORY")
    if is_empty:
        with transaction(db):
            _create(db)
    (is_new,) = db.execute("SELECT NOT EXISTS (SELECT 1 FROM setting)").fetchone()
    return bool(is_new)


def remove(file: Path) -> None:
    """Remove the tenant that *file* keeps, if any; `check` tells whether it is one."""
    for suffix in ownership.JOURNALS:
        file.with_name(file.name + suffix).unlink(missing_ok=True)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Keep all that is written inside, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def setting(db: sqlite3.Connection, name: str) -> str:
    """Give what the tenant keeps under *name*."""
    (value,) = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return str(value)


def set_setting(db: sqlite3.Connection, name: str, value: str) -> None:
    """Keep *value* under *name*."""
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


def to_text(document: Any) -> str:  # noqa: ANN401 -- any JSON
    """Give *document* as it is kept."""
    return orjson.dumps(document).decode()


def add_resource(db: sqlite3.Connection, kind: str, key: str, document: dict[str, Any]) -> None:
    """Keep an object that has no table of its own."""
    db.execute("INSERT INTO resource VALUES (?, ?, ?)", (kind, key, to_text(document)))


def set_resource(db: sqlite3.Connection, kind: str, key: str, document: dict[str, Any]) -> None:
    """Replace an object that has no table of its own."""
    values = (to_text(document), kind, key)
    db.execute("UPDATE resource SET document = ? WHERE kind = ? AND id = ?", values)


def resources(db: sqlite3.Connection, kind: str) -> list[dict[str, Any]]:
    """Give all objects of *kind* in the order in which they came."""
    rows = db.execute("SELECT document FROM resource WHERE kind = ? ORDER BY rowid", (kind,))
    return [orjson.loads(document) for (document,) in rows]


def resource(db: sqlite3.Connection, kind: str, key: str) -> dict[str, Any] | None:
    """Give the object of *kind* with this id, if there is one."""
    row = db.execute(
        "SELECT document FROM resource WHERE kind = ? AND id = ?", (kind, key)
    ).fetchone()
    return None if row is None else dict(orjson.loads(row[0]))
