"""Graph's endpoint: bytes to values and back."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response

from reconciler.sandbox import errors
from reconciler.sandbox.wire import Incoming, Reply

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.sandbox.tenant import Tenant


def graph_app(tenant: Tenant) -> ASGIApp:
    """Give the application that serves *tenant* to Graph's clients."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        payload = await request.body()
        reply = _answer(tenant, request, payload)
        if reply.is_cut:
            await _cut(reply, send)
        else:
            await _response(reply)(scope, receive, send)

    return app


def _answer(tenant: Tenant, request: Request, payload: bytes) -> Reply:
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = orjson.loads(payload) if payload.strip() else None
    except orjson.JSONDecodeError:
        error = errors.BAD_JSON.error()
        envelope = error.envelope(errors.new_id(), headers.get("client-request-id"))
        return Reply(error.status, envelope, {"content-type": "application/json"})
    return tenant.answer(
        Incoming(
            method=request.method,
            path=request.scope["raw_path"].decode("ascii"),
            query=request.scope["query_string"].decode("ascii"),
            headers=headers,
            body=body,
        )
    )


def _response(reply: Reply) -> Response:
    content = _content(reply)
    headers = {"date": formatdate(usegmt=True), **reply.headers}
    response = Response(content, reply.status, headers)
    if reply.body is not None and "content-type" not in response.headers:
        response.headers["content-type"] = "application/json"
    return response


def _content(reply: Reply) -> bytes:
    if isinstance(reply.body, bytes):
        return reply.body
    return b"" if reply.body is None else orjson.dumps(reply.body)


async def _cut(reply: Reply, send: Send) -> None:
    """Promise a body and send none: the server then breaks the connection."""
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
