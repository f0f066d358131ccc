"""`POST /$batch`: up to 20 requests in one, each with a fate of its own.

Rules from json-batching.md (February 2025). Replies come in another order than their
requests, because Graph promises none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.sandbox import errors, routes
from reconciler.sandbox.wire import Incoming, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST = 20
_WITH_BODY = frozenset(("POST", "PATCH", "PUT"))
_INHERITED = ("authorization", "host", "user-agent")
_SHOWN = frozenset(("cache-control", "content-type", "location", "retry-after"))
_MULTIPLE = 300
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def is_meant(parts: Sequence[str]) -> bool:
    """Whether the address of these parts, below `/v1.0` and decoded, is that of batches."""
    return bool(parts) and parts[0].lower() == "$batch"


def run(outer: Incoming, answer: Callable[[Incoming], Reply]) -> Reply:
    """Answer every part of *outer* with *answer*; raises when the batch itself is no good."""
    parts = _parts(outer.body)
    replies: dict[str, Reply] = {}
    for key, part in parts.items():
        failed = any(replies[d].status >= _MULTIPLE for d in _dependencies(part))
        replies[key] = _failed_dependency() if failed else answer(_incoming(outer, key, part))
    shown = [_shown(parts[key]["id"], reply) for key, reply in replies.items()]
    # The parts travel on one connection: it is as slow as the slowest, and breaks for all.
    cut = next((reply for reply in replies.values() if reply.is_cut), Reply(200))
    delay = max(reply.delay for reply in replies.values())
    body = {"responses": shown[::-1]}
    return Reply(200, body, is_cut=cut.is_cut, cut_in=cut.cut_in, delay=delay)


def _parts(body: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 -- any JSON
    """Give the requests by id in small letters, or raise the refusal of them all."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise errors.BATCH_INVALID.error()
    if len(requests) > MOST:
        raise errors.BATCH_TOO_LONG.error()
    parts: dict[str, dict[str, Any]] = {}
    for part in requests:
        key = _key(part)
        if key in parts:
            raise errors.BATCH_DUPLICATE.error(id=part["id"])
        _check(part, parts)
        parts[key] = part
    return parts


def _key(part: object) -> str:
    if not isinstance(part, dict) or not isinstance(part.get("id"), str | int):
        raise errors.BATCH_INVALID.error()
    return str(part["id"]).lower()


def _check(part: dict[str, Any], before: Mapping[str, object]) -> None:
    key, url, method = part["id"], part.get("url"), part.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise errors.BATCH_INVALID.error()
    if _ABSOLUTE.match(url):
        raise errors.BATCH_URL.error(id=key)
    if is_meant(routes.segments(_path(url))):
        raise errors.BATCH_NESTED.error()
    typed = part.get("body") is not None and "content-type" in _headers(part)
    wants_body = method.upper() in _WITH_BODY or part.get("body") is not None
    if wants_body and not typed:
        raise errors.BATCH_BODY.error(id=key)
    if not all(dependency in before for dependency in _dependencies(part)):
        raise errors.BATCH_DEPENDS.error(id=key)


def _dependencies(part: dict[str, Any]) -> list[str]:
    given = part.get("dependsOn") or []
    if not isinstance(given, list):
        raise errors.BATCH_INVALID.error()
    return [str(key).lower() for key in given]


def _headers(part: dict[str, Any]) -> dict[str, str]:
    given = part.get("headers") or {}
    if not isinstance(given, dict):
        raise errors.BATCH_INVALID.error()
    return {str(name).lower(): str(value) for name, value in given.items()}


def _path(url: str) -> str:
    return "/v1.0/" + url.partition("?")[0].lstrip("/")


def _incoming(outer: Incoming, key: str, part: dict[str, Any]) -> Incoming:
    """Give a part as a request of its own: it inherits who asks, and nothing else.

    Its headers are its own, but all parts are asked of the host that the batch came to.
    """
    inherited = {name: outer.headers[name] for name in _INHERITED if name in outer.headers}
    if echo := outer.headers.get("client-request-id"):
        inherited["client-request-id"] = f"{echo}-{key}"
    own = {name: value for name, value in _headers(part).items() if name != "host"}
    return Incoming(
        method=part["method"].upper(),
        path=_path(part["url"]),
        query=part["url"].partition("?")[2],
        headers={**inherited, **own},
        body=part.get("body"),
        is_inner=True,
        scheme=outer.scheme,
    )


def _failed_dependency() -> Reply:
    error = errors.FAILED_DEPENDENCY.error()
    return Reply(error.status, {"error": {"code": error.code, "message": error.message}})


def _shown(key: str | int, reply: Reply) -> dict[str, Any]:
    headers = {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in reply.headers.items()
        if name.lower() in _SHOWN or name.lower().startswith("x-ms-")
    }
    shown: dict[str, Any] = {"id": str(key), "status": reply.status, "headers": headers}
    if reply.body is None:
        return shown
    ready = isinstance(reply.body, bytes)
    return {**shown, "body": orjson.loads(reply.body) if ready else reply.body}
