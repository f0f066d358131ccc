"""The one place that talks to Graph: through the SDK's adapter, with our own retries.

The SDK's retry handler is off: it sends POST again, gives up where Graph asks for
patience and never looks inside a batch.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import orjson
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_service_client import GraphServiceClient

from reconciler.errors import (
    GraphFailed,
    GraphUnreachable,
    PermissionMissing,
    ReconcilerError,
)
from reconciler.graph import batching
from reconciler.graph.errors import Meaning
from reconciler.graph.reply import Reply
from reconciler.graph.signin import sign_in_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from azure.core.credentials import TokenCredential
    from msgraph.graph_request_adapter import GraphRequestAdapter

    from reconciler.graph.clouds import Cloud

VERSION = "/v1.0"
READ_ATTEMPTS = 6
LONGEST_WAIT = 300.0
"""Seconds: a Retry-After beyond this is a reason to stop and say so."""
_AGAIN = frozenset({Meaning.THROTTLED, Meaning.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A request was sent, or may have been, and nothing came back."""

    reason: str


Answer = Reply | NoAnswer


class Graph:
    """An open connection to one tenant's Graph."""

    def __init__(
        self,
        adapter: GraphRequestAdapter,
        credential_: TokenCredential,
        cloud: Cloud,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.client = GraphServiceClient(request_adapter=adapter)
        self._adapter = adapter
        self._credential = credential_
        self._cloud = cloud
        self.sleep = sleep
        self._jitter = jitter

    @property
    def root(self) -> str:
        """The URL that every request's path follows, version included."""
        return self._cloud.graph + VERSION

    def token(self) -> str:
        """Give the access token; signs in where that has not happened yet."""
        with sign_in_errors():
            return self._credential.get_token(self._cloud.scope).token

    async def send(self, info: RequestInformation) -> Answer:
        """Send one request once."""
        self._prepare(info)
        info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            with sign_in_errors():
                response = await self._adapter.send_primitive_async(info, "bytes", {})
        except httpx.RequestError as error:
            return NoAnswer(f"{type(error).__name__} while waiting for {self._cloud.graph}")
        assert isinstance(response, httpx.Response)  # noqa: S101 -- what the native handler returns
        headers = {name.casefold(): value for name, value in response.headers.items()}
        try:
            body = orjson.loads(response.content) if response.content else None
        except orjson.JSONDecodeError:
            # A page of something between Graph and us: an error may have one, success not.
            if response.is_success:
                return NoAnswer(f"{self._cloud.graph} answered something that is not JSON")
            body = None
        return Reply(response.status_code, headers, body)

    async def batch(self, requests: Sequence[RequestInformation]) -> list[Answer]:
        """Send up to twenty requests at once, once; answers come in their order.

        Where the batch as a whole fails, every request of it has that answer.
        """
        for info in requests:
            self._prepare(info)
        outer = RequestInformation(Method.POST, "{+baseurl}/$batch", {})
        outer.headers.try_add("Content-Type", "application/json")
        outer.headers.try_add("Accept", "application/json")
        outer.content = batching.encode(requests, self.root)
        answer = await self.send(outer)
        if isinstance(answer, NoAnswer) or answer.error:
            return [answer] * len(requests)
        carrier = {"request-id": answer.request_id} if answer.request_id else {}
        replies = batching.decode(answer.body, len(requests), carrier)
        return [reply or NoAnswer("Graph left the request out of its batch") for reply in replies]

    async def read(self, requests: Sequence[RequestInformation]) -> list[Reply]:
        """Ask everything, twenty at a time, until each is answered with anything but trouble.

        Only 404 comes back as an error: every other one stops the command, since a failed
        read is not absence.
        """
        answers: dict[int, Reply] = {}
        pending = list(enumerate(requests))
        attempt = 0
        while pending:
            waits: list[float] = []
            again: list[tuple[int, RequestInformation]] = []
            for chunk in batching.chunks(pending):
                replies = await self.batch([info for _, info in chunk])
                for (number, info), answer in zip(chunk, replies, strict=True):
                    wait = self._wait_before_again(answer, attempt)
                    if wait is None:
                        answers[number] = _settled(answer)
                    else:
                        waits.append(wait)
                        again.append((number, info))
            if again:
                await self.sleep(max(waits))
            pending, attempt = again, attempt + 1
        return [answers[number] for number in range(len(requests))]

    async def read_all(self, requests: Sequence[RequestInformation]) -> list[list[Any]]:
        """Read collections to their last page; the values of each, in order."""
        collected: list[list[Any]] = [[] for _ in requests]
        open_ = dict(enumerate(requests))
        while open_:
            replies = await self.read(list(open_.values()))
            following: dict[int, RequestInformation] = {}
            for (number, info), reply in zip(open_.items(), replies, strict=True):
                values, link = page(reply)
                collected[number] += values
                if link:
                    following[number] = self._next_page(info, link)
            open_ = following
        return collected

    def _next_page(self, info: RequestInformation, link: str) -> RequestInformation:
        """Follow a link as it is, with the same headers, and only to where we came from."""
        if urlsplit(link)[:2] != urlsplit(self._cloud.graph)[:2]:
            raise GraphFailed(
                f"Graph's answer continues on another host, {urlsplit(link).netloc}",
                "nothing was sent there; check RECONCILER_GRAPH_URL and --cloud",
            )
        page = RequestInformation(Method.GET, "{+baseurl}", {})
        page.url = link
        page.headers = info.headers
        return page

    def _prepare(self, info: RequestInformation) -> None:
        self._adapter.set_base_url_for_request_information(info)
        info.headers.remove("client-request-id")
        info.headers.try_add("client-request-id", str(uuid.uuid4()))

    def _wait_before_again(self, answer: Answer, attempt: int) -> float | None:
        """Give the seconds to wait before asking again; None where the answer stands."""
        if attempt == READ_ATTEMPTS - 1:
            return None
        if isinstance(answer, NoAnswer):
            return self.backoff(attempt)
        if answer.error is None or answer.error.meaning not in _AGAIN:
            return None
        return self.patience(answer.retry_after, attempt)

    def patience(self, asked: float | None, attempt: int) -> float:
        """Give the seconds to wait before sending again; *asked* is what Graph asked for."""
        if asked is not None and asked > LONGEST_WAIT:
            raise GraphFailed(
                f"Graph asks to wait {asked:.0f} seconds, more than the {LONGEST_WAIT:.0f} this "
                "command waits",
                "run it again later: a rerun goes on where this one stopped",
            )
        return self.backoff(attempt) if asked is None else asked

    def backoff(self, attempt: int) -> float:
        """Give 1, 2, 4 … 30 seconds, each shortened at random to at least half."""
        return float(min(30, 2**attempt) * (0.5 + self._jitter() / 2))


def _settled(answer: Answer) -> Reply:
    """Give an answer that is one: what there is, or that it is not there."""
    if isinstance(answer, NoAnswer):
        raise GraphUnreachable(
            f"Microsoft Graph does not answer: {answer.reason}",
            "check the network, the proxy and RECONCILER_GRAPH_URL, then run it again",
        )
    if answer.error and answer.error.meaning is not Meaning.NOT_THERE:
        raise _failure(answer)
    return answer


def page(reply: Reply) -> tuple[list[Any], str | None]:
    """Give the values of one page and the link to the next; what is no page is an error."""
    if reply.error:
        raise _failure(reply)
    body = reply.body
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        where = f" (request-id {reply.request_id})" if reply.request_id else ""
        raise GraphFailed(
            f"Graph answered a read with something that is no list{where}",
            "run it again later; if it stays so, something between here and Graph answers",
        )
    return body["value"], body.get("@odata.nextLink")


def _failure(reply: Reply) -> ReconcilerError:
    error = reply.error
    assert error is not None  # noqa: S101 -- only called for errors
    if error.meaning is Meaning.FORBIDDEN:
        return PermissionMissing(
            f"Graph refused a read: {error}",
            "grant the application the permissions that docs/permissions.md lists, with consent",
        )
    if error.meaning is Meaning.UNAVAILABLE:
        return GraphUnreachable(f"Graph is in trouble: {error}", "run it again later")
    return GraphFailed(f"Graph refused a read: {error}")
