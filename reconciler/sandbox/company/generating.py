"""People by the thousand: made by rules, and the same each time.

All choices follow one number. Only `random()` is asked for it, which is the one method
whose sequence Python promises to keep ("random", notes on reproducibility).
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate, count
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from reconciler.sandbox.company.model import FOUNDED, Group, Person
from reconciler.sandbox.company.names import FAMILY, GIVEN, in_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Chance = Callable[[], float]

_WHOLE: Final = 100
UPN_PATTERN: Final = "{given}.{family}@{domain}"
NAME_PATTERN: Final = "{given} {family}"
_GUEST: Final = {"userType": "Guest", "creationType": "Invitation"}


@dataclass(frozen=True, slots=True)
class Shares:
    """Values, each chosen as often as its share says."""

    values: tuple[str, ...]
    ends: tuple[float, ...]
    """Up to where each value's part of 0 to 1 goes."""

    @classmethod
    def of(cls, given: Sequence[str] | Mapping[str, float]) -> Shares:
        """Give equal shares to a list, and those of a mapping as they are."""
        weights = list(given.values()) if isinstance(given, dict) else [1.0] * len(given)
        total = sum(weights) or 1
        return cls(tuple(given), tuple(end / total for end in accumulate(weights)))

    def at(self, point: float) -> str | None:
        """Give the value at *point*, from 0 to 1; None where there are no values."""
        if not self.values:
            return None
        return self.values[min(bisect(self.ends, point), len(self.values) - 1)]


@dataclass(frozen=True, slots=True)
class GroupRules:
    """How groups of generated people are made."""

    name: str
    number: int = 1
    size: int = 0
    is_by_department: bool = False
    kind: str = "security"
    licenses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How people are made; the shares of a hundred are of all of them."""

    number: int
    seed: int = 0
    upn: str = UPN_PATTERN
    name: str = NAME_PATTERN
    domains: Shares = Shares((), ())
    departments: Shares = Shares((), ())
    titles: Shares = Shares((), ())
    countries: Shares = Shares((), ())
    licenses: Mapping[str, float] = field(default_factory=dict)
    """By id of the SKU, how many in a hundred hold it."""
    reports: int = 0
    disabled: float = 0
    guests: float = 0
    deleted: float = 0
    more: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[GroupRules, ...] = ()


def share_of(number: int, percent: float) -> int:
    """Give how many of *number* a share of a hundred is."""
    return round(number * percent / _WHOLE)


class Crowd:
    """The people that some rules make, and their groups."""

    def __init__(self, tenant_id: str, rules: Rules, number: int = 0) -> None:
        self._tenant = UUID(tenant_id)
        self._number = number
        self._rules = rules
        self._ids: list[str] = []
        self._departments: dict[str, list[str]] = {}

    def people(self, taken: set[str]) -> Iterator[Person]:
        """Give everybody; names that are in *taken*, in small letters, get a number."""
        rules, random = self._rules, _sequence(self._rules.seed)
        held = {sku: _some(random, rules.number, part) for sku, part in rules.licenses.items()}
        states = [
            _some(random, rules.number, part) - {0}  # whom all others report to stays
            for part in (rules.disabled, rules.guests, rules.deleted)
        ]
        disabled, guests, deleted = states
        self._ids, self._departments = [], defaultdict(list)
        for index in range(rules.number):
            department = rules.departments.at(random())
            properties, upn = self._made(index, random, department, taken)
            if index in guests:
                properties |= _GUEST
            if index in disabled:
                properties["accountEnabled"] = False
            key = str(uuid5(self._tenant, f"user {upn}"))
            self._ids.append(key)
            if department:
                self._departments[department].append(key)
            yield Person(
                key,
                upn,
                properties,
                self._manager(index, deleted),
                tuple(sku for sku, holders in held.items() if index in holders),
                is_deleted=index in deleted,
            )

    def _made(
        self,
        index: int,
        random: Chance,
        department: str | None,
        taken: set[str],
    ) -> tuple[dict[str, Any], str]:
        rules = self._rules
        given = GIVEN[int(random() * len(GIVEN))]
        family = FAMILY[int(random() * len(FAMILY))]
        country = rules.countries.at(random())
        words = {"n": index + 1, "domain": rules.domains.at(random()) or ""}
        in_upn = words | {
            "given": in_address(given),
            "family": in_address(family),
            "department": in_address(department or ""),
        }
        upn = _free(rules.upn.format_map(in_upn), taken)
        shown = words | {"given": given, "family": family, "department": department or ""}
        known = {
            "accountEnabled": True,
            "country": country,
            "createdDateTime": FOUNDED,
            "department": department,
            "displayName": rules.name.format_map(shown),
            "givenName": given,
            "jobTitle": rules.titles.at(random()),
            "mail": upn,
            "mailNickname": upn.partition("@")[0],
            "surname": family,
            "usageLocation": country,
            "userType": "Member",
        }
        return {k: v for k, v in known.items() if v is not None} | dict(rules.more), upn

    def _manager(self, index: int, deleted: set[int]) -> str | None:
        """Give the nearest in the tree who is there."""
        if not self._rules.reports or not index:
            return None
        above = (index - 1) // self._rules.reports
        while above in deleted:
            above = (above - 1) // self._rules.reports
        return self._ids[above]

    def groups(self) -> Iterator[Group]:
        """Give the groups of those whom `people` has given."""
        random = _sequence(f"{self._rules.seed} groups")
        for row, rules in enumerate(self._rules.groups):
            if rules.is_by_department:
                for department, members in sorted(self._departments.items()):
                    yield self._group(row, {"department": department, "n": ""}, members)
                continue
            for number in range(1, rules.number + 1):
                part = _WHOLE * rules.size / len(self._ids)
                some = sorted(_some(random, len(self._ids), part))
                words = {"n": number, "department": ""}
                yield self._group(row, words, [self._ids[index] for index in some])

    def _group(self, row: int, words: Mapping[str, Any], members: list[str]) -> Group:
        rules = self._rules.groups[row]
        name = rules.name.format_map(words)
        # Other groups may have the same name.
        place = f"{self._number}.{row}.{words['department']}.{words['n']}"
        return Group(
            str(uuid5(self._tenant, f"group {place} {name}")),
            name,
            in_address(name) or "group",
            rules.kind,
            tuple(members),
            licenses=rules.licenses,
        )


def _free(upn: str, taken: set[str]) -> str:
    """Give *upn*, with a number if somebody has it, and take it."""
    local, _, domain = upn.partition("@")
    numbers = count(2)
    while upn.lower() in taken:
        upn = f"{local}{next(numbers)}@{domain}"
    taken.add(upn.lower())
    return upn


def _sequence(seed: int | str) -> Chance:
    return Random(seed).random  # noqa: S311 -- made-up people are no secret


def _some(random: Chance, number: int, percent: float) -> set[int]:
    """Choose exactly a share of *number*, all as likely."""
    wanted = min(share_of(number, percent), number)
    if wanted * 2 > number:
        points = [random() for _ in range(number)]
        return set(sorted(range(number), key=points.__getitem__)[:wanted])
    chosen: set[int] = set()
    while len(chosen) < wanted:
        chosen.add(int(random() * number))
    return chosen
