"""GitHub's REST API: a few requests, each with what to do where it is refused."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.errors import ExitCode, PermissionMissing, ReconcilerError, UsageError
from reconciler.github.limits import LONGEST, is_limited, message_of, wait_of
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

VERSION = "2022-11-28"
TRIES = 4
"""How often a request is sent while GitHub is in trouble."""
PAGE = 100
_MOST_BYTES = 64 * 1024 * 1024
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_TROUBLE = 500
_DENIED = frozenset({401, 403, 404})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""There was no connection yet: GitHub cannot have done what it was asked for."""


class GitHubUnreachable(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """GitHub gave no answer, or is in trouble."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNREACHABLE


class _AnswerLost(GitHubUnreachable):
    """GitHub may have done what it was asked for: it did not say so in a way that can be read."""

    def __init__(self, summary: str, hint: str, wait: float = 0.0) -> None:
        super().__init__(summary, hint)
        self.wait = wait
        """Seconds that GitHub asked to be left alone for."""


class GitHub:
    """The API of one repository; *sleep* waits, between the tries of one request.

    *now* gives the seconds since 1970, in which GitHub says when a limit ends.
    """

    def __init__(
        self,
        client: httpx.Client,
        repository: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.files = httpx.Client(timeout=client.timeout)
        """Fetches what GitHub keeps elsewhere; it knows no token."""
        self.repository = repository
        """Its owner and name."""
        self._client = client
        self._sleep = sleep
        self._now = now

    def close(self) -> None:
        """Close what is open."""
        self.files.close()
        self._client.close()

    def get(self, path: str, needs: str, **query: str | int) -> Any:  # noqa: ANN401 -- JSON
        """Read what lies at *path* of the repository; *needs* is the permission for it."""
        return self._told("GET", path, needs, params=query)

    def post(
        self,
        path: str,
        needs: str,
        body: Mapping[str, object],
        there: Callable[[], Any | None],
    ) -> Any:  # noqa: ANN401 -- JSON
        """Make something once; gives it.

        A try whose answer was lost may have made it: *there* then looks for it, and gives it or
        None, before it is sent again.
        """
        for number in range(TRIES):
            try:
                return self._told("POST", path, needs, json=body)
            except _AnswerLost as lost:
                self._sleep(min(max(lost.wait, float(2**number)), LONGEST))
                if (found := there()) is not None:
                    return found
                if number == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def patch(self, path: str, needs: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 -- JSON
        """Change something."""
        return self._told("PATCH", path, needs, json=body)

    def pages(self, path: str, needs: str, key: str | None = None, **query: str) -> Iterator[Any]:
        """Read a list to its end; *key* names it where it comes inside an object."""
        number = 1
        while True:
            found = self.get(path, needs, **query, per_page=PAGE, page=number)
            items = found.get(key) if key and isinstance(found, dict) else found
            if not isinstance(items, list):
                raise _unreadable("GET", path)
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

    def _told(self, method: str, path: str, needs: str, **more: Any) -> Any:  # noqa: ANN401 -- JSON
        """Give what GitHub says; an answer that leads elsewhere says nothing of the repository."""
        reply = self._asked(method, path, needs, **more)
        if reply.has_redirect_location:
            raise UsageError(
                f"GitHub answered {reply.status_code} to {method} {path}: the repository "
                f"'{visible(self.repository)}' was renamed or moved",
                "set GITHUB_REPOSITORY to the name that it has now: a new run of the workflow "
                "knows it; if it has this name, check GITHUB_API_URL",
            )
        try:
            return reply.json()
        except (ValueError, RecursionError) as error:
            raise _unreadable(method, path) from error

    def _asked(self, method: str, path: str, needs: str, **more: Any) -> httpx.Response:  # noqa: ANN401 -- httpx's own
        url = f"/repos/{self.repository}/{path}".rstrip("/")
        reply = self._sent(
            lambda: _taken(self._client, method, url, **more), makes_another=method == "POST"
        )
        if reply.is_success or reply.has_redirect_location:
            return reply
        summary = f"GitHub answered {reply.status_code} to {method} {path}: {message_of(reply)}"
        if reply.status_code >= _TROUBLE:
            raise _AnswerLost(summary, "run it again later", wait_of(reply, self._now))
        if is_limited(reply):
            raise GitHubUnreachable(summary, "run it again later")
        if reply.status_code in _DENIED:
            raise PermissionMissing(summary, f"give the job `{needs}`")
        raise ReconcilerError(summary)

    def _sent(
        self, send: Callable[[], httpx.Response], *, makes_another: bool = False
    ) -> httpx.Response:
        """Send until there is an answer that is none of trouble, or for the last time.

        What *makes_another* each time is sent again only where it was certainly not carried out.
        """
        for number in range(TRIES):
            is_last = number == TRIES - 1
            wait = float(2**number)
            try:
                reply = send()
            except (httpx.TransportError, httpx.DecodingError) as error:
                if is_last or (makes_another and not isinstance(error, _NEVER_SENT)):
                    raise _AnswerLost(
                        f"GitHub does not answer: {type(error).__name__}",
                        "check the network and GITHUB_API_URL, then run it again",
                    ) from error
            else:
                is_trouble = reply.status_code >= _TROUBLE
                if not (is_trouble or is_limited(reply)):
                    return reply
                if is_last or (makes_another and is_trouble):
                    return reply
                wait = max(wait, wait_of(reply, self._now))
            self._sleep(min(wait, LONGEST))
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


def _unreadable(method: str, path: str) -> GitHubUnreachable:
    return _AnswerLost(
        f"the answer to {method} {path} is none that GitHub gives",
        "check GITHUB_API_URL and what stands between, then run it again later",
    )
