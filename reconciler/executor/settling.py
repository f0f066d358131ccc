"""Settling: from an answer to what is sent next, or to what became of the changes.

`verdicts` says what an answer means; here it is carried out and recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from reconciler.changes import Change, Create, Delete, LicenseKey, Restore, UserKey
from reconciler.errors import ReconcilerError
from reconciler.executor.outcomes import Applied, Failed, Outcome, Skipped
from reconciler.executor.receipt import described
from reconciler.executor.tasks import Task
from reconciler.executor.verdicts import (
    LOOK_UPS,
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
from reconciler.graph.requests import Requests
from reconciler.graph.transport import NoAnswer
from reconciler.model import ObjectId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.executor.chains import Chains
    from reconciler.executor.surroundings import Clock, Records
    from reconciler.graph.transport import Answer, Graph
    from reconciler.plan import Plan

_TOO_MANY = 429


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
        self.uncertain: list[Change] = []
        """New accounts that may exist, although nobody can say so."""

    async def settle(self, task: Task, answer: Answer) -> list[Task]:
        """Do what the verdict on *answer* says; gives back what is to be sent next."""
        judged = judge(task.operation, answer, self._history(task))
        verdict = await self._look_up(task, answer) if isinstance(judged, LookUp) else judged
        match verdict:
            case Done():
                return self._done(task, verdict)
            case Again():
                return self._again(task, answer, verdict)
            case Split():
                return [Task(part) for part in task.operation.split()]
            case AnotherPassword():
                self._records.issuer.issue(task.operation.changes)
                self._records.journal.write("password refused", changes=[task.address])
                return [Task(task.operation, history=History(new_password=True))]
            case Refusal():
                return self._refused(task, verdict.error, lost=isinstance(answer, NoAnswer))
            case _:
                assert_never(verdict)

    def skip(self, changes: Sequence[Change], because: str) -> None:
        """Record that *changes* are not tried."""
        for change in changes:
            self._settled(Skipped(change, because))

    def give_up(self, task: Task, because: str) -> None:
        """Record that *task* is not tried again; it may have been carried out nevertheless."""
        self._note_uncertain(task)
        self.skip(task.operation.changes, because)

    def _history(self, task: Task) -> History:
        return replace(
            task.history,
            fresh=self._chains.is_fresh(task.accounts),
            seats_expected=bool(task.skus & self._freed),
        )

    async def _look_up(self, task: Task, answer: Answer) -> Done | Again | Refusal:
        """Tell whether the account that has our name is the one that this run created."""
        change = task.operation.changes[0]
        name = change.key.account.user_principal_name
        mark = next((f.after for f in change.fields if f.path == "mark"), None)
        found = await self._graph.send(Requests(self._graph.client).identity(name, self._ownership))
        if isinstance(found, Reply) and not found.error:
            if decoding.mark(found.body, self._ownership) == mark:
                return Done(found, "created by a request whose answer was lost")
            task.history = History()  # somebody else has the name: ours was never created
        elif task.history.tries < LOOK_UPS:
            return Again(ambiguous=True)
        assert isinstance(answer, Reply)  # noqa: S101 -- "taken" is why we look
        assert answer.error  # noqa: S101 -- as above
        return Refusal(answer.error)

    def _done(self, task: Task, verdict: Done) -> list[Task]:
        first = task.operation.changes[0]
        if isinstance(first.key, UserKey) and task.step == 0:
            self._remember(first, verdict.reply)
        if task.step + 1 < len(task.requests):
            task.step += 1
            task.history = History()
            return [task]
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
        throttled = isinstance(answer, Reply) and answer.status == _TOO_MANY
        count = history.throttled if throttled else history.tries - 1
        task.history = replace(
            history,
            tries=history.tries + (not throttled),
            throttled=history.throttled + throttled,
            ambiguous=history.ambiguous or verdict.ambiguous,
        )
        try:
            wait = self._graph.patience(verdict.asked, count)
        except ReconcilerError as error:
            too_long = GraphError(_TOO_MANY, "RetryAfterTooLong", str(error))
            return self._refused(task, too_long, lost=False)
        task.not_before = self._clock.monotonic() + wait
        self._records.journal.write("again", changes=[task.address], seconds=round(wait, 3))
        return [task]

    def _refused(self, task: Task, error: GraphError, *, lost: bool) -> list[Task]:
        self._note_uncertain(task, lost=lost)
        at, status = self._clock.now(), error.status or None
        code, message = map(self._records.issuer.redacted, (error.code, error.message))
        for change in task.operation.changes:
            self._settled(Failed(change, at, code, message, status, error.request_id))
        return []

    def _note_uncertain(self, task: Task, *, lost: bool = False) -> None:
        if task.makes_account and (lost or task.history.ambiguous):
            self.uncertain += task.operation.changes

    def _settled(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self._chains.end(outcome.change)
        outcome = replace(outcome, change=self._chains.identified(outcome.change))
        self.outcomes.append(outcome)
        self._records.journal.write("outcome", **described(outcome))
        self._records.watcher.settled(outcome)
