from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reconciler.config import load
from reconciler.credentials import check_recipients
from reconciler.diagnostics import Position
from reconciler.errors import ExitCode, PermissionMissing
from reconciler.graph.connection import connect
from reconciler.graph.needs import OPTIONAL, is_write, judged, needs
from reconciler.graph.observe import observe
from reconciler.graph.permissions import READS, check_reads, check_writes
from reconciler.graph.steps import Status
from reconciler.model import DeclaredLicense, Desired, Listed, Removal, TenantFile
from reconciler.plan import Plan, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model import DeclaredUser
    from tests.graph.conftest import Tenant

    Declared = Callable[..., DeclaredUser]

TOP = Path(__file__).parents[2]
HERE = Position("cohorts/tenant.yaml", 1, 1)
PLAN_SET = ("User.Read.All", "GroupMember.Read.All", "Organization.Read.All", "Domain.Read.All")


def holding(*permissions: str) -> str:
    """Make the token of an application with these permissions."""
    payload = base64.urlsafe_b64encode(orjson.dumps({"roles": permissions})).decode().rstrip("=")
    return f"header.{payload}.signature"


def a_file(**more: Any) -> TenantFile:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a tenant file."""
    return TenantFile(**{"source": "hr", "position": HERE, **more})


def whats(desired: Desired, *, writes: bool = True) -> list[str]:
    """Name what *desired* needs beyond the reads of every plan."""
    return [need.what for need in needs(desired, writes=writes) if need.what not in READS]


LISTED = (Listed("Staff", HERE),)
USERS = ["create and change users", "delete and restore users"]


@pytest.mark.parametrize(
    ("tenant_file", "expected"),
    [
        (a_file(), []),
        (a_file(licenses=LISTED), ["assign licenses"]),
        (a_file(groups=LISTED), ["change group memberships"]),
        (
            a_file(groups=(Listed("Admins", HERE, role_assignable=True),)),
            ["change group memberships", "change role-assignable groups"],
        ),
        (a_file(roles=LISTED), ["read directory roles", "assign directory roles"]),
        (
            a_file(removal=Removal.DISABLE),
            ["create and change users", "revoke sign-in sessions"],
        ),
        (
            a_file(removal=Removal.DELETE),
            ["delete and restore users", "create and change users", "revoke sign-in sessions"],
        ),
    ],
    ids=["nothing", "licenses", "groups", "privileged groups", "roles", "disable", "delete"],
)
def test_what_a_tenant_file_needs(tenant_file: TenantFile, expected: list[str]) -> None:
    """What is managed may be taken away, even where no cohort asks for it."""
    assert whats(Desired((), (), tenant_file)) == expected


def test_what_people_need(declared: Declared) -> None:
    """Each thing that is declared asks for what it takes, and only a plan that writes asks."""
    plain = declared("ada@contoso.com")
    blocked = declared("bob@contoso.com", accountEnabled=False, manager="ada@contoso.com")
    member = declared("eve@contoso.com", groups=("Staff",), roles=("Reader",))
    license_ = DeclaredLicense("SPE_E5", None, HERE)
    licensed = replace(declared("max@contoso.com"), licenses=(license_,))

    assert whats(Desired((plain,), ())) == USERS
    assert whats(Desired((blocked,), ())) == [*USERS, "revoke sign-in sessions"]
    assert whats(Desired((licensed,), ())) == [*USERS, "assign licenses"]
    assert whats(Desired((member,), ())) == [
        "read directory roles",
        *USERS,
        "change group memberships",
        "assign directory roles",
    ]
    assert whats(Desired((plain, blocked, licensed), ()), writes=False) == []


def test_each_need_has_its_reason(declared: Declared) -> None:
    """The reason names what in the files asks for it."""
    desired = Desired((declared("ada@contoso.com", roles=("Reader",)),), ())
    why = {need.what: need.why for need in needs(desired, writes=True)}

    assert why["read users"] == "every plan reads them"
    assert why["assign directory roles"] == "the files name directory roles: Reader"
    assert why["create and change users"] == "the files declare 1 person"


async def _plan(tenant: Tenant, desired: Desired) -> Plan:
    async with connect("global", tenant.endpoints.environment) as graph:
        return build(desired, await observe(graph, desired))


def _refused(token: str, desired: Desired, plan: Plan) -> set[str]:
    """Give what plan and apply themselves refuse for want of a permission."""
    told = []
    for check in (
        partial(check_reads, token, desired),
        partial(check_writes, token, plan.changes),
    ):
        try:
            check()
        except PermissionMissing as error:
            told.append(str(error))
    names = [need.what for need in needs(desired, writes=True)]
    return {name for name in names if any(f"{name} (one of" in words for words in told)}


def test_the_least_is_enough_for_the_examples_and_nothing_less_is(tenant: Tenant) -> None:
    """What is told to be needed is what plan and apply themselves demand."""
    desired = load([TOP / "cohorts"], check_recipients)
    plan = asyncio.run(_plan(tenant, desired))
    least = {need.least for need in needs(desired, writes=True)}

    assert len(plan.changes) > 20
    check_reads(holding(*least), desired)
    check_writes(holding(*least), plan.changes)
    for name in least:
        steps = judged(needs(desired, writes=True), frozenset(least - {name}), writes=True)
        missing = {step.about for step in steps if step.status is Status.FAILED}
        refused = _refused(holding(*least - {name}), desired, plan)
        assert refused <= missing <= refused | {"delete and restore users"}


def test_what_is_missing_is_told_with_what_to_grant() -> None:
    """The narrowest permission that does is the one to grant."""
    steps = list(judged(needs(Desired((), ()), writes=True), frozenset(PLAN_SET[1:]), writes=True))
    (missing,) = (step for step in steps if step.status is Status.FAILED)

    assert (missing.title, missing.code) == (
        "permissions: read users",
        ExitCode.PERMISSION_MISSING,
    )
    (problem,) = missing.problems
    assert problem.summary == (
        "the application may not read users; needed because every plan reads them"
    )
    assert "grant the application permission User.Read.All" in str(problem.hint)
    assert [step.told for step in steps if step.status is Status.OK] == [
        f"{name} (every plan reads them)" for name in PLAN_SET[1:]
    ]


@pytest.mark.parametrize(
    ("name", "writes", "told"),
    [
        ("GroupMember.ReadBasic.All", True, None),
        ("AuditLog.Read.All", False, None),
        ("Directory.Read.All", False, None),
        ("Directory.Read.All", True, None),
        ("LicenseAssignment.ReadWrite.All", True, None),
        ("User.DeleteRestore.All", True, None),
        ("User.ReadWrite.All", False, "User.ReadWrite.All writes, and an identity for plans"),
        ("Group.Create", False, "Group.Create writes, and an identity for plans has only to read"),
        (
            "Directory.ReadWrite.All",
            True,
            "Directory.ReadWrite.All allows more than these files need",
        ),
        ("Group.Read.All", False, "Group.Read.All allows more than these files need"),
        (
            "RoleManagement.ReadWrite.Directory",
            True,
            "nothing in these files needs RoleManagement.ReadWrite.Directory, which can make any",
        ),
        ("Mail.Read", True, "nothing in these files needs Mail.Read"),
        ("RoleManagement.Read.Directory", False, "nothing in these files needs RoleManagement"),
    ],
)
def test_what_is_too_much(name: str, *, writes: bool, told: str | None, declared: Declared) -> None:
    """A warning for each permission that these files do not need, or not so wide."""
    desired = Desired((declared("ada@contoso.com"),), (), a_file(licenses=LISTED))
    asked = needs(desired, writes=writes)
    granted = frozenset(need.least for need in asked)
    before = set(judged(asked, granted, writes=writes))
    steps = [s for s in judged(asked, granted | {name}, writes=writes) if s not in before]
    found = [step.problems[0].summary for step in steps if step.status is Status.WARNING]

    assert not any(step.status is Status.WARNING for step in before)
    assert len(found) == (told is not None)
    assert all(summary.startswith(str(told)) for summary in found)


def test_a_wide_permission_says_what_does_in_its_place() -> None:
    """Least privilege is told with the names to grant."""
    asked = needs(Desired((), (), a_file(groups=LISTED)), writes=True)
    (step,) = (
        step
        for step in judged(asked, frozenset({"Group.ReadWrite.All"}), writes=True)
        if step.status is Status.WARNING
    )

    assert step.problems[0].hint == (
        "grant GroupMember.Read.All, GroupMember.ReadWrite.All in its place, then take it away"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("User.Read.All", False),
        ("Policy.Read.AuthenticationMethod", False),
        ("GroupMember.ReadBasic.All", False),
        ("User.ReadWrite.All", True),
        ("User.RevokeSessions.All", True),
        ("Sites.FullControl.All", True),
        ("odd", True),
    ],
)
def test_which_permissions_write(name: str, *, expected: bool) -> None:
    """Whatever does not only read is taken to write."""
    assert is_write(name) is expected


def test_the_optional_ones_only_read() -> None:
    """An identity for plans may have all of them."""
    assert not any(map(is_write, OPTIONAL))
