from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Severity
from reconciler.graph.readiness import managed_domains, missing_protected, ready, situation_of
from reconciler.plan import build

if TYPE_CHECKING:
    from tests.laws.conftest import World


@given(data=st.data())
def test_a_check_up_fails_where_a_plan_is_refused(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """Both tell the same problems; a check-up beside them those of the tenant file itself."""
    world = data.draw(any_world)
    situation = situation_of(world.desired, world.observed)
    own = {*managed_domains(situation), *missing_protected(situation)}
    told = {
        problem
        for step in ready(situation)
        for problem in step.problems
        if problem.severity is Severity.ERROR
    }

    assert told - own == set(build(world.desired, world.observed).refusals) - own
