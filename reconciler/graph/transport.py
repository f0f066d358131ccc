"""The one place that talks to Graph: through the SDK's adapter, with our own retries.

The SDK's retry handler is off: it sends POST again, gives up where Graph asks for
patience and never looks inside a batch.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import orjson
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
)
from azure.identity import CredentialUnavailableError
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from reconciler import __version__
from reconciler.errors import (
    GraphFailed,
    GraphUnreachable,
    PermissionMissing,
    ReconcilerError,
    UsageError,
)
from reconciler.graph import batching
from reconciler.graph.auth import WHAT_TO_SET, certificates, credential
from reconciler.graph.clouds import cloud as cloud_of
from reconciler.graph.errors import Meaning
from reconciler.graph.reply import Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from azure.core.credentials import TokenCredential

    from reconciler.graph.clouds import Cloud

VERSION = "/v1.0"
READ_ATTEMPTS = 6
LONGEST_WAIT = 300.0
"""Seconds: a Retry-After beyond this is a reason to stop and say so."""
_TIMEOUT = httpx.Timeout(100.0, connect=10.0)
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
        with _sign_in_errors():
            return self._credential.get_token(self._cloud.scope).token

    async def send(self, info: RequestInformation) -> Answer:
        """Send one request once."""
        self._prepare(info)
        info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            with _sign_in_errors():
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
                if reply.error:
                    raise _failure(reply)
                collected[number] += reply.body.get("value", ())
                if link := reply.body.get("@odata.nextLink"):
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


class _sign_in_errors:  # noqa: N801 -- a context manager, used like a function
    """Translate what azure-identity raises, at the one place where a token is fetched."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case CredentialUnavailableError():
                raise UsageError(
                    "no usable credentials for Microsoft Graph in the environment", WHAT_TO_SET
                ) from error
            case ClientAuthenticationError() if not _is_unreached(error):
                raise PermissionMissing(
                    f"the login service refused to sign in: {_first_line(error)}",
                    "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret, certificate or "
                    "federated credential behind them",
                ) from error
            case AzureError():  # no connection, a broken one, or an answer that is none
                raise GraphUnreachable(
                    "the login service does not answer",
                    "check the network, the proxy and AZURE_AUTHORITY_HOST, then run it again",
                ) from error
            case OSError():  # read anew for every token, as it changes under a long run
                raise UsageError(
                    f"AZURE_FEDERATED_TOKEN_FILE: cannot read '{error.filename}'", WHAT_TO_SET
                ) from error
            case _:
                return


def _is_unreached(error: ClientAuthenticationError) -> bool:
    """Whether azure-identity calls it a refusal that nobody answered, as it does."""
    return isinstance(error.__cause__ or error.__context__, ServiceRequestError)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:300]


@asynccontextmanager
async def connect(
    cloud_name: str,
    environment: Mapping[str, str],
    *,
    sign_in: Callable[[Cloud, Mapping[str, str]], TokenCredential] = credential,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> AsyncIterator[Graph]:
    """Open Graph as *environment* and the cloud say; closed with the block."""
    cloud = cloud_of(cloud_name, environment)
    credential_ = sign_in(cloud, environment)
    hostname = urlsplit(cloud.graph).hostname or ""
    provider = AzureIdentityAuthenticationProvider(
        credential_, scopes=[cloud.scope], allowed_hosts=[hostname]
    )
    client = httpx.AsyncClient(
        http2=True,
        timeout=_TIMEOUT,
        verify=_trusted(environment),
        follow_redirects=False,
        headers={"User-Agent": f"entra-reconciler/{__version__}"},
    )
    async with client:
        adapter = GraphRequestAdapter(provider, client)
        adapter.base_url = cloud.graph + VERSION
        yield Graph(adapter, credential_, cloud, sleep, jitter)


def _trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Trust the usual authorities, and those that *environment* names."""
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    if folder := environment.get("SSL_CERT_DIR"):
        context.load_verify_locations(capath=folder)
    if extra := certificates(environment):
        try:
            context.load_verify_locations(extra)
        except OSError as error:
            raise UsageError(
                f"'{extra}' is not a usable file of certificate authorities",
                "correct REQUESTS_CA_BUNDLE, SSL_CERT_FILE or CURL_CA_BUNDLE: a PEM file",
            ) from error
    return context
