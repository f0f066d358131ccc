"""Seats: what a plan takes and frees of each SKU, through groups too."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import Delete, LicenseKey, MembershipKey, Restore, UserKey
from reconciler.model import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.changes import Change
    from reconciler.model import Group, ObjectId, Observed, ObservedUser


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
class SeatTaken:
    """One seat that the plan takes: for whom, and by which change."""

    sku_id: ObjectId
    change: Change


def seats_taken(observed: Observed, changes: Iterable[Change]) -> tuple[SeatTaken, ...]:
    """Give every seat that *changes* take, in the order of the changes."""
    return tuple(taken for person in _people(observed, changes) for taken in person.taken())


def count_seats(observed: Observed, changes: Iterable[Change]) -> tuple[Seats, ...]:
    """Give the seats of every SKU that *changes* touch, by part number."""
    taken: Counter[ObjectId] = Counter()
    freed: Counter[ObjectId] = Counter()
    for person in _people(observed, changes):
        taken.update(person.after.keys() - person.before)
        freed.update(person.before - person.after.keys())
    touched = [sku for sku in observed.skus if taken[sku.id] or freed[sku.id]]
    return tuple(
        Seats(
            sku.id,
            sku.part_number,
            sku.enabled + sku.warning,
            sku.free,
            taken[sku.id],
            freed[sku.id],
        )
        for sku in sorted(touched, key=lambda sku: sku.part_number)
    )


@dataclass(frozen=True, slots=True)
class _Person:
    """The SKUs that one account occupies a seat of, before and after."""

    before: frozenset[ObjectId]
    after: Mapping[ObjectId, Change | None]
    """The change that brings it; None for one that was there already."""

    def taken(self) -> Iterable[SeatTaken]:
        for sku_id, change in self.after.items():
            if sku_id not in self.before and change:
                yield SeatTaken(sku_id, change)


def _people(observed: Observed, changes: Iterable[Change]) -> list[_Person]:
    users = {user.id: user for user in (*observed.deleted_users, *observed.users)}
    groups = {group.id: group for group in observed.groups}
    by_account: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_account[folded(change.key.account.user_principal_name)].append(change)
    # By id: a new account holds nothing of what a deleted one of its name held.
    people = ((changes[0].key.account.id, changes) for changes in by_account.values())
    return [_person(users.get(i) if i else None, groups, mine) for i, mine in people]


def _person(
    user: ObservedUser | None, groups: Mapping[ObjectId, Group], changes: list[Change]
) -> _Person:
    """Follow one account through the plan.

    A deleted account frees its seats whatever else it held (Graph, delete user), and a
    restored one takes them again, whatever else in the plan would bring them too.
    """
    direct: dict[ObjectId, Change | None] = {}
    through: dict[ObjectId, dict[ObjectId, Change | None]] = defaultdict(dict)
    restored = next((change for change in changes if isinstance(change, Restore)), None)
    for state in user.licenses if user else ():
        if state.assigned_by_group is None:
            direct[state.sku_id] = None
        elif state.state.startswith("Active"):
            through[state.assigned_by_group][state.sku_id] = None
    had = frozenset(direct).union(*through.values())
    before = frozenset() if restored else had
    for change in changes:
        match change:
            case Delete(key=UserKey()):
                return _Person(before, {})
            case Delete(key=LicenseKey(sku_id=sku_id)):
                direct.pop(sku_id, None)
            case Delete(key=MembershipKey(group_id=group_id)):
                through.pop(group_id, None)
            case _:
                _gain(change, direct, through, groups)
    held = {sku: change for way in (*through.values(), direct) for sku, change in way.items()}
    return _Person(
        before, {sku: restored if sku in had else change for sku, change in held.items()}
    )


def _gain(
    change: Change,
    direct: dict[ObjectId, Change | None],
    through: dict[ObjectId, dict[ObjectId, Change | None]],
    groups: Mapping[ObjectId, Group],
) -> None:
    match change.key:
        case LicenseKey(sku_id=sku_id):
            direct.setdefault(sku_id, change)
        case MembershipKey(group_id=group_id) if group_id in groups:
            through[group_id] = dict.fromkeys(groups[group_id].sku_ids, change)
        case _:
            pass
