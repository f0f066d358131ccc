from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.recipients import introduced, public_key

if TYPE_CHECKING:
    from pathlib import Path

AGE = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFkdybMQfHIAtm0k93feGHUKQy/bLmIfx6NtyvGxpgr"
PRINT = "ssh-ed25519 SHA256:Fc1Hd3D2cTvltBKnqvwp20iHvkL3An8twFwAQ3Iqujc"
RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC/V90ZXrIcWPUOUs9zv6uwdvW8GQgPB7tNrrxSf9VcUYos3jgU1t5O9"
    "IlRAcxAxGeKv5C6wBnX18qawjkKdIlPW2C/QCVZRPNbltkAQGLQ2U0Pl6BglUyRfrdmlQIRKx2WmPilY5a3yhJvaNdqJc"
    "GGGB/ly57yruq9lcPqVqHF6VP7VEISutAV2rzztSxJKk586o/YAPgyk5pO6rH2/bNx37QCmz4bAy9GQzFUNZvYADhmMSD"
    "G8wdLjYUAxyKG7YxX9onQiI7JVAje2xYHsP4X7/sxSetZpJd4ojAggTE+vfjvZ0n3rRF0yvqXiao6dhjLcHB4qQpYgugs"
    "O/M14fC5"
)


@pytest.mark.parametrize(
    ("recipient", "identity", "comment"),
    [
        (AGE, AGE, None),
        (f"  {AGE}\n", AGE, None),
        (ED25519, PRINT, None),
        (f"{ED25519} kenji", PRINT, "kenji"),
        (f" {ED25519}   kenji at home ", PRINT, "kenji at home"),
        (f"{RSA} x", "ssh-rsa SHA256:fk1qpPKdVVUXHCKoBn/JfNKoeZyqUc/UZvImFqdBhjU", "x"),
        ("ssh-ed25519 no-base64! kenji", "ssh-ed25519 no-base64!", "kenji"),
        ("ssh-ed25519 é", "ssh-ed25519 é", None),
        ("ssh-ed25519", "ssh-ed25519", None),
        (" ", "", None),
    ],
)
def test_what_tells_a_key_from_every_other(
    recipient: str, identity: str, comment: str | None
) -> None:
    """An age key is told whole, an SSH key by its fingerprint; what follows is its own words."""
    key = public_key(recipient)

    assert (key.identity, key.comment) == (identity, comment)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_fingerprints_are_those_of_openssh(tmp_path: Path, kind: str) -> None:
    """A new key is told by what `ssh-keygen -l` prints of it."""
    file = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "kenji at home", "-f", str(file)]
    subprocess.run(command, check=True)  # noqa: S603 -- our own words
    public = tmp_path / "key.pub"
    listed = subprocess.run(  # noqa: S603 -- our own words
        ["ssh-keygen", "-l", "-f", str(public)],  # noqa: S607 -- wherever it is installed
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    key = public_key(public.read_text())

    assert f" {key.identity.removeprefix(f'ssh-{kind} ')} kenji at home (" in listed
    assert key.comment == "kenji at home"


def test_a_comment_is_never_mistaken_for_a_key() -> None:
    """Whoever calls a key by another one's name is quoted."""
    told = introduced(f"{ED25519} {AGE}", lambda key: f"<{key}>", lambda name: f"'{name}'")

    assert told == f"<{PRINT}> (calls itself '{AGE}')"
    assert introduced(AGE, lambda key: f"<{key}>", repr) == f"<{AGE}>"


@given(st.text())
def test_no_comment_changes_what_a_key_is(comment: str) -> None:
    """Whatever follows a key, its fingerprint stays; and what is no key at all stays whole."""
    assert public_key(f"{ED25519} {comment}").identity == PRINT
    assert public_key(f"x{comment}").identity == f"x{comment}".strip()
