"""A login service in front of the tenant's own, which the sandbox's seams do not reach.

It hands every request on and every answer back; a test has its say before and after.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import httpx
from starlette.requests import Request
from starlette.responses import Response

from reconciler.sandbox import certificates
from reconciler.sandbox.app import TRANSPORT
from reconciler.sandbox.serving import Running, bound, config, serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

_HOP = frozenset(("connection", "transfer-encoding", "content-length", "date", "server"))
DROP = Response(status_code=504)
"""In place of an answer: the connection is reset."""


class Say(Protocol):
    """What a test does about each request; an answer that it gives is sent in place of the own."""

    def before(self, label: str) -> Response | None:
        """Say something before the login service is asked."""

    def after(self, label: str) -> Response | None:
        """Say something when it has done its work, and before its answer is sent."""


@dataclass
class Front:
    """Where it is, whom it stands for, and who has a say; both may change between requests."""

    address: str
    target: str
    say: Say

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Give *environment* with the front in place of the tenant's login service."""
        self.target = environment["AZURE_AUTHORITY_HOST"]
        return {**environment, "AZURE_AUTHORITY_HOST": self.address}


@contextmanager
def front(folder: Path, trusted: ssl.SSLContext, say: Say) -> Iterator[Front]:
    """Serve one, with the certificates in *folder*, until the block ends."""
    files = certificates.ensure(folder)
    known = Front("", "", say)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        content = await request.body()
        label = f"{request.method} {request.url.path.rpartition('/')[2]}"
        answer = known.say.before(label)
        if answer is None:
            # A client for each: the tenant's own service is another one each time.
            async with httpx.AsyncClient(verify=trusted, trust_env=False) as client:
                reply = await client.request(
                    request.method,
                    f"{known.target}{request.url.path}",
                    content=content,
                    headers=[pair for pair in request.headers.raw if pair[0] not in _RAW_HOP],
                )
            answer = known.say.after(label) or _passed_on(reply)
        if answer is DROP:
            scope["extensions"][TRANSPORT]["transport"].abort()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await answer(scope, receive, send)

    with bound(0) as listening:
        known.address = f"https://localhost:{listening.getsockname()[1]}"
        tls = {"ssl_certfile": files.chain, "ssl_keyfile": files.key}
        with serving(Running(((config(app, **tls), listening),))):
            yield known


_RAW_HOP = frozenset(name.encode() for name in _HOP)


def _passed_on(reply: httpx.Response) -> Response:
    kept = {name: value for name, value in reply.headers.items() if name not in _HOP}
    kept.pop("content-encoding", None)
    return Response(reply.content, reply.status_code, kept)
