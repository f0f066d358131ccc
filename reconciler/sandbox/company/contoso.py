"""Contoso, the company that the tenant is seeded with: people, groups, who holds what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

TENANT_ID: Final = "28d80e74-2d69-4bb9-b1e4-740c4cf0551f"

EXTENSION_APP_ID: Final = "b1f0c3de-9a57-4c1e-8f5d-6f2d3a7e4c90"
"""The application that registered the directory extensions."""
EXTENSIONS: Final = tuple(
    f"extension_{EXTENSION_APP_ID.replace('-', '')}_{name}" for name in ("onboardedBy", "ownedBy")
)


def stable_id(name: str) -> str:
    """Give the id of a seeded object: the same in every tenant."""
    return str(uuid5(UUID(TENANT_ID), name))


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the company."""

    name: str
    is_verified: bool = True
    is_default: bool = False
    is_initial: bool = False


DOMAINS: Final = (
    Domain("contoso.onmicrosoft.com", is_initial=True),
    Domain("contoso.com", is_default=True),
    Domain("contoso.co.jp"),
    Domain("contoso.dev", is_verified=False),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is there before any cohort; *more* are further properties."""

    upn: str
    given_name: str | None
    surname: str | None
    title: str | None
    department: str | None
    country: str | None = "GB"
    manager: str | None = None
    display_name: str | None = None
    licenses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    is_deleted: bool = False

    @property
    def id(self) -> str:
        """Give the person's id."""
        return stable_id(f"user {self.upn}")

    @property
    def shown_name(self) -> str:
        """Give `displayName`."""
        return self.display_name or f"{self.given_name} {self.surname}"


def _mark(value: str) -> dict[str, Any]:
    return {"onPremisesExtensionAttributes": {"extensionAttribute15": value}}


_SYNCED: Final = {
    "onPremisesSyncEnabled": True,
    "onPremisesImmutableId": "c3luY2VkLXNhbQ==",
    "onPremisesDomainName": "corp.contoso.com",
    "onPremisesSamAccountName": "synced.sam",
    "onPremisesLastSyncDateTime": "2026-01-12T06:30:00Z",
}
_E5, _E3, _PROJECT = ("SPE_E5",), ("SPE_E3",), ("PROJECTPROFESSIONAL",)

PEOPLE: Final = (
    Person("olivia.reyes@contoso.com", "Olivia", "Reyes", "Chief Executive", "Executive",
           licenses=_E5),
    Person("priya@contoso.com", "Priya", "Raman", "Head of Research", "Research",
           manager="olivia.reyes@contoso.com", licenses=_E5),
    Person("kenji.sato@contoso.co.jp", "健二", "佐藤", "東京オフィス長", "Research", "JP",
           "priya@contoso.com", "佐藤 健二", _E5, more={"preferredLanguage": "ja-JP"}),
    Person("breakglass@contoso.com", None, None, None, None, None, None,
           "Break Glass", roles=("Global Administrator",)),
    Person("maria.admin@contoso.com", "Maria", "Lindqvist", "Identity Administrator", "IT", "SE",
           "tomasz.nowak@contoso.com", licenses=_E3, roles=("User Administrator",)),
    Person("synced.sam@contoso.com", "Sam", "Okafor", "Accountant", "Finance", "GB",
           "fatima.haddad@contoso.com", licenses=_E3, more=_SYNCED),
    Person("once.synced@contoso.com", "Orla", "Byrne", "Buyer", "Procurement", "IE",
           "fatima.haddad@contoso.com", licenses=_E3, more={"onPremisesSyncEnabled": False}),
    Person("hr.hanna@contoso.com", "Hanna", "Virtanen", "HR Partner", "People", "FI",
           "olivia.reyes@contoso.com", licenses=_E3, more=_mark("hr-sync/emea")),
    Person("unowned.uma@contoso.com", "Uma", "Castellanos", "Analyst", "Research", None,
           "priya@contoso.com"),
    Person("tomasz.nowak@contoso.com", "Tomasz", "Nowak", "IT Director", "IT", "PL",
           "olivia.reyes@contoso.com", licenses=_E5),
    Person("fatima.haddad@contoso.com", "Fatima", "Haddad", "Finance Director", "Finance", "GB",
           "olivia.reyes@contoso.com", licenses=_E5),
    Person("liam.oconnor@contoso.com", "Liam", "O'Connor", "Research Engineer", "Research", "IE",
           "priya@contoso.com", licenses=(*_E5, *_PROJECT)),
    Person("chloe.martin@contoso.com", "Chloé", "Martin", "Programme Manager", "Research", "FR",
           "priya@contoso.com", licenses=(*_E5, *_PROJECT)),
    Person("diego.fernandez@contoso.com", "Diego", "Fernández", "Data Scientist", "Research",
           "ES", "priya@contoso.com", licenses=_E5),
    Person("yuki.tanaka@contoso.co.jp", "由紀", "田中", "研究員", "Research", "JP",
           "kenji.sato@contoso.co.jp", "田中 由紀", _E5, more={"preferredLanguage": "ja-JP"}),
    Person("hiroshi.ito@contoso.co.jp", "宏", "伊藤", "営業", "Sales", "JP",
           "kenji.sato@contoso.co.jp", "伊藤 宏", _E3),
    Person("noah.schmidt@contoso.com", "Noah", "Schmidt", "Account Manager", "Sales", "DE",
           "olivia.reyes@contoso.com", licenses=_E3),
    Person("ines.costa@contoso.com", "Inês", "Costa", "Account Manager", "Sales", "PT",
           "noah.schmidt@contoso.com", licenses=_E3),
    Person("bjorn.dahl@contoso.com", "Bjørn", "Dahl", "Support Engineer", "IT", "NO",
           "tomasz.nowak@contoso.com", licenses=_E3),
    Person("amara.diallo@contoso.com", "Amara", "Diallo", "Helpdesk Lead", "IT", "GB",
           "tomasz.nowak@contoso.com", licenses=_E3),
    Person("george.papas@contoso.com", "George", "Papadopoulos", "Helpdesk Analyst", "IT", "GR",
           "amara.diallo@contoso.com", licenses=_E3),
    Person("grace.kim@contoso.com", "Grace", "Kim", "Legal Counsel", "Legal", "GB",
           "olivia.reyes@contoso.com", licenses=(*_E5, *_PROJECT)),
    Person("mateo.rossi@contoso.com", "Mateo", "Rossi", "Facilities", "Operations", "IT",
           "olivia.reyes@contoso.com", licenses=_E3),
    Person("leaver.lars@contoso.com", "Lars", "Jensen", "Contractor", "Operations", "DK",
           "mateo.rossi@contoso.com", more={"accountEnabled": False}),
    Person("zoe.null@contoso.com", "Zoë", "Null", "Engineer", "Operations", "NL",
           "mateo.rossi@contoso.com", licenses=_E3),
    Person("returning.rita@contoso.com", "Rita", "Almeida", "Research Intern", "Research", "PT",
           "priya@contoso.com", more=_mark("contoso-identity/research-2026"), is_deleted=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """A group; *kind* is one of `KINDS`, and *suffix* tells two of one name apart."""

    name: str
    nickname: str
    kind: str = "security"
    members: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    description: str | None = None
    suffix: str = ""

    @property
    def id(self) -> str:
        """Give the group's id."""
        return stable_id(f"group {self.name}{self.suffix}")


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
        "onPremisesDomainName": "corp.contoso.com",
        "onPremisesLastSyncDateTime": "2026-01-12T06:30:00Z",
    },
    "distribution": {"mailEnabled": True, "securityEnabled": False, "groupTypes": []},
    "mailSecurity": {"mailEnabled": True, "securityEnabled": True, "groupTypes": []},
    "roleAssignable": _SECURITY | {"isAssignableToRole": True, "visibility": "Private"},
}
"""What Graph shows of each kind of group."""

_RESEARCH: Final = tuple(person.upn for person in PEOPLE if person.department == "Research")

GROUPS: Final = (
    Group("Research - All staff", "research-all", members=_RESEARCH),
    Group("Contractors - Building access", "contractors", members=("leaver.lars@contoso.com",)),
    Group("Helpdesk pilot", "helpdesk-pilot", members=("amara.diallo@contoso.com",)),
    Group("Beta programme", "beta-programme", "microsoft365", ("priya@contoso.com",)),
    Group(
        "Tokyo office",
        "tokyo-office",
        "microsoft365",
        ("kenji.sato@contoso.co.jp", "yuki.tanaka@contoso.co.jp", "hiroshi.ito@contoso.co.jp"),
    ),
    Group("東京オフィス", "tokyo", members=("kenji.sato@contoso.co.jp",)),
    Group(
        "Power BI viewers",
        "power-bi-viewers",
        members=(
            "fatima.haddad@contoso.com",
            "diego.fernandez@contoso.com",
            "noah.schmidt@contoso.com",
            "grace.kim@contoso.com",
        ),
        licenses=("POWER_BI_PRO",),
        description="Members get Power BI Pro through this group",
    ),
    Group(
        "All employees",
        "all-employees",
        "dynamic",
        tuple(p.upn for p in PEOPLE if not p.is_deleted and p.more.get("accountEnabled", True)),
    ),
    Group("Finance (on-premises)", "finance-onprem", "synced", ("synced.sam@contoso.com",)),
    Group("Newsletter", "newsletter", "distribution", ("ines.costa@contoso.com",)),
    Group("Site alerts", "site-alerts", "mailSecurity", ("mateo.rossi@contoso.com",)),
    Group("Tier 1 helpdesk", "tier1-helpdesk", "roleAssignable", ("george.papas@contoso.com",)),
    Group("Project Phoenix", "phoenix", members=("chloe.martin@contoso.com",)),
    Group("Project Phoenix", "phoenix-archive", "microsoft365", suffix=" (archive)"),
)


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration with the permissions that an administrator consented to."""

    name: str
    client_id: str

    @property
    def principal_id(self) -> str:
        """Give the id of its service principal."""
        return stable_id(f"servicePrincipal {self.client_id}")


APPLY_APP: Final = Application("Contoso identity (apply)", "5c8b4d0a-3f0e-4f6a-9c83-27a3b1d5e6f1")
PLAN_APP: Final = Application("Contoso identity (plan)", "9e2f7a61-84c5-4b0d-b7a9-10c4d8f23b57")

AGE_IDENTITY: Final = "AGE-SECRET-KEY-1WZEDGQH8SLG8VPJCQ4L5YS90NDHCDHK2A2W8MSRR2ZJQ7G7GXCYQMYXQR7"
"""Priya's identity for the demonstration; published here, so it protects nothing."""
AGE_RECIPIENT: Final = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
