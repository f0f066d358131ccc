"""What users hold: the rows of licenses, and what follows from those of groups.

What a group gives reaches a member all together or not at all (Entra, "Resolve group license
assignment problems"); what stands in the way is the error that each of its licenses carries. A
license whose service plans have lost what they depend on is in error too, and counts no seat;
that a direct one is treated so is inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from reconciler.sandbox.company.skus import PROHIBITED
from reconciler.sandbox.data import plans
from reconciler.sandbox.data.store import resources, to_text
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.data.subscriptions import Subscriptions

NO_ERROR: Final = "None"
_NEW: Final = ""
"""The error of what nobody has judged yet."""
_Key: TypeAlias = tuple[str, str]
"""A group and a SKU; without a group it is direct."""
_DEPENDENCY: Final = "DependencyViolation"


@dataclass(frozen=True, slots=True)
class Holding:
    """One way in which a user holds a SKU; directly when *group_id* is empty."""

    sku_id: str
    group_id: str
    disabled: tuple[str, ...]
    error: str = _NEW

    @property
    def key(self) -> _Key:
        """Give what no other holding of the user has."""
        return self.group_id, self.sku_id

    @property
    def unit(self) -> _Key:
        """Give what it comes with: what else its group has not given yet, or itself alone."""
        return self.key if is_active(self) or not self.group_id else (self.group_id, "")


def of(db: sqlite3.Connection, user_id: str) -> list[Holding]:
    """Give what a user holds, direct ones first."""
    rows = db.execute(
        "SELECT sku_id, group_id, disabled, error FROM license WHERE user_id = ? "
        "ORDER BY group_id != '', rowid",
        (user_id,),
    )
    return [
        Holding(sku, group, tuple(orjson.loads(disabled)), error)
        for sku, group, disabled, error in rows
    ]


def is_active(holding: Holding) -> bool:
    """Whether the user has the use of it."""
    return holding.error == NO_ERROR


def held_skus(holdings: Iterable[Holding]) -> set[str]:
    """Give the SKUs of which *holdings* use a seat."""
    return {held.sku_id for held in holdings if is_active(held)}


def put(db: sqlite3.Connection, user_id: str, holding: Holding, now: datetime) -> None:
    """Keep *holding* as of *now*, in place of what the user held in the same way."""
    db.execute(
        "INSERT INTO license VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (user_id, sku_id, group_id) DO UPDATE SET "
        "disabled = excluded.disabled, updated = excluded.updated, error = excluded.error",
        (
            user_id,
            holding.sku_id,
            holding.group_id,
            to_text(holding.disabled),
            stamp(now),
            holding.error,
        ),
    )


def drop(db: sqlite3.Connection, user_id: str, holding: Holding) -> None:
    """Take *holding* back."""
    db.execute(
        "DELETE FROM license WHERE user_id = ? AND sku_id = ? AND group_id = ?",
        (user_id, holding.sku_id, holding.group_id),
    )


def enabled_plans(holdings: Iterable[Holding], skus: Subscriptions) -> set[str]:
    """Give the service plans that *holdings* turn on."""
    return {plan for held in holdings for plan in skus.plans(held.sku_id, held.disabled)}


# --- from groups


def process(db: sqlite3.Connection, user: User, skus: Subscriptions, now: datetime) -> None:
    """Bring what *user* has from groups in line with what its groups give now.

    Also tries again what was in error. A deleted user only loses what is no longer given.
    """
    before = {held.key: held for held in of(db, user.id)}
    given = _given(db, user.id)
    kept = [held for held in before.values() if not held.group_id or held.key in given]
    units = _units(kept if user.deleted else _wanted(kept, given))
    errors = {key: unit[0].error for key, unit in units.items()}
    _let_fall(units, errors, skus)
    if user.deleted is None:
        _let_rise(units, errors, _Judge(skus, _location(db, user), held_skus(before.values())))
    found = (replace(held, error=errors[key]) for key, unit in units.items() for held in unit)
    after = {held.key: held for held in found}
    for key in before.keys() - after.keys():
        drop(db, user.id, before[key])
    for key, held in after.items():
        if before.get(key) != held:
            put(db, user.id, held, now)
    if user.deleted is None:
        skus.moved(held_skus(before.values()), held_skus(after.values()))


def _wanted(kept: Iterable[Holding], given: Mapping[_Key, tuple[str, ...]]) -> Iterable[Holding]:
    """Give *kept* with what is *given* in its place or beside it."""
    wanted = {held.key: held for held in kept}
    for key, disabled in given.items():
        if key not in wanted or wanted[key].disabled != disabled:
            wanted[key] = Holding(key[1], key[0], disabled)
    return wanted.values()


def _given(db: sqlite3.Connection, user_id: str) -> dict[_Key, tuple[str, ...]]:
    """Give what the groups that a user is directly in carry: disabled plans by group and SKU."""
    rows = db.execute(
        "SELECT member.group_id, json_extract(document, '$.assignedLicenses') FROM member "
        'JOIN "group" ON id = member.group_id WHERE member_id = ? AND deleted IS NULL '
        "ORDER BY member.seq",
        (user_id,),
    )
    return {
        (group, license_["skuId"]): tuple(license_["disabledPlans"])
        for group, licenses in rows
        if licenses
        for license_ in orjson.loads(licenses)
    }


def _location(db: sqlite3.Connection, user: User) -> str | None:
    """Give where *user* uses services: who has no location has the company's."""
    own = user.properties.get("usageLocation")
    if own:
        return str(own)
    (company,) = resources(db, "organization")
    return company.get("defaultUsageLocation") or company.get("countryLetterCode")


@dataclass(frozen=True, slots=True)
class _Judge:
    """Says what stands between a user and licenses that its groups give."""

    skus: Subscriptions
    location: str | None
    seated: set[str]
    """The SKUs of which the user has a seat already."""

    def error(self, unit: Sequence[Holding], standing: Sequence[Holding]) -> str:
        """Give what keeps *unit* from a user who has *standing* beside it."""
        if self.location is None or self.location in PROHIBITED:
            return "ProhibitedInUsageLocationViolation"
        both = enabled_plans((*unit, *standing), self.skus)
        if plans.excluding(both):
            return "MutuallyExclusiveViolation"
        if plans.lacking(both):
            return _DEPENDENCY
        seated = self.seated | {held.sku_id for held in standing}
        if not all(held.sku_id in seated or self.skus.has_seat(held.sku_id) for held in unit):
            return "CountViolation"
        return NO_ERROR


def _units(wanted: Iterable[Holding]) -> dict[_Key, list[Holding]]:
    """Give what comes together, by `Holding.unit`."""
    units: dict[_Key, list[Holding]] = {}
    for held in wanted:
        units.setdefault(held.unit, []).append(held)
    return units


def _standing(units: Mapping[_Key, list[Holding]], errors: Mapping[_Key, str]) -> list[Holding]:
    return [held for key, unit in units.items() if errors[key] == NO_ERROR for held in unit]


def _let_fall(
    units: Mapping[_Key, list[Holding]],
    errors: dict[_Key, str],
    skus: Subscriptions,
) -> None:
    """Mark what depends on service plans that are no longer there."""
    while fault := plans.lacking(enabled_plans(_standing(units, errors), skus)):
        for key, unit in units.items():
            if fault[0] in enabled_plans(unit, skus):
                errors[key] = _DEPENDENCY


def _let_rise(units: Mapping[_Key, list[Holding]], errors: dict[_Key, str], judge: _Judge) -> None:
    """Give what nothing stands in the way of any more, and say what stands in that of others."""
    moved = True
    while moved:
        # What has just come may be what another one needs.
        moved = False
        for key in [key for key, error in errors.items() if error != NO_ERROR]:
            errors[key] = judge.error(units[key], _standing(units, errors))
            moved = moved or errors[key] == NO_ERROR
