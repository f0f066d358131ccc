"""Small worlds in which a test says only what it is about.

A person and an account of the same name agree in everything that is not said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from reconciler.diagnostics import Position
from reconciler.diff import diff
from reconciler.fields import FIELDS_BY_NAME
from reconciler.model import (
    Account,
    Cohort,
    CohortName,
    DeclaredGroup,
    DeclaredLicense,
    DeclaredRole,
    DeclaredUser,
    Desired,
    Domain,
    Group,
    LicenseState,
    Listed,
    ObjectId,
    Observed,
    ObservedUser,
    RoleAssignment,
    RoleDefinition,
    ServicePlan,
    Sku,
    Tenant,
    TenantFile,
    UserPrincipalName,
)
from reconciler.plan import build, in_order_of_execution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.changes import Change
    from reconciler.diagnostics import Diagnostic
    from reconciler.model import FieldValue

RECIPIENT = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"


def upn(name: str) -> UserPrincipalName:
    """Give the name of an account: `ada` is `ada@contoso.com`."""
    return UserPrincipalName(name if "@" in name else f"{name}@contoso.com")


def a_sku(part_number: str, *plans: str, enabled: int = 10, consumed: int = 0) -> Sku:
    """Give a subscription; the id of SPE_E5 is `id-SPE_E5`."""
    return Sku(
        id=ObjectId(f"id-{part_number}"),
        part_number=part_number,
        capability_status="Enabled",
        applies_to="User",
        enabled=enabled,
        warning=0,
        consumed=consumed,
        service_plans=tuple(ServicePlan(ObjectId(f"id-{plan}"), plan) for plan in plans),
    )


def a_group(name: str, *skus: str) -> Group:
    """Give an assigned security group, whose members inherit *skus*."""
    return Group(
        id=ObjectId(f"id-{name}"),
        display_name=name,
        group_types=(),
        mail_enabled=False,
        on_premises_sync_enabled=False,
        is_assignable_to_role=False,
        sku_ids=frozenset(ObjectId(f"id-{sku}") for sku in skus),
    )


def listed(line: int, *names: str) -> tuple[Listed, ...]:
    """Give entries of the tenant file, all on one line."""
    return tuple(Listed(name, Position("cohorts/tenant.yaml", line)) for name in names)


TENANT = Tenant(ObjectId("id-contoso"), "Contoso", (Domain("contoso.com", is_verified=True),))
FILE = TenantFile(
    source="us",
    tenant="contoso.com",
    licenses=listed(6, "SPE_E5", "SPE_E3"),
    groups=listed(7, "Staff", "Lab", "Licensed"),
    roles=listed(8, "User Administrator", "Reader"),
    position=Position("cohorts/tenant.yaml"),
)


@dataclass(frozen=True)
class Given:
    """Builders, and a tenant with a little of everything.

    The tenant file manages SPE_E5, SPE_E3, Staff, Lab, Licensed (which gives SPE_E5),
    User Administrator and Reader; FLOW_FREE, Book club and Guest Inviter are nobody's.
    """

    skus: tuple[Sku, ...] = (
        a_sku("SPE_E5", "TEAMS", "YAMMER", "SWAY"),
        a_sku("SPE_E3", "TEAMS"),
        a_sku("FLOW_FREE"),
    )
    groups: tuple[Group, ...] = (
        a_group("Staff"),
        a_group("Lab"),
        a_group("Licensed", "SPE_E5"),
        a_group("Book club"),
    )
    roles: tuple[RoleDefinition, ...] = tuple(
        RoleDefinition(ObjectId(f"id-{name}"), name)
        for name in ("User Administrator", "Reader", "Guest Inviter")
    )
    tenant: Tenant = TENANT
    file: TenantFile = FILE

    def license(self, sku: str, *plans: str, line: int = 4) -> DeclaredLicense:
        """Declare a licence with disabled plans: as `disabledPlans: []` where there is none."""
        return DeclaredLicense(sku, plans, Position("cohorts/beta.yaml", line))

    def person(  # noqa: PLR0913 -- each is said by its name
        self,
        name: str = "ada",
        *,
        cohort: str = "beta",
        line: int = 10,
        adopt: bool = False,
        licenses: Iterable[str | DeclaredLicense] = (),
        groups: Iterable[str] = (),
        roles: Iterable[str | DeclaredRole] = (),
        fields: dict[str, FieldValue] | None = None,
    ) -> DeclaredUser:
        """Declare a person, with entitlements by their names."""
        file = f"cohorts/{cohort}.yaml"
        fields = fields or {}
        return DeclaredUser(
            user_principal_name=upn(name),
            cohort=CohortName(cohort),
            fields=fields,
            display_name=name.title(),
            licenses=tuple(
                DeclaredLicense(item, None, Position(file, 4)) if isinstance(item, str) else item
                for item in licenses
            ),
            groups=tuple(DeclaredGroup(group, Position(file, 5)) for group in groups),
            roles=tuple(
                DeclaredRole(item, "Runs the help desk", None, Position(file, 6))
                if isinstance(item, str)
                else item
                for item in roles
            ),
            adopt=adopt,
            position=Position(file, line),
            positions={field: Position(file, line, 20) for field in fields},
        )

    def account(  # noqa: PLR0913 -- each is said by its name
        self,
        name: str = "ada",
        *,
        mark: str | None = "us/beta",
        manager: Account | None = None,
        licenses: Iterable[str | LicenseState] = (),
        groups: Iterable[str] = (),
        roles: Iterable[str | RoleAssignment] = (),
        synced: bool | None = None,
        fields: dict[str, FieldValue] | None = None,
    ) -> ObservedUser:
        """Observe an account of ours, with direct entitlements by their names."""
        values: dict[str, FieldValue] = dict.fromkeys(FIELDS_BY_NAME)
        values |= {"accountEnabled": True, "usageLocation": "GB", "displayName": name.title()}
        return ObservedUser(
            id=ObjectId(f"id-{name}"),
            user_principal_name=upn(name),
            fields=values | (fields or {}),
            mark=mark,
            manager=manager,
            licenses=tuple(self.held(item) if isinstance(item, str) else item for item in licenses),
            groups=frozenset(ObjectId(f"id-{group}") for group in groups),
            roles=tuple(
                RoleAssignment(ObjectId(f"of-{item}"), ObjectId(f"id-{item}"), "/")
                if isinstance(item, str)
                else item
                for item in roles
            ),
            on_premises_sync_enabled=synced,
        )

    def held(
        self, sku: str, *plans: str, through: str | None = None, state: str = "Active"
    ) -> LicenseState:
        """Observe a licence with disabled plans, direct or *through* a group."""
        group = ObjectId(f"id-{through}") if through else None
        off = frozenset(ObjectId(f"id-{plan}") for plan in plans)
        return LicenseState(ObjectId(f"id-{sku}"), group, off, state)

    def anybody(self, name: str) -> Account:
        """Give an account that exists, and of which no more is known."""
        return Account(upn(name), ObjectId(f"id-{name}"))

    def desired(self, *people: DeclaredUser, file: TenantFile | None = None) -> Desired:
        """Declare people, each in a cohort that has a recipient."""
        names = dict.fromkeys(CohortName(p.cohort) for p in people)
        cohorts = tuple(
            Cohort(name, None, None, (RECIPIENT,), Position(f"cohorts/{name}.yaml"))
            for name in names
        )
        return Desired(people, cohorts, self.file if file is None else file)

    def observed(self, *users: ObservedUser) -> Observed:
        """Observe the tenant with these accounts."""
        return Observed(self.tenant, self.skus, self.groups, (), self.roles, users)

    def sku(self, part_number: str) -> Sku:
        """Give one of the tenant's subscriptions."""
        return next(sku for sku in self.skus if sku.part_number == part_number)

    def group(self, name: str) -> Group:
        """Give one of the tenant's groups."""
        return next(group for group in self.groups if group.display_name == name)

    def with_sku(self, observed: Observed, sku: Sku) -> Observed:
        """Put *sku* in the place of the one with its id."""
        return replace(observed, skus=tuple(sku if s.id == sku.id else s for s in observed.skus))

    def with_group(self, observed: Observed, group: Group) -> Observed:
        """Put *group* in the place of the one with its id."""
        groups = tuple(group if g.id == group.id else g for g in observed.groups)
        return replace(observed, groups=groups)

    def changes(self, desired: Desired, observed: Observed) -> tuple[Change, ...]:
        """Give what differs, in order."""
        return in_order_of_execution(diff(desired, observed))

    def told(self, desired: Desired, observed: Observed) -> list[str]:
        """Give what differs, in order, one line for each change."""
        return [in_short(change) for change in self.changes(desired, observed)]

    def refusals(self, desired: Desired, observed: Observed, *, allowed: int = 0) -> list[str]:
        """Give what the guards say, as a person reads it."""
        return texts(build(desired, observed, allowed_removals=allowed).refusals)

    def notes(self, desired: Desired, observed: Observed) -> list[str]:
        """Give the plan's notes, as a person reads them."""
        return texts(build(desired, observed).notes)


def in_short(change: Change) -> str:
    """Give `1 + user/ada department=None→Research`: wave, symbol, address, fields."""
    address = change.key.address.replace("@contoso.com", "")
    fields = [f"{f.path}={_value(f.before)}→{_value(f.after)}" for f in change.fields]
    return " ".join([f"{change.wave:d} {change.symbol} {address}", *fields])


def _value(value: FieldValue) -> str:
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return text.replace("@contoso.com", "")


def texts(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Give diagnostics as a person reads them."""
    return [str(diagnostic) for diagnostic in diagnostics]


@pytest.fixture(scope="session")
def given() -> Given:
    """Give the builders."""
    return Given()
