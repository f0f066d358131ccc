"""A tenant's files: the database, had by one process at a time, and what lies beside it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reconciler.errors import UsageError
from reconciler.sandbox import certificates
from reconciler.sandbox.company.contoso import AGE_IDENTITY, AGE_RECIPIENT, APPLY_APP, CONTOSO
from reconciler.sandbox.company.seed import DECLARED, company_of, fill
from reconciler.sandbox.company.summary import Summary, summary
from reconciler.sandbox.data import store
from reconciler.sandbox.data.locks import locked
from reconciler.sandbox.permissions import USER_CREATE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.company.model import Company


@contextmanager
def opened(file: Path | None, seed: Path | None = None) -> Iterator[sqlite3.Connection]:
    """Have the tenant that *file* keeps, or a new one in memory, until the block ends.

    A new one has the company that *seed* tells of, or Contoso. Raises a `UsageError` when
    *file* is no tenant, when somebody is using it, and when it has another company than
    *seed*; an `InputError` when *seed* is wrong.
    """
    company = _company(seed)
    with _held(file), _connected(file, company) as db:
        if seed is not None and company_of(db) != company.digest:
            raise UsageError(
                f"{file} has another company than {seed} tells of",
                f"run `reconciler sandbox reset --file {file} --seed {seed}`, or name another file",
            )
        yield db


def shown(file: Path) -> Summary:
    """Sum up the tenant that *file* keeps, also while a server has it; changes nothing."""
    with store.read_only(file) as db:
        if company_of(db) is None:
            raise UsageError(f"{file} is still being filled", "try again when it is served")
        return summary(db)


def reset(file: Path, seed: Path | None = None) -> None:
    """Make the tenant that *file* keeps as new; raises as `opened` does."""
    company = _company(seed)
    with _held(file):
        store.remove(file)
        certificates.forget_client(file.parent)
        with _connected(file, company):
            pass


def _company(seed: Path | None) -> Company:
    if seed is None:
        return CONTOSO
    from reconciler.sandbox.company import declared  # noqa: PLC0415 -- slow to load

    return declared.company(seed)


def registered(db: sqlite3.Connection, folder: Path) -> Path | None:
    """Register the certificate in *folder* for the application that may write.

    In a company without Contoso's that is the first that may; None when there is no such, or
    when a seed file gave it a certificate of its own.
    """
    known = _writer(db)
    if known is None or known.get(DECLARED):
        return None
    path = certificates.ensure_client(folder)
    try:
        public = certificates.public_part(path)
    except ValueError as error:
        raise UsageError(f"{path} holds no certificate", "remove it; a new one is made") from error
    store.set_resource(db, "application", known["appId"], {**known, "certificate": public})
    return path


def _writer(db: sqlite3.Connection) -> dict[str, Any] | None:
    usual = store.resource(db, "application", APPLY_APP.client_id)
    others = store.resources(db, "application")
    able = (one for one in others if not USER_CREATE.isdisjoint(one["permissions"]))
    return usual or next(able, None)


@contextmanager
def _held(file: Path | None) -> Iterator[None]:
    """Have *file* to ourselves; nothing is made beside one that is no tenant."""
    if file is None:
        yield
        return
    store.check(file)
    with locked(file):
        yield


@contextmanager
def _connected(file: Path | None, company: Company) -> Iterator[sqlite3.Connection]:
    db, is_new = store.connect(file)
    try:
        if is_new:
            fill(db, company)
        if file is not None:
            _write_identity(file.parent / "priya-identity.txt")
        yield db
    finally:
        db.close()


def _write_identity(path: Path) -> None:
    if path.exists():
        return
    text = (
        "# published with the sandbox, for demonstrations only: it protects nothing\n"
        f"# public key: {AGE_RECIPIENT}\n"
        f"{AGE_IDENTITY}\n"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        # Such as a link that leads nowhere.
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"cannot write {path}: {reason}", "remove it, or name a file in another folder"
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
