"""Graph to Observed: as many questions as the cohort has people, not as the tenant has.

A name is resolved here once. A read that fails or stops half-way is an error, never
absence. What only the index of an advanced query says is told apart (`Observed.indexed`),
because that index lags behind writes; `confirmed` reads it directly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from reconciler.graph import decoding
from reconciler.graph.batching import SIZE
from reconciler.graph.memberships import memberships
from reconciler.graph.mentioned import Mentioned
from reconciler.graph.permissions import may_ask_member_of
from reconciler.graph.requests import IN_VALUES, Requests
from reconciler.graph.transport import page
from reconciler.model import Mark, ObjectId, Observed, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.decoding import Json
    from reconciler.graph.transport import Graph
    from reconciler.model import Desired, Group, ObservedUser, RoleDefinition

AT_ONCE = SIZE * IN_VALUES
"""Declared people whom one batch can ask for: up to so many the index is not needed."""


async def observe(graph: Graph, desired: Desired) -> Observed:
    """Read everything of the tenant that concerns *desired*."""
    return await _Observation(graph, desired).observed()


async def read_directly(
    graph: Graph, desired: Desired, observed: Observed, doubtful: AbstractSet[ObjectId]
) -> Observed:
    """Read the *doubtful* accounts of `observed.indexed` directly: what that says counts.

    Where one of them has gone or has another name now, everybody is read directly again.
    """
    ownership = desired.tenant_file.ownership
    requests = Requests(graph.client).users(ownership, ids=sorted(doubtful))
    items = _flat(await graph.read_all(requests))
    users = tuple(
        decoding.user(items[user.id], ownership, user.groups, user.roles)
        if user.id in items
        else user
        for user in observed.users
        if user.id in items or user.id not in doubtful
    )
    names = {folded(user.user_principal_name) for user in users}
    if any(folded(user.user_principal_name) not in names for user in observed.users):
        return await _Observation(graph, desired, believes_index=False).observed()
    return replace(observed, users=users, indexed=observed.indexed - doubtful)


class _Observation:
    """The questions of one observation, and what was answered so far."""

    def __init__(self, graph: Graph, desired: Desired, *, believes_index: bool = True) -> None:
        self.graph = graph
        self.desired = desired
        self.ownership = desired.tenant_file.ownership
        self.mentioned = Mentioned.by(desired)
        self.requests = Requests(graph.client)
        self.believes_index = believes_index and len(self.mentioned.users) > AT_ONCE

    async def observed(self) -> Observed:
        """Ask in rounds: what is named, whom it belongs to, what each of them holds."""
        mentioned, requests = self.mentioned, self.requests
        names = () if self.believes_index else mentioned.users
        organization, domains, skus, roles, people, groups, direct, marked = await self._together(
            [requests.organization()],
            [requests.domains()],
            [requests.subscribed_skus()],
            [requests.role_definitions()] if mentioned.roles else [],
            requests.people(mentioned.people, mentioned.people_ids),
            requests.groups(mentioned.groups, mentioned.group_ids),
            requests.users(self.ownership, names=names),
            self._marked(),
        )
        definitions = sorted(map(decoding.role_definition, roles), key=lambda role: role.id)
        groups_found = _groups(decoding.by_id(groups))
        in_scope = decoding.by_id(item for item in marked if self._is_in_scope(item))
        believed = self._believed(in_scope) if self.believes_index else {}
        read, assignments = await self._directly(direct, in_scope, believed, definitions)
        if not _known_by(read.values()).isdisjoint(_known_by(believed.values())):
            # Somebody got the name of somebody else, or another one: the index is behind.
            return await _Observation(self.graph, self.desired, believes_index=False).observed()
        accounts = believed | read
        return Observed(
            tenant=decoding.tenant(organization[0], domains),
            skus=tuple(decoding.sku(item) for item in skus),
            groups=groups_found,
            similar_groups=await self._similar_groups(groups_found),
            role_definitions=tuple(definitions),
            users=decoding.users(
                accounts,
                self.ownership,
                await memberships(
                    self.graph,
                    [group.id for group in groups_found],
                    sorted(map(ObjectId, accounts)),
                    may_ask=may_ask_member_of(self.graph.token()),
                ),
                assignments,
            ),
            deleted_users=await self._deleted(accounts),
            people=tuple(decoding.account(item) for item in decoding.by_id(people).values()),
            indexed=frozenset(ObjectId(key) for key in believed),
        )

    async def _together(self, *questions: Sequence[RequestInformation]) -> list[list[Json]]:
        """Ask several kinds of questions in the same batches; gives what each kind found."""
        answers = iter(await self.graph.read_all(list(chain.from_iterable(questions))))
        return [list(chain.from_iterable(islice(answers, len(some)))) for some in questions]

    def _marked(self) -> list[RequestInformation]:
        """Ask who carries our mark, where that may find leavers or saves asking for each."""
        tenant_file, scope = self.desired.tenant_file, self.desired.scope
        if tenant_file.position is None and not self.believes_index:
            return []
        return self.requests.marked(self.ownership, tenant_file.source, scope)

    def _is_in_scope(self, item: Json) -> bool:
        """Whether *item* is really ours: Graph compares without case."""
        mark = Mark.parse(decoding.mark(item, self.ownership))
        if not mark or mark.source != self.desired.tenant_file.source:
            return False
        return self.desired.scope is None or mark.cohort in self.desired.scope

    def _believed(self, in_scope: Mapping[str, Json]) -> dict[str, Json]:
        """Give the declared accounts of which the index may be enough.

        Not those who have a manager declared, whom it does not tell, nor namesakes.
        """
        enough = {
            folded(user.user_principal_name)
            for user in self.desired.users
            if "manager" not in user.fields
        }
        count = Counter(_name(item) for item in in_scope.values())
        return {
            key: item
            for key, item in in_scope.items()
            if _name(item) in enough and count[_name(item)] == 1
        }

    async def _directly(
        self,
        direct: Iterable[Json],
        in_scope: Mapping[str, Json],
        believed: Mapping[str, Json],
        definitions: Iterable[RoleDefinition],
    ) -> tuple[dict[str, Json], list[Json]]:
        """Read the accounts of whom the index is not enough, and who holds which role.

        Who carries our mark is read by id where no name has led there: a leaver, whom the
        index may still show although nobody is there. Without a tenant file nobody is one.
        """
        read = decoding.by_id(direct)
        if self.believes_index:
            known = _known_by(believed.values())
            names = [name for name in self.mentioned.users if folded(name) not in known]
            (more,) = await self._together(self.requests.users(self.ownership, names=names))
            read |= decoding.by_id(more)
        has_leavers = self.desired.tenant_file.position is not None
        leavers = sorted(in_scope.keys() - believed.keys() - read.keys()) if has_leavers else []
        held = [role for role in definitions if self._is_mentioned(role)]
        more, assignments = await self._together(
            self.requests.users(self.ownership, ids=leavers),
            [self.requests.role_assignments(r.id) for r in held if read or believed or leavers],
        )
        return read | decoding.by_id(more), assignments

    def _is_mentioned(self, role: RoleDefinition) -> bool:
        return bool({folded(role.display_name), folded(role.id)} & self.mentioned.roles)

    async def _deleted(self, found: Mapping[str, Json]) -> tuple[ObservedUser, ...]:
        """Look in the recycle bin for declared people who have no account."""
        present = {_name(item) for item in found.values()}
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


def _name(item: Json) -> str:
    return folded(item["userPrincipalName"])


def _known_by(items: Iterable[Json]) -> set[str]:
    return {known for item in items for known in (item["id"], _name(item))}
