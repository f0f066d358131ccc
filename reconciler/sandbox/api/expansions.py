"""`$expand` of users and groups: one relationship, up to 20 of its objects, no next link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
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


def check(asked: Options, kind: str) -> None:
    """Raise Graph's refusal of a relationship that objects of *kind* lack, before any is shown."""
    expansion = asked.expansion()
    known = _OF_USER if kind == "user" else _OF_GROUP
    others = {"manager", "extensions"} if kind == "user" else {"extensions"}
    if expansion and expansion.name.lower() not in {*known, *others}:
        raise errors.UNKNOWN_SELECT.error(property=expansion.name, type=kind)


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
