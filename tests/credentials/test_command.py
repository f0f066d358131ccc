from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.testing import CliRunner, Result

from reconciler.commands.unseal import command
from reconciler.credentials import Credential, Password, seal
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.credentials.conftest import KeyPair

    Keys = Mapping[str, KeyPair]

ADA = Credential("Zoë", "zoe@contoso.com", Password("kkkkkkkkkkkkKK3#"))


def unseal(*arguments: str) -> Result:
    """Run the command as the command line does."""
    assert isinstance(command, click.Command)
    return CliRunner().invoke(command, arguments)


def test_writes_the_csv(keys: Keys, tmp_path: Path) -> None:
    """The CSV goes to standard output byte for byte; the first identity need not fit."""
    file, wrong, right = (tmp_path / name for name in ("sealed", "wrong", "right"))
    file.write_bytes(seal([ADA], [keys["age"].recipient]))
    wrong.write_bytes(keys["ssh-rsa"].identity)
    right.write_bytes(keys["age"].identity)
    expected = "Name,Email/UPN,Initial Password\nZoë,zoe@contoso.com,kkkkkkkkkkkkKK3#\n".encode()

    assert unseal(str(file), "-i", str(wrong), "-i", str(right)).stdout_bytes == expected


def test_wrong_identity(keys: Keys, tmp_path: Path) -> None:
    """An identity that does not fit is the error that the library raises, for one printer."""
    file, wrong = tmp_path / "sealed", tmp_path / "wrong"
    file.write_bytes(seal([ADA], [keys["age"].recipient]))
    wrong.write_bytes(keys["ssh-rsa"].identity)

    assert isinstance(unseal(str(file), "-i", str(wrong)).exception, ReconcilerError)


def test_needs_an_identity(tmp_path: Path) -> None:
    """Without an identity, or with a file that is not there, the command line is wrong."""
    file = tmp_path / "sealed"
    file.write_bytes(b"")

    assert unseal(str(file)).exit_code == 2
    assert unseal(str(file), "-i", str(tmp_path / "missing")).exit_code == 2
