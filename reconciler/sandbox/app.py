"""Graph's endpoint: bytes to values and back."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.sandbox import errors, hosts, replies, requests
from reconciler.sandbox.reached import only_by
from reconciler.sandbox.wire import Cut, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.sandbox.tenant import Tenant

    Sleep = Callable[[float], Awaitable[None]]

TRANSPORT: Final = "reconciler.transport"
"""The extension of ASGI by which a server hands over the connection, to be broken."""


def graph_app(tenant: Tenant, sleep: Sleep = asyncio.sleep) -> ASGIApp:
    """Give the application that serves *tenant* to Graph's clients.

    A reply that is held back waits in *sleep*, while others are answered.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            reply = await _answer(tenant, request)
        except ClientDisconnect:
            return
        if reply.delay:
            await sleep(reply.delay)
        if reply.is_cut and reply.cut_in is not Cut.BODY:
            await _break(reply, scope, receive)
        elif reply.is_cut:
            await _cut(reply, send)
        else:
            await _response(reply)(scope, receive, send)

    return only_by((*hosts.LOOPBACK, *hosts.GRAPH), app)


async def _answer(tenant: Tenant, request: Request) -> Reply:
    try:
        incoming = await requests.received(request)
    except errors.GraphError as error:
        return _unread(error, request.headers.get("client-request-id"))
    return tenant.answer(incoming)


def _unread(error: errors.GraphError, echo: str | None) -> Reply:
    """Refuse a body; of one that is too long the rest comes, so no other request can follow."""
    request_id = errors.new_id()
    reply = replies.dressed(replies.refused(error, request_id, echo), request_id, echo)
    is_unread = error.status == errors.BODY_TOO_LARGE.status
    return replies.with_headers(reply, {"connection": "close"} if is_unread else {})


def _response(reply: Reply) -> Response:
    content = _content(reply)
    headers = {"date": _date(int(time.time())), **reply.headers}
    response = Response(content, reply.status, headers)
    if reply.body is not None and "content-type" not in response.headers:
        response.headers["content-type"] = "application/json"
    return response


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _content(reply: Reply) -> bytes:
    if isinstance(reply.body, bytes):
        return reply.body
    return b"" if reply.body is None else orjson.dumps(reply.body)


async def _cut(reply: Reply, send: Send) -> None:
    """Promise a body and send half of it: the server then breaks the connection."""
    content = _content(reply)
    others = [pair for pair in _response(reply).raw_headers if pair[0] != b"content-length"]
    headers = [*others, (b"content-length", b"%d" % max(1, len(content)))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    half = content[: len(content) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _break(reply: Reply, scope: Scope, receive: Receive) -> None:
    """Break the connection itself, before or inside the headers."""
    transport = scope["extensions"][TRANSPORT]["transport"]
    if reply.cut_in is Cut.HEADERS:
        head = b"HTTP/1.1 %d \r\ncontent-type: application/json\r\nrequest-i" % reply.status
        transport.write(head)
        transport.close()
    else:
        transport.abort()
    # Returning earlier would have the server answer 500.
    while (await receive())["type"] != "http.disconnect":
        pass
