"""Settling: from an answer to what is sent next, or to what became of the changes.

`verdicts` says what an answer means; here it is carried out and recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from reconciler.changes import Change, Create, Delete, LicenseKey, Restore, UserKey
from reconciler.errors import ReconcilerError
from reconciler.executor.looking import (
    Absent,
    Found,
    LookAgain,
    Taken,
    Unknown,
    judge_look,
)
from reconciler.executor.outcomes import Applied, Failed, Outcome, Skipped
from reconciler.executor.receipt import described
from reconciler.executor.tasks import Task
from reconciler.executor.verdicts import (
    TRIES,
    Again,
    AnotherPassword,
    Done,
    History,
    LookUp,
    Refusal,
    Split,
    judge,
)
from reconciler.graph import decoding
from reconciler.graph.errors import GraphError
from reconciler.graph.reply import Reply
from reconciler.graph.throttling import TOO_MANY
from reconciler.graph.transport import NoAnswer
from reconciler.model import Mark, ObjectId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.executor.chains import Chains
    from reconciler.executor.surroundings import Clock, Records
    from reconciler.graph.transport import Answer, Graph
    from reconciler.plan import Plan

_LONGEST = 500
"""Characters of what Graph said."""
CREATED_UNHEARD = (
    "created by a request whose answer was lost; should another run have made it at that "
    "moment, that run has its initial credential"
)
_TAKEN = GraphError(0, "NameTaken", "another account has this userPrincipalName by now")


def _is_of_one_source(found: str | None, mark: str) -> bool:
    """Whether *found* is a mark of this repository, be it of another cohort."""
    one, other = Mark.parse(found), Mark.parse(mark)
    return one is not None and other is not None and one.source == other.source


def _told(answer: Answer) -> GraphError:
    """Give the error that left a creation in doubt."""
    if isinstance(answer, NoAnswer):
        return GraphError(0, "NoAnswer", answer.reason)
    return answer.error or GraphError(0, "NoAnswer", "Graph did not say which account it created")


class Settling:
    """Carries out verdicts for one run, and keeps its outcomes."""

    def __init__(
        self, plan: Plan, graph: Graph, records: Records, clock: Clock, chains: Chains
    ) -> None:
        self._ownership = plan.ownership
        self._graph = graph
        self._records = records
        self._clock = clock
        self._chains = chains
        self._freed = frozenset(
            change.key.sku_id
            for change in plan.changes
            if isinstance(change.key, LicenseKey) and isinstance(change, Delete)
        )
        self.outcomes: list[Outcome] = []
        """In the order in which they became known."""
        self.created: list[Change] = []
        """New accounts whose initial credential is ours: those that this run created, and
        those that may exist, although nobody can say so."""

    def settle(self, task: Task, answer: Answer) -> list[Task]:
        """Do what the verdict on *answer* says; gives back what is to be sent next."""
        if task.is_looking:
            return self._looked(task, answer)
        verdict = judge(task.operation, answer, self._history(task))
        match verdict:
            case Done():
                return self._done(task, verdict)
            case Again():
                return self._again(task, answer, verdict)
            case LookUp():
                return self._look(task, answer, verdict)
            case Split():
                return [Task(part) for part in task.operation.split()]
            case AnotherPassword():
                self._records.issuer.issue(task.operation.changes)
                self._records.journal.note("password refused", changes=[task.address])
                return [Task(task.operation, history=History(new_password=True))]
            case Refusal():
                return self._refused(task, verdict.error, lost=isinstance(answer, NoAnswer))
            case _:
                assert_never(verdict)

    def skip(self, changes: Sequence[Change], because: str) -> None:
        """Record that *changes* are not tried."""
        for change in changes:
            self._settled(Skipped(change, because))

    def give_up(self, task: Task, changes: Sequence[Change], because: str) -> None:
        """Record that *changes* of *task* are not tried again; they may have been carried out."""
        self._note_uncertain(task)
        if not task.history.ambiguous and not task.step:
            self.skip(changes, because)
            return
        for change in changes:
            words = f"{because}; this may have been carried out, wholly or in part"
            self._settled(Failed(change, self._clock.now(), "Interrupted", words))

    def _history(self, task: Task) -> History:
        return replace(
            task.history,
            fresh=self._chains.is_fresh(task.accounts),
            seats_expected=bool(task.skus & self._freed),
        )

    def _look(self, task: Task, answer: Answer, verdict: LookUp) -> list[Task]:
        """Ask next whether the account exists, rather than create it once more."""
        task.is_looking = True
        task.history = replace(
            task.history,
            ambiguous=task.history.ambiguous or not verdict.is_taken,
            is_taken=verdict.is_taken,
            looks=0,
        )
        task.doubt = _told(answer)
        return self._later(task, verdict.asked, 0, "looking")

    def _looked(self, task: Task, answer: Answer) -> list[Task]:
        """Tell whether the account that has our name is the one that was to be created."""
        history = task.history
        change = task.operation.changes[0]
        mark = next(str(f.after) for f in change.fields if f.path == "mark")
        doubt = task.doubt or _TAKEN
        body = answer.body if isinstance(answer, Reply) and not answer.error else None
        found = decoding.mark(body, self._ownership) if isinstance(body, dict) else None
        match judge_look(answer, found, mark, history):
            case Found(reply) if history.ambiguous:
                return self._done(task, Done(reply, CREATED_UNHEARD))
            case Found(reply):
                note = "created meanwhile by another run, which has its initial credential"
                return self._done(task, Done(reply, note), is_ours=False)
            case LookAgain(asked):
                task.history = replace(history, looks=history.looks + 1)
                return self._later(task, asked, history.looks + 1, "looking")
            case Absent() if history.tries < TRIES:
                task.is_looking = False
                task.history = replace(history, tries=history.tries + 1)
                return [task]
            case Taken():
                if not _is_of_one_source(found, mark):
                    task.history = History()  # the name is somebody's: ours was never created
                return self._refused(task, doubt if history.is_taken else _TAKEN, lost=False)
            case Absent() | Unknown():
                return self._refused(task, doubt, lost=False)

    def _done(self, task: Task, verdict: Done, *, is_ours: bool = True) -> list[Task]:
        first = task.operation.changes[0]
        if isinstance(first.key, UserKey) and task.step == 0:
            self._remember(first, verdict.reply)
        if task.makes_account and is_ours:
            self.created.append(first)
        if task.step + 1 < len(task.requests):
            task.step += 1
            task.history = History()
            return [task]
        if task.keeps:
            because = f"blocked, and not deleted: {task.keeps} did not succeed"
            return self._refused(task, GraphError(0, "NotDeleted", because), lost=False)
        for change in task.operation.changes:
            self._settled(
                Applied(change, self._clock.now(), verdict.reply.request_id, verdict.note)
            )
        return []

    def _remember(self, change: Change, reply: Reply) -> None:
        account = change.key.account
        if isinstance(change, Create):
            self._chains.made(account, ObjectId(reply.body["id"]))
        elif isinstance(change, Restore):
            self._chains.made(account, self._chains.id_of(account))

    def _again(self, task: Task, answer: Answer, verdict: Again) -> list[Task]:
        history = task.history
        throttled = isinstance(answer, Reply) and answer.status == TOO_MANY
        count = history.throttled if throttled else history.tries - 1
        task.history = replace(
            history,
            tries=history.tries + (not throttled),
            throttled=history.throttled + throttled,
            renewed=history.renewed or verdict.renews,
            ambiguous=history.ambiguous or verdict.ambiguous,
        )
        return self._later(task, verdict.asked, count, "again")

    def _later(self, task: Task, asked: float | None, count: int, event: str) -> list[Task]:
        """Send *task* again after what Graph *asked* for, or longer each time."""
        try:
            wait = self._graph.waiting.patience(asked, count)
        except ReconcilerError as error:
            too_long = GraphError(TOO_MANY, "RetryAfterTooLong", str(error))
            return self._refused(task, too_long, lost=False)
        task.not_before = self._clock.monotonic() + wait
        self._records.journal.note(event, changes=[task.address], seconds=round(wait, 3))
        return [task]

    def _refused(self, task: Task, error: GraphError, *, lost: bool) -> list[Task]:
        self._note_uncertain(task, lost=lost)
        at, status = self._clock.now(), error.status or None
        words = (error.code, error.message, error.request_id or "")
        code, message, request_id = map(self._records.issuer.redacted, words)
        for change in task.operation.changes:
            self._settled(Failed(change, at, code, message[:_LONGEST], status, request_id or None))
        return []

    def _note_uncertain(self, task: Task, *, lost: bool = False) -> None:
        if task.makes_account and (lost or task.history.ambiguous):
            self.created += task.operation.changes

    def _settled(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self._chains.end(outcome.change)
        outcome = replace(outcome, change=self._chains.identified(outcome.change))
        self.outcomes.append(outcome)
        self._records.journal.note("outcome", **described(outcome))
        self._records.watcher.settled(outcome)
