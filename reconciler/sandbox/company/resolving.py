"""Whom and what the names in a seed file mean, and what is wrong with those that mean nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic
from reconciler.sandbox.company.contoso import APPLICATIONS
from reconciler.sandbox.company.governance import DEFAULT_RULES
from reconciler.sandbox.company.model import object_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import KNOWN, Sku
from reconciler.sandbox.data.countries import CODES
from reconciler.text import counted, did_you_mean, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.sandbox.company.model import Domain
    from reconciler.sandbox.documents import Document

Step = str | int


class Resolving:
    """The names of one file; *problems* are what they do not mean."""

    def __init__(self, text: Document, tenant_id: str, domains: tuple[Domain, ...]) -> None:
        self._text = text
        self._root: dict[str, Any] = text.root
        self.tenant_id = tenant_id
        self.domains = {domain.name.lower(): domain for domain in domains}
        self.default_domain = next(domain.name for domain in domains if domain.is_default)
        self.problems: list[Diagnostic] = []
        self.skus: dict[str, Sku] = {}
        """By part number."""
        self.people: dict[str, str] = {}
        """Ids by UPN, in small letters."""
        self.group_ids: list[str] = []
        self.application_ids: list[str] = []
        self.principals = {app.client_id: app.principal_id for app in APPLICATIONS}
        """Ids of service principals by client id."""
        self._groups: dict[str, str] = {}
        self._applications: dict[str, str] = {}
        self._seats: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()

    def tell(self, summary: str, hint: str | None, *path: Step) -> None:
        """Note what is wrong at *path*."""
        self.problems.append(Diagnostic(summary, hint, self._text.at(*path)))

    def made_id(self, name: str) -> str:
        """Give the id of an object that the file gives none."""
        return object_id(self.tenant_id, name)

    def index(self) -> None:
        """Read all names that others may refer to."""
        for number, given in enumerate(self._root["domains"]):
            name = given if isinstance(given, str) else given["name"]
            self.is_new("domains", name, "domains", number)
        for number, name in enumerate(self._root.get("extensions") or ()):
            self.is_new("extensions", name, "extensions", number)
        for number, given in enumerate(self._root.get("skus") or ()):
            self._sku(number, given)
        for number, given in enumerate(self._root.get("people") or ()):
            upn = given["userPrincipalName"]
            key = self._id(given, f"user {upn}", "people", number)
            self.people.setdefault(upn.lower(), key)
        for number, given in enumerate(self._root.get("groups") or ()):
            self._group(number, given)
        for given in self._root.get("applications") or ():
            self._application(given)

    def _id(self, given: dict[str, Any], name: str, *path: Step) -> str:
        """Give the id of an object, which is its own or made from *name*."""
        own = given.get("id")
        if own is None:
            return self.made_id(name)
        self.is_new("objects", own, *path, "id")
        return str(own).lower()

    def _sku(self, number: int, given: dict[str, Any]) -> None:
        name = given["skuPartNumber"]
        path = ("skus", number, "skuPartNumber")
        sku = _sku_of(given)
        if sku is None:
            near = did_you_mean(name, KNOWN)
            hint = near or "describe it: give its skuId and servicePlans"
            self.tell(f"the SKU '{visible(name)}' is not known", hint, *path)
        elif self.is_new("SKUs", name, *path):
            self.skus[name] = sku

    def _group(self, number: int, given: dict[str, Any]) -> None:
        name = given["displayName"]
        # A tenant may have several groups of one name; theirs differ by their number.
        again = f" {number}" if name in self._groups else ""
        key = self._id(given, f"group {name}{again}", "groups", number)
        self.group_ids.append(key)
        self._groups.setdefault(name, key)
        unique = given.get("uniqueName")
        if unique and self.is_new("unique names of groups", unique, "groups", number, "uniqueName"):
            self._groups.setdefault(unique, key)

    def _application(self, given: dict[str, Any]) -> None:
        name = given["displayName"]
        key = (given.get("clientId") or self.made_id(f"application {name}")).lower()
        self.application_ids.append(key)
        principal = self.principals.setdefault(key, self.made_id(f"servicePrincipal {key}"))
        self._applications |= {name: principal, key: principal}

    def is_new(self, kind: str, name: str, *path: Step) -> bool:
        """Whether *name* is there for the first time; tells it when it is not."""
        entry = (kind, name.lower())
        if entry in self._seen:
            self.tell(f"there are two {kind} called '{visible(name)}'", "rename one", *path)
            return False
        self._seen.add(entry)
        return True

    def check_domain(self, upn: str, *path: Step) -> None:
        """Tell of a UPN whose domain the company does not have, or has not verified."""
        name = upn.partition("@")[2].lower()
        domain = self.domains.get(name)
        if domain is None:
            hint = did_you_mean(name, self.domains) or "add it to domains"
            self.tell(f"'{visible(upn)}' lives in a domain that is not there", hint, *path)
        elif not domain.is_verified:
            self.tell(f"the domain of '{visible(upn)}' is not verified", None, *path)

    def check_country(self, code: str | None, *path: Step) -> None:
        """Tell of what is no country."""
        if code is not None and code not in CODES:
            summary = f"'{visible(code)}' is not an ISO 3166-1 alpha-2 code"
            self.tell(summary, "write two capitals, such as GB", *path)

    def check_extensions(self, given: Iterable[str], *path: Step) -> None:
        """Tell of directory extensions that nobody registered."""
        known = self._root.get("extensions") or ()
        for name in given:
            if name.startswith("extension_") and name not in known:
                hint = did_you_mean(name, known) or "add it to extensions"
                self.tell(f"the extension '{visible(name)}' is not registered", hint, *path, name)

    def manager(self, given: dict[str, Any], own: str, *path: Step) -> str | None:
        """Give the id of somebody's manager."""
        upn = given.get("manager")
        if upn is None:
            return None
        key = self.people.get(upn.lower())
        if key is None:
            hint = did_you_mean(upn, self.people) or "add the manager to people"
            self.tell(f"the manager '{visible(upn)}' is not there", hint, *path, "manager")
        elif key == own:
            self.tell(f"'{visible(upn)}' cannot be their own manager", None, *path, "manager")
        return key

    def members(self, given: dict[str, Any], *path: Step) -> tuple[str, ...]:
        """Give the ids of members: people and groups."""
        return self._references(given, "members", self.people | self._groups, *path)

    def owners(self, given: dict[str, Any], *path: Step) -> tuple[str, ...]:
        """Give the ids of owners: people and service principals."""
        return self._references(given, "owners", self.people | self._applications, *path)

    def _references(
        self, given: dict[str, Any], key: str, known: dict[str, str], *path: Step
    ) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for number, name in enumerate(given.get(key) or ()):
            meant = known.get(name) or known.get(name.lower())
            if meant is None:
                hint = did_you_mean(name, known)
                self.tell(f"'{visible(name)}' is not there", hint, *path, key, number)
            else:
                found[meant] = None
        return tuple(found)

    def licenses(self, given: dict[str, Any], *path: Step) -> tuple[str, ...]:
        """Give the ids of SKUs that somebody holds."""
        found = {
            self.sku(name, *path, "licenses", number): None
            for number, name in enumerate(given.get("licenses") or ())
        }
        return tuple(key for key in found if key)

    def sku(self, name: str, *path: Step) -> str:
        """Give the id of a SKU that people can hold."""
        sku = self.skus.get(name)
        if sku is None:
            hint = did_you_mean(name, self.skus) or "add it to skus"
            self.tell(f"the company has no SKU '{visible(name)}'", hint, *path)
            return ""
        if sku.applies_to != "User":
            self.tell(f"the SKU '{visible(name)}' is not for people", None, *path)
        return sku.id

    def take_seats(self, sku_ids: Iterable[str], number: int = 1) -> None:
        """Count seats that are taken directly."""
        for key in sku_ids:
            self._seats[key] += number

    def check_seats(self) -> None:
        """Tell of SKUs of which more licenses are held than seats were bought."""
        for number, given in enumerate(self._root.get("skus") or ()):
            sku = self.skus.get(given["skuPartNumber"])
            if sku and self._seats[sku.id] > sku.enabled:
                held = counted(self._seats[sku.id], "license")
                seats = counted(sku.enabled, "seat")
                self.tell(
                    f"{held} of {visible(sku.part_number)} for {seats}",
                    f"write seats: {self._seats[sku.id]} or more",
                    *("skus", number, "seats"),
                )

    def roles(self, given: dict[str, Any], key: str, *path: Step) -> tuple[str, ...]:
        """Give the ids of directory roles."""
        names = dict.fromkeys(given.get(key) or ())
        return tuple(self.role(name, *path, key, n) for n, name in enumerate(names))

    def role(self, name: str, *path: Step) -> str:
        """Give the id of a directory role."""
        key = BUILT_IN.get(name, "")
        if not key:
            self.tell(f"there is no role '{visible(name)}'", did_you_mean(name, BUILT_IN), *path)
        return key

    def rules(self, given: dict[str, Any], *path: Step) -> dict[str, Any]:
        """Give the rules of a role, completed by those of Entra."""
        for name in given:
            if name not in DEFAULT_RULES:
                hint = did_you_mean(name, DEFAULT_RULES)
                self.tell(f"there is no rule '{visible(name)}'", hint, *path, name)
        return {name: {**DEFAULT_RULES.get(name, {}), **content} for name, content in given.items()}


def _sku_of(given: dict[str, Any]) -> Sku | None:
    """Give the subscription of an entry: Microsoft's, or its own; None for neither."""
    name = given["skuPartNumber"]
    plans = given.get("servicePlans")
    if "skuId" in given and plans:
        own = tuple((plan["servicePlanName"], plan["servicePlanId"].lower()) for plan in plans)
        sku = Sku(name, given["skuId"].lower(), 0, own_plans=own)
    elif name in KNOWN:
        sku = KNOWN[name]
    else:
        return None
    return replace(
        sku,
        enabled=given["seats"],
        status=given.get("status", "Enabled"),
        applies_to=given.get("appliesTo", sku.applies_to),
    )
