"""By which names the servers are reached: what is sent to another name is not for them.

Links and metadata repeat the name that a caller uses. One that anybody could make up would
send later requests, and the tokens with them, to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

from reconciler.sandbox import errors, hosts, replies

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send


def only_by(names: Collection[str], app: ASGIApp) -> ASGIApp:
    """Give *app* for requests to one of *names*, or to no host at all; others are refused."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if all(hosts.is_known(host, names) for host in headers.getlist("host")):
            await app(scope, receive, send)
        else:
            await _refusal(headers.get("client-request-id"))(scope, receive, send)

    return answer


def _refusal(echo: str | None) -> Response:
    request_id = errors.new_id()
    refused = replies.refused(errors.MISDIRECTED.error(), request_id, echo)
    reply = replies.dressed(refused, request_id, echo)
    # Its body is not read, so no other request can follow.
    headers = {**reply.headers, "connection": "close"}
    return Response(orjson.dumps(reply.body), reply.status, headers)
