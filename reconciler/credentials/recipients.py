"""Whom credentials are sealed to: public keys that age can encrypt to.

age takes its own X25519 keys (`age1…`) and the SSH keys that people already have
(`ssh-ed25519`, and `ssh-rsa` of 2048 to 4096 bits). What it cannot take is told apart here,
before any account exists, because a sealed file that nobody can open is a lost password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.credentials import age

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.credentials.age import Recipient

_NEITHER = "not a public key of age (age1…) or of SSH (ssh-ed25519 or ssh-rsa)"
_DAMAGED = "damaged: part of it is missing or mistyped, so copy the whole line again"
_UNSUPPORTED = "{}, which age cannot encrypt to: use an ssh-ed25519 or age1… key"


class UnusableRecipient(ValueError):  # noqa: N818 -- it is the recipient that is wrong
    """Says why nothing can be sealed to a recipient, without repeating it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The recipient at *index* cannot be used; *reason* completes `the recipient is …`."""

    index: int
    reason: str


def check_recipients(recipients: Sequence[str]) -> tuple[Problem, ...]:
    """Parse each of *recipients* as sealing will, and tell those that cannot be used."""
    return tuple(
        Problem(index, reason)
        for index, recipient in enumerate(recipients)
        if (reason := _problem(recipient)) is not None
    )


def _problem(recipient: str) -> str | None:
    try:
        parse(recipient)
    except UnusableRecipient as unusable:
        return str(unusable)
    return None


def parse(recipient: str) -> Recipient:
    """Read one public key; the comment that may follow an SSH key is passed over."""
    line = recipient.strip()
    _refuse_by_kind(line)
    is_age = line.casefold().startswith("age1")
    return _age_key(line) if is_age else _tried(age.ssh_recipient, line)


def _refuse_by_kind(line: str) -> None:
    """Refuse what its first word gives away; a private key is never looked at further."""
    if re.search(r"PRIVATE KEY|AGE-(SECRET-KEY|PLUGIN)-", line, re.IGNORECASE):
        raise UnusableRecipient(
            "a private key: give the public one, and replace the pair, because whoever can "
            "read this file now has it"
        )
    kind = line.partition(" ")[0]
    if not kind:
        raise UnusableRecipient("empty")
    if kind.startswith("sk-"):
        raise UnusableRecipient(_UNSUPPORTED.format("an SSH key on a hardware token (sk-…)"))
    if kind.startswith("ecdsa-"):
        raise UnusableRecipient(_UNSUPPORTED.format("an ecdsa key"))
    if kind == "ssh-dss":
        raise UnusableRecipient(_UNSUPPORTED.format("a DSA key"))
    if kind not in {"ssh-ed25519", "ssh-rsa"} and not line.casefold().startswith("age1"):
        raise UnusableRecipient(_NEITHER)


def _age_key(line: str) -> Recipient:
    prefix = line.casefold().rpartition("1")[0]
    if prefix in {"age1pq", "age1tagpq"}:
        raise UnusableRecipient("a post-quantum key, which this version cannot encrypt to")
    if prefix.startswith("age1") and prefix[4:].isalpha():
        raise UnusableRecipient(f"a key of the age plug-in '{prefix[4:]}', which only age can run")
    return _tried(age.x25519_recipient, line)


def _tried(read: Callable[[str], Recipient], line: str) -> Recipient:
    """Read a key and encrypt to it once: some are well written and still of no use."""
    try:
        recipient = read(line)
        age.encrypt(b"", [recipient])
    except age.AgeError as error:
        raise UnusableRecipient(_reason(str(error))) from None
    return recipient


def _reason(message: str) -> str:
    if "TooSmall" in message:
        return "an RSA key of fewer than 2048 bits: use an ssh-ed25519 key"
    if "TooLarge" in message:
        return "an RSA key of more than 4096 bits: use an ssh-ed25519 key"
    return _DAMAGED
