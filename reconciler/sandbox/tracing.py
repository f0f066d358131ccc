"""A record of what crossed the wire: one line of JSON for each request, without its secrets.

What is told is listed, rather than what is not: headers by name, options of OData, and of a
batch's parts what Graph reads of them. Of bodies everything is told but what is named as if
it were a secret, and text that is no JSON.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson

from reconciler.errors import UsageError
from reconciler.sandbox import ownership

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.sandbox.wire import Exchange, Record

VARIABLE: Final = "RECONCILER_SANDBOX_TRACE"
"""The environment variable that names the file; lines are added to what it has."""

_HEADERS: Final = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "client-request-id",
        "connection",
        "consistencylevel",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "prefer",
        "return-client-request-id",
        "sdkversion",
        "user-agent",
        "x-ms-throttle-priority",
    )
)
"""Of requests; no other is told."""
_WORDS: Final = ("password", "passwd", "secret", "token", "authorization", "assertion")
_MORE_WORDS: Final = ("accesspass", "cookie")
"""What a name has that is a secret's."""
_PLAIN: Final = frozenset(
    (
        "lastpasswordchangedatetime",
        "passwordnotificationwindowindays",
        "passwordpolicies",
        "passwordvalidityperiodindays",
        "refreshtokensvalidfromdatetime",
    )
)
"""Graph's properties that have such a word and are none."""
_PROFILE: Final = "passwordprofile"
_PASSWORD: Final = "password"  # noqa: S105 -- a property's name
_HIDDEN: Final = "(not shown)"
_HIDDEN_OPTION: Final = "(not%20shown)"
_DEEPEST: Final = 64
"""What lies deeper in a body is not told; Graph's own lies nowhere near."""


def line(exchange: Exchange) -> bytes:
    """Give *exchange* as one line of JSON; no secret in it is shown."""
    reply = _outer_reply(exchange.reply) if exchange.is_batch else exchange.reply
    facts = {field.name: getattr(exchange, field.name) for field in fields(exchange)}
    told = facts | {
        "path": _target(exchange.path),
        "headers": _headers(exchange.headers),
        "body": _outer_body(exchange.body) if exchange.is_batch else _body(exchange.body),
        "reply": _body(reply),
        "reply_headers": _shown(dict(exchange.reply_headers)),
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _headers(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name.lower() in _HEADERS}


def _target(target: str) -> str:
    """Give an address without the values of options that are not OData's."""
    path, mark, query = target.partition("?")
    return f"{path}{mark}{'&'.join(_option(option) for option in query.split('&'))}"


def _option(option: str) -> str:
    name, mark, _ = option.partition("=")
    if not option or unquote(name).startswith("$"):
        return option
    return f"{name}={_HIDDEN_OPTION}" if mark else _HIDDEN_OPTION


def _body(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give a whole body; text that is no object may be anything."""
    return _HIDDEN if isinstance(value, str) else _shown(value)


def _outer_body(body: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give of a batch what Graph reads of it."""
    if not isinstance(body, dict) or not isinstance(body.get("requests"), list):
        return None if body is None else _HIDDEN
    return {"requests": [_part(part) for part in body["requests"]]}


def _part(part: Any) -> Any:  # noqa: ANN401 -- any JSON
    if not isinstance(part, dict):
        return _HIDDEN
    known = {name: _shown(part[name]) for name in ("id", "method", "dependsOn") if name in part}
    if "url" in part:
        known["url"] = _target(part["url"]) if isinstance(part["url"], str) else _HIDDEN
    if "headers" in part:
        given = part["headers"]
        known["headers"] = _headers(given) if isinstance(given, dict) else _HIDDEN
    if "body" in part:
        known["body"] = _body(part["body"])
    return known


def _outer_reply(reply: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give a batch's reply without bodies of parts that are text."""
    if not isinstance(reply, dict) or "responses" not in reply:
        return reply
    parts = (
        {**part, "body": _body(part["body"])} if "body" in part else part
        for part in reply["responses"]
    )
    return {**reply, "responses": list(parts)}


def _shown(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- any JSON
    """Give *value* without what is named as a secret is."""
    if depth > _DEEPEST:
        return _HIDDEN
    if isinstance(value, dict):
        return {name: _named(name, item, depth) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, depth + 1) for item in value]
    return value


def _named(name: str, value: Any, depth: int) -> Any:  # noqa: ANN401 -- any JSON
    """Give the *value* of what is called *name*."""
    lower = name.lower()
    if _is_secret(lower):
        return _without_secret(lower, value)
    if isinstance(value, str) and lower.endswith(("link", "location")):
        return _target(value)
    return _shown(value, depth + 1)


def _is_secret(name: str) -> bool:
    return name not in _PLAIN and any(word in name for word in (*_WORDS, *_MORE_WORDS))


def _without_secret(name: str, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give what stands for a secret: of its type, so that Graph's description still fits."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return []
    if not isinstance(value, dict):
        return _HIDDEN
    if name != _PROFILE:
        return {}
    known = {key: item for key, item in value.items() if isinstance(item, bool)}
    hidden = {key: _HIDDEN for key in value if key.lower() == _PASSWORD and value[key] is not None}
    return known | hidden


@contextmanager
def tracing(path: Path | None) -> Iterator[Record | None]:
    """Give what adds an exchange to the file at *path*, if there is one to be written.

    Raises a `UsageError` unless the file is ours alone; a new one is.
    """
    if path is None:
        yield None
        return
    descriptor = _opened(path)
    try:
        yield recorder(descriptor)
    finally:
        os.close(descriptor)


def recorder(descriptor: int) -> Record:
    """Give what adds an exchange to an open file; when it cannot, it says so once."""
    complaints: list[str] = []

    def record(exchange: Exchange) -> None:
        try:
            # One write to a line and no buffer, so that several processes may share the file.
            os.write(descriptor, line(exchange))
        except (OSError, TypeError) as error:
            # A record that fails must not change an answer.
            if not complaints:
                complaints.append(type(error).__name__)
                sys.stderr.write(f"the trace of the sandbox cannot be written: {error}\n")

    return record


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    # One that waits for a reader, as a pipe does, would hold the server.
    flags |= getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"cannot write the trace '{path}': {reason}",
            f"name a new file in {VARIABLE}",
        ) from error
    try:
        ownership.require_private(path, os.fstat(descriptor))
    except UsageError:
        os.close(descriptor)
        raise
    return descriptor
