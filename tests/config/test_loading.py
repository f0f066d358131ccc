from __future__ import annotations

import gc
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.commands import schema, validate
from reconciler.config import load
from reconciler.config.schema import schema_text
from reconciler.credentials import check_recipients
from reconciler.errors import InputError, UsageError

if TYPE_CHECKING:
    from reconciler.diagnostics import Diagnostic
    from tests.config.conftest import Repository

COHORTS = Path(__file__).parents[2] / "cohorts"
PIECES = [
    *"[]{}:,-&*!|>'\"%@`#? \n\t~<",
    "version: 1\n", "cohort: c\n", "users:\n", "  - ", "userPrincipalName: a@b.cd\n",
    "&a ", "*a", "<<: ", "null", "defaults:\n", "  city: ''\n", "adopt: true", "---\n", "[{", "}]",
    "credentials: {recipients: [x]}\n", "licenses: ", "groups: ", "roles: ", "{sku: A}",
]  # fmt: skip


def test_the_examples_are_valid() -> None:
    """What the repository shows can be declared, licenses and managers included."""
    desired = load([COHORTS], check_recipients)

    assert Counter(user.cohort for user in desired.users) == {
        "contractors-2026-q4": 6,
        "helpdesk-pilot": 3,
        "research-2026": 8,
        "tokyo-office": 4,
    }
    assert desired.tenant_file.protected == ("breakglass@contoso.com",)
    norwegian = next(user for user in desired.users if user.fields["usageLocation"] == "NO")
    assert norwegian.fields["employeeId"] == "0041212"
    assert next(u for u in desired.users if u.fields["surname"] == "Null").display_name


@pytest.mark.parametrize("name", ["c.yaml", "tenant.yaml"])
@given(content=st.binary() | st.lists(st.sampled_from(PIECES)).map(lambda p: "".join(p).encode()))
@example(content=b"\xef\xbb\xbf")
@example(content=b"version: 1\ncohort: c\nusers: [{adopt: true}, ~, x, []]\nlicenses: ~\n")
@example(content=b"version: 1\ntenant: a.bc\nsource: s\ngroups: [~]\nguards: {removals: ~}\n")
def test_nothing_a_file_holds_is_more_than_wrong_input(name: str, content: bytes) -> None:
    """Whatever stands in a file, it is read or it is told; nothing else is raised."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)

        assert {problem.position.file for problem in problems(path) if problem.position} <= {
            str(path)
        }


def problems(path: Path) -> tuple[Diagnostic, ...]:
    """Load *path*, and give what is wrong in it, if anything is."""
    try:
        load([path], check_recipients)
    except InputError as error:
        return error.diagnostics
    return ()


@pytest.mark.parametrize(
    "line",
    ["cohort: {}", "description: {}", "credentials: {{recipients: [{}]}}", "{}: x", "removal: {}"],
)
def test_a_private_key_in_disguise_is_refused_and_not_quoted(
    repository: Repository, line: str
) -> None:
    """Escapes hide a key from a search of the text, and messages still do not show it."""
    line = line.format('"\\x41GE-SECRET-KEY-1TOPSECRET"')

    column = line.index('"') + 1
    told = "\n".join(repository.told_of(f"version: 1\nusers: []\n{line}\n"))

    assert f"c.yaml:3:{column}: error: text holds a private key" in told
    assert "TOPSECRET" not in told


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_left_as_it_was(repository: Repository, *, is_enabled: bool) -> None:
    """Pausing the collector of cycles is nobody else's matter, in success and failure."""
    repository.write("c.yaml", "[")
    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        repository.errors("c.yaml")
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_what_reads_files_is_loaded_when_files_are_read() -> None:
    """Importing the package costs no schema validator, and nothing of Graph ever."""
    code = (
        "import sys; from pathlib import Path; import reconciler.config as c\n"
        "print('jsonschema' in sys.modules)\n"
        f"c.load([Path({str(COHORTS)!r})], lambda _: ())\n"
        "print([m for m in ('msgraph', 'azure', 'kiota_abstractions') if m in sys.modules])"
    )

    output = subprocess.run(  # noqa: S603 -- our own interpreter and our own words
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert output == "False\n[]\n"


def test_a_file_of_nothing_but_wrong_people_is_bounded(repository: Repository) -> None:
    """Past twenty thousand problems in one file the rest is not looked for."""
    repository.write("c.yaml", "version: 1\ncohort: c\nusers:\n" + "  - x\n" * 20_001)

    assert repository.errors("c.yaml").total == 20_000


def test_validate_counts_what_is_valid(repository: Repository, head: str) -> None:
    """Success says how much was read, from `cohorts/` where no path is given."""
    users = "users:\n  - {userPrincipalName: a@b.cd, displayName: A}\n"
    repository.write("cohorts/c.yaml", head + users)

    result = CliRunner().invoke(validate.command, [])

    assert (result.exit_code, result.output) == (0, "1 cohort, 1 person: valid\n")


def test_validate_leaves_errors_to_the_command_line(repository: Repository) -> None:
    """What is wrong is raised, for one place to print."""
    repository.write("c.yaml", "[")

    failures = [
        CliRunner().invoke(validate.command, [path]).exception for path in ("c.yaml", "missing")
    ]

    assert list(map(type, failures)) == [InputError, UsageError]


@pytest.mark.parametrize("name", ["cohort", "tenant"])
def test_schema_prints_the_published_file(name: str) -> None:
    """What an editor is pointed at can be printed."""
    result = CliRunner().invoke(schema.command, [name])

    assert (result.exit_code, result.output) == (0, schema_text(name))
