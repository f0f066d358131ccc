"""A tenant that disturbs its client: once, at one moment of one exchange.

The moments are counted in the order in which they come, over Graph and the login service: before
a request is looked at, and after it was carried out and before its answer is sent.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.sandbox.wire import Json

_BEGINNING = 60.0
"""Seconds in which a process that was started tells its id."""


@dataclass
class Moments(ABC):
    """Counts moments, and strikes one client at one of them."""

    at: int | None = None
    """The moment, from 0; None strikes nobody."""
    struck_at: str | None = None
    seen: set[str] = field(default_factory=set)
    """The kinds of moments that there were."""
    _passed: int = 0
    _pid: int = 0
    _begun: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, at: int | None) -> None:
        """Let a client in, and strike it at the moment *at*."""
        self.at, self.struck_at = at, None
        self._passed = 0
        self._begun.clear()

    def begun(self, pid: int) -> None:
        """Learn the id of the client's process."""
        self._pid = pid
        self._begun.set()

    def end(self) -> None:
        """Leave off: the client has ended."""
        with self._lock:  # who strikes may not have come back yet
            self.at = None

    @abstractmethod
    def strike(self, pid: int) -> None:
        """Do to the client what is to be done to it."""

    def reached(self, label: str) -> bool:
        """Note that a moment has come; whether the client has been struck, by now or before."""
        with self._lock:
            if self.at is not None and not self.struck_at:
                self.seen.add(label)
                if self._passed == self.at:
                    assert self._begun.wait(_BEGINNING)
                    self.strike(self._pid)
                    self.struck_at = f"moment {self.at}, {label}"
                self._passed += 1
            return self.at is not None and self.struck_at is not None


def parts(body: Json) -> Sequence[Mapping[str, Any]]:
    """Give the requests in a batch."""
    return body.get("requests", ()) if isinstance(body, dict) else ()


def template(path: str) -> str:
    """Give what a request is about, with `*` for ids."""
    named = path.partition("?")[0].split("/")[2:]
    return "/".join("*" if "-" in part or "@" in part else part for part in named)
