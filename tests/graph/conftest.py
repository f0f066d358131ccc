"""Requests as they go on the wire, and Graphs to talk to: answered by functions, or running."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

import httpx
import orjson
import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from reconciler.diagnostics import Position
from reconciler.graph.auth import Renewable
from reconciler.graph.clouds import Cloud
from reconciler.graph.requests import Requests
from reconciler.graph.transport import Graph
from reconciler.graph.waiting import Waiting
from reconciler.model import (
    CohortName,
    DeclaredGroup,
    DeclaredRole,
    DeclaredUser,
    Desired,
    TenantFile,
    UserPrincipalName,
)
from reconciler.sandbox.company.contoso import CONTOSO, TENANT_ID, stable_id
from reconciler.sandbox.company.generating import Crowd, Rules
from reconciler.sandbox.company.model import Group
from reconciler.sandbox.company.seed import fill
from reconciler.sandbox.data import store
from reconciler.sandbox.server import Endpoints, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.sandbox.wire import Exchange

T = TypeVar("T")
ROOT = "https://graph.example/v1.0"
HERE = Position("cohorts/beta.yaml", 1, 1)


@dataclass(frozen=True)
class Wire:
    """A request as it would be sent."""

    method: str
    url: str
    """Behind the root, decoded."""
    body: bytes | None
    headers: Mapping[str, str]


@pytest.fixture(scope="session")
def client() -> GraphServiceClient:
    """Give the SDK's client, which nobody has signed in to."""
    adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), httpx.AsyncClient())
    adapter.base_url = ROOT
    return GraphServiceClient(request_adapter=adapter)


@pytest.fixture(scope="session")
def requests(client: GraphServiceClient) -> Requests:
    """Give the requests to a Graph at `ROOT`."""
    return Requests(client)


@pytest.fixture(scope="session")
def wire() -> Callable[[RequestInformation], Wire]:
    """Give a request as it would be sent."""

    def shown(info: RequestInformation) -> Wire:
        assert info.http_method is not None
        info.path_parameters["baseurl"] = ROOT
        headers = {
            name.casefold(): ",".join(values) for name, values in info.headers.get_all().items()
        }
        url = unquote(info.url.removeprefix(ROOT))
        return Wire(info.http_method.value, url, info.content, headers)

    return shown


@dataclass
class Credential:
    """Signs in without a login service; *trouble* is raised instead."""

    trouble: BaseException | None = None
    claims: list[object] = field(default_factory=list)
    """What was asked of each token beyond the usual."""

    def get_token(self, *_: str, claims: str | None = None, **__: object) -> AccessToken:
        """Give a token, or raise."""
        if self.trouble:
            raise self.trouble
        self.claims.append(orjson.loads(claims) if claims else None)
        return AccessToken("header.payload.signature", 2**31)


@dataclass
class Fake:
    """A Graph that a function answers, with everything that was sent and slept."""

    answer: Callable[[httpx.Request], httpx.Response]
    credential: Credential = field(default_factory=Credential)
    sent: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    answer_within: float = 300.0

    def run(self, ask: Callable[[Graph], Awaitable[T]]) -> T:
        """Open the Graph, ask, and close it."""

        async def asked() -> T:
            async with self._open() as graph:
                return await ask(graph)

        return asyncio.run(asked())

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Graph]:
        def answered(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            return self.answer(request)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        cloud = Cloud(
            "https://graph.example", "https://login.example", "https://graph.example/.default"
        )
        waiting = Waiting(sleep, lambda: 1.0, lambda: sum(self.slept), self.answer_within)
        renewable = Renewable(self.credential)
        provider = AzureIdentityAuthenticationProvider(
            renewable, scopes=[cloud.scope], allowed_hosts=["graph.example"]
        )
        async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as client:
            adapter = GraphRequestAdapter(provider, client)
            adapter.base_url = ROOT
            yield Graph(adapter, renewable, cloud, waiting)

    def parts(self, number: int) -> list[dict[str, Any]]:
        """Give the requests of one of the batches that were sent."""
        parts: list[dict[str, Any]] = orjson.loads(self.sent[number].content)["requests"]
        return parts


@pytest.fixture
def credential() -> Credential:
    """Sign in without a login service."""
    return Credential()


@pytest.fixture
def fake() -> Callable[..., Fake]:
    """Make a Graph that a function answers."""
    return Fake


@pytest.fixture(scope="session")
def batched() -> Callable[..., Callable[[httpx.Request], httpx.Response]]:
    """Make a function that answers batches: *part* answers each request by its URL."""

    def batches(
        part: Callable[[str], tuple[int, Any] | tuple[int, Any, dict[str, str]]],
    ) -> Callable[[httpx.Request], httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            responses = []
            for item in orjson.loads(request.content)["requests"]:
                status, body, *headers = part(item["url"])
                responses.append(
                    {
                        "id": item["id"],
                        "status": status,
                        "headers": headers[0] if headers else {},
                        "body": body,
                    }
                )
            return httpx.Response(200, json={"responses": responses[::-1]})

        return answer

    return batches


@dataclass
class Tenant:
    """A running sandbox, with what it was asked."""

    endpoints: Endpoints
    exchanges: list[Exchange]


@pytest.fixture(scope="session")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Run a tenant that tests only read."""
    exchanges: list[Exchange] = []
    folder: Path = tmp_path_factory.mktemp("certificates")
    with running(folder=folder, record=exchanges.append) as endpoints:
        yield Tenant(endpoints, exchanges)


@pytest.fixture(scope="session")
def names() -> Callable[[str, int], list[str]]:
    """Give the names of the first people of a crowd."""
    return lambda crowd, number: [f"{crowd}{n}@contoso.com" for n in range(1, number + 1)]


@pytest.fixture(scope="session")
def crowd() -> Callable[..., Crowd]:
    """Make people by their number, all with the same *more*, in a tree of eight to a manager."""

    def made(name: str, number: int, **more: Any) -> Crowd:  # noqa: ANN401 -- JSON, or whatever is passed on
        return Crowd(TENANT_ID, Rules(number, upn=f"{name}{{n}}@contoso.com", reports=8, more=more))

    return made


@pytest.fixture(scope="session")
def peopled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., AbstractContextManager[Tenant]]:
    """Run a tenant of crowds and of groups, which are given by name with their members' names."""

    @contextmanager
    def runs(
        *crowds: Crowd,
        groups: Mapping[str, Iterable[str]],
        **more: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
    ) -> Iterator[Tenant]:
        made = (
            Group(
                stable_id(f"group {name}"),
                name,
                name.replace(" ", ""),
                members=tuple(stable_id(f"user {member}") for member in members),
            )
            for name, members in groups.items()
        )
        company = replace(CONTOSO, crowds=crowds, groups=tuple(made))
        file = tmp_path_factory.mktemp("peopled") / "tenant.sqlite"
        with closing(store.connect(file)[0]) as db:
            fill(db, company)
        exchanges: list[Exchange] = []
        with running(file, record=exchanges.append, tunnel_port=None, **more) as endpoints:
            yield Tenant(endpoints, exchanges)

    return runs


@pytest.fixture(scope="session")
def declared() -> Callable[..., DeclaredUser]:
    """Declare a person; roles and groups by name."""

    def made(
        name: str,
        *,
        groups: tuple[str, ...] = (),
        roles: tuple[str, ...] = (),
        cohort: str = "beta",
        **fields: str | None,
    ) -> DeclaredUser:
        return DeclaredUser(
            user_principal_name=UserPrincipalName(name),
            cohort=CohortName(cohort),
            fields=fields,
            display_name=name,
            licenses=(),
            groups=tuple(DeclaredGroup(group, HERE) for group in groups),
            roles=tuple(DeclaredRole(role, "because", None, HERE) for role in roles),
            adopt=False,
            position=HERE,
            positions={},
        )

    return made


@pytest.fixture(scope="session")
def desired() -> Callable[..., Desired]:
    """Declare people, under a tenant file or none."""

    def made(*users: DeclaredUser, tenant_file: TenantFile | None = None, **more: Any) -> Desired:  # noqa: ANN401 -- JSON, or whatever is passed on
        return Desired(users, (), tenant_file or TenantFile(), **more)

    return made
