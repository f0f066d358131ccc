"""The engine: wave after wave, twenty requests at a time, a few batches at once.

One person's failure ends that person's chain and nobody else's. What an answer means is
decided in `verdicts`; here is when things are sent, and what waits for what.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from reconciler.changes import Change, Create, Delete, LicenseKey, ManagerKey, Restore, UserKey
from reconciler.errors import ReconcilerError
from reconciler.executor.outcomes import Applied, Failed, Outcome, Skipped
from reconciler.executor.receipt import described
from reconciler.executor.verdicts import (
    FRESH_SECONDS,
    Again,
    AnotherPassword,
    Done,
    History,
    LookUp,
    Refusal,
    Split,
    judge,
    makes_account,
)
from reconciler.graph import decoding
from reconciler.graph.batching import SIZE
from reconciler.graph.errors import GraphError
from reconciler.graph.operations import Maker, Operation, operations
from reconciler.graph.reply import Reply
from reconciler.graph.requests import Requests
from reconciler.graph.transport import NoAnswer
from reconciler.model import Account, ObjectId, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.changes import Wave
    from reconciler.executor.issuer import Issuer
    from reconciler.executor.journal import Journal
    from reconciler.executor.verdicts import Verdict
    from reconciler.graph.transport import Answer, Graph
    from reconciler.plan import Plan

BATCHES_AT_ONCE = 4
"""Within what Graph advises for writers of one application."""


class Watcher(Protocol):
    """Whoever wants to see how far a run is."""

    def wave(self, wave: Wave, changes: int) -> None:
        """Note that *wave* begins, with so many changes."""

    def settled(self, outcome: Outcome) -> None:
        """Note what became of one change."""


@dataclass(slots=True)
class _Task:
    """An operation on its way: which request is next, and what happened so far."""

    operation: Operation
    requests: list[RequestInformation] = field(default_factory=list)
    step: int = 0
    history: History = field(default_factory=History)
    not_before: float = 0.0

    @property
    def accounts(self) -> Iterable[Account]:
        for change in self.operation.changes:
            yield change.key.account
            if isinstance(change.key, ManagerKey) and change.key.manager:
                yield change.key.manager


@dataclass(slots=True)
class Stop:
    """A way to end a run: nothing new is sent, what is in flight is waited for."""

    because: str | None = None

    def request(self, because: str) -> None:
        """End the run; the first reason counts."""
        self.because = self.because or because


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is: of the day for records, monotonic for waiting."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Records:
    """Who is told what a run does, and who makes its credentials."""

    issuer: Issuer
    journal: Journal
    watcher: Watcher


class Engine:
    """Executes one plan, once."""

    def __init__(
        self, plan: Plan, graph: Graph, records: Records, clock: Clock, stop: Stop
    ) -> None:
        self._stop = stop
        self._plan = plan
        self._graph = graph
        self._issuer = records.issuer
        self._journal = records.journal
        self._watcher = records.watcher
        self._now = clock.now
        self._monotonic = clock.monotonic
        self._maker = Maker(Requests(graph.client), graph.root, plan.ownership, self._id_of)
        self._made: dict[str, tuple[ObjectId, float]] = {}
        """Accounts that this run created or restored: their ids, and when."""
        self._broken: dict[str, str] = {}
        """Accounts whose chain has ended: the address of the change that ended it."""
        self.uncertain: list[Change] = []
        """New accounts that failed without a word from Graph: they may exist."""
        self.outcomes: list[Outcome] = []
        self._freed = {
            change.key.sku_id
            for change in plan.changes
            if isinstance(change.key, LicenseKey) and isinstance(change, Delete)
        }

    async def run(self) -> tuple[Outcome, ...]:
        """Execute the plan; never raises for what Graph answers.

        Raises ReconcilerError where the run's own records cannot be kept: then nothing
        more is sent.
        """
        for wave, changes in self._plan.waves:
            self._watcher.wave(wave, len(changes))
            await self._wave(changes)
        return tuple(self.outcomes)

    async def _wave(self, changes: Sequence[Change]) -> None:
        alive = [change for change in changes if not self._skip_if_pointless(change)]
        pending = deque(_Task(operation) for operation in operations(alive))
        flying: dict[asyncio.Task[list[_Task]], set[str]] = {}
        try:
            while pending or flying:
                if self._stop.because:
                    self._skip_all(pending)
                busy = set[str]().union(*flying.values())
                if len(flying) < BATCHES_AT_ONCE and (ready := self._take(pending, busy)):
                    batch = asyncio.create_task(self._send(ready))
                    flying[batch] = {task.operation.lane for task in ready}
                    continue
                await self._pause(pending, flying)
                for batch in [batch for batch in flying if batch.done()]:
                    del flying[batch]
                    pending.extendleft(reversed(batch.result()))
        finally:
            await asyncio.gather(*flying, return_exceptions=True)

    async def _pause(
        self, pending: Iterable[_Task], flying: dict[asyncio.Task[list[_Task]], set[str]]
    ) -> None:
        """Wait for the next batch to land, or for the next request's time to come."""
        now = self._monotonic()
        due = [task.not_before - now for task in pending if task.not_before > now]
        if not flying:
            await self._graph.sleep(max(0.0, min(due, default=0.0)))
        else:
            await asyncio.wait(
                flying,
                return_when=asyncio.FIRST_COMPLETED,
                timeout=min(due) if due and len(flying) < BATCHES_AT_ONCE else None,
            )

    def _take(self, pending: deque[_Task], busy: set[str]) -> list[_Task]:
        """Take what can be sent together now: due, and no two in one lane."""
        now, taken, left = self._monotonic(), list[_Task](), list[_Task]()
        lanes = set(busy)
        while pending and len(taken) < SIZE:
            task = pending.popleft()
            if task.operation.lane in lanes:
                left.append(task)
            elif self._skipped(task):
                continue
            elif task.not_before > now:
                lanes.add(task.operation.lane)
                left.append(task)
            else:
                lanes.add(task.operation.lane)
                taken.append(task)
        pending.extendleft(reversed(left))
        return taken

    # --- sending ---------------------------------------------------------------------

    async def _send(self, tasks: list[_Task]) -> list[_Task]:
        """Send the next request of each task; gives back the tasks that are not through."""
        new = [task for task in tasks if makes_account(task.operation)]
        fresh = [t.operation.changes[0] for t in new if not self._password(t)]
        if fresh:
            self._issuer.issue(fresh)
        for task in tasks:
            if not task.requests:
                task.requests = self._maker.requests_for(task.operation, self._password(task))
        addresses = [change.key.address for task in tasks for change in task.operation.changes]
        self._journal.write("sending", changes=addresses)
        answers = await self._answers(tasks)
        again: list[_Task] = []
        for task, answer in zip(tasks, answers, strict=True):
            again += await self._settle(task, answer)
        return again

    async def _answers(self, tasks: list[_Task]) -> Sequence[Answer]:
        try:
            return await self._graph.batch([task.requests[task.step] for task in tasks])
        except ReconcilerError as error:
            self._stop.request(f"signing in failed: {error}")
            answer = Reply(401, {}, {"error": {"code": "SignInFailed", "message": str(error)}})
            return [answer] * len(tasks)

    def _password(self, task: _Task) -> str | None:
        password = self._issuer.password(task.operation.changes[0])
        return password.reveal() if password and makes_account(task.operation) else None

    async def _settle(self, task: _Task, answer: Answer) -> list[_Task]:
        """Do what the verdict on *answer* says; gives back what is to be sent next."""
        verdict = judge(task.operation, answer, self._history(task))
        if isinstance(verdict, LookUp):
            verdict = await self._look_up(task, answer)
        match verdict:
            case Done():
                return self._done(task, verdict)
            case Again():
                return self._again(task, answer, verdict)
            case Split():
                return [_Task(part) for part in task.operation.split()]
            case AnotherPassword():
                self._issuer.issue(task.operation.changes)
                self._journal.write("password refused", changes=[self._address(task)])
                return [_Task(task.operation, history=History(new_password=True))]
            case Refusal():
                self._refuse(task, verdict.error, isinstance(answer, NoAnswer))
                return []
            case LookUp():
                raise AssertionError("a look-up ends in another verdict")  # pragma: no cover

    def _history(self, task: _Task) -> History:
        now = self._monotonic()
        made = (self._made.get(folded(a.user_principal_name)) for a in task.accounts)
        skus = {c.key.sku_id for c in task.operation.changes if isinstance(c.key, LicenseKey)}
        return History(
            tries=task.history.tries,
            throttled=task.history.throttled,
            ambiguous=task.history.ambiguous,
            fresh=any(account and now - account[1] < FRESH_SECONDS for account in made),
            seats_expected=bool(skus & self._freed),
            new_password=task.history.new_password,
        )

    async def _look_up(self, task: _Task, answer: Answer) -> Verdict:
        """Tell whether the account that has our name is the one that this run created."""
        change = task.operation.changes[0]
        name = change.key.account.user_principal_name
        mark = next((f.after for f in change.fields if f.path == "mark"), None)
        ownership = self._plan.ownership
        found = await self._graph.send(Requests(self._graph.client).identity(name, ownership))
        if isinstance(found, Reply) and not found.error:
            if decoding.mark(found.body, ownership) == mark:
                return Done(found, "created by a request whose answer was lost")
        elif task.history.tries < SIZE:
            return Again(ambiguous=True)
        assert isinstance(answer, Reply) and answer.error  # noqa: S101, PT018 -- why we look
        return Refusal(answer.error)

    def _done(self, task: _Task, verdict: Done) -> list[_Task]:
        first = task.operation.changes[0]
        user = isinstance(first.key, UserKey)
        if user and isinstance(first, Create | Restore) and task.step == 0:
            id_ = ObjectId(verdict.reply.body["id"]) if isinstance(first, Create) else None
            self._remember(first.key.account, id_)
        if task.step + 1 < len(task.requests):
            task.step += 1
            task.history = History()
            return [task]
        for change in task.operation.changes:
            self._settled(Applied(change, self._now(), verdict.reply.request_id, verdict.note))
        return []

    def _again(self, task: _Task, answer: Answer, verdict: Again) -> list[_Task]:
        history = task.history
        throttled = isinstance(answer, Reply) and answer.status == _TOO_MANY
        count = history.throttled if throttled else history.tries - 1
        try:
            wait = self._graph.patience(verdict.asked, count)
        except ReconcilerError as error:
            self._refuse(task, GraphError(_TOO_MANY, "RetryAfterTooLong", str(error)), lost=False)
            return []
        task.not_before = self._monotonic() + wait
        task.history = History(
            tries=history.tries + (not throttled),
            throttled=history.throttled + throttled,
            ambiguous=history.ambiguous or verdict.ambiguous,
            new_password=history.new_password,
        )
        self._journal.write("again", changes=[self._address(task)], seconds=round(wait, 3))
        return [task]

    def _refuse(self, task: _Task, error: GraphError, lost: bool) -> None:  # noqa: FBT001 -- a fact about *error*
        for change in task.operation.changes:
            if makes_account(task.operation) and (lost or task.history.ambiguous):
                self.uncertain.append(change)
            status = error.status or None
            failed = Failed(
                change, self._now(), error.code, error.message, status, error.request_id
            )
            self._settled(failed)

    # --- chains ----------------------------------------------------------------------

    def _skip_if_pointless(self, change: Change) -> bool:
        """Skip *change* where the chain that it belongs to has ended."""
        because = self._because(change)
        if because:
            self._settled(Skipped(change, because))
        return because is not None

    def _because(self, change: Change) -> str | None:
        broken = self._broken.get(folded(change.key.account.user_principal_name))
        if broken and broken != change.key.address:
            return f"{broken} did not succeed"
        manager = change.key.manager if isinstance(change.key, ManagerKey) else None
        if manager and not self._known(manager):
            return f"user/{folded(manager.user_principal_name)} did not succeed"
        return self._stop.because

    def _skipped(self, task: _Task) -> bool:
        """Drop from *task* what has become pointless; whether nothing is left of it."""
        alive = tuple(c for c in task.operation.changes if not self._skip_if_pointless(c))
        if alive != task.operation.changes:
            task.operation = Operation(alive, task.operation.lane)
            task.requests = []
        return not alive

    def _skip_all(self, pending: deque[_Task]) -> None:
        for task in pending:
            for change in task.operation.changes:
                self._settled(Skipped(change, self._stop.because or "stopped"))
        pending.clear()

    def _settled(self, outcome: Outcome) -> None:
        key = outcome.change.key
        name = folded(key.account.user_principal_name)
        if not isinstance(outcome, Applied):
            self._broken.setdefault(name, key.address)
        if key.account.id is None and name in self._made:
            account = replace(key.account, id=self._made[name][0])
            outcome = replace(
                outcome, change=replace(outcome.change, key=replace(key, account=account))
            )
        self.outcomes.append(outcome)
        self._journal.write("outcome", **described(outcome))
        self._watcher.settled(outcome)

    # --- ids -------------------------------------------------------------------------

    def _remember(self, account: Account, created: ObjectId | None) -> None:
        id_ = created or account.id
        assert id_ is not None  # noqa: S101 -- a restored account has one
        self._made[folded(account.user_principal_name)] = (id_, self._monotonic())

    def _known(self, account: Account) -> bool:
        return account.id is not None or folded(account.user_principal_name) in self._made

    def _id_of(self, account: Account) -> ObjectId:
        return account.id or self._made[folded(account.user_principal_name)][0]

    @staticmethod
    def _address(task: _Task) -> str:
        return task.operation.changes[0].key.address


_TOO_MANY = 429
