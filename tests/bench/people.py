"""Cohorts for measurements, and tenants that they are converged with.

People follow from a seed file of the sandbox; who it makes is asked of the sandbox itself,
so that files and tenant cannot differ.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import pyrage

from reconciler.sandbox.company import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.sandbox.company.model import Person

DOMAIN: Final = "measured.example"
INITIAL: Final = "measured.onmicrosoft.com"
LICENSE: Final = "SPE_E3"
SOURCE: Final = "bench"
EACH: Final = 10_000
"""People of one cohort."""
GROUPS: Final = 3
"""Groups that all people of a cohort are in."""
_RECIPIENT: Final = str(pyrage.x25519.Identity.generate().to_public())  # type: ignore[attr-defined]  # pyrage brings no types
"""Nobody needs the other half."""
_SLOT: Final = "extensionAttribute15"
_SAME: Final[Mapping[str, Any]] = {
    "businessPhones": ["+44 118 496 0000"],
    "city": "Reading",
    "companyName": "Measured Ltd",
    "employeeId": "0041207",
    "employeeType": "Employee",
    "faxNumber": "+44 118 496 0001",
    "officeLocation": "Building 2, 4.11",
    "postalCode": "RG1 1AA",
    "preferredLanguage": "en-GB",
    "state": "Berkshire",
    "streetAddress": "1 Station Road",
}
_DIFFERENT: Final = (
    "accountEnabled",
    "country",
    "department",
    "displayName",
    "givenName",
    "jobTitle",
    "mailNickname",
    "surname",
    "usageLocation",
)


def converged(folder: Path, cohorts: int) -> Path:
    """Write in *folder* the files of so many cohorts, and give the seed of their tenant.

    Each has 10,000 people with twenty fields, a licence and three groups. No manager is
    declared: no advanced query tells managers, so each fifteen people take one more request.
    """
    seed = folder / "seed.yaml"
    names = [f"cohort-{number:02}" for number in range(cohorts)]
    domains: list[Any] = [{"name": DOMAIN, "isDefault": True}, INITIAL]
    content = {
        "version": 1,
        "company": {"displayName": "Measured", "country": "GB"},
        "domains": domains,
        "skus": [{"skuPartNumber": LICENSE, "seats": cohorts * EACH + EACH}],
        "generate": [_crowd(number, name) for number, name in enumerate(names)],
    }
    folder.mkdir()
    seed.write_text(json.dumps(content), encoding="utf-8")
    files = folder / "cohorts"
    files.mkdir()
    groups = [group for name in names for group in groups_of(name)]
    (files / "tenant.yaml").write_text(tenant_file(groups), encoding="utf-8")
    everybody = _people(seed)
    for name, people in groupby(everybody, _cohort):
        lines = "".join(_entry(person) for person in people)
        (files / f"{name}.yaml").write_text(f"{head(name)}users:\n{lines}", encoding="utf-8")
    return seed


def groups_of(cohort: str) -> list[str]:
    """Name the groups that all of *cohort* are in."""
    return [f"All of {cohort}, {number}" for number in range(1, GROUPS + 1)]


def tenant_file(groups: Iterable[str], slot: str = _SLOT, roles: Iterable[str] = ()) -> str:
    """Give a tenant file that manages the licence, *groups* and *roles*."""
    return "\n".join(
        (
            "version: 1",
            f"tenant: {INITIAL}",
            f"source: {SOURCE}",
            f"ownership: {slot}",
            f"domains: [{DOMAIN}]",
            f"licenses: [{LICENSE}]",
            f"groups: {json.dumps(list(groups))}",
            f"roles: {json.dumps(list(roles))}",
            "removal: keep",
            "",
        )
    )


def head(cohort: str, groups: Iterable[str] | None = None) -> str:
    """Give what stands above the people of *cohort*: its licence, its groups, who gets told."""
    held = groups_of(cohort) if groups is None else list(groups)
    return "\n".join(
        (
            "version: 1",
            f"cohort: {cohort}",
            f"licenses: [{{sku: {LICENSE}}}]",
            f"groups: {json.dumps(held)}",
            f"credentials: {{recipients: [{_RECIPIENT}]}}",
            "",
        )
    )


def joiners(cohort: str, number: int) -> Iterator[dict[str, str]]:
    """Give so many people who are not there yet."""
    for index in range(1, number + 1):
        yield {
            "userPrincipalName": f"{cohort}.{index:04}@{DOMAIN}",
            "givenName": "Joiner",
            "surname": f"{cohort} {index}",
            "department": "Research",
            "usageLocation": "GB",
        }


def entry(fields: Mapping[str, Any]) -> str:
    """Write one person as an item of `users`."""
    lines = "\n    ".join(f"{name}: {json.dumps(value)}" for name, value in fields.items())
    return f"  - {lines}\n"


def _crowd(number: int, name: str) -> dict[str, Any]:
    mark = {"onPremisesExtensionAttributes": {_SLOT: f"{SOURCE}/{name}"}}
    return {
        "count": EACH,
        "seed": number,
        "departments": ["Research", "Sales", "Support", "Finance"],
        "jobTitles": ["Engineer", "Analyst", "Manager"],
        "countries": {"GB": 70, "DE": 20, "JP": 10},
        "licenses": {LICENSE: 100},
        "reports": 8,
        "properties": {**_SAME, **mark},
        "groups": [{"displayName": group, "size": EACH} for group in groups_of(name)],
    }


def _people(seed: Path) -> list[Person]:
    taken: set[str] = set()
    crowds = declared.company(seed).crowds
    return [person for crowd in crowds for person in crowd.people(taken)]


def _cohort(person: Person) -> str:
    slots = person.properties["onPremisesExtensionAttributes"]
    return str(slots[_SLOT]).partition("/")[2]


def _entry(person: Person) -> str:
    known = {"userPrincipalName": person.upn}
    known |= {name: person.properties[name] for name in (*_SAME, *_DIFFERENT)}
    return entry(known)
