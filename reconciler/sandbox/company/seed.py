"""Fills a new tenant with its company."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.sandbox import permissions
from reconciler.sandbox.api.roles import definition_document, grant
from reconciler.sandbox.company import skus
from reconciler.sandbox.company.contoso import (
    APPLY_APP,
    DOMAINS,
    EXTENSION_APP_ID,
    EXTENSIONS,
    GROUPS,
    KINDS,
    PEOPLE,
    PLAN_APP,
    TENANT_ID,
    Application,
    Domain,
    Group,
    Person,
    stable_id,
)
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data import accounts, passwords
from reconciler.sandbox.data.store import add_resource, set_setting, to_text, transaction
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.data.accounts import User

_FOUNDED = "2024-03-01T09:00:00Z"
_DELETED_FOR = timedelta(days=6)


def seed(db: sqlite3.Connection) -> None:
    """Write the company, with secrets of its own, into an empty tenant."""
    with transaction(db):
        set_setting(db, "tenant", TENANT_ID)
        set_setting(db, "key", secrets.token_hex(32))
        _applications(db)
        _directory(db)
        for person in PEOPLE:
            _person(db, person)
        for group in GROUPS:
            _group(db, group)
        for person in PEOPLE:
            _delete(db, person)


def _applications(db: sqlite3.Connection) -> None:
    sets = ((APPLY_APP, permissions.APPLY_SET), (PLAN_APP, permissions.PLAN_SET))
    for application, granted in sets:
        document = _application(application, granted)
        add_resource(db, "application", application.client_id, document)
        principal = {"id": application.principal_id, "appId": application.client_id}
        add_resource(db, "servicePrincipal", application.principal_id, principal)


def _application(application: Application, granted: tuple[str, ...]) -> dict[str, Any]:
    return {
        "appId": application.client_id,
        "displayName": application.name,
        "principalId": application.principal_id,
        "permissions": list(granted),
        "secret": secrets.token_urlsafe(32),
    }


def _directory(db: sqlite3.Connection) -> None:
    for domain in DOMAINS:
        add_resource(db, "domain", domain.name, _domain(domain))
    add_resource(db, "organization", TENANT_ID, _organization())
    for sku in skus.SKUS:
        add_resource(db, "sku", sku.id, skus.document(sku, TENANT_ID))
    for name, key in BUILT_IN.items():
        add_resource(db, "roleDefinition", key, definition_document(name, key))
    for name in EXTENSIONS:
        add_resource(db, "extension", name, {"name": name, "appId": EXTENSION_APP_ID})


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


def _organization() -> dict[str, Any]:
    return {
        "id": TENANT_ID,
        "deletedDateTime": None,
        "businessPhones": ["+44 20 7946 0000"],
        "city": "London",
        "country": None,
        "countryLetterCode": "GB",
        "createdDateTime": _FOUNDED,
        "defaultUsageLocation": None,
        "displayName": "Contoso",
        "onPremisesLastSyncDateTime": "2026-01-12T06:30:00Z",
        "onPremisesSyncEnabled": True,
        "preferredLanguage": "en",
        "technicalNotificationMails": ["it@contoso.com"],
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
            for domain in DOMAINS
            if domain.is_verified
        ],
    }


def _person(db: sqlite3.Connection, person: Person) -> None:
    document = {
        "accountEnabled": True,
        "createdDateTime": _FOUNDED,
        "department": person.department,
        "displayName": person.shown_name,
        "givenName": person.given_name,
        "jobTitle": person.title,
        "mailNickname": person.upn.partition("@")[0],
        "surname": person.surname,
        "usageLocation": person.country,
        "userType": "Member",
    } | person.more
    known = {name: value for name, value in document.items() if value is not None}
    # Nobody knows this password: existing people sign in with what they have.
    password = passwords.hashed(secrets.token_urlsafe(32))
    user = accounts.insert(db, person.id, person.upn, known, password=password)
    if person.manager:
        accounts.save(db, replace(user, manager=stable_id(f"user {person.manager}")))
    for part_number in person.licenses:
        _license(db, person.id, part_number)
    for role in person.roles:
        grant(db, BUILT_IN[role], person.id)


def _license(db: sqlite3.Connection, user_id: str, part_number: str, group_id: str = "") -> None:
    db.execute(
        "INSERT INTO license (user_id, sku_id, group_id, disabled, updated) "
        "VALUES (?, ?, ?, '[]', ?)",
        (user_id, skus.ID_OF[part_number], group_id, _FOUNDED),
    )


def _group(db: sqlite3.Connection, group: Group) -> None:
    document = KINDS[group.kind] | {
        "createdDateTime": _FOUNDED,
        "renewedDateTime": _FOUNDED,
        "description": group.description,
        "displayName": group.name,
        "mailNickname": group.nickname,
        "securityIdentifier": _security_identifier(group.id),
    }
    if document["mailEnabled"]:
        address = f"{group.nickname}@contoso.com"
        document |= {"mail": address, "proxyAddresses": [f"SMTP:{address}"]}
    if group.licenses:
        document["assignedLicenses"] = [
            {"skuId": skus.ID_OF[name], "disabledPlans": []} for name in group.licenses
        ]
    known = {name: value for name, value in document.items() if value is not None}
    db.execute('INSERT INTO "group" (id, document) VALUES (?, ?)', (group.id, to_text(known)))
    for upn in group.members:
        key = stable_id(f"user {upn}")
        db.execute("INSERT INTO member (group_id, member_id) VALUES (?, ?)", (group.id, key))
        for name in group.licenses:
            _license(db, key, name, group.id)


def _security_identifier(key: str) -> str:
    """Give the SID that Entra derives from an object id: its four little-endian words."""
    raw = bytes.fromhex(key.replace("-", ""))
    ordered = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    words = (int.from_bytes(ordered[n : n + 4], "little") for n in (0, 4, 8, 12))
    return "S-1-12-1-" + "-".join(str(word) for word in words)


def _delete(db: sqlite3.Connection, person: Person) -> None:
    if not person.is_deleted:
        return
    user: User = accounts.get(db, person.id)
    upn = f"{user.id.replace('-', '')}{user.upn}"
    moment = stamp(datetime.now(UTC) - _DELETED_FOR)
    accounts.save(db, replace(user, upn=upn, deleted=moment))
