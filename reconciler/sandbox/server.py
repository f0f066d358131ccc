"""Runs the tenant: Graph over http and https, the login service, and a tunnel to them.

Every request is answered on the thread of one event loop, so each is atomic.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import traceback
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.sandbox import certificates, hosts, tracing
from reconciler.sandbox.app import graph_app
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP, TENANT_ID
from reconciler.sandbox.data import keeping, pages, store
from reconciler.sandbox.data.keeping import reset
from reconciler.sandbox.data.moments import utc_now
from reconciler.sandbox.login.identity import login_app
from reconciler.sandbox.login.tokens import LIFETIME
from reconciler.sandbox.serving import HOST, Running, bound, config, serving
from reconciler.sandbox.tenant import Tenant
from reconciler.sandbox.trouble.settings import NO_TROUBLE, Trouble
from reconciler.sandbox.tunnel import Tunnel

if TYPE_CHECKING:
    import socket
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from reconciler.sandbox.app import Sleep
    from reconciler.sandbox.company.model import Application
    from reconciler.sandbox.wire import Intercept, Record

__all__ = ["TENANT_ID", "Endpoints", "reset", "running"]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running tenant is and who may come in, as environment variables."""

    environment: Mapping[str, str]
    """For the application that may write."""
    read_only_environment: Mapping[str, str]
    """For the one that may only read."""
    certificate: Path | None = None
    """Key and certificate of the one that may write, to sign in with instead of its secret."""
    administration: Mapping[str, str] = field(default_factory=dict)
    """For the application that other clients than the reconciler take: it may do everything."""
    graph: str = ""
    """Graph over TLS; the environment has the address without."""
    tunnel: str | None = None
    """The proxy that leads Microsoft's hosts here, for clients that cannot be pointed elsewhere."""


@contextmanager
def running(  # noqa: PLR0913 -- all but the file are for tests and have a default
    file: Path | None = None,
    *,
    port: int = 0,
    https_port: int = 0,
    login_port: int = 0,
    tunnel_port: int | None = 0,
    intercept: Intercept | None = None,
    record: Record | None = None,
    folder: Path | None = None,
    seed: Path | None = None,
    now: Callable[[], datetime] = utc_now,
    lifetime: float = LIFETIME,
    trouble: Trouble = NO_TROUBLE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
    report: Callable[[BaseException], object] = traceback.print_exception,
) -> Iterator[Endpoints]:
    """Run the tenant that *file* keeps, or a new one in memory, until the block ends.

    A new one has the company that *seed* tells of, or Contoso. Ports of 0 are chosen by the
    system; without a *tunnel_port* there is no tunnel. *folder* holds the certificates, one of
    them for the application that may write; without a folder it has only its secret, and the
    others live as long as the block. *now* tells the time in the tenant; tokens live *lifetime*
    seconds. *trouble* is what goes wrong on purpose; lag and quotas go by *clock*, and what is
    held back waits in *sleep*. *report* is told of every fault of the tenant itself. Raises a
    `UsageError` when *file* is no tenant or is used by another server, and when a port is taken.
    """
    traced = os.environ.get(tracing.VARIABLE)
    with (
        keeping.opened(file, seed) as db,
        tracing.tracing(Path(traced) if traced else None) as trace,
        _folder(folder) as place,
        # Before there is a tenant, which would tell of it beside its first write.
        nullcontext(keeping.registered(db, folder) if folder else None) as certificate,
        closing(
            Tenant(
                db,
                intercept=intercept,
                records=_present(record, trace),
                trouble=trouble,
                clock=clock,
                now=now,
                report=report,
            )
        ) as tenant,
    ):
        pages.read_ahead(db)
        files = certificates.ensure(place)
        app, tls = graph_app(tenant, sleep), {"ssl_certfile": files.chain, "ssl_keyfile": files.key}
        with (
            bound(port) as graph,
            bound(https_port) as secured,
            bound(login_port) as login,
            _tunnel(tunnel_port, graph=secured, login=login) as tunnel,
            serving(
                Running(
                    (
                        (config(app), graph),
                        (config(app, **tls), secured),
                        (config(login_app(tenant, lifetime=lifetime), **tls), login),
                    ),
                    tunnel,
                )
            ),
        ):
            yield Endpoints(
                _environment(db, APPLY_APP, graph, login, files.authority),
                _environment(db, PLAN_APP, graph, login, files.authority),
                certificate,
                _environment(db, ADMIN_APP, graph, login, files.authority),
                graph=f"https://localhost:{_port(secured)}",
                tunnel=f"http://{HOST}:{_port(tunnel[1])}" if tunnel else None,
            )


@contextmanager
def _tunnel(
    port: int | None, *, graph: socket.socket, login: socket.socket
) -> Iterator[tuple[Tunnel, socket.socket] | None]:
    """Give a tunnel that leads each of Microsoft's hosts to the server that stands for it."""
    if port is None:
        yield None
        return
    ports = dict.fromkeys(hosts.GRAPH, _port(graph)) | dict.fromkeys(
        (*hosts.LOGIN, *hosts.MANAGEMENT), _port(login)
    )
    with bound(port) as listening:
        yield Tunnel(ports), listening


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


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


def _environment(
    db: sqlite3.Connection,
    preferred: Application,
    graph: socket.socket,
    login: socket.socket,
    authority: Path,
) -> dict[str, str]:
    """Give what a client of *preferred* needs, or of the first application of another company."""
    first = next(iter(store.resources(db, "application")), {})
    known = store.resource(db, "application", preferred.client_id) or first
    return {
        "AZURE_TENANT_ID": store.setting(db, "tenant"),
        "AZURE_CLIENT_ID": known.get("appId", ""),
        "AZURE_CLIENT_SECRET": known.get("secret", ""),
        "AZURE_AUTHORITY_HOST": f"https://localhost:{_port(login)}",
        "RECONCILER_GRAPH_URL": f"http://{HOST}:{_port(graph)}",
        "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
    }
