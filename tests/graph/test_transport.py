from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.errors import GraphFailed, GraphUnreachable, PermissionMissing
from reconciler.graph.requests import Requests
from reconciler.graph.transport import NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from reconciler.graph.reply import Reply
    from reconciler.graph.transport import Answer, Graph
    from tests.graph.conftest import Fake

    Batched = Callable[..., Callable[[httpx.Request], httpx.Response]]
    Faked = Callable[..., Fake]

ROOT = "https://graph.example/v1.0"
DENIED = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}
GONE = {"error": {"code": "Request_ResourceNotFound", "message": "Resource 'x' does not exist"}}
BUSY = {"error": {"code": "TooManyRequests", "message": "Please retry again later."}}
UNKNOWN = {"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}
DOWN = {"error": {"code": "ServiceUnavailable", "message": "down"}}


async def domains(graph: Graph) -> list[Reply]:
    """Ask one question."""
    return await graph.read([Requests(graph.client).domains()])


async def both(graph: Graph) -> list[Reply]:
    """Ask two questions."""
    requests = Requests(graph.client)
    return await graph.read([requests.domains(), requests.organization()])


async def write(graph: Graph) -> list[Answer]:
    """Send a write."""
    return await graph.batch([Requests(graph.client).create_user({"displayName": "Ada"})])


def turns(*answers: Any) -> Callable[[str], Any]:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Answer one after the other, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        ([(429, BUSY, {"Retry-After": "7"})], [7.0]),
        ([(429, BUSY, {"Retry-After": "0.5"}), (429, BUSY)], [0.5, 2.0]),
        ([(503, DOWN)] * 3, [1.0, 2.0, 4.0]),
        ([(504, None, {"Retry-After": "soon"})], [1.0]),
        ([(503, DOWN, {"Retry-After": "0"})] * 3, [0.0, 1.0, 2.0]),
        ([(503, DOWN, {"Retry-After": "0"}), (401, UNKNOWN)], [0.0, 0.0]),
    ],
    ids=[
        "as asked",
        "then of its own",
        "longer each time",
        "no number",
        "at once is believed once",
        "at once is no new token",
    ],
)
def test_reads_are_asked_again(
    fake: Faked, batched: Batched, trouble: list[Any], waits: list[float]
) -> None:
    """What Graph asks for is waited, to the fraction; without it, longer each time."""
    graph = fake(batched(turns(*trouble, (200, {"value": []}))))

    (reply,) = graph.run(domains)

    assert (reply.status, graph.slept) == (200, waits)


def test_only_what_failed_is_asked_again(fake: Faked, batched: Batched) -> None:
    """What has been answered is not asked twice, and the longest wait counts for all."""
    troubles: Iterator[Any] = iter([(429, BUSY, {"Retry-After": "3"}), (200, {"value": []})])

    def part(url: str) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        return next(troubles) if url == "/domains" else (200, {"value": [url]})

    graph = fake(batched(part))

    replies = graph.run(both)

    assert [reply.body["value"] for reply in replies] == [[], ["/organization"]]
    assert [[item["url"] for item in graph.parts(n)] for n in range(2)] == [
        ["/domains", "/organization"],
        ["/domains"],
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(200, text="<html>sign in to the guest network</html>"),
        httpx.Response(200, json={"responses": []}),
        httpx.Response(200, json=["?"]),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
        httpx.DecodingError("no gzip"),
    ],
    ids=[
        "503",
        "a page of errors",
        "a page",
        "left out",
        "no object",
        "timeout",
        "refused",
        "cut",
        "garbled",
    ],
)
def test_dropped_answers_are_asked_for_again(
    fake: Faked, batched: Batched, trouble: httpx.Response | Exception
) -> None:
    """Whatever happens to a whole batch, reading goes on as soon as it can."""
    good, left = batched(turns((200, {"value": []}))), [trouble]

    def answer(request: httpx.Request) -> httpx.Response:
        if not left:
            return good(request)
        first = left.pop()
        if isinstance(first, Exception):
            raise first
        return first

    graph = fake(answer)

    assert [reply.status for reply in graph.run(domains)] == [200]
    assert graph.slept == [1.0]


def test_unreachable(fake: Faked) -> None:
    """After six tries without an answer, that is what is told."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    graph = fake(refuse)

    with pytest.raises(GraphUnreachable, match="does not answer: ConnectError while waiting for"):
        graph.run(domains)
    assert graph.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((503, DOWN), GraphUnreachable, "Graph is in trouble: 503 ServiceUnavailable: down"),
        ((429, BUSY), GraphFailed, "429 TooManyRequests"),
        ((403, DENIED), PermissionMissing, "Authorization_RequestDenied: Insufficient privileges"),
        ((401, None), PermissionMissing, "401 UnknownError: Graph gave no reason"),
        ((400, {"error": {"code": "BadRequest", "message": "?"}}), GraphFailed, "400 BadRequest"),
        ((302, None), GraphFailed, "302 UnknownError"),
    ],
    ids=["in trouble", "too fast", "forbidden", "not signed in", "refused", "elsewhere"],
)
def test_a_failed_read_stops_the_command(
    fake: Faked,
    batched: Batched,
    answer: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
    kind: type[Exception],
    words: str,
) -> None:
    """A failed read is never taken for absence; what it was decides the exit code."""
    with pytest.raises(kind, match=words):
        fake(batched(lambda _: answer)).run(domains)


def test_404_is_an_answer(fake: Faked, batched: Batched) -> None:
    """Who reads one thing may learn that it is not there; a collection always is."""
    graph = fake(batched(lambda _: (404, GONE)))

    assert [reply.status for reply in graph.run(domains)] == [404]
    with pytest.raises(GraphFailed, match="404 Request_ResourceNotFound"):
        graph.run(lambda g: g.read_all([Requests(g.client).domains()]))


def test_a_wait_beyond_reason(fake: Faked, batched: Batched) -> None:
    """A command does not sit there for an hour."""
    graph = fake(batched(lambda _: (429, BUSY, {"Retry-After": "3600"})))

    with pytest.raises(GraphFailed, match="asks to wait 3600 seconds, more than the 300") as caught:
        graph.run(domains)
    assert "a rerun goes on where this one stopped" in str(caught.value.hint)
    assert graph.slept == []


def test_pages_are_followed_to_the_last(fake: Faked, batched: Batched) -> None:
    """A link is followed as it is, with the headers of the first page, empty pages included."""
    pages = {
        "2": {"value": [], "@odata.nextLink": f"{ROOT}/users?$skiptoken=3"},
        "3": {"value": [{"id": "b"}]},
    }

    def part(url: str) -> tuple[int, Any]:
        if url.startswith("/domains"):
            return 200, {"value": [{"id": "d"}]}
        first = {"value": [{"id": "a"}], "@odata.nextLink": f"{ROOT}/users?$skiptoken=2"}
        return 200, pages.get(url[-1], first)

    graph = fake(batched(part))

    async def ask(g: Graph) -> list[list[Any]]:
        requests = Requests(g.client)
        marked = requests.marked("extensionAttribute15", "hr")
        return await g.read_all([*marked, requests.domains()])

    assert graph.run(ask) == [[{"id": "a"}, {"id": "b"}], [{"id": "d"}]]
    levels = [graph.parts(n)[0]["headers"]["ConsistencyLevel"] for n in range(3)]
    assert levels == ["eventual"] * 3
    assert [graph.parts(n)[0]["url"] for n in (1, 2)] == [
        "/users?$skiptoken=2",
        "/users?$skiptoken=3",
    ]


STALE = {"error": {"code": "Directory_ExpiredPageToken", "message": "expired"}}
UNKNOWN = {"error": {"code": "InvalidAuthenticationToken", "message": "the token is expired."}}


def test_a_list_whose_pages_expire_is_read_from_its_beginning(
    fake: Faked, batched: Batched
) -> None:
    """What was read of it before does not count twice."""
    second = turns((400, STALE), (200, {"value": [{"id": "b"}]}))

    def part(url: str) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        first = {"value": [{"id": "a"}], "@odata.nextLink": f"{ROOT}/domains?$skiptoken=2"}
        return second(url) if "skiptoken" in url else (200, first)

    graph = fake(batched(part))

    async def ask(g: Graph) -> list[list[Any]]:
        return await g.read_all([Requests(g.client).domains()])

    assert graph.run(ask) == [[{"id": "a"}, {"id": "b"}]]
    assert len(graph.sent) == 4


def test_a_list_whose_pages_always_expire_is_an_error(fake: Faked, batched: Batched) -> None:
    """Reading does not begin anew for ever."""

    def part(url: str) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        first = {"value": [], "@odata.nextLink": f"{ROOT}/domains?$skiptoken=2"}
        return (400, STALE) if "skiptoken" in url else (200, first)

    async def ask(g: Graph) -> list[list[Any]]:
        return await g.read_all([Requests(g.client).domains()])

    with pytest.raises(GraphFailed, match="let the pages of a list expire 3 times"):
        fake(batched(part)).run(ask)


def test_a_token_that_graph_does_not_know_is_renewed(fake: Faked, batched: Batched) -> None:
    """The next one is newer than the refusal, by Graph's clock; nothing is waited for."""
    moment = {"Date": "Mon, 02 Mar 2026 09:00:00 GMT"}
    graph = fake(batched(turns((401, UNKNOWN, moment), (200, {"value": []}))))

    (reply,) = graph.run(domains)

    issued = {"nbf": {"essential": True, "value": "1772442000"}}
    assert (reply.status, sum(graph.slept)) == (200, 0)
    assert graph.credential.claims == [None, {"access_token": issued}]


def test_a_token_that_stays_unknown_ends_the_command(fake: Faked, batched: Batched) -> None:
    """One renewal is enough to tell; without a date any new token will do."""
    graph = fake(batched(turns((401, UNKNOWN))))

    with pytest.raises(PermissionMissing, match="does not accept the token") as caught:
        graph.run(domains)

    assert "clock" in (caught.value.hint or "")
    assert graph.credential.claims == [None, {"access_token": {}}]


@pytest.mark.parametrize(
    "body", [None, [], {}, {"value": None}, "<html>"], ids=["null", "list", "empty", "no", "page"]
)
def test_what_is_no_page_is_not_an_empty_one(fake: Faked, batched: Batched, body: object) -> None:
    """An answer without a list of values is an error, never absence."""
    graph = fake(batched(lambda _: (200, body)))

    with pytest.raises(GraphFailed) as caught:
        graph.run(lambda g: g.read_all([Requests(g.client).domains()]))

    assert str(caught.value).startswith("Graph answered a read with something that is no list")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users",
        "http://graph.example/v1.0/users",
        "https://graph.example:8443/v1.0/users",
        "https://graph.example@evil.example/v1.0/users",
        "//evil.example/v1.0/users",
    ],
)
def test_the_token_goes_nowhere_else(fake: Faked, batched: Batched, link: str) -> None:
    """A page on another host, port or scheme is not followed: nothing is sent there."""
    first = {"value": [], "@odata.nextLink": link}
    graph = fake(batched(turns((200, first), (200, {"value": []}))))

    with pytest.raises(GraphFailed, match="continues on another host"):
        graph.run(lambda g: g.read_all([Requests(g.client).domains()]))
    assert [request.url.host for request in graph.sent] == ["graph.example"]


def test_a_host_that_steers_a_terminal_is_written_out(fake: Faked, batched: Batched) -> None:
    """The name of the host is Graph's words, or those of somebody in between."""
    link = "https://evil\x1bc\u202e.example/v1.0/users"
    graph = fake(batched(turns((200, {"value": [], "@odata.nextLink": link}))))

    with pytest.raises(GraphFailed) as caught:
        graph.run(lambda g: g.read_all([Requests(g.client).domains()]))
    assert str(caught.value) == (
        r"Graph's answer continues on another host, evil\u{1b}c\u{202e}.example"
    )


def test_pages_that_lead_in_a_circle_are_left(fake: Faked, batched: Batched) -> None:
    """Two links that name each other are an error, not a list without an end."""
    links = [f"{ROOT}/domains?$skiptoken={n}" for n in (1, 2)]
    pages = [(200, {"value": [], "@odata.nextLink": link}) for link in (*links, *links)]
    graph = fake(batched(turns(*pages)))

    with pytest.raises(GraphFailed, match="continues where it came from"):
        graph.run(lambda g: g.read_all([Requests(g.client).domains()]))
    assert len(graph.sent) == 3


def test_redirects_are_not_followed(fake: Faked) -> None:
    """Nor is a redirect, which would take the token with it."""
    graph = fake(lambda _: httpx.Response(302, headers={"location": "https://evil.example/"}))

    (answer,) = graph.run(write)

    assert answer == NoAnswer("the batch was answered 302 UnknownError: Graph gave no reason")
    assert len(graph.sent) == 1


def test_an_answer_that_trickles_in_is_given_up(fake: Faked) -> None:
    """However steadily bytes arrive, an answer has to be complete within a time."""
    graph = fake(lambda _: httpx.Response(200, stream=Trickle()), answer_within=0.1)

    assert graph.run(write) == [NoAnswer("TimeoutError while waiting for https://graph.example")]


class Trickle(httpx.AsyncByteStream):
    """A body that never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give a byte at a time."""
        while True:
            await asyncio.sleep(0.01)
            yield b" "


def test_writes_are_sent_once(fake: Faked) -> None:
    """Whether a write is sent again is decided elsewhere, by what it is."""
    graph = fake(lambda _: httpx.Response(503))

    (answer,) = graph.run(write)

    assert not isinstance(answer, NoAnswer)
    assert (answer.status, len(graph.sent), graph.slept) == (503, 1, [])


def test_requests_carry_token_and_id(fake: Faked, batched: Batched) -> None:
    """Each request has an id of its own for Graph's support, and the token around the batch."""
    graph = fake(batched(lambda _: (200, {"value": []})))

    graph.run(both)

    (outer,) = graph.sent
    assert outer.headers["authorization"] == "Bearer header.payload.signature"
    ids = [part["headers"]["client-request-id"] for part in graph.parts(0)]
    assert len({*ids, outer.headers["client-request-id"]}) == 3
    assert "authorization" not in str(graph.parts(0)).casefold()
