"""Looking: whether an account exists whose creation was not answered, or whose name is taken.

Pure. A look asks for the userPrincipalName directly, past every index, and for the mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.executor.verdicts import is_account
from reconciler.graph.errors import Meaning
from reconciler.graph.reply import Reply

if TYPE_CHECKING:
    from reconciler.executor.verdicts import History
    from reconciler.graph.transport import Answer

LOOKS = 2
"""How often an account is looked for before it counts as not created: the first look may
come before all of Graph knows the account."""
LOOKS_WHERE_TAKEN = 20
"""The same where Graph says that somebody has the name, or does not answer a look."""


@dataclass(frozen=True, slots=True)
class Found:
    """The account exists and carries our mark."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Taken:
    """The name is somebody else's."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Nobody has the name, as far as can be seen."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Too early to say."""

    asked: float | None = None
    """Seconds that Graph asked for; None leaves it to the sender."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Graph let nobody see whether it exists, for long enough."""


Sight = Found | Taken | Absent | LookAgain | Unknown


def judge_look(answer: Answer, found: str | None, mark: str, history: History) -> Sight:
    """Decide what *answer* to a look means; *found* is the mark in it, *mark* our own."""
    error = answer.error if isinstance(answer, Reply) else None
    if isinstance(answer, Reply) and error is None and is_account(answer.body):
        if found == mark:
            return Found(answer)
        # Our own may be seen before its mark is.
        is_certain = found or not history.ambiguous or history.looks + 1 >= LOOKS_WHERE_TAKEN
        return Taken() if is_certain else LookAgain()
    is_absent = error is not None and error.meaning is Meaning.NOT_THERE
    most = LOOKS if is_absent and not history.is_taken else LOOKS_WHERE_TAKEN
    if history.looks + 1 < most:
        return LookAgain(answer.retry_after if isinstance(answer, Reply) else None)
    return Absent() if is_absent and not history.is_taken else Unknown()
