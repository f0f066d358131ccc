"""What a plan comes to: in people for its first line, in things for its last."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from reconciler.changes import ACTIONS, ManagerKey, Update, UserKey
from reconciler.effects import is_privileged, plans_taken, takes_away
from reconciler.render.outline import ENDINGS, FATES, blocks, people
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.changes import Change
    from reconciler.plan import Plan
    from reconciler.render.outline import Person

_FAMILIES = (
    {"user": "account"},
    {"roleAssignment": "role"},
    {"license": "license", "membership": "membership"},
    {"manager": "manager"},
)
"""Kinds of resource that are counted together, and what one of each is called."""

_HELD = {"delete": "take back", "create": "give", "update": "change"}
_MANAGER = {"delete": "clear", "create": "set", "update": "change"}
_DEEDS = (
    "delete",
    "block",
    "adopt and block",
    "restore and block",
    "take back",
    "reduce",
    "create",
    "adopt",
    "restore",
    "change",
    "give",
    "set",
    "clear",
)
"""In the order of telling: what takes something from a person comes first."""


def counts(plan: Plan) -> Mapping[str, int]:
    """Count the changes by action, all actions included, in the order of telling."""
    found = Counter(change.verb for change in plan.changes)
    return {action.verb: found[action.verb] for action in ACTIONS}


def headline(plan: Plan) -> str:
    """Sum the changes up in people: `12 people join, 2 leave: 1 deleted, 1 blocked`.

    A plan that is refused says so at once.
    """
    everybody = people(plan.changes)
    fates = Counter(person.fate for person in everybody)
    clauses: list[str] = []
    for one, several in FATES.items():
        number = fates[one]
        who = f"{number:,}" if clauses else counted(number, "person", "people")
        if number:
            clauses.append(f"{who} {one if number == 1 else several}")
    refused = f"; refused: {counted(len(plan.refusals), 'problem')}" if plan.refusals else ""
    return ", ".join(clauses) + _endings(everybody) + refused


def _endings(everybody: Iterable[Person]) -> str:
    """Say of those who leave, who are told last, what becomes of them: `: 7 blocked`."""
    found = Counter(person.ending for person in everybody)
    told = ", ".join(f"{found[ending]:,} {ending}" for ending in ENDINGS if found[ending])
    return f": {told}" if told else ""


def unchanged(plan: Plan) -> str:
    """Say, after the tenant's name, that it is as declared, and that there are notes to read."""
    notes = f" ({counted(len(plan.notes), 'note')} below)" if plan.notes else ""
    return f"is as the files declare it{notes}"


def summary(plan: Plan) -> str:
    """Sum the plan up in things: the counts add up to the total."""
    if not plan.changes:
        return "nothing to do"
    total = counted(len(plan.changes), "change")
    taken = counted(sum(map(takes_away, plan.changes)), "removal")
    powers = sum(map(is_privileged, plan.changes))
    privileged = f", {powers:,} privileged" if powers else ""
    return f"{', '.join(_clauses(plan))} ({total}, {taken}{privileged})"


def _clauses(plan: Plan) -> Iterator[str]:
    """Give `7 accounts to delete`, `14 licenses and memberships to take back`, and so on."""
    tally: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for change in plan.changes:
        kind = change.key.kind
        family = next(place for place, nouns in enumerate(_FAMILIES) if kind in nouns)
        tally[_DEEDS.index(_deed(change)), family][kind] += 1
    for (deed, family), kinds in sorted(tally.items()):
        number = kinds.total()
        ending = "" if number == 1 else "s"
        nouns = [f"{noun}{ending}" for kind, noun in _FAMILIES[family].items() if kinds[kind]]
        yield f"{number:,} {' and '.join(nouns)} to {_DEEDS[deed]}"


def _deed(change: Change) -> str:
    """Give what is done, as a person would say it of this kind of resource."""
    match change.key:
        case UserKey() if blocks(change):
            return "block" if isinstance(change, Update) else f"{change.verb} and block"
        case UserKey():
            return "change" if isinstance(change, Update) else change.verb
        case ManagerKey():
            return _MANAGER.get(change.verb, change.verb)
        case _ if plans_taken(change):
            return "reduce"
        case _:
            return _HELD.get(change.verb, change.verb)
