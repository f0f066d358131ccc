"""Whether a file is ours: what somebody else may have put beside a tenant is not trusted.

In a folder that others can write to, such as `/tmp`, they could lay down a certificate
authority, a key, or a link that leads what is written elsewhere.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
JOURNALS: Final = ("-wal", "-shm", "")
"""What SQLite adds to a database's name, and nothing for the database itself."""


def is_there(path: Path, *, private: bool) -> bool:
    """Whether there is a file at *path*; raises a `UsageError` unless it is ours.

    What is *private* others may not even read.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if private:
        require_private(path, found)
    else:
        _require(path, found, _OTHERS_WRITE, "go-w")
    return True


def require_private(path: Path, found: os.stat_result) -> None:
    """Raise a `UsageError` unless what was *found* at *path* is a file of ours alone."""
    _require(path, found, _OTHERS, "go=")


def require_database(file: Path) -> None:
    """Raise a `UsageError` when *file* or what SQLite keeps beside it is somebody else's.

    A link of ours may lead to it. Of what is no file, SQLite has its own to say.
    """
    if file.is_symlink() and _is_foreign(file.lstat()):
        raise _others(file)
    real = file.resolve()
    for suffix in JOURNALS:
        path = real.with_name(real.name + suffix)
        if os.path.lexists(path) and not path.is_dir():
            _require(path, path.lstat(), 0, "")


def tighten(file: Path) -> None:
    """Let nobody else at the database in *file*, which is ours."""
    real = file.resolve()
    for suffix in JOURNALS:
        path = real.with_name(real.name + suffix)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            path.chmod(0o600)


def _is_foreign(found: os.stat_result) -> bool:
    """Whether somebody else has what was *found*; where there are no users, nobody has."""
    return hasattr(os, "getuid") and found.st_uid != os.getuid()


def _require(path: Path, found: os.stat_result, others: int, mode: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is no regular file", "remove it, or name a file elsewhere")
    if _is_foreign(found):
        raise _others(path)
    if os.name != "nt" and found.st_mode & others:
        raise UsageError(
            f"{path} is open to other users", f"if you trust what it holds: chmod {mode} '{path}'"
        )


def _others(path: Path) -> UsageError:
    return UsageError(
        f"{path} belongs to another user", "remove it, or name a file in a folder of your own"
    )
