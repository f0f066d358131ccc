"""Fills a new tenant with its company, in one transaction."""

from __future__ import annotations

import secrets
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.api.roles import definition_document, grant
from reconciler.sandbox.company import governance, skus
from reconciler.sandbox.company.filling import Filling
from reconciler.sandbox.company.model import FOUNDED, object_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data import store
from reconciler.sandbox.data.store import add_resource, set_setting, transaction

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.company.model import Application, Company, Domain, Unit

DECLARED: Final = "hasDeclaredCertificate"
"""Marks an application whose certificate is the seed file's, and stays."""


def fill(db: sqlite3.Connection, company: Company) -> None:
    """Write *company*, with secrets of its own, into an empty tenant."""
    with transaction(db):
        set_setting(db, "tenant", company.tenant_id)
        set_setting(db, "domain", company.initial_domain)
        set_setting(db, "key", secrets.token_hex(32))
        set_setting(db, "company", company.digest)
        for application in company.applications:
            _application(db, application)
        _directory(db, company)
        filling = Filling(db, company)
        taken = {person.upn.lower() for person in company.people}
        filling.people(chain(company.people, *(crowd.people(taken) for crowd in company.crowds)))
        filling.groups(chain(company.groups, *(crowd.groups() for crowd in company.crowds)))
        for application in company.applications:
            for role in application.roles:
                grant(db, role, application.principal_id)
        for unit in company.units:
            _unit(db, unit)
        for document in company.documents:
            add_resource(db, document.kind, document.id, dict(document.content))
        governance.fill(db)
        store.add_indexes(db)


def company_of(db: sqlite3.Connection) -> str | None:
    """Give the digest of the company that a tenant was filled with."""
    row = db.execute("SELECT value FROM setting WHERE name = 'company'").fetchone()
    return None if row is None else str(row[0])


def _application(db: sqlite3.Connection, application: Application) -> None:
    document: dict[str, Any] = {
        "id": object_id(application.principal_id, "application"),
        "appId": application.client_id,
        "displayName": application.name,
        "principalId": application.principal_id,
        "permissions": list(application.permissions),
        "secret": application.secret or secrets.token_urlsafe(32),
    }
    if application.certificate:
        document |= {"certificate": application.certificate, DECLARED: True}
    if application.credentials:
        document["federatedIdentityCredentials"] = [
            {
                "name": credential.name,
                "issuer": credential.issuer,
                "subject": credential.subject,
                "audiences": list(credential.audiences),
                **({"jwks": credential.jwks} if credential.jwks else {}),
            }
            for credential in application.credentials
        ]
    add_resource(db, "application", application.client_id, document)
    principal = {"id": application.principal_id, "appId": application.client_id}
    add_resource(db, "servicePrincipal", application.principal_id, principal)


def _directory(db: sqlite3.Connection, company: Company) -> None:
    for domain in company.domains:
        add_resource(db, "domain", domain.name, _domain(domain))
    add_resource(db, "organization", company.tenant_id, _organization(company))
    account = company.initial_domain.partition(".")[0]
    for sku in company.skus:
        add_resource(db, "sku", sku.id, skus.document(sku, company.tenant_id, account))
    for name, key in BUILT_IN.items():
        add_resource(db, "roleDefinition", key, definition_document(name, key))
    for name in company.extensions:
        add_resource(db, "extension", name, {"name": name, "appId": _application_of(name)})


def _application_of(extension: str) -> str:
    """Give the application that registered a directory extension, from the extension's name."""
    digits = extension.split("_")[1]
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts).lower()


def _domain(domain: Domain) -> dict[str, Any]:
    return {
        "id": domain.name,
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": domain.is_default,
        "isInitial": domain.is_initial,
        "isRoot": True,
        "isVerified": domain.is_verified,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        "state": None,
    }


def _organization(company: Company) -> dict[str, Any]:
    return {
        "id": company.tenant_id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": company.country,
        "createdDateTime": FOUNDED,
        "defaultUsageLocation": company.usage_location,
        "displayName": company.name,
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "preferredLanguage": "en",
        "technicalNotificationMails": [f"it@{company.default_domain}"],
        "tenantType": "AAD",
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": domain.is_default,
                "isInitial": domain.is_initial,
                "name": domain.name,
                "type": "Managed",
            }
            for domain in company.domains
            if domain.is_verified
        ],
        **company.organization,
    }


def _unit(db: sqlite3.Connection, unit: Unit) -> None:
    document = {"id": unit.id, "displayName": unit.name, "description": unit.description}
    add_resource(db, "administrativeUnit", unit.id, document)
    rows = [(unit.id, member) for member in unit.members]
    db.executemany("INSERT INTO member (group_id, member_id) VALUES (?, ?)", rows)
