"""Moments and durations as Graph reads and writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE
)
_DURATION: Final = re.compile(
    r"P(?:(?P<years>\d{1,6})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<weeks>\d{1,6})W)?"
    r"(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,8})M)?"
    r"(?:(?P<seconds>\d{1,10}(?:\.\d{1,9})?)S)?)?",
    re.IGNORECASE,
)
_DAYS: Final = {"years": 365, "months": 30, "weeks": 7, "days": 1}
"""A year and a month as .NET's `XmlConvert` counts them."""


def utc_now() -> datetime:
    """Give the time of this machine."""
    return datetime.now(UTC)


def precise(moment: datetime) -> str:
    """Give *moment* with seven digits of a second, or none when it is a whole one.

    Recorded replies of PIM read `2022-04-12T09:05:39.7594064Z` and `2024-04-10T00:00:00Z`.
    """
    fraction = f".{moment.microsecond:06d}0" if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse(text: str) -> datetime | None:
    """Give the moment that *text* writes, or None; one without a zone is in UTC."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    day, time, fraction, zone = found.groups()
    offset = "+00:00" if zone in {None, "Z", "z"} else zone
    digits = (fraction or "")[:6].ljust(6, "0")
    clock = time if len(time) > len("00:00") else f"{time}:00"
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{digits}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def duration(text: str) -> timedelta | None:
    """Give the ISO 8601 duration that *text* writes, or None."""
    found = _DURATION.fullmatch(text)
    if found is None or text.upper() == "P":
        return None
    parts = {name: float(value) for name, value in found.groupdict().items() if value}
    days = sum(parts.pop(name, 0) * number for name, number in _DAYS.items())
    return timedelta(days=days, **parts)


def after(moment: datetime, length: timedelta) -> datetime | None:
    """Give the moment *length* after *moment*, or None when no calendar reaches it."""
    try:
        return moment + length
    except OverflowError:
        return None
