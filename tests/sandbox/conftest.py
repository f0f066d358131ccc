"""A running tenant, clients of it, and tokens of any permissions."""

from __future__ import annotations

import ssl
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP
from reconciler.sandbox.data import store
from reconciler.sandbox.login import tokens
from reconciler.sandbox.permissions import ADMIN_SET
from reconciler.sandbox.server import Endpoints, running

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def _login(environment: Mapping[str, str]) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    return httpx.Client(base_url=environment["AZURE_AUTHORITY_HOST"], verify=trusted)


def _client(environment: Mapping[str, str]) -> httpx.Client:
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["AZURE_CLIENT_ID"],
        "client_secret": environment["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    with _login(environment) as login:
        tenant = environment["AZURE_TENANT_ID"]
        reply = login.post(f"/{tenant}/oauth2/v2.0/token", data=form).json()
    return httpx.Client(
        base_url=f"{environment['RECONCILER_GRAPH_URL']}/v1.0",
        headers={"Authorization": f"Bearer {reply['access_token']}"},
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder whose certificates all tenants of the run share."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def tenant_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the file of the tenant that most tests share."""
    return tmp_path_factory.mktemp("tenant") / "sandbox.sqlite"


@pytest.fixture(scope="session")
def tenant(tenant_file: Path, certificates: Path) -> Iterator[Endpoints]:
    """Run a tenant that most tests share: each makes the users that it changes."""
    with running(tenant_file, folder=certificates) as endpoints:
        yield endpoints


@pytest.fixture(scope="session")
def graph(tenant: Endpoints) -> Iterator[httpx.Client]:
    """Open the shared tenant to one who may write."""
    with _client(tenant.environment) as client:
        yield client


@pytest.fixture(scope="session")
def company(certificates: Path) -> Iterator[httpx.Client]:
    """Run a tenant that tests only read, so that the whole of an answer is known."""
    with running(folder=certificates) as endpoints, _client(endpoints.environment) as client:
        yield client


@pytest.fixture(scope="session")
def reader(tenant: Endpoints) -> Iterator[httpx.Client]:
    """Open the shared tenant to one who may only read."""
    with _client(tenant.read_only_environment) as client:
        yield client


@pytest.fixture(scope="session")
def login(tenant: Endpoints) -> Iterator[httpx.Client]:
    """Open the shared tenant's login service."""
    with _login(tenant.environment) as client:
        yield client


@pytest.fixture(scope="session")
def spoilt(certificates: Path) -> Iterator[httpx.Client]:
    """Open a tenant that may be spoilt to its administration, which may do whatever there is."""
    with (
        running(folder=certificates) as endpoints,
        _client({**endpoints.environment, **endpoints.administration}) as client,
    ):
        yield client


@pytest.fixture
def start(certificates: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Start a tenant of one's own; the arguments are those of `running`."""
    with ExitStack() as stack:

        def started(file: Path | None = None, **arguments: Any) -> httpx.Client:  # noqa: ANN401 -- those of `running`
            folder = arguments.pop("folder", certificates)
            endpoints = stack.enter_context(running(file, folder=folder, **arguments))
            return stack.enter_context(_client(endpoints.environment))

        yield started


class Office:
    """A tenant of one's own, with its administration, in which time passes when it is told to."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.now = datetime(2026, 11, 23, 9, 0, 0, 250_000, tzinfo=UTC)
        self.graph = httpx.Client()

    def later(self, **span: float) -> None:
        """Let some time pass."""
        self.now += timedelta(**span)

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Look behind the scenes, into the database."""
        db, _ = store.connect(self.file)
        with closing(db):
            yield db


@pytest.fixture
def office(tmp_path: Path, certificates: Path) -> Iterator[Office]:
    """Open a tenant of one's own to its administration, which may do whatever there is."""
    made = Office(tmp_path / "office.sqlite")
    with running(made.file, folder=certificates, now=lambda: made.now) as endpoints:
        with made.opened() as db:
            application = store.resource(db, "application", ADMIN_APP.client_id)
        assert application
        administration = {
            "AZURE_CLIENT_ID": ADMIN_APP.client_id,
            "AZURE_CLIENT_SECRET": application["secret"],
        }
        with _client({**endpoints.environment, **administration}) as client:
            made.graph = client
            yield made


@pytest.fixture(scope="session")
def token(tenant: Endpoints, tenant_file: Path) -> Callable[..., str]:
    """Give a token of the shared tenant with these permissions, or with other claims."""
    assert tenant.environment
    db, _ = store.connect(tenant_file)
    with closing(db):
        key = bytes.fromhex(store.setting(db, "key"))

    def signed(*permissions: str, signing: bytes = key, **claims: object) -> str:
        usual = {
            "aud": "https://graph.microsoft.com",
            "appid": APPLY_APP.client_id,
            "oid": APPLY_APP.principal_id,
            "roles": list(permissions),
            "exp": time.time() + 60,
        }
        return tokens.sign(usual | claims, signing)

    return signed


@pytest.fixture(scope="session")
def body() -> Callable[..., dict[str, Any]]:
    """Give the body that creates a user nobody has made yet, with these changes."""
    numbers = count(1)

    def made(**changes: object) -> dict[str, Any]:
        name = f"joiner{next(numbers)}"
        usual = {
            "accountEnabled": True,
            "displayName": f"Joiner {name}",
            "mailNickname": name,
            "userPrincipalName": f"{name}@contoso.com",
            "usageLocation": "GB",
            "passwordProfile": {
                "password": "Correct-Horse-9",
                "forceChangePasswordNextSignIn": False,
            },
        }
        return {key: value for key, value in (usual | changes).items() if value is not ...}

    return made


@pytest.fixture(scope="session")
def joiner(
    graph: httpx.Client, body: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Create a user in the shared tenant and give it."""

    def created(**changes: object) -> dict[str, Any]:
        reply = graph.post("/users", json=body(**changes))
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    return created


@pytest.fixture
def admin(graph: httpx.Client, token: Callable[..., str]) -> Iterator[httpx.Client]:
    """Open the shared tenant to one who was granted everything."""
    headers = {"Authorization": f"Bearer {token(*ADMIN_SET)}"}
    with httpx.Client(base_url=graph.base_url, headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
def group_body() -> Callable[..., dict[str, Any]]:
    """Give the body that creates a security group nobody has made yet, with these changes."""
    numbers = count(1)

    def made(**changes: object) -> dict[str, Any]:
        name = f"team{next(numbers)}"
        usual = {
            "displayName": f"Team {name}",
            "mailEnabled": False,
            "mailNickname": name,
            "securityEnabled": True,
        }
        return {key: value for key, value in (usual | changes).items() if value is not ...}

    return made


@pytest.fixture
def new_group(
    admin: httpx.Client, group_body: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Create a group in the shared tenant and give it."""

    def created(**changes: object) -> dict[str, Any]:
        reply = admin.post("/groups", json=group_body(**changes))
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    return created
