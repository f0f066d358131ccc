"""Runs servers on the thread of one event loop, so that every request is answered on it."""

from __future__ import annotations

import asyncio
import importlib
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reconciler.errors import UsageError
from reconciler.sandbox.app import TRANSPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.sandbox.tunnel import Tunnel

HOST = "127.0.0.1"


@contextmanager
def bound(port: int) -> Iterator[socket.socket]:
    """Give a listening socket, so that its port is known before anybody serves it."""
    # asyncio turns Nagle's delay off only for sockets that name their protocol.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"port {port} of {HOST} cannot be used: {error}", "choose another, or 0 for any"
            ) from error
        listening.listen(256)
        yield listening


def config(app: Any, **tls: Any) -> uvicorn.Config:  # noqa: ANN401 -- uvicorn's own types
    """Give what a server of *app* is made of; raises a `UsageError` for broken certificates."""
    made = uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        **tls,
    )
    try:
        made.load()
    except OSError as error:
        raise UsageError(
            f"the certificates of the sandbox cannot be used: {error}",
            "remove its sandbox-*.pem files; new ones are made",
        ) from error
    return made


class _Connection(HttpToolsProtocol):
    """Hands itself over to what it serves, so that a fault may break it anywhere."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """Waits for one event instead of looking ten times a second whether to stop."""

    def __init__(self, config: uvicorn.Config, stopped: asyncio.Event) -> None:
        super().__init__(config)
        self._stopped = stopped
        self.ready = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self.ready.set()
        await self._stopped.wait()
        # Connections that are idle do not hold the server.
        self.force_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, then break what a client still holds open (TLS would wait for it)."""
        # A connection over TLS that was idle for too long is closing already. To close it once
        # more makes asyncio forget its socket, so that nothing could break it after that.
        self._abort(is_closing=True)
        await super().shutdown(sockets)
        self._abort()

    def _abort(self, *, is_closing: bool = False) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport.is_closing() or not is_closing:
                connection.transport.abort()


@dataclass(frozen=True, slots=True)
class Running:
    """Servers of one loop: what each serves, and a tunnel to them when there is one."""

    servers: Sequence[tuple[uvicorn.Config, socket.socket]]
    tunnel: tuple[Tunnel, socket.socket] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    wake: list[Callable[[], object]] = field(default_factory=list)

    async def run(self) -> None:
        """Serve until `wake` is called."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.wake.append(lambda: loop.call_soon_threadsafe(stopped.set))
        made = [(_Server(config, stopped), listening) for config, listening in self.servers]
        work = [server.serve(sockets=[listening]) for server, listening in made]
        if self.tunnel:
            tunnel, listening = self.tunnel
            work.append(tunnel.serve(listening, stopped))
        tasks = asyncio.gather(*work)
        for server, _ in made:
            await server.ready.wait()
        self.ready.set()
        await tasks


@contextmanager
def serving(running: Running) -> Iterator[None]:
    """Serve on a thread of its own until the block ends."""
    thread = threading.Thread(target=_run, args=(running,), name="sandbox", daemon=True)
    thread.start()
    try:
        running.ready.wait()
        yield
    finally:
        for wake in running.wake:
            wake()
        thread.join()


def _run(running: Running) -> None:
    with asyncio.Runner(loop_factory=loop_factory("uvloop")) as runner:
        runner.run(running.run())


def loop_factory(module: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give what makes the loops of *module*, or None, for asyncio's own, where there is none."""
    try:
        made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
            module
        ).new_event_loop
    except ImportError:
        return None
    return made
