from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.config import load
from reconciler.credentials import check_recipients
from reconciler.errors import InputError

if TYPE_CHECKING:
    from reconciler.model import DeclaredUser, Desired

RECIPIENT = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
HEAD = f"version: 1\ncohort: c\ncredentials: {{recipients: [{RECIPIENT}]}}\n"
TENANT = "version: 1\ntenant: contoso.onmicrosoft.com\nsource: s\n"


@dataclass(frozen=True)
class Repository:
    """A folder of files that is the current one, and what loading it says."""

    folder: Path

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file, with the folders that lead to it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def load(self, *paths: str) -> Desired:
        """Load *paths*, or the whole folder."""
        return load([Path(path) for path in paths or (".",)], check_recipients)

    def errors(self, *paths: str) -> InputError:
        """Load what cannot be loaded, and give the error."""
        with pytest.raises(InputError) as caught:
            self.load(*paths)
        return caught.value

    def told(self, *paths: str) -> list[str]:
        """Load what cannot be loaded, and give what is told, one text for each."""
        return [str(diagnostic) for diagnostic in self.errors(*paths).diagnostics]

    def told_of(self, content: str | bytes) -> list[str]:
        """Give what is told about one cohort file, `c.yaml`."""
        self.write("c.yaml", content)
        return self.told("c.yaml")

    def people(self, users: str, more: str = "") -> tuple[DeclaredUser, ...]:
        """Give the people of a cohort whose `users` are written as *users*."""
        self.write("c.yaml", f"{HEAD}{more}users:\n{users}")
        return self.load("c.yaml").users


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Give an empty repository, which is the current folder."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@pytest.fixture
def head() -> str:
    """Give the first three lines of a valid cohort file."""
    return HEAD


@pytest.fixture
def tenant() -> str:
    """Give the three lines that a tenant file needs."""
    return TENANT
