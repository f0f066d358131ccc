from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import ADMIN_APP, GROUPS, PEOPLE, UNITS
from reconciler.sandbox.company.roledata import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Office

ABSENT = "00000000-0000-4000-8000-000000000000"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
PERSON = {person.upn: person.id for person in PEOPLE}
MARIA, PRIYA = PERSON["maria.admin@contoso.com"], PERSON["priya@contoso.com"]
TIER1 = next(group.id for group in GROUPS if group.nickname == "tier1-helpdesk")
TOKYO = next(unit.id for unit in UNITS if unit.name == "Tokyo")
READER = BUILT_IN["Reports Reader"]


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _activated(graph: httpx.Client, role: str = READER) -> dict[str, Any]:
    reply = graph.post("/directoryRoles", json={"roleTemplateId": role})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def test_only_active_roles_are_listed(company: httpx.Client) -> None:
    """A new company has active what somebody holds, under ids of their own."""
    roles = company.get("/directoryRoles").json()["value"]
    assert {role["displayName"] for role in roles} == {
        "Global Administrator",
        "Privileged Authentication Administrator",
        "User Administrator",
    }
    assert all(role["id"] != role["roleTemplateId"] for role in roles)
    assert set(roles[0]) == {
        "id",
        "deletedDateTime",
        "description",
        "displayName",
        "roleTemplateId",
    }


def test_roles_are_selected_and_filtered(company: httpx.Client) -> None:
    """`$select`, `$filter` and `$expand=members` hold here as well."""
    query = {
        "$filter": "displayName eq 'User Administrator'",
        "$select": "displayName,roleTemplateId",
        "$expand": "members($select=id)",
    }
    (role,) = company.get("/directoryRoles", params=query).json()["value"]
    assert role == {
        "displayName": "User Administrator",
        "roleTemplateId": BUILT_IN["User Administrator"],
        "members": [{"@odata.type": "#microsoft.graph.user", "id": MARIA}],
    }


def test_a_role_is_activated_once(office: Office) -> None:
    """An active role cannot be activated; one that does not exist cannot either."""
    made = _activated(office.graph)
    assert (made["displayName"], made["roleTemplateId"]) == ("Reports Reader", READER)
    shown = office.graph.get(f"/directoryRoles/{made['id']}").json()
    assert shown == made
    for key, row in ((READER, errors.CONFLICTING), (ABSENT, errors.NO_RESOURCE)):
        reply = office.graph.post("/directoryRoles", json={"roleTemplateId": key})
        expected = (row.status, row.message.format(id=key))
        assert (reply.status_code, reply.json()["error"]["message"]) == expected


@pytest.mark.parametrize("is_by_template", [False, True], ids=["id", "template"])
def test_members_come_and_go(office: Office, is_by_template: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """Members are added and removed by either address of the role, and show as assignments."""
    graph = office.graph
    made = _activated(graph)
    role = (
        f"/directoryRoles(roleTemplateId='{READER}')"
        if is_by_template
        else f"/directoryRoles/{made['id']}"
    )
    assert graph.get(role).json()["id"] == made["id"]
    assert graph.post(f"{role}/members/$ref", json=_reference(PRIYA)).status_code == 204
    by_name = {"@odata.id": "https://graph.microsoft.com/v1.0/users/maria.admin@contoso.com"}
    assert graph.post(f"{role}/members/$ref", json=by_name).status_code == 204
    reply = graph.post(f"{role}/members/$ref", json=_reference(ADMIN_APP.principal_id))
    assert reply.status_code == 204
    again = graph.post(f"{role}/members/$ref", json=_reference(PRIYA)).json()
    assert again["error"]["message"] == errors.CONFLICTING.message
    members = graph.get(f"{role}/members").json()["value"]
    assert [each["id"] for each in members] == [PRIYA, MARIA, ADMIN_APP.principal_id]
    text = {"$filter": f"roleDefinitionId eq '{READER}'"}
    held = graph.get(ASSIGNMENTS, params=text).json()["value"]
    assert {each["principalId"] for each in held} == {each["id"] for each in members}
    assert graph.delete(f"{role}/members/{PRIYA}/$ref").status_code == 204
    gone = graph.delete(f"{role}/members/{PRIYA}/$ref")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


def test_an_assignment_activates_the_role(office: Office) -> None:
    """A role that is given over the whole tenant is active; over a unit it has no members."""
    for role, scope in (("Reports Reader", "/"), ("License Administrator", None)):
        body = {
            "roleDefinitionId": BUILT_IN[role],
            "principalId": PRIYA,
            "directoryScopeId": scope or f"/administrativeUnits/{TOKYO}",
        }
        assert office.graph.post(ASSIGNMENTS, json=body).status_code == 201
    names = {role["displayName"] for role in office.graph.get("/directoryRoles").json()["value"]}
    assert "Reports Reader" in names
    assert "License Administrator" not in names
    made = _activated(office.graph, BUILT_IN["License Administrator"])
    assert office.graph.get(f"/directoryRoles/{made['id']}/members").json()["value"] == []


def test_who_cannot_hold_a_role_is_no_member(office: Office) -> None:
    """Only users, role-assignable groups and service principals are members of roles."""
    role = f"/directoryRoles/{_activated(office.graph)['id']}/members/$ref"
    assert office.graph.post(role, json=_reference(TIER1)).status_code == 204
    research = next(group.id for group in GROUPS if group.nickname == "research-all")
    for key, status in ((research, 400), (ABSENT, 404)):
        assert office.graph.post(role, json=_reference(key)).status_code == status


@pytest.mark.parametrize(
    "address", [f"/directoryRoles/{ABSENT}", f"/directoryRoles(roleTemplateId='{READER}')"]
)
def test_a_role_that_is_not_active_is_not_found(company: httpx.Client, address: str) -> None:
    """What is not active is not there, by either address."""
    assert company.get(address).status_code == 404
    assert company.get(f"{address}/members").status_code == 404


def test_roles_want_their_permissions(graph: httpx.Client, token: Callable[..., str]) -> None:
    """To read and to activate are two permissions."""
    bearer = {"Authorization": f"Bearer {token('RoleManagement.Read.Directory')}"}
    assert graph.get("/directoryRoles", headers=bearer).status_code == 200
    body = {"roleTemplateId": BUILT_IN["Security Reader"]}
    assert graph.post("/directoryRoles", json=body, headers=bearer).status_code == 403
