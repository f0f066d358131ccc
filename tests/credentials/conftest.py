"""Keys made for one run of the tests, in every form in which people have them."""

from __future__ import annotations

from dataclasses import dataclass

import pyrage
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeyPair:
    """A recipient, and the content of the identity file that opens what it gets."""

    recipient: str
    identity: bytes


def ssh_pair(key: PrivateKey) -> KeyPair:
    """Give *key* as ssh-keygen would write it."""
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return KeyPair(public.decode(), private)


def age_pair() -> KeyPair:
    """Give a pair as age-keygen would write it, comments included."""
    identity = pyrage.x25519.Identity.generate()  # type: ignore[attr-defined]  # pyrage brings no types
    public = str(identity.to_public())
    return KeyPair(public, f"# public key: {public}\n\n{identity}\n".encode())


@pytest.fixture(scope="session")
def keys() -> dict[str, KeyPair]:
    """Give one pair of every kind that age takes."""
    return {
        "age": age_pair(),
        "ssh-ed25519": ssh_pair(ed25519.Ed25519PrivateKey.generate()),
        "ssh-rsa": ssh_pair(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    }


@pytest.fixture(scope="session")
def unusable_keys() -> dict[str, KeyPair]:
    """Give one pair of every kind that people have and age does not take."""
    return {
        "ecdsa": ssh_pair(ec.generate_private_key(ec.SECP256R1())),
        "short": ssh_pair(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 -- the point is that it is too short
        "long": ssh_pair(rsa.generate_private_key(public_exponent=65537, key_size=4104)),
    }
