from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.diagnostics import Position
from reconciler.model import Listed, Removal, RemovalLimit, TenantFile

if TYPE_CHECKING:
    from tests.config.conftest import Repository

GUID = "0f1e2d3c-0000-4000-8000-00000000ABCD"


def test_a_tenant_file_is_read_whole(repository: Repository) -> None:
    """Everything it may say, with the places of what it lists."""
    repository.write(
        "tenant.yml",
        f"""\
version: 1
tenant: contoso.onmicrosoft.com
source: contoso.identity_1-a
ownership: extension_{"0f" * 16}_cohort
domains: [contoso.com, contoso.co.jp]
licenses: [SPE_E5]
groups: [Staff, {{group: Tier 1, roleAssignable: true}}, {{group: Tier 2}}]
roles: []
removal: disable
guards:
  removals: {{percent: 50, minimum: 0}}
  protected: [breakglass@contoso.com, {GUID}]
""",
    )

    assert repository.load(".").tenant_file == TenantFile(
        source="contoso.identity_1-a",
        ownership=f"extension_{'0f' * 16}_cohort",
        tenant="contoso.onmicrosoft.com",
        domains=("contoso.com", "contoso.co.jp"),
        licenses=(Listed("SPE_E5", Position("tenant.yml", 6, 12)),),
        groups=(
            Listed("Staff", Position("tenant.yml", 7, 10)),
            Listed("Tier 1", Position("tenant.yml", 7, 25), role_assignable=True),
            Listed("Tier 2", Position("tenant.yml", 7, 64)),
        ),
        roles=(),
        removal=Removal.DISABLE,
        removals=RemovalLimit(percent=50, minimum=0),
        protected=("breakglass@contoso.com", GUID),
        position=Position("tenant.yml", 2, 9),
    )


def test_what_a_tenant_file_leaves_out_has_the_safe_value(
    repository: Repository, tenant: str
) -> None:
    """Nothing is managed that is not listed, nobody is removed, any domain will do."""
    repository.write("tenant.yaml", tenant)

    assert repository.load(".").tenant_file == TenantFile(
        source="s",
        tenant="contoso.onmicrosoft.com",
        licenses=(),
        groups=(),
        roles=(),
        position=Position("tenant.yaml", 2, 9),
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("domains: [contoso]", ("4:11: error: item 1 of domains 'contoso' must be a domain such as "
         "contoso.com\n  hint: for example, contoso.com")),
        ("domains: [ada@a.bc]", ("4:11: error: item 1 of domains 'ada@a.bc' must be a domain such "
         "as contoso.com\n  hint: write a.bc")),
        ("domains: [a.bc, A.bc]", ("4:17: error: domain 'A.bc' is given twice, first at "
         "tenant.yaml:4:11\n  hint: keep one of them")),
        ("licenses: [A, a]", ("4:15: error: license 'a' is given twice, first at tenant.yaml:4:12\n"
         "  hint: keep one of them")),
        ("groups: [A, {group: a}]", ("4:21: error: group 'a' is given twice, first at "
         "tenant.yaml:4:10\n  hint: keep one of them")),
        ("groups: [{group: A, roleAssignable: yes}]", ("4:37: error: roleAssignable must be true "
         "or false, not text\n  hint: write true or false, without quotes")),
        ("groups: [{roleAssignable: true}]", ("4:10: error: 'group' is missing in item 1 of "
         "groups\n"
         "  hint: for example, group: Tier 1 helpdesk")),
        ("groups: [[A]]", ("4:10: error: item 1 of groups must be text or a mapping of keys to "
         "values, not a list\n  hint: write - Research - All staff")),
        ("groups: {Staff: x}", ("4:9: error: groups must be a list, not a mapping of keys to "
         "values\n  hint: write each item on a line of its own, as in - Research - All staff")),
        ("licenses: [{sku: SPE_E5}]", ("4:12: error: item 1 of licenses must be text, not a "
         "mapping of keys to values\n  hint: write - SPE_E5")),
        ("roles: [{role: Reports Reader, justification: J}]", ("4:9: error: item 1 of roles must "
         "be text, not a mapping of keys to values\n  hint: write - Reports Reader")),
        ("removal: erase", ("4:10: error: removal 'erase' is not one of keep, disable, delete\n"
         "  hint: write keep, disable or delete")),
        ("removal: kep", ("4:10: error: removal 'kep' is not one of keep, disable, delete\n"
         "  hint: did you mean 'keep'?")),
        ("ownership: extensionAttribute16", ("4:12: error: ownership 'extensionAttribute16' must "
         "be extensionAttribute1 to extensionAttribute15, "
         "or extension_<32 hexadecimal digits>_<name>\n"
         "  hint: write extensionAttribute15, or one of the others from 1 to 15")),
        ("ownership: employeeId", ("4:12: error: ownership 'employeeId' must "
         "be extensionAttribute1 to extensionAttribute15, "
         "or extension_<32 hexadecimal digits>_<name>\n  hint: for example, extensionAttribute15")),
        ("guards: {removals: {percent: 250}}", ("4:30: error: percent must be at most 100, not "
         "250\n  hint: write a whole number from 0 to 100")),
        ("guards: {removals: {minimum: ten}}", ("4:30: error: minimum must be a whole number, not "
         "text\n  hint: write decimal digits, without quotes")),
        ("guards: {removals: {percent: -1}}", ("4:30: error: percent must be a whole number, not "
         "text\n  hint: write a whole number from 0 to 100")),
        ("guards: {removals: {percent: 1.5}}", ("4:30: error: percent must be a whole number, not "
         "text\n  hint: write a whole number from 0 to 100")),
        ("guards: {protected: [root]}", ("4:22: error: item 1 of protected 'root' must be a user "
         "principal name or an object id\n  hint: for example, breakglass@contoso.com")),
        ("guards: {protected: [a@b.cd, A@b.cd]}", ("4:30: error: account 'A@b.cd' is given twice, "
         "first at tenant.yaml:4:22\n  hint: keep one of them")),
        ("guards: {removals: {minimums: 1}}", ("4:21: error: unknown key 'minimums'\n"
         "  hint: did you mean 'minimum'?")),
        ("sources: x", "4:1: error: unknown key 'sources'\n  hint: did you mean 'source'?"),
    ],
)  # fmt: skip
def test_a_tenant_file_with_a_mistake_is_refused(
    repository: Repository, tenant: str, written: str, told: str
) -> None:
    """Each mistake is told with its place."""
    repository.write("tenant.yaml", f"{tenant}{written}\n")

    assert repository.told(".") == [f"tenant.yaml:{told}"]


def test_a_source_holds_no_slash(repository: Repository, tenant: str) -> None:
    """The slash in a mark divides the source from the cohort."""
    repository.write("tenant.yaml", tenant.replace("source: s", "source: a/b"))

    assert repository.told(".") == [
        (
            "tenant.yaml:3:9: error: source 'a/b' must be letters, digits, dots, underscores and "
            "hyphens\n  hint: it holds U+002F SOLIDUS"
        )
    ]


def test_a_broken_tenant_file_does_not_accuse_the_cohorts(
    repository: Repository, tenant: str, head: str
) -> None:
    """What cannot be relied on is not compared with."""
    repository.write("tenant.yaml", f"{tenant}licenses: SPE_E5\n")
    repository.write("c.yaml", f"{head}licenses: [{{sku: SPE_E5}}]\nusers: []\n")
    repository.write("d.yaml", "version: 1\ncohort: d\nusers: [{}]\n")

    assert [message.partition("\n")[0] for message in repository.told(".")] == [
        "d.yaml:2:9: error: 'credentials' is missing: nobody could open the initial credentials",
        "d.yaml:3:9: error: 'userPrincipalName' is missing in item 1 of users",
        "tenant.yaml:4:11: error: licenses must be a list, not text",
    ]


def test_an_unreadable_tenant_file_does_not_accuse_the_cohorts(
    repository: Repository, head: str
) -> None:
    """It is told by itself."""
    repository.write("tenant.yaml", "[")
    repository.write("c.yaml", f"{head}groups: [A]\nusers: []\n")

    (told,) = repository.told(".")

    assert told.startswith("tenant.yaml:2:1: error: the file ends inside of brackets")


ASKING = """\
licenses: [{sku: spe_e5}, {sku: SPE_E6}]
groups: [staff, Stuff, Xyz]
roles: [{role: Reader, justification: J}]
users:
  - userPrincipalName: a@contosso.com
    displayName: A
    licenses: [{sku: FLOW}]
  - {userPrincipalName: b@CONTOSO.com, displayName: B}
  - {userPrincipalName: c@example.org, displayName: C}
"""


def test_cohorts_may_only_ask_for_what_the_tenant_file_lists(
    repository: Repository, tenant: str, head: str
) -> None:
    """Names are compared without case; who asks for another is told whom to ask."""
    repository.write(
        "tenant.yaml", f"{tenant}domains: [contoso.com]\nlicenses: [SPE_E5]\ngroups: [Staff]\n"
    )
    repository.write("c.yaml", f"{head}{ASKING}")
    add = "an identity administrator can add it to tenant.yaml"

    assert repository.told(".") == [
        (
            "c.yaml:4:33: error: license 'SPE_E6' is not listed in tenant.yaml\n"
            "  hint: did you mean 'SPE_E5'?"
        ),
        (
            "c.yaml:5:17: error: group 'Stuff' is not listed in tenant.yaml\n"
            "  hint: did you mean 'Staff'?"
        ),
        f"c.yaml:5:24: error: group 'Xyz' is not listed in tenant.yaml\n  hint: {add}",
        f"c.yaml:6:16: error: role 'Reader' is not listed in tenant.yaml\n  hint: {add}",
        (
            "c.yaml:8:24: error: domain 'contosso.com' is not listed in tenant.yaml\n"
            "  hint: did you mean 'contoso.com'?"
        ),
        f"c.yaml:10:22: error: license 'FLOW' is not listed in tenant.yaml\n  hint: {add}",
        f"c.yaml:12:25: error: domain 'example.org' is not listed in tenant.yaml\n  hint: {add}",
    ]


@pytest.mark.parametrize(
    ("listed", "asked"),
    [(GUID, "SPE_E5"), ("SPE_E5", GUID), (GUID, GUID.lower())],
    ids=["ids are listed", "an id is asked for", "ids on both sides"],
)
def test_an_id_and_a_name_are_left_to_the_live_guard(
    repository: Repository, tenant: str, head: str, listed: str, asked: str
) -> None:
    """Offline, nobody can tell whether an id and a name are the same thing."""
    repository.write("tenant.yaml", f"{tenant}licenses: [{listed}]\n")
    repository.write("c.yaml", f"{head}licenses: [{{sku: {asked}}}]\nusers: []\n")

    assert repository.load(".").cohorts[0].name == "c"


def test_duplicates_across_files_name_both_places(repository: Repository, head: str) -> None:
    """A cohort's name and a person belong to one file each, whatever else is wrong there."""
    users = "users:\n  - {userPrincipalName: Ada@b.cd, displayName: A}\n"
    repository.write("a.yaml", head + users)
    repository.write("b.yaml", head + users.replace("Ada", "ada").replace("A}", "'', wrong: 1}"))

    assert [message.partition("\n")[0] for message in repository.told(".")] == [
        "b.yaml:2:9: error: cohort 'c' is given twice, first at a.yaml:2:9",
        "b.yaml:5:25: error: user 'ada@b.cd' is given twice, first at a.yaml:5:25",
        "b.yaml:5:48: error: displayName is empty",
        "b.yaml:5:52: error: unknown key 'wrong'",
    ]


def test_managers_in_a_ring_are_told_with_every_place(repository: Repository, head: str) -> None:
    """Each ring is told once, however many people lead into it, across files too."""
    people = {"a": "b", "b": "C", "c": "a", "d": "a", "e": "f", "f": "e", "g": "outside", "h": "g"}
    entries = [
        f"  - {{userPrincipalName: {name}@b.cd, displayName: X, manager: {manager}@b.cd}}\n"
        for name, manager in people.items()
    ]
    repository.write("c.yaml", f"{head}users:\n{''.join(entries[:2])}")
    repository.write(
        "d.yaml",
        f"{head.replace('cohort: c', 'cohort: d')}users:\n{''.join(entries[2:])}",
    )

    assert repository.told(".") == [
        (
            "c.yaml:5:58: error: managers form a ring: a@b.cd → b@b.cd → c@b.cd → a@b.cd\n"
            "  hint: change one of c.yaml:5:58, c.yaml:6:58, d.yaml:5:58"
        ),
        (
            "d.yaml:7:58: error: managers form a ring: e@b.cd → f@b.cd → e@b.cd\n"
            "  hint: change one of d.yaml:7:58, d.yaml:8:58"
        ),
    ]


def test_a_long_ring_is_cut_short(repository: Repository, head: str) -> None:
    """Six names show that it is a ring."""
    users = "".join(
        f"  - {{userPrincipalName: u{n}@b.cd, displayName: X, manager: u{(n + 1) % 9}@b.cd}}\n"
        for n in range(9)
    )

    (told,) = repository.told_of(f"{head}users:\n{users}")

    assert "u5@b.cd → …\n" in told
