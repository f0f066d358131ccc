"""What an answer means for the operation that it answers: pure, one decision at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import Create, Delete, LicenseKey, MembershipKey, Restore, UserKey
from reconciler.graph.errors import GraphError, Meaning
from reconciler.graph.reply import Reply
from reconciler.graph.transport import NoAnswer

if TYPE_CHECKING:
    from reconciler.graph.operations import Operation
    from reconciler.graph.transport import Answer

TRIES = 7
"""How often a request is sent when the service fails or has not caught up with itself."""
THROTTLED_TRIES = 40
"""How often one is sent when Graph says that it was too fast: it was not executed then."""
SWAP_TRIES = 4
"""How often a swap of licences waits for a seat before it gives its own up first."""
FRESH_SECONDS = 300.0
"""How long an account that this run has made may be invisible to parts of Graph."""


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; *note* where it already was."""

    reply: Reply
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Not carried out, or nobody knows: the same request again, in a while."""

    asked: float | None = None
    """Seconds that Graph asked for; None leaves it to the sender."""
    ambiguous: bool = False
    """Whether it may have been carried out."""
    renews: bool = False
    """Whether the next one goes with a new token."""


@dataclass(frozen=True, slots=True)
class Split:
    """Refused as a whole: each change on its own."""


@dataclass(frozen=True, slots=True)
class AnotherPassword:
    """The tenant bans the password: a new one, sealed first."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """The account may exist, made by this run or by another: look before deciding."""

    asked: float | None = None
    """Seconds that Graph asked for; None leaves it to the sender."""
    is_taken: bool = False
    """Whether Graph said that the name is taken."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refused for good."""

    error: GraphError


Verdict = Done | Again | Split | AnotherPassword | LookUp | Refusal


@dataclass(frozen=True, slots=True)
class History:
    """What happened to an operation's request before this answer."""

    tries: int = 1
    throttled: int = 0
    ambiguous: bool = False
    """Whether an earlier try may have been carried out."""
    is_taken: bool = False
    """Whether Graph said that the name of the account is taken."""
    renewed: bool = False
    """Whether a new token has been tried already."""
    looks: int = 0
    """How often the account was looked for since the last try to create it."""
    fresh: bool = False
    """Whether it is about an account that this run has made less than a while ago."""
    seats_expected: bool = False
    """Whether this plan frees seats that the request may be waiting for."""
    new_password: bool = False
    """Whether another password has been tried already."""


def judge(operation: Operation, answer: Answer, history: History) -> Verdict:
    """Decide what *answer* means for *operation*."""
    if not isinstance(answer, Reply):
        return _lost(operation, answer, history)
    if (error := answer.error) is None:
        is_told = _is_complete(operation, answer)
        return Done(answer) if is_told else _lost(operation, _NOT_TOLD, history)
    verdict = _of_service(operation, answer, error, history) or _of_delay(operation, error, history)
    return verdict or _settled(operation, answer, error, history)


def _of_service(
    operation: Operation, answer: Reply, error: GraphError, history: History
) -> Verdict | None:
    """Decide on what says nothing of the change; None where the error is about it."""
    match error.meaning:
        case Meaning.THROTTLED if history.throttled < THROTTLED_TRIES:
            return Again(answer.retry_after)
        case Meaning.UNAVAILABLE if makes_account(operation):
            return LookUp(answer.retry_after)
        case Meaning.UNAVAILABLE if history.tries < TRIES:
            return Again(answer.retry_after, ambiguous=True)
        case Meaning.UNKNOWN_TOKEN if not history.renewed:
            return Again(0.0, renews=True)
        case Meaning.NOT_YET if history.tries < TRIES:
            return Again(answer.retry_after, ambiguous=makes_account(operation))
        case _:
            return None


def _of_delay(operation: Operation, error: GraphError, history: History) -> Verdict | None:
    """Decide on what may be otherwise in a while, or with another body; None where it stands."""
    match error.meaning:
        case Meaning.NO_SEATS if history.seats_expected and history.tries < TRIES:
            # Two people may wait for the seat that the other one holds.
            stuck = history.tries >= SWAP_TRIES and _is_swap(operation)
            return Split() if stuck else Again()
        case Meaning.NOT_THERE if history.fresh:
            return Again()
        case Meaning.NOT_THERE if isinstance(operation.changes[0], Delete) and history.tries == 1:
            return Again()  # a part of Graph may be behind: once is not enough to believe it
        case Meaning.WEAK_PASSWORD if not history.new_password and not history.ambiguous:
            return AnotherPassword()  # not where an account may have the first one
        case Meaning.NAME_TAKEN if makes_account(operation):
            return LookUp(is_taken=True)
        case _:
            return None


def _settled(operation: Operation, reply: Reply, error: GraphError, history: History) -> Verdict:
    """Decide on an error that another try of the same would not change."""
    change = operation.changes[0]
    together = len(operation.changes) > 1
    match error.meaning:
        case Meaning.ALREADY_THERE | Meaning.ALREADY_GONE if together:
            return Split()
        case Meaning.ALREADY_THERE if makes_account(operation):
            return Refusal(error)  # another object has one of its addresses
        case Meaning.ALREADY_THERE if isinstance(change, Create):
            return _was_so(reply, "it was there already", history)
        case Meaning.ALREADY_GONE if isinstance(change, Delete):
            return _was_so(reply, "it was gone already", history)
        case Meaning.NOT_THERE if isinstance(change, Delete) and not together:
            return _was_so(reply, "it was gone already", history)
        case Meaning.NOT_THERE if isinstance(change, Restore) and history.ambiguous:
            return Done(reply, UNHEARD)
        case _ if together and isinstance(change.key, MembershipKey):
            return Split()
    return Refusal(error)


UNHEARD = "done by a request whose answer was lost, or so already"


def _was_so(reply: Reply, note: str, history: History) -> Done:
    """Say that the tenant is as it was to be, and whether that may be this run's doing."""
    return Done(reply, UNHEARD if history.ambiguous else note)


def _is_swap(operation: Operation) -> bool:
    freed = {isinstance(change, Delete) for change in operation.changes}
    return isinstance(operation.changes[0].key, LicenseKey) and len(freed) > 1


def _lost(operation: Operation, answer: NoAnswer, history: History) -> Verdict:
    if makes_account(operation):
        return LookUp()
    if history.tries < TRIES:
        return Again(ambiguous=True)
    return Refusal(GraphError(0, "NoAnswer", answer.reason))


_NOT_TOLD = NoAnswer("Graph said that it created the account, and not which")


def _is_complete(operation: Operation, reply: Reply) -> bool:
    """Whether *reply* holds what the rest of the run needs: the id of a new account."""
    return not makes_account(operation) or is_account(reply.body)


def is_account(body: object) -> bool:
    """Whether *body* tells the id of an account."""
    return isinstance(body, dict) and isinstance(body.get("id"), str)


def makes_account(operation: Operation) -> bool:
    """Whether *operation* creates an account, and so needs a password."""
    change = operation.changes[0]
    return isinstance(change, Create) and isinstance(change.key, UserKey)
