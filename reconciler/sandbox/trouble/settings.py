"""Everything that can go wrong on purpose, as values; without any of them nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.sandbox.trouble.lag import NO_LAG, Lag

if TYPE_CHECKING:
    from reconciler.sandbox.trouble.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that a reply to *request* takes: *mean*, more or less by up to *jitter*."""

    mean: float
    jitter: float = 0.0
    request: Pattern | None = None
    """None for any."""


class Size(StrEnum):
    """A tenant's size: under 50 users, up to 500, and more."""

    S = "S"
    M = "M"
    L = "L"


class Wait(StrEnum):
    """How a refusal says when to come back; Graph does each of these."""

    WHOLE = "whole"
    FRACTIONAL = "fractional"
    ABSENT = "absent"


class Throttled(StrEnum):
    """The code of a refusal for being too many."""

    MANY = "TooManyRequests"
    TEMPORARILY = "Request_ThrottledTemporarily"


@dataclass(frozen=True, slots=True)
class Quota:
    """How much an application may ask for."""

    size: Size = Size.S
    time: float = 1.0
    """What Graph's periods are multiplied with, so that a test need not wait for them."""
    amount: float = 1.0
    """What Graph's amounts are multiplied with."""
    wait: Wait = Wait.WHOLE
    code: Throttled = Throttled.MANY


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault: which requests, which of them in order, and what they are answered.

    All conditions hold together; the requests that the first four describe are counted.
    """

    request: Pattern
    in_batch: bool | None = None
    """Inside a batch, alone, or None for both."""
    application: str | None = None
    """The client id; None for any."""
    nth: tuple[int, ...] = ()
    """The requests by number, from 1."""
    every: int = 1
    start: int = 1
    stop: int | None = None
    """The last that may be struck."""
    probability: float = 1.0
    answer: int | str | None = None
    """A status, one of `answers.NAMES`, or None for a delay alone."""
    is_after: bool = False
    """Whether the work is done before the answer."""
    code: str | None = None
    message: str | None = None
    wait: float | None = None
    """`Retry-After`; None for none."""
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one faults file asks for."""

    seed: int = 0
    latency: tuple[Latency, ...] = ()
    """The first that fits a request counts."""
    lag: Lag = NO_LAG
    quota: Quota | None = None
    faults: tuple[Rule, ...] = ()
    directory_quota: int | None = None
    """Users and groups that one principal may make; None for as many as it likes."""


NO_TROUBLE: Final = Trouble()
