"""What a company is made of: the values that a tenant is filled with.

Objects refer to each other by id, so that nothing has to be looked up when they are
written. Where a company comes from, `contoso.py` or somebody's file, is not told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from reconciler.sandbox.company.generating import Crowd
    from reconciler.sandbox.company.skus import Sku

FOUNDED: Final = "2024-03-01T09:00:00Z"
"""When everything was made that does not say when."""
SYNCED_AT: Final = "2026-01-12T06:30:00Z"

Properties: TypeAlias = Mapping[str, Any]
"""Properties under Graph's names, without those that are null."""


def object_id(tenant_id: str, name: str) -> str:
    """Give the id of a seeded object: the same whenever its tenant is made."""
    return str(uuid5(UUID(tenant_id), name))


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the company."""

    name: str
    is_verified: bool = True
    is_default: bool = False
    is_initial: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is there from the start; *manager* is an id."""

    id: str
    upn: str
    properties: Properties
    manager: str | None = None
    licenses: tuple[str, ...] = ()
    """Ids of SKUs."""
    roles: tuple[str, ...] = ()
    """Ids of role definitions."""
    is_deleted: bool = False
    password: str | None = None
    """None for whom nobody signs in as."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group; *kind* is one of `KINDS`."""

    id: str
    name: str
    nickname: str
    kind: str = "security"
    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    more: Properties = field(default_factory=dict)
    """What else Graph shows of it: description, uniqueName, membershipRule."""


_SECURITY: Final = {"mailEnabled": False, "securityEnabled": True, "groupTypes": []}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "security": _SECURITY,
    "microsoft365": {
        "mailEnabled": True,
        "securityEnabled": False,
        "groupTypes": ["Unified"],
        "visibility": "Private",
    },
    "dynamic": _SECURITY
    | {
        "groupTypes": ["DynamicMembership"],
        "membershipRule": "(user.accountEnabled -eq true)",
        "membershipRuleProcessingState": "On",
    },
    "synced": _SECURITY
    | {
        "onPremisesSyncEnabled": True,
        "onPremisesLastSyncDateTime": SYNCED_AT,
    },
    "distribution": {"mailEnabled": True, "securityEnabled": False, "groupTypes": []},
    "mailSecurity": {"mailEnabled": True, "securityEnabled": True, "groupTypes": []},
    "roleAssignable": _SECURITY | {"isAssignableToRole": True, "visibility": "Private"},
}
"""What Graph shows of each kind of group."""


def mail_of(group: Group, domain: str) -> str:
    """Give the address of *group* in a company that is mailed at *domain*; empty without one."""
    return f"{group.nickname}@{domain}" if KINDS[group.kind]["mailEnabled"] else ""


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Whose tokens an application signs in with (Graph, `federatedIdentityCredential`)."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)
    jwks: Properties | None = None
    """The issuer's keys (RFC 7517), which Entra would ask the issuer for."""


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration, its service principal, and what an administrator consented to."""

    name: str
    client_id: str
    principal_id: str
    permissions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Ids of the directory roles that its service principal holds."""
    secret: str | None = None
    """None for one that is made when the tenant is."""
    certificate: str | None = None
    """In PEM."""
    credentials: tuple[FederatedCredential, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """An administrative unit; *members* are ids."""

    id: str
    name: str
    description: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """An object that has no table of its own, as it is kept."""

    kind: str
    id: str
    content: Properties


@dataclass(frozen=True, slots=True)
class Company:
    """A whole tenant as it is on its first day."""

    tenant_id: str
    name: str
    domains: tuple[Domain, ...]
    country: str = "GB"
    usage_location: str | None = None
    """Whence people are taken to work who do not say so (`defaultUsageLocation`)."""
    skus: tuple[Sku, ...] = ()
    applications: tuple[Application, ...] = ()
    extensions: tuple[str, ...] = ()
    """Full names of directory extensions: `extension_<application>_<name>`."""
    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()
    units: tuple[Unit, ...] = ()
    documents: tuple[Document, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    organization: Properties = field(default_factory=dict)
    """What else Graph shows of the company."""
    digest: str = "contoso"
    """What tells it from another company."""

    @property
    def initial_domain(self) -> str:
        """Give the domain that came with the tenant."""
        return next(domain.name for domain in self.domains if domain.is_initial)

    @property
    def default_domain(self) -> str:
        """Give the domain of what is mailed."""
        return next(domain.name for domain in self.domains if domain.is_default)
