"""Licences that Graph would not assign: no seat, or no usage location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, LicenseKey, Restore
from reconciler.diagnostics import Diagnostic
from reconciler.model import folded
from reconciler.seats import count_seats, seats_taken
from reconciler.text import counted, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.guards.situation import Situation
    from reconciler.model import FieldValue, ObjectId


def usage_locations(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse licences for people of whom it is not known where they will use them."""
    declared = {folded(u.user_principal_name): u.fields for u in situation.desired.users}
    existing = (*situation.observed.users, *situation.observed.deleted_users)
    known: dict[ObjectId | None, FieldValue] = {
        u.id: u.fields.get("usageLocation") for u in existing
    }
    for change in situation.changes:
        if not (isinstance(change.key, LicenseKey) and isinstance(change, Create)):
            continue
        name = change.key.account.user_principal_name
        location = known.get(change.key.account.id)
        if not (declared[folded(name)].get("usageLocation") or location):
            yield Diagnostic(
                f"'{visible(name)}' has no usageLocation, so {change.key.name} cannot be assigned",
                "add `usageLocation:` (a two-letter country code) to the person or to `defaults:`",
                change.position,
            )


def seats(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse more licences than there are seats, and name who would be left out.

    What comes back with a restored account comes back even where no seat is free (Graph,
    restore a deleted item).
    """
    skus = {sku.id: sku for sku in situation.observed.skus}
    places = {folded(u.user_principal_name): u.position for u in situation.desired.users}
    taken = seats_taken(situation.observed, situation.changes)
    for count in count_seats(situation.observed, situation.changes):
        sku = skus[count.sku_id]
        mine = sorted(
            (s.change for s in taken if s.sku_id == sku.id and not isinstance(s.change, Restore)),
            key=lambda change: places[folded(change.key.account.user_principal_name)],
        )
        if not sku.is_assignable and mine:
            yield Diagnostic(
                f"license {visible(sku.part_number)} cannot be assigned to anybody: it is "
                f"{sku.capability_status}, for {sku.applies_to}",
                "renew the subscription, or ask for another license",
                mine[0].position,
            )
        elif mine and count.free_after < 0:
            back = count.assigned - len(mine)  # with restored accounts, seats or no seats
            left_out = mine[max(0, count.free + count.freed - back) :]
            names = [change.key.account.user_principal_name for change in left_out]
            yield Diagnostic(
                f"too few seats of {visible(sku.part_number)}: {count.assigned} needed, "
                f"{max(0, count.free)} free, {count.freed} freed by this plan, "
                f"{len(left_out)} short; left out: {listing(names, limit=len(names))}",
                f"buy {counted(-count.free_after, 'seat')}, or take the license from as many "
                "people",
                left_out[0].position,
            )
