"""The one place that talks to Graph: through the SDK's adapter, with our own retries.

Everything goes in batches, one request as well: so there is one way out, one pace and one
kind of answer.

The SDK's retry handler is off: it sends POST again, gives up where Graph asks for
patience and never looks inside a batch.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
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
from reconciler.graph.costs import total
from reconciler.graph.errors import Meaning
from reconciler.graph.reply import Reply
from reconciler.graph.signin import sign_in_errors
from reconciler.graph.throttling import TOO_MANY, Pace
from reconciler.graph.waiting import Waiting
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgraph.graph_request_adapter import GraphRequestAdapter

    from reconciler.graph.auth import Renewable
    from reconciler.graph.clouds import Cloud
    from reconciler.graph.costs import Cost

VERSION = "/v1.0"
READ_ATTEMPTS = 6
BATCHES_AT_ONCE = 4
"""In flight together: within what Graph advises for one application."""
LISTINGS = 3
"""How often a list is read from its beginning whose page links expired half-way."""
_AGAIN = frozenset({Meaning.THROTTLED, Meaning.UNAVAILABLE})
_OF_A_BATCH = _AGAIN | {Meaning.UNKNOWN_TOKEN, Meaning.FORBIDDEN}
"""What an answer to a batch as a whole may mean for each of its requests."""


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
        credential: Renewable,
        cloud: Cloud,
        waiting: Waiting | None = None,
    ) -> None:
        self.client = GraphServiceClient(request_adapter=adapter)
        self.waiting = waiting or Waiting()
        self.pace = Pace(self.waiting.monotonic)
        self._adapter = adapter
        self._credential = credential
        self._cloud = cloud
        self._refusals = 0
        """Answers in a row that were refused for being too many."""

    @property
    def root(self) -> str:
        """The URL that every request's path follows, version included."""
        return self._cloud.graph + VERSION

    def token(self) -> str:
        """Give the access token; signs in where that has not happened yet."""
        with sign_in_errors():
            return self._credential.get_token(self._cloud.scope, enable_cae=True).token

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
        cost = total(requests)
        self.pace.sent(cost)
        answers: list[Answer] = []
        try:
            answers = _parts(await self._sent(outer), len(requests))
        finally:
            self._learn(cost, [answer for answer in answers if isinstance(answer, Reply)])
        return answers

    async def _sent(self, info: RequestInformation) -> Answer:
        self._prepare(info)
        info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            async with asyncio.timeout(self.waiting.answer_within):
                with sign_in_errors():
                    response = await self._adapter.send_primitive_async(info, "bytes", {})
        except (httpx.RequestError, TimeoutError) as error:
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

    def _learn(self, cost: Cost, replies: Sequence[Reply]) -> None:
        """Take from *replies* how fast what follows may go, and whether the token is any good."""
        self.pace.heard(cost, replies, self.waiting.backoff(self._refusals))
        is_refused = any(reply.status == TOO_MANY for reply in replies)
        self._refusals = self._refusals + 1 if is_refused else 0
        if unknown := next(filter(_is_unknown_token, replies), None):
            self._credential.renew(unknown.date)

    async def admitted(self, cost: Cost) -> None:
        """Wait until what costs *cost* may be sent; raises GraphFailed where that is too long."""
        while wait := self.pace.delay(cost):
            self.waiting.patience(self.pace.closed, 0)
            await self.waiting.sleep(wait)

    async def read(self, requests: Sequence[RequestInformation]) -> list[Reply]:
        """Ask everything, twenty at a time, until each is answered with anything but trouble.

        Only 404 and an expired page come back as errors: every other one stops the command,
        since a failed read is not absence.
        """
        room = asyncio.Semaphore(BATCHES_AT_ONCE)

        async def chunk(infos: Sequence[RequestInformation]) -> list[Reply]:
            async with room:
                return await self._read_batch(infos)

        reading = [asyncio.ensure_future(chunk(each)) for each in batching.chunks(requests)]
        try:
            return [reply for replies in await asyncio.gather(*reading) for reply in replies]
        finally:
            for task in reading:
                task.cancel()

    async def _read_batch(self, requests: Sequence[RequestInformation]) -> list[Reply]:
        answers: dict[int, Reply] = {}
        pending = list(enumerate(requests))
        attempt, was_renewed = 0, False
        while pending:
            infos = [info for _, info in pending]
            await self.admitted(total(infos))
            renews = False
            waits: list[float] = []
            again: list[tuple[int, RequestInformation]] = []
            for (number, info), answer in zip(pending, await self.batch(infos), strict=True):
                is_renewable = not was_renewed and _is_unknown_token(answer)
                renews = renews or is_renewable
                wait = 0.0 if is_renewable else self._wait_before_again(answer, attempt)
                if wait is None:
                    answers[number] = _settled(answer)
                else:
                    waits.append(wait)
                    again.append((number, info))
            if again:
                await self.waiting.sleep(max(waits))
            was_renewed = was_renewed or renews
            pending, attempt = again, attempt + 1
        return [answers[number] for number in range(len(requests))]

    async def read_all(self, requests: Sequence[RequestInformation]) -> list[list[Any]]:
        """Read collections to their last page; the values of each, in order."""
        collected: list[list[Any]] = [[] for _ in requests]
        open_ = dict(enumerate(requests))
        beginnings: Counter[int] = Counter()
        followed = [set[str]() for _ in requests]
        while open_:
            replies = await self.read(list(open_.values()))
            following: dict[int, RequestInformation] = {}
            for (number, info), reply in zip(open_.items(), replies, strict=True):
                if _is_expired(reply) and beginnings[number] < LISTINGS - 1:
                    beginnings[number] += 1
                    collected[number].clear()
                    followed[number].clear()
                    following[number] = requests[number]
                    continue
                values, link = page(reply)
                collected[number] += values
                if link:
                    following[number] = self.next_page(info, link, followed[number])
            open_ = following
        return collected

    def next_page(
        self, info: RequestInformation, link: str, followed: set[str]
    ) -> RequestInformation:
        """Follow a link as it is, with the same headers, and only to where we came from.

        *followed* holds the links of this list so far: none leads anywhere twice.
        """
        try:
            parts = urlsplit(link)
        except (ValueError, AttributeError) as error:
            raise GraphFailed("Graph's answer continues at something that is no address") from error
        if parts[:2] != urlsplit(self._cloud.graph)[:2]:
            raise GraphFailed(
                f"Graph's answer continues on another host, {visible(parts.netloc)}",
                "nothing was sent there; check RECONCILER_GRAPH_URL and --cloud",
            )
        if link in followed:
            raise GraphFailed("Graph's answer continues where it came from", "run it again later")
        followed.add(link)
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
            return self.waiting.backoff(attempt)
        if answer.error is None or answer.error.meaning not in _AGAIN:
            return None
        return self.waiting.patience(answer.retry_after, attempt)


def _settled(answer: Answer) -> Reply:
    """Give an answer that is one: what there is, or that it is not there."""
    if isinstance(answer, NoAnswer):
        raise GraphUnreachable(
            f"Microsoft Graph does not answer: {answer.reason}",
            "check the network, the proxy and RECONCILER_GRAPH_URL, then run it again",
        )
    if answer.error and answer.error.meaning not in {Meaning.NOT_THERE, Meaning.PAGE_EXPIRED}:
        raise _failure(answer)
    return answer


def _parts(answer: Answer, count: int) -> list[Answer]:
    """Give the answers to the requests of a batch, from that to the batch."""
    if isinstance(answer, NoAnswer) or (answer.error and answer.error.meaning in _OF_A_BATCH):
        return [answer] * count
    if answer.error:
        # It says nothing of what the requests are about: a 404 least of all that they are gone.
        return [NoAnswer(f"the batch was answered {answer.error}")] * count
    carrier = {n: answer.headers[n] for n in ("request-id", "date") if n in answer.headers}
    replies = batching.decode(answer.body, count, carrier)
    return [reply or NoAnswer("Graph left the request out of its batch") for reply in replies]


def _is_unknown_token(reply: Answer) -> bool:
    error = reply.error if isinstance(reply, Reply) else None
    return error is not None and error.meaning is Meaning.UNKNOWN_TOKEN


def _is_expired(reply: Reply) -> bool:
    return reply.error is not None and reply.error.meaning is Meaning.PAGE_EXPIRED


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
    if error.meaning is Meaning.UNKNOWN_TOKEN:
        return PermissionMissing(
            f"Graph does not accept the token of this sign-in: {error}",
            "check the cloud, the tenant and this machine's clock, then run it again",
        )
    if error.meaning is Meaning.PAGE_EXPIRED:
        return GraphFailed(
            f"Graph let the pages of a list expire {LISTINGS} times: {error}",
            "run it again when the tenant is less busy",
        )
    if error.meaning is Meaning.FORBIDDEN:
        return PermissionMissing(
            f"Graph refused a read: {error}",
            "grant the application the permissions that docs/permissions.md lists, with consent",
        )
    if error.meaning is Meaning.UNAVAILABLE:
        return GraphUnreachable(f"Graph is in trouble: {error}", "run it again later")
    return GraphFailed(f"Graph refused a read: {error}")
