"""Changes to requests: pure, and the only place that knows how each change is made.

An operation is what one or more requests, sent one after the other, bring about. Its
*lane* names what Graph does not like to be written twice at once: operations of one lane
are never in flight together (Graph, throttling guidance: serialise writes to one group).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from reconciler.changes import (
    Change,
    Create,
    Delete,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.graph.batching import chunks
from reconciler.graph.costs import binding
from reconciler.model import ObjectId, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.changes import FieldChange
    from reconciler.graph.requests import Requests
    from reconciler.model import Account

NOT_PROPERTIES = frozenset({"mark", "signInSessions"})
"""Paths of a change's fields that are no property of Graph's user."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Changes that one sequence of requests brings about: all of them, or none."""

    changes: tuple[Change, ...]
    lane: str

    @property
    def writes(self) -> int:
        """What each of its requests takes of Graph's limit on writes."""
        first = self.changes[0]
        is_bind = isinstance(first, Create) and isinstance(first.key, MembershipKey)
        return binding(len(self.changes)) if is_bind else 1

    def split(self) -> tuple[Operation, ...]:
        """Give an operation for each change, what is taken away first.

        This is what is left when Graph refuses them together.
        """
        changes = sorted(self.changes, key=lambda change: not isinstance(change, Delete))
        return tuple(replace(self, changes=(change,)) for change in changes)


def operations(changes: Iterable[Change]) -> Iterator[Operation]:
    """Put the changes of one wave together as Graph takes them together.

    All licences of an account go in one request, so that a swap leaves nobody without;
    new members of a group go twenty at a time.
    """
    licenses: defaultdict[str, list[Change]] = defaultdict(list)
    joining: defaultdict[ObjectId, list[Change]] = defaultdict(list)
    for change in changes:
        match change:
            case Create(key=MembershipKey(group_id=group_id)):
                joining[group_id].append(change)
            case _ if isinstance(change.key, LicenseKey):
                licenses[change.key.address.rpartition("/")[0]].append(change)
            case _:
                yield Operation((change,), _lane(change))
    for together in licenses.values():
        yield Operation(tuple(together), _lane(together[0]))
    for members in joining.values():
        for chunk in chunks(members):
            yield Operation(tuple(chunk), _lane(chunk[0]))


def _lane(change: Change) -> str:
    if isinstance(change.key, MembershipKey):
        return f"group/{change.key.group_id}"
    return f"user/{folded(change.key.account.user_principal_name)}"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the requests of operations; *id_of* knows accounts made in this run too."""

    requests: Requests
    root: str
    ownership: str
    id_of: Callable[[Account], ObjectId]

    def requests_for(
        self, operation: Operation, password: str | None = None
    ) -> list[RequestInformation]:
        """Give the requests that carry *operation* out, in order."""
        first = operation.changes[0]
        key = first.key
        match key:
            case UserKey():
                return self._user(first, key, password)
            case LicenseKey():
                return [self._licenses(operation.changes)]
            case MembershipKey():
                return [self._membership(operation.changes, key)]
            case ManagerKey():
                return [self._manager(key)]
            case RoleAssignmentKey():
                return [self._role(first, key)]
            case _:
                assert_never(key)

    def _user(self, change: Change, key: UserKey, password: str | None) -> list[RequestInformation]:
        properties = user_properties(change.fields, self.ownership)
        if isinstance(change, Create):
            profile = {"password": password, "forceChangePasswordNextSignIn": True}
            return [self.requests.create_user({**properties, "passwordProfile": profile})]
        user = self.id_of(key.account)
        sequence: list[RequestInformation] = []
        if isinstance(change, Restore):
            sequence.append(self.requests.restore_user(user))
        if any(field.path == "signInSessions" for field in change.fields):
            # Before the block: a run that dies in between does both again.
            sequence.append(self.requests.revoke_sessions(user))
        if properties:
            sequence.append(self.requests.update_user(user, properties))
        if isinstance(change, Delete):
            sequence.append(self.requests.delete_user(user))
        return sequence

    def _licenses(self, changes: Sequence[Change]) -> RequestInformation:
        add: list[dict[str, Any]] = []
        remove: list[ObjectId] = []
        for change in changes:
            assert isinstance(change.key, LicenseKey)  # noqa: S101 -- as `operations` groups them
            sku = change.key.sku_id
            if isinstance(change, Delete):
                remove.append(sku)
            else:
                add.append({"skuId": sku, "disabledPlans": list(change.key.disabled_plan_ids)})
        user = self.id_of(changes[0].key.account)
        return self.requests.assign_license(user, add, remove)

    def _membership(self, changes: Sequence[Change], key: MembershipKey) -> RequestInformation:
        users = [self.id_of(change.key.account) for change in changes]
        if isinstance(changes[0], Delete):
            return self.requests.remove_member(key.group_id, users[0])
        if len(users) == 1:
            return self.requests.add_member(key.group_id, users[0], self.root)
        return self.requests.add_members(key.group_id, users, self.root)

    def _manager(self, key: ManagerKey) -> RequestInformation:
        user = self.id_of(key.account)
        if key.manager is None:
            return self.requests.clear_manager(user)
        return self.requests.set_manager(user, self.id_of(key.manager), self.root)

    def _role(self, change: Change, key: RoleAssignmentKey) -> RequestInformation:
        if isinstance(change, Delete):
            assert key.assignment_id is not None  # noqa: S101 -- the diff takes it from Graph
            return self.requests.revoke_role(key.assignment_id)
        user = self.id_of(key.account)
        return self.requests.assign_role(user, key.role_definition_id, key.directory_scope_id)


def user_properties(fields: Iterable[FieldChange], ownership: str) -> dict[str, Any]:
    """Give the properties of a request's body, the mark under its attribute's name."""
    body: dict[str, Any] = {}
    for field in fields:
        if field.path not in NOT_PROPERTIES:
            body[field.path] = list(field.after) if isinstance(field.after, tuple) else field.after
        elif field.path == "mark":
            slot = ownership.startswith("extensionAttribute")
            value = {ownership: field.after}
            body |= {"onPremisesExtensionAttributes": value} if slot else value
    return body
