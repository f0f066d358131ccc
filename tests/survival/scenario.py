"""What the runs that are killed are to bring about: a bit of everything that an apply does.

Twelve people: seven are created, two are changed, one is deleted, one is adopted and one comes
back from the recycle bin. `BEFORE` is what an earlier run has made of three of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TENANT = """\
version: 1
tenant: contoso.onmicrosoft.com
source: contoso-identity
ownership: extensionAttribute15
domains: [contoso.com]
licenses: [SPE_E5, SPE_E3, POWER_BI_PRO]
groups: [Research - All staff, Helpdesk pilot, Beta programme]
roles: [Reports Reader, Helpdesk Administrator]
removal: delete
guards: {removals: {percent: 100, minimum: 50}}
"""

_HEAD = """\
version: 1
cohort: research-2026
defaults: {{department: Research, usageLocation: GB}}
credentials: {{recipients: [{recipient}]}}
users:
"""

_BEFORE = """\
  - givenName: Owen
    surname: Old
    userPrincipalName: owen.old@contoso.com
    jobTitle: Analyst
    manager: olivia.reyes@contoso.com
    licenses: [{sku: SPE_E3}]
    groups: [Helpdesk pilot]
  - givenName: Ula
    surname: Update
    userPrincipalName: ula.update@contoso.com
    jobTitle: Analyst
    manager: priya@contoso.com
    licenses: [{sku: SPE_E5}]
    groups: [Research - All staff]
  - givenName: Leo
    surname: Leaver
    userPrincipalName: leo.leaver@contoso.com
    manager: priya@contoso.com
    licenses: [{sku: SPE_E3}, {sku: POWER_BI_PRO}]
    groups: [Research - All staff, Helpdesk pilot]
    roles: [{role: Reports Reader, justification: Monthly report}]
"""

_AFTER = """\
  - givenName: Owen
    surname: Old
    userPrincipalName: owen.old@contoso.com
    jobTitle: Senior Analyst
    manager: nova.lead@contoso.com
    licenses: [{sku: SPE_E5}]
    groups: [Research - All staff]
    roles: [{role: Reports Reader, justification: Monthly report}]
  - givenName: Ula
    surname: Update
    userPrincipalName: ula.update@contoso.com
    jobTitle: null
    manager: null
    licenses: [{sku: SPE_E5}, {sku: POWER_BI_PRO}]
    groups: [Research - All staff, Beta programme]
  - userPrincipalName: unowned.uma@contoso.com
    adopt: true
    manager: nova.lead@contoso.com
    licenses: [{sku: SPE_E5}]
    groups: [Research - All staff, Helpdesk pilot]
  - givenName: Rita
    surname: Almeida
    userPrincipalName: returning.rita@contoso.com
    jobTitle: Research Engineer
    manager: nova.lead@contoso.com
    licenses: [{sku: SPE_E5}]
    groups: [Research - All staff, Helpdesk pilot]
  - givenName: Nova
    surname: Lead
    userPrincipalName: nova.lead@contoso.com
    manager: priya@contoso.com
    licenses: [{sku: SPE_E5}]
    groups: [Research - All staff, Helpdesk pilot]
    roles: [{role: Helpdesk Administrator, justification: Leads the pilot}]
"""

CREATED = ("nova.lead", "ada.one", "ben.two", "cem.three", "dia.four", "eva.five", "fay.six")
"""Names of those whom the run creates."""
_MANAGERS = ("nova.lead", "nova.lead", "ada.one", "ada.one", "ben.two", "priya")


def _person(name: str, manager: str) -> str:
    given, surname = name.title().split(".")
    return (
        f"  - givenName: {given}\n"
        f"    surname: {surname}\n"
        f"    userPrincipalName: {name}@contoso.com\n"
        f"    manager: {manager}@contoso.com\n"
        "    licenses: [{sku: SPE_E5}]\n"
        "    groups: [Research - All staff, Helpdesk pilot]\n"
        "    roles: [{role: Reports Reader, justification: Monthly report}]\n"
    )


def write(folder: Path, recipient: str, *, is_before: bool = False) -> Path:
    """Write the tenant file and the cohort, as it was *before* or as it is to be."""
    folder.mkdir()
    people = "".join(map(_person, CREATED[1:], _MANAGERS))
    body = _BEFORE if is_before else _AFTER + people
    (folder / "tenant.yaml").write_text(TENANT, "utf-8")
    (folder / "research.yaml").write_text(_HEAD.format(recipient=recipient) + body, "utf-8")
    return folder
