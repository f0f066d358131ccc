"""Runs the tenant: two servers, one thread, stopped without a trace.

Every request is answered on the thread of one event loop, so each is atomic.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from reconciler.errors import UsageError
from reconciler.sandbox import certificates, tracing
from reconciler.sandbox.app import graph_app
from reconciler.sandbox.company.contoso import APPLY_APP, PLAN_APP, TENANT_ID
from reconciler.sandbox.data import keeping, store
from reconciler.sandbox.data.keeping import reset
from reconciler.sandbox.login.identity import login_app
from reconciler.sandbox.tenant import Tenant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.sandbox.company.contoso import Application
    from reconciler.sandbox.wire import Intercept, Record

__all__ = ["TENANT_ID", "Endpoints", "reset", "running"]

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running tenant is and who may come in, as environment variables."""

    environment: Mapping[str, str]
    """For the application that may write."""
    read_only_environment: Mapping[str, str]
    """For the one that may only read."""
    certificate: Path | None = None
    """Key and certificate of the one that may write, to sign in with instead of its secret."""


@contextmanager
def running(  # noqa: PLR0913 -- all but the file are for tests and have a default
    file: Path | None = None,
    *,
    port: int = 0,
    login_port: int = 0,
    intercept: Intercept | None = None,
    record: Record | None = None,
    folder: Path | None = None,
) -> Iterator[Endpoints]:
    """Run the tenant that *file* keeps, or a new one in memory, until the block ends.

    Ports of 0 are chosen by the system. *folder* holds the certificates, one of them for the
    application that may write; without a folder it has only its secret, and the others live
    as long as the block. Raises a `UsageError` when *file* is no tenant or is used by another
    server, and when a port is taken.
    """
    traced = os.environ.get(tracing.VARIABLE)
    with (
        keeping.opened(file) as db,
        tracing.tracing(Path(traced) if traced else None) as trace,
        closing(Tenant(db, intercept=intercept, records=_present(record, trace))) as tenant,
        _folder(folder) as place,
    ):
        files = certificates.ensure(place)
        certificate = keeping.registered(db, folder) if folder else None
        with _bound(port) as graph, _bound(login_port) as login:
            servers = (
                (_Server(_config(graph_app(tenant))), graph),
                (
                    _Server(
                        _config(
                            login_app(tenant),
                            ssl_certfile=files.chain,
                            ssl_keyfile=files.key,
                        )
                    ),
                    login,
                ),
            )
            with _serving(servers):
                yield Endpoints(
                    _environment(db, APPLY_APP, graph, login, files.authority),
                    _environment(db, PLAN_APP, graph, login, files.authority),
                    certificate,
                )


def _present(*records: Record | None) -> tuple[Record, ...]:
    return tuple(record for record in records if record)


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="reconciler-sandbox-") as made:
        yield Path(made)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    """Give a listening socket, so that its port is known before anybody serves it."""
    # asyncio turns Nagle's delay off only for sockets that name their protocol.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"port {port} of {_HOST} cannot be used: {error}", "choose another, or 0 for any"
            ) from error
        listening.listen(256)
        yield listening


def _config(app: Any, **tls: Any) -> uvicorn.Config:  # noqa: ANN401 -- uvicorn's own types
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        loop="asyncio",
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
        config.load()
    except OSError as error:
        raise UsageError(
            f"the certificates of the sandbox cannot be used: {error}",
            "remove its sandbox-*.pem files; new ones are made",
        ) from error
    return config


class _Server(uvicorn.Server):
    """Waits for one event instead of looking ten times a second whether to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._wake: Callable[[], object] = self.ready.set

    async def main_loop(self) -> None:
        """Serve until `stop` is called from another thread."""
        stopped = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        self.ready.set()
        await stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, then break what a client still holds open (TLS would wait for it)."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Let go, from any thread; connections that are idle do not hold it."""
        self.force_exit = True
        self._wake()


@contextmanager
def _serving(servers: tuple[tuple[_Server, socket.socket], ...]) -> Iterator[None]:
    async def serve() -> None:
        await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in servers))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="sandbox", daemon=True)
    thread.start()
    try:
        for server, _ in servers:
            server.ready.wait()
        yield
    finally:
        for server, _ in servers:
            server.stop()
        thread.join()


def _environment(
    db: sqlite3.Connection,
    application: Application,
    graph: socket.socket,
    login: socket.socket,
    authority: Path,
) -> dict[str, str]:
    known = store.resource(db, "application", application.client_id) or {}
    return {
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": application.client_id,
        "AZURE_CLIENT_SECRET": known["secret"],
        "AZURE_AUTHORITY_HOST": f"https://localhost:{login.getsockname()[1]}",
        "RECONCILER_GRAPH_URL": f"http://{_HOST}:{graph.getsockname()[1]}",
        "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
    }
