"""One process at a time has a tenant's file: two servers of it would not see each other.

The lock is advisory and lies on a companion file, because SQLite's own locks are lost when
a process closes any descriptor of the database (SQLite, "How To Corrupt An SQLite Database
File", 2.2). The kernel lets go of it when its process ends, however it ends; the companion
stays, since removing it would let two hold a lock of the same name.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Have *file* alone until the block ends; raises a `UsageError` when somebody else does."""
    descriptor = _companion(file)
    try:
        if sys.platform != "win32":  # pragma: no branch -- Windows has no flock, and goes unlocked
            _take(descriptor, file)
        yield
    finally:
        os.close(descriptor)


def _companion(file: Path) -> int:
    """Open the companion, which is the same for all links to *file*."""
    real = file.resolve()
    path = real.with_name(f"{real.name}.lock")
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {(error.strerror or type(error).__name__).lower()}",
            "name a file in a folder that you may write to",
        ) from error


def _take(descriptor: int, file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            f"a server is using {file} already", "stop it, or name another file"
        ) from error
