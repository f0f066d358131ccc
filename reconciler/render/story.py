"""What a plan means for people, in two sentences: who joins what, and who gets or loses what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import (
    Create,
    Delete,
    LicenseKey,
    MembershipKey,
    RoleAssignmentKey,
)
from reconciler.render.outline import people
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.changes import Change
    from reconciler.plan import Plan

LISTED = 5
"""Cohorts, and things of one kind, that are named; of the others only how many they are."""
_VERBS: dict[tuple[type, type[Change]], tuple[str, str]] = {
    (RoleAssignmentKey, Create): ("becomes", "become"),
    (LicenseKey, Create): ("gets", "get"),
    (MembershipKey, Create): ("enters", "enter"),
    (RoleAssignmentKey, Delete): ("is no longer", "are no longer"),
    (LicenseKey, Delete): ("loses", "lose"),
    (MembershipKey, Delete): ("leaves", "leave"),
}
"""In the order of telling: what gives power comes first, then what somebody gets."""


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
    clauses = [clause for kind in _VERBS for clause in _of_kind(plan.changes, kind, shown)]
    return f"In all: {'; '.join(clauses)}." if clauses else ""


def _of_kind(
    changes: Iterable[Change], kind: tuple[type, type[Change]], shown: Callable[[str], str]
) -> Iterator[str]:
    key, action = kind
    names = Counter(
        change.key.name
        for change in changes
        if isinstance(change.key, key) and isinstance(change, action)
    )
    one, several = _VERBS[kind]
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
