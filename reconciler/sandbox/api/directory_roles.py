"""`/directoryRoles`: the older API, which knows a role once it is active, and no scopes.

Its members are those who hold the role over the whole tenant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import bodies, objects, rolelists, roles
from reconciler.sandbox.api.objects import Links
from reconciler.sandbox.api.rolelists import Shape, text
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, referenced
from reconciler.sandbox.company.governance import DIRECTORY_ROLE, activate
from reconciler.sandbox.data import assignments, schedules
from reconciler.sandbox.data.assignments import Holding
from reconciler.sandbox.data.properties import Kind, Property
from reconciler.sandbox.data.store import resource, resources
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.expand import MOST_EXPANDED

if TYPE_CHECKING:
    from reconciler.sandbox.api.rolelists import Document
    from reconciler.sandbox.wire import Reply

Find: TypeAlias = Callable[[Call], dict[str, Any]]
"""Gives the active role of the path; raises Graph's 404."""


def _links(role: Document) -> Links:
    """Give who holds a role over the whole tenant."""
    sql = (
        "SELECT seq AS number, principal_id AS target FROM role_assignment "
        "WHERE role_id = ? AND scope = '/'"
    )
    return Links(sql, (role["roleTemplateId"],), ("user", "group", "servicePrincipal"))


def _expanded(call: Call, role: Document, select: tuple[str, ...]) -> list[Document]:
    found = objects.first(call, _links(role), MOST_EXPANDED)
    return [objects.show(call, each, odata.Options(select=select)) for each in found]


_SHAPE: Final = Shape(
    "directoryRole",
    "directoryRoles",
    {
        prop.name.lower(): prop
        for prop in (
            text("id"),
            Property("deletedDateTime", Kind.MOMENT),
            text("description"),
            text("displayName"),
            text("roleTemplateId"),
        )
    },
    {"members": ("members", _expanded)},
)


def listing(call: Call) -> Reply:
    """`GET /directoryRoles`: the active ones, all at once."""
    source = f"SELECT rowid AS seq, document FROM resource WHERE kind = '{DIRECTORY_ROLE}'"  # noqa: S608 -- a constant
    return rolelists.listing(call, _SHAPE, source, is_paged=False)


def activated(call: Call) -> Reply:
    """`POST /directoryRoles`: make a role active; an active one is a conflict."""
    key = bodies.required(bodies.lowered(call.body()), "roleTemplateId", "DirectoryRole")
    if resource(call.db, "roleDefinition", key) is None:
        raise errors.NO_RESOURCE.error(id=key)
    made = activate(call.db, key.lower())
    if made is None:
        raise errors.CONFLICTING.error()
    return rolelists.one(call, _SHAPE, made, 201)


def _by_id(call: Call) -> Document:
    return _present(call, resource(call.db, DIRECTORY_ROLE, call.key))


def _by_template(call: Call) -> Document:
    active = resources(call.db, DIRECTORY_ROLE)
    wanted = call.key.lower()
    return _present(call, next((r for r in active if r["roleTemplateId"] == wanted), None))


def _present(call: Call, role: Document | None) -> Document:
    if role is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return role


def read(call: Call, find: Find) -> Reply:
    """`GET /directoryRoles/{id}`."""
    return rolelists.one(call, _SHAPE, find(call))


def members(call: Call, find: Find) -> Reply:
    """`GET /directoryRoles/{id}/members`."""
    return objects.listing(call, _links(find(call)))


def add(call: Call, find: Find) -> Reply:
    """`POST /directoryRoles/{id}/members/$ref`."""
    role = find(call)
    key = referenced(call.body())
    found = objects.find(call.db, key)
    roles.hold(call, Holding(role["roleTemplateId"], found.id if found else key.lower()))
    return NO_CONTENT


def remove(call: Call, find: Find) -> Reply:
    """`DELETE /directoryRoles/{id}/members/{oid}/$ref`."""
    role = find(call)
    holding = Holding(role["roleTemplateId"], objects.linked_id(call.db, call.keys[1]))
    if not assignments.is_held(call.db, holding):
        raise errors.NO_RESOURCE.error(id=call.keys[1])
    schedules.drop(call.db, schedules.ACTIVE, holding)
    return NO_CONTENT


def _routes(address: str, find: Find) -> tuple[tuple[str, str, Route], ...]:
    """Give the routes below one way to address a role."""
    return (
        ("GET", address, Route(partial(read, find=find), p.ROLE_READ)),
        ("GET", f"{address}/members", Route(partial(members, find=find), p.ROLE_READ)),
        (
            "POST",
            f"{address}/members/$ref",
            Route(partial(add, find=find), p.ROLE_WRITE, activity="Add member to role"),
        ),
        (
            "DELETE",
            f"{address}/members/{{}}/$ref",
            Route(partial(remove, find=find), p.ROLE_WRITE, activity="Remove member from role"),
        ),
    )


ROUTES: Final = (
    ("GET", "directoryRoles", Route(listing, p.ROLE_READ)),
    ("POST", "directoryRoles", Route(activated, p.ROLE_WRITE, activity="Add role from template")),
    *_routes("directoryRoles/{}", _by_id),
    *_routes("directoryRoles(roleTemplateId='{}')", _by_template),
)
