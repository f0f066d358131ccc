"""Tasks: operations on their way, and which of them can be sent together now."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from reconciler.changes import LicenseKey, ManagerKey
from reconciler.executor.verdicts import History, makes_account
from reconciler.graph.batching import SIZE
from reconciler.graph.costs import Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.errors import GraphError
    from reconciler.graph.operations import Operation
    from reconciler.model import Account, ObjectId


@dataclass(slots=True)
class Task:
    """An operation on its way: which request is next, and what happened so far."""

    operation: Operation
    requests: list[RequestInformation] = field(default_factory=list)
    """Empty until the first is about to be sent."""
    step: int = 0
    history: History = field(default_factory=History)
    not_before: float = 0.0
    is_looking: bool = False
    """Whether what comes next is no write, but a look at whether the account exists."""
    doubt: GraphError | None = None
    """Why that has to be asked."""
    keeps: str | None = None
    """What the account still has that is only blocked now, and would be deleted."""

    @property
    def address(self) -> str:
        """Name it by its first change."""
        return self.operation.changes[0].key.address

    @property
    def makes_account(self) -> bool:
        """Whether it creates an account, and so needs a password."""
        return makes_account(self.operation)

    @property
    def accounts(self) -> Iterable[Account]:
        """Whom its requests name."""
        for change in self.operation.changes:
            yield change.key.account
            if isinstance(change.key, ManagerKey) and change.key.manager:
                yield change.key.manager

    @property
    def skus(self) -> frozenset[ObjectId]:
        """The licences that it is about."""
        keys = (change.key for change in self.operation.changes)
        return frozenset(key.sku_id for key in keys if isinstance(key, LicenseKey))

    @property
    def cost(self) -> Cost:
        """What its next request takes of Graph's limits."""
        return Cost(units=1, writes=0 if self.is_looking else self.operation.writes)


class Queue:
    """Tasks that wait for their turn, lane by lane: of one lane only one is ever out.

    What waits for its time holds its lane, so that what comes after does not overtake it.
    Taking is as quick with a hundred thousand tasks as with ten.
    """

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._lanes: dict[str, deque[Task]] = {}
        self._ready: deque[str] = deque()
        """Lanes with nothing out, in the order of their turn."""
        self._later: list[tuple[float, int, str]] = []
        """Lanes whose first task is not due yet: when, a number for a stable order, which."""
        self._numbers = count()
        self._size = 0
        for task in tasks:
            lane = task.operation.lane
            if lane not in self._lanes:
                self._lanes[lane] = deque()
                self._ready.append(lane)
            self._lanes[lane].append(task)
            self._size += 1

    def __len__(self) -> int:
        """Give how many wait."""
        return self._size

    def take(self, now: float, drop: Callable[[Task], bool]) -> list[Task]:
        """Take what can be sent together now: due, and no two of one lane.

        *drop* tells, just before a task would be sent, whether it has become pointless.
        """
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        taken: list[Task] = []
        while self._ready and len(taken) < SIZE:
            lane = self._ready.popleft()
            waiting = self._lanes[lane]
            while waiting and drop(waiting[0]):
                waiting.popleft()
                self._size -= 1
            if not waiting:
                del self._lanes[lane]
            elif waiting[0].not_before > now:
                heapq.heappush(self._later, (waiting[0].not_before, next(self._numbers), lane))
            else:
                taken.append(waiting.popleft())
                self._size -= 1
        return taken

    def back(self, tasks: Iterable[Task], again: Iterable[Task]) -> None:
        """Note that *tasks* are out no more; *again* is what of them is to be sent again."""
        lanes = dict.fromkeys(task.operation.lane for task in tasks)
        for task in reversed(list(again)):
            self._lanes.setdefault(task.operation.lane, deque()).appendleft(task)
            self._size += 1
        self._ready.extendleft(lane for lane in reversed(lanes) if lane in self._lanes)

    def due(self) -> float | None:
        """Give the time of the first task that is not due yet."""
        return self._later[0][0] if self._later else None

    def drain(self) -> list[Task]:
        """Take everything."""
        tasks = [task for waiting in self._lanes.values() for task in waiting]
        self._lanes.clear()
        self._ready.clear()
        self._later.clear()
        self._size = 0
        return tasks
