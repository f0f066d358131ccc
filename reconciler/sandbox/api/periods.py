"""`scheduleInfo`: from when and until when a role is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox.api import bodies
from reconciler.sandbox.data import moments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SHORTEST: Final = timedelta(minutes=5)

_TYPES: Final = {
    name.lower(): name
    for name in ("notSpecified", "noExpiration", "afterDateTime", "afterDuration")
}


@dataclass(frozen=True, slots=True)
class Period:
    """A time with a beginning, and an end unless it never ends."""

    start: datetime
    end: datetime | None
    asked: Mapping[str, Any]
    """The expiration in Graph's spelling, as it was asked for."""

    def shown(self) -> dict[str, Any]:
        """Give what a request shows."""
        return _schedule(self.start, dict(self.asked))

    def kept(self) -> dict[str, Any]:
        """Give what a schedule shows: a duration has become a moment (inferred)."""
        end = None if self.end is None else moments.precise(self.end)
        kind = "noExpiration" if end is None else "afterDateTime"
        return _schedule(self.start, _expiration(kind, end=end))


def _schedule(start: datetime, expiration: dict[str, Any]) -> dict[str, Any]:
    return {
        "startDateTime": moments.precise(start),
        "recurrence": None,
        "expiration": expiration,
    }


def _expiration(kind: str, *, end: str | None = None, length: str | None = None) -> dict[str, Any]:
    return {"type": kind, "endDateTime": end, "duration": length}


def read(given: Mapping[str, Any] | None, now: datetime) -> Period:
    """Give the period that `scheduleInfo` asks for; what has begun already begins *now*.

    Raises Graph's refusal of one that is no period, or shorter than five minutes.
    """
    info = given or {}
    start = max(_moment(info, "startDateTime") or now, now)
    period = _until(bodies.part(info, "expiration") or {}, start)
    if period.end is not None and period.end <= start:
        raise errors.BAD_SCHEDULE.error()
    if period.end is not None and period.end - start < SHORTEST:
        raise errors.TOO_SHORT.error()
    return period


def _until(expiration: Mapping[str, Any], start: datetime) -> Period:
    kind = _TYPES.get((bodies.text(expiration, "type") or "notSpecified").lower())
    if kind == "afterDateTime":
        end = _moment(expiration, "endDateTime")
        if end is None:
            raise errors.BAD_SCHEDULE.error()
        return Period(start, end, _expiration(kind, end=moments.precise(end)))
    if kind == "afterDuration":
        text = bodies.text(expiration, "duration") or ""
        length = moments.duration(text)
        end = None if length is None else moments.after(start, length)
        if end is None:
            raise errors.BAD_SCHEDULE.error()
        return Period(start, end, _expiration(kind, length=text.upper()))
    if kind is None:
        raise errors.BAD_SCHEDULE.error()
    return Period(start, None, _expiration(kind))


def _moment(given: Mapping[str, Any], name: str) -> datetime | None:
    text = bodies.text(given, name)
    if text is None:
        return None
    found = moments.parse(text)
    if found is None:
        raise errors.BAD_SCHEDULE.error()
    return found
