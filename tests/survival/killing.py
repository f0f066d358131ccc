"""A tenant that kills its client: once at each moment of each exchange.

Beside the moments of all exchanges there is one after each write in a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response

from reconciler.sandbox.wire import Exchange, Incoming, Reply
from tests.survival.moments import Moments, parts, template
from tests.survival.processes import kill

_GONE = Reply(503, {"error": {"code": "ServiceUnavailable", "message": "Nobody listens."}})


@dataclass
class Killer(Moments):
    """Kills one client at one moment, and refuses everything that it had sent until then."""

    _tokens: set[str] = field(default_factory=set)
    _barred: set[str] = field(default_factory=set)
    _parts: int = 0

    def begin(self, at: int | None) -> None:
        """Let a client in, and kill it at the moment *at*."""
        super().begin(at)
        self._parts = 0

    def end(self) -> None:
        """Refuse from now on what the last client has sent: it does not live any more."""
        super().end()
        self._barred |= self._tokens
        self._tokens.clear()

    def strike(self, pid: int) -> None:
        """Kill the client."""
        kill(pid)
        self._barred |= self._tokens

    # --- what Graph hears ------------------------------------------------------------

    def intercept(self, incoming: Incoming) -> Reply | None:
        """Have a say before a request, or a part of one."""
        token = incoming.headers.get("authorization", "")
        if token in self._barred:
            return _GONE
        self._tokens.add(token)
        if not incoming.is_inner:
            self._parts = len(parts(incoming.body))
            self.reached(f"before {incoming.method} {template(incoming.path)}")
        return _GONE if token in self._barred else None

    def record(self, exchange: Exchange) -> None:
        """Have a say after a request, or a part of one."""
        if self.struck_at or exchange.method == "GET":
            return
        label = f"after {exchange.method} {template(exchange.path)}"
        if exchange.is_inner:
            self._parts -= 1
            if not self._parts:
                # What comes after the last part comes after the whole batch.
                self.seen.add(label)
                return
        self.reached(label)

    # --- what the login service hears ------------------------------------------------

    def before(self, label: str) -> Response | None:
        """Have a say before a request."""
        return self._say(f"before login's {label}")

    def after(self, label: str) -> Response | None:
        """Have a say after a request."""
        return self._say(f"after login's {label}")

    def _say(self, label: str) -> Response | None:
        return Response(status_code=503) if self.reached(label) else None
