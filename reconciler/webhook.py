"""Telling another system of the audit: signed, and sent again until it was taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
import uuid
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from reconciler import __version__
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

ADDRESS, SECRET = "RECONCILER_AUDIT_WEBHOOK", "RECONCILER_AUDIT_WEBHOOK_SECRET"
SIGNATURE = "X-Reconciler-Signature-256"
TRIES = 5
DEADLINE = 60.0
"""Seconds for the whole delivery, every try and every pause of it."""
_LONGEST_TRY = 30.0
_PORTS = range(1, 2**16)
_TOO_MANY = 429
_TROUBLE = 500
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether *environment* names a webhook; raises UsageError for one that cannot be used.

    To be asked before anything is changed: an audit that nobody may read is found out then.
    """
    address = environment.get(ADDRESS, "")
    if not address:
        return False
    url = _parsed(address)
    if url.scheme != "https" and (url.scheme != "http" or url.host not in _LOOPBACK):
        raise UsageError(f"{ADDRESS} is not encrypted", "give an address with https://")
    if url.userinfo:
        raise UsageError(
            f"{ADDRESS} holds a user name or a password",
            f"leave it out: the receiver knows us by what is signed with {SECRET}",
        )
    if not environment.get(SECRET):
        raise UsageError(
            f"{SECRET} is not set, so that nobody could tell our audit from another's",
            "give the secret that the receiver checks signatures with",
        )
    with suppress(UnicodeEncodeError):
        environment[SECRET].encode()
        return True
    raise UsageError(f"{SECRET} is no text", "give it in UTF-8")


def _parsed(address: str) -> httpx.URL:
    """Read *address* as the client will, so that both mean the same receiver.

    Nothing of it is ever told: it may hold what only the receiver should know.
    """
    reason = "holds a blank or a character that nobody sees"
    if address.isprintable() and " " not in address:
        reason = "is no address that anything can be sent to"
        with suppress(httpx.InvalidURL, UnicodeError):
            url = httpx.URL(address)
            # As the system does when it looks a name up: empty and overlong parts are errors.
            url.raw_host.decode("ascii").encode("idna")
            if (not url.scheme or url.host) and (url.port is None or url.port in _PORTS):
                return url
    raise UsageError(f"{ADDRESS} {reason}", "give an address such as https://changes.example/audit")


def signature(secret: str, moment: str, content: bytes) -> str:
    """Sign *content* as sent at *moment*, which keeps it from being sent again later.

    HMAC-SHA256 over the moment, a full stop and the content, as GitHub and Stripe do.
    """
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + content, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


async def deliver(  # noqa: PLR0913 -- what it needs of the world, each by its name
    environment: Mapping[str, str],
    content: bytes,
    *,
    client: httpx.AsyncClient | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    within: float = DEADLINE,
) -> None:
    """Send *content* (JSON Lines) to the webhook of *environment*, *within* so many seconds.

    Every try has the same delivery id, so that the receiver can tell a second one. Raises
    ReconcilerError where it was not taken.
    """
    url, delivery, end = httpx.URL(environment[ADDRESS]), str(uuid.uuid4()), monotonic() + within
    because = ""
    async with client or httpx.AsyncClient() as opened:
        for number in range(TRIES):
            limit = min(_LONGEST_TRY, end - monotonic())
            headers = _headers(environment[SECRET], delivery, str(int(now())), content)
            wait = float(2**number)
            try:
                reply = await _answer(opened, url, content, headers, limit)
            except (TimeoutError, httpx.TimeoutException):
                because = "no answer in time"
            except httpx.HTTPError as error:
                because = type(error).__name__
            else:
                if reply.is_success:
                    return
                because = f"it answered {reply.status_code}"
                if reply.is_redirect:
                    raise _undelivered(
                        url,
                        f"{because}, which leads to another address",
                        f"{_LEFT}: send it to where {ADDRESS} leads, and name that address from "
                        "now on: what is signed for one receiver is sent to no other",
                    )
                if reply.status_code < _TROUBLE and reply.status_code != _TOO_MANY:
                    break
                wait = max(wait, _asked(reply, now))
            if number == TRIES - 1:
                break
            if wait >= end - monotonic():
                because += f", and {within:.3g} s are over before it can be tried again"
                break
            await sleep(wait)
    raise _undelivered(url, because, f"{_LEFT}: send it once the receiver is up")


_LEFT = "the changes are made; the audit lies beside the receipt"


def _undelivered(url: httpx.URL, because: str, hint: str) -> ReconcilerError:
    return ReconcilerError(f"the audit could not be delivered to {url.host}: {because}", hint)


def _headers(secret: str, delivery: str, moment: str, content: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/x-ndjson",
        "User-Agent": f"entra-reconciler/{__version__}",
        "X-Reconciler-Delivery": delivery,
        "X-Reconciler-Timestamp": moment,
        SIGNATURE: signature(secret, moment, content),
    }


async def _answer(
    client: httpx.AsyncClient,
    url: httpx.URL,
    content: bytes,
    headers: Mapping[str, str],
    limit: float,
) -> httpx.Response:
    """Send once; gives the answer without its body, which nobody needs.

    The client's own limit is for each piece that arrives: *limit* is for all of them.
    """
    async with (
        asyncio.timeout(limit),
        client.stream("POST", url, content=content, headers=headers, timeout=limit) as reply,
    ):
        return reply


def _asked(reply: httpx.Response, now: Callable[[], float]) -> float:
    """Give for how many seconds the receiver asks to be left alone (RFC 9110, 10.2.3)."""
    asked = reply.headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    with suppress(ValueError):
        return parsedate_to_datetime(asked).timestamp() - now()
    return 0.0
