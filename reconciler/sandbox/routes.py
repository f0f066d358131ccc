"""Which address is answered by what, and which permissions open it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from reconciler.sandbox import (
    deleted,
    directory,
    errors,
    groups,
    licenses,
    managers,
    members,
    memberships,
    roles,
    users,
)
from reconciler.sandbox import (
    permissions as p,
)

if TYPE_CHECKING:
    from reconciler.sandbox.calls import Handler

_KEYED: Final = re.compile(r"([\w.$]+)\('((?:[^']|'')*)'\)")
"""`users('ada@contoso.com')`, the other way to write `users/ada@contoso.com`."""

_ALIAS: Final = re.compile(r"^graph\.")
"""The short form of a cast, which the SDKs send (Graph's CSDL: `Alias="graph"`)."""


@dataclass(frozen=True, slots=True)
class Route:
    """A handler, the permissions of which one is needed, and what it costs.

    *cost* is in resource units, before what `$select` saves (Graph, "Throttling limits").
    """

    handler: Handler
    permissions: frozenset[str]
    cost: int = 1


_GET, _POST, _PATCH, _PUT, _DELETE = "GET", "POST", "PATCH", "PUT", "DELETE"
_ROLES: Final = "roleManagement/directory"

TABLE: Final = (
    (_GET, "users", Route(users.listing, p.USER_READ, 2)),
    (_POST, "users", Route(users.create, p.USER_CREATE)),
    (_GET, "users/$count", Route(directory.count_users, p.USER_READ_FULL)),
    (_GET, "users/{}", Route(users.read, p.USER_READ)),
    (_PATCH, "users/{}", Route(users.update, p.USER_UPDATE)),
    (_DELETE, "users/{}", Route(users.delete, p.USER_DELETE)),
    (_GET, "users/{}/manager", Route(managers.read, p.MANAGER_READ)),
    (_GET, "users/{}/manager/$ref", Route(managers.read_reference, p.MANAGER_READ)),
    (_PUT, "users/{}/manager/$ref", Route(managers.assign, p.USER_CREATE)),
    (_DELETE, "users/{}/manager/$ref", Route(managers.clear, p.USER_CREATE)),
    (_POST, "users/{}/assignLicense", Route(licenses.assign, p.LICENSE_ASSIGN)),
    (_GET, "users/{}/licenseDetails", Route(licenses.details, p.LICENSE_DETAILS, 2)),
    (_POST, "users/{}/revokeSignInSessions", Route(users.revoke_sessions, p.USER_REVOKE)),
    (_GET, "users/{}/memberOf", Route(memberships.member_of, p.MEMBER_OF, 2)),
    (
        _GET,
        "users/{}/memberOf/microsoft.graph.group",
        Route(memberships.member_of_groups, p.MEMBER_OF, 2),
    ),
    (
        _GET,
        "users/{}/transitiveMemberOf",
        Route(memberships.transitive, p.TRANSITIVE_MEMBER_OF, 2),
    ),
    (
        _GET,
        "users/{}/transitiveMemberOf/microsoft.graph.group",
        Route(memberships.transitive_groups, p.TRANSITIVE_MEMBER_OF, 2),
    ),
    (_POST, "users/{}/checkMemberGroups", Route(memberships.check, p.CHECK_MEMBER, 4)),
    (_POST, "users/{}/getMemberGroups", Route(memberships.all_ids, p.CHECK_MEMBER, 2)),
    (_GET, "groups", Route(groups.listing, p.GROUP_READ)),
    (_GET, "groups/{}", Route(groups.read, p.GROUP_READ)),
    (_PATCH, "groups/{}", Route(members.bind, p.MEMBER_WRITE)),
    (_GET, "groups/{}/members", Route(members.listing, p.MEMBER_READ, 3)),
    (_POST, "groups/{}/members", Route(members.bare, p.MEMBER_WRITE)),
    (
        _GET,
        "groups/{}/members/microsoft.graph.user",
        Route(members.listing_users, p.MEMBER_READ, 3),
    ),
    (_GET, "groups/{}/transitiveMembers", Route(members.transitive, p.MEMBER_READ, 5)),
    (_POST, "groups/{}/members/$ref", Route(members.add, p.MEMBER_WRITE)),
    (_DELETE, "groups/{}/members/{}/$ref", Route(members.remove, p.MEMBER_WRITE)),
    (_DELETE, "groups/{}/members/{}", Route(members.delete_object, p.USER_DELETE)),
    (_GET, "subscribedSkus", Route(licenses.subscribed, p.SKU_READ, 3)),
    (_GET, "subscribedSkus/{}", Route(licenses.subscribed_one, p.SKU_READ, 3)),
    (_GET, "domains", Route(directory.domains, p.DOMAIN_READ)),
    (_GET, "domains/{}", Route(directory.domain, p.DOMAIN_READ)),
    (_GET, "organization", Route(directory.organizations, p.ORGANIZATION_READ)),
    (_GET, "organization/{}", Route(directory.organization, p.ORGANIZATION_READ)),
    (_POST, "directoryObjects/getByIds", Route(directory.by_ids, p.OBJECT_READ, 5)),
    (
        _GET,
        "directory/deletedItems/microsoft.graph.user",
        Route(deleted.listing, p.DELETED_READ),
    ),
    (_GET, "directory/deletedItems/{}", Route(deleted.read, p.DELETED_READ)),
    (_DELETE, "directory/deletedItems/{}", Route(deleted.purge, p.USER_DELETE)),
    (_POST, "directory/deletedItems/{}/restore", Route(deleted.restore, p.USER_DELETE)),
    (_GET, f"{_ROLES}/roleDefinitions", Route(roles.definitions, p.ROLE_READ)),
    (_GET, f"{_ROLES}/roleDefinitions/{{}}", Route(roles.definition, p.ROLE_READ)),
    (_GET, f"{_ROLES}/roleAssignments", Route(roles.assignments, p.ROLE_READ)),
    (_POST, f"{_ROLES}/roleAssignments", Route(roles.assign, p.ROLE_WRITE)),
    (_GET, f"{_ROLES}/roleAssignments/{{}}", Route(roles.assignment, p.ROLE_READ)),
    (_DELETE, f"{_ROLES}/roleAssignments/{{}}", Route(roles.unassign, p.ROLE_WRITE)),
)
"""All that is served below `/v1.0`, but for `$batch`; docs/sandbox.md lists it."""


def _by_length() -> dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]]:
    """Arrange the table for lookup; `{}` sorts last, so that a fixed word wins over a key."""
    patterns: dict[tuple[str, ...], dict[str, Route]] = {}
    for method, path, route in TABLE:
        patterns.setdefault(tuple(path.lower().split("/")), {})[method] = route
    arranged: dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
    for pattern in sorted(patterns):
        arranged.setdefault(len(pattern), []).append((pattern, patterns[pattern]))
    return arranged


_ROUTES: Final = _by_length()


def segments(path: str) -> tuple[str, ...]:
    """Give the parts of a path below `/v1.0`, decoded, with `x('key')` as two parts."""
    parts: list[str] = []
    for raw in path.split("/"):
        part = unquote(raw)
        if keyed := _KEYED.fullmatch(part):
            parts += (keyed[1], keyed[2].replace("''", "'"))
        elif part:
            parts.append(_ALIAS.sub("microsoft.graph.", part))
    if not parts or parts[0].lower() != "v1.0":
        raise errors.NO_SEGMENT.error(segment=parts[0] if parts else "")
    return tuple(parts[1:])


def find(method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]]:
    """Give the route to *parts* and the keys in them; raises 400 or 405 when there is none."""
    lower = tuple(part.lower() for part in parts)
    for pattern, methods in _ROUTES.get(len(parts), ()):
        if all(p in ("{}", part) for p, part in zip(pattern, lower, strict=True)):
            route = methods.get(method)
            if route is None:
                raise errors.METHOD_NOT_ALLOWED.error()
            keys = (part for p, part in zip(pattern, parts, strict=True) if p == "{}")
            return route, tuple(keys)
    raise errors.NO_SEGMENT.error(segment=parts[-1] if parts else "")
