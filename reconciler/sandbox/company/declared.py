"""A seed file becomes a company, once everything in it fits together.

Names are resolved to ids here, so that what cannot be resolved is told with its place.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_DNS, uuid5

import orjson

from reconciler.diagnostics import in_order
from reconciler.errors import InputError
from reconciler.sandbox import wording
from reconciler.sandbox.company import fitting, governance, written
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP
from reconciler.sandbox.company.crowds import Crowds
from reconciler.sandbox.company.model import (
    FOUNDED,
    SYNCED_AT,
    Application,
    Company,
    Document,
    Domain,
    FederatedCredential,
    Group,
    Person,
    Unit,
)
from reconciler.sandbox.company.names import in_address
from reconciler.sandbox.company.resolving import Resolving
from reconciler.sandbox.data import passwords

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.documents import Document as File

_INITIAL: Final = ".onmicrosoft.com"
_ABOUT: Final = frozenset(
    ("userPrincipalName", "id", "manager", "licenses", "roles", "password", "synced", "deleted")
) | {"guest"}
"""What is told of a person and is no property."""


def company(file: Path) -> Company:
    """Give the company that *file* tells of.

    Raises a `UsageError` when it cannot be read, an `InputError` with all that is wrong in it.
    """
    text = written.read(file)
    found = in_order(wording.problems(text, written.schema()))
    if found:
        raise InputError(found)
    declaring = _Declaring(text)
    made = declaring.company()
    if declaring.problems:
        raise InputError(in_order(declaring.problems))
    return made


class _Declaring:
    """One file on its way; *problems* are what does not fit together."""

    def __init__(self, text: File) -> None:
        self._root: dict[str, Any] = text.root
        self._domains = self._declared_domains()
        self._initial = next(domain.name for domain in self._domains if domain.is_initial)
        own = self._root["company"].get("tenantId")
        tenant = own.lower() if own else str(uuid5(NAMESPACE_DNS, self._initial))
        self._resolving = Resolving(text, tenant, self._domains)
        self.problems = self._resolving.problems

    def company(self) -> Company:
        """Give the company; what is wrong in it is among the problems."""
        about, find = self._root["company"], self._resolving
        find.index()
        find.check_country(about.get("country"), "company", "country")
        find.check_country(about.get("defaultUsageLocation"), "company", "defaultUsageLocation")
        made = Company(
            find.tenant_id,
            about["displayName"],
            self._domains,
            about.get("country", "US"),
            about.get("defaultUsageLocation"),
            skus=tuple(find.skus.values()),
            applications=self._applications(),
            extensions=tuple(self._root.get("extensions", ())),
            people=tuple(self._person(n, given) for n, given in self._listed("people")),
            groups=tuple(self._group(n, given) for n, given in self._listed("groups")),
            units=tuple(self._unit(n, given) for n, given in self._listed("administrativeUnits")),
            documents=self._policies(),
            crowds=Crowds(find).all(self._listed("generate")),
            digest=hashlib.sha256(
                orjson.dumps(self._root, option=orjson.OPT_SORT_KEYS)
            ).hexdigest(),
        )
        find.check_seats()
        fitting.check(find, made.people, made.groups)
        return made

    def _listed(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        return list(enumerate(self._root.get(key) or ()))

    def _declared_domains(self) -> tuple[Domain, ...]:
        given: list[dict[str, Any]] = [
            {"name": entry} if isinstance(entry, str) else entry for entry in self._root["domains"]
        ]
        known = [
            Domain(
                entry["name"],
                is_verified=entry.get("isVerified", True),
                is_default=entry.get("isDefault", False),
                is_initial=entry["name"].endswith(_INITIAL),
            )
            for entry in given
        ]
        if not any(domain.is_initial for domain in known):
            # Every tenant of Entra has one.
            label = in_address(self._root["company"]["displayName"]).replace("-", "")
            known.insert(0, Domain(f"{label or 'company'}{_INITIAL}", is_initial=True))
        if not any(domain.is_default for domain in known):
            verified = [n for n, domain in enumerate(known) if domain.is_verified]
            others = [n for n in verified if not known[n].is_initial]
            first = (others or verified or [0])[0]
            known[first] = replace(known[first], is_default=True)
        return tuple(known)

    def _person(self, number: int, given: dict[str, Any]) -> Person:
        path = ("people", number)
        find = self._resolving
        upn = given["userPrincipalName"]
        key = find.people[upn.lower()]
        if find.is_new("people", upn, *path, "userPrincipalName"):
            fitting.check_upn(find, upn, *path, "userPrincipalName")
            find.check_domain(upn, *path, "userPrincipalName")
        find.check_extensions(given, *path)
        find.check_country(given.get("usageLocation"), *path, "usageLocation")
        licenses = find.licenses(given, *path)
        if not given.get("deleted"):
            find.take_seats(licenses)
        password = given.get("password")
        if password is not None and not passwords.is_acceptable(password, self._initial):
            find.tell(
                f"the password of {upn} is weaker than Entra takes",
                "at least 8 characters of three kinds, and no banned word",
                *path,
                "password",
            )
        return Person(
            key,
            upn,
            _properties(given),
            find.manager(given, key, *path),
            licenses,
            find.roles(given, "roles", *path),
            bool(given.get("deleted")),
            password,
        )

    def _group(self, number: int, given: dict[str, Any]) -> Group:
        path = ("groups", number)
        find = self._resolving
        name, kind = given["displayName"], given.get("kind", "security")
        if given.get("roles") and kind != "roleAssignable":
            find.tell(
                "only a role-assignable group holds roles",
                "add kind: roleAssignable",
                *path,
                "roles",
            )
        more = ("description", "uniqueName", "membershipRule")
        return Group(
            find.group_ids[number],
            name,
            given.get("mailNickname") or in_address(name) or "group",
            kind,
            find.members(given, *path),
            find.owners(given, *path),
            find.licenses(given, *path),
            find.roles(given, "roles", *path),
            {key: given[key] for key in more if given.get(key)},
        )

    def _unit(self, number: int, given: dict[str, Any]) -> Unit:
        path = ("administrativeUnits", number)
        find = self._resolving
        name = given["displayName"]
        find.is_new("administrative units", name, *path, "displayName")
        key = given.get("id") or find.made_id(f"{governance.UNIT} {name}")
        return Unit(key.lower(), name, given.get("description"), find.members(given, *path))

    def _applications(self) -> tuple[Application, ...]:
        """Give the built-in applications, as the file changes them, and its own."""
        name = self._root["company"]["displayName"]
        called = {APPLY_APP: "identity (apply)", PLAN_APP: "identity (plan)"}
        called[ADMIN_APP] = "administration"
        known = {app.client_id: replace(app, name=f"{name} {n}") for app, n in called.items()}
        for number, given in self._listed("applications"):
            path = ("applications", number)
            find = self._resolving
            key = find.application_ids[number]
            find.is_new("applications", key, *path, "displayName")
            standard = known.get(key)
            made = Application(
                given["displayName"],
                key,
                find.principals[key],
                tuple(given.get("permissions", standard.permissions if standard else ())),
                find.roles(given, "directoryRoles", *path) or (standard.roles if standard else ()),
                given.get("secret"),
                given.get("certificate"),
                tuple(map(_credential, given.get("federatedIdentityCredentials") or ())),
            )
            known[key] = made
        return tuple(known.values())

    def _policies(self) -> tuple[Document, ...]:
        given = self._root.get("policies") or {}
        found = []
        if "temporaryAccessPass" in given:
            content = {**governance.ACCESS_PASS_POLICY, **given["temporaryAccessPass"]}
            found.append(Document(governance.METHOD_POLICY, governance.ACCESS_PASS, content))
        for name, rules in (given.get("roles") or {}).items():
            path = ("policies", "roles", name)
            role = self._resolving.role(name, *path)
            checked = self._resolving.rules(rules, *path)
            found.append(Document(governance.ROLE_POLICY, role, {"rules": checked}))
        return tuple(found)


def _credential(given: dict[str, Any]) -> FederatedCredential:
    return FederatedCredential(
        given["name"],
        given["issuer"],
        given["subject"],
        tuple(given.get("audiences") or ("api://AzureADTokenExchange",)),
        given.get("jwks"),
    )


def _properties(given: dict[str, Any]) -> dict[str, Any]:
    upn = given["userPrincipalName"]
    names = (given.get("givenName"), given.get("surname"))
    known: dict[str, Any] = {
        "accountEnabled": True,
        "createdDateTime": FOUNDED,
        "displayName": " ".join(name for name in names if name) or upn.partition("@")[0],
        "mailNickname": upn.partition("@")[0],
        "userType": "Guest" if given.get("guest") else "Member",
    }
    if given.get("guest"):
        known["creationType"] = "Invitation"
    if given.get("synced"):
        known |= {"onPremisesSyncEnabled": True, "onPremisesLastSyncDateTime": SYNCED_AT}
    if given.get("password"):
        known["passwordProfile"] = {
            "forceChangePasswordNextSignIn": False,
            "forceChangePasswordNextSignInWithMfa": False,
        }
    known |= {name: value for name, value in given.items() if name not in _ABOUT}
    return {name: value for name, value in known.items() if value is not None}
