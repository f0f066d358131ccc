"""Public keys as a person can compare them with those of the people they know.

What follows an SSH key is written by whoever adds the key, and proves nothing: two keys
that end alike are made in minutes, and anybody can call a key `priya`. Its fingerprint is
what nobody can choose.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Show = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A recipient: what tells it from every other, and what it calls itself."""

    identity: str
    """An age key whole, or kind and fingerprint of an SSH key as `ssh-keygen -l` has it."""
    comment: str | None = None


def public_key(recipient: str) -> PublicKey:
    """Read *recipient* as it stands in a file; what is no SSH key stays whole."""
    kind, *rest = recipient.split(None, 2)[:3] or [recipient]
    if not kind.startswith("ssh-") or not rest:
        return PublicKey(recipient.strip())
    comment = rest[1].strip() if len(rest) > 1 else None
    return PublicKey(f"{kind} {_fingerprint(rest[0])}", comment)


def _fingerprint(encoded: str) -> str:
    """Give what `ssh-keygen -l` prints (OpenSSH, sshkey_fingerprint); the key if it is none."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return encoded
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def introduced(recipient: str, show: Show, quote: Show) -> str:
    """Say who can open what is sealed; *show* makes the key harmless, *quote* the comment."""
    key = public_key(recipient)
    if key.comment is None:
        return show(key.identity)
    return f"{show(key.identity)} (calls itself {quote(key.comment)})"
