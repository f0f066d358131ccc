from __future__ import annotations

import asyncio
import base64
import json
import threading
from asyncio import to_thread
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from reconciler.sandbox import errors, replies
from reconciler.sandbox.app import TRANSPORT, graph_app
from reconciler.sandbox.company.contoso import APPLY_APP, TENANT_ID
from reconciler.sandbox.trouble import files
from reconciler.sandbox.wire import Cut, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive

    from reconciler.sandbox.tenant import Tenant

Made = Callable[..., dict[str, Any]]
Troubled = Callable[..., httpx.Client]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def troubled(start: Callable[..., httpx.Client], tmp_path: Path) -> Troubled:
    """Start a tenant of one's own with the trouble of a faults file of these lines."""

    def started(text: str, **arguments: object) -> httpx.Client:
        path = tmp_path / "faults.yaml"
        path.write_text(f"version: 1\n{text}")
        return start(trouble=files.load(path), **arguments)

    return started


def _fault(*lines: str) -> str:
    """Give the text of a file with one rule."""
    return "faults:\n  - " + "\n    ".join(lines) + "\n"


def _statuses(graph: httpx.Client, number: int, path: str = "/domains") -> list[int]:
    return [graph.get(path).status_code for _ in range(number)]


def _batch(graph: httpx.Client, *parts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    requests = [{"id": str(number), **part} for number, part in enumerate(parts)]
    reply = graph.post("/$batch", json={"requests": requests})
    assert reply.status_code == 200
    return {part["id"]: part for part in reply.json()["responses"]}


def _part(body: dict[str, Any]) -> dict[str, Any]:
    return {"method": "POST", "url": "/users", "headers": JSON, "body": body}


def _exists(graph: httpx.Client, body: dict[str, Any]) -> bool:
    return graph.get(f"/users/{body['userPrincipalName']}").status_code == 200


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("nth: 3", "..x..."),
        ("nth: [1, 4]", "x..x.."),
        ("every: 2", ".x.x.x"),
        ("from: 2\n    to: 4", ".xxx.."),
        ("first: 2", "xx...."),
        ("from: 3\n    first: 2", "..xx.."),
        ("from: 2\n    every: 2", "..x.x."),
        ("to: 1", "x....."),
        ("probability: 1", "xxxxxx"),
    ],
)
def test_a_rule_says_which_requests_it_strikes(
    troubled: Troubled, when: str, expected: str
) -> None:
    """Requests are counted from one, and conditions hold together."""
    graph = troubled(_fault("request: GET /domains", when, "answer: 503"))
    statuses = _statuses(graph, 6)
    assert [status == 503 for status in statuses] == [letter == "x" for letter in expected]


def test_a_random_rule_follows_the_seed(troubled: Troubled) -> None:
    """The same seed gives the same faults for the same requests, another seed others."""
    rule = _fault("request: GET /domains", "probability: 0.5", "answer: 503")
    first, again, other = (_statuses(troubled(f"seed: {seed}\n{rule}"), 24) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert set(first) == {200, 503}


def test_each_rule_counts_by_itself(troubled: Troubled) -> None:
    """Of two that strike one request the first counts, and the second has counted it too."""
    graph = troubled(
        "faults:\n"
        "  - {request: GET /domains, nth: 2, answer: 503}\n"
        "  - {request: GET /*, nth: [2, 3], answer: 502}\n"
    )
    assert _statuses(graph, 4) == [200, 503, 502, 200]


@pytest.mark.parametrize(
    ("request_", "path", "is_struck"),
    [
        ("GET /users/*", "/users/priya@contoso.com", True),
        ("GET /users/*", "/users/priya@contoso.com/memberOf", False),
        ("GET /users/**", "/users/priya@contoso.com/memberOf", True),
        ("GET /users/**", "/users", True),
        ("GET /users/*@contoso.com", "/users/priya@contoso.com", True),
        ("GET /users/*@contoso.com", "/users('priya%40contoso.com')", True),
        ("GET /users/*@contoso.com", "//Users/kenji.sato@contoso.co.jp", False),
        ("POST|PATCH /users", "/users", False),
        ("POST|GET /users", "/users", True),
        ("* /**", "/domains", True),
    ],
)
def test_a_rule_is_about_certain_requests(
    troubled: Troubled, request_: str, path: str, *, is_struck: bool
) -> None:
    """Methods and path decide, however the path is written."""
    graph = troubled(_fault(f"request: '{request_}'", "answer: 503"))
    assert (graph.get(path).status_code == 503) is is_struck


def test_what_is_not_below_v1_is_no_rules_business(troubled: Troubled) -> None:
    """A request to another version is answered as ever."""
    graph = troubled(_fault("request: '* /**'", "answer: 503"))
    root = f"http://{graph.base_url.host}:{graph.base_url.port}"
    assert graph.get(f"{root}/beta/users").status_code == 400


def test_a_rule_may_be_for_one_application(troubled: Troubled) -> None:
    """Others are not struck, nor those whose token cannot be read."""
    rule = ("request: GET /domains", f"application: {APPLY_APP.client_id.upper()}", "answer: 503")
    graph = troubled(_fault(*rule))
    assert graph.get("/domains").status_code == 503
    for token in ("Bearer x", "Bearer a.b.c", "Bearer a.W10.c", ""):
        assert graph.get("/domains", headers={"Authorization": token}).status_code == 401


def test_a_rule_may_be_for_parts_of_batches(troubled: Troubled, body: Made) -> None:
    """Inside, outside or both: the parts beside the one that is struck are served."""
    graph = troubled(
        "faults:\n"
        "  - {request: POST /users, inBatch: true, nth: 2, answer: 429, retryAfter: 2.128}\n"
        "  - {request: GET /domains, inBatch: false, answer: 503}\n"
    )
    parts = _batch(
        graph, _part(body()), _part(body()), {"method": "GET", "url": "/domains"}, _part(body())
    )
    assert {key: part["status"] for key, part in parts.items()} == {
        "0": 201,
        "1": 429,
        "2": 200,
        "3": 201,
    }
    assert parts["1"]["headers"]["Retry-After"] == "2.128"
    assert graph.get("/domains").status_code == 503


def test_a_429_has_the_body_and_the_headers_of_graph(troubled: Troubled) -> None:
    """It names whom it is about; its inner error is like no other."""
    graph = troubled(_fault("request: GET /domains", "answer: 429"))
    reply = graph.get("/domains", headers={"client-request-id": "mine"})
    inner = reply.json()["error"]["innerError"]
    assert reply.headers["retry-after"] == "10"
    assert reply.headers["client-request-id"] == "mine"
    scope = f"Tenant_Application/ReadWrite/{APPLY_APP.client_id}/{TENANT_ID}"
    assert reply.headers["x-ms-throttle-scope"] == scope
    assert reply.headers["x-ms-throttle-information"] == "CPULimitExceeded"
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {
        "error": {
            "code": "TooManyRequests",
            "innerError": {
                "code": "429",
                "date": inner["date"],
                "message": "Please retry after",
                "request-id": reply.headers["request-id"],
                "status": "429",
            },
            "message": "Please retry again later.",
        }
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [("absent", None), ("0", "0"), ("3", "3"), ("2.128", "2.128"), ("4000000", "4000000")],
)
def test_retry_after_is_what_the_rule_says(
    troubled: Troubled, line: str, expected: str | None
) -> None:
    """Whole, fractional or absent."""
    graph = troubled(_fault("request: GET /domains", "answer: 429", f"retryAfter: {line}"))
    assert graph.get("/domains").headers.get("retry-after") == expected


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (400, "BadRequest", "The request is not valid."),
        (
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        ),
        (
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        (
            404,
            "Request_ResourceNotFound",
            (
                "Resource 'contoso.com' does not exist or one of its queried reference-property "
                "objects are not present."
            ),
        ),
        (
            409,
            "Directory_ConcurrencyViolation",
            "A conflicting write was made to the same object. Please try again.",
        ),
        (
            412,
            "PreconditionFailed",
            "A precondition provided in the request does not match the resource's current state.",
        ),
        (423, "Locked", "The resource that is being accessed is locked."),
        (418, "UnknownError", ""),
        (500, "Service_InternalServerError", "Encountered an internal server error."),
        (502, "UnknownError", ""),
        (503, "ServiceUnavailable", "The service is unavailable."),
        (504, "UnknownError", ""),
    ],
)
def test_a_status_comes_in_graphs_words(
    troubled: Troubled, answer: int, code: str, message: str
) -> None:
    """Each has an envelope with the ids to report, and no Retry-After unless asked for."""
    graph = troubled(_fault("request: GET /domains/*", f"answer: {answer}"))
    reply = graph.get("/domains/contoso.com")
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["message"]) == (answer, code, message)
    assert error["innerError"]["request-id"] == reply.headers["request-id"]
    assert "retry-after" not in reply.headers
    assert ("www-authenticate" in reply.headers) is (answer == 401)


def test_code_and_message_may_be_ones_own(troubled: Troubled) -> None:
    """What the rule says takes the place of the usual words, of a 429 too."""
    graph = troubled(
        "faults:\n"
        "  - {request: GET /domains, nth: 1, answer: 429, code: Slow, retryAfter: 1}\n"
        "  - {request: GET /domains, nth: 2, answer: 503, message: Not today.}\n"
    )
    first, second = (graph.get("/domains") for _ in range(2))
    assert (first.json()["error"]["code"], first.headers["retry-after"]) == ("Slow", "1")
    assert second.json()["error"]["code"] == "ServiceUnavailable"
    assert second.json()["error"]["message"] == "Not today."


@pytest.mark.parametrize("answer", ["503", "504", "dropped"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_fault_comes_before_or_after_the_work(
    troubled: Troubled, body: Made, answer: str, moment: str
) -> None:
    """Afterwards the user is there, though nobody was told."""
    rule = ("request: POST /users", f"answer: {answer}", f"moment: {moment}")
    graph = troubled(_fault(*rule))
    sent = body()
    if answer == "dropped":
        with pytest.raises(httpx.TransportError):
            graph.post("/users", json=sent)
    else:
        assert graph.post("/users", json=sent).status_code == int(answer)
    assert _exists(graph, sent) is (moment == "after")


def test_a_page_may_arrive_in_part(troubled: Troubled) -> None:
    """The head promises the whole, the beginning of the JSON comes, then the connection ends."""
    graph = troubled(_fault("request: GET /users", "nth: 1", "answer: truncated"))
    received: list[bytes] = []
    with graph.stream("GET", "/users") as reply:
        promised = int(reply.headers["content-length"])
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(reply.iter_raw())
    whole = graph.get("/users").content
    assert reply.status_code == 200
    assert len(b"".join(received)) == promised // 2
    assert b"".join(received)[:60] == whole[:60]


def test_headers_may_arrive_in_part(troubled: Troubled, body: Made) -> None:
    """The connection ends inside a header, after the work."""
    graph = troubled(_fault("request: POST /users", "answer: truncatedHeaders"))
    sent = body()
    with pytest.raises(httpx.RemoteProtocolError):
        graph.post("/users", json=sent)
    assert _exists(graph, sent)


def test_a_dropped_part_drops_its_batch(troubled: Troubled, body: Made) -> None:
    """The parts share one connection; those that were not struck are done."""
    rule = ("request: POST /users", "inBatch: true", "nth: 1", "answer: dropped")
    graph = troubled(_fault(*rule))
    first, second = body(), body()
    with pytest.raises(httpx.TransportError):
        _batch(graph, _part(first), _part(second))
    assert (_exists(graph, first), _exists(graph, second)) == (False, True)


def test_a_batch_may_be_struck_itself(troubled: Troubled, body: Made) -> None:
    """The request that carries the others is one of its own; nothing in it is done."""
    graph = troubled(_fault("request: POST /$batch", "answer: 503"))
    sent = body()
    requests = [{"id": "1", **_part(sent)}]
    assert graph.post("/$batch", json={"requests": requests}).status_code == 503
    assert not _exists(graph, sent)


async def _nothing(_: object) -> None:
    """Take what is sent."""


def test_a_connection_breaks_once() -> None:
    """What still arrives of the request is waited for, and no answer is made."""
    reply = Reply(504, is_cut=True, cut_in=Cut.START)
    tenant = cast("Tenant", SimpleNamespace(answer=lambda _: reply))
    events = ["http.request", "http.request", "http.disconnect"]
    aborted: list[bool] = []
    transport = SimpleNamespace(abort=lambda: aborted.append(True))

    async def receive() -> dict[str, Any]:
        return {"type": events.pop(0), "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/v1.0/users",
        "query_string": b"",
        "scheme": "http",
        "headers": [],
        "extensions": {TRANSPORT: {"transport": transport}},
    }
    asyncio.run(_run(graph_app(tenant), scope, receive))
    assert (aborted, events) == ([True], [])


async def _run(app: ASGIApp, scope: dict[str, Any], receive: Receive) -> None:
    await app(scope, receive, _nothing)


def test_a_page_token_may_expire(troubled: Troubled) -> None:
    """Paging has to begin again."""
    graph = troubled(_fault("request: GET /users", "nth: 2", "answer: expiredPageToken"))
    link = graph.get("/users?$top=5").json()["@odata.nextLink"]
    reply = graph.get(link)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "Directory_ExpiredPageToken"
    assert graph.get(link).status_code == 200


def test_a_token_may_be_refused(troubled: Troubled) -> None:
    """An expired token's refusal says where to get another."""
    graph = troubled(_fault("request: GET /domains", "answer: expiredToken"))
    reply = graph.get("/domains")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith('Bearer realm="", authorization_uri=')
    assert "claims=" not in reply.headers["www-authenticate"]


def test_a_session_may_be_revoked(troubled: Troubled) -> None:
    """The claims challenge tells, in base64, which claim the next token needs."""
    graph = troubled(_fault("request: GET /domains", "answer: claimsChallenge"))
    reply = graph.get("/domains")
    head = reply.headers["www-authenticate"]
    wanted = json.loads(base64.b64decode(head.partition('claims="')[2].partition('"')[0]))
    assert (reply.status_code, 'error="insufficient_claims"' in head) == (401, True)
    assert reply.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert reply.json()["error"]["message"] == (
        "Continuous access evaluation resulted in claims challenge with result: "
        "InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
    )
    assert wanted["access_token"]["nbf"]["essential"] is True
    assert int(wanted["access_token"]["nbf"]["value"]) > 0


def test_a_revocation_in_other_words_still_tells_what_it_wants(troubled: Troubled) -> None:
    """A message of one's own changes the body, and not the challenge."""
    rule = _fault("request: GET /domains", "answer: claimsChallenge", "message: Location changed.")
    reply = troubled(rule).get("/domains")
    assert reply.json()["error"]["message"] == "Location changed."
    assert 'claims="' in reply.headers["www-authenticate"]


def test_a_test_s_own_fault_comes_first(troubled: Troubled) -> None:
    """The seam of tests and the file are one mechanism: the file has its say second."""
    own = replies.dressed(replies.refused(errors.DENIED.error(), "an id", None), "an id", None)
    verdicts = [own, None]
    graph = troubled(
        _fault("request: GET /domains", "answer: 503"),
        intercept=lambda incoming: verdicts.pop(0) if incoming.method == "GET" else None,
    )
    assert _statuses(graph, 2) == [403, 503]


class _Sleeps:
    """Notes the seconds that replies are held back, and returns at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(round(seconds, 6))


def test_a_reply_may_be_delayed(troubled: Troubled, body: Made) -> None:
    """A delay may be all that a rule does, or come with its answer; a batch waits once."""
    slept = _Sleeps()
    graph = troubled(
        "latency: 0.25\n"
        "faults:\n"
        "  - {request: GET /domains, delay: 2}\n"
        "  - {request: GET /groups, delay: 3, answer: 503}\n"
        "  - {request: GET /organization, delay: 4, answer: truncated}\n",
        sleep=slept,
    )
    assert graph.get("/domains").status_code == 200
    assert graph.get("/groups").status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):
        graph.get("/organization")
    parts = _batch(graph, {"method": "GET", "url": "/domains"}, _part(body()))
    assert parts["0"]["status"] == 200
    assert slept.seconds == [2.25, 3.25, 4.25, 2.25]


def test_latency_is_for_certain_requests(troubled: Troubled) -> None:
    """The first entry that fits counts; what none is about is answered at once."""
    slept = _Sleeps()
    graph = troubled(
        "latency:\n  - {request: GET /users/*, mean: 1}\n  - {request: GET /users/**, mean: 2}\n",
        sleep=slept,
    )
    for path in ("/users/priya@contoso.com", "/users", "/domains"):
        assert graph.get(path).status_code == 200
    assert slept.seconds == [1, 2]


def test_jitter_follows_the_seed(troubled: Troubled) -> None:
    """Delays differ within the jitter, are never negative, and repeat with the seed."""
    runs = []
    for seed in (1, 1, 2):
        slept = _Sleeps()
        graph = troubled(f"seed: {seed}\nlatency: {{mean: 0.1, jitter: 0.2}}\n", sleep=slept)
        _statuses(graph, 12)
        runs.append(slept.seconds)
    assert runs[0] == runs[1] != runs[2]
    assert all(0 < seconds <= 0.3 for seconds in runs[0])
    assert len(runs[0]) < 12


def test_a_delay_holds_nobody_else(troubled: Troubled) -> None:
    """While one reply is held back others are answered."""
    waiting, released = threading.Event(), threading.Event()

    async def sleep(seconds: float) -> None:
        assert seconds == 60
        waiting.set()
        await to_thread(released.wait, 20)

    graph = troubled(_fault("request: GET /groups", "delay: 60"), sleep=sleep)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(graph.get, "/groups", timeout=20)
        assert waiting.wait(20)
        assert graph.get("/domains").status_code == 200
        assert not slow.done()
        released.set()
        assert slow.result().status_code == 200
