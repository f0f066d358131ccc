from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.errors import ReconcilerError, UsageError
from reconciler.webhook import ADDRESS, DEADLINE, SECRET, SIGNATURE, TRIES, deliver, is_wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = {ADDRESS: "https://changes.example/audit", SECRET: "shared"}
CONTENT = b'{"privilege":"role"}\n'


Answer = int | httpx.HTTPError | httpx.Response


@dataclass
class Delivered:
    """What became of a delivery by a clock that only sleeping and answers move."""

    sent: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    error: ReconcilerError | None = None
    clock: float = 0.0


def _delivered(answers: Sequence[Answer], lasting: float = 0.0) -> Delivered:
    """Deliver to a receiver that gives *answers*, each after *lasting* seconds."""
    found, left = Delivered(), list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        found.sent.append(request)
        found.clock += lasting
        given = left.pop(0)
        if isinstance(given, httpx.HTTPError):
            raise given
        return httpx.Response(given) if isinstance(given, int) else given

    async def sleep(seconds: float) -> None:
        found.slept.append(seconds)
        found.clock += seconds
        await asyncio.sleep(0)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    try:
        asyncio.run(
            deliver(
                WANTED,
                CONTENT,
                client=client,
                sleep=sleep,
                now=lambda: 1_700_000_000.9,
                monotonic=lambda: found.clock,
            )
        )
    except ReconcilerError as error:
        found.error = error
    return found


def test_a_receiver_can_tell_that_it_is_ours() -> None:
    """The signature covers the moment and the content, and nothing of the secret is sent."""
    found = _delivered([204])
    (request,) = found.sent

    expected = hmac.new(b"shared", b"1700000000." + CONTENT, hashlib.sha256).hexdigest()
    assert (found.error, found.slept) == (None, [])
    assert request.headers[SIGNATURE] == f"sha256={expected}"
    assert request.headers["X-Reconciler-Timestamp"] == "1700000000"
    assert request.content == CONTENT
    assert "shared" not in str(request.headers) + str(request.url)


def test_trouble_is_tried_again_under_one_name() -> None:
    """Each try has the same delivery id, so that a second one can be told."""
    found = _delivered([503, httpx.ReadTimeout("slow"), 429, 200])

    assert found.error is None
    assert found.slept == [1.0, 2.0, 4.0]
    assert len({request.headers["X-Reconciler-Delivery"] for request in found.sent}) == 1


LATER = "Tue, 14 Nov 2023 22:13:37 GMT"


@pytest.mark.parametrize(
    ("asked", "slept", "because"),
    [
        ("12", [12.0], None),
        ("0", [1.0], None),
        (LATER, [pytest.approx(16.1)], None),
        ("soon", [1.0], None),
        ("900", [], "it answered 429, and 60 s are over before it can be tried again"),
    ],
    ids=["seconds", "at once", "a moment", "nonsense", "too long"],
)
def test_a_receiver_is_left_alone_for_as_long_as_it_asks(
    asked: str, slept: list[float], because: str | None
) -> None:
    """Retry-After counts, as far as there is time."""
    found = _delivered([httpx.Response(429, headers={"retry-after": asked}), 200])

    assert found.slept == slept
    assert str(found.error).endswith(f": {because}") if because else found.error is None


def test_a_delivery_has_one_deadline() -> None:
    """Tries and pauses share a minute: no try may take longer than what is left of it."""
    found = _delivered([503] * TRIES, lasting=27.0)
    limits = [request.extensions["timeout"]["read"] for request in found.sent]

    assert limits == [30.0, 30.0, 3.0]
    assert found.slept == [1.0, 2.0]
    assert str(found.error).endswith("60 s are over before it can be tried again")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_receiver_that_moved_is_told(status: int) -> None:
    """What is signed for one address goes to no other, and a person learns why."""
    moved = httpx.Response(status, headers={"location": "https://elsewhere.example/audit"})
    found = _delivered([moved])

    assert str(found.error).endswith(f"it answered {status}, which leads to another address")
    assert found.error
    assert f"where {ADDRESS} leads" in str(found.error.hint)
    assert len(found.sent) == 1


async def _dripping(head: bytes, body: bytes, within: float) -> int:
    """Deliver to a receiver that sends *head*, then *body* a byte at a time; gives how many."""
    given = 0
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        await reader.readuntil(CONTENT)
        writer.write(head)
        try:
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                given += 1
                await asyncio.sleep(0.01)
        except OSError:
            pass  # the client has gone
        finally:
            writer.close()
            done.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        environment = {ADDRESS: f"http://127.0.0.1:{port}/audit", SECRET: "s"}
        try:
            await deliver(environment, CONTENT, within=within)
        finally:
            await done.wait()
    return given


def test_an_answer_is_taken_without_its_body() -> None:
    """A receiver that took the audit and talks on is left: nobody needs the rest."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n"

    assert asyncio.run(_dripping(head, b"x" * 400, DEADLINE)) < 400


def test_an_answer_that_drips_is_left() -> None:
    """A byte now and then keeps no delivery alive for longer than its deadline."""
    body = b"x-slow: " + b"x" * 400 + b"\r\ncontent-length: 0\r\n\r\n"

    with pytest.raises(ReconcilerError, match=r"no answer in time, and 0\.5 s are over"):
        asyncio.run(_dripping(b"HTTP/1.1 200 OK\r\n", body, 0.5))


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
    found = _delivered(answers)

    assert str(found.error) == f"the audit could not be delivered to changes.example: {because}"
    assert len(found.sent) == times


NO_ADDRESS = f"{ADDRESS} is no address that anything can be sent to"
UNSEEN = f"{ADDRESS} holds a blank or a character that nobody sees"
CLEAR = f"{ADDRESS} is not encrypted"
NAMED = f"{ADDRESS} holds a user name or a password"
USELESS: dict[str, tuple[str, str]] = {
    "in the clear": ("http://changes.example", CLEAR),
    "no scheme": ("changes.example/audit", CLEAR),
    "another scheme": ("ftp://127.0.0.1", CLEAR),
    "in the clear, as if to this machine": ("http://127.0.0.1\\@changes.example/", CLEAR),
    "half an IPv6 address": ("https://[::1", NO_ADDRESS),
    "IPv4 for IPv6": ("https://[127.0.0.1]/audit", NO_ADDRESS),
    "no host": ("https:///audit", NO_ADDRESS),
    "a host with an empty part": ("https://changes..example/audit", NO_ADDRESS),
    "a host with a part that is too long": (f"https://{'a' * 64}.example/", NO_ADDRESS),
    "a port that is none": ("https://changes.example:abc/", NO_ADDRESS),
    "a port that is too large": ("https://changes.example:99999/", NO_ADDRESS),
    "port zero": ("https://changes.example:0/", NO_ADDRESS),
    "the end of a line": ("https://changes.example/audit\n", UNSEEN),
    "a tab within": ("https://changes.exa\tmple/", UNSEEN),
    "a control character": ("https://changes.example/\x00", UNSEEN),
    "a blank": ("https://changes.example/ audit", UNSEEN),
    "bytes that are no text": ("https://changes.example/\udcff", UNSEEN),
    "a user": ("https://ada@changes.example/", NAMED),
    "a password": ("https://ada:hunter2@changes.example/", NAMED),
}


@pytest.mark.parametrize(("address", "told"), USELESS.values(), ids=list(USELESS))
def test_an_address_that_cannot_be_used_is_found_out_first(address: str, told: str) -> None:
    """What would fail after the changes is an error before them; the address is not repeated."""
    with pytest.raises(UsageError) as caught:
        is_wanted({ADDRESS: address, SECRET: "s"})
    assert str(caught.value) == told
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "address",
    [
        WANTED[ADDRESS],
        "http://127.0.0.1:1",
        "http://[::1]:8080/audit",
        "https://[2001:db8::1]/audit",
        "https://änderungen.example:8443/prüfung?key=1",
    ],
)
def test_an_address_that_can_be_used_is_wanted(address: str) -> None:
    """Every address that leads somewhere is taken as it is."""
    assert is_wanted({ADDRESS: address, SECRET: "s"})


def test_no_address_is_no_error() -> None:
    """Nobody has to be told."""
    assert not is_wanted({})


@pytest.mark.parametrize(
    ("secret", "told"),
    [("", f"{SECRET} is not set"), ("\udcff", f"{SECRET} is no text")],
    ids=["unsigned", "bytes that are no text"],
)
def test_a_secret_that_cannot_be_used_is_found_out_first(secret: str, told: str) -> None:
    """An audit that could not be signed is an error before anything is changed."""
    with pytest.raises(UsageError, match=told):
        is_wanted({**WANTED, SECRET: secret})
