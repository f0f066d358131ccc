"""Quotas as Graph keeps them: a bucket for each limit and caller, which drains steadily.

"The token bucket algorithm" and "all requests accrue against your usage limits", refused
ones too, are Microsoft's words (Graph, "Throttling guidance"); how far refused ones count is
inferred from the range of `x-ms-throttle-limit-percentage`, 0.8 to 1.8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.sandbox.trouble.settings import Quota, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.sandbox.trouble.costs import Cost

_ALARM: Final = 0.8
"""The share from which a reply tells it."""
_MOST: Final = 1.8
"""The share beyond which refused requests no longer count."""
_UNITS: Final = {Size.S: 3_500, Size.M: 5_000, Size.L: 8_000}
PAIR: Final = "Tenant_Application"
"""The scope of the limits of one application in one tenant."""
_TINY: Final = 1e-9
"""What sums of fractions may be off by."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of something in so many seconds."""

    scope: str
    """The first word of `x-ms-throttle-scope`."""
    measure: str
    """`units`, `writes`, `requests`, or `audits` for requests to the audit log."""
    amount: float
    seconds: float
    information: str
    """What `x-ms-throttle-information` says of it."""


def limits(quota: Quota) -> tuple[Limit, ...]:
    """Give Graph's limits for a tenant of this size (late 2026), scaled."""
    units, writes = "ResourceUnitLimitExceeded", "WriteLimitExceeded"
    table = (
        Limit(PAIR, "units", _UNITS[quota.size], 10, units),
        Limit(PAIR, "writes", 3_000, 150, writes),
        Limit(PAIR, "audits", 5, 10, units),
        Limit("Application", "units", 150_000, 20, units),
        Limit("Application", "writes", 35_000, 300, writes),
        Limit("Application", "requests", 130_000, 10, units),
        Limit("Tenant", "writes", 18_000, 300, writes),
    )
    return tuple(
        Limit(
            each.scope,
            each.measure,
            max(1.0, each.amount * quota.amount),
            each.seconds * quota.time,
            each.information,
        )
        for each in table
    )


@dataclass(slots=True)
class _Bucket:
    limit: Limit
    used: float = 0.0
    moment: float = 0.0

    def charge(self, amount: float, now: float) -> float:
        """Add *amount* and give the seconds until there is room for it, 0 if there is.

        Who is refused and waits so long has room, though the refused request counts as well.
        """
        limit = self.limit
        drained = (now - self.moment) * limit.amount / limit.seconds
        self.used, self.moment = max(0.0, self.used - drained), now
        # What costs more than the whole limit passes when nothing else was used.
        needed = min(amount, limit.amount) - limit.amount
        is_refused = self.used + needed > _TINY
        self.used = min(self.used + amount, limit.amount * _MOST)
        return (self.used + needed) * limit.seconds / limit.amount if is_refused else 0.0

    @property
    def share(self) -> float:
        return self.used / self.limit.amount


@dataclass(frozen=True, slots=True)
class Toll:
    """What came of a charge."""

    share: float = 0.0
    """How much of the nearest limit is used."""
    wait: float = 0.0
    """Seconds until the request would be served; 0 when it is."""
    scope: str = PAIR
    """Of the limit that it waits for, as is the next."""
    information: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Give the header that warns, which Graph sends from 0.8 on."""
        if self.share < _ALARM:
            return {}
        return {"x-ms-throttle-limit-percentage": f"{math.floor(self.share * 100) / 100:g}"}


class Meter:
    """Charges each request; *quota* None charges nothing."""

    def __init__(self, quota: Quota | None, clock: Callable[[], float]) -> None:
        self._limits = limits(quota) if quota else ()
        self._clock = clock
        self._buckets: dict[tuple[Limit, str], _Bucket] = {}

    def charge(self, application: str, cost: Cost) -> Toll:
        """Charge *application* what its request costs, and tell whether it may have it."""
        now = self._clock()
        charged = [
            (bucket, bucket.charge(amount, now)) for bucket, amount in self._due(application, cost)
        ]
        if not charged:
            return Toll()
        share = max(bucket.share for bucket, _ in charged)
        bucket, wait = max(charged, key=lambda each: each[1])
        return Toll(share, wait, bucket.limit.scope, bucket.limit.information)

    def _due(self, application: str, cost: Cost) -> Iterable[tuple[_Bucket, float]]:
        amounts = {
            "units": 0 if cost.is_audit else cost.units,
            "writes": cost.writes,
            "requests": 1,
            "audits": int(cost.is_audit),
        }
        for limit in self._limits:
            if amount := amounts[limit.measure]:
                key = limit, "" if limit.scope == "Tenant" else application
                yield self._buckets.setdefault(key, _Bucket(limit)), amount
