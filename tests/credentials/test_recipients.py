from __future__ import annotations

import base64
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.credentials import Problem, check_recipients

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.credentials.conftest import KeyPair

    Keys = Mapping[str, KeyPair]

WEAK = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"
"""The X25519 point zero: well written, and nothing can be encrypted to it."""


def ssh_rsa(exponent: int, modulus: int) -> str:
    """Write an RSA key as ssh-keygen would."""
    numbers = (n.to_bytes(n.bit_length() // 8 + 1 if n else 0, "big") for n in (exponent, modulus))
    fields = [b"ssh-rsa", *numbers]
    return (
        "ssh-rsa "
        + base64.b64encode(b"".join(struct.pack(">I", len(f)) + f for f in fields)).decode()
    )


@pytest.mark.parametrize("kind", ["age", "ssh-ed25519", "ssh-rsa"])
@pytest.mark.parametrize("comment", ["", " priya", " priya@contoso.com (laptop)\n"])
def test_usable(keys: Keys, kind: str, comment: str) -> None:
    """Keys that age takes are no problem, and an SSH key may carry a comment."""
    comment = "" if kind == "age" else comment

    assert check_recipients([keys[kind].recipient + comment]) == ()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ecdsa", "an ecdsa key, which age cannot encrypt to: use an ssh-ed25519 or age1… key"),
        ("short", "an RSA key of fewer than 2048 bits: use an ssh-ed25519 key"),
        ("long", "an RSA key of more than 4096 bits: use an ssh-ed25519 key"),
    ],
)
def test_unusable_keys(unusable_keys: Keys, kind: str, reason: str) -> None:
    """A real key of a kind that age does not take is told from a damaged one."""
    assert check_recipients([unusable_keys[kind].recipient]) == (Problem(0, reason),)


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("priya@contoso.com", "not a public key", id="address"),
        pytest.param("sk-ssh-ed25519@openssh.com AAAA", "hardware token", id="token"),
        pytest.param("ssh-dss AAAA", "DSA", id="DSA"),
        pytest.param("age1pq1qqqq", "post-quantum", id="post-quantum"),
        pytest.param("age1tagpq1qqqq", "post-quantum", id="post-quantum tag"),
        pytest.param("age1yubikey1qqqq", "plug-in 'yubikey'", id="plug-in"),
        pytest.param("age1qqqq", "damaged", id="truncated age"),
        pytest.param("ssh-ed25519 AAAAC3", "damaged", id="truncated ssh"),
        pytest.param("ssh-rsa", "damaged", id="kind alone"),
        pytest.param(WEAK, "damaged", id="weak point"),
        pytest.param(ssh_rsa(0, 1 << 3071 | 1), "damaged", id="no exponent"),
    ],
)
def test_unusable_text(recipient: str, reason: str) -> None:
    """Everything that is not a usable key has a reason, found before anything is sealed."""
    (problem,) = check_recipients([recipient])

    assert reason in problem.reason


@pytest.mark.parametrize("kind", ["age", "ssh-ed25519", "ssh-rsa"])
def test_private_key(keys: Keys, kind: str) -> None:
    """A private key is refused, and no line of it is repeated."""
    identity = keys[kind].identity.decode()
    (problem,) = check_recipients([identity])

    assert problem.reason.startswith("a private key")
    assert [line for line in identity.splitlines() if line and line in problem.reason] == []


def test_index(keys: Keys) -> None:
    """A problem names the place of the recipient, and good ones beside it are left alone."""
    problems = check_recipients([keys["age"].recipient, "", keys["ssh-rsa"].recipient, ""])

    assert [problem.index for problem in problems] == [1, 3]


def test_one_key_in_capitals(keys: Keys) -> None:
    """A key that was copied in capitals, as a QR code has it, is the same key."""
    assert check_recipients([keys["age"].recipient.upper()]) == ()


@given(st.text() | st.text().map("age1{}".format) | st.text().map("ssh-rsa {}".format))
def test_never_raises(text: str) -> None:
    """Any text at all is a usable key or has a reason; nothing raises."""
    assert len(check_recipients([text])) == 1


def test_encryption_is_loaded_when_needed() -> None:
    """Commands that handle no credentials do not pay for loading the native module."""
    program = "import sys, reconciler.credentials; sys.exit('pyrage' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 -- a fixed command
