"""A tenant that kills its client: once at each moment of each exchange.

The moments are counted, in the order in which they come: before a request is looked at, after
it was carried out and before its answer is sent, and after each write in a batch.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import Response

from reconciler.sandbox.wire import Exchange, Incoming, Reply
from tests.survival.processes import kill

if TYPE_CHECKING:
    from collections.abc import Sequence

_GONE = Reply(503, {"error": {"code": "ServiceUnavailable", "message": "Nobody listens."}})
_BEGINNING = 60.0
"""Seconds in which a process that was started tells its id."""


@dataclass
class Killer:
    """Kills one client at one moment, and refuses everything that it had sent until then."""

    at: int | None = None
    """The moment, from 0; None kills nobody."""
    killed_at: str | None = None
    seen: set[str] = field(default_factory=set)
    """The kinds of moments that there were."""
    _passed: int = 0
    _pid: int = 0
    _begun: threading.Event = field(default_factory=threading.Event)
    _tokens: set[str] = field(default_factory=set)
    _barred: set[str] = field(default_factory=set)
    _parts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, at: int | None) -> None:
        """Let a client in, and kill it at the moment *at*."""
        self.at, self.killed_at = at, None
        self._passed, self._parts = 0, 0
        self._begun.clear()

    def begun(self, pid: int) -> None:
        """Learn the id of the client's process."""
        self._pid = pid
        self._begun.set()

    def end(self) -> None:
        """Refuse from now on what the last client has sent: it does not live any more."""
        with self._lock:  # who kills may not have come back yet
            self.at = None
            self._barred |= self._tokens
            self._tokens.clear()

    # --- what Graph hears ------------------------------------------------------------

    def intercept(self, incoming: Incoming) -> Reply | None:
        """Have a say before a request, or a part of one."""
        token = incoming.headers.get("authorization", "")
        if token in self._barred:
            return _GONE
        self._tokens.add(token)
        if not incoming.is_inner:
            self._parts = _parts(incoming.body)
            self._pass(f"before {incoming.method} {_template(incoming.path)}")
        return _GONE if token in self._barred else None

    def record(self, exchange: Exchange) -> None:
        """Have a say after a request, or a part of one."""
        if self.killed_at or exchange.method == "GET":
            return
        label = f"after {exchange.method} {_template(exchange.path)}"
        if exchange.is_inner:
            self._parts -= 1
            if not self._parts:
                # What comes after the last part comes after the whole batch.
                self.seen.add(label)
                return
        self._pass(label)

    # --- what the login service hears ------------------------------------------------

    def before(self, label: str) -> Response | None:
        """Have a say before a request."""
        return self._pass(f"before login's {label}")

    def after(self, label: str) -> Response | None:
        """Have a say after a request."""
        return self._pass(f"after login's {label}")

    def _pass(self, label: str) -> Response | None:
        with self._lock:
            if self.at is not None and not self.killed_at:
                self.seen.add(label)
                if self._passed == self.at:
                    assert self._begun.wait(_BEGINNING)
                    kill(self._pid)
                    self.killed_at = f"moment {self.at}, {label}"
                    self._barred |= self._tokens
                self._passed += 1
            is_dead = self.at is not None and self.killed_at is not None
            return Response(status_code=503) if is_dead else None


def _parts(body: object) -> int:
    requests: Sequence[object] = body.get("requests", ()) if isinstance(body, dict) else ()
    return len(requests)


def _template(path: str) -> str:
    """Give what a request is about, with `*` for ids."""
    parts = path.partition("?")[0].split("/")[2:]
    return "/".join("*" if "-" in part or "@" in part else part for part in parts)
