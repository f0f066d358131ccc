"""What no tenant can hold, though every name in its seed file means something."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.sandbox.company.model import mail_of
from reconciler.sandbox.data import addresses
from reconciler.sandbox.data.plans import excluding
from reconciler.sandbox.data.values import is_upn
from reconciler.text import listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.sandbox.company.model import Group, Person
    from reconciler.sandbox.company.resolving import Resolving, Step


def check(find: Resolving, people: Sequence[Person], groups: Sequence[Group]) -> None:
    """Tell of rings of managers, shared addresses, and SKUs that nobody can hold together."""
    _check_managers(find, people)
    _check_addresses(find, people, groups)
    through: defaultdict[str, set[str]] = defaultdict(set)
    for number, group in enumerate(groups):
        if check_together(find, group.licenses, "groups", number, "licenses"):
            for member in group.members:
                through[member] |= set(group.licenses)
    for number, person in enumerate(people):
        path = ("people", number, "licenses")
        if not person.is_deleted and check_together(find, person.licenses, *path):
            check_together(find, through[person.id].union(person.licenses), *path)


def check_upn(find: Resolving, upn: str, *path: Step) -> None:
    """Tell of a UPN that Entra does not take."""
    if not is_upn(upn):
        find.tell(
            f"'{visible(upn)}' is no UPN that Entra takes",
            "up to 64 of A-Z, a-z, 0-9 and ' . - _ ! # ^ ~ $ before the @, no dot right before "
            "it, and up to 48 characters behind it",
            *path,
        )


def check_together(find: Resolving, sku_ids: Iterable[str], *path: Step) -> bool:
    """Whether one person can hold these SKUs; tells it when not."""
    held = {
        sku.part_number: set(sku.service_plans.values())
        for sku in find.skus.values()
        if sku.id in sku_ids
    }
    both = set(excluding(set().union(*held.values())))
    if both:
        names = listing(name for name, plans in held.items() if plans & both)
        hint = "give each person one of them, directly and through groups together"
        find.tell(f"nobody can hold {names} together", hint, *path)
    return not both


def _check_addresses(find: Resolving, people: Sequence[Person], groups: Sequence[Group]) -> None:
    """Tell of an address that two who live have; whoever is deleted has none."""
    held = [
        (addresses.mailed_at(person.properties), ("people", number))
        for number, person in enumerate(people)
        if not person.is_deleted
    ]
    held += [
        ({address}, ("groups", number))
        for number, group in enumerate(groups)
        if (address := mail_of(group, find.default_domain).lower())
    ]
    taken: set[str] = set()
    for own, path in held:
        for address in sorted(own & taken):
            summary = f"the address '{visible(address)}' is somebody else's already"
            find.tell(summary, "give each its own mail, proxyAddresses and mailNickname", *path)
        taken |= own


def _check_managers(find: Resolving, people: Sequence[Person]) -> None:
    above = {person.id: person.manager for person in people}
    numbers = {person.id: number for number, person in enumerate(people)}
    done: set[str] = set()
    for person in people:
        path: list[str] = []
        key: str | None = person.id
        while key in above and key not in done:
            done.add(key)
            path.append(key)
            key = above[key]
        ring = path[path.index(key) :] if key in path else []
        if len(ring) > 1:  # of one's own manager is told elsewhere
            _tell_ring(find, [people[numbers[each]].upn for each in ring], numbers[ring[0]])


def _tell_ring(find: Resolving, upns: Sequence[str], number: int) -> None:
    first, *others = upns
    find.tell(
        f"the managers of '{visible(first)}' lead back there: {listing([*others, first])}",
        "give one of them another manager, or none",
        *("people", number, "manager"),
    )
