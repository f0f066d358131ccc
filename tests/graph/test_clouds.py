from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.graph.clouds import CLOUDS, Cloud, cloud


@pytest.mark.parametrize(
    ("name", "graph", "login", "audience"),
    [
        ("global", "https://graph.microsoft.com", "https://login.microsoftonline.com", ""),
        ("usgov", "https://graph.microsoft.us", "https://login.microsoftonline.us", "USGov"),
        ("dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us", "USGov"),
        (
            "china",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "China",
        ),
    ],
)
def test_national_clouds(name: str, graph: str, login: str, audience: str) -> None:
    """Each cloud has a Graph and a login service, tokens for its Graph, and an audience."""
    expected = f"api://AzureADTokenExchange{audience}"
    assert cloud(name, {}) == Cloud(graph, login, f"{graph}/.default", expected)


@pytest.mark.parametrize(
    ("set_to", "audience"),
    [("api://mine", "api://mine"), ("", "api://AzureADTokenExchangeChina")],
)
def test_an_audience_of_ones_own(set_to: str, audience: str) -> None:
    """Where a cloud's federated credentials have another audience, a variable says so."""
    assert cloud("china", {"RECONCILER_OIDC_AUDIENCE": set_to}).audience == audience


def test_every_cloud_is_known() -> None:
    """There are no others."""
    assert list(CLOUDS) == ["global", "usgov", "dod", "china"]


@pytest.mark.parametrize(
    ("environment", "graph", "login"),
    [
        (
            {
                "RECONCILER_GRAPH_URL": "http://127.0.0.1:8080/",
                "AZURE_AUTHORITY_HOST": "https://localhost:8443",
            },
            "http://127.0.0.1:8080",
            "https://localhost:8443",
        ),
        (
            {
                "RECONCILER_GRAPH_URL": "http://[::1]:8080",
                "AZURE_AUTHORITY_HOST": "localhost:8443/",
            },
            "http://[::1]:8080",
            "https://localhost:8443",
        ),
        (
            {"RECONCILER_GRAPH_URL": "https://graph.internal/"},
            "https://graph.internal",
            "https://login.microsoftonline.com",
        ),
        (
            {"AZURE_AUTHORITY_HOST": "login.internal"},
            "https://graph.microsoft.com",
            "https://login.internal",
        ),
        (
            {"AZURE_AUTHORITY_HOST": "", "RECONCILER_GRAPH_URL": ""},
            "https://graph.microsoft.com",
            "https://login.microsoftonline.com",
        ),
    ],
    ids=["loopback", "IPv6", "https", "login", "empty"],
)
def test_elsewhere(environment: dict[str, str], graph: str, login: str) -> None:
    """Variables move the cloud; what tokens are asked for stays."""
    assert cloud("global", environment) == Cloud(
        graph, login, "https://graph.microsoft.com/.default"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.internal",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "ftp://127.0.0.1",
        "https://",
        "https://[bad",
        "https://me:s3cret@graph.internal",
        "https://s3cret@graph.internal",
        "graph.internal",
    ],
)
def test_a_token_never_travels_in_the_clear(url: str) -> None:
    """Plain http is for this machine alone; what is no URL, or holds a name, is refused too."""
    with pytest.raises(UsageError) as caught:
        cloud("global", {"RECONCILER_GRAPH_URL": url})
    assert (str(caught.value), caught.value.hint) == (
        "RECONCILER_GRAPH_URL is an address where a token would travel in the clear",
        "use https without a name and password in it, or http on 127.0.0.1",
    )


def test_a_secret_never_travels_in_the_clear() -> None:
    """The login service is spoken to over https, on this machine too."""
    with pytest.raises(UsageError) as caught:
        cloud("global", {"AZURE_AUTHORITY_HOST": "http://me:s3cret@localhost:8443"})
    assert (str(caught.value), caught.value.hint) == (
        "AZURE_AUTHORITY_HOST is an address where a secret would travel in the clear",
        "use https",
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"RECONCILER_GRAPH_URL": "http://127.0.0.1:8080"},
        {"AZURE_AUTHORITY_HOST": "https://localhost:8443"},
        {
            "RECONCILER_GRAPH_URL": "https://graph.internal",
            "AZURE_AUTHORITY_HOST": "https://[::1]:8443",
        },
    ],
)
def test_a_sandbox_and_a_real_tenant_are_not_mixed(environment: dict[str, str]) -> None:
    """A real token never goes to this machine, nor a real secret: both are here, or neither."""
    with pytest.raises(UsageError) as caught:
        cloud("global", environment)
    assert str(caught.value).startswith("only one of RECONCILER_GRAPH_URL and AZURE_AUTHORITY_HOST")
    assert caught.value.hint == "set both, as `reconciler sandbox serve` prints them, or neither"
