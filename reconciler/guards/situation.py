"""What every guard judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import Create, UserKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.model import Desired, Observed, TenantFile
    from reconciler.names import Managed, Names


@dataclass(frozen=True, slots=True)
class Situation:
    """What every guard judges."""

    desired: Desired
    observed: Observed
    names: Names
    managed: Managed
    changes: tuple[Change, ...]
    allowed_removals: int = 0
    """How many removals somebody has explicitly allowed."""

    @property
    def tenant_file(self) -> TenantFile:
        """What the repository may touch."""
        return self.desired.tenant_file


def new_accounts(situation: Situation) -> Iterator[Create]:
    """Give the changes that create an account."""
    for change in situation.changes:
        if isinstance(change, Create) and isinstance(change.key, UserKey):
            yield change
