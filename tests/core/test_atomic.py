from __future__ import annotations

import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reconciler import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes: writing more fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [None, b"old, and longer than the new one"], ids=["new", "old"])
def test_a_file_is_replaced(tmp_path: Path, before: bytes | None) -> None:
    """The file holds exactly what was given, for its owner alone, and nothing lies beside it."""
    path = tmp_path / "plan.json"
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o644)

    atomic.replace(path, b"new\n")

    assert path.read_bytes() == b"new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, b"old"], ids=["new", "old"])
def test_all_or_nothing(tmp_path: Path, before: bytes | None) -> None:
    """When the disk is full half-way, the file is what it was, and no draft is left."""
    path = tmp_path / "plan.json"
    if before is not None:
        path.write_bytes(before)

    with pytest.raises(OSError, match="File too large"), files_limited_to(100):
        atomic.replace(path, b"x" * 1000)

    left = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert left == ({} if before is None else {"plan.json": before})


def test_a_place_that_cannot_be_taken(tmp_path: Path) -> None:
    """Where a folder is in the way, it stays, and no draft is left."""
    path = tmp_path / "plan.json"
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        atomic.replace(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


def test_no_folder(tmp_path: Path) -> None:
    """Folders are not made: that would be a slip in the name."""
    with pytest.raises(FileNotFoundError):
        atomic.replace(tmp_path / "nowhere" / "plan.json", b"new")

    assert list(tmp_path.iterdir()) == []


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Links that somebody prepared, at the name or where a draft might be, lead nothing astray."""
    theirs, path = tmp_path / "theirs", tmp_path / "plan.json"
    theirs.write_bytes(b"theirs")
    path.symlink_to(theirs)
    guessed = [tmp_path / f".plan.json{ending}" for ending in (".part", ".tmp", "", ".")]
    for link in guessed:
        link.symlink_to(theirs)

    atomic.replace(path, b"new")

    assert (theirs.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"theirs", b"new", False)
    assert {link.readlink() for link in guessed} == {theirs}
