"""The plan: everything an apply will do, and everything a reviewer needs to judge it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from reconciler.changes import Change, Create, ManagerKey, UserKey, Wave
from reconciler.declarations import declarations
from reconciler.diagnostics import Diagnostic, in_order
from reconciler.diff import diff
from reconciler.effects import takes_away
from reconciler.guards import Situation, refusals
from reconciler.names import Managed, Names
from reconciler.notes import notes
from reconciler.seats import Seats, count_seats

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from reconciler.model import CohortName, Desired, ObjectId, Observed, Tenant

FORMAT_VERSION = "1.0"
"""Of the JSON form: the first number grows when a reader could misread, the second when
something is added."""


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
    desired: Desired | None = field(default=None, repr=False, compare=False)
    """What the files say, of which the changes are the difference."""

    @property
    def declarations(self) -> Mapping[str, str]:
        """Sum up what the files say of each person, by folded userPrincipalName."""
        return declarations(self.desired) if self.desired else {}

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
        return digest_of(operations(self))


def digest_of(whole: object) -> str:
    """Sum up what `operations` gives, whether from a plan or read from one that was written."""
    canonical = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def operations(plan: Plan) -> dict[str, Any]:
    """Give what *plan* does to which tenant, and to whom credentials go, ready to be JSON."""
    return {
        "tenant": plan.tenant.id,
        "ownership": [plan.source, plan.ownership],
        "recipients": {name: sorted(keys) for name, keys in plan.recipients.items()},
        "changes": [operation(change) for change in plan.changes],
    }


def operation(change: Change) -> dict[str, Any]:
    """Give what *change* does, without what only explains it."""
    return {
        "address": change.key.address,
        "action": change.verb,
        "account": change.key.account.id,
        "cohort": change.cohort,
        "fields": [[field.path, field.before, field.after] for field in change.fields],
    }


def doubtful(plan: Plan, observed: Observed) -> frozenset[ObjectId]:
    """Give the accounts on which *plan* hinges and of which only an index has told.

    Those that would be changed and those that they would report to, and everybody where
    something is to be taken away, for the limit on that counts those who stay: read them
    directly, and plan again, before anybody sees the plan.
    """
    if any(map(takes_away, plan.changes)):
        return observed.indexed
    keys = [change.key for change in plan.changes]
    managers = (key.manager for key in keys if isinstance(key, ManagerKey))
    accounts = (*(key.account for key in keys), *filter(None, managers))
    return observed.indexed & {account.id for account in accounts if account.id}


def in_order_of_execution(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort by wave, then by address: stable from run to run."""
    return tuple(sorted(changes, key=lambda change: (change.wave, change.key.address, change.verb)))


def build(desired: Desired, observed: Observed, *, allowed_removals: int = 0) -> Plan:
    """Compare what is declared with what there is, and judge the difference.

    *allowed_removals* lifts the limit on removals for a plan that has no more of them.
    """
    changes = in_order_of_execution(diff(desired, observed))
    names = Names(desired, observed)
    managed = Managed.by(desired.tenant_file, names)
    situation = Situation(desired, observed, names, managed, changes, allowed_removals)
    receiving = _receiving(changes)
    return Plan(
        tenant=observed.tenant,
        source=desired.tenant_file.source,
        ownership=desired.tenant_file.ownership,
        changes=changes,
        recipients={c.name: c.recipients for c in desired.cohorts if c.name in receiving},
        seats=count_seats(observed, changes),
        notes=in_order(notes(situation)),
        refusals=in_order(refusals(situation)),
        desired=desired,
    )


def without(
    plan: Plan, left_out: Container[Change], observed: Observed, why: Iterable[Diagnostic]
) -> Plan:
    """Give *plan* without some of its changes; notes say *why* they are left out."""
    changes = tuple(change for change in plan.changes if change not in left_out)
    receiving = _receiving(changes)
    return replace(
        plan,
        changes=changes,
        recipients={name: keys for name, keys in plan.recipients.items() if name in receiving},
        seats=count_seats(observed, changes),
        notes=in_order((*plan.notes, *why)),
    )


def _receiving(changes: Iterable[Change]) -> set[CohortName]:
    """Give the cohorts that get new accounts."""
    return {
        change.cohort
        for change in changes
        if isinstance(change, Create) and isinstance(change.key, UserKey)
    }
