from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.errors import ExitCode, PermissionMissing, ReconcilerError, UsageError
from reconciler.github.api import TRIES, GitHubUnreachable, github
from tests.github.conftest import NOW, Fake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_each_refusal_names_the_permission() -> None:
    """A person learns what the job may not do, and GitHub's own words."""
    fake = Fake(lambda _: httpx.Response(403, json={"message": "Resource not accessible"}))

    with pytest.raises(PermissionMissing, match="403 to GET pulls: Resource not acc") as caught:
        fake.github.get("pulls", "pull-requests: read")
    assert caught.value.hint == "give the job `pull-requests: read`"


@pytest.mark.parametrize(
    ("answers", "slept"),
    [
        ([httpx.Response(502), httpx.Response(200, json=[])], [1.0]),
        ([httpx.Response(429, headers={"retry-after": "7"})] * 2, [7.0, 7.0]),
        ([httpx.Response(403, headers={"retry-after": "900"})], [60.0]),
        ([httpx.ConnectError("no")] * 3, [1.0, 2.0, 4.0]),
    ],
    ids=["trouble", "too many", "too many, in GitHub's other way", "no connection"],
)
def test_trouble_is_waited_out(
    answers: list[httpx.Response | httpx.TransportError], slept: list[float]
) -> None:
    """A request is sent again for as long as GitHub asks, but never for longer than a minute."""
    fake = Fake(_answering(answers))
    fake.github.get("x", "nothing")

    assert fake.slept == slept


SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
LIMITS: dict[str, tuple[int, dict[str, str], dict[str, str], float]] = {
    "nothing remains": (403, {"x-ratelimit-remaining": "0"}, {}, 1.0),
    "until a moment": (
        403,
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 23:.0f}"},
        {},
        23.0,
    ),
    "until a moment, with 429": (
        429,
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 23:.0f}"},
        {},
        23.0,
    ),
    "until a moment that is over": (
        403,
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW - 23:.0f}"},
        {},
        1.0,
    ),
    "for an hour": (
        403,
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 3600:.0f}"},
        {"message": "API rate limit exceeded for installation"},
        60.0,
    ),
    "of the second kind": (403, {}, SECONDARY, 60.0),
    "of the second kind, with a time": (403, {"retry-after": "9"}, SECONDARY, 9.0),
    "of the second kind, with 429": (429, {"x-ratelimit-remaining": "40"}, SECONDARY, 60.0),
}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("status", "headers", "body", "wait"), LIMITS.values(), ids=list(LIMITS))
def test_a_limit_is_waited_for(
    method: str, status: int, headers: dict[str, str], body: dict[str, str], wait: float
) -> None:
    """A limit is no lack of a permission: it ends, and GitHub says when; nothing was made then."""
    limited = httpx.Response(status, headers=headers, json=body)
    left = [limited, httpx.Response(200, json={"ok": True})]
    ends, stays = Fake(lambda _: left.pop(0)), Fake(lambda _: limited)

    def ask(fake: Fake) -> object:
        if method == "get":
            return fake.github.get("x", "nothing")
        return fake.github.post("x", "nothing", {}, _not_looked_for)

    assert ask(ends) == {"ok": True}
    assert ends.slept == [wait]
    with pytest.raises(GitHubUnreachable, match=f"GitHub answered {status} to") as caught:
        ask(stays)
    assert caught.value.hint == "run it again later"
    assert len(stays.sent) == TRIES
    assert max(stays.slept) <= 60.0


def _not_looked_for() -> None:
    pytest.fail("nobody has to look for what was certainly not made")


LOST: dict[str, httpx.Response | httpx.TransportError] = {
    "trouble": httpx.Response(502),
    "no answer": httpx.ReadTimeout("slow"),
    "half an answer": httpx.RemoteProtocolError("peer closed connection"),
    "no JSON": httpx.Response(200, content=b"<html>"),
}


@pytest.mark.parametrize("is_there", [True, False], ids=["made", "not made"])
@pytest.mark.parametrize("lost", LOST.values(), ids=list(LOST))
def test_what_may_have_been_made_is_looked_for(
    lost: httpx.Response | httpx.TransportError, *, is_there: bool
) -> None:
    """Nothing is sent a second time before somebody has looked whether it is there."""
    looked: list[int] = []
    fake = Fake(_answering([lost] * TRIES))

    def there() -> dict[str, int] | None:
        looked.append(len(fake.sent))
        return {"id": 7} if is_there else None

    if is_there:
        assert fake.github.post("x", "nothing", {}, there) == {"id": 7}
        assert looked == [1]
    else:
        with pytest.raises(GitHubUnreachable):
            fake.github.post("x", "nothing", {}, there)
        assert looked == [1, 2, 3, 4]


def test_what_was_never_sent_is_sent_again() -> None:
    """Without a connection nothing can have been made."""
    fake = Fake(_answering([httpx.ConnectError("no")] * 2))

    assert fake.github.post("x", "nothing", {}, _not_looked_for) == {"ok": True}
    assert len(fake.sent) == 3


def _answering(
    answers: list[httpx.Response | httpx.TransportError],
) -> Callable[[httpx.Request], httpx.Response]:
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        found = left.pop(0) if left else httpx.Response(200, json={"ok": True})
        if isinstance(found, httpx.TransportError):
            raise found
        return found

    return answer


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>sign in</html>", b"[" * 100_000, b'{"message": "hello"}', b"7"],
    ids=["nothing", "a page", "too deep", "no list", "a number"],
)
@pytest.mark.parametrize("key", [None, "artifacts"], ids=["a list", "a list in an object"])
def test_an_answer_of_something_else_is_told(content: bytes, key: str | None) -> None:
    """What stands between us and GitHub may answer as well: that is told, without a traceback."""
    fake = Fake(lambda _: httpx.Response(200, content=content))

    with pytest.raises(GitHubUnreachable, match="to GET x is none that GitHub gives"):
        list(fake.github.pages("x", "nothing", key))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_a_repository_that_was_renamed_is_told(method: str, status: int) -> None:
    """Where GitHub leads to another address, what it says on the way is no data."""
    moved = httpx.Response(
        status, headers={"location": "https://api.example/repositories/1/x"}, json=[]
    )
    fake = Fake(lambda _: moved)
    ask: dict[str, Callable[[], object]] = {
        "get": lambda: fake.github.get("x", "nothing"),
        "post": lambda: fake.github.post("x", "nothing", {}, _not_looked_for),
        "patch": lambda: fake.github.patch("x", "nothing", {}),
    }

    with pytest.raises(UsageError, match="'contoso/people' was renamed or moved") as caught:
        ask[method]()
    assert "set GITHUB_REPOSITORY to the name that it has now" in str(caught.value.hint)
    assert len(fake.sent) == 1


@pytest.mark.parametrize("status", [500, 429, None], ids=str)
def test_trouble_that_lasts_is_told(status: int | None) -> None:
    """After a few tries the command ends with the code of what cannot be reached."""

    def answer(_: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ReadTimeout("slow")
        return httpx.Response(status, content=b"<html>")

    fake = Fake(answer)

    with pytest.raises(GitHubUnreachable) as caught:
        fake.github.get("x", "nothing")
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert len(fake.sent) == TRIES


def test_another_refusal_is_told_as_it_is() -> None:
    """What is neither trouble nor a permission is an error like others."""
    fake = Fake(lambda _: httpx.Response(422, json={"message": "body is too long"}))

    with pytest.raises(ReconcilerError, match="422 to POST x: body is too long"):
        fake.github.post("x", "nothing", {}, lambda: None)


def _files(found: httpx.Response) -> tuple[Fake, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return found

    fake = Fake(
        lambda _: httpx.Response(302, headers={"location": "https://files.example/a?sig=1"})
    )
    fake.github.files = httpx.Client(transport=httpx.MockTransport(elsewhere))
    return fake, asked


def test_a_file_is_fetched_without_the_token() -> None:
    """The store that GitHub sends us to sees what GitHub wrote into the address, and no token."""
    fake, asked = _files(httpx.Response(200, content=b"zip"))

    assert fake.github.download("actions/artifacts/1/zip", "actions: read") == b"zip"
    assert "authorization" not in asked[0].headers


class Endless(httpx.SyncByteStream):
    """A body of a megabyte at a time that ends long after anybody should have stopped."""

    def __init__(self) -> None:
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1_000):
            self.given += 1
            yield b"x" * 2**20


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["GitHub", "its file store"])
def test_a_file_that_is_too_large_is_left_half_way(*, is_elsewhere: bool) -> None:
    """Nobody makes us hold more than 64 MB, whatever the headers say."""
    body = Endless()
    found = httpx.Response(200, stream=body, headers={"content-length": "3"})
    fake = _files(found)[0] if is_elsewhere else Fake(lambda _: found)

    with pytest.raises(ReconcilerError, match="GitHub answered more than 64 MB"):
        fake.github.download("actions/artifacts/1/zip", "actions: read")
    assert body.given == 65


def test_a_file_that_grows_when_it_is_unpacked_is_left_half_way() -> None:
    """What counts is what we would hold, not what came over the wire."""
    packed = gzip.compress(b"x" * 2**27)
    fake, _ = _files(httpx.Response(200, content=packed, headers={"content-encoding": "gzip"}))

    with pytest.raises(ReconcilerError, match="GitHub answered more than 64 MB"):
        fake.github.download("actions/artifacts/1/zip", "actions: read")
    fake, _ = _files(
        httpx.Response(200, content=gzip.compress(b"zip"), headers={"content-encoding": "gzip"})
    )
    assert fake.github.download("actions/artifacts/1/zip", "actions: read") == b"zip"


def test_an_answer_that_cannot_be_unpacked_is_asked_for_again() -> None:
    """An answer that broke on the way is none."""
    fake = Fake(
        lambda _: httpx.Response(
            200, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"}
        )
    )

    with pytest.raises(GitHubUnreachable, match="GitHub does not answer: DecodingError"):
        fake.github.get("x", "nothing")
    assert len(fake.sent) == TRIES


def test_a_file_that_is_not_there_is_told() -> None:
    """The store's refusal is told with its number."""
    fake, _ = _files(httpx.Response(410))

    with pytest.raises(GitHubUnreachable, match="the file store of GitHub answered 410"):
        fake.github.download("actions/artifacts/1/zip", "actions: read")


def test_a_file_without_encryption_is_left() -> None:
    """An address that is not encrypted is not followed, unless it is this machine's."""
    fake = Fake(lambda _: httpx.Response(302, headers={"location": "http://files.example/a"}))

    with pytest.raises(ReconcilerError, match="cannot be fetched safely"):
        fake.github.download("actions/artifacts/1/zip", "actions: read")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN not set"),
        ({"GITHUB_API_URL": "", "GITHUB_REPOSITORY": ""}, "GITHUB_API_URL and GITHUB_REPOSITORY"),
        ({"GITHUB_API_URL": "http://api.example"}, "GITHUB_API_URL is not encrypted"),
    ],
    ids=["no token", "not in Actions", "in the clear"],
)
def test_what_is_missing_is_named(change: dict[str, str], told: str) -> None:
    """Outside of Actions a person is told what Actions would have set."""
    whole = {
        "GITHUB_API_URL": "https://api.example",
        "GITHUB_REPOSITORY": "contoso/people",
        "GITHUB_TOKEN": "t",
    }
    with github(whole) as opened:
        assert opened
    with pytest.raises(UsageError, match=told), github({**whole, **change}):
        pass
