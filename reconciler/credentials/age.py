"""age encryption, as far as it is used: the boundary to pyrage, which brings no types.

Whatever pyrage raises becomes `AgeError`. The native module is loaded at first use, because
most commands never need it.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, NewType, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

Recipient = NewType("Recipient", object)
Identity = NewType("Identity", object)


class AgeError(Exception):
    """Says, in age's own words, why it cannot; never holds a key or a plaintext."""


def x25519_recipient(line: str) -> Recipient:
    """Read a public key `age1…`."""
    with _translated() as age:
        return Recipient(age.x25519.Recipient.from_str(line))


def ssh_recipient(line: str) -> Recipient:
    """Read a public key `ssh-ed25519 …` or `ssh-rsa …`, with or without a comment."""
    with _translated() as age:
        return Recipient(age.ssh.Recipient.from_str(line))


def x25519_identity(line: str) -> Identity:
    """Read a private key `AGE-SECRET-KEY-1…`."""
    with _translated() as age:
        return Identity(age.x25519.Identity.from_str(line))


def ssh_identity(content: bytes) -> Identity:
    """Read a private key in OpenSSH's form that no passphrase protects."""
    with _translated() as age:
        return Identity(age.ssh.Identity.from_buffer(content))


def encrypt(plaintext: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Encrypt so that each of *recipients* can decrypt."""
    with _translated() as age:
        return cast("bytes", age.encrypt(plaintext, recipients))


def decrypt(sealed: bytes, identities: Sequence[Identity]) -> bytes:
    """Decrypt with whichever of *identities* fits; the armored form is read as well."""
    with _translated() as age:
        return cast("bytes", age.decrypt(sealed, identities))


@contextmanager
def _translated() -> Iterator[ModuleType]:
    """Give pyrage; a panic of its Rust code is an error like any other.

    Some keys that are well written make it panic (a point of low order, an RSA exponent of
    zero). That reaches Python as a BaseException of the module pyo3_runtime.
    """
    age = import_module("pyrage")
    try:
        yield age
    except (age.RecipientError, age.IdentityError, age.EncryptError, age.DecryptError) as error:
        raise AgeError(str(error)) from None
    except BaseException as panic:
        if type(panic).__module__ != "pyo3_runtime":
            raise
        raise AgeError("the key makes age panic") from None
