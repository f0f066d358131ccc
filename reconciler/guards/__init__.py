"""Refusals: what Graph would refuse, or what nobody should do by accident, told at plan time.

Every guard is a function from the same `Situation` to diagnostics; each names the line
that asks for it and what to do instead. A plan that has any is shown, never applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.guards.accounts import foreign_accounts, protected_accounts, synced_accounts
from reconciler.guards.entitlements import misplaced, privileged_roles, unlisted_entitlements
from reconciler.guards.groups import unwritable_groups
from reconciler.guards.licenses import seats, usage_locations
from reconciler.guards.names import unknown_names
from reconciler.guards.removals import removals
from reconciler.guards.situation import Situation
from reconciler.guards.tenant import domains, published_recipient, wrong_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.diagnostics import Diagnostic

__all__ = ["Situation", "refusals"]

GUARDS: tuple[Callable[[Situation], Iterator[Diagnostic]], ...] = (
    domains,
    published_recipient,
    unknown_names,
    unlisted_entitlements,
    privileged_roles,
    misplaced,
    unwritable_groups,
    foreign_accounts,
    synced_accounts,
    protected_accounts,
    usage_locations,
    seats,
    removals,
)


def refusals(situation: Situation) -> Iterator[Diagnostic]:
    """Give everything that speaks against the plan.

    In the wrong tenant nothing else is worth saying.
    """
    wrong = tuple(wrong_tenant(situation))
    yield from wrong
    for guard in () if wrong else GUARDS:
        yield from guard(situation)
