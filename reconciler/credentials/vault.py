"""Sealed files on disk, written so that no credential is lost and none is overwritten.

While a run goes on, each batch of new passwords is sealed as a piece of its own, on disk
before the request that uses it is sent. At the end the pieces of a cohort become one file
that holds what was really used. A run that dies leaves its pieces, and the next run writes
beside them.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from itertools import chain, count
from typing import TYPE_CHECKING

from reconciler import atomic
from reconciler.credentials.sealing import seal
from reconciler.errors import ReconcilerError
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.credentials.sealing import Credential
    from reconciler.model import CohortName

SUFFIX = ".credentials.csv.age"

_PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)\Z)[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
"""A file's name everywhere: no path, no option, not hidden; nor a device of Windows, which its
name stays with any suffix (Microsoft, "Naming Files, Paths, and Namespaces")."""

_REMEDIES = {
    errno.ENOSPC: "free some space there, or name another folder with --out",
    errno.EDQUOT: "free some space there, or name another folder with --out",
    errno.EROFS: "it is read-only: name another folder with --out",
    errno.EACCES: "this user may not write there: name another folder with --out",
    errno.EPERM: "this user may not write there: name another folder with --out",
    errno.EEXIST: "part of the path is a file: name another folder with --out",
}


def left_pieces(folder: Path) -> tuple[Path, ...]:
    """Give the pieces in *folder*: before a run, those of runs that died."""
    return tuple(sorted(folder.glob(f"*.part-*{SUFFIX}")))


class Vault:
    """Where one run keeps the credentials of its cohorts, sealed to their *recipients*.

    Files are named after cohorts. Raises ReconcilerError for a name that no file can safely
    have, whoever has let it through: before anything is sealed, and so before anything is sent.
    """

    def __init__(self, folder: Path, recipients: Mapping[CohortName, Sequence[str]]) -> None:
        for cohort in recipients:
            if not _PLAIN.fullmatch(cohort):
                raise ReconcilerError(
                    f"no file can be named after the cohort '{visible(cohort)}'",
                    "name it with lower-case letters, digits and hyphens, a letter or digit "
                    "first, and not as a device such as con",
                )
        self._folder = folder
        self._recipients = recipients
        self._pieces: dict[CohortName, list[Path]] = {}

    def store(self, cohort: CohortName, credentials: Sequence[Credential]) -> Path:
        """Seal *credentials* as a piece; it has reached the disk when this returns."""
        names = (f"{cohort}.part-{number:04}{SUFFIX}" for number in count(1))
        piece = self._seal(cohort, credentials, names)
        self._pieces.setdefault(cohort, []).append(piece)
        return piece

    def merge(self, cohort: CohortName, credentials: Sequence[Credential]) -> Path:
        """Seal exactly *credentials* as the file of the cohort, in place of this run's pieces."""
        later = (f"{cohort}.{number}{SUFFIX}" for number in count(2))
        merged = self._seal(cohort, credentials, chain([f"{cohort}{SUFFIX}"], later))
        self.discard(cohort)
        return merged

    def discard(self, cohort: CohortName) -> None:
        """Remove this run's pieces of the cohort: what they hold is used by nobody."""
        for piece in self._pieces.pop(cohort, []):
            with suppress(OSError):  # a piece that stays repeats what the file says
                piece.unlink()

    def _seal(
        self, cohort: CohortName, credentials: Sequence[Credential], names: Iterable[str]
    ) -> Path:
        sealed = seal(credentials, self._recipients.get(cohort, ()))
        try:
            _make(self._folder)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        return _publish(sealed, (self._folder / name for name in names))


def _make(folder: Path) -> None:
    """Make *folder* and what it lies in, readable by their owner alone, to last."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700)
        atomic.sync(folder.parent)


def _publish(content: bytes, paths: Iterator[Path]) -> Path:
    """Write *content* to the first of *paths* that is free, all of it or nothing.

    The name is taken by creating an empty file, which fails where there is one already;
    what replaces that file is complete and on disk.
    """
    path = next(paths)
    try:
        while not _take(path):
            path = next(paths)
        try:
            atomic.replace(path, content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _take(path: Path) -> bool:
    """Reserve *path*; False where something has that name, be it a link to nowhere."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    reason = (error.strerror or type(error).__name__).lower()
    remedy = _REMEDIES.get(error.errno or 0, "name another folder with --out")
    return ReconcilerError(f"cannot write '{path}': {reason}", remedy)
