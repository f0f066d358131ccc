from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.errors import ReconcilerError, UsageError
from reconciler.webhook import ADDRESS, SECRET, SIGNATURE, TRIES, deliver, is_wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = {ADDRESS: "https://changes.example/audit", SECRET: "shared"}
CONTENT = b'{"privilege":"role"}\n'


def _delivered(
    answers: Sequence[int | httpx.HTTPError],
) -> tuple[list[httpx.Request], list[float], ReconcilerError | None]:
    sent: list[httpx.Request] = []
    slept: list[float] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        found = left.pop(0)
        if isinstance(found, httpx.HTTPError):
            raise found
        return httpx.Response(found)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    try:
        deliver(WANTED, CONTENT, client=client, sleep=slept.append, now=lambda: 1_700_000_000.9)
    except ReconcilerError as error:
        return sent, slept, error
    return sent, slept, None


def test_a_receiver_can_tell_that_it_is_ours() -> None:
    """The signature covers the moment and the content, and nothing of the secret is sent."""
    (request,), slept, error = _delivered([204])

    expected = hmac.new(b"shared", b"1700000000." + CONTENT, hashlib.sha256).hexdigest()
    assert (error, slept) == (None, [])
    assert request.headers[SIGNATURE] == f"sha256={expected}"
    assert request.headers["X-Reconciler-Timestamp"] == "1700000000"
    assert request.content == CONTENT
    assert "shared" not in str(request.headers) + str(request.url)


def test_trouble_is_tried_again_under_one_name() -> None:
    """Each try has the same delivery id, so that a second one can be told."""
    sent, slept, error = _delivered([503, httpx.ReadTimeout("slow"), 429, 200])

    assert error is None
    assert slept == [1.0, 2.0, 4.0]
    assert len({request.headers["X-Reconciler-Delivery"] for request in sent}) == 1


@pytest.mark.parametrize(
    ("answers", "because", "times"),
    [
        ([401], "it answered 401", 1),
        ([500] * TRIES, "it answered 500", TRIES),
        ([httpx.ConnectError("no")] * TRIES, "ConnectError", TRIES),
    ],
    ids=["refused", "in trouble", "away"],
)
def test_an_audit_that_nobody_took_is_told(
    answers: list[int | httpx.HTTPError], because: str, times: int
) -> None:
    """The command fails with what was answered, and says where the audit lies."""
    sent, _, error = _delivered(answers)

    assert str(error) == f"the audit could not be delivered to changes.example: {because}"
    assert len(sent) == times


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({ADDRESS: "http://changes.example", SECRET: "s"}, f"{ADDRESS} is not encrypted"),
        ({ADDRESS: "https://changes.example"}, f"{SECRET} is not set"),
    ],
    ids=["in the clear", "unsigned"],
)
def test_a_webhook_that_cannot_be_used_is_found_out_first(
    environment: dict[str, str], told: str
) -> None:
    """What would fail after the changes is an error before them."""
    assert is_wanted(WANTED)
    assert is_wanted({ADDRESS: "http://127.0.0.1:1", SECRET: "s"})
    assert not is_wanted({})
    with pytest.raises(UsageError, match=told):
        is_wanted(environment)
