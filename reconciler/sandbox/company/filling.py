"""Writes a company's people and groups: whole thousands in one statement.

Nothing is asked of the database on the way, so that 100,000 people take seconds: ids are
known beforehand, and the seats are counted here.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.api.roles import grant
from reconciler.sandbox.company.model import FOUNDED, KINDS, mail_of
from reconciler.sandbox.data import addresses, pages, passwords
from reconciler.sandbox.data.accounts import User, page_text
from reconciler.sandbox.data.group_values import security_identifier
from reconciler.sandbox.data.store import to_text
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from reconciler.sandbox.company.model import Company, Group, Person

_AT_ONCE: Final = 5_000
_DELETED_FOR: Final = timedelta(days=6)

_USER: Final = (
    "INSERT INTO user (seq, id, upn, deleted, manager, password, document) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LICENSE: Final = (
    "INSERT INTO license (user_id, sku_id, group_id, disabled, updated, error) "
    "VALUES (?, ?, ?, '[]', ?, ?)"
)


class Filling:
    """One tenant while it is filled: who holds which seats so far."""

    def __init__(self, db: sqlite3.Connection, company: Company) -> None:
        self._db = db
        self._mailed_at = company.default_domain
        self._deleted_at = stamp(datetime.now(UTC) - _DELETED_FOR)
        self._numbers = count(1)
        self._seats = {sku.id: sku.enabled for sku in company.skus}
        self._holders: dict[str, set[str]] = defaultdict(set)
        self._seatless = {group.id for group in company.groups}
        """Members that take no seat: groups within groups, and whoever is deleted."""

    def people(self, people: Iterable[Person]) -> None:
        """Write everybody, with what they hold themselves."""
        waiting = iter(people)
        while some := list(islice(waiting, _AT_ONCE)):
            users = [self._user(person) for person in some]
            self._db.executemany(_USER, [_row(user) for user in users])
            self._db.executemany(
                addresses.INSERT,
                [row for user in users for row in addresses.rows(user.id, user.properties)],
            )
            shown = [(user.seq, page_text(user)) for user in users if user.deleted is None]
            pages.put_all(self._db, shown)
            self._db.executemany(_LICENSE, self._licenses(some))
            for person in some:
                for role in person.roles:
                    grant(self._db, role, person.id)

    def _user(self, person: Person) -> User:
        key, upn = person.id, person.upn
        return User(
            next(self._numbers),
            key,
            # As the tenant itself does it, so that the name is free again.
            f"{key.replace('-', '')}{upn}" if person.is_deleted else upn,
            self._deleted_at if person.is_deleted else None,
            person.manager,
            passwords.hashed(person.password) if person.password else None,
            addresses.completed(person.properties),
        )

    def _licenses(self, people: Iterable[Person]) -> Iterator[tuple[Any, ...]]:
        for person in people:
            if person.is_deleted:
                self._seatless.add(person.id)
            for sku in person.licenses:
                yield person.id, sku, "", FOUNDED, "None"
                if not person.is_deleted:
                    self._holders[sku].add(person.id)

    def groups(self, groups: Iterable[Group]) -> None:
        """Write every group, with what its members hold through it."""
        for group in groups:
            document = _document(group, self._mailed_at)
            self._db.execute(
                'INSERT INTO "group" (id, document) VALUES (?, ?)', (group.id, to_text(document))
            )
            self._db.executemany(addresses.INSERT, addresses.rows(group.id, document))
            self._db.executemany(
                "INSERT INTO member (group_id, member_id) VALUES (?, ?)",
                [(group.id, member) for member in group.members],
            )
            self._db.executemany(
                "INSERT INTO owner (group_id, owner_id) VALUES (?, ?)",
                [(group.id, owner) for owner in group.owners],
            )
            self._db.executemany(_LICENSE, self._inherited(group))
            for role in group.roles:
                grant(self._db, role, group.id)

    def _inherited(self, group: Group) -> Iterator[tuple[Any, ...]]:
        for sku in group.licenses:
            holders = self._holders[sku]
            for member in group.members:
                if member in self._seatless:
                    continue
                has_seat = member in holders or len(holders) < self._seats[sku]
                if has_seat:
                    holders.add(member)
                yield member, sku, group.id, FOUNDED, "None" if has_seat else "CountViolation"


def _row(user: User) -> tuple[Any, ...]:
    document = to_text(user.properties)
    return user.seq, user.id, user.upn, user.deleted, user.manager, user.password, document


def _document(group: Group, domain: str) -> dict[str, Any]:
    document = {
        **KINDS[group.kind],
        "createdDateTime": FOUNDED,
        "renewedDateTime": FOUNDED,
        "displayName": group.name,
        "mailNickname": group.nickname,
        "securityIdentifier": security_identifier(group.id),
        **group.more,
    }
    if group.kind == "synced":
        document["onPremisesDomainName"] = f"corp.{domain}"
    if address := mail_of(group, domain):
        document |= {"mail": address, "proxyAddresses": [f"SMTP:{address}"]}
    if group.licenses:
        held = [{"skuId": sku, "disabledPlans": []} for sku in group.licenses]
        document["assignedLicenses"] = held
    return document
