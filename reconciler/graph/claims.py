"""What an access token says of itself, read without a look at its signature.

Graph alone judges a token; this is for telling a person whose it is. The names are those
of Microsoft identity platform, "Access token claims reference".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic
from reconciler.graph import jwt
from reconciler.model import folded
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.graph.clouds import Cloud

GRAPH = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph as an application: the audience of some tokens, in place of its address."""
_ID = 36
"""Characters of a tenant's id; its domains are told apart by not being one."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token is for, and whose it is."""

    audience: str
    tenant: str
    application: str
    permissions: frozenset[str]
    """Those of an application; a person's token has none of this kind."""
    is_person: bool


def claims(token: str) -> Claims | None:
    """Read an access token; None where it is opaque."""
    told = jwt.told(token)
    if told is None:
        return None
    roles = told.get("roles")
    return Claims(
        audience=_text(told, "aud"),
        tenant=_text(told, "tid"),
        application=_text(told, "appid") or _text(told, "azp"),
        permissions=frozenset(roles if isinstance(roles, list) else ()),
        is_person="scp" in told or told.get("idtyp") == "user",
    )


def _text(told: dict[str, Any], name: str) -> str:
    return str(told.get(name) or "")


def mismatches(
    found: Claims, cloud: Cloud, *, tenant: str, application: str, declared: str | None
) -> Iterator[Diagnostic]:
    """Give what *found* contradicts: the cloud, AZURE_TENANT_ID, AZURE_CLIENT_ID, the tenant file.

    A tenant that is named by a domain says nothing that a token could contradict; an empty
    *application* is one that nobody has configured.
    """
    wanted = cloud.scope.removesuffix("/.default")
    if found.audience.rstrip("/") not in {wanted, GRAPH}:
        yield Diagnostic(
            f"the token is for '{visible(found.audience)}', not for {wanted}",
            "choose the tenant's cloud with --cloud, and check AZURE_AUTHORITY_HOST",
        )
    for name, value in (("AZURE_TENANT_ID", tenant), ("`tenant:` in the tenant file", declared)):
        if value and _is_id(value) and folded(value) != folded(found.tenant):
            yield Diagnostic(
                f"the token is of tenant {visible(found.tenant)}, but {name} is {visible(value)}",
                "use an identity of that tenant, or correct the id",
            )
    if application and folded(application) != folded(found.application):
        yield Diagnostic(
            f"the token is of application {visible(found.application)}, but AZURE_CLIENT_ID is "
            f"{visible(application)}",
            "set AZURE_CLIENT_ID to the Application (client) ID of the app registration",
        )


def _is_id(name: str) -> bool:
    return len(name) == _ID and name.count("-") == len("----")
