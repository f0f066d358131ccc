"""The SQL of who is linked with whom: members and what they are in, owners, reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from reconciler.sandbox.api.objects import Links

Relation: TypeAlias = Callable[[str], Links]
"""Of the object with this id."""

_MEMBERS: Final = ("user", "group", "servicePrincipal")
_CONTAINERS: Final = ("group", "administrativeUnit")
_ROLES: Final = ("directoryRole",)

_ABOVE: Final = (
    "WITH RECURSIVE above(id) AS (SELECT group_id FROM member WHERE member_id = ? "
    "UNION SELECT group_id FROM member JOIN above ON member_id = above.id "
    'JOIN "group" AS nested ON nested.id = above.id WHERE nested.deleted IS NULL)'
)
_INSIDE: Final = (
    "WITH RECURSIVE inside(id) AS (SELECT ? UNION SELECT member_id FROM member "
    'JOIN inside ON group_id = inside.id JOIN "group" AS nested ON nested.id = member_id '
    "WHERE nested.deleted IS NULL)"
)
_ROLE: Final = (
    "JOIN resource AS held ON held.kind = 'directoryRole' "
    "AND json_extract(held.document, '$.roleTemplateId') = role_id WHERE scope = '/'"
)
"""Only roles that were activated have objects; those held over a part are not among them."""


def member_of(key: str) -> Links:
    """Give the groups, administrative units and roles that an object is directly in."""
    groups = "SELECT seq AS number, group_id AS target FROM member WHERE member_id = ?"
    roles = (
        f"SELECT seq AS number, held.id AS target FROM role_assignment {_ROLE} "  # noqa: S608 -- constants
        "AND principal_id = ?"
    )
    return Links(groups, (key,), _CONTAINERS).union(Links(roles, (key,), _ROLES))


def transitive_member_of(key: str) -> Links:
    """Give the groups, units and roles that an object is in, through groups too."""
    groups = (
        f"{_ABOVE} SELECT min(seq) AS number, group_id AS target FROM member "  # noqa: S608 -- as above
        "WHERE group_id IN (SELECT id FROM above) AND (member_id = ? "
        "OR member_id IN (SELECT id FROM above)) GROUP BY group_id"
    )
    roles = (
        f"{_ABOVE} SELECT min(seq) AS number, held.id AS target FROM role_assignment {_ROLE} "  # noqa: S608 -- as above
        "AND (principal_id = ? OR principal_id IN (SELECT above.id FROM above "
        'JOIN "group" AS living ON living.id = above.id WHERE living.deleted IS NULL)) '
        "GROUP BY held.id"
    )
    return Links(groups, (key, key), _CONTAINERS).union(Links(roles, (key, key), _ROLES))


def members(key: str) -> Links:
    """Give the direct members of a group."""
    text = "SELECT seq AS number, member_id AS target FROM member WHERE group_id = ?"
    return Links(text, (key,), _MEMBERS)


def transitive_members(key: str) -> Links:
    """Give all that is inside a group, each once, in the order in which it came."""
    text = (
        f"{_INSIDE} SELECT min(seq) AS number, member_id AS target FROM member "  # noqa: S608 -- constants
        "JOIN inside ON group_id = inside.id GROUP BY member_id"
    )
    return Links(text, (key,), _MEMBERS)


def owners(key: str) -> Links:
    """Give the owners of a group."""
    text = "SELECT seq AS number, owner_id AS target FROM owner WHERE group_id = ?"
    return Links(text, (key,), ("user", "servicePrincipal"))


def owned_objects(key: str) -> Links:
    """Give the groups that an object owns."""
    text = "SELECT seq AS number, group_id AS target FROM owner WHERE owner_id = ?"
    return Links(text, (key,), ("group",))


def direct_reports(key: str) -> Links:
    """Give those whose manager a user is."""
    text = "SELECT seq AS number, id AS target FROM user WHERE manager = ?"
    return Links(text, (key,), ("user",))
