"""Chains: what hangs on whose account, and the accounts that a run has made itself.

One person's failure ends that person's chain and nobody else's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from reconciler.changes import (
    Change,
    Delete,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Reason,
    UserKey,
)
from reconciler.executor.verdicts import FRESH_SECONDS
from reconciler.model import Account, ObjectId, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

C = TypeVar("C", bound=Change)


class Chains:
    """Who can go on, and under which id; *monotonic* is the time for waiting."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._made: dict[str, tuple[ObjectId, float]] = {}
        """Accounts that this run created or restored: their ids, and when."""
        self._ended: dict[str, str] = {}
        """Accounts whose chain has ended: the address of the change that ended it."""
        self._kept: dict[str, str] = {}
        """Leavers who keep something: the address of what could not be taken back."""

    def end(self, change: Change) -> None:
        """Note that *change* did not succeed: what hangs on its account is pointless.

        Not so where a leaver keeps a license or a membership: to be blocked is worth more. Only
        the deletion waits for a rerun: what a deleted account has, nobody can take from it.
        """
        is_leaver = change.reason is Reason.USER_NOT_DECLARED
        if is_leaver and isinstance(change.key, LicenseKey | MembershipKey):
            self._kept.setdefault(_name(change.key.account), change.key.address)
            return
        self._ended.setdefault(_name(change.key.account), change.key.address)

    def broken(self, change: Change) -> str | None:
        """Give the address of what *change* hangs on and what did not succeed."""
        ended = self._ended.get(_name(change.key.account))
        if ended and ended != change.key.address:
            return ended
        if self.keeps(change) and not change.fields:
            return self.keeps(change)  # blocked already: there is nothing left but to delete it
        manager = change.key.manager if isinstance(change.key, ManagerKey) else None
        if manager and manager.id is None and _name(manager) not in self._made:
            return f"user/{_name(manager)}"
        return None

    def keeps(self, change: Change) -> str | None:
        """Give the address of what an account that *change* would delete still has."""
        is_deletion = isinstance(change, Delete) and isinstance(change.key, UserKey)
        return self._kept.get(_name(change.key.account)) if is_deletion else None

    def made(self, account: Account, id_: ObjectId) -> None:
        """Note that *account* exists since now."""
        self._made[_name(account)] = (id_, self._monotonic())

    def id_of(self, account: Account) -> ObjectId:
        """Give the id of *account*, which exists."""
        return account.id or self._made[_name(account)][0]

    def identified(self, change: C) -> C:
        """Give *change* with the id of its account, where this run has made it."""
        account = change.key.account
        if account.id is not None or _name(account) not in self._made:
            return change
        known = replace(account, id=self._made[_name(account)][0])
        return replace(change, key=replace(change.key, account=known))

    def is_fresh(self, accounts: Iterable[Account]) -> bool:
        """Whether this run has made one of *accounts* less than a while ago."""
        now = self._monotonic()
        since = (self._made[_name(a)][1] for a in accounts if _name(a) in self._made)
        return any(now - made < FRESH_SECONDS for made in since)


def _name(account: Account) -> str:
    return folded(account.user_principal_name)
