"""GitHub's REST API: a few requests, each with what to do where it is refused."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.errors import ExitCode, PermissionMissing, ReconcilerError, UsageError
from reconciler.text import visible, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

VERSION = "2022-11-28"
TRIES = 4
"""How often a request is sent while GitHub is in trouble."""
PAGE = 100
_LONGEST = 60.0
_MOST_BYTES = 64 * 1024 * 1024
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_TROUBLE = 500
_TOO_MANY = 429
_DENIED = frozenset({401, 403, 404})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class GitHubUnreachable(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """GitHub gave no answer, or is in trouble."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNREACHABLE


class GitHub:
    """The API of one repository; *sleep* waits, between the tries of one request."""

    def __init__(
        self, client: httpx.Client, repository: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.files = httpx.Client(timeout=client.timeout)
        """Fetches what GitHub keeps elsewhere; it knows no token."""
        self.repository = repository
        """Its owner and name."""
        self._client = client
        self._sleep = sleep

    def close(self) -> None:
        """Close what is open."""
        self.files.close()
        self._client.close()

    def get(self, path: str, needs: str, **query: str | int) -> Any:  # noqa: ANN401 -- JSON
        """Read what lies at *path* of the repository; *needs* is the permission for it."""
        return self._asked("GET", path, needs, params=query).json()

    def post(self, path: str, needs: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 -- JSON
        """Make something; a try whose answer was lost may have made it already."""
        return self._asked("POST", path, needs, json=body).json()

    def patch(self, path: str, needs: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 -- JSON
        """Change something."""
        return self._asked("PATCH", path, needs, json=body).json()

    def pages(self, path: str, needs: str, key: str | None = None, **query: str) -> Iterator[Any]:
        """Read a list to its end; *key* names it where it comes inside an object."""
        number = 1
        while True:
            found = self.get(path, needs, **query, per_page=PAGE, page=number)
            items = found[key] if key else found
            yield from items
            if len(items) < PAGE:
                return
            number += 1

    def download(self, path: str, needs: str) -> bytes:
        """Fetch a file. Where GitHub sends us elsewhere for it, the token does not go along."""
        reply = self._asked("GET", path, needs)
        if reply.has_redirect_location:
            where = reply.headers["location"]
            if urlsplit(where).scheme != "https" and urlsplit(where).hostname not in _LOOPBACK:
                raise ReconcilerError("GitHub keeps the file where it cannot be fetched safely")
            reply = self._sent(lambda: _taken(self.files, "GET", where))
            if not reply.is_success:
                raise GitHubUnreachable(
                    f"the file store of GitHub answered {reply.status_code}", "run it again"
                )
        return reply.content

    def _asked(self, method: str, path: str, needs: str, **more: Any) -> httpx.Response:  # noqa: ANN401 -- httpx's own
        url = f"/repos/{self.repository}/{path}".rstrip("/")
        reply = self._sent(lambda: _taken(self._client, method, url, **more))
        if reply.is_success or reply.has_redirect_location:
            return reply
        summary = f"GitHub answered {reply.status_code} to {method} {path}: {_message(reply)}"
        if reply.status_code in _DENIED:
            raise PermissionMissing(summary, f"give the job `{needs}`")
        if reply.status_code == _TOO_MANY or reply.status_code >= _TROUBLE:
            raise GitHubUnreachable(summary, "run it again later")
        raise ReconcilerError(summary)

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until there is an answer that is none of trouble, or for the last time."""
        for number in range(TRIES):
            wait = float(2**number)
            try:
                reply = send()
            except (httpx.TransportError, httpx.DecodingError) as error:
                if number == TRIES - 1:
                    raise GitHubUnreachable(
                        f"GitHub does not answer: {type(error).__name__}",
                        "check the network and GITHUB_API_URL, then run it again",
                    ) from error
            else:
                is_limited = reply.status_code == _TOO_MANY or "retry-after" in reply.headers
                if reply.status_code < _TROUBLE and not is_limited:
                    return reply
                if number == TRIES - 1:
                    return reply
                asked = reply.headers.get("retry-after", "")
                wait = max(wait, float(asked)) if asked.isdecimal() else wait
            self._sleep(min(wait, _LONGEST))
        raise AssertionError("the last try returns or raises")  # pragma: no cover


@contextmanager
def github(environment: Mapping[str, str]) -> Iterator[GitHub]:
    """Open the API of the repository that *environment* names, as GitHub Actions does."""
    names = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")
    if missing := [name for name in names if not environment.get(name)]:
        raise UsageError(
            f"{' and '.join(missing)} not set",
            "run it in GitHub Actions, with `GITHUB_TOKEN: ${{ github.token }}` in the step's env",
        )
    url = environment["GITHUB_API_URL"].rstrip("/")
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK:
        raise UsageError("GITHUB_API_URL is not encrypted", "give an address with https://")
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
        "User-Agent": f"entra-reconciler/{__version__}",
        "X-GitHub-Api-Version": VERSION,
    }
    client = httpx.Client(base_url=url, headers=headers, timeout=30.0)
    with closing(GitHub(client, environment["GITHUB_REPOSITORY"])) as opened:
        yield opened


def _taken(client: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 -- httpx's own
    """Send, and take the answer piece by piece: one that is too large is never held whole."""
    with client.stream(method, url, **more) as reply:
        content = bytearray()
        for part in reply.iter_bytes():
            content += part
            if len(content) > _MOST_BYTES:
                limit = f"{_MOST_BYTES // 1024 // 1024} MB"
                raise ReconcilerError(f"GitHub answered more than {limit}: no plan is as large")
    # Decoded by now: these headers were about what came over the wire.
    headers = [(name, v) for name, v in reply.headers.items() if name not in _OF_THE_WIRE]
    return httpx.Response(reply.status_code, headers=headers, content=bytes(content))


def _message(reply: httpx.Response) -> str:
    """Give what GitHub says is wrong, in one line."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    return visible(without_secrets(str(message or "no reason given"))[:200])
