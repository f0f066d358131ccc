"""What every comparison of one run needs: names resolved, and what is managed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.model import Mark
from reconciler.names import Managed, Names

if TYPE_CHECKING:
    from reconciler.model import CohortName, DeclaredUser, Desired, Observed, TenantFile


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run's view of both sides."""

    tenant_file: TenantFile
    names: Names
    managed: Managed

    @classmethod
    def of(cls, desired: Desired, observed: Observed) -> Comparison:
        """Resolve what *desired* names in *observed*."""
        names = Names(desired, observed)
        return cls(desired.tenant_file, names, Managed.by(desired.tenant_file, names))

    @property
    def source(self) -> str:
        """The name of this repository in ownership marks."""
        return self.tenant_file.source

    def mark(self, cohort: CohortName) -> str:
        """Give the mark of an account of *cohort*."""
        return str(Mark(self.source, cohort))


def keeps_undeclared(user: DeclaredUser) -> bool:
    """Tell whether *user* keeps managed entitlements that nobody declared.

    As long as the entry says `adopt: true`: adoption must not cost anybody anything.
    """
    return user.adopt
