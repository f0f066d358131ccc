"""Which cohort files a revision of git did not have yet, or had otherwise."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.config.files import SUFFIXES, TENANT_FILES
from reconciler.errors import UsageError
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_REVISION = re.compile(r"(?!-)[\w./~^@{}-]{1,200}")
"""What names a revision, and cannot be taken for an option."""
_CAME_OR_CHANGED = frozenset("AM")
_BEGINNING = re.compile(r"0{40}|0{64}")
"""How GitHub names the revision before the first one of a branch."""


def changed_since(revision: str, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Narrow *paths* to the cohort files that came or changed since *revision*.

    Gives *paths* as they are where that would hide something: where a file went, another
    kind of file changed, the tenant file did, or no file did. Raises UsageError where git
    cannot tell.
    """
    if _BEGINNING.fullmatch(revision):
        return tuple(paths)
    if not _REVISION.fullmatch(revision):
        raise UsageError(f"'{visible(revision)}' names no revision", "give a commit's id or name")
    root = Path(_git("rev-parse", "--show-toplevel").rstrip("\n"))
    listed = _git(
        "diff",
        "--name-status",
        "--no-renames",
        "-z",
        "--end-of-options",
        revision,
        "HEAD",
        "--",
        *map(str, paths),
    )
    fields = listed.split("\0")[:-1]
    changes = [
        (status, root / name) for status, name in zip(fields[::2], fields[1::2], strict=True)
    ]
    is_plain = all(
        status in _CAME_OR_CHANGED and path.suffix in SUFFIXES and path.name not in TENANT_FILES
        for status, path in changes
    )
    here = Path.cwd()
    return tuple(_from(here, path) for _, path in changes) if changes and is_plain else tuple(paths)


def _from(here: Path, path: Path) -> Path:
    """Name *path* as a person in the folder *here* would: so do the messages."""
    return path.relative_to(here) if path.is_relative_to(here) else path


def _git(*arguments: str) -> str:
    try:
        ran = subprocess.run(  # noqa: S603 -- a program by its name, words that are none of its options
            ["git", *arguments],  # noqa: S607 -- whichever git the person uses
            capture_output=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise UsageError("--since needs git, which is not installed", "leave it out") from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.decode("utf-8", "replace").splitlines() or ["no reason given"])[0]
        raise UsageError(
            f"git cannot tell what changed: {visible(reason)}",
            "fetch the revision (in Actions: `fetch-depth: 0`), or leave --since out",
        ) from error
    return ran.stdout.decode("utf-8", "surrogateescape")
