"""What a plan means for people, in two sentences: who joins what, and who gets or loses what."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from reconciler.changes import (
    Create,
    Delete,
    LicenseKey,
    MembershipKey,
    RoleAssignmentKey,
)
from reconciler.effects import is_privileged, plans_taken
from reconciler.render.outline import people
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.changes import Change
    from reconciler.plan import Plan

LISTED = 5
"""Cohorts, and things of one kind, that are named; of the others only how many they are."""
_VERBS = (
    ("becomes", "become"),
    ("enters the role-assignable", "enter the role-assignable"),
    ("gets", "get"),
    ("enters", "enter"),
    ("is no longer", "are no longer"),
    ("loses", "lose"),
    ("loses service plans of", "lose service plans of"),
    ("leaves", "leave"),
)
"""In the order of telling: what gives power comes first, then what somebody gets."""
_BECOMES, _RISES, _GETS, _ENTERS, _IS_NO_LONGER, _LOSES, _LOSES_PLANS, _LEAVES = _VERBS


def story(plan: Plan, shown: Callable[[str], str]) -> str:
    """Tell *plan* in people; *shown* makes a name harmless. Empty where there is nobody."""
    return " ".join(filter(None, (_joining(plan, shown), _holding(plan, shown))))


def _joining(plan: Plan, shown: Callable[[str], str]) -> str:
    cohorts = Counter(p.cohort for p in people(plan.changes) if p.fate in {"joins", "returns"})
    if not cohorts:
        return ""
    number = counted(cohorts.total(), "person joins", "people join")
    parts = [f"{shown(name)} ({n:,})" for name, n in cohorts.most_common(LISTED)]
    if len(cohorts) == 1:
        parts = [shown(name) for name in cohorts]
    return f"{number} {_listed(parts, len(cohorts) - len(parts), 'cohort')}."


def _holding(plan: Plan, shown: Callable[[str], str]) -> str:
    names: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for change in plan.changes:
        if verb := _verb(change):
            names[verb][change.key.name] += 1
    clauses = [clause for verb in _VERBS for clause in _clauses(verb, names[verb], shown)]
    return f"In all: {'; '.join(clauses)}." if clauses else ""


def _verb(change: Change) -> tuple[str, str] | None:
    """Give what the person of *change* does by it, as one and as several."""
    match change:
        case Create(key=RoleAssignmentKey()):
            return _BECOMES
        case Create(key=LicenseKey()):
            return _GETS
        case Create(key=MembershipKey()):
            return _RISES if is_privileged(change) else _ENTERS
        case Delete(key=RoleAssignmentKey()):
            return _IS_NO_LONGER
        case Delete(key=LicenseKey()):
            return _LOSES
        case Delete(key=MembershipKey()):
            return _LEAVES
        case _:
            return _LOSES_PLANS if plans_taken(change) else None


def _clauses(
    verb: tuple[str, str], names: Counter[str], shown: Callable[[str], str]
) -> Iterator[str]:
    one, several = verb
    for name, number in names.most_common(LISTED):
        yield f"{number:,} {one if number == 1 else several} {shown(name)}"
    rest = len(names) - LISTED
    if rest > 0:
        total = sum(number for _, number in names.most_common()[LISTED:])
        yield f"{total:,} more {several} {counted(rest, 'other')}"


def _listed(parts: list[str], rest: int, noun: str) -> str:
    more = [f"{counted(rest, f'more {noun}')}"] if rest > 0 else []
    *head, last = [*parts, *more]
    return f"{', '.join(head)} and {last}" if head else last
