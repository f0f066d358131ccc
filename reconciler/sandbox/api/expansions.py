"""`$expand` of users and groups: one relationship, up to 20 of its objects, no next link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import objects, openextensions, relations, users
from reconciler.sandbox.data import accounts
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.expand import MOST_EXPANDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.api.relations import Relation
    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.query.expand import Expansion
    from reconciler.sandbox.query.odata import Options

_OF_USER: Final = {
    "directreports": ("directReports", relations.direct_reports),
    "memberof": ("memberOf", relations.member_of),
    "ownedobjects": ("ownedObjects", relations.owned_objects),
    "transitivememberof": ("transitiveMemberOf", relations.transitive_member_of),
}
_OF_GROUP: Final = {
    "memberof": ("memberOf", relations.member_of),
    "members": ("members", relations.members),
    "owners": ("owners", relations.owners),
    "transitivememberof": ("transitiveMemberOf", relations.transitive_member_of),
    "transitivemembers": ("transitiveMembers", relations.transitive_members),
}

_READERS: Final = {
    "user": {
        "directreports": p.MANAGER_READ,
        "extensions": p.USER_READ_FULL,
        "manager": p.MANAGER_READ,
        "memberof": p.MEMBER_OF,
        "ownedobjects": p.OWNED_READ,
        "transitivememberof": p.TRANSITIVE_MEMBER_OF,
    },
    "group": {
        "extensions": p.GROUP_EXTENSION_READ,
        "memberof": p.GROUP_READ,
        "members": p.MEMBER_READ,
        "owners": p.OWNER_READ,
        "transitivememberof": p.GROUP_READ,
        "transitivemembers": p.MEMBER_READ,
    },
}
"""What can be expanded of each type, and what opens it: that of its own address."""


def of_user(call: Call, user: User, asked: Options) -> dict[str, Any]:
    """Give what `$expand` adds to *user*; raises Graph's refusals."""
    expansion = asked.expansion()
    if expansion is None:
        return {}
    if expansion.name.lower() == "manager":
        return _manager(call, user, expansion, asked)
    if expansion.name.lower() == "extensions":
        return {"extensions": openextensions.of(call.db, user.id)}
    return _linked(call, user.id, expansion, _OF_USER)


def of_group(call: Call, group: Group, asked: Options) -> dict[str, Any]:
    """Give what `$expand` adds to *group*; raises Graph's refusals."""
    expansion = asked.expansion()
    if expansion is None:
        return {}
    if expansion.name.lower() == "extensions":
        return {"extensions": openextensions.of(call.db, group.id)}
    return _linked(call, group.id, expansion, _OF_GROUP)


def check(call: Call, asked: Options, kind: str) -> None:
    """Raise Graph's refusals of what `$expand` names, before any object of *kind* is shown.

    A relationship that those objects lack, or that the caller may not read at its own address.
    """
    expansion = asked.expansion()
    if expansion is None:
        return
    readers = _READERS[kind].get(expansion.name.lower())
    if readers is None:
        raise errors.UNKNOWN_SELECT.error(property=expansion.name, type=kind)
    p.require(call, readers)


def _linked(
    call: Call, key: str, expansion: Expansion, known: Mapping[str, tuple[str, Relation]]
) -> dict[str, Any]:
    name, links = known[expansion.name.lower()]
    inner = odata.Options(select=expansion.select)
    found = objects.first(call, links(key), MOST_EXPANDED)
    return {name: [objects.show(call, item, inner) for item in found]}


def _manager(call: Call, user: User, expansion: Expansion, asked: Options) -> dict[str, Any]:
    """Give the manager, and those above as far as `$levels` asks; nothing if there is none."""
    if expansion.levels > 1 and not asked.is_advanced:
        raise errors.UNSUPPORTED.error()
    chain: list[User] = []
    above = _above(call, user)
    while above and len(chain) < expansion.levels and above not in chain:
        chain.append(above)
        above = _above(call, above)
    shown: dict[str, Any] = {}
    for each in reversed(chain):
        shown = {"manager": users.reference(call, each, expansion.select) | shown}
    return shown


def _above(call: Call, user: User) -> User | None:
    return accounts.find(call.db, user.manager) if user.manager else None
