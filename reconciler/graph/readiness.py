"""Whether a tenant, as it was observed, would take what the files ask for.

The guards decide, as they do for every plan; here each of them is a step that is told
also where nothing is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, in_order
from reconciler.diff import diff
from reconciler.graph.steps import Step, warning
from reconciler.guards import Situation
from reconciler.guards.accounts import foreign_accounts, protected_accounts, synced_accounts
from reconciler.guards.entitlements import misplaced, privileged_roles, unlisted_entitlements
from reconciler.guards.groups import unwritable_groups
from reconciler.guards.licenses import seats, usage_locations
from reconciler.guards.names import unknown_names
from reconciler.guards.removals import removals
from reconciler.guards.tenant import domains, published_recipient
from reconciler.guards.tenant import wrong_tenant as of_another
from reconciler.model import Observed, Sku, folded
from reconciler.names import Managed, Names
from reconciler.plan import in_order_of_execution
from reconciler.text import counted, listing, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.changes import Change
    from reconciler.model import Desired, Tenant

    Guard = Callable[[Situation], Iterator[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Part:
    """Guards that judge one thing, and what is told of it where none refuses."""

    name: str
    guards: tuple[Guard, ...]
    told: Callable[[Situation], str]


def situation_of(desired: Desired, observed: Observed, allowed_removals: int = 0) -> Situation:
    """Give what the guards judge; as `plan.build` does."""
    changes = in_order_of_execution(diff(desired, observed))
    return _situation(desired, observed, changes, allowed_removals)


def wrong_tenant(desired: Desired, tenant: Tenant) -> Iterator[Diagnostic]:
    """Refuse any tenant but the one that the tenant file names."""
    return of_another(_situation(desired, Observed(tenant), (), 0))


def _situation(
    desired: Desired, observed: Observed, changes: tuple[Change, ...], allowed_removals: int
) -> Situation:
    names = Names(desired, observed)
    managed = Managed.by(desired.tenant_file, names)
    return Situation(desired, observed, names, managed, changes, allowed_removals)


def ready(situation: Situation) -> Iterator[Step]:
    """Judge *situation*, part by part."""
    for part in PARTS:
        problems = in_order(problem for guard in part.guards for problem in guard(situation))
        yield Step(part.name, part.told(situation), problems)


def managed_domains(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse domains of the tenant file that the tenant has not verified."""
    known = {folded(d.name) for d in situation.observed.tenant.domains if d.is_verified}
    for name in situation.tenant_file.domains or ():
        if folded(name) not in known:
            yield Diagnostic(
                f"domain '{visible(name)}' of the tenant file is not verified in this tenant",
                "verify it in Microsoft Entra, or take it off `domains:`",
                situation.tenant_file.position,
            )


def missing_protected(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse protected accounts that are not there; warn where nobody is protected."""
    tenant_file = situation.tenant_file
    for name in tenant_file.protected:
        if not situation.names.account(name):
            yield Diagnostic(
                f"protected account '{visible(name)}' does not exist in this tenant",
                "correct `guards.protected` in the tenant file: what is misspelt protects nobody",
                tenant_file.position,
            )
    if tenant_file.position and not tenant_file.protected:
        yield warning(
            "the tenant file protects nobody",
            "list the emergency access accounts under `guards.protected`",
        )


def _domains(situation: Situation) -> str:
    names = (d.name for d in situation.observed.tenant.domains if d.is_verified)
    return f"verified: {listing(names)}"


def _seats(situation: Situation) -> str:
    tenant_file = situation.tenant_file
    named = [license_.sku for user in situation.desired.users for license_ in user.licenses]
    named += [listed.name for listed in tenant_file.licenses or ()]
    found = {sku.id: sku for name in named if isinstance(sku := situation.names.skus[name], Sku)}
    seats_of = (
        f"{sku.part_number} {sku.free:,} of {sku.enabled + sku.warning:,}"
        for sku in sorted(found.values(), key=lambda sku: sku.part_number)
    )
    return f"free seats: {listing(seats_of)}" if found else "the files name none"


def _groups(situation: Situation) -> str:
    return f"{counted(len(situation.observed.groups), 'group')} found, whose members can be written"


def _accounts(situation: Situation) -> str:
    there = counted(len(situation.observed.users), "account")
    return f"{there} there already, none of which speaks against the mark"


def _protected(situation: Situation) -> str:
    names = situation.tenant_file.protected
    return f"{listing(names)}: there, and left alone" if names else "no tenant file names any"


def _fine(told: str) -> Callable[[Situation], str]:
    return lambda _: told


PARTS = (
    Part("domains", (managed_domains, domains), _domains),
    Part("names", (unknown_names,), _fine("each stands for one thing of the tenant")),
    Part(
        "entitlements",
        (unlisted_entitlements, privileged_roles, misplaced),
        _fine("the tenant file lists what the cohorts ask for"),
    ),
    Part("licenses", (usage_locations, seats), _seats),
    Part("groups", (unwritable_groups,), _groups),
    Part("accounts", (foreign_accounts, synced_accounts), _accounts),
    Part("protected accounts", (missing_protected, protected_accounts), _protected),
    Part(
        "recipients",
        (published_recipient,),
        _fine("credentials may be sealed to each cohort's keys"),
    ),
    Part("removals", (removals,), _fine("within the limit of the tenant file")),
)
"""Every guard of a plan but that of the tenant, which comes before them."""
