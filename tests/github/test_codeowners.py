from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADMINISTRATORS, MANAGERS = "@ORG/identity-administrators", "@ORG/hiring-managers"


def _owners() -> list[tuple[str, str]]:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text("utf-8").splitlines()
    words = (line.split() for line in lines if line and not line.startswith("#"))
    return [(pattern, owner) for pattern, owner in words]


def _matches(path: str, pattern: str) -> bool:
    """Whether *pattern*, of the few forms that the file uses, covers *path* (gitignore)."""
    if pattern.startswith("/"):
        return path.startswith(pattern[1:])
    return fnmatchcase(Path(path).name, pattern)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("cohorts/research-2026.yaml", MANAGERS),
        ("cohorts/emea/2027/q1.yml", MANAGERS),
        ("cohorts/tenant.yaml", ADMINISTRATORS),
        ("cohorts/emea/tenant.yml", ADMINISTRATORS),
        ("cohorts/privileged/helpdesk-pilot.yaml", ADMINISTRATORS),
        ("Makefile", ADMINISTRATORS),
        ("GNUmakefile", ADMINISTRATORS),
        ("pip/__main__.py", ADMINISTRATORS),
        (".venv/bin/python", ADMINISTRATORS),
        (".ci/run", ADMINISTRATORS),
        (".github/CODEOWNERS", ADMINISTRATORS),
        (".github/workflows/apply.yml", ADMINISTRATORS),
        ("requirements.txt", ADMINISTRATORS),
        ("pyproject.toml", ADMINISTRATORS),
        ("reconciler/cli.py", ADMINISTRATORS),
        ("schema/cohort.schema.json", ADMINISTRATORS),
        ("tests/requirements.txt", ADMINISTRATORS),
    ],
)
def test_only_cohorts_are_the_managers_own(path: str, owner: str) -> None:
    """Whatever could run in a job, and whatever decides who is privileged, is not."""
    assert [who for pattern, who in _owners() if _matches(path, pattern)][-1] == owner


def test_whatever_is_new_belongs_to_the_administrators() -> None:
    """The first line covers every path; only cohorts are taken out of it."""
    (first, owner), *rest = _owners()

    assert (first, owner) == ("*", ADMINISTRATORS)
    assert [pattern for pattern, who in rest if who != ADMINISTRATORS] == ["/cohorts/"]
