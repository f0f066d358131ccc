from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE, TENANT_ID
from reconciler.sandbox.company.roledata import BUILT_IN

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
DEFINITIONS = "/roleManagement/directory/roleDefinitions"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
ADMINISTRATOR = BUILT_IN["Global Administrator"]
BREAKGLASS = next(p.id for p in PEOPLE if p.upn == "breakglass@contoso.com")


def _body(role: str, principal: str) -> dict[str, str]:
    return {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "roleDefinitionId": BUILT_IN[role],
        "principalId": principal,
        "directoryScopeId": "/",
    }


def test_domains_tell_which_are_verified(graph: httpx.Client) -> None:
    """Three domains are the company's; one is only claimed."""
    shown = graph.get("/domains?$select=id,isVerified,isDefault").json()["value"]
    assert [tuple(domain.values()) for domain in shown] == [
        ("contoso.onmicrosoft.com", True, False),
        ("contoso.com", True, True),
        ("contoso.co.jp", True, False),
        ("contoso.dev", False, False),
    ]
    assert graph.get("/domains/CONTOSO.com").json()["isDefault"] is True


def test_the_organization_is_a_list_of_one(graph: httpx.Client) -> None:
    """The company names itself and its verified domains."""
    (listed,) = graph.get("/organization").json()["value"]
    one = graph.get(f"/organization/{TENANT_ID}?$select=id,displayName").json()
    assert (one["id"], one["displayName"]) == (TENANT_ID, "Contoso")
    assert [domain["name"] for domain in listed["verifiedDomains"]] == [
        "contoso.onmicrosoft.com",
        "contoso.com",
        "contoso.co.jp",
    ]


def test_roles_are_known_by_name_and_template(graph: httpx.Client) -> None:
    """A built-in role's id is its template's."""
    text = "displayName eq 'User Administrator' and isBuiltIn eq true"
    (role,) = graph.get(DEFINITIONS, params={"$filter": text}).json()["value"]
    assert role["id"] == role["templateId"] == BUILT_IN["User Administrator"]
    one = graph.get(f"{DEFINITIONS}/{role['id']}?$select=id,displayName").json()
    assert one["displayName"] == "User Administrator"
    everything = graph.get(f"{DEFINITIONS}?$select=displayName").json()["value"]
    assert {role["displayName"] for role in everything} == set(BUILT_IN)


def test_roles_are_paged(graph: httpx.Client) -> None:
    """Pages of role definitions follow each other."""
    page = graph.get(f"{DEFINITIONS}?$top=39&$select=id").json()
    rest = graph.get(page["@odata.nextLink"]).json()
    ids = [role["id"] for role in page["value"] + rest["value"]]
    assert len(ids) == len(set(ids)) > 39


def test_a_role_is_assigned_once_and_taken_back(graph: httpx.Client, joiner: Made) -> None:
    """An assignment is found by principal and by role; a second one is a conflict."""
    key = joiner()["id"]
    made = graph.post(ASSIGNMENTS, json=_body("Reports Reader", key))
    assert made.status_code == 201
    shown = {k: v for k, v in made.json().items() if k != "@odata.context"}
    assert graph.post(ASSIGNMENTS, json=_body("Reports Reader", key)).status_code == 400
    for text in (
        f"principalId eq '{key}'",
        f"roleDefinitionId in ('{BUILT_IN['Reports Reader']}') and principalId eq '{key}'",
    ):
        assert graph.get(ASSIGNMENTS, params={"$filter": text}).json()["value"] == [shown]
    path = f"{ASSIGNMENTS}/{shown['id']}"
    assert graph.get(path).json()["principalId"] == key
    assert graph.delete(path).status_code == 204
    assert graph.delete(path).status_code == 404


def test_a_holder_of_a_role_is_privileged(graph: httpx.Client, joiner: Made) -> None:
    """As soon as a user holds a role, its sign-in is out of reach; its department is not."""
    key = joiner()["id"]
    graph.post(ASSIGNMENTS, json=_body("Reports Reader", key))
    assert graph.patch(f"/users/{key}", json={"accountEnabled": False}).status_code == 403
    assert graph.patch(f"/users/{key}", json={"department": "Law"}).status_code == 204


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(APPLY_APP.principal_id, id="service principal"),
        pytest.param(
            next(group.id for group in GROUPS if group.kind == "roleAssignable"), id="group"
        ),
    ],
)
def test_a_role_may_go_to_others_than_users(
    start: Callable[..., httpx.Client], principal: str
) -> None:
    """Service principals and role-assignable groups may hold roles."""
    reply = start().post(ASSIGNMENTS, json=_body("Global Administrator", principal))
    assert reply.status_code == 201


def test_an_application_with_a_role_reaches_administrators(
    start: Callable[..., httpx.Client],
) -> None:
    """What the permission does not reach, a role of the service principal does."""
    graph = start()
    change = {"mobilePhone": "+44 20 7946 0002"}
    assert graph.patch(f"/users/{BREAKGLASS}", json=change).status_code == 403
    graph.post(ASSIGNMENTS, json=_body("Global Administrator", APPLY_APP.principal_id))
    assert graph.patch(f"/users/{BREAKGLASS}", json=change).status_code == 204


def test_the_principal_is_expanded(graph: httpx.Client) -> None:
    """`$expand=principal` shows who holds the role."""
    text = f"roleDefinitionId eq '{ADMINISTRATOR}'"
    query = {"$filter": text, "$expand": "principal", "$select": "id,principalId"}
    (shown,) = graph.get(ASSIGNMENTS, params=query).json()["value"]
    assert shown["principal"]["displayName"] == "Break Glass"
    assert set(shown) == {"id", "principalId", "principal"}
