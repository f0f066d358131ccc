from __future__ import annotations

import csv
import io
import shutil
import subprocess
import traceback
from typing import TYPE_CHECKING

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.credentials import Credential, Password, seal, unseal
from reconciler.credentials.password import ALPHABET
from reconciler.errors import ReconcilerError
from reconciler.text import hidden_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.credentials.conftest import KeyPair

    Keys = Mapping[str, KeyPair]

SECRET = "kkkkkkkkkkkkKK3#"  # noqa: S105 -- made up, and searched for below
ADA = Credential("Ada Lovelace", "ada@contoso.com", Password(SECRET))
GRACE = Credential("Grace Hopper", "grace@contoso.com", Password("Grace's own 3#"))
FORMULAS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
KINDS = ["age", "ssh-ed25519", "ssh-rsa"]

AGE = shutil.which("age") or ""
needs_age = pytest.mark.skipif(not AGE, reason="the age program is not installed")


@pytest.mark.parametrize("kind", KINDS)
def test_each_recipient_opens_it(keys: Keys, kind: str) -> None:
    """Every one of several recipients opens the same file with their own key alone."""
    sealed = seal([ADA, GRACE], [pair.recipient for pair in keys.values()])

    assert unseal(sealed, [keys[kind].identity]).decode() == (
        "Name,Email/UPN,Initial Password\n"
        f"Ada Lovelace,ada@contoso.com,{SECRET}\n"
        "Grace Hopper,grace@contoso.com,Grace's own 3#\n"
    )


def test_sealed_holds_no_plaintext(keys: Keys) -> None:
    """Neither passwords nor names can be read in a sealed file."""
    sealed = seal([ADA], [keys["age"].recipient])

    assert [word in sealed for word in (SECRET.encode(), b"Ada", b"contoso")] == [False] * 3


@pytest.mark.parametrize("formula", [*FORMULAS, " =", "\u00a0+"])
def test_spreadsheet_formulas(keys: Keys, formula: str) -> None:
    """A name that a spreadsheet would execute is text, and so is a UPN."""
    hostile = Credential(formula + "cmd|' /C calc'!A1", "-x@contoso.com", Password(SECRET))
    sealed = seal([hostile], [keys["age"].recipient])
    table = io.StringIO(unseal(sealed, [keys["age"].identity]).decode(), newline="")

    assert list(csv.reader(table))[1] == [
        "'" + hostile.name,
        "'-x@contoso.com",
        SECRET,
    ]


IDENTITY = pyrage.x25519.Identity.generate()  # type: ignore[attr-defined]  # pyrage brings no types
NAMES = st.text(st.characters(exclude_categories=["C", "Z"])).filter(
    lambda n: n[:1] not in FORMULAS and not any(hidden_in(n))
)


@given(st.lists(st.tuples(NAMES, NAMES, st.text(ALPHABET)), max_size=5))
def test_round_trip(rows: list[tuple[str, str, str]]) -> None:
    """What was sealed is what is opened, whatever the names, as far as they can be seen."""
    credentials = [Credential(name, upn, Password(word)) for name, upn, word in rows]
    sealed = seal(credentials, [str(IDENTITY.to_public())])
    table = io.StringIO(unseal(sealed, [str(IDENTITY).encode()]).decode(), newline="")

    assert [tuple(row) for row in csv.reader(table)][1:] == rows


@given(st.text(), st.text())
def test_a_person_is_a_line(name: str, upn: str) -> None:
    """No name can make a second row, or reach the password's column."""
    sealed = seal([Credential(name, upn, Password(SECRET))], [str(IDENTITY.to_public())])
    lines = unseal(sealed, [str(IDENTITY).encode()]).decode().splitlines()

    assert [row[2] for row in csv.reader(lines)] == ["Initial Password", SECRET]


@pytest.mark.parametrize(
    ("recipients", "summary"),
    [
        ([], "there are no recipients"),
        (["age1nonsense"], "recipient 1 is"),
    ],
    ids=["none", "unusable"],
)
def test_not_sealed(recipients: list[str], summary: str) -> None:
    """Without a usable recipient nothing is sealed, and the error shows no password."""
    with pytest.raises(ReconcilerError, match=summary) as caught:
        seal([ADA], recipients)

    assert caught.value.hint is not None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@needs_age
@pytest.mark.parametrize("kind", KINDS)
def test_age_opens_ours(keys: Keys, kind: str, tmp_path: Path) -> None:
    """What is sealed here, the age program opens."""
    identity = tmp_path / "identity"
    identity.write_bytes(keys[kind].identity)
    identity.chmod(0o600)
    sealed = seal([ADA], [keys[kind].recipient])
    run = subprocess.run([AGE, "-d", "-i", identity], input=sealed, capture_output=True, check=True)  # noqa: S603 -- a fixed command

    assert run.stdout == unseal(sealed, [keys[kind].identity])


@needs_age
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [[], ["-a"]], ids=["binary", "armored"])
def test_age_seals_for_us(keys: Keys, kind: str, form: list[str]) -> None:
    """What the age program sealed is opened here, armored or not."""
    command = [AGE, *form, "-r", keys[kind].recipient]
    run = subprocess.run(command, input=b"Name\n", capture_output=True, check=True)  # noqa: S603 -- a fixed command

    assert unseal(run.stdout, [keys[kind].identity]) == b"Name\n"
