"""Every change of each cohort that takes nothing away, folded for a comment."""

from __future__ import annotations

import html
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.render import outline
from reconciler.render.cells import symbol, what
from reconciler.render.github import Section, cell, code, optional, table
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model import CohortName
    from reconciler.plan import Plan
    from reconciler.render.outline import Person

ONE_BY_ONE = 30
"""Cohorts that stay or are left out one by one; those beyond stay or go together, so that
what stands for them has a bound."""


def details(plan: Plan) -> Iterator[Section]:
    """Give every change of each cohort that takes nothing away, folded."""
    grouped = groupby(outline.others(plan), key=lambda person: person.cohort)
    cohorts = [(cohort, list(members)) for cohort, members in grouped]
    for cohort, members in cohorts[:ONE_BY_ONE]:
        yield optional(_folded(cohort, members), f"{_sum(members)} in {code(cohort)}")
    rest = cohorts[ONE_BY_ONE:]
    everybody = [person for _, members in rest for person in members]
    full = "\n\n".join(_folded(cohort, members) for cohort, members in rest)
    yield optional(full, f"{_sum(everybody)} in {counted(len(rest), 'more cohort')}")


def _folded(cohort: CohortName, members: Sequence[Person]) -> str:
    title = f"<code>{html.escape(visible(cohort))}</code>: {_sum(members)}"
    rows = (
        (symbol(change), cell(change.key.account.user_principal_name), what(change))
        for person in members
        for change in person.changes
    )
    changes = table(None, ("", "Who", "What"), rows)
    return f"<details><summary>{title}</summary>\n\n{changes}\n\n</details>"


def _sum(members: Sequence[Person]) -> str:
    number = counted(sum(len(person.changes) for person in members), "change")
    return f"{number} for {counted(len(members), 'person', 'people')}"
