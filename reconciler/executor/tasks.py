"""Tasks: operations on their way, and which of them can be sent together now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.changes import LicenseKey, ManagerKey
from reconciler.executor.verdicts import History, makes_account
from reconciler.graph.batching import SIZE

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable

    from kiota_abstractions.request_information import RequestInformation

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


def take(
    pending: deque[Task], *, busy: Iterable[str], now: float, drop: Callable[[Task], bool]
) -> list[Task]:
    """Take from *pending* what can be sent together now: due, and no two in one lane.

    What waits holds its lane, so that what comes after it does not overtake it. *drop*
    tells, just before a task would be sent, whether it has become pointless.
    """
    lanes, taken, left = set(busy), list[Task](), list[Task]()
    while pending and len(taken) < SIZE:
        task = pending.popleft()
        if task.operation.lane in lanes:
            left.append(task)
        elif not drop(task):
            lanes.add(task.operation.lane)
            (left if task.not_before > now else taken).append(task)
    pending.extendleft(reversed(left))
    return taken
