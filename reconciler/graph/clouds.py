"""The clouds that Graph lives in, and where each one is (Graph, national cloud deployments)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Cloud:
    """Two roots, without a slash at the end; tokens are asked for *scope*."""

    graph: str
    login: str
    scope: str
    audience: str = "api://AzureADTokenExchange"
    """Whom another issuer's token has to be for, to sign in with: that of federated credentials."""

    @property
    def is_here(self) -> bool:
        """Whether Graph is on this machine: a sandbox, and nothing that a real token may reach."""
        return _is_here(self.graph)


def _cloud(graph: str, login: str, audience: str) -> Cloud:
    return Cloud(
        f"https://{graph}",
        f"https://{login}",
        f"https://{graph}/.default",
        f"api://AzureADTokenExchange{audience}",
    )


CLOUDS = {
    "global": _cloud("graph.microsoft.com", "login.microsoftonline.com", ""),
    "usgov": _cloud("graph.microsoft.us", "login.microsoftonline.us", "USGov"),
    "dod": _cloud("dod-graph.microsoft.us", "login.microsoftonline.us", "USGov"),
    "china": _cloud("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn", "China"),
}
"""Audiences beyond the global one are as people quote them: Azure/login#452 for usgov,
hashicorp/terraform-provider-azuread#1755 for china; that of dod is inferred, from its having
the login service of usgov. `RECONCILER_OIDC_AUDIENCE` corrects them.
"""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def cloud(name: str, environment: Mapping[str, str]) -> Cloud:
    """Give the cloud called *name*, or elsewhere where the environment says so.

    `RECONCILER_GRAPH_URL` and `AZURE_AUTHORITY_HOST` move it; a token goes to https or to
    this machine, and nowhere else. `RECONCILER_OIDC_AUDIENCE` replaces the audience.
    """
    known = CLOUDS[name]
    graph = environment.get("RECONCILER_GRAPH_URL", "").rstrip("/") or known.graph
    login = environment.get("AZURE_AUTHORITY_HOST", "").rstrip("/") or known.login
    if "://" not in login:
        login = f"https://{login}"
    if not is_safe(graph):
        raise UsageError(
            "RECONCILER_GRAPH_URL is an address where a token would travel in the clear",
            "use https without a name and password in it, or http on 127.0.0.1",
        )
    if not login.startswith("https://"):
        raise UsageError(
            "AZURE_AUTHORITY_HOST is an address where a secret would travel in the clear",
            "use https",
        )
    if _is_here(graph) != _is_here(login):
        raise UsageError(
            "only one of RECONCILER_GRAPH_URL and AZURE_AUTHORITY_HOST points at this machine, "
            "so a token of a real tenant would go to it, or a secret",
            "set both, as `reconciler sandbox serve` prints them, or neither",
        )
    audience = environment.get("RECONCILER_OIDC_AUDIENCE") or known.audience
    return Cloud(graph, login, known.scope, audience)


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def is_safe(url: str) -> bool:
    """Whether a token may be sent to *url*: it is https, or http to this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
