"""The engine: wave after wave, twenty requests at a time, a few batches at once.

What an answer means is decided in `verdicts` and carried out in `settling`; here is when
things are sent, and what waits for what.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError
from reconciler.executor.chains import Chains
from reconciler.executor.settling import Settling
from reconciler.executor.tasks import Queue, Task
from reconciler.graph.costs import Cost
from reconciler.graph.operations import Maker, operations
from reconciler.graph.reply import Reply
from reconciler.graph.requests import Requests
from reconciler.graph.transport import BATCHES_AT_ONCE
from reconciler.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.changes import Change
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.surroundings import Clock, Records, Stop
    from reconciler.graph.transport import Answer, Graph
    from reconciler.plan import Plan

_Flying = dict["asyncio.Task[list[Task]]", list[Task]]
"""Batches in flight, and the tasks in each."""


class Engine:
    """Executes one plan, once."""

    def __init__(
        self, plan: Plan, graph: Graph, records: Records, clock: Clock, stop: Stop
    ) -> None:
        self._plan = plan
        self._graph = graph
        self._records = records
        self._monotonic = clock.monotonic
        self._stop = stop
        self._chains = Chains(clock.monotonic)
        self._settling = Settling(plan, graph, records, clock, self._chains)
        self._requests = Requests(graph.client)
        self._maker = Maker(self._requests, graph.root, plan.ownership, self._chains.id_of)
        self._over: str | None = None
        """Why nothing more can be sent, although nobody asked for an end."""

    @property
    def created(self) -> Sequence[Change]:
        """New accounts whose initial credential is of this run; some only may exist."""
        return self._settling.created

    async def run(self) -> tuple[Outcome, ...]:
        """Execute the plan; never raises for what Graph answers. Outcomes come in its order.

        Raises ReconcilerError where the run's own records cannot be kept: then nothing
        more is sent.
        """
        for wave, changes in self._plan.waves:
            self._records.watcher.wave(wave, len(changes))
            await self._wave(changes)
        places = {change.key.address: n for n, change in enumerate(self._plan.changes)}
        outcomes = self._settling.outcomes
        return tuple(sorted(outcomes, key=lambda outcome: places[outcome.change.key.address]))

    async def _wave(self, changes: Sequence[Change]) -> None:
        alive = [change for change in changes if not self._is_skipped(change)]
        queue = Queue(Task(operation) for operation in operations(alive))
        flying: _Flying = {}
        try:
            while queue or flying:
                if because := self._ended:
                    self._give_up(queue, because)
                wait = await self._launch(queue, flying) if len(flying) < BATCHES_AT_ONCE else None
                if wait != 0.0 and (queue or flying):
                    await self._pause(queue, flying, wait)
                for batch in [batch for batch in flying if batch.done()]:
                    queue.back(flying.pop(batch), batch.result())
        finally:
            await asyncio.gather(*flying, return_exceptions=True)

    async def _launch(self, queue: Queue, flying: _Flying) -> float | None:
        """Send the next batch, if there is one and Graph's limits have room for it.

        Gives 0 where it was sent, the seconds until there is room, and None where nothing
        can be sent now.
        """
        tasks = queue.take(self._monotonic(), self._drop)
        if not tasks:
            return None
        if wait := self._graph.pace.delay(sum((task.cost for task in tasks), Cost())):
            queue.back(tasks, again=tasks)
            return self._unless_closed(wait)
        flying[asyncio.create_task(self._send(tasks))] = tasks
        await asyncio.sleep(0)  # it is on its way, and charged, before the next is weighed
        return 0.0

    def _unless_closed(self, wait: float) -> float:
        """Give *wait*, or 0 where Graph asks for so much that the run ends rather than waits."""
        try:
            self._graph.waiting.patience(self._graph.pace.closed, 0)
        except ReconcilerError as error:
            self._over = str(error)
            return 0.0
        return wait

    async def _pause(self, queue: Queue, flying: _Flying, room: float | None) -> None:
        """Wait for the next batch to land, for *room*, or for the next request's time."""
        due = queue.due()
        waits = [] if room is None else [room]
        waits += [] if due is None else [max(0.0, due - self._monotonic())]
        if not flying:
            await self._stop.cut_short(self._graph.waiting.sleep(min(waits, default=0.0)))
            return
        timeout = min(waits) if waits and len(flying) < BATCHES_AT_ONCE else None
        await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED, timeout=timeout)

    # --- sending ---------------------------------------------------------------------

    async def _send(self, tasks: list[Task]) -> list[Task]:
        """Send the next request of each task; gives back the tasks that are not through."""
        if self._over:
            return tasks
        try:
            self._prepare(tasks)
            again: list[Task] = []
            for task, answer in zip(tasks, await self._answers(tasks), strict=True):
                again += self._settling.settle(task, answer)
        except Exception as error:
            self._over = str(error) or type(error).__name__
            raise
        return again

    def _prepare(self, tasks: list[Task]) -> None:
        """Seal the passwords of new accounts, make the requests, and write both down."""
        fresh = [task for task in tasks if task.makes_account and not self._password(task)]
        if fresh:
            self._records.issuer.issue([task.operation.changes[0] for task in fresh])
        writing = [task for task in tasks if not task.is_looking]
        for task in writing:
            if not task.requests:
                task.requests = self._maker.requests_for(task.operation, self._password(task))
                task.keeps = self._chains.keeps(task.operation.changes[0])
                if task.keeps:
                    task.requests.pop()  # the deletion comes last
        if writing:
            addresses = [c.key.address for task in writing for c in task.operation.changes]
            self._records.journal.write("sending", changes=addresses)

    async def _answers(self, tasks: list[Task]) -> Sequence[Answer]:
        try:
            return await self._graph.batch([self._next(task) for task in tasks])
        except ReconcilerError as error:
            self._over = f"signing in failed: {without_secrets(str(error))}"
            answer = Reply(401, {}, {"error": {"code": "SignInFailed", "message": self._over}})
            return [answer] * len(tasks)

    def _next(self, task: Task) -> RequestInformation:
        if task.is_looking:
            name = task.operation.changes[0].key.account.user_principal_name
            return self._requests.identity(name, self._plan.ownership)
        return task.requests[task.step]

    def _password(self, task: Task) -> str | None:
        if not task.makes_account:
            return None
        password = self._records.issuer.password(task.operation.changes[0])
        return password.reveal() if password else None

    # --- what is not sent ------------------------------------------------------------

    @property
    def _ended(self) -> str | None:
        return self._stop.because or self._over

    def _pointless(self, change: Change) -> str | None:
        """Tell why *change* is pointless: the chain that it belongs to has ended, or the run."""
        broken = self._chains.broken(change)
        return f"{broken} did not succeed" if broken else self._ended

    def _is_skipped(self, change: Change) -> bool:
        because = self._pointless(change)
        if because:
            self._settling.skip([change], because)
        return because is not None

    def _drop(self, task: Task) -> bool:
        """Drop from *task* what has become pointless; whether nothing is left of it."""
        alive: list[Change] = []
        for change in task.operation.changes:
            if because := self._pointless(change):
                self._settling.give_up(task, [change], because)
            else:
                alive.append(change)
        if len(alive) < len(task.operation.changes):
            task.operation = replace(task.operation, changes=tuple(alive))
            task.requests = []
        return not alive

    def _give_up(self, queue: Queue, because: str) -> None:
        for task in queue.drain():
            self._settling.give_up(task, task.operation.changes, because)
