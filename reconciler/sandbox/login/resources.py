"""What a token is asked for: a resource by its scopes (v2.0) or by its name (v1.0).

Graph goes by its addresses in all clouds, its application id, and this machine's own
addresses, which clients of the sandbox use; Azure Resource Manager is known too, because
the Azure CLI signs in to it first. Rules from "Scopes and permissions".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from reconciler.sandbox import hosts
from reconciler.sandbox.login import refusals

GRAPH_ID: Final = "00000003-0000-0000-c000-000000000000"
GRAPH: Final = "https://graph.microsoft.com"
_MANAGEMENT_ID: Final = "797f4846-ba00-4fd7-a43b-c29ef2fde6c1"
_DEFAULT: Final = "/.default"
_OPENID: Final = frozenset(("openid", "profile", "email", "offline_access"))


@dataclass(frozen=True, slots=True)
class Resource:
    """What a token is for: what its `aud` says, and whether that is Graph."""

    audience: str
    is_graph: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A resource, and the delegated permissions of it; none means all that were consented to."""

    resource: Resource
    permissions: tuple[str, ...] = ()


def is_graph(audience: object) -> bool:
    """Whether a token with this `aud` is for Graph."""
    known = _known(audience) if isinstance(audience, str) else None
    return known is not None and known.is_graph


def resource(name: str, company: str) -> Resource:
    """Give the resource called *name*; raises Microsoft's refusal of one it does not know."""
    known = _known(name)
    if known is None:
        raise refusals.NO_RESOURCE.error(resource=name, company=company)
    return known


def of_application(scope: str, company: str) -> Resource:
    """Give what an application asks for, which is all that it was granted of one resource."""
    words = scope.split()
    if not words:
        raise refusals.NO_SCOPE.error()
    if not all(word.endswith(_DEFAULT) for word in words):
        raise refusals.NOT_DEFAULT.error(scope=scope)
    if len(words) > 1:
        raise refusals.TWO_RESOURCES.error(scope=scope)
    return resource(words[0].removesuffix(_DEFAULT), company)


def of_person(scope: str, company: str) -> Asked:
    """Give what a person's application asks for: all of one resource, or named permissions."""
    words = [word for word in scope.split() if word not in _OPENID]
    if not scope.split():
        raise refusals.NO_SCOPE.error()
    pairs = [_pair(word) for word in words] or [(GRAPH, "User.Read")]
    if len({name for name, _ in pairs}) > 1:
        raise refusals.TWO_RESOURCES.error(scope=scope)
    wanted = tuple(permission for _, permission in pairs if permission != _DEFAULT[1:])
    if wanted and len(wanted) < len(pairs):
        raise refusals.BAD_SCOPE.error(scope=scope)
    return Asked(resource(pairs[0][0], company), wanted)


def _pair(word: str) -> tuple[str, str]:
    """Split `https://graph.microsoft.com/User.Read`; a bare name is of Graph."""
    name, slash, permission = word.rpartition("/")
    return (name, permission) if slash else (GRAPH, word)


def _known(name: str) -> Resource | None:
    if name == GRAPH_ID:
        return Resource(name, is_graph=True)
    if name == _MANAGEMENT_ID:
        return Resource(name, is_graph=False)
    try:
        parts = urlsplit(name)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"https", "http"} or parts.path.strip("/"):
        return None
    if host in hosts.GRAPH:
        return Resource(name, is_graph=True)
    if host in hosts.LOOPBACK:
        return Resource(GRAPH, is_graph=True)
    return Resource(name, is_graph=False) if host in hosts.MANAGEMENT else None
