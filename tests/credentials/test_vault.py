from __future__ import annotations

import os
import resource
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.schema import schema
from reconciler.credentials import Credential, Password, Vault, unseal
from reconciler.errors import ReconcilerError
from reconciler.model import CohortName
from reconciler.text import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.credentials.conftest import KeyPair

    Keys = Mapping[str, KeyPair]

BETA = CohortName("beta-2026")
GAMMA = CohortName("gamma")
SECRET = "kkkkkkkkkkkkKK3#"  # noqa: S105 -- made up, and searched for below
ADA = Credential("Ada", "ada@contoso.com", Password(SECRET))
GRACE = Credential("Grace", "grace@contoso.com", Password("Grace's own 3#"))


@pytest.fixture
def vault(keys: Keys, tmp_path: Path) -> Vault:
    """Give a vault in a folder that does not exist yet."""
    return a_vault(keys, tmp_path / "out" / "run")


def a_vault(keys: Keys, folder: Path) -> Vault:
    """Give a vault for two cohorts with different recipients."""
    recipients = {BETA: (keys["age"].recipient,), GAMMA: (keys["ssh-ed25519"].recipient,)}
    return Vault(folder, recipients)


def names(path: Path) -> list[str]:
    """Give everything that lies beside *path*, hidden files included."""
    return sorted(entry.name for entry in path.parent.iterdir())


UNSAFE = [
    "",
    ".",
    "..",
    "../beta",
    "/etc/beta",
    "a/b",
    "a\\b",
    "c:beta",
    ".beta",
    "-beta",
    "--beta",
    "beta\n",
    "be\x00ta",
    "be\u202eta",
    "beta ",
    "beta.",
    "Beta",
    "βeta",
    "con",
    "nul",
    "aux",
    "prn",
    "com1",
    "lpt9",
    "b" * 65,
]
SAFE = ["b", "b" * 64, "2026", "a-", "a--b", "con-2026", "com10"]


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_name_that_is_no_file_name(keys: Keys, tmp_path: Path, name: str) -> None:
    """A cohort cannot choose where its file lies, nor take a name that means something else."""
    recipients = {BETA: (keys["age"].recipient,), CohortName(name): (keys["age"].recipient,)}
    with pytest.raises(ReconcilerError, match="no file can be named after the cohort") as caught:
        Vault(tmp_path / "out" / "run", recipients)

    assert not any(map(is_hidden, str(caught.value)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SAFE)
def test_name_that_files_allow_is_one(keys: Keys, tmp_path: Path, name: str) -> None:
    """What a cohort file may call its cohort, a file can be called as well."""
    cohort = CohortName(name)
    merged = Vault(tmp_path, {cohort: (keys["age"].recipient,)}).merge(cohort, [ADA])

    assert merged == tmp_path / f"{name}.credentials.csv.age"
    assert merged.is_file()


def test_schema_allows_what_the_vault_does() -> None:
    """No name passes the files that stops a run later, and the other way round."""
    part = schema("cohort")["properties"]["cohort"]

    def allows(name: str) -> bool:
        return Draft202012Validator(part).is_valid(name)

    # Python's `$` lets a last line feed through; no text of a file has one.
    assert [name for name in UNSAFE if allows(name)] == ["beta\n"]
    assert [name for name in SAFE if not allows(name)] == []


def test_pieces_are_numbered(vault: Vault) -> None:
    """Pieces lie beside one another under names that sort, readable by their owner alone."""
    pieces = [vault.store(BETA, [ADA]), vault.store(GAMMA, [GRACE]), vault.store(BETA, [GRACE])]

    assert names(pieces[0]) == [
        "beta-2026.part-0001.credentials.csv.age",
        "beta-2026.part-0002.credentials.csv.age",
        "gamma.part-0001.credentials.csv.age",
    ]
    assert {piece.stat().st_mode & 0o777 for piece in pieces} == {0o600}
    assert pieces[0].parent.stat().st_mode & 0o777 == 0o700


def test_each_cohort_has_its_own_recipients(vault: Vault, keys: Keys) -> None:
    """A piece opens for the people of its own cohort only."""
    piece = vault.store(GAMMA, [ADA]).read_bytes()

    assert SECRET in unseal(piece, [keys["ssh-ed25519"].identity]).decode()
    with pytest.raises(ReconcilerError, match="not sealed to any"):
        unseal(piece, [keys["age"].identity])


def test_merge_replaces_pieces(vault: Vault, keys: Keys) -> None:
    """At the end one file of a cohort holds exactly what was used; other cohorts are untouched."""
    vault.store(BETA, [ADA])
    vault.store(BETA, [GRACE])
    vault.store(GAMMA, [ADA])
    merged = vault.merge(BETA, [GRACE])

    assert names(merged) == ["beta-2026.credentials.csv.age", "gamma.part-0001.credentials.csv.age"]
    assert unseal(merged.read_bytes(), [keys["age"].identity]).decode().splitlines()[1:] == [
        "Grace,grace@contoso.com,Grace's own 3#"
    ]


def test_nothing_is_overwritten(keys: Keys, tmp_path: Path) -> None:
    """A later run in the same folder writes beside what it finds, and leaves it as it was."""
    first = a_vault(keys, tmp_path)
    left = first.store(BETA, [ADA])
    before = {left: left.read_bytes()}
    for number in range(2):
        run = a_vault(keys, tmp_path)
        run.store(BETA, [GRACE])
        merged = run.merge(BETA, [GRACE])
        before[merged] = merged.read_bytes()
        assert len(before) == number + 2

    assert names(left) == [
        "beta-2026.2.credentials.csv.age",
        "beta-2026.credentials.csv.age",
        "beta-2026.part-0001.credentials.csv.age",
    ]
    assert {path: path.read_bytes() for path in before} == before


def test_link_to_nowhere_is_not_followed(vault: Vault, tmp_path: Path) -> None:
    """A link that somebody laid under the next name is passed over, not written through."""
    folder = tmp_path / "out" / "run"
    folder.mkdir(parents=True)
    (folder / "gamma.credentials.csv.age").symlink_to(tmp_path / "elsewhere")
    merged = vault.merge(GAMMA, [ADA])

    assert merged.name == "gamma.2.credentials.csv.age"
    assert not (tmp_path / "elsewhere").exists()


def test_piece_that_cannot_be_removed(vault: Vault) -> None:
    """A piece that is gone, or stays, does not make a merge fail: the merged file has it all."""
    vault.store(BETA, [ADA]).unlink()

    assert names(vault.merge(BETA, [ADA])) == ["beta-2026.credentials.csv.age"]


def test_unknown_cohort(vault: Vault) -> None:
    """Without recipients nothing is written at all."""
    with pytest.raises(ReconcilerError, match="no recipients"):
        vault.store(CohortName("delta"), [ADA])


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes: writing more fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_full(vault: Vault) -> None:
    """A file that cannot be finished is not there at all, and the error shows no password."""
    first = vault.store(BETA, [ADA])
    with pytest.raises(ReconcilerError) as caught, files_limited_to(100):
        vault.store(BETA, [GRACE])

    assert f"cannot write '{first.parent}/beta-2026.part-0002.credentials.csv.age'" in str(
        caught.value
    )
    assert caught.value.hint is not None
    assert names(first) == [first.name]
    assert "own 3#" not in "".join(traceback.format_exception(caught.value))


def test_failed_merge_keeps_pieces(vault: Vault) -> None:
    """Pieces are removed only once the merged file is on disk."""
    piece = vault.store(BETA, [ADA])
    with pytest.raises(ReconcilerError), files_limited_to(100):
        vault.merge(BETA, [ADA])

    assert names(piece) == [piece.name]
    assert names(vault.merge(BETA, [ADA])) == ["beta-2026.credentials.csv.age"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(keys: Keys, tmp_path: Path) -> None:
    """A folder that takes no file is named, with what to do."""
    tmp_path.chmod(0o500)
    with pytest.raises(ReconcilerError, match="permission denied") as caught:
        a_vault(keys, tmp_path).store(BETA, [ADA])

    assert "--out" in (caught.value.hint or "")


def test_folder_is_a_file(keys: Keys, tmp_path: Path) -> None:
    """A folder that cannot be made is named, with what to do."""
    (tmp_path / "out").write_text("")
    with pytest.raises(ReconcilerError, match=r"cannot write '.*out/run'") as caught:
        a_vault(keys, tmp_path / "out" / "run").store(BETA, [ADA])

    assert "--out" in (caught.value.hint or "")
