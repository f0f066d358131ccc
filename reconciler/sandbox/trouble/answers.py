"""What a fault answers: a status in Graph's words, or a connection that breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors, replies
from reconciler.sandbox.errors import GraphError, Refusal
from reconciler.sandbox.login import sessions
from reconciler.sandbox.trouble import throttling
from reconciler.sandbox.trouble.settings import Throttled
from reconciler.sandbox.wire import After, Cut, Reply, Spoil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.trouble.settings import Rule
    from reconciler.sandbox.trouble.throttling import Whose
    from reconciler.sandbox.wire import Incoming, Verdict

_CUTS: Final = {
    "dropped": Cut.START,
    "truncated": Cut.BODY,
    "truncatedHeaders": Cut.HEADERS,
}
ARRIVING: Final = frozenset(("truncated", "truncatedHeaders"))
"""Those that begin with the tenant's own reply, and so come after its work."""

_ROWS: Final[Mapping[int | str | None, Refusal]] = {
    "expiredToken": errors.TOKEN_EXPIRED,
    "claimsChallenge": errors.TOKEN_REVOKED,
    "expiredPageToken": errors.PAGE_TOKEN,
    400: errors.BAD_REQUEST,
    401: errors.TOKEN_EXPIRED,
    403: errors.DENIED,
    404: errors.NO_RESOURCE,
    409: errors.CONCURRENCY,
    412: errors.PRECONDITION,
    423: errors.LOCKED,
    500: errors.INTERNAL,
    502: errors.BAD_GATEWAY,
    503: errors.UNAVAILABLE,
    504: errors.GATEWAY_TIMEOUT,
}
NAMES: Final = (*_CUTS, *(name for name in _ROWS if isinstance(name, str)))
"""What can be answered beside a status."""
_TOO_MANY: Final = 429


def verdict(rule: Rule, incoming: Incoming, whose: Whose) -> Verdict:
    """Give what *rule* does to *incoming*, a request of *whose*."""
    if rule.answer is None:
        return Spoil(rule.delay)
    if isinstance(rule.answer, str) and (cut := _CUTS.get(rule.answer)):
        if rule.is_after or rule.answer in ARRIVING:
            return Spoil(rule.delay, cut)
        return Reply(504, is_cut=True, cut_in=cut, delay=rule.delay)
    reply = _reply(rule, incoming, whose)
    return After(reply) if rule.is_after else reply


def _reply(rule: Rule, incoming: Incoming, whose: Whose) -> Reply:
    headers = {} if rule.wait is None else {"retry-after": str(rule.wait)}
    if rule.answer == _TOO_MANY and rule.code is None and rule.message is None:
        headers |= throttling.why(whose, throttling.BUSY)
        reply = throttling.throttled(incoming, Throttled.MANY, 0, headers)
    else:
        plain = _row(rule.answer).error(id=incoming.path.rpartition("/")[2])
        # Words of one's own do not change what a 401 wants.
        headers |= sessions.challenge(plain)
        error = _reworded(plain, rule)
        request_id, echo = errors.new_id(), incoming.headers.get("client-request-id")
        reply = replies.refused(error, request_id, echo)
        reply = replies.dressed(reply, request_id, echo)
        reply = replies.with_headers(reply, headers)
    return replies.delayed(reply, rule.delay)


def _reworded(error: GraphError, rule: Rule) -> GraphError:
    code = error.code if rule.code is None else rule.code
    message = error.message if rule.message is None else rule.message
    return GraphError(error.status, code, message)


def _row(answer: int | str | None) -> Refusal:
    """Give the row in Graph's words; a status without one has the code of all surprises."""
    row = _ROWS.get(answer)
    return row or Refusal(int(answer or 0), "UnknownError", "", evidence="C")
