"""Subscriptions and their seats.

A seat is used by a living user who holds the SKU without an error; one who holds it in two
ways uses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.data.store import resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

_NONE_SUCH: Final[dict[str, Any]] = {
    "capabilityStatus": "Deleted",
    "prepaidUnits": {},
    "servicePlans": [],
}
_OPEN: Final = frozenset(("Enabled", "Warning"))
"""`capabilityStatus` of what can be assigned."""


def is_open(sku: dict[str, Any]) -> bool:
    """Whether *sku* can be assigned, as far as seats are left."""
    return sku["capabilityStatus"] in _OPEN


def consumed(db: sqlite3.Connection, sku_id: str) -> int:
    """Give how many seats of a SKU are used."""
    (holders,) = db.execute(
        "SELECT count(DISTINCT user_id) FROM license WHERE sku_id = ? AND error = 'None'",
        (sku_id,),
    ).fetchone()
    # Few users are deleted, and they have an index: quicker than to look every holder up.
    (deleted,) = db.execute(
        "SELECT count(DISTINCT user_id) FROM user CROSS JOIN license ON user_id = user.id "
        "WHERE deleted IS NOT NULL AND sku_id = ? AND error = 'None'",
        (sku_id,),
    ).fetchone()
    return int(holders - deleted)


class Subscriptions:
    """The company's SKUs while one piece of work lasts: each read and counted once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._skus: dict[str, dict[str, Any]] = {}
        self._free: dict[str, int] = {}

    def sku(self, sku_id: str) -> dict[str, Any]:
        """Give a SKU; one that the company no longer has is as a deleted one."""
        if sku_id not in self._skus:
            self._skus[sku_id] = resource(self._db, "sku", sku_id) or _NONE_SUCH
        return self._skus[sku_id]

    def plans(self, sku_id: str, disabled: Iterable[str] = ()) -> set[str]:
        """Give the service plans of a SKU that are on."""
        return {plan["servicePlanId"] for plan in self.sku(sku_id)["servicePlans"]} - set(disabled)

    def has_seat(self, sku_id: str) -> bool:
        """Whether one more user may hold this SKU; seats in their grace period count."""
        sku = self.sku(sku_id)
        if not is_open(sku):
            return False
        if sku_id not in self._free:
            units = sku["prepaidUnits"]
            self._free[sku_id] = units["enabled"] + units["warning"] - consumed(self._db, sku_id)
        return self._free[sku_id] > 0

    def moved(self, before: AbstractSet[str], after: AbstractSet[str]) -> None:
        """Note that a user who held the SKUs *before* now holds those *after*."""
        for sku_id in (before ^ after) & self._free.keys():
            self._free[sku_id] += 1 if sku_id in before else -1
