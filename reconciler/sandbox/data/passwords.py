"""Passwords: which ones Entra takes, and how the tenant keeps them.

Rules from Microsoft's password policy (entra-docs, concept-sspr-policy, May 2025). Only a
salted scrypt hash is kept. Its cost is low on purpose: the passwords that a sandbox sees
are random and short-lived, and thousands of accounts are made per second.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import string

SHORTEST, LONGEST = 8, 256
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_SYMBOLS = "@#$%^&*-_!+=[]{}|\\:',.?/`~\"();<> "
_ALLOWED = frozenset("".join((*_CLASSES, _SYMBOLS)))
_CLASSES_WANTED = 3
_BANNED = ("password", "qwerty", "letmein", "welcome")
_SHORTEST_BANNED = 4
_SUBSTITUTES = str.maketrans("013457@$!", "oieastasi")
"""A part of Entra's normalisation before it compares with the banned list."""


def is_acceptable(password: str, domain: str) -> bool:
    """Whether Entra takes *password* for an account of the cloud in the tenant of *domain*.

    The company's name is banned too: the first label of its initial domain.
    """
    if not SHORTEST <= len(password) <= LONGEST or not _ALLOWED.issuperset(password):
        return False
    classes = sum(any(c in one for c in password) for one in (*_CLASSES, _SYMBOLS))
    return classes >= _CLASSES_WANTED and not _is_banned(password, domain)


def _is_banned(password: str, domain: str) -> bool:
    """Whether little but a banned word is left: Entra wants five points, a word counts one."""
    plain, own = (_plain(text) for text in (password, domain.partition(".")[0]))
    for word in (*_BANNED, own) if len(own) >= _SHORTEST_BANNED else _BANNED:
        plain = plain.replace(word, "\0")
    return "\0" in plain and len(plain) < 5  # noqa: PLR2004 -- Entra's five points


def _plain(text: str) -> str:
    return text.casefold().translate(_SUBSTITUTES)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=16, r=8, p=1, dklen=32)


def hashed(password: str) -> str:
    """Give what is kept of *password*: salt and hash."""
    salt = os.urandom(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether *password* is the one that *kept* was made of."""
    salt, _, digest = kept.partition(":")
    return bool(digest) and hmac.compare_digest(
        _scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest)
    )
