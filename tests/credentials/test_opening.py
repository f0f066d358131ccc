from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pyrage
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.credentials import Credential, Password, age, seal, unseal
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.credentials.conftest import KeyPair

    Keys = Mapping[str, KeyPair]

ADA = Credential("Ada", "ada@contoso.com", Password("kkkkkkkkkkkkKK3#"))


@pytest.fixture(scope="module")
def sealed(keys: Keys) -> bytes:
    """Give a file that the age key opens."""
    return seal([ADA], [keys["age"].recipient])


def refusal(sealed: bytes, *identities: bytes) -> str:
    """Give what unsealing says when it cannot, hint included."""
    with pytest.raises(ReconcilerError) as caught:
        unseal(sealed, identities)
    return f"{caught.value} ({caught.value.hint})"


def test_any_of_several(keys: Keys, sealed: bytes) -> None:
    """Identities that do not fit are passed over: one that does is enough."""
    identities = [keys["ssh-rsa"].identity, keys["ssh-ed25519"].identity, keys["age"].identity]

    assert unseal(sealed, identities).startswith(b"Name,")


def test_several_in_one_file(keys: Keys, sealed: bytes) -> None:
    """An identity file may hold several identities, with comments and empty lines."""
    other = str(pyrage.x25519.Identity.generate()).encode()  # type: ignore[attr-defined]  # pyrage brings no types

    assert unseal(sealed, [b"# mine\r\n" + other + b"\r\n\r\n" + keys["age"].identity])


def test_for_somebody_else(keys: Keys, sealed: bytes) -> None:
    """A file that was sealed to others says so."""
    assert "not sealed to any of these" in refusal(sealed, keys["ssh-ed25519"].identity)


@pytest.mark.parametrize("cut", [-1, 100, 30])
def test_truncated(keys: Keys, sealed: bytes, cut: int) -> None:
    """A file that was cut short is damaged, and nothing of it comes out."""
    assert "damaged" in refusal(sealed[:cut], keys["age"].identity)


@pytest.mark.parametrize("distance", [10, 100], ids=["header", "body"])
def test_changed(keys: Keys, sealed: bytes, distance: int) -> None:
    """A file in which one bit was changed is damaged, and nothing of it comes out."""
    changed = bytearray(sealed)
    changed[sealed.index(b"\n--- ") + distance] ^= 1

    assert "damaged" in refusal(bytes(changed), keys["age"].identity)


@pytest.mark.parametrize("content", [b"", b"Name,Email\n", b"\xff\xfe"])
def test_not_age(keys: Keys, content: bytes) -> None:
    """Other files are told from damaged ones."""
    assert "not a file that age encrypted" in refusal(content, keys["age"].identity)


def test_passphrase(keys: Keys) -> None:
    """A file under a passphrase is left to age."""
    sealed = pyrage.passphrase.encrypt(b"Name", "hunter2")  # type: ignore[attr-defined]  # pyrage brings no types

    assert "age -d FILE" in refusal(sealed, keys["age"].identity)


def test_programming_error() -> None:
    """What is not age's word on a key or a file is not disguised as one."""
    with pytest.raises(TypeError):
        age.encrypt(b"", [age.Recipient("not a recipient")])


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        pytest.param(b"", "no identity", id="empty"),
        pytest.param(b"# nothing\n\n", "no identity", id="comments"),
        pytest.param(b"\n\nhunter2", "line 3 of the identity file is not a whole", id="nonsense"),
        pytest.param(b"AGE-SECRET-KEY-1QQQ", "not a whole identity", id="truncated"),
        pytest.param(b"AGE-PLUGIN-YUBIKEY-1QQQ", "age -d -i", id="plug-in"),
        pytest.param(b"age1qqq", "public key", id="age public key"),
        pytest.param(b"ssh-ed25519 AAAA", "public key", id="ssh public key"),
        pytest.param(b"age-encryption.org/v1\n-> X", "itself encrypted", id="encrypted"),
        pytest.param(
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "cannot be read",
            id="broken ssh key",
        ),
    ],
)
def test_unusable_identities(sealed: bytes, identity: bytes, expected: str) -> None:
    """Each way in which an identity file fails is told apart, and none of it is repeated."""
    message = refusal(sealed, identity)

    assert expected in message
    assert "hunter2" not in message


def test_kind_that_age_lacks(sealed: bytes, unusable_keys: Keys) -> None:
    """A private key of another kind is told from a broken one."""
    assert "a kind that age cannot use" in refusal(sealed, unusable_keys["ecdsa"].identity)


def test_protected_pem(sealed: bytes) -> None:
    """A private key in PEM under a passphrase is told from a broken one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    protected = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"hunter2"),
    )

    assert "protected with a passphrase" in refusal(sealed, protected)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_protected_ssh_key(sealed: bytes, tmp_path: Path) -> None:
    """A private key that ssh-keygen protected with a passphrase is left to age, which asks."""
    file = tmp_path / "id_ed25519"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter2", "-f", str(file)]
    subprocess.run(command, check=True)  # noqa: S603 -- a fixed command

    assert "protected with a passphrase (age asks for it" in refusal(sealed, file.read_bytes())
