"""Whether GitHub asks us to come back later, and when: "Rate limits for the REST API" there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.text import visible, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

LONGEST = 60.0
"""Seconds: nothing is waited for longer. A limit without a time asks for as long."""
_FORBIDDEN = 403
_TOO_MANY = 429


def is_limited(reply: httpx.Response) -> bool:
    """Whether GitHub would take the request later; it says so with 429, or with 403 and more."""
    if reply.status_code != _FORBIDDEN:
        return reply.status_code == _TOO_MANY
    return "retry-after" in reply.headers or _nothing_remains(reply) or _says_limit(reply)


def wait_of(reply: httpx.Response, now: Callable[[], float]) -> float:
    """Give for how many seconds GitHub asks to be left alone; 0 where it does not say.

    *now* gives the seconds since 1970, in which GitHub says when a limit ends.
    """
    asked = reply.headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    reset = reply.headers.get("x-ratelimit-reset", "")
    if _nothing_remains(reply) and reset.isdecimal():
        return float(reset) - now()
    return LONGEST if _says_limit(reply) else 0.0


def message_of(reply: httpx.Response) -> str:
    """Give what GitHub says is wrong, in one line."""
    try:
        body = reply.json()
    except (ValueError, RecursionError):
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    return visible(without_secrets(str(message or "no reason given"))[:200])


def _nothing_remains(reply: httpx.Response) -> bool:
    return bool(reply.headers.get("x-ratelimit-remaining") == "0")


def _says_limit(reply: httpx.Response) -> bool:
    return "rate limit" in message_of(reply).lower()
