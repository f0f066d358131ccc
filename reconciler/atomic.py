"""Files that are written wholly or not at all, for their owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write *content* to *path*, which has the old content or the new one, never a part.

    It has reached the disk when this returns. The draft has a name that nobody could have
    prepared, and is readable by its owner only. Raises OSError, and leaves no draft.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the new name in *folder* last through a power cut; Windows has no such call."""
    if os.name == "nt":  # pragma: no cover -- the tests run on POSIX
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
