"""Whose an account is, and who of ours has left."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reconciler.model import Mark, folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model import CohortName, DeclaredUser, Desired, Observed, ObservedUser


class Ownership(Enum):
    """Whose an account is, by what its ownership attribute holds."""

    OURS = auto()
    UNMARKED = auto()
    FOREIGN = auto()


def ownership(mark: str | None, source: str) -> Ownership:
    """Tell whose an account is; anything in the attribute that is not our mark is foreign."""
    if not mark:
        return Ownership.UNMARKED
    parsed = Mark.parse(mark)
    return Ownership.OURS if parsed and parsed.source == source else Ownership.FOREIGN


def may_change(user: DeclaredUser, current: ObservedUser, source: str) -> bool:
    """Whether *current* is ours, or nobody's and the entry says `adopt: true`."""
    whose = ownership(current.mark, source)
    return whose is Ownership.OURS or (whose is Ownership.UNMARKED and user.adopt)


def leavers(desired: Desired, observed: Observed) -> Iterator[tuple[ObservedUser, CohortName]]:
    """Give the accounts that carry our mark, are in scope and are no longer declared.

    Beside each, the cohort that its mark names.
    """
    if desired.unread:
        return
    declared = {folded(user.user_principal_name) for user in desired.users} | desired.elsewhere
    for user in observed.users:
        mark = Mark.parse(user.mark)
        if not mark or mark.source != desired.tenant_file.source:
            continue
        in_scope = desired.scope is None or mark.cohort in desired.scope
        if in_scope and folded(user.user_principal_name) not in declared:
            yield user, mark.cohort
