"""A sandbox tenant in a process of its own, which tells what it was asked.

The first line of its output is the environment for a client. For each line of its input it
gives what was asked since the line before; it ends with its input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.server import running
from reconciler.sandbox.trouble import files
from reconciler.sandbox.trouble.costs import cost
from reconciler.sandbox.trouble.settings import NO_TROUBLE
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Exchange


def main(file: Path, faults: Path | None = None) -> None:
    """Serve the tenant that *file* keeps, with the trouble that *faults* tells of."""
    asked: list[list[Any]] = []

    def record(exchange: Exchange) -> None:
        asked.append(_told(exchange))

    trouble = files.load(faults) if faults else NO_TROUBLE
    with running(file, folder=file.parent, trouble=trouble, record=record) as endpoints:
        _say(dict(endpoints.environment))
        for _ in sys.stdin:
            count = len(asked)
            _say(asked[:count])
            del asked[:count]


def _told(exchange: Exchange) -> list[Any]:
    """Give method, path, status, what it costs in writes, and whether it is in or is a batch."""
    path, _, query = exchange.path.partition("?")
    incoming = Incoming(exchange.method, path, query, body=exchange.body)
    writes = 0 if exchange.is_batch else cost(incoming, 1).writes
    place = [exchange.is_inner, exchange.is_batch]
    return [exchange.method, exchange.path, exchange.status, writes, *place]


def _say(value: Any) -> None:  # noqa: ANN401 -- any JSON
    print(json.dumps(value), flush=True)  # noqa: T201 -- for the parent process


main(*map(Path, sys.argv[1:]))
