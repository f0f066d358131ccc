"""The nouns: what a repository declares (`Desired`) and what a tenant holds (`Observed`).

Every value is frozen. Nothing here reads a file, asks Graph or knows the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.diagnostics import Position

ObjectId = NewType("ObjectId", str)
"""The id that Graph gives an object; lower-case GUID except for SKUs of a tenant."""
UserPrincipalName = NewType("UserPrincipalName", str)
"""As it was written; compare what `folded` makes of it, never the text itself."""
CohortName = NewType("CohortName", str)

FieldValue = str | bool | tuple[str, ...] | None
"""The value of one property of a user; None is Graph's null."""


def folded(name: str) -> str:
    """Give the form in which names are compared: Graph's names have no case."""
    return name.casefold()


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a user is: what the ownership attribute holds, as `<source>/<cohort>`."""

    source: str
    cohort: CohortName

    def __str__(self) -> str:
        """Give the attribute's value."""
        return f"{self.source}/{self.cohort}"

    @classmethod
    def parse(cls, value: str | None) -> Mark | None:
        """Read an attribute's value; None where it is not a mark at all."""
        source, slash, cohort = (value or "").partition("/")
        return cls(source, CohortName(cohort)) if source and slash and cohort else None


# --- Desired: what the files say ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeclaredLicense:
    """A licence as a cohort file asks for it."""

    sku: str
    """skuPartNumber or skuId, as written."""
    disabled_plans: tuple[str, ...] | None
    """Names or ids of service plans; None where the file does not say, () for none."""
    position: Position


@dataclass(frozen=True, slots=True)
class DeclaredGroup:
    """A group as a cohort file asks for it: displayName or id, as written."""

    group: str
    position: Position


@dataclass(frozen=True, slots=True)
class DeclaredRole:
    """A directory role as a cohort file asks for it, over the whole directory."""

    role: str
    """displayName or id, as written."""
    justification: str
    ticket: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class DeclaredUser:
    """One person of a cohort, with the cohort's defaults and entitlements merged in."""

    user_principal_name: UserPrincipalName
    cohort: CohortName
    fields: Mapping[str, FieldValue]
    """Graph's property names, and `manager` (a UPN or an id): present is exact, None
    clears, absent is unmanaged."""
    display_name: str | None
    """What a new account is called: declared, or made from the names; None only with
    *adopt*."""
    licenses: tuple[DeclaredLicense, ...]
    groups: tuple[DeclaredGroup, ...]
    roles: tuple[DeclaredRole, ...]
    adopt: bool
    position: Position
    positions: Mapping[str, Position]
    """Where each of *fields* is written: in the user's entry, or in the defaults."""

    def where(self, field: str) -> Position:
        """Give the place of *field*, or of the whole entry where it is not written."""
        return self.positions.get(field, self.position)


@dataclass(frozen=True, slots=True)
class Cohort:
    """One cohort file, less its people."""

    name: CohortName
    description: str | None
    requester: str | None
    recipients: tuple[str, ...]
    """Public keys that initial credentials are sealed to."""
    position: Position


class Removal(StrEnum):
    """What happens to an owned user who is no longer declared."""

    KEEP = "keep"
    DISABLE = "disable"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entitlement that the tenant file lists: a name or an id, as written."""

    name: str
    position: Position
    role_assignable: bool = False
    """For groups: the explicit opt-in that a role-assignable group needs."""


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """How much of what is owned one plan may take away without an explicit flag."""

    percent: int = 25
    minimum: int = 10
    """Populations smaller than this are not guarded: a percentage of few says nothing."""
    position: Position | None = field(default=None, compare=False)
    """Where it is written; None where the limit is the usual one."""


@dataclass(frozen=True, slots=True)
class TenantFile:
    """What this repository may touch; without a file, the additive defaults."""

    source: str = "reconciler"
    ownership: str = "extensionAttribute15"
    """`extensionAttribute1` to `15`, or `extension_<appId>_<name>`."""
    tenant: str | None = None
    """A domain of the tenant, or its id; None only without a file."""
    domains: tuple[str, ...] | None = None
    """Where accounts may live; None is any verified domain."""
    licenses: tuple[Listed, ...] | None = None
    groups: tuple[Listed, ...] | None = None
    roles: tuple[Listed, ...] | None = None
    """Managed entitlements; None, without a file: anything may be asked for, and
    nothing is managed."""
    removal: Removal = Removal.KEEP
    removals: RemovalLimit = RemovalLimit()
    protected: tuple[str, ...] = ()
    """UPNs or ids that no plan may change."""
    privileged_folder: str | None = None
    """Below the tenant file's: only its cohorts may make people privileged. None is any."""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything the files say, checked as far as it can be without a tenant."""

    users: tuple[DeclaredUser, ...]
    cohorts: tuple[Cohort, ...]
    tenant_file: TenantFile = TenantFile()
    scope: frozenset[CohortName] | None = None
    """The cohorts of the files that were named; None is all of the repository."""
    elsewhere: frozenset[str] = frozenset()
    """Names, folded, of the people whom files declare that were not named: nobody of them
    has left."""
    unread: tuple[str, ...] = ()
    """Files that were not named and cannot be read: whom they declare nobody knows, so that
    nobody can be taken for having left."""
    privileged: frozenset[str] = frozenset()
    """Files in the folder of the tenant file's `privilegedFolder`, as positions name them."""


# --- Observed: what the tenant holds --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the tenant."""

    name: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organisation behind the credentials."""

    id: ObjectId
    display_name: str
    domains: tuple[Domain, ...]


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A part of a SKU that can be switched off."""

    id: ObjectId
    name: str


@dataclass(frozen=True, slots=True)
class Sku:
    """A subscription: what licences there are, and how many seats."""

    id: ObjectId
    part_number: str
    capability_status: str
    applies_to: str
    enabled: int
    warning: int
    consumed: int
    service_plans: tuple[ServicePlan, ...]

    @property
    def is_assignable(self) -> bool:
        """Whether Graph lets a user have it at all (reference 5.1)."""
        return self.applies_to == "User" and self.capability_status in {"Enabled", "Warning"}

    @property
    def free(self) -> int:
        """Seats left; units in their grace period still count (reference 5.1, inferred)."""
        return self.enabled + self.warning - self.consumed if self.is_assignable else 0


@dataclass(frozen=True, slots=True)
class Group:
    """A group, with what decides whether its members can be written."""

    id: ObjectId
    display_name: str
    group_types: tuple[str, ...]
    mail_enabled: bool
    on_premises_sync_enabled: bool
    is_assignable_to_role: bool
    sku_ids: frozenset[ObjectId]
    """Licences that its members inherit."""


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A directory role."""

    id: ObjectId
    display_name: str
    is_built_in: bool = True
    """Whether it is Microsoft's; what the tenant's own ones allow, nobody can tell."""


@dataclass(frozen=True, slots=True)
class LicenseState:
    """One entry of licenseAssignmentStates."""

    sku_id: ObjectId
    assigned_by_group: ObjectId | None
    """None for a direct assignment: the only kind that is compared."""
    disabled_plans: frozenset[ObjectId]
    state: str
    error: str | None = None
    """What went wrong, as Graph calls it: `CountViolation` for no seats."""

    @property
    def is_broken(self) -> bool:
        """Whether the licence, or a change of it, did not work out."""
        return self.state in {"Error", "ActiveWithError"}


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role that a user holds."""

    id: ObjectId
    role_definition_id: ObjectId
    directory_scope_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """Whom something is about; *id* is None for an account that does not exist yet."""

    user_principal_name: UserPrincipalName
    id: ObjectId | None = None


@dataclass(frozen=True, slots=True)
class ObservedUser:
    """An account of the tenant that the files declare, or that carries our mark."""

    id: ObjectId
    user_principal_name: UserPrincipalName
    fields: Mapping[str, FieldValue]
    """Every field of `fields.FIELDS`, null included."""
    mark: str | None
    """What the ownership attribute holds, whoever wrote it."""
    manager: Account | None
    licenses: tuple[LicenseState, ...]
    groups: frozenset[ObjectId]
    """Direct memberships."""
    roles: tuple[RoleAssignment, ...]
    """Those of roles that the files name."""
    on_premises_sync_enabled: bool | None
    """True: synced; False: once synced; None: never."""

    @property
    def account(self) -> Account:
        """Who this is."""
        return Account(self.user_principal_name, self.id)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the tenant holds, as far as it concerns the files."""

    tenant: Tenant
    skus: tuple[Sku, ...] = ()
    groups: tuple[Group, ...] = ()
    """Those whose name or id the files mention; several may share a name."""
    similar_groups: tuple[Group, ...] = ()
    """Groups with names close to those that matched nothing, to suggest."""
    role_definitions: tuple[RoleDefinition, ...] = ()
    users: tuple[ObservedUser, ...] = ()
    deleted_users: tuple[ObservedUser, ...] = ()
    """Accounts in the recycle bin whose name the files declare and no account has, under
    the name they had; of namesakes the last is the one to bring back. Memberships and roles
    cannot be read there."""
    people: tuple[Account, ...] = ()
    """Accounts that the files mention (managers, protected) without declaring them."""
    indexed: frozenset[ObjectId] = frozenset()
    """Those of *users* that nothing but an index has told of, which lags behind writes: a
    reason to look, never to act."""
