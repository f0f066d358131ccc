"""Telling another system of the audit: signed, and sent again until it was taken."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ADDRESS, SECRET = "RECONCILER_AUDIT_WEBHOOK", "RECONCILER_AUDIT_WEBHOOK_SECRET"
SIGNATURE = "X-Reconciler-Signature-256"
TRIES = 5
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
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"{ADDRESS} is not encrypted", "give an address with https://")
    if not environment.get(SECRET):
        raise UsageError(
            f"{SECRET} is not set, so that nobody could tell our audit from another's",
            "give the secret that the receiver checks signatures with",
        )
    return True


def signature(secret: str, moment: str, content: bytes) -> str:
    """Sign *content* as sent at *moment*, which keeps it from being sent again later.

    HMAC-SHA256 over the moment, a full stop and the content, as GitHub and Stripe do.
    """
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + content, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def deliver(
    environment: Mapping[str, str],
    content: bytes,
    *,
    client: httpx.Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> None:
    """Send *content* (JSON Lines) to the webhook of *environment*.

    Every try has the same delivery id, so that the receiver can tell a second one. Raises
    ReconcilerError where it was not taken.
    """
    address, secret = environment[ADDRESS], environment[SECRET]
    delivery, because = str(uuid.uuid4()), ""
    with client or httpx.Client(timeout=30.0) as opened:
        for number in range(TRIES):
            moment = str(int(now()))
            headers = {
                "Content-Type": "application/x-ndjson",
                "User-Agent": f"entra-reconciler/{__version__}",
                "X-Reconciler-Delivery": delivery,
                "X-Reconciler-Timestamp": moment,
                SIGNATURE: signature(secret, moment, content),
            }
            try:
                status = opened.post(address, content=content, headers=headers).status_code
            except httpx.HTTPError as error:
                because = type(error).__name__
            else:
                if httpx.codes.is_success(status):
                    return
                because = f"it answered {status}"
                if status < _TROUBLE and status != _TOO_MANY:
                    break
            if number < TRIES - 1:
                sleep(float(2**number))
    raise ReconcilerError(
        f"the audit could not be delivered to {urlsplit(address).hostname}: {because}",
        "the changes are made; the audit lies beside the receipt: send it once the receiver is up",
    )
