"""The reply 429 as Graph writes it (Graph, "Throttling guidance": sample response)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reconciler.sandbox import errors, replies
from reconciler.sandbox.trouble.quotas import PAIR
from reconciler.sandbox.trouble.settings import Throttled, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.trouble.quotas import Toll
    from reconciler.sandbox.trouble.settings import Quota
    from reconciler.sandbox.wire import Incoming, Reply

BUSY: Final = "CPULimitExceeded"
"""Why somebody is refused who has used up nothing."""


class Whose(NamedTuple):
    """Who is refused, by id."""

    application: str
    tenant: str


def refusal(
    incoming: Incoming, toll: Toll, quota: Quota, whose: Whose, headers: Mapping[str, str]
) -> Reply:
    """Give the reply to a request that exceeds a limit."""
    headers = {**headers, **toll.headers} | why(whose, toll.information, toll.scope)
    if wait := retry_after(toll.wait, quota.wait):
        headers["retry-after"] = wait
    return throttled(incoming, quota.code, toll.wait, headers)


def why(whose: Whose, information: str, scope: str = PAIR) -> dict[str, str]:
    """Give the headers that say which limit it was, and whose."""
    return {
        "x-ms-throttle-scope": f"{scope}/ReadWrite/{whose.application}/{whose.tenant}",
        "x-ms-throttle-information": information,
    }


def retry_after(seconds: float, wait: Wait) -> str | None:
    """Give `Retry-After`, never earlier than there is room: `3`, `2.128`, or none."""
    if wait is Wait.ABSENT:
        return None
    if wait is Wait.WHOLE:
        return str(max(1, math.ceil(seconds)))
    return f"{math.ceil(seconds * 1000) / 1000:.3f}"


def throttled(
    incoming: Incoming, code: Throttled, seconds: float, headers: dict[str, str]
) -> Reply:
    """Give the reply in the words that go with *code*."""
    request_id, echo = errors.new_id(), incoming.headers.get("client-request-id")
    if code is Throttled.TEMPORARILY:
        error = errors.THROTTLED_TEMPORARILY.error(seconds=max(1, math.ceil(seconds)))
        reply = replies.refused(error, request_id, echo)
    else:
        reply = replies.refused(errors.THROTTLED.error(), request_id, echo)
        _as_documented(reply.body["error"])
    reply = replies.dressed(reply, request_id, echo)
    return replies.with_headers(reply, headers)


def _as_documented(error: dict[str, Any]) -> None:
    """Fill the inner error as in the sample, which differs from that of all other errors."""
    inner = error.pop("innerError")
    message = error.pop("message")
    error["innerError"] = {
        "code": "429",
        "date": inner["date"],
        "message": "Please retry after",
        "request-id": inner["request-id"],
        "status": "429",
    }
    error["message"] = message
