"""Graph's requests: bytes to values, of bounded size and of any odd encoding.

Graph takes bodies of four megabytes at most ("Request payload size", known limits). Clients
may send them compressed, as kiota for Go does.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.sandbox.wire import Json

LONGEST: Final = 4 * 1024 * 1024
_DEEPEST: Final = 100
"""Levels of a body, as OData's own library takes by default (I)."""
_GZIP: Final = 16 + zlib.MAX_WBITS


async def received(request: Request) -> Incoming:
    """Give *request* as the tenant reads it; raises Graph's refusal of its body."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    body = _value(_plain(await _body(request), encoding))
    return described(request, body)


def described(request: Request, body: Json = None) -> Incoming:
    """Give *request* with what was read of its body."""
    return Incoming(
        method=request.method,
        path=request.scope["raw_path"].decode("utf-8", "replace"),
        query=request.scope["query_string"].decode("utf-8", "replace"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        scheme=request.scope["scheme"],
    )


async def _body(request: Request) -> bytes:
    """Read no more than what is taken: the rest of a longer body is never kept."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > LONGEST:
            raise errors.BODY_TOO_LARGE.error()
    return bytes(whole)


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise errors.BODY_ENCODING.error(encoding=encoding)
    try:
        plain = zlib.decompressobj(_GZIP).decompress(body, LONGEST + 1)
    except zlib.error as error:
        raise errors.BAD_JSON.error() from error
    if len(plain) > LONGEST:
        raise errors.BODY_TOO_LARGE.error()
    return plain


def _value(body: bytes) -> Json:
    try:
        value = orjson.loads(body) if body.strip() else None
    except orjson.JSONDecodeError as error:
        raise errors.BAD_JSON.error() from error
    # Few bodies have so many brackets that a closer look is needed.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _is_deep(value):
        raise errors.BAD_JSON.error()
    return value


def _is_deep(value: Json) -> bool:
    """Whether *value* has more levels than what is taken."""
    level = [value]
    for _ in range(_DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for several in inner for one in several if isinstance(one, dict | list)]
    return bool(level)
