from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.graph.batching import SIZE, chunks, decode, encode
from reconciler.graph.reply import Reply
from reconciler.model import ObjectId

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.requests import Requests

ROOT = "https://graph.example/v1.0"


def encoded(*requests: RequestInformation) -> bytes:
    """Give the body of a batch of *requests*."""
    for info in requests:
        info.path_parameters["baseurl"] = ROOT
    return encode(requests, ROOT)


def test_the_bytes_of_a_batch(requests: Requests) -> None:
    """Ids are strings, URLs relative, bodies as they are, and null is null."""
    user = ObjectId("0a")

    body = encoded(
        requests.update_user(user, {"jobTitle": None}),
        requests.delete_user(user),
        requests.revoke_sessions(user),
    )

    assert body == (
        b'{"requests":['
        b'{"id":"0","method":"PATCH","url":"/users/0a",'
        b'"headers":{"Content-Type":"application/json"},"body":{"jobTitle":null}},'
        b'{"id":"1","method":"DELETE","url":"/users/0a"},'
        b'{"id":"2","method":"POST","url":"/users/0a/revokeSignInSessions",'
        b'"headers":{"Content-Type":"application/json"},"body":{}}]}'
    )


def test_an_advanced_query_keeps_its_header(requests: Requests) -> None:
    """`ConsistencyLevel` counts inside the batch, not around it."""
    (item,) = orjson.loads(encoded(*requests.marked("extensionAttribute15", "hr")))["requests"]

    assert item["headers"] == {"ConsistencyLevel": "eventual"}


def response(key: object, status: object = 204, **more: object) -> dict[str, Any]:
    """Give one part of a batch's answer."""
    return {"id": key, "status": status, **more}


def test_replies_come_in_any_order() -> None:
    """They are told apart by id; names of headers have no case, and may be missing."""
    body = {
        "responses": [
            response("1", 429, headers={"Retry-After": 3}, body={"error": {}}),
            response("0", headers=None),
        ]
    }

    assert decode(body, 2) == [
        Reply(204, {}, None),
        Reply(429, {"retry-after": "3"}, {"error": {}}),
    ]
    assert decode({"responses": [response("0", "204", headers="none")]}, 1) == [
        Reply(204, {}, None)
    ]


def test_the_batch_lends_its_headers() -> None:
    """A part without a request-id of its own has that of the batch."""
    body = {"responses": [response("0"), response("1", headers={"request-id": "own"})]}

    replies = decode(body, 2, {"request-id": "of the batch"})

    assert [reply and reply.request_id for reply in replies] == ["of the batch", "own"]


@given(st.permutations(range(SIZE)))
def test_any_order_is_the_order_of_the_requests(order: list[int]) -> None:
    """Whatever order Graph answers in, each request gets its own answer."""
    body = {"responses": [response(str(n), 200, body=n) for n in order]}

    assert [reply.body for reply in decode(body, SIZE) if reply] == list(range(SIZE))


@pytest.mark.parametrize(
    "body",
    [
        {"responses": []},
        {"responses": None},
        {"responses": 5},
        {},
        None,
        [],
        "<html>",
        {"responses": [response("7"), response("x"), response(0), response(["0"])]},
        {"responses": ["0", None, {"status": 200}, {"id": "0"}]},
        {"responses": [response("0", None), response("1", "two hundred")]},
        {"responses": [response("0", 200.5), response("1", {"code": 200})]},
    ],
    ids=[
        "empty",
        "null",
        "a number",
        "without responses",
        "nothing",
        "a list",
        "a page",
        "ids of somebody else",
        "no responses among them",
        "no number",
        "no status",
    ],
)
def test_a_missing_reply_is_none(body: Any) -> None:  # noqa: ANN401 -- JSON, or whatever is passed on
    """What is not answered is told as not answered, whatever came instead."""
    assert decode(body, 2) == [None, None]


def test_a_malformed_reply_spoils_no_other() -> None:
    """What can be read of a batch's answer counts, whatever stands beside it."""
    body = {"responses": [response("0", "?"), {}, response("1", 201, body={"id": "a"})]}

    assert decode(body, 2) == [None, Reply(201, {}, {"id": "a"})]


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])]
)
def test_twenty_at_a_time(number: int, sizes: list[int]) -> None:
    """No batch is larger than Graph takes, and none is empty."""
    cut = list(chunks(range(number)))

    assert [len(chunk) for chunk in cut] == sizes
    assert [item for chunk in cut for item in chunk] == list(range(number))
