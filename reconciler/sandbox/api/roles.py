"""`/roleManagement/directory`: built-in roles and permanent assignments of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import bodies, groups, objects, rolelists, rolescopes
from reconciler.sandbox.api.rolelists import other, text
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id
from reconciler.sandbox.company.governance import activate
from reconciler.sandbox.data import assignments, schedules
from reconciler.sandbox.data.assignments import WHOLE_TENANT, Holding
from reconciler.sandbox.data.properties import Filter, Kind, Property
from reconciler.sandbox.data.store import resource

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.wire import Reply

_DEFINITION: Final = rolelists.shape(
    "unifiedRoleDefinition",
    "roleDefinitions",
    (
        text("id"),
        text("description"),
        text("displayName"),
        Property("isBuiltIn", Kind.BOOLEAN, Filter.DEFAULT),
        Property("isEnabled", Kind.BOOLEAN, Filter.DEFAULT),
        Property("resourceScopes", Kind.TEXTS),
        text("templateId"),
        text("version"),
        other("rolePermissions"),
    ),
    {"inheritsPermissionsFrom": rolelists.nothing},
)
_ASSIGNMENT: Final = rolelists.shape(
    "unifiedRoleAssignment",
    "roleAssignments",
    (
        text("id", "id"),
        text("principalId", "principal_id"),
        text("directoryScopeId", "scope"),
        text("roleDefinitionId", "role_id"),
    ),
    rolelists.BASIC,
)
_RESOURCE: Final = "RoleAssignment"


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


# --- definitions


def definitions(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleDefinitions`."""
    source = "SELECT rowid AS seq, id, document FROM resource WHERE kind = 'roleDefinition'"
    return rolelists.listing(call, _DEFINITION, source)


def definition(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleDefinitions/{id}`."""
    document = resource(call.db, "roleDefinition", call.key)
    if document is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return rolelists.one(call, _DEFINITION, document)


# --- assignments


def assignments_of(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleAssignments`; those of the deleted wait unseen."""
    source = (
        "SELECT seq, id, role_id, principal_id, scope, json_object('id', id, 'principalId', "
        "principal_id, 'directoryScopeId', scope, 'roleDefinitionId', role_id) AS document "
        "FROM role_assignment "
        "WHERE principal_id NOT IN (SELECT id FROM user WHERE deleted IS NOT NULL "
        'UNION ALL SELECT id FROM "group" WHERE deleted IS NOT NULL)'
    )
    return rolelists.listing(call, _ASSIGNMENT, source)


def assignment(call: Call) -> Reply:
    """`GET /roleManagement/directory/roleAssignments/{id}`."""
    return rolelists.one(call, _ASSIGNMENT, _shown(call.key, _holding(call)))


def _shown(key: str, holding: Holding) -> dict[str, Any]:
    return {
        "id": key,
        "principalId": holding.principal_id,
        "directoryScopeId": holding.scope,
        "roleDefinitionId": holding.role_id,
    }


def _holding(call: Call) -> Holding:
    row = call.db.execute(
        "SELECT role_id, principal_id, scope FROM role_assignment WHERE id = ?", (call.key,)
    ).fetchone()
    if row is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return Holding(*row)


def grant(db: sqlite3.Connection, role_id: str, principal_id: str) -> None:
    """Keep an assignment over the whole tenant."""
    assignments.add(db, Holding(role_id, principal_id))


def assign(call: Call) -> Reply:
    """`POST /roleManagement/directory/roleAssignments`, by the role's id or its template's."""
    given = bodies.lowered(call.body())
    role_id = bodies.required(given, "roleDefinitionId", _RESOURCE)
    principal_id = checked_id(bodies.required(given, "principalId", _RESOURCE))
    role = rolelists.role(call.db, role_id)
    if role is None:
        raise errors.UNKNOWN_ROLE.error(id=role_id)
    scope = rolescopes.checked(call.db, role, given.get("directoryscopeid"))
    holding = Holding(role["id"], principal_id, scope)
    hold(call, holding)
    shown = _shown(holding.assignment_id, holding)
    return rolelists.one(call, _ASSIGNMENT, shown, 201)


def hold(call: Call, holding: Holding) -> None:
    """Let somebody hold a role for good; raises Graph's refusals.

    A role that is held over the whole tenant is active for the older API too (inferred).
    """
    if not objects.exists(call.db, holding.principal_id):
        raise errors.NO_RESOURCE.error(id=holding.principal_id)
    group = groups.find(call.db, holding.principal_id)
    if group and not group.properties.get("isAssignableToRole"):
        raise errors.NOT_ROLE_ASSIGNABLE.error()
    if schedules.find(call.db, schedules.ACTIVE, holding):
        raise errors.CONFLICTING.error()
    assignments.add(call.db, holding)
    if holding.scope == WHOLE_TENANT:
        activate(call.db, holding.role_id)


def unassign(call: Call) -> Reply:
    """`DELETE /roleManagement/directory/roleAssignments/{id}`: its schedule, if any, ends too."""
    schedules.drop(call.db, schedules.ACTIVE, _holding(call))
    return NO_CONTENT


_DEFINITIONS: Final = "roleManagement/directory/roleDefinitions"
_ASSIGNMENTS: Final = "roleManagement/directory/roleAssignments"

ROUTES: Final = (
    ("GET", _DEFINITIONS, Route(definitions, p.DEFINITION_READ)),
    ("GET", f"{_DEFINITIONS}/{{}}", Route(definition, p.DEFINITION_READ)),
    ("GET", _ASSIGNMENTS, Route(assignments_of, p.ROLE_READ)),
    ("POST", _ASSIGNMENTS, Route(assign, p.ROLE_WRITE, activity="Add member to role")),
    ("GET", f"{_ASSIGNMENTS}/{{}}", Route(assignment, p.ROLE_READ)),
    (
        "DELETE",
        f"{_ASSIGNMENTS}/{{}}",
        Route(unassign, p.ROLE_WRITE, activity="Remove member from role"),
    ),
)
