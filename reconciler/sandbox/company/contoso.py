"""Contoso, the company that a tenant is filled with unless a seed file tells of another."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from reconciler.sandbox import permissions
from reconciler.sandbox.company import governance, skus
from reconciler.sandbox.company.model import (
    FOUNDED,
    SYNCED_AT,
    Application,
    Company,
    Domain,
    Group,
    Person,
    Unit,
    object_id,
)
from reconciler.sandbox.company.roledata import BUILT_IN

TENANT_ID: Final = "28d80e74-2d69-4bb9-b1e4-740c4cf0551f"

EXTENSION_APP_ID: Final = "b1f0c3de-9a57-4c1e-8f5d-6f2d3a7e4c90"
"""The application that registered the directory extensions."""
EXTENSIONS: Final = tuple(
    f"extension_{EXTENSION_APP_ID.replace('-', '')}_{name}" for name in ("onboardedBy", "ownedBy")
)

stable_id = partial(object_id, TENANT_ID)
"""Give the id of one of Contoso's objects, which is the same in every tenant."""

DOMAINS: Final = (
    Domain("contoso.onmicrosoft.com", is_initial=True),
    Domain("contoso.com", is_default=True),
    Domain("contoso.co.jp"),
    Domain("contoso.dev", is_verified=False),
)


def _person(  # noqa: PLR0913, PLR0917 -- a row of the table below
    upn: str,
    given_name: str | None,
    surname: str | None,
    title: str | None,
    department: str | None,
    country: str | None = "GB",
    manager: str | None = None,
    display_name: str | None = None,
    licenses: tuple[str, ...] = (),
    *,
    roles: tuple[str, ...] = (),
    more: dict[str, Any] | None = None,
    is_deleted: bool = False,
) -> Person:
    known = {
        "accountEnabled": True,
        "createdDateTime": FOUNDED,
        "department": department,
        "displayName": display_name or f"{given_name} {surname}",
        "givenName": given_name,
        "jobTitle": title,
        "mailNickname": upn.partition("@")[0],
        "surname": surname,
        "usageLocation": country,
        "userType": "Member",
        **(more or {}),
    }
    return Person(
        stable_id(f"user {upn}"),
        upn,
        {name: value for name, value in known.items() if value is not None},
        stable_id(f"user {manager}") if manager else None,
        tuple(skus.ID_OF[name] for name in licenses),
        tuple(BUILT_IN[name] for name in roles),
        is_deleted,
    )


def _mark(value: str) -> dict[str, Any]:
    return {"onPremisesExtensionAttributes": {"extensionAttribute15": value}}


_SYNCED: Final = {
    "onPremisesSyncEnabled": True,
    "onPremisesImmutableId": "c3luY2VkLXNhbQ==",
    "onPremisesDomainName": "corp.contoso.com",
    "onPremisesSamAccountName": "synced.sam",
    "onPremisesLastSyncDateTime": SYNCED_AT,
}
_E5, _E3, _PROJECT = ("SPE_E5",), ("SPE_E3",), ("PROJECTPROFESSIONAL",)

PEOPLE: Final = (
    _person("olivia.reyes@contoso.com", "Olivia", "Reyes", "Chief Executive", "Executive",
            licenses=_E5),
    _person("priya@contoso.com", "Priya", "Raman", "Head of Research", "Research",
            manager="olivia.reyes@contoso.com", licenses=_E5),
    _person("kenji.sato@contoso.co.jp", "健二", "佐藤", "東京オフィス長", "Research", "JP",
            "priya@contoso.com", "佐藤 健二", _E5, more={"preferredLanguage": "ja-JP"}),
    _person("breakglass@contoso.com", None, None, None, None, None, None,
            "Break Glass", roles=("Global Administrator",)),
    _person("maria.admin@contoso.com", "Maria", "Lindqvist", "Identity Administrator", "IT", "SE",
            "tomasz.nowak@contoso.com", licenses=_E3, roles=("User Administrator",)),
    _person("synced.sam@contoso.com", "Sam", "Okafor", "Accountant", "Finance", "GB",
            "fatima.haddad@contoso.com", licenses=_E3, more=_SYNCED),
    _person("once.synced@contoso.com", "Orla", "Byrne", "Buyer", "Procurement", "IE",
            "fatima.haddad@contoso.com", licenses=_E3, more={"onPremisesSyncEnabled": False}),
    _person("hr.hanna@contoso.com", "Hanna", "Virtanen", "HR Partner", "People", "FI",
            "olivia.reyes@contoso.com", licenses=_E3, more=_mark("hr-sync/emea")),
    _person("unowned.uma@contoso.com", "Uma", "Castellanos", "Analyst", "Research", None,
            "priya@contoso.com"),
    _person("tomasz.nowak@contoso.com", "Tomasz", "Nowak", "IT Director", "IT", "PL",
            "olivia.reyes@contoso.com", licenses=_E5),
    _person("fatima.haddad@contoso.com", "Fatima", "Haddad", "Finance Director", "Finance", "GB",
            "olivia.reyes@contoso.com", licenses=_E5),
    _person("liam.oconnor@contoso.com", "Liam", "O'Connor", "Research Engineer", "Research", "IE",
            "priya@contoso.com", licenses=(*_E5, *_PROJECT)),
    _person("chloe.martin@contoso.com", "Chloé", "Martin", "Programme Manager", "Research", "FR",
            "priya@contoso.com", licenses=(*_E5, *_PROJECT)),
    _person("diego.fernandez@contoso.com", "Diego", "Fernández", "Data Scientist", "Research",
            "ES", "priya@contoso.com", licenses=_E5),
    _person("yuki.tanaka@contoso.co.jp", "由紀", "田中", "研究員", "Research", "JP",
            "kenji.sato@contoso.co.jp", "田中 由紀", _E5, more={"preferredLanguage": "ja-JP"}),
    _person("hiroshi.ito@contoso.co.jp", "宏", "伊藤", "営業", "Sales", "JP",
            "kenji.sato@contoso.co.jp", "伊藤 宏", _E3),
    _person("noah.schmidt@contoso.com", "Noah", "Schmidt", "Account Manager", "Sales", "DE",
            "olivia.reyes@contoso.com", licenses=_E3),
    _person("ines.costa@contoso.com", "Inês", "Costa", "Account Manager", "Sales", "PT",
            "noah.schmidt@contoso.com", licenses=_E3),
    _person("bjorn.dahl@contoso.com", "Bjørn", "Dahl", "Support Engineer", "IT", "NO",
            "tomasz.nowak@contoso.com", licenses=_E3),
    _person("amara.diallo@contoso.com", "Amara", "Diallo", "Helpdesk Lead", "IT", "GB",
            "tomasz.nowak@contoso.com", licenses=_E3),
    _person("george.papas@contoso.com", "George", "Papadopoulos", "Helpdesk Analyst", "IT", "GR",
            "amara.diallo@contoso.com", licenses=_E3),
    _person("grace.kim@contoso.com", "Grace", "Kim", "Legal Counsel", "Legal", "GB",
            "olivia.reyes@contoso.com", licenses=(*_E5, *_PROJECT)),
    _person("mateo.rossi@contoso.com", "Mateo", "Rossi", "Facilities", "Operations", "IT",
            "olivia.reyes@contoso.com", licenses=_E3),
    _person("leaver.lars@contoso.com", "Lars", "Jensen", "Contractor", "Operations", "DK",
            "mateo.rossi@contoso.com", more={"accountEnabled": False}),
    _person("zoe.null@contoso.com", "Zoë", "Null", "Engineer", "Operations", "NL",
            "mateo.rossi@contoso.com", licenses=_E3),
    _person("returning.rita@contoso.com", "Rita", "Almeida", "Research Intern", "Research", "PT",
            "priya@contoso.com", more=_mark("contoso-identity/research-2026"), is_deleted=True),
)  # fmt: skip


def _group(  # noqa: PLR0913 -- as above
    name: str,
    nickname: str,
    kind: str = "security",
    members: tuple[str, ...] = (),
    *,
    licenses: tuple[str, ...] = (),
    description: str | None = None,
    suffix: str = "",
) -> Group:
    """Give a group; *suffix* tells two of one name apart."""
    return Group(
        stable_id(f"group {name}{suffix}"),
        name,
        nickname,
        kind,
        tuple(stable_id(f"user {upn}") for upn in members),
        licenses=tuple(skus.ID_OF[name] for name in licenses),
        more={"description": description} if description else {},
    )


_RESEARCH: Final = tuple(
    person.upn for person in PEOPLE if person.properties.get("department") == "Research"
)

GROUPS: Final = (
    _group("Research - All staff", "research-all", members=_RESEARCH),
    _group("Contractors - Building access", "contractors", members=("leaver.lars@contoso.com",)),
    _group("Helpdesk pilot", "helpdesk-pilot", members=("amara.diallo@contoso.com",)),
    _group("Beta programme", "beta-programme", "microsoft365", ("priya@contoso.com",)),
    _group(
        "Tokyo office",
        "tokyo-office",
        "microsoft365",
        ("kenji.sato@contoso.co.jp", "yuki.tanaka@contoso.co.jp", "hiroshi.ito@contoso.co.jp"),
    ),
    _group("東京オフィス", "tokyo", members=("kenji.sato@contoso.co.jp",)),
    _group(
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
    _group(
        "All employees",
        "all-employees",
        "dynamic",
        tuple(p.upn for p in PEOPLE if not p.is_deleted and p.properties["accountEnabled"]),
    ),
    _group("Finance (on-premises)", "finance-onprem", "synced", ("synced.sam@contoso.com",)),
    _group("Newsletter", "newsletter", "distribution", ("ines.costa@contoso.com",)),
    _group("Site alerts", "site-alerts", "mailSecurity", ("mateo.rossi@contoso.com",)),
    _group("Tier 1 helpdesk", "tier1-helpdesk", "roleAssignable", ("george.papas@contoso.com",)),
    _group("Project Phoenix", "phoenix", members=("chloe.martin@contoso.com",)),
    _group("Project Phoenix", "phoenix-archive", "microsoft365", suffix=" (archive)"),
)


def _application(
    name: str, client_id: str, granted: tuple[str, ...], roles: tuple[str, ...] = ()
) -> Application:
    principal_id = stable_id(f"servicePrincipal {client_id}")
    return Application(name, client_id, principal_id, granted, roles)


APPLY_APP: Final = _application(
    "Contoso identity (apply)", "5c8b4d0a-3f0e-4f6a-9c83-27a3b1d5e6f1", permissions.APPLY_SET
)
PLAN_APP: Final = _application(
    "Contoso identity (plan)", "9e2f7a61-84c5-4b0d-b7a9-10c4d8f23b57", permissions.PLAN_SET
)
ADMIN_APP: Final = _application(
    "Contoso administration",
    "3d7a1c94-52be-4e8f-9d06-e8b1f45a2c73",
    permissions.ADMIN_SET,
    (BUILT_IN["Privileged Authentication Administrator"],),
)
"""For other clients than the reconciler: it may do whatever the tenant knows."""
APPLICATIONS: Final = (APPLY_APP, PLAN_APP, ADMIN_APP)

UNITS: Final = (
    Unit(
        stable_id("administrativeUnit Tokyo"),
        "Tokyo",
        "Everybody in Japan",
        tuple(person.id for person in PEOPLE if person.properties.get("usageLocation") == "JP"),
    ),
    Unit(
        stable_id("administrativeUnit Research"),
        "Research",
        "The Research department and its group",
        tuple(person.id for person in PEOPLE if person.properties.get("department") == "Research")
        + tuple(group.id for group in GROUPS if group.nickname == "research-all"),
    ),
)
"""Units that roles can be held over."""

CONTOSO: Final = Company(
    TENANT_ID,
    "Contoso",
    DOMAINS,
    skus=skus.SKUS,
    applications=APPLICATIONS,
    extensions=EXTENSIONS,
    people=PEOPLE,
    groups=GROUPS,
    units=UNITS,
    documents=governance.policies(),
    organization={
        "businessPhones": ["+44 20 7946 0000"],
        "city": "London",
        "onPremisesLastSyncDateTime": SYNCED_AT,
        "onPremisesSyncEnabled": True,
    },
)

AGE_IDENTITY: Final = "AGE-SECRET-KEY-1WZEDGQH8SLG8VPJCQ4L5YS90NDHCDHK2A2W8MSRR2ZJQ7G7GXCYQMYXQR7"
"""Priya's identity for the demonstration; published here, so it protects nothing."""
AGE_RECIPIENT: Final = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
