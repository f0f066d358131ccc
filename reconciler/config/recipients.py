"""Public keys that credentials are sealed to: each where it stands, judged elsewhere.

What can be sealed to is for the credentials package to say. A value is never quoted: it
may be a private key that went astray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from reconciler.config.documents import Table
from reconciler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.config.documents import Document, Series


class Problem(Protocol):
    """Why the recipient at *index* is of no use: *reason* completes `the recipient is …`.

    What to do about it may follow a colon.
    """

    @property
    def index(self) -> int:
        """Which one, counted from 0."""

    @property
    def reason(self) -> str:
        """What it is instead."""


if TYPE_CHECKING:
    Check = Callable[[Sequence[str]], Iterable[Problem]]


def wrong_recipients(document: Document, root: Table, check: Check) -> Iterator[Diagnostic]:
    """Give a diagnostic for each recipient that is none, or one where all are missing."""
    if "credentials" not in root:
        yield from _missing(document, root)
        return
    recipients = cast("Series", cast("Table", root["credentials"])["recipients"])
    for problem in check([cast("str", value) for value in recipients]):
        reason, _, remedy = problem.reason.partition(": ")
        yield Diagnostic(
            f"recipient {problem.index + 1} is {reason}",
            remedy or "name the public key of a person who hands the credentials out",
            document.position(recipients.marks[problem.index]),
        )


def _missing(document: Document, root: Table) -> Iterator[Diagnostic]:
    users = cast("Series", root["users"])
    if all(user.get("adopt") is True for user in users if isinstance(user, Table)):
        return
    yield Diagnostic(
        "'credentials' is missing: nobody could open the initial credentials",
        "list the public keys of those who hand them out under credentials.recipients",
        document.position(root.marks["cohort"]),
    )
