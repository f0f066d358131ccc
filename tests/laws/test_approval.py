from __future__ import annotations

import json as plain_json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from reconciler.approval import approved, beyond
from reconciler.changes import Restore
from reconciler.config.validation import misfit
from reconciler.plan import build
from reconciler.render import json
from tests.laws.conftest import applied

if TYPE_CHECKING:
    from reconciler.approval import Approved
    from reconciler.plan import Plan
    from tests.laws.conftest import World


def reviewed(plan: Plan) -> Approved:
    """Read *plan* back from what reviewers were shown."""
    return approved(plain_json.loads(json(plan)), lambda document: misfit(document, "plan"))


@given(data=st.data())
def test_what_was_approved_may_run_or_less(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """A plan is within itself and so is every part of it; what is added to a part is told."""
    world = data.draw(any_world)
    plan = replace(build(world.desired, world.observed), refusals=())
    kept = [data.draw(st.booleans()) for _ in plan.changes]
    part = tuple(change for change, keep in zip(plan.changes, kept, strict=True) if keep)
    joining = {change.cohort for change in replace(plan, changes=part).new_accounts}
    receiving = {name: keys for name, keys in plan.recipients.items() if name in joining}
    fewer = replace(plan, changes=part, recipients=receiving)

    assert reviewed(plan).digest == plan.digest
    assert beyond(plan, reviewed(plan)) == ()
    assert beyond(fewer, reviewed(plan)) == ()
    more = len(plan.recipients) - len(receiving) + len(plan.changes) - len(part)
    assert len(beyond(plan, reviewed(fewer))) == more


@given(data=st.data())
def test_a_rerun_needs_no_second_approval(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """Wherever an apply was cut short, what is left to do is part of what was approved."""
    world = data.draw(any_world)
    plan = replace(build(world.desired, world.observed), refusals=())
    if any(isinstance(change, Restore) for change in plan.changes):
        return  # what a restored account belongs to is not known before it is back
    done = data.draw(st.integers(0, len(plan.changes)))
    again = build(world.desired, applied(world.observed, plan.changes[:done]))

    assert beyond(again, reviewed(plan)) == ()
