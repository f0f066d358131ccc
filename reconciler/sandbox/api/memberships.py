"""Lists of who is in what, who owns and who leads; and checks of memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups, objects, relations
from reconciler.sandbox.calls import Call, Route, checked_id
from reconciler.sandbox.data import accounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.api.relations import Relation
    from reconciler.sandbox.calls import Handler
    from reconciler.sandbox.wire import Reply

_MOST_CHECKED: Final = 20
_CASTS: Final = ("group", "administrativeUnit", "directoryRole")


def _user_id(call: Call) -> str:
    return accounts.get(call.db, call.key).id


def _group_id(call: Call) -> str:
    return groups.get(call.db, call.key).id


def _listing(key: Callable[[Call], str], relation: Relation, cast: str | None = None) -> Handler:
    def listed(call: Call) -> Reply:
        return objects.listing(call, relation(key(call)), cast)

    return listed


def _count(key: Callable[[Call], str], relation: Relation, cast: str | None = None) -> Handler:
    def counted(call: Call) -> Reply:
        return objects.count(call, relation(key(call)), cast)

    return counted


def _routes(  # noqa: PLR0913 -- all but three have names at the call
    path: str,
    key: Callable[[Call], str],
    relation: Relation,
    *,
    permissions: frozenset[str],
    casts: tuple[str, ...] = _CASTS,
    cost: int = 2,
) -> tuple[tuple[str, str, Route], ...]:
    """Give the routes of a relationship: all of it, how much, and the same of one type."""
    found = [
        ("GET", path, Route(_listing(key, relation), permissions, cost)),
        ("GET", f"{path}/$count", Route(_count(key, relation), permissions, cost)),
    ]
    for cast in casts:
        below = f"{path}/microsoft.graph.{cast}"
        found += [
            ("GET", below, Route(_listing(key, relation, cast), permissions, cost)),
            ("GET", f"{below}/$count", Route(_count(key, relation, cast), permissions, cost)),
        ]
    return tuple(found)


# --- checks


def _held(call: Call, key: str, kinds: tuple[str, ...]) -> list[str]:
    """Give the ids of what an object is in, of these kinds, nested ones included."""
    links = relations.transitive_member_of(key)
    found = objects.first(call, links, _ALL)
    return [item.id for item in found if objects.type_of(item) in kinds]


_ALL: Final = 1 << 31
_GROUPS: Final = ("group",)
_OBJECTS: Final = ("group", "directoryRole", "administrativeUnit")


def _check(operation: str, name: str, key: Callable[[Call], str]) -> Handler:
    kinds = _GROUPS if operation == "checkMemberGroups" else _OBJECTS

    def checked(call: Call) -> Reply:
        asked = call.body().get(name)
        if asked is None:
            raise errors.PARAMETERS.error(operation=operation, missing=name)
        if not isinstance(asked, list):
            raise errors.BAD_ID.error(id=asked)
        if len(asked) > _MOST_CHECKED:
            raise errors.TOO_MANY_IDS.error(most=_MOST_CHECKED)
        wanted = [checked_id(str(each)) for each in asked]
        held = set(_held(call, key(call), kinds))
        value = [each for each in dict.fromkeys(wanted) if each in held]
        return call.entity("Collection(Edm.String)", {"value": value})

    return checked


def _all(operation: str, key: Callable[[Call], str]) -> Handler:
    kinds = _GROUPS if operation == "getMemberGroups" else _OBJECTS

    def listed(call: Call) -> Reply:
        only_security = call.body().get("securityEnabledOnly") is True
        found = _held(call, key(call), kinds)
        value = [each for each in found if not only_security or _is_secure(call, each)]
        return call.entity("Collection(Edm.String)", {"value": value})

    return listed


def _is_secure(call: Call, key: str) -> bool:
    group = groups.find(call.db, key)
    return group is None or group.properties.get("securityEnabled") is True


def _checks(path: str, key: Callable[[Call], str]) -> tuple[tuple[str, str, Route], ...]:
    """Give the routes of the four questions; what they cost was recorded by the Azure CLI."""
    return (
        (
            "POST",
            f"{path}/checkMemberGroups",
            Route(_check("checkMemberGroups", "groupIds", key), p.CHECK_MEMBER, 4),
        ),
        (
            "POST",
            f"{path}/checkMemberObjects",
            Route(_check("checkMemberObjects", "ids", key), p.CHECK_MEMBER, 4),
        ),
        (
            "POST",
            f"{path}/getMemberGroups",
            Route(_all("getMemberGroups", key), p.CHECK_MEMBER, 2),
        ),
        (
            "POST",
            f"{path}/getMemberObjects",
            Route(_all("getMemberObjects", key), p.CHECK_MEMBER, 2),
        ),
    )


def _object_id(call: Call) -> str:
    found = objects.find_any(call.db, checked_id(call.key))
    if found is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return found.id


_MEMBERS: Final = ("user", "group", "servicePrincipal")

ROUTES: Final = (
    *_routes("users/{}/memberOf", _user_id, relations.member_of, permissions=p.MEMBER_OF),
    *_routes(
        "users/{}/transitiveMemberOf",
        _user_id,
        relations.transitive_member_of,
        permissions=p.TRANSITIVE_MEMBER_OF,
    ),
    *_routes(
        "users/{}/ownedObjects",
        _user_id,
        relations.owned_objects,
        permissions=p.OWNED_READ,
        casts=("group",),
    ),
    *_routes(
        "users/{}/directReports",
        _user_id,
        relations.direct_reports,
        permissions=p.MANAGER_READ,
        casts=("user",),
    ),
    *_routes("groups/{}/memberOf", _group_id, relations.member_of, permissions=p.GROUP_READ),
    *_routes(
        "groups/{}/transitiveMemberOf",
        _group_id,
        relations.transitive_member_of,
        permissions=p.GROUP_READ,
    ),
    *_routes(
        "groups/{}/members",
        _group_id,
        relations.members,
        permissions=p.MEMBER_READ,
        casts=_MEMBERS,
        cost=3,
    ),
    *_routes(
        "groups/{}/transitiveMembers",
        _group_id,
        relations.transitive_members,
        permissions=p.MEMBER_READ,
        casts=_MEMBERS,
        cost=5,
    ),
    *_routes(
        "groups/{}/owners",
        _group_id,
        relations.owners,
        permissions=p.OWNER_READ,
        casts=("user", "servicePrincipal"),
        cost=1,
    ),
    *_checks("users/{}", _user_id),
    *_checks("groups/{}", _group_id),
    *_checks("directoryObjects/{}", _object_id),
)
