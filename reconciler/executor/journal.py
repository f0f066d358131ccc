"""The journal: what the run did, line by line, on disk before the next thing happens.

JSON Lines. It names accounts and changes and never holds a body: bodies have passwords.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import orjson

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


class Journal:
    """An open journal; a context manager. Raises ReconcilerError where it cannot be kept."""

    def __init__(self, path: Path, run: str, now: Callable[[], datetime]) -> None:
        self.path = path
        self._run = run
        self._now = now
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._file = os.fdopen(descriptor, "wb")

    def write(self, event: str, **details: Any) -> None:  # noqa: ANN401 -- JSON
        """Add a line and push it to the disk, with all lines before."""
        self.note(event, **details)
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def note(self, event: str, **details: Any) -> None:  # noqa: ANN401 -- JSON
        """Add a line that outlives this process, and the machine once the next is written.

        For what the tenant knows as well: a disk would make a run wait for each.
        """
        line = {"at": self._now().isoformat(), "run": self._run, "event": event, **details}
        try:
            self._file.write(orjson.dumps(line) + b"\n")
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written has been told already
            self._file.close()


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    reason = (error.strerror or type(error).__name__).lower()
    return ReconcilerError(
        f"cannot write the journal '{path}': {reason}",
        "free some space or name another folder with --out, then run it again: a rerun goes "
        "on where this one stopped",
    )
