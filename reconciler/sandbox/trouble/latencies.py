"""How long a reply takes, when it is to take as long as Graph's."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.sandbox.trouble.settings import Latency
    from reconciler.sandbox.wire import Incoming


def delays(latencies: Sequence[Latency], seed: int) -> Callable[[Incoming], float]:
    """Give what tells the seconds that each request takes; a part of a batch takes none."""
    chance = Random(f"{seed}/latency")  # noqa: S311 -- to be repeated, not to be secret

    def delay(incoming: Incoming) -> float:
        if incoming.is_inner:
            return 0.0
        for each in latencies:
            if each.request is None or each.request.matches(incoming):
                return max(0.0, each.mean + chance.uniform(-each.jitter, each.jitter))
        return 0.0

    return delay
