"""Names to what they name: everything that a file can mention, looked up in what was observed.

A name is a displayName, a skuPartNumber, a userPrincipalName or an id, compared without
case. What cannot be told apart or found is `Unresolved`: a value, because it is the
guards that refuse it and the diff that passes it over.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from reconciler.model import Account, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.model import (
        Desired,
        Group,
        Listed,
        ObjectId,
        Observed,
        ObservedUser,
        RoleDefinition,
        ServicePlan,
        Sku,
        TenantFile,
    )


LONGEST_NAME = 120
"""Characters of a value that Graph compares in a default query (Graph, known issues of
directory objects)."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name that stands for nothing, or for several things."""

    name: str
    matches: tuple[ObjectId, ...] = ()
    """The ids of the several; empty where there is nothing."""
    known: tuple[str, ...] = ()
    """Names that do exist, to suggest."""


class _Identified(Protocol):
    @property
    def id(self) -> ObjectId: ...


Named = TypeVar("Named", bound=_Identified)


class _Index(Generic[Named]):
    """Things by id, and by the names they share."""

    def __init__(
        self,
        things: Iterable[Named],
        name: Callable[[Named], str],
        suggestions: Iterable[str] = (),
    ) -> None:
        self._by_name: defaultdict[str, dict[str, Named]] = defaultdict(dict)
        self._known: dict[str, None] = {}
        for thing in things:
            self._by_name[folded(name(thing))][thing.id] = thing
            self._by_name[folded(thing.id)][thing.id] = thing
            self._known[name(thing)] = None
        self._known.update(dict.fromkeys(suggestions))

        self._found: dict[str, Named | Unresolved] = {}

    def __getitem__(self, name: str) -> Named | Unresolved:
        found = self._found.get(name)  # a crowd mentions the same few names over and over
        if found is None:
            found = self._found[name] = self._find(name)
        return found

    def _find(self, name: str) -> Named | Unresolved:
        matches = self._by_name.get(folded(name), {})
        if len(matches) == 1:
            return next(iter(matches.values()))
        return Unresolved(name, tuple(thing.id for thing in matches.values()), tuple(self._known))


class Names:
    """Everything the files can mention, by name."""

    def __init__(self, desired: Desired, observed: Observed) -> None:
        self.skus: _Index[Sku] = _Index(observed.skus, lambda sku: sku.part_number)
        self.groups: _Index[Group] = _Index(
            observed.groups,
            lambda group: group.display_name,
            (group.display_name for group in observed.similar_groups),
        )
        self.roles: _Index[RoleDefinition] = _Index(
            observed.role_definitions, lambda role: role.display_name
        )
        self._plans = {sku.id: _Index(sku.service_plans, _plan_name) for sku in observed.skus}
        self._users = {folded(user.user_principal_name): user for user in observed.users}
        self._deleted = {folded(user.user_principal_name): user for user in observed.deleted_users}
        self._accounts = _accounts(desired, observed)

    def service_plan(self, sku: Sku, name: str) -> ServicePlan | Unresolved:
        """Find a part of *sku* by its name or id."""
        return self._plans[sku.id][name]

    def user(self, user_principal_name: str) -> ObservedUser | None:
        """Find the account that has this name now."""
        return self._users.get(folded(user_principal_name))

    def deleted_user(self, user_principal_name: str) -> ObservedUser | None:
        """Find the account in the recycle bin that had this name."""
        return self._deleted.get(folded(user_principal_name))

    def account(self, name: str) -> Account | None:
        """Find anybody whom the files mention, one who is yet to be created or restored too.

        Those have no id here: one in the recycle bin is of no use before the account is back.
        """
        return self._accounts.get(folded(name))


@dataclass(frozen=True, slots=True)
class Managed:
    """The entitlements that the tenant file lists and the tenant has, by id."""

    skus: Mapping[ObjectId, Sku]
    groups: Mapping[ObjectId, Group]
    roles: Mapping[ObjectId, RoleDefinition]

    @classmethod
    def by(cls, tenant_file: TenantFile, names: Names) -> Managed:
        """Look up what *tenant_file* lists."""
        return cls(
            _found(tenant_file.licenses, names.skus),
            _found(tenant_file.groups, names.groups),
            _found(tenant_file.roles, names.roles),
        )


def _found(listed: Iterable[Listed] | None, index: _Index[Named]) -> Mapping[ObjectId, Named]:
    found = (index[item.name] for item in listed or ())
    return {thing.id: thing for thing in found if not isinstance(thing, Unresolved)}


def _plan_name(plan: ServicePlan) -> str:
    return plan.name


def _accounts(desired: Desired, observed: Observed) -> dict[str, Account]:
    accounts = {
        folded(user.user_principal_name): Account(user.user_principal_name)
        for user in desired.users
    }
    existing = (*observed.people, *(user.account for user in observed.users))
    accounts |= {folded(account.user_principal_name): account for account in existing}
    return accounts | {folded(account.id): account for account in existing if account.id}
