from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.connection import connect
from reconciler.graph.requests import Requests
from reconciler.graph.transport import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.graph.reply import Reply
    from reconciler.graph.transport import Answer, Graph
    from tests.graph.conftest import Credential, Tenant


async def domains(graph: Graph) -> list[Reply]:
    """Ask one question."""
    return await graph.read([Requests(graph.client).domains()])


async def once(graph: Graph) -> Answer:
    """Ask one question, once."""
    (answer,) = await graph.batch([Requests(graph.client).domains()])
    return answer


def connected(
    environment: dict[str, str],
    ask: Callable[[Graph], Any],
    **more: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Ask a Graph that runs."""

    async def asked() -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        async with connect("global", environment, **more) as graph:
            return await ask(graph)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [(0, 0.0, 0.5), (0, 1.0, 1.0), (3, 0.5, 6.0), (5, 1.0, 30.0), (60, 1.0, 30.0)],
)
def test_waits_grow_and_differ(tenant: Tenant, attempt: int, jitter: float, seconds: float) -> None:
    """Two clients that were refused together do not come back together."""

    async def backoff(graph: Graph) -> float:
        return graph.waiting.backoff(attempt)

    environment = dict(tenant.endpoints.environment)
    assert connected(environment, backoff, jitter=lambda: jitter) == seconds


def test_a_real_connection(tenant: Tenant) -> None:
    """Over real HTTP, with a token of a real login service over TLS."""
    (reply,) = connected(dict(tenant.endpoints.environment), domains)

    assert "contoso.com" in {domain["id"] for domain in reply.body["value"]}
    assert tenant.exchanges[-1].headers["user-agent"].startswith("entra-reconciler/")


def test_a_wrong_secret_is_told_without_it(tenant: Tenant) -> None:
    """The login service's number is there to search for; the secret is not."""
    environment = {**tenant.endpoints.environment, "AZURE_CLIENT_SECRET": "s3cret-but-wrong"}

    with pytest.raises(PermissionMissing, match="AADSTS7000215") as caught:
        connected(environment, domains)
    assert "s3cret-but-wrong" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "text"])
def test_unusable_authorities(tenant: Tenant, tmp_path: Path, content: str | None) -> None:
    """A file of authorities that is none is told before anything is sent."""
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    environment = {**tenant.endpoints.environment, "REQUESTS_CA_BUNDLE": str(path)}

    with pytest.raises(UsageError) as caught:
        connected(environment, domains)
    assert (str(caught.value), caught.value.hint) == (
        "REQUESTS_CA_BUNDLE, SSL_CERT_FILE or CURL_CA_BUNDLE names no usable file",
        "give a PEM file of certificate authorities",
    )


def test_a_folder_of_authorities_counts(tenant: Tenant, tmp_path: Path) -> None:
    """`SSL_CERT_DIR` is one of the usual variables."""
    environment = {**tenant.endpoints.environment, "SSL_CERT_DIR": str(tmp_path)}

    (reply,) = connected(environment, domains)

    assert reply.status == 200


def test_without_variables_the_usual_authorities_count(credential: Credential) -> None:
    """Nothing has to be set for a real tenant."""

    async def root(graph: Graph) -> str:
        return graph.root

    found = connected({}, root, sign_in=lambda *_: credential)

    assert found == "https://graph.microsoft.com/v1.0"


def test_a_login_service_that_nobody_vouches_for(tenant: Tenant) -> None:
    """Without its authority the login service is not trusted, and the remedy is told."""
    certificates = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    environment = {k: v for k, v in tenant.endpoints.environment.items() if k not in certificates}

    with pytest.raises(
        GraphUnreachable, match=r"^the certificate of the login service is not trusted$"
    ) as caught:
        connected(environment, domains)
    assert "REQUESTS_CA_BUNDLE" in str(caught.value.hint)


@contextmanager
def a_proxy(heard: list[bytes]) -> Iterator[str]:
    """Listen where a proxy would, note the first line of whatever comes, and hang up."""

    def listen() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                line = connection.recv(4096).partition(b"\r\n")[0]
            if not line:
                return
            heard.append(line)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            socket.create_connection(address).close()
            thread.join()


def proxied(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Set the variables that the usual programs find a proxy in."""
    for name in ("NO_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name.lower(), url)


def test_no_proxy_sees_a_token_in_the_clear(
    tenant: Tenant, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine's own sandbox is asked goes straight there, whatever the proxy."""
    heard: list[bytes] = []

    with a_proxy(heard) as url:
        proxied(monkeypatch, url)
        answer = connected(dict(tenant.endpoints.environment), once, sign_in=lambda *_: credential)

    assert heard == []
    assert not isinstance(answer, NoAnswer)
    assert answer.status == 401


def test_a_proxy_carries_what_is_encrypted(
    credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Graph is reached through the proxy, which is told where to and no more."""
    heard: list[bytes] = []

    with a_proxy(heard) as url:
        proxied(monkeypatch, url)
        answer = connected({}, once, sign_in=lambda *_: credential)

    assert isinstance(answer, NoAnswer)
    assert heard == [b"CONNECT graph.microsoft.com:443 HTTP/1.1"]
