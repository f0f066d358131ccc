"""Sealing: credentials become one encrypted CSV, without ever being a plaintext file.

The form is that of the CSV files that administrators hand on today, so that whoever opens
one with `reconciler unseal` or `age -d` can load it into a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.credentials import age
from reconciler.credentials.recipients import UnusableRecipient, parse
from reconciler.errors import ReconcilerError
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.credentials.age import Recipient
    from reconciler.credentials.password import Password

HEADER = ("Name", "Email/UPN", "Initial Password")
_STARTS_A_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""Excel and LibreOffice execute cells that start so; Excel takes the full-width forms too
(OWASP, CSV Injection)."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a new person needs to sign in for the first time."""

    name: str
    user_principal_name: str
    password: Password


def seal(credentials: Sequence[Credential], recipients: Sequence[str]) -> bytes:
    """Encrypt *credentials* so that each of *recipients* can open them, and nobody else."""
    if not recipients:
        raise ReconcilerError(
            "credentials cannot be sealed: there are no recipients",
            "name public keys under credentials.recipients in the cohort file",
        )
    keys = [_key(number, recipient) for number, recipient in enumerate(recipients, start=1)]
    return age.encrypt(_csv(credentials).encode(), keys)


def _key(number: int, recipient: str) -> Recipient:
    try:
        return parse(recipient)
    except UnusableRecipient as unusable:
        raise ReconcilerError(
            f"credentials cannot be sealed: recipient {number} is {unusable}",
            "correct credentials.recipients in the cohort file",
        ) from None


def _csv(credentials: Sequence[Credential]) -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(
        (_cell(each.name), _cell(each.user_principal_name), each.password.reveal())
        for each in credentials
    )
    return text.getvalue()


def _cell(value: str) -> str:
    """Keep a spreadsheet from executing a name: an apostrophe makes it text.

    Hidden characters are written out, so that none of them ends a line either.
    """
    shown = visible(value)
    return f"'{shown}" if value.lstrip().startswith(_STARTS_A_FORMULA) else shown
