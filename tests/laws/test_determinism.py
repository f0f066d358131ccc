from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan import build
from reconciler.render import json, markdown, text

if TYPE_CHECKING:
    from reconciler.plan import Plan
    from tests.laws.conftest import World


def rendered(plan: Plan) -> tuple[str, ...]:
    """Give the plan in every form."""
    return text(plan, color=False, width=100), markdown(plan), json(plan)


@given(data=st.data())
def test_order_of_input_is_no_matter(
    data: st.DataObject, any_world: st.SearchStrategy[World]
) -> None:
    """However people and accounts are ordered, it is the same plan in the same words."""
    world = data.draw(any_world)
    desired = replace(world.desired, users=tuple(data.draw(st.permutations(world.desired.users))))
    observed = replace(
        world.observed,
        users=tuple(data.draw(st.permutations(world.observed.users))),
        deleted_users=world.observed.deleted_users[::-1],
        skus=world.observed.skus[::-1],
        groups=world.observed.groups[::-1],
        role_definitions=world.observed.role_definitions[::-1],
    )
    plan, turned = build(world.desired, world.observed), build(desired, observed)

    assert turned.changes == plan.changes
    assert turned.digest == plan.digest
    assert rendered(turned) == rendered(plan)


SCRIPT = """
import runpy, sys
from reconciler.plan import build
from reconciler.render import json, markdown, text
world = runpy.run_path(sys.argv[1])["sample"]()
plan = build(world.desired, world.observed)
assert plan.changes
print(plan.digest, text(plan, color=False, width=100), markdown(plan), json(plan))
"""


def test_hash_seed_is_no_matter() -> None:
    """Two interpreters that hash differently print the same plan, to the byte."""
    world = Path(__file__).with_name("conftest.py")
    prints = [
        subprocess.run(  # noqa: S603 -- this interpreter, our own script
            [sys.executable, "-c", SCRIPT, str(world)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    ]

    assert prints[0] == prints[1]
    assert prints[0].startswith(b"sha256:")
