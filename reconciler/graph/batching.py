"""`$batch`: twenty requests in one, out and back (Graph, "Combine multiple requests").

Ours, on the SDK's requests: the SDK's own batch sends bodies as null and absolute URLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from reconciler.graph.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kiota_abstractions.request_information import RequestInformation

T = TypeVar("T")

_HEADERS = {"content-type": "Content-Type", "consistencylevel": "ConsistencyLevel"}
"""As Graph documents them: the SDK writes all names small, and these are JSON here."""
SIZE = 20
"""How many requests one batch holds at most."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut *items* into as many as one batch holds, in order."""
    for start in range(0, len(items), SIZE):
        yield items[start : start + SIZE]


def encode(requests: Iterable[RequestInformation], root: str) -> bytes:
    """Give the body of a batch; *root* (with the version) is cut off every URL."""
    items = [_item(number, info, root) for number, info in enumerate(requests)]
    return orjson.dumps({"requests": items})


def _item(number: int, info: RequestInformation, root: str) -> dict[str, Any]:
    assert info.http_method is not None  # noqa: S101 -- the SDK's builders always set it
    item: dict[str, Any] = {
        "id": str(number),
        "method": info.http_method.value,
        "url": info.url.removeprefix(root),
    }
    sent = (info.request_headers or {}).items()
    headers = {_HEADERS.get(name, name): value for name, value in sent if name != "accept"}
    if headers:
        item["headers"] = headers
    if info.content is not None:
        item["body"] = orjson.Fragment(info.content)
    return item


def decode(
    body: Any,  # noqa: ANN401 -- JSON
    count: int,
    carrier: Mapping[str, str] | None = None,
) -> list[Reply | None]:
    """Give the replies in the order of the requests; None for one that is missing.

    *carrier* holds headers of the batch itself, for replies without their own: Graph need
    not give each a request-id.

    Graph answers in any order, and need not answer all when it is in trouble; what stands
    between it and us may answer anything.
    """
    replies: list[Reply | None] = [None] * count
    numbers = {str(number): number for number in range(count)}
    items = body.get("responses") if isinstance(body, dict) else None
    for item in items if isinstance(items, list) else ():
        match item:
            case {"id": str(key), "status": status} if key in numbers and _is_status(status):
                headers = {**(carrier or {}), **_headers(item.get("headers"))}
                replies[numbers[key]] = Reply(int(status), headers, item.get("body"))
            case _:
                pass  # no answer to anything that was asked
    return replies


def _is_status(value: object) -> bool:
    return str(value).isdecimal() and len(str(value)) == len("200")


def _headers(sent: object) -> dict[str, str]:
    """Give what was *sent* with names in small letters; nothing where that are no headers."""
    pairs = sent.items() if isinstance(sent, dict) else ()
    return {str(name).casefold(): str(value) for name, value in pairs}
