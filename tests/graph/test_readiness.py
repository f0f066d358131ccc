from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.diagnostics import Position
from reconciler.graph.readiness import (
    PARTS,
    managed_domains,
    missing_protected,
    ready,
    situation_of,
    wrong_tenant,
)
from reconciler.graph.steps import Status
from reconciler.guards import GUARDS
from reconciler.model import (
    Account,
    DeclaredLicense,
    Desired,
    Domain,
    Group,
    Listed,
    ObjectId,
    Observed,
    Sku,
    Tenant,
    TenantFile,
    UserPrincipalName,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model import DeclaredUser

    Declared = Callable[..., DeclaredUser]

HERE = Position("cohorts/tenant.yaml", 1, 1)
TENANT = Tenant(
    ObjectId("28d80e74-2d69-4bb9-b1e4-740c4cf0551f"),
    "Contoso",
    (Domain("contoso.com", is_verified=True), Domain("contoso.dev", is_verified=False)),
)
E5 = Sku(ObjectId("e5"), "SPE_E5", "Enabled", "User", 1000, 250, 10, ())
BREAK_GLASS = Account(UserPrincipalName("breakglass@contoso.com"), ObjectId("glass"))


def a_file(**more: Any) -> TenantFile:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a tenant file."""
    return TenantFile(**{"source": "hr", "position": HERE, "protected": ("glass",), **more})


def judged(desired: Desired, **more: Any) -> dict[str, tuple[Status, list[str]]]:  # noqa: ANN401 -- as above
    """Judge a tenant; what was told of each part, or its problems."""
    observed = Observed(**{"tenant": TENANT, "skus": (E5,), "people": (BREAK_GLASS,), **more})
    return {
        step.part: (step.status, [p.summary for p in step.problems] or [step.told])
        for step in ready(situation_of(desired, observed))
    }


def test_no_guard_is_left_out() -> None:
    """Everything that refuses a plan is a part of a check-up, and nothing is judged twice."""
    own = [managed_domains, missing_protected]
    used = [guard for part in PARTS for guard in part.guards if guard not in own]

    assert sorted(used, key=repr) == sorted(GUARDS, key=repr)


def test_a_tenant_that_would_take_everything(declared: Declared) -> None:
    """Each part says what was found."""
    ada = replace(
        declared("ada@contoso.com", usageLocation="GB"),
        licenses=(DeclaredLicense("e5", None, HERE),),
    )
    found = judged(Desired((ada,), (), a_file(licenses=(Listed("SPE_E5", HERE),))))

    assert {status for status, _ in found.values()} == {Status.OK}
    assert found["domains"][1] == ["verified: contoso.com"]
    assert found["licenses"][1] == ["free seats: SPE_E5 1,240 of 1,250"]
    assert found["groups"][1] == ["0 groups found, whose members can be written"]
    assert found["protected accounts"][1] == ["glass: there, and left alone"]


def test_without_a_tenant_file() -> None:
    """Nobody is named, and nothing is managed."""
    found = judged(Desired((), ()))

    assert {status for status, _ in found.values()} == {Status.OK}
    assert found["licenses"][1] == ["the files name none"]
    assert found["protected accounts"][1] == ["no tenant file names any"]


@pytest.mark.parametrize(
    ("part", "tenant_file", "told"),
    [
        (
            "domains",
            {"domains": ("contoso.com", "contoso.dev")},
            "domain 'contoso.dev' of the tenant file is not verified in this tenant",
        ),
        ("names", {"groups": (Listed("Staff", HERE),)}, "group 'Staff' does not exist"),
        (
            "protected accounts",
            {"protected": ("glass", "brakeglass@contoso.com")},
            "protected account 'brakeglass@contoso.com' does not exist in this tenant",
        ),
    ],
)
def test_what_fails(part: str, tenant_file: dict[str, Any], told: str) -> None:
    """A problem is told in the words of the guard, in its part and in no other."""
    found = judged(Desired((), (), a_file(**tenant_file)))
    failing = {name for name, (status, _) in found.items() if status is Status.FAILED}

    assert failing == {part}
    assert found[part][1][0].startswith(told)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ({"group_types": ("DynamicMembership",)}, "group 'Staff' is dynamic"),
        ({"on_premises_sync_enabled": True}, "group 'Staff' is synced from on-premises"),
        ({"mail_enabled": True}, "group 'Staff' is a distribution list"),
        ({"is_assignable_to_role": True}, "group 'Staff' can hold directory roles"),
    ],
    ids=["dynamic", "synced", "of Exchange", "privileged"],
)
def test_groups_that_cannot_be_written(kind: dict[str, Any], told: str) -> None:
    """A managed group has to take members before anybody asks for it."""
    staff = Group(ObjectId("staff"), "Staff", (), *(False,) * 3, frozenset())
    found = judged(
        Desired((), (), a_file(groups=(Listed("Staff", HERE),))), groups=(replace(staff, **kind),)
    )

    assert found["groups"][0] is Status.FAILED
    assert found["groups"][1][0].startswith(told)


def test_nobody_is_protected() -> None:
    """A tenant file without an emergency account is worth a warning."""
    found = judged(Desired((), (), a_file(protected=())))

    assert found["protected accounts"] == (
        Status.WARNING,
        ["the tenant file protects nobody"],
    )


def test_another_tenant() -> None:
    """The tenant file's own tenant, by a verified domain or by its id, and no other."""
    for name in ("CONTOSO.com", TENANT.id.upper()):
        assert not list(wrong_tenant(Desired((), (), a_file(tenant=name)), TENANT))
    for name in ("contoso.dev", "fabrikam.com"):
        (problem,) = wrong_tenant(Desired((), (), a_file(tenant=name)), TENANT)
        assert "not to" in problem.summary
