"""The plan: everything an apply will do, and everything a reviewer needs to judge it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping  # noqa: TC003 -- dataclass fields are read at run time
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.changes import Change, Create, UserKey, Wave
from reconciler.diagnostics import Diagnostic  # noqa: TC001 -- as above
from reconciler.model import CohortName, ObjectId, Tenant  # noqa: TC001 -- as above

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT_VERSION = "1.0"
"""Of the JSON form: the first number grows when a reader could misread, the second when
something is added."""


@dataclass(frozen=True, slots=True)
class Seats:
    """What the plan does to the seats of one SKU."""

    sku_id: ObjectId
    sku_part_number: str
    total: int
    free: int
    """Before the plan."""
    assigned: int
    """Seats that the plan takes, through groups too."""
    freed: int

    @property
    def free_after(self) -> int:
        """Seats left once the plan is applied; negative where it cannot be."""
        return self.free + self.freed - self.assigned


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they happen; the digest is the same whenever they are.

    *refusals* are what the guards found: a plan that has any is shown, never applied.
    *notes* are what the plan leaves alone and a reader should know.
    """

    tenant: Tenant
    source: str
    ownership: str
    changes: tuple[Change, ...]
    recipients: Mapping[CohortName, tuple[str, ...]]
    """Whom initial credentials are sealed to, for each cohort that gets new accounts."""
    seats: tuple[Seats, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    refusals: tuple[Diagnostic, ...] = ()

    @property
    def waves(self) -> Iterator[tuple[Wave, tuple[Change, ...]]]:
        """Give the changes wave by wave."""
        for wave, changes in groupby(self.changes, key=lambda change: change.wave):
            yield wave, tuple(changes)

    @property
    def new_accounts(self) -> tuple[Create, ...]:
        """Give the changes that need an initial credential."""
        return tuple(
            c for c in self.changes if isinstance(c, Create) and isinstance(c.key, UserKey)
        )

    @property
    def digest(self) -> str:
        """Sum up what would be done, and to whom credentials go; nothing else counts.

        Positions, seats, notes and the time do not: two plans with one digest do the same.
        """
        operations = {
            "tenant": self.tenant.id,
            "ownership": [self.source, self.ownership],
            "recipients": {name: sorted(keys) for name, keys in self.recipients.items()},
            "changes": [operation(change) for change in self.changes],
        }
        canonical = json.dumps(
            operations, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def operation(change: Change) -> dict[str, object]:
    """Give what *change* does, without what only explains it."""
    return {
        "address": change.key.address,
        "action": change.verb,
        "account": change.key.account.id,
        "cohort": change.cohort,
        "fields": [[field.path, field.before, field.after] for field in change.fields],
    }


def in_order_of_execution(changes: Iterator[Change]) -> tuple[Change, ...]:
    """Sort by wave, then by address: stable from run to run."""
    return tuple(sorted(changes, key=lambda change: (change.wave, change.key.address, change.verb)))
