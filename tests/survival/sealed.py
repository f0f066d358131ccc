"""The sealed files of a folder, opened, and a search for what should be sealed and is not."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.credentials import unseal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUFFIX = ".credentials.csv.age"


def opened(folder: Path, identity: str) -> dict[str, set[str]]:
    """Give every password that is sealed in *folder*, files and pieces alike, by UPN.

    A name that was reserved for a file that was never written has nothing in it.
    """
    passwords: defaultdict[str, set[str]] = defaultdict(set)
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        content = file.read_bytes()
        if not content:
            continue
        plain = unseal(content, [identity.encode()]).decode()
        for row in csv.DictReader(io.StringIO(plain)):
            passwords[row["Email/UPN"]].add(row["Initial Password"])
    return passwords


def in_the_clear(folder: Path, passwords: Iterable[str], *texts: str) -> list[str]:
    """Name the files of *folder* in which one of *passwords* can be read, and *texts* likewise."""
    known = [password.encode() for password in passwords]
    files = [file for file in folder.rglob("*") if file.is_file()]
    contents = [(str(file), file.read_bytes()) for file in files]
    contents += [("what was printed", text.encode()) for text in texts]
    return [
        f"a password can be read in {where}"
        for where, content in contents
        if any(password in content for password in known)
    ]
