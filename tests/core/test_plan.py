from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.changes import Create, Delete, FieldChange, Update, UserKey, Wave
from reconciler.diagnostics import Diagnostic, Position
from reconciler.model import CohortName, Mark, ObjectId, Removal
from reconciler.plan import build, in_order_of_execution

if TYPE_CHECKING:
    from reconciler.changes import Change
    from reconciler.model import Desired, Observed
    from reconciler.plan import Plan
    from tests.core.conftest import Given


@pytest.fixture
def desired(given: Given) -> Desired:
    """Declare a joiner with everything and one who stays."""
    return given.desired(
        given.person(
            licenses=["SPE_E5"],
            groups=["Staff"],
            roles=["Reader"],
            fields={"usageLocation": "GB", "manager": "bob@contoso.com"},
        ),
        given.person("bob", cohort="gamma", fields={"city": "Bath"}),
        file=replace(given.file, removal=Removal.DELETE),
    )


@pytest.fixture
def observed(given: Given) -> Observed:
    """Observe the one who stays and one who leaves."""
    leaver = given.account("eve", licenses=["SPE_E5"], groups=["Lab"], roles=["Reader"])
    return given.observed(given.account("bob", mark="us/gamma"), leaver)


@pytest.fixture
def plan(desired: Desired, observed: Observed) -> Plan:
    """Give the plan of both."""
    return build(desired, observed)


def test_waves(plan: Plan) -> None:
    """What is taken away comes first and leavers' roles before all; joiners run the other way."""
    assert [(wave, [change.key.kind for change in changes]) for wave, changes in plan.waves] == [
        (Wave.REVOKE_ROLES, ["roleAssignment"]),
        (Wave.REVOKE_ENTITLEMENTS, ["license", "membership"]),
        (Wave.LEAVERS, ["user"]),
        (Wave.USERS, ["user", "user"]),
        (Wave.ENTITLEMENTS, ["license", "manager", "membership"]),
        (Wave.ROLES, ["roleAssignment"]),
    ]


def test_everything_that_is_judged(given: Given, plan: Plan) -> None:
    """A plan says for which tenant it is, who gets credentials, and what speaks against it."""
    assert (plan.tenant, plan.source, plan.ownership) == (
        given.tenant,
        "us",
        "extensionAttribute15",
    )
    assert [change.key.name for change in plan.new_accounts] == ["ada@contoso.com"]
    assert list(plan.recipients) == ["beta"]
    assert [(s.sku_part_number, s.assigned, s.freed) for s in plan.seats] == [("SPE_E5", 1, 1)]
    assert (plan.refusals, plan.notes) == ((), ())


def test_nothing_to_do(given: Given) -> None:
    """A plan of nothing has neither waves nor seats, recipients or accounts."""
    plan = build(given.desired(given.person()), given.observed(given.account()))

    assert (plan.changes, plan.seats, plan.recipients, plan.new_accounts) == ((), (), {}, ())
    assert list(plan.waves) == []


def test_order_is_stable(plan: Plan) -> None:
    """Changes are in one order, however they came."""
    assert in_order_of_execution(reversed(plan.changes)) == plan.changes


def test_digest_is_independent_of_the_order_of_input(
    desired: Desired, observed: Observed, plan: Plan
) -> None:
    """People, accounts and what the tenant has may come in any order."""
    turned = replace(
        observed,
        users=observed.users[::-1],
        skus=observed.skus[::-1],
        groups=observed.groups[::-1],
        role_definitions=observed.role_definitions[::-1],
    )
    people = replace(desired, users=desired.users[::-1], cohorts=desired.cohorts[::-1])

    assert build(people, turned).changes == plan.changes
    assert build(people, turned).digest == plan.digest


def test_digest_is_independent_of_explanations(plan: Plan) -> None:
    """Positions, seats, notes and refusals explain a plan and are no part of what it does."""
    moved = tuple(replace(c, position=Position("elsewhere.yaml", 99)) for c in plan.changes)
    bare = replace(plan, changes=moved, seats=(), notes=(Diagnostic("n"),))

    assert replace(bare, refusals=(Diagnostic("no"),)).digest == plan.digest
    assert plan.digest.startswith("sha256:")
    assert len(plan.digest) == len("sha256:") + 64


def test_digest_tells_operations_apart(plan: Plan) -> None:
    """Any other operation, account, tenant, mark or recipient is another plan."""
    first, *rest = plan.changes
    others = [
        replace(plan, changes=tuple(rest)),
        replace(plan, changes=(replace(first, fields=(FieldChange("a", "1", "2"),)), *rest)),
        replace(plan, changes=(replace(first, fields=(FieldChange("a", None, "2"),)), *rest)),
        replace(plan, changes=(replace(first, cohort=CohortName("x")), *rest)),
        replace(plan, tenant=replace(plan.tenant, id=ObjectId("x"))),
        replace(plan, source="x"),
        replace(plan, ownership="x"),
        replace(plan, recipients={}),
        replace(plan, recipients={CohortName("beta"): ("age1x",)}),
        replace(plan, recipients={CohortName("x"): plan.recipients[CohortName("beta")]}),
    ]
    digests = {plan.digest, *(other.digest for other in others)}

    assert len(digests) == len(others) + 1


def test_digest_tells_actions_and_accounts_apart(given: Given, plan: Plan) -> None:
    """To create, update or delete, and to do so to another account, are other plans."""
    key = UserKey(given.anybody("ada"))
    other = UserKey(replace(key.account, id=ObjectId("id-2")))
    cohort = CohortName("beta")
    changes: list[Change] = [
        Create(key, cohort, Wave.USERS),
        Update(key, cohort, Wave.USERS),
        Delete(key, cohort, Wave.USERS),
        Update(other, cohort, Wave.USERS),
    ]

    assert len({replace(plan, changes=(change,)).digest for change in changes}) == len(changes)


def test_digest_does_not_depend_on_the_order_of_recipients(plan: Plan) -> None:
    """The same people open a file that is sealed to them in another order."""
    beta = CohortName("beta")
    one, other = ({beta: keys} for keys in (("age1a", "age1b"), ("age1b", "age1a")))

    assert replace(plan, recipients=one).digest == replace(plan, recipients=other).digest


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ("us/beta", Mark("us", CohortName("beta"))),
        ("us/a/b", Mark("us", CohortName("a/b"))),
        ("us", None),
        ("us/", None),
        ("/beta", None),
        ("", None),
        (None, None),
    ],
    ids=str,
)
def test_mark(value: str | None, mark: Mark | None) -> None:
    """A mark is read as it is written; anything else is none."""
    assert Mark.parse(value) == mark
    assert mark is None or str(mark) == value
