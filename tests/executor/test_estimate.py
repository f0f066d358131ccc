from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.graph.estimate import estimate
from reconciler.graph.throttling import UNITS, WRITES
from reconciler.model import Removal

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Exchange
    from tests.executor.conftest import Applied, Company, Making

STAFF, DOOR = "Research - All staff", "Contractors - Building access"
ADMIN = "User Administrator"


def price(sent: Exchange) -> int:
    """Give the writes that a request was charged: one, and for members one for three."""
    bound = len(sent.body.get("members@odata.bind", ())) if isinstance(sent.body, dict) else 0
    return max(1, -(-bound // 3))


def check(applied: Applied) -> None:
    """Hold what was sent against what was foreseen."""
    assert applied.run.result == "applied"
    foreseen = estimate(applied.plan)
    trips = sum(e.method != "GET" and not e.is_inner for e in applied.exchanges)

    assert foreseen.requests == len(applied.writes)
    assert foreseen.spent == sum(map(price, applied.writes))
    assert foreseen.batches <= trips <= foreseen.requests
    assert sum(stage.changes for stage in foreseen.stages) == len(applied.plan.changes)
    assert [stage.wave for stage in foreseen.stages] == [wave for wave, _ in applied.plan.waves]


def test_joiners_cost_what_was_foreseen(company: Company, make: Making) -> None:
    """Accounts, managers, licences, members bound together, and roles: to the request."""
    people = [
        make.person(f"p{n}", groups=(STAFF, DOOR), manager="priya@contoso.com") for n in range(23)
    ]
    ada = make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), roles=(ADMIN,))

    check(company.apply(make.desired(ada, *people)))


@pytest.mark.parametrize("removal", [Removal.DISABLE, Removal.DELETE])
def test_leavers_cost_what_was_foreseen(company: Company, make: Making, removal: Removal) -> None:
    """Several requests for one account are counted one by one, and memberships go singly."""
    people = [make.person(f"p{n}", licenses=("SPE_E5",), groups=(STAFF,)) for n in range(3)]
    company.apply(make.desired(make.person("ada", roles=(ADMIN,)), *people))

    check(company.apply(make.desired(removal=removal)))


def test_limits_are_the_documented_ones(company: Company, make: Making) -> None:
    """The estimate goes by the limits that an apply begins with."""
    found = estimate(company.apply(make.desired(make.person("ada"))).plan)

    assert (found.writes.amount, found.writes.seconds) == WRITES
    assert (found.units.amount, found.units.seconds) == UNITS
