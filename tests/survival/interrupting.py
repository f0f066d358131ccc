"""A tenant that interrupts its client: once before and once after each exchange.

What is sent in one batch is one exchange: a client that lives cannot tell its parts' moments
apart.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.sandbox.wire import Cut, Exchange, Incoming, Spoil
from tests.survival.front import DROP
from tests.survival.moments import Moments, parts, template
from tests.survival.processes import interrupt
from tests.survival.records import sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from tests.survival.processes import Ended
    from tests.survival.world import World


@dataclass
class Interrupter(Moments):
    """Sends one client a signal at one moment, and answers everything as always."""

    signal: signal.Signals = signal.SIGINT
    loses: bool = False
    """Whether the answer at that moment is lost as well; there is only a moment before it then."""
    begun_until_then: int = 0
    """Batches with writes that the client had begun when it had taken the signal."""
    arrived_until_then: int = 0
    """How many of these had arrived."""
    arrived: list[str] = field(default_factory=list)
    """Batches with writes that have arrived, by the first thing that each is about."""
    _out: Path = field(default=Path())

    def run(self, world: World, environment: Mapping[str, str], out: Path, at: int) -> Ended:
        """Run the apply of *world*, and interrupt it at the moment *at*; *out* gets its records."""
        self._out = out
        self.begun_until_then = self.arrived_until_then = 0
        self.arrived.clear()
        self.begin(at)
        ended = world.launcher.run(world.arguments(out), environment, on_begun=self.begun)
        self.end()
        return ended

    def strike(self, pid: int) -> None:
        """Interrupt the client."""
        interrupt(pid, self.signal)
        self.begun_until_then = sent(self._out)
        self.arrived_until_then = len(self.arrived)

    # --- what Graph hears ------------------------------------------------------------

    def intercept(self, incoming: Incoming) -> Spoil | None:
        """Have a say before a request."""
        if incoming.is_inner:
            return None
        written = [part for part in parts(incoming.body) if part["method"] != "GET"]
        self.arrived += [template(f"/v1.0{written[0]['url']}")] if written else []
        return Spoil(cut_in=Cut.START) if self._is_lost(f"before {_label(incoming)}") else None

    def record(self, exchange: Exchange) -> None:
        """Have a say after a request."""
        if not exchange.is_inner and not self.loses:
            self.reached(f"after {_label(exchange)}")

    # --- what the login service hears ------------------------------------------------

    def before(self, label: str) -> Response | None:
        """Have a say before a request."""
        return DROP if self._is_lost(f"before login's {label}") else None

    def after(self, label: str) -> None:
        """Have a say after a request."""
        if not self.loses:
            self.reached(f"after login's {label}")

    def _is_lost(self, label: str) -> bool:
        was_struck = self.struck_at is not None
        return self.reached(label) and not was_struck and self.loses


def _label(request: Incoming | Exchange) -> str:
    return f"{request.method} {template(request.path)}"
