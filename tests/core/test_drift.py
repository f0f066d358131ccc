from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import Adopt, Create, Restore, UserKey
from reconciler.drift import check_tenant, find
from reconciler.errors import Refused
from reconciler.findings import Actor, Drift, Evidence, Finding, Kind, Standing, with_evidence
from reconciler.model import CohortName, Observed, Removal, Sku
from reconciler.plan import build

if TYPE_CHECKING:
    from reconciler.model import DeclaredUser, Desired, ObservedUser
    from tests.core.conftest import Given

HER = Actor("Eve", "eve@contoso.com", is_person=True)
OURS = Actor("Identity", "app-id", is_person=False, is_ours=True)


def drift_of(desired: Desired, observed: Observed) -> Drift:
    """Plan, and look at it from the tenant's side."""
    return find(desired, observed, build(desired, observed))


def told(drift: Drift) -> list[str]:
    """Give each finding as one line: standing, kind, address, and what is and should be."""
    return [
        f"{f.standing} {f.kind} {f.key.address.replace('@contoso.com', '')}"
        + (f" {f.path}={f.actual}, not {f.declared}" if f.path else "")
        for f in drift.findings
    ]


def of_one(given: Given, person: DeclaredUser, *accounts: ObservedUser) -> list[str]:
    """Tell the drift of one declared person."""
    return told(drift_of(given.desired(person), given.observed(*accounts)))


def test_a_converged_tenant_has_none(given: Given) -> None:
    """Who is as declared, in a tenant with much else, has not drifted."""
    person = given.person(
        licenses=["SPE_E5"], groups=["Staff"], roles=["Reader"], fields={"city": "Bath"}
    )
    account = given.account(
        licenses=["SPE_E5", "FLOW_FREE"],
        groups=["Staff", "Book club"],
        roles=["Reader", "Guest Inviter"],
        fields={"city": "Bath", "jobTitle": "Analyst"},
    )

    assert of_one(given, person, account) == []


def test_fields(given: Given) -> None:
    """Each property, the manager and the mark are told by what is and what should be."""
    person = given.person(
        fields={"city": "Bath", "accountEnabled": False, "manager": "bob@contoso.com"}
    )
    bob = given.person("bob")
    account = given.account(mark="us/gamma", fields={"city": "Rome"})
    drift = drift_of(given.desired(person, bob), given.observed(account, given.account("bob")))

    assert told(drift) == [
        "drift mark user/ada mark=us/gamma, not us/beta",
        "drift field manager/ada manager=None, not bob@contoso.com",
        "drift field user/ada accountEnabled=True, not False",
        "drift field user/ada city=Rome, not Bath",
    ]


def test_entitlements(given: Given) -> None:
    """What is held and not declared, and what is declared and not held, of each kind."""
    person = given.person(
        licenses=[given.license("SPE_E5", "SWAY")], groups=["Staff"], roles=["Reader"]
    )
    account = given.account(
        licenses=["SPE_E3", given.held("SPE_E5")], groups=["Lab"], roles=["User Administrator"]
    )

    assert of_one(given, person, account) == [
        "drift field license/ada/SPE_E5 disabledPlans=(), not ('SWAY',)",
        "drift held license/ada/SPE_E3",
        "drift held membership/ada/id-Lab",
        "drift held roleAssignment/ada/id-User Administrator/",
        "drift notHeld membership/ada/id-Staff",
        "drift notHeld roleAssignment/ada/id-Reader/",
    ]


def test_an_absent_account_says_nothing_else(given: Given) -> None:
    """Of one that is not there, only that; and the tenant does not tell why."""
    person = given.person(licenses=["SPE_E5"], groups=["Staff"], fields={"city": "Bath"})

    assert of_one(given, person) == ["unknown absent user/ada"]


def test_a_deleted_account_is_drift(given: Given) -> None:
    """One in the recycle bin under our mark has been there, whatever it held."""
    observed = replace(given.observed(), deleted_users=(given.account(groups=["Lab"]),))

    assert told(drift_of(given.desired(given.person(groups=["Staff"])), observed)) == [
        "drift deleted user/ada"
    ]


def test_marks_that_are_not_ours(given: Given) -> None:
    """Another mark, or none, is drift; with `adopt: true` nobody knows."""
    foreign, none = given.account(mark="them/x"), given.account(mark=None)

    assert of_one(given, given.person(), foreign) == [
        "drift mark user/ada mark=them/x, not us/beta"
    ]
    assert of_one(given, given.person(), none) == ["drift mark user/ada mark=None, not us/beta"]
    assert of_one(given, given.person(adopt=True, groups=["Lab"]), none) == [
        "unknown unadopted user/ada"
    ]


@pytest.mark.parametrize("removal", Removal)
def test_undeclared_accounts(given: Given, removal: Removal) -> None:
    """Our account that nobody declares is one finding, whatever would happen to it."""
    desired = given.desired(file=replace(given.file, removal=removal))
    leaver = given.account("eve", licenses=["SPE_E5"], groups=["Lab"], roles=["Reader"])

    assert told(drift_of(desired, given.observed(leaver))) == ["drift undeclared user/eve"]


def test_broken_licenses(given: Given) -> None:
    """Those in an error state are told where they or the group that gives them are declared."""
    broken = given.held("SPE_E5", state="Error")
    through = replace(
        given.held("SPE_E5", through="Licensed", state="ActiveWithError"), error="CountViolation"
    )
    other = given.held("FLOW_FREE", state="Error")
    person = given.person(licenses=["SPE_E5"], groups=["Licensed"])
    account = given.account(licenses=[broken, through, other], groups=["Licensed"])

    assert sorted(of_one(given, person, account)) == [
        "drift broken license/ada/SPE_E5 state=CountViolation, not Active",
        "drift broken license/ada/SPE_E5 state=Error, not Active",
    ]


def test_a_broken_license_of_an_unknown_sku(given: Given) -> None:
    """A SKU that the subscriptions do not list is told by its id; a foreign account not at all."""
    unlisted = tuple[Sku, ...](sku for sku in given.skus if sku.part_number != "SPE_E5")
    person = given.person(groups=["Licensed"])
    states = [given.held("SPE_E5", through="Licensed", state="Error")]
    account = given.account(licenses=states, groups=["Licensed"])
    desired = given.desired(person)

    assert told(drift_of(desired, replace(given.observed(account), skus=unlisted))) == [
        "drift broken license/ada/id-SPE_E5 state=Error, not Active"
    ]
    foreign = given.observed(replace(account, mark="them/x"))
    assert [f.kind for f in drift_of(desired, foreign).findings] == [Kind.MARK]


def test_people_come_in_order(given: Given) -> None:
    """By name without case; and the refusals of the plan come along."""
    drift = drift_of(
        given.desired(given.person("Zoe"), given.person("ada", groups=["Nobody"])), given.observed()
    )

    assert [f.upn for f in drift.findings] == ["ada@contoso.com", "Zoe@contoso.com"]
    assert drift.refusals


def test_another_tenant_is_refused(given: Given) -> None:
    """In a tenant that the files do not name, everything would look like drift."""
    elsewhere = replace(given.file, tenant="fabrikam.com")

    check_tenant(given.desired(), given.observed())
    with pytest.raises(Refused):
        check_tenant(given.desired(file=elsewhere), given.observed())


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("actor", "standing"), [(None, None), (HER, Standing.DRIFT), (OURS, Standing.NOT_APPLIED)]
)
@pytest.mark.parametrize("before", [Standing.DRIFT, Standing.UNKNOWN])
def test_evidence(
    given: Given, kind: Kind, actor: Actor | None, standing: Standing | None, before: Standing
) -> None:
    """Who did it decides: others drift, we follow the files, and nobody leaves it to be applied."""
    finding = Finding(kind, UserKey(given.anybody("ada")), CohortName("beta"), standing=before)
    evidence = Evidence("2026-03-01T09:00:00Z", "Update user", None, actor) if actor else None
    after = with_evidence(finding, evidence)
    never = {Kind.ABSENT, Kind.UNDECLARED, Kind.UNADOPTED, Kind.BROKEN}

    if actor is None:
        standing = Standing.NOT_APPLIED if before is Standing.UNKNOWN else before
    elif actor is OURS and kind in never:
        standing = Standing.DRIFT
    assert (after.standing, after.evidence) == (standing, evidence)


def test_the_digest_is_that_of_the_drift(given: Given) -> None:
    """Who did it, when, and what waits to be applied change nothing; another value does."""
    desired = given.desired(given.person(fields={"city": "Bath"}))
    drift = drift_of(desired, given.observed(given.account(fields={"city": "Rome"})))
    other = drift_of(desired, given.observed(given.account(fields={"city": "Nice"})))
    (finding,) = drift.findings
    seen = with_evidence(finding, Evidence("2026-03-01T09:00:00Z", "Update user", None, HER))
    waits = drift_of(given.desired(given.person("bob")), given.observed()).findings

    assert replace(drift, findings=(seen, *waits)).digest == drift.digest
    assert other.digest != drift.digest
    assert drift.digest.startswith("sha256:")


def test_every_change_has_a_finding(given: Given) -> None:
    """Whole accounts are told once: a new one, a restored one and an adopted one."""
    people = [given.person("new"), given.person("back"), given.person("mine", adopt=True)]
    observed = replace(
        given.observed(given.account("mine", mark=None)), deleted_users=(given.account("back"),)
    )
    plan = build(given.desired(*people), observed)

    assert {type(change) for change in plan.changes} == {Create, Restore, Adopt}
    assert [f.kind for f in find(given.desired(*people), observed, plan).findings] == [
        Kind.DELETED,
        Kind.UNADOPTED,
        Kind.ABSENT,
    ]
