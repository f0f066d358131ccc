"""Graph to Observed: as many questions as the cohort has people, not as the tenant has.

A name is resolved here once. A read that fails or stops half-way is an error, never
absence; the one exception is a direct read of an account that the index still shows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from reconciler.graph import decoding
from reconciler.graph.requests import Requests
from reconciler.graph.transport import page
from reconciler.model import Mark, ObjectId, Observed, RoleAssignment, folded
from reconciler.names import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.decoding import Json
    from reconciler.graph.transport import Graph
    from reconciler.model import Desired, Group, ObservedUser, RoleDefinition, Tenant

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Everything that the files name, each once, ids apart from names."""

    users: tuple[str, ...]
    people: tuple[str, ...]
    people_ids: tuple[str, ...]
    groups: tuple[str, ...]
    group_ids: tuple[str, ...]
    roles: frozenset[str]

    @classmethod
    def by(cls, desired: Desired) -> Mentioned:
        """Collect what *desired* names."""
        tenant_file = desired.tenant_file
        users = [user.user_principal_name for user in desired.users]
        managers = (str(u.fields["manager"]) for u in desired.users if u.fields.get("manager"))
        people = [*managers, *tenant_file.protected]
        groups = [group.group for user in desired.users for group in user.groups]
        groups += [listed.name for listed in tenant_file.groups or ()]
        roles = [role.role for user in desired.users for role in user.roles]
        roles += [listed.name for listed in tenant_file.roles or ()]
        declared = {folded(user) for user in users}
        return cls(
            users=_once(users),
            people=_once(p for p in people if not _is_id(p) and folded(p) not in declared),
            people_ids=_once(p for p in people if _is_id(p)),
            groups=_once(g for g in groups if not _is_id(g) and len(g) <= LONGEST_NAME),
            group_ids=_once(group for group in groups if _is_id(group)),
            roles=frozenset(folded(role) for role in roles),
        )


async def observe(graph: Graph, desired: Desired) -> Observed:
    """Read everything of the tenant that concerns *desired*."""
    return await _Observation(graph, desired).observed()


class _Observation:
    """The questions of one observation, and what was answered so far."""

    def __init__(self, graph: Graph, desired: Desired) -> None:
        self.graph = graph
        self.desired = desired
        self.ownership = desired.tenant_file.ownership
        self.mentioned = Mentioned.by(desired)
        self.requests = Requests(graph.client)

    async def observed(self) -> Observed:
        """Ask in three rounds: what is named, whom it belongs to, what each of them holds."""
        mentioned, requests = self.mentioned, self.requests
        users = requests.users(mentioned.users, self.ownership)
        people = requests.people(mentioned.people, mentioned.people_ids)
        groups = requests.groups(mentioned.groups, mentioned.group_ids)
        tenant, skus, definitions, found = await self._tenant([*users, *people, *groups])
        users_found = _flat(found[: len(users)])
        people_found = _flat(found[len(users) : len(users) + len(people)])
        groups_found = _groups(_flat(found[len(users) + len(people) :]))
        accounts = [*users_found.values(), *await self._leavers(users_found)]
        roles = [role for role in definitions if self._is_mentioned(role)]
        return Observed(
            tenant=tenant,
            skus=tuple(decoding.sku(item) for item in skus),
            groups=groups_found,
            similar_groups=await self._similar_groups(groups_found),
            role_definitions=tuple(definitions),
            users=await self._users(accounts, groups_found, roles),
            deleted_users=await self._deleted(users_found),
            people=tuple(decoding.account(item) for item in people_found.values()),
        )

    async def _tenant(
        self, more: Sequence[RequestInformation]
    ) -> tuple[Tenant, list[Json], list[RoleDefinition], list[list[Json]]]:
        """Ask for what every plan needs, and for *more* in the same batches."""
        requests = self.requests
        always = [requests.organization(), requests.domains(), requests.subscribed_skus()]
        roles = [requests.role_definitions()] if self.mentioned.roles else []
        collections = await self.graph.read_all([*always, *roles, *more])
        (organization, *_), domains, skus = collections[:3]
        definitions = [
            decoding.role_definition(item)
            for items in collections[3:][: len(roles)]
            for item in items
        ]
        return (
            decoding.tenant(organization, domains),
            skus,
            sorted(definitions, key=lambda role: role.id),
            collections[len(always) + len(roles) :],
        )

    def _is_mentioned(self, role: RoleDefinition) -> bool:
        return bool({folded(role.display_name), folded(role.id)} & self.mentioned.roles)

    async def _leavers(self, declared: dict[str, Json]) -> list[Json]:
        """Read the accounts that carry our mark and are not declared, each directly.

        The index that finds them lags behind writes: what it says is a reason to look,
        never to remove.
        """
        if self.desired.tenant_file.position is None:
            return []  # without a tenant file nothing is ever taken away
        (marked,) = await self.graph.read_all([self.requests.marked(self.ownership)])
        candidates = [
            item["id"] for item in marked if item["id"] not in declared and self._is_in_scope(item)
        ]
        replies = await self.graph.read(
            [self.requests.user(user, self.ownership) for user in sorted(candidates)]
        )
        return [reply.body for reply in replies if not reply.error]

    def _is_in_scope(self, item: Json) -> bool:
        mark = Mark.parse(decoding.mark(item, self.ownership))
        if not mark or mark.source != self.desired.tenant_file.source:
            return False
        return self.desired.scope is None or mark.cohort in self.desired.scope

    async def _users(
        self, accounts: list[Json], groups: Iterable[Group], roles: Iterable[RoleDefinition]
    ) -> tuple[ObservedUser, ...]:
        """Read who of *accounts* is a member of which group, and who holds which role."""
        asked = list(groups) if accounts else []
        held = list(roles) if accounts else []
        members = [self.requests.members(group.id) for group in asked]
        assignments = [self.requests.role_assignments(role.id) for role in held]
        answers = await self.graph.read_all([*members, *assignments])
        groups_of: defaultdict[str, set[ObjectId]] = defaultdict(set)
        for group, answer in zip(asked, answers, strict=False):
            for member in answer:
                groups_of[member["id"]].add(group.id)
        roles_of: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
        for assignment in chain.from_iterable(answers[len(members) :]):
            roles_of[assignment["principalId"]].append(decoding.role_assignment(assignment))
        return tuple(
            decoding.user(
                item, self.ownership, frozenset(groups_of[item["id"]]), roles_of[item["id"]]
            )
            for item in sorted(accounts, key=lambda item: str(item["id"]))
        )

    async def _deleted(self, found: dict[str, Json]) -> tuple[ObservedUser, ...]:
        """Look in the recycle bin for declared people who have no account."""
        present = {folded(item["userPrincipalName"]) for item in found.values()}
        missing = {folded(user) for user in self.mentioned.users} - present
        if not missing:
            return ()
        (items,) = await self.graph.read_all([self.requests.deleted_users(self.ownership)])
        deleted = (
            decoding.deleted_user(item, self.ownership)
            for item in sorted(items, key=self._how_likely_to_return)
        )
        return tuple(user for user in deleted if folded(user.user_principal_name) in missing)

    def _how_likely_to_return(self, item: Json) -> tuple[bool, str, str]:
        """Order namesakes of the recycle bin: ours last, and the latest deletion last of all."""
        mark = Mark.parse(decoding.mark(item, self.ownership))
        is_ours = mark is not None and mark.source == self.desired.tenant_file.source
        return is_ours, item.get("deletedDateTime") or "", item["id"]

    async def _similar_groups(self, found: Iterable[Group]) -> tuple[Group, ...]:
        """Look for groups that misspelt names may have meant."""
        names = {folded(group.display_name) for group in found}
        unknown = [name for name in self.mentioned.groups if folded(name) not in names]
        replies = await self.graph.read([self.requests.groups_like(name) for name in unknown])
        items = chain.from_iterable(page(reply)[0] for reply in replies)
        return _groups(decoding.by_id(items))


def _groups(items: dict[str, Json]) -> tuple[Group, ...]:
    return tuple(decoding.group(item) for item in items.values())


def _flat(collections: Iterable[Iterable[Json]]) -> dict[str, Json]:
    return decoding.by_id(chain.from_iterable(collections))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """Give each name once, compared without case, in a stable order."""
    once: dict[str, str] = {}
    for name in sorted(names):
        once.setdefault(folded(name), name)
    return tuple(once.values())


def _is_id(name: str) -> bool:
    return _GUID.fullmatch(name) is not None
