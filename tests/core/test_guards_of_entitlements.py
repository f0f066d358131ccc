from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from reconciler.diagnostics import Position
from reconciler.model import (
    DeclaredRole,
    Listed,
    ObjectId,
    RoleDefinition,
    TenantFile,
)

if TYPE_CHECKING:
    from reconciler.model import FieldValue, Group
    from tests.core.conftest import Given

GB: dict[str, FieldValue] = {"usageLocation": "GB"}


@dataclass(frozen=True)
class Traits:
    """What makes a group one whose members cannot be written."""

    types: tuple[str, ...] = ()
    synced: bool = False
    mail: bool = False

    def given_to(self, group: Group) -> Group:
        """Give *group* with these."""
        return replace(
            group,
            group_types=self.types,
            on_premises_sync_enabled=self.synced,
            mail_enabled=self.mail,
        )


def test_unlisted_entitlements(given: Given) -> None:
    """A cohort that writes ids cannot get round what the tenant file lists."""
    person = given.person(
        licenses=["id-FLOW_FREE"], groups=["id-Book club"], roles=["id-Guest Inviter"], fields=GB
    )
    told = [
        f"cohorts/beta.yaml:{line}:1: error: {kind} '{name}' is not listed in the tenant file\n"
        f"  hint: an identity administrator can add it under `{kind}s:` in the tenant file"
        for line, kind, name in (
            (4, "license", "FLOW_FREE"),
            (5, "group", "Book club"),
            (6, "role", "Guest Inviter"),
        )
    ]
    by_name = given.person(licenses=["SPE_E5"], groups=["Lab"], roles=["Reader"], fields=GB)
    by_id = replace(
        given.file,
        licenses=(Listed("id-SPE_E5", Position("t")),),
        groups=(Listed("id-Lab", Position("t")),),
        roles=(Listed("id-Reader", Position("t")),),
    )

    assert given.refusals(given.desired(person), given.observed()) == told
    assert given.refusals(given.desired(person, file=TenantFile()), given.observed()) == []
    assert given.refusals(given.desired(by_name, file=by_id), given.observed()) == []


@pytest.mark.parametrize(
    ("role_id", "is_built_in", "told"),
    [
        ("62e90394-69f5-4237-9190-012177145e10", True, "is privileged"),
        ("5d6b6bb7-de71-4623-b4af-96380a352509", True, "is privileged"),
        ("be2f45a1-457d-42af-a067-6ec1fa63bc45", True, "is privileged"),
        ("58f930cc-fcf4-4152-852c-1d7dbf502139", True, "is privileged"),
        ("1981f584-96e9-4a6f-95b0-f522373f8fae", True, "is privileged"),
        ("d29b2b05-8046-44ba-8758-1e26182fcf32", True, "is privileged"),
        ("0f0f0f0f-0000-4000-8000-000000000001", False, "is the tenant's own"),
    ],
    ids=[
        "takes over the tenant",
        "reads its security",
        "lets others sign in",
        "new in 2026",
        "labelled in 2026",
        "of a service",
        "custom",
    ],
)
def test_privileged_roles(given: Given, role_id: str, told: str, *, is_built_in: bool) -> None:
    """A role that is privileged, or whose reach nobody knows, has to be in a tenant file."""
    definition = RoleDefinition(ObjectId(role_id), "Big\x1bRole", is_built_in)
    observed = replace(given.observed(), role_definitions=(*given.roles, definition))
    role = DeclaredRole(role_id, "why", None, Position("cohorts/beta.yaml", 6, 5))
    person = given.person(roles=[role])
    file = replace(given.file, roles=(Listed(role_id, role.position),))

    assert given.refusals(given.desired(person, file=TenantFile()), observed) == [
        (
            rf"cohorts/beta.yaml:6:5: error: role 'Big\u{{1b}}Role' {told}, and there is no tenant "
            "file that allows it\n"
            "  hint: list it under `roles:` in a tenant file that identity administrators guard"
        )
    ]
    assert given.refusals(given.desired(person, file=file), observed) == []
    harmless = given.desired(given.person(roles=["Reader"]), file=TenantFile())
    assert given.refusals(harmless, observed) == []


UNWRITABLE = {
    "is dynamic: its rule decides who is a member\n  hint: change the person's properties so that "
    "the rule applies, or name an assigned group": Traits(("DynamicMembership",), synced=True),
    "is synced from on-premises and cannot be changed in the cloud\n  hint: change the membership "
    "in Active Directory, or name a cloud group": Traits(synced=True, mail=True),
    "is a distribution list or mail-enabled security group, which Graph cannot change\n  hint: "
    "change it in Exchange, or name a security or Microsoft 365 group": Traits(mail=True),
}


@pytest.mark.parametrize(
    ("told", "traits"), UNWRITABLE.items(), ids=["dynamic", "synced", "mail-enabled"]
)
def test_unwritable_group(given: Given, told: str, traits: Traits) -> None:
    """A group whose members cannot be written is refused where it is asked for and listed."""
    observed = given.with_group(given.observed(), traits.given_to(given.group("Staff")))
    people = [given.person(name, groups=["staff"]) for name in ("ada", "bob")]
    text = f"error: group 'Staff' {told}"

    assert given.refusals(given.desired(*people), observed) == [f"cohorts/beta.yaml:5:1: {text}"]
    assert given.refusals(given.desired(), observed) == [f"cohorts/tenant.yaml:7:1: {text}"]
    assert given.refusals(given.desired(file=TenantFile()), observed) == []


def test_writable_groups(given: Given) -> None:
    """A Microsoft 365 group has mail and can be written."""
    group = replace(given.group("Staff"), group_types=("Unified",), mail_enabled=True)
    desired = given.desired(given.person(groups=["Staff"]))

    assert given.refusals(desired, given.with_group(given.observed(), group)) == []


@pytest.mark.parametrize("name", ["Admins", "ADMINS", "id-staff"], ids=["name", "case", "id"])
def test_role_assignable_group(given: Given, name: str) -> None:
    """A group that can hold roles needs the tenant file's word, by name or by id."""
    group = replace(given.group("Staff"), display_name="Admins", is_assignable_to_role=True)
    observed = given.with_group(given.observed(), group)
    desired = given.desired(given.person(groups=["Admins"]))

    def with_entry(*, opted_in: bool) -> TenantFile:
        entry = Listed(name, Position("cohorts/tenant.yaml", 7), role_assignable=opted_in)
        return replace(given.file, groups=(entry,))

    told = (
        "error: group 'Admins' can hold directory roles: its members become privileged\n"
        "  hint: list it as `{group: …, roleAssignable: true}` under `groups:` in the tenant file"
    )
    refused = given.refusals(replace(desired, tenant_file=with_entry(opted_in=False)), observed)
    assert refused[0] == f"cohorts/beta.yaml:5:1: {told}"
    assert set(refused[1:]) <= {f"cohorts/tenant.yaml:7:1: {told}"}
    assert given.refusals(replace(desired, tenant_file=with_entry(opted_in=True)), observed) == []
    assert given.refusals(replace(desired, tenant_file=TenantFile()), observed) == refused[:1]


def test_what_makes_people_privileged_stands_in_the_folder_that_is_kept_for_it(
    given: Given,
) -> None:
    """Roles and role-assignable groups are refused in every other cohort, with where to go."""
    staff = replace(given.group("Staff"), is_assignable_to_role=True)
    observed = given.with_group(given.observed(), staff)
    listed = Listed("Staff", Position("cohorts/tenant.yaml", 7), role_assignable=True)
    file = replace(
        given.file,
        groups=(listed, *(given.file.groups or ())[1:]),
        privileged_folder="privileged",
    )
    person = given.person(groups=["Staff", "Lab"], roles=["Reader"], fields=GB)
    desired = given.desired(person, file=file)
    hint = "\n  hint: move the cohort into that folder, where identity administrators review it"
    only = f"may be asked for only by cohorts in 'privileged'{hint}"

    assert given.refusals(desired, observed) == [
        f"cohorts/beta.yaml:5:1: error: group 'Staff' can hold directory roles, and {only}",
        f"cohorts/beta.yaml:6:1: error: role 'Reader' {only}",
    ]
    allowed = replace(desired, privileged=frozenset({"cohorts/beta.yaml"}))
    assert given.refusals(allowed, observed) == []
    unbound = replace(desired, tenant_file=replace(file, privileged_folder=None))
    assert given.refusals(unbound, observed) == []


def test_a_misplaced_role_that_nobody_knows_is_told_by_the_name_it_was_given(
    given: Given,
) -> None:
    """An unknown name and a wrong place are two mistakes, and both are told."""
    file = replace(given.file, privileged_folder="privileged")
    person = given.person(groups=["Stuff"], roles=["Readr"], fields=GB)

    told = given.refusals(given.desired(person, file=file), given.observed())

    assert any("role 'Readr' may be asked for only by cohorts in 'privileged'" in t for t in told)
    assert not any("group 'Stuff' can hold" in t for t in told)
