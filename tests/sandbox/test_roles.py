from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, GROUPS, UNITS
from reconciler.sandbox.company.model import object_id
from reconciler.sandbox.company.roledata import BUILT_IN

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Office

Made = Callable[..., dict[str, Any]]
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
DEFINITIONS = "/roleManagement/directory/roleDefinitions"
TOKYO = next(unit.id for unit in UNITS if unit.name == "Tokyo")
RESEARCH = next(group.id for group in GROUPS if group.nickname == "research-all")
ABSENT = "00000000-0000-4000-8000-000000000000"


def _body(role: str, principal: str, scope: str = "/") -> dict[str, str]:
    return {
        "roleDefinitionId": BUILT_IN[role],
        "principalId": principal,
        "directoryScopeId": scope,
    }


def test_a_role_is_held_over_a_unit(graph: httpx.Client, joiner: Made) -> None:
    """The same role may be held over the tenant and over a unit, once each."""
    key = joiner()["id"]
    scope = f"/administrativeUnits/{TOKYO}"
    body = _body("User Administrator", key, scope)
    made = graph.post(ASSIGNMENTS, json=body).json()
    assert made["directoryScopeId"] == scope
    assert graph.post(ASSIGNMENTS, json=body).status_code == 400
    assert graph.post(ASSIGNMENTS, json=_body("User Administrator", key)).status_code == 201
    for text, number in (
        (f"principalId eq '{key}'", 2),
        (f"principalId eq '{key}' and directoryScopeId eq '{scope}'", 1),
        (f"principalId in ('{key}') and directoryScopeId in ('{scope}', '/')", 2),
        (f"principalId eq '{key}' and directoryScopeId ne '/'", 1),
    ):
        found = graph.get(ASSIGNMENTS, params={"$filter": text}).json()["value"]
        assert len(found) == number, text


def test_a_role_is_held_over_an_application(graph: httpx.Client, joiner: Made) -> None:
    """Roles over applications may be held over one of them, or over its service principal."""
    key = joiner()["id"]
    for scope in (
        f"/{object_id(APPLY_APP.principal_id, 'application')}",
        f"/{APPLY_APP.principal_id}",
    ):
        body = _body("Application Administrator", key, scope)
        assert graph.post(ASSIGNMENTS, json=body).json()["directoryScopeId"] == scope


@pytest.mark.parametrize(
    ("role", "scope", "row"),
    [
        ("Global Reader", f"/administrativeUnits/{TOKYO}", errors.ROLE_NOT_SCOPED),
        ("User Administrator", f"/{APPLY_APP.principal_id}", errors.ROLE_NOT_SCOPED),
        ("User Administrator", f"/administrativeUnits/{ABSENT}", errors.NO_RESOURCE),
        ("Application Administrator", f"/{ABSENT}", errors.NO_RESOURCE),
        ("User Administrator", f"administrativeUnits/{TOKYO}", errors.ROLE_SCOPE),
        ("User Administrator", "/administrativeUnits/x", errors.ROLE_SCOPE),
    ],
)
def test_a_scope_that_does_not_fit_is_refused(
    graph: httpx.Client, joiner: Made, role: str, scope: str, row: errors.Refusal
) -> None:
    """A scope must be there, be an address, and be one that the role can be held over."""
    reply = graph.post(ASSIGNMENTS, json=_body(role, joiner()["id"], scope))
    expected = row.message.format(id=ABSENT, scope=scope)
    assert (reply.status_code, reply.json()["error"]["message"]) == (row.status, expected)


def test_an_unknown_principal_is_not_found(graph: httpx.Client) -> None:
    """Who does not exist, or not yet, is a 404."""
    reply = graph.post(ASSIGNMENTS, json=_body("Reports Reader", ABSENT))
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"roleDefinitionId": ABSENT}, errors.UNKNOWN_ROLE),
        ({"principalId": "priya"}, errors.BAD_ID),
        ({"principalId": RESEARCH}, errors.NOT_ROLE_ASSIGNABLE),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    graph: httpx.Client, joiner: Made, changes: dict[str, str], row: errors.Refusal
) -> None:
    """The role must exist, the principal be an id, and a group be role-assignable."""
    reply = graph.post(ASSIGNMENTS, json=_body("Reports Reader", joiner()["id"]) | changes)
    expected = row.message.format(id=next(iter(changes.values())))
    assert (reply.status_code, reply.json()["error"]["message"]) == (row.status, expected)


def test_an_unknown_role_is_not_found(graph: httpx.Client) -> None:
    """A definition that is none is a 404."""
    assert graph.get(f"{DEFINITIONS}/{ABSENT}").status_code == 404


def test_relations_are_expanded(graph: httpx.Client, joiner: Made) -> None:
    """Principal, role and scope are shown together, each with its own `$select`."""
    key = joiner()["id"]
    scope = f"/administrativeUnits/{TOKYO}"
    made = graph.post(ASSIGNMENTS, json=_body("Helpdesk Administrator", key, scope)).json()
    query = {
        "$select": "id",
        "$expand": "principal($select=id,displayName),roleDefinition($select=displayName),"
        "directoryScope",
    }
    shown = graph.get(f"{ASSIGNMENTS}/{made['id']}", params=query).json()
    assert shown["principal"]["@odata.type"] == "#microsoft.graph.user"
    assert set(shown["principal"]) == {"@odata.type", "id", "displayName"}
    assert shown["roleDefinition"] == {"displayName": "Helpdesk Administrator"}
    assert shown["directoryScope"]["displayName"] == "Tokyo"
    assert set(shown) == {"@odata.context", "id", "principal", "roleDefinition", "directoryScope"}


def test_a_service_principal_is_expanded(start: Callable[..., httpx.Client]) -> None:
    """A principal of any type is shown with its type; the whole tenant is no object."""
    graph = start()
    made = graph.post(ASSIGNMENTS, json=_body("Reports Reader", APPLY_APP.principal_id)).json()
    query = {"$expand": "principal,directoryScope,roleDefinition"}
    shown = graph.get(f"{ASSIGNMENTS}/{made['id']}", params=query).json()
    assert shown["principal"]["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert shown["directoryScope"] is None
    assert shown["roleDefinition"]["templateId"] == BUILT_IN["Reports Reader"]


def test_assignments_are_counted_and_paged(graph: httpx.Client, joiner: Made) -> None:
    """`$top`, next links and `$count` hold for assignments too."""
    key = joiner()["id"]
    for role in ("Reports Reader", "Global Reader", "Security Reader"):
        graph.post(ASSIGNMENTS, json=_body(role, key))
    query = {"$filter": f"principalId eq '{key}'", "$top": "2", "$count": "true"}
    first = graph.get(ASSIGNMENTS, params=query, headers={"ConsistencyLevel": "eventual"}).json()
    assert (first["@odata.count"], len(first["value"])) == (3, 2)
    rest = graph.get(first["@odata.nextLink"]).json()
    assert len(rest["value"]) == 1
    assert "@odata.nextLink" not in rest


@pytest.mark.parametrize("query", ["$select=shoeSize", "$expand=shoeSize"])
def test_what_the_type_lacks_is_refused(graph: httpx.Client, query: str) -> None:
    """These are closed types: an unknown name is refused in `$select` and in `$expand`."""
    reply = graph.get(f"{ASSIGNMENTS}?{query}")
    expected = errors.UNKNOWN_SELECT.message.format(
        property="shoeSize", type="unifiedRoleAssignment"
    )
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, expected)


def test_a_deleted_holder_waits_unseen(office: Office, body: Callable[..., dict[str, Any]]) -> None:
    """The roles of a deleted user are not listed, and are there again after its return."""
    graph = office.graph
    key = graph.post("/users", json=body()).json()["id"]
    graph.post(ASSIGNMENTS, json=_body("Directory Readers", key))
    text = {"$filter": f"principalId eq '{key}'"}
    assert len(graph.get(ASSIGNMENTS, params=text).json()["value"]) == 1
    assert graph.delete(f"/users/{key}").status_code == 204
    assert graph.get(ASSIGNMENTS, params=text).json()["value"] == []
    graph.post(f"/directory/deletedItems/{key}/restore")
    assert len(graph.get(ASSIGNMENTS, params=text).json()["value"]) == 1


def test_a_role_is_found_by_its_template(graph: httpx.Client) -> None:
    """Definitions are filtered by any of their texts, and paged."""
    query = {"$filter": f"templateId eq '{BUILT_IN['Global Reader']}'", "$select": "displayName"}
    found = graph.get(DEFINITIONS, params=query).json()["value"]
    assert found == [{"displayName": "Global Reader"}]
    page = graph.get(f"{DEFINITIONS}?$top=7&$select=*").json()
    assert len(page["value"]) == 7


def test_a_role_over_a_unit_reaches_its_members_only(
    office: Office, body: Callable[..., dict[str, Any]]
) -> None:
    """Who administers a unit reaches administrators in it and resets its members' passwords."""
    graph = office.graph
    inside, outside = (graph.post("/users", json=body()).json()["id"] for _ in range(2))
    for key in (inside, outside):
        graph.post(ASSIGNMENTS, json=_body("Reports Reader", key))
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{inside}"}
    added = graph.post(f"/directory/administrativeUnits/{TOKYO}/members/$ref", json=reference)
    assert added.status_code == 204
    text = {"$filter": f"principalId eq '{ADMIN_APP.principal_id}'"}
    (held,) = graph.get(ASSIGNMENTS, params=text).json()["value"]
    graph.delete(f"{ASSIGNMENTS}/{held['id']}")
    change = {"mobilePhone": "+44 20 7946 0002"}
    reset = {"passwordProfile": {"password": "Another-Horse-7"}}
    for sent in (change, reset):
        assert graph.patch(f"/users/{inside}", json=sent).status_code == 403
    scope = f"/administrativeUnits/{TOKYO}"
    graph.post(ASSIGNMENTS, json=_body("User Administrator", ADMIN_APP.principal_id, scope))
    for sent in (change, reset):
        assert graph.patch(f"/users/{inside}", json=sent).status_code == 204
        assert graph.patch(f"/users/{outside}", json=sent).status_code == 403
    stranger = graph.post("/users", json=body()).json()["id"]
    assert graph.patch(f"/users/{stranger}", json=change).status_code == 204
    assert graph.patch(f"/users/{stranger}", json=reset).status_code == 403
