from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from msal import (  # type: ignore[import-untyped]  # msal brings no types
    ConfidentialClientApplication,
    PublicClientApplication,
)

from reconciler.sandbox import hosts
from reconciler.sandbox.company.contoso import APPLY_APP, TENANT_ID
from reconciler.sandbox.server import Endpoints, running
from reconciler.sandbox.serving import Running, bound, loop_factory, serving
from reconciler.sandbox.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GRAPH = "https://graph.microsoft.com"


def _address(tunnel: str | None) -> tuple[str, int]:
    assert tunnel
    url = httpx.URL(tunnel)
    assert url.port
    return url.host, url.port


def _client(endpoints: Endpoints) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=endpoints.environment["SSL_CERT_FILE"])
    return httpx.Client(proxy=endpoints.tunnel, verify=trusted, trust_env=False)


def _ask(address: tuple[str, int], head: bytes) -> bytes:
    """Send bytes to a tunnel and give all that it says until it hangs up."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head)
        return b"".join(iter(lambda: connection.recv(4096), b""))


@contextmanager
def _alone(tunnel: Tunnel) -> Iterator[tuple[str, int]]:
    """Run a tunnel without a tenant."""
    with bound(0) as listening, serving(Running((), (tunnel, listening))):
        yield listening.getsockname()


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.mark.parametrize("host", [*hosts.GRAPH, "GRAPH.Microsoft.com"])
def test_graphs_addresses_lead_to_the_tenant(tenant: Endpoints, host: str) -> None:
    """In every cloud, Graph's own address is answered by the tenant, over trusted TLS."""
    with _client(tenant) as client:
        reply = client.get(f"https://{host}/v1.0/users")
    assert (reply.status_code, reply.json()["error"]["message"]) == (401, "Access token is empty.")


@pytest.mark.parametrize("host", hosts.LOGIN)
def test_login_addresses_lead_to_the_login_service(tenant: Endpoints, host: str) -> None:
    """In every cloud, the login service's own address is answered, and told back."""
    path = f"https://{host}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
    with _client(tenant) as client:
        shown = client.get(path).json()
    assert shown["token_endpoint"] == f"https://{host}/{TENANT_ID}/oauth2/v2.0/token"


@pytest.fixture
def session(tenant: Endpoints) -> Iterator[requests.Session]:
    """Give an HTTP client that knows the proxy and whom to trust, and nothing else of us."""
    assert tenant.tunnel
    with requests.Session() as made:
        made.trust_env = False
        made.proxies = {"https": tenant.tunnel}
        made.verify = tenant.environment["SSL_CERT_FILE"]
        yield made


def test_an_application_works_unmodified(tenant: Endpoints, session: requests.Session) -> None:
    """MSAL signs in at Microsoft's address, and pages at Graph's go on at Graph's."""
    known = tenant.environment
    application = ConfidentialClientApplication(
        known["AZURE_CLIENT_ID"],
        client_credential=known["AZURE_CLIENT_SECRET"],
        authority=f"https://login.microsoftonline.com/{TENANT_ID}",
        http_client=session,
    )
    token = application.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    shown = session.get(f"{GRAPH}/v1.0/users?$top=2", headers=headers).json()
    assert shown["@odata.nextLink"].startswith(f"{GRAPH}/v1.0/users?")
    assert shown["@odata.context"] == f"{GRAPH}/v1.0/$metadata#users"
    part = {"id": "1", "method": "GET", "url": "/users?$top=2"}
    batch = session.post(f"{GRAPH}/v1.0/$batch", json={"requests": [part]}, headers=headers)
    (inner,) = batch.json()["responses"]
    assert inner["body"]["@odata.nextLink"].startswith(f"{GRAPH}/v1.0/users?")


PROGRAM = """
import asyncio
from azure.identity import EnvironmentCredential
from msgraph import GraphServiceClient

async def main():
    users = await GraphServiceClient(EnvironmentCredential()).users.get()
    print(len(users.value), users.odata_next_link)

asyncio.run(main())
"""


def test_the_sdk_works_unmodified(tenant: Endpoints) -> None:
    """A program that knows Microsoft alone reads the tenant when its environment has the proxy."""
    known = tenant.environment
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    environment = {name: known[name] for name in (*names, *trust)}
    assert tenant.tunnel
    told = subprocess.run(  # noqa: S603 -- this interpreter, on a fixed text
        [sys.executable, "-c", PROGRAM],
        env={"PATH": os.defpath, "HTTPS_PROXY": tenant.tunnel, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    count, link = told.stdout.split()
    assert int(count) > 1
    assert link == "None" or link.startswith(f"{GRAPH}/v1.0/users?")


def test_a_person_signs_in_unmodified(
    session: requests.Session, joiner: Callable[..., dict[str, Any]]
) -> None:
    """MSAL asks for the realm of the person, signs in, and knows the account."""
    application = PublicClientApplication(
        APPLY_APP.client_id,
        authority="https://login.microsoftonline.com/organizations",
        http_client=session,
    )
    name = joiner()["userPrincipalName"]
    with warnings.catch_warnings(action="ignore"):
        shown = application.acquire_token_by_username_password(
            name, "Correct-Horse-9", [f"{GRAPH}/User.Read"]
        )
    assert (shown.get("scope"), shown.get("error")) == ("User.Read", None)
    assert len(application.get_accounts()) == 1


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", b"example.com:443"),
        (b"CONNECT graph.microsoft.com:80 HTTP/1.1\r\n\r\n", b"graph.microsoft.com:80"),
        (b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", b"127.0.0.1:443"),
        (b"CONNECT graph.microsoft.com.example.com:443 HTTP/1.1\r\n\r\n", b"example.com:443"),
        (b"GET http://graph.microsoft.com/v1.0 HTTP/1.1\r\n\r\n", b"http://graph.microsoft.com"),
        (b"CONNECT \xff<script>:443 HTTP/1.1\r\n\r\n", b"??script?:443"),
        (b"\r\n\r\n", b"? is no part"),
    ],
)
def test_everything_else_is_refused(tenant: Endpoints, head: bytes, shown: bytes) -> None:
    """What is no part of the sandbox gets a 403 and a line that says so."""
    reply = _ask(_address(tenant.tunnel), head)
    assert reply.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert shown in reply
    assert reply.endswith(
        b"is no part of the sandbox tenant, and nothing else is reached from here\n"
    )


def test_a_head_without_end_is_refused(tenant: Endpoints) -> None:
    """No more of a request is read than a request has."""
    reply = _ask(_address(tenant.tunnel), b"CONNECT " + b"x" * 40_000)
    assert reply.startswith(b"HTTP/1.1 431 ")


def test_half_a_request_is_let_go() -> None:
    """Who hangs up gets nothing, and who says nothing is not waited for."""
    with _alone(Tunnel({}, patience=0.2)) as address:
        with socket.create_connection(address) as connection:
            connection.sendall(b"CONNECT graph")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(10) == b""
        assert _ask(address, b"CONNECT graph").startswith(b"HTTP/1.1 408 ")


def test_a_slow_client_holds_nobody(tenant: Endpoints) -> None:
    """While some send half a request, to whichever server, others are answered."""
    known = tenant.environment
    ports = [httpx.URL(known[name]).port or 0 for name in ("RECONCILER_GRAPH_URL",)]
    ports += [httpx.URL(known["AZURE_AUTHORITY_HOST"]).port or 0, _address(tenant.tunnel)[1]]
    slow = [socket.create_connection(("127.0.0.1", port)) for port in ports for _ in range(5)]
    for connection in slow:
        connection.sendall(b"POST /v1.0/users HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    started = time.monotonic()
    with _client(tenant) as client:
        assert client.get(f"{GRAPH}/v1.0/users").status_code == 401
    assert time.monotonic() - started < 2
    for connection in slow:
        connection.close()


def test_a_tunnel_that_is_idle_ends() -> None:
    """A connection over which nothing goes for long is closed on both sides."""
    with (
        _listening() as server,
        _alone(Tunnel({"a": server.getsockname()[1]}, idle=0.2)) as address,
        socket.create_connection(address, timeout=20) as client,
    ):
        client.sendall(b"CONNECT a:443 HTTP/1.1\r\n\r\n")
        with server.accept()[0] as accepted:
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"hello")
            assert accepted.recv(100) == b"hello"
            accepted.sendall(b"welcome")
            assert client.recv(100) == b"welcome"
            assert (client.recv(100), accepted.recv(100)) == (b"", b"")


def test_what_the_server_says_last_arrives() -> None:
    """A server that answers and hangs up is heard to the end."""
    with (
        _listening() as server,
        _alone(Tunnel({"a": server.getsockname()[1]})) as address,
        socket.create_connection(address, timeout=20) as client,
    ):
        client.sendall(b"CONNECT a:443 HTTP/1.1\r\n\r\n")
        with server.accept()[0] as accepted:
            accepted.sendall(b"x" * 500_000)
        whole = b"".join(iter(lambda: client.recv(65536), b""))
    assert whole.endswith(b"\r\n\r\n" + b"x" * 500_000)


def test_a_server_that_is_gone_is_a_broken_connection() -> None:
    """Where nobody listens the client is hung up on."""
    with _listening() as server:
        port = server.getsockname()[1]
    with _alone(Tunnel({"a": port})) as address:
        assert _ask(address, b"CONNECT a:443 HTTP/1.1\r\n\r\n") == b""


def test_open_tunnels_do_not_hold_the_tenant(certificates: Path) -> None:
    """A tenant stops at once, whatever goes through its tunnel."""
    with running(folder=certificates) as endpoints:
        connection = socket.create_connection(_address(endpoints.tunnel))
        connection.sendall(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        started = time.monotonic()
    assert time.monotonic() - started < 2
    connection.close()


def test_a_tenant_may_have_no_tunnel(certificates: Path) -> None:
    """Without a port there is no tunnel."""
    with running(folder=certificates, tunnel_port=None) as endpoints:
        assert endpoints.tunnel is None


def test_uvloop_is_used_where_it_is() -> None:
    """The faster loop is taken when it can be imported, and asyncio's own otherwise."""
    assert loop_factory("a_loop_that_nobody_has") is None
    assert loop_factory("asyncio") is asyncio.new_event_loop
