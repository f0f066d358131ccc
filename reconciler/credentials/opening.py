"""Opening sealed files, for the people they were sealed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.credentials import age
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.credentials.age import Identity

_BINARY = b"age-encryption.org/v1\n"
_ARMORED = b"-----BEGIN AGE ENCRYPTED FILE-----"
_WITH_AGE = "open the file with age itself: age -d -i IDENTITY FILE"


def unseal(sealed: bytes, identities: Sequence[bytes]) -> bytes:
    """Decrypt *sealed* with whichever of *identities* it was sealed to.

    Each of *identities* is the content of a file: age identities, one a line, or one
    OpenSSH private key.
    """
    if not sealed.lstrip().startswith((_BINARY, _ARMORED)):
        raise ReconcilerError(
            "this is not a file that age encrypted", "give a file that ends in .credentials.csv.age"
        )
    keys = [key for content in identities for key in _identities(content)]
    try:
        return age.decrypt(sealed, keys)
    except age.AgeError as error:
        raise _unopened(sealed, str(error)) from None


def _unopened(sealed: bytes, message: str) -> ReconcilerError:
    if "No matching keys" not in message:
        return ReconcilerError(
            "the file is damaged: part of it is missing or was changed", "fetch it again"
        )
    if b"-> scrypt " in sealed:
        return ReconcilerError("the file is sealed with a passphrase", "open it with age -d FILE")
    return ReconcilerError(
        "the file is not sealed to any of these identities",
        "use the private key of a recipient that the cohort file named when the run was made",
    )


def _identities(content: bytes) -> list[Identity]:
    """Read the content of one identity file; nothing of it is repeated in a message."""
    if content.lstrip().startswith((_BINARY, _ARMORED)):
        raise ReconcilerError("the identity file is itself encrypted", _WITH_AGE)
    if b"PRIVATE KEY-----" in content:
        return [_ssh_identity(content)]
    found = list(_age_identities(content.decode(errors="replace")))
    if not found:
        raise ReconcilerError(
            "there is no identity in the identity file",
            "an identity is a line AGE-SECRET-KEY-1… or an OpenSSH private key",
        )
    return found


def _age_identities(text: str) -> Iterator[Identity]:
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        _refuse_by_kind(number, entry)
        try:
            yield age.x25519_identity(entry)
        except age.AgeError:
            raise ReconcilerError(
                f"line {number} of the identity file is not a whole identity",
                "an identity is a line AGE-SECRET-KEY-1… or an OpenSSH private key",
            ) from None


def _refuse_by_kind(number: int, entry: str) -> None:
    if entry.startswith("AGE-PLUGIN-"):
        raise ReconcilerError(
            f"line {number} of the identity file is for an age plug-in", _WITH_AGE
        )
    if entry.startswith(("age1", "ssh-")):
        raise ReconcilerError(
            f"line {number} of the identity file is a public key",
            "what is sealed to a public key is opened with the private one",
        )


def _ssh_identity(content: bytes) -> Identity:
    try:
        return age.ssh_identity(content)
    except age.AgeError as error:
        raise _unreadable(content, str(error)) from None


def _unreadable(content: bytes, message: str) -> ReconcilerError:
    if "must be decrypted" in message or b"ENCRYPTED" in content:
        return ReconcilerError(
            "the private key is protected with a passphrase",
            "age asks for it: age -d -i IDENTITY FILE",
        )
    if "unsupported key" in message:
        return ReconcilerError(
            "the private key is of a kind that age cannot use",
            "use an ssh-ed25519 or ssh-rsa key, or an age identity",
        )
    return ReconcilerError(
        "the private key cannot be read",
        "use an age identity or an OpenSSH private key; ssh-keygen -p -f IDENTITY rewrites others",
    )
