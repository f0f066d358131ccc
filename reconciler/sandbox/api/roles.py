"""`/roleManagement/directory`: built-in roles and permanent assignments of them."""

from __future__ import annotations

import base64
import sqlite3
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups, objects
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id
from reconciler.sandbox.data.properties import Filter, Kind, Property
from reconciler.sandbox.data.store import resource
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.wire import Reply

WHOLE_TENANT = "/"

_ASSIGNMENT = {
    name.lower(): Property(name, filter=Filter.DEFAULT, column=column)
    for name, column in (
        ("id", "id"),
        ("principalId", "principal_id"),
        ("roleDefinitionId", "role_id"),
        ("directoryScopeId", "scope"),
    )
}
_DEFINITION = {
    prop.name.lower(): prop
    for prop in (
        Property("id", filter=Filter.DEFAULT, column="id"),
        Property("displayName", filter=Filter.DEFAULT),
        Property("isBuiltIn", Kind.BOOLEAN, Filter.DEFAULT),
        Property("isEnabled", Kind.BOOLEAN),
        Property("templateId", filter=Filter.DEFAULT),
        Property("description"),
        Property("version"),
        Property("resourceScopes", Kind.TEXTS),
        Property("rolePermissions", Kind.OTHER),
    )
}


def definition_document(name: str, key: str) -> dict[str, Any]:
    """Give a built-in role as Graph shows it: its id is its template's."""
    return {
        "id": key,
        "description": f"Has the permissions of {name}.",
        "displayName": name,
        "isBuiltIn": True,
        "isEnabled": True,
        "resourceScopes": [WHOLE_TENANT],
        "templateId": key,
        "version": "1",
        "rolePermissions": [{"allowedResourceActions": [], "condition": None}],
    }


def _chosen(
    asked: odata.Options, known: Mapping[str, Property], kind: str
) -> tuple[str, ...] | None:
    for name in asked.select:
        if name.lower() not in known:
            raise errors.UNKNOWN_SELECT.error(property=name, type=kind)
    return tuple(known[name.lower()].name for name in asked.select) or None


def _picked(document: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    return document if names is None else {name: document[name] for name in names}


# --- definitions


def definitions(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleDefinitions`."""
    asked = odata.options(call.request)
    where = odata.condition(call, asked, _DEFINITION, {})
    names = _chosen(asked, _DEFINITION, "unifiedRoleDefinition")
    rows = call.db.execute(
        "SELECT rowid, document FROM resource WHERE kind = 'roleDefinition' "  # noqa: S608 -- by queries.py
        f"AND {where.text} AND rowid > ? ORDER BY rowid LIMIT ?",
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()
    name = odata.context("roleManagement/directory/roleDefinitions", asked.select, names or ())
    return odata.page(call, asked, name, rows, lambda row: _picked(orjson.loads(row[1]), names))


def definition(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleDefinitions/{id}`."""
    asked = odata.options(call.request)
    document = resource(call.db, "roleDefinition", call.key)
    if document is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    names = _chosen(asked, _DEFINITION, "unifiedRoleDefinition")
    context = "roleManagement/directory/roleDefinitions/$entity"
    return call.entity(context, _picked(document, names))


# --- assignments

_COLUMNS = "seq, id, role_id, principal_id, scope"
_CONTEXT = "roleManagement/directory/roleAssignments"


def assignments(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleAssignments`; those of deleted users wait unseen."""
    asked = odata.options(call.request)
    where = odata.condition(call, asked, _ASSIGNMENT, {})
    names = _chosen(asked, _ASSIGNMENT, "unifiedRoleAssignment")
    rows = call.db.execute(
        f"SELECT {_COLUMNS} FROM role_assignment WHERE {where.text} AND seq > ? "  # noqa: S608 -- by queries.py
        "AND principal_id NOT IN (SELECT id FROM user WHERE deleted IS NOT NULL) "
        "ORDER BY seq LIMIT ?",
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return _picked(_assignment(row), names) | _principal(call, asked, row[3])

    return odata.page(call, asked, odata.context(_CONTEXT, asked.select, names or ()), rows, show)


def _assignment(row: tuple[Any, ...]) -> dict[str, Any]:
    _, key, role, principal, scope = row
    return {
        "id": key,
        "principalId": principal,
        "directoryScopeId": scope,
        "roleDefinitionId": role,
    }


def _principal(call: Call, asked: odata.Options, key: str) -> dict[str, Any]:
    expanded = asked.expanded()
    if expanded is None:
        return {}
    if expanded[0] != "principal":
        raise errors.NOT_SERVED.error(what=f"$expand={expanded[0]}")
    found = objects.find(call.db, key)
    return {"principal": objects.show(call, found, odata.Options())} if found else {}


def _row(call: Call) -> tuple[Any, ...]:
    row = call.db.execute(
        f"SELECT {_COLUMNS} FROM role_assignment WHERE id = ?",  # noqa: S608 -- constants
        (call.key,),
    ).fetchone()
    if row is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return tuple(row)


def assignment(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleAssignments/{id}`."""
    return call.entity(f"{_CONTEXT}/$entity", _assignment(_row(call)))


def assignment_id(role_id: str, principal_id: str) -> str:
    """Give an id in the form of Graph's: both ids in one text, and a number."""
    both = UUID(role_id).bytes_le + UUID(principal_id).bytes_le
    return f"{base64.urlsafe_b64encode(both).rstrip(b'=').decode()}-1"


def grant(db: sqlite3.Connection, role_id: str, principal_id: str) -> tuple[Any, ...]:
    """Keep an assignment over the whole tenant; raises Graph's refusal of a second one."""
    row = (assignment_id(role_id, principal_id), role_id, principal_id, WHOLE_TENANT)
    try:
        db.execute(
            "INSERT INTO role_assignment (id, role_id, principal_id, scope) VALUES (?, ?, ?, ?)",
            row,
        )
    except sqlite3.IntegrityError as error:
        raise errors.CONFLICTING.error() from error
    return (0, *row)


def assign(call: Call) -> Reply:
    """`POST /roleManagement/directory/roleAssignments`."""
    given = {name.lower(): value for name, value in call.body().items()}
    role_id = str(given.get("roledefinitionid", ""))
    principal_id = checked_id(str(given.get("principalid", "")))
    role = resource(call.db, "roleDefinition", role_id)
    if role is None:
        raise errors.UNKNOWN_ROLE.error(id=role_id)
    if given.get("directoryscopeid") != WHOLE_TENANT:
        raise errors.ROLE_SCOPE.error(scope=given.get("directoryscopeid"))
    if not objects.exists(call.db, principal_id):
        raise errors.NO_RESOURCE.error(id=principal_id)
    group = groups.find(call.db, principal_id)
    if group and not group.properties.get("isAssignableToRole"):
        raise errors.NOT_ROLE_ASSIGNABLE.error()
    row = grant(call.db, role["id"], principal_id)
    return call.entity(f"{_CONTEXT}/$entity", _assignment(row), 201)


def unassign(call: Call) -> Reply:
    """`DELETE /roleManagement/directory/roleAssignments/{id}`."""
    row = _row(call)
    call.db.execute("DELETE FROM role_assignment WHERE id = ?", (row[1],))
    return NO_CONTENT


ROUTES: Final = (
    ("GET", "roleManagement/directory/roleDefinitions", Route(definitions, p.ROLE_READ)),
    ("GET", "roleManagement/directory/roleDefinitions/{}", Route(definition, p.ROLE_READ)),
    ("GET", "roleManagement/directory/roleAssignments", Route(assignments, p.ROLE_READ)),
    ("POST", "roleManagement/directory/roleAssignments", Route(assign, p.ROLE_WRITE)),
    ("GET", "roleManagement/directory/roleAssignments/{}", Route(assignment, p.ROLE_READ)),
    ("DELETE", "roleManagement/directory/roleAssignments/{}", Route(unassign, p.ROLE_WRITE)),
)
