"""A record of what crossed the wire: one line of JSON for each request, without its secrets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.wire import Exchange, Record

VARIABLE: Final = "RECONCILER_SANDBOX_TRACE"
"""The environment variable that names the file; lines are added to what it has."""

_SECRETS: Final = frozenset(("password", "temporaryaccesspass", "secrettext"))
_HIDDEN: Final = "(not shown)"


def line(exchange: Exchange) -> bytes:
    """Give *exchange* as one line of JSON; a password in it is not shown."""
    return orjson.dumps(_without_secrets(asdict(exchange)), option=orjson.OPT_APPEND_NEWLINE)


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, dict):
        return {
            name: _HIDDEN if name.lower() in _SECRETS and item else _without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


@contextmanager
def tracing(path: Path | None) -> Iterator[Record | None]:
    """Give what adds an exchange to the file at *path*, if there is one to be written."""
    if path is None:
        yield None
        return
    # One write to a line and no buffer, so that several processes may share the file.
    with path.open("ab", buffering=0) as file:

        def record(exchange: Exchange) -> None:
            file.write(line(exchange))

        yield record
