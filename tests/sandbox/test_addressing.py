"""What may stand in an address: whole names of actions, UPNs, references without a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: str) -> None:
    error = row.error(**slots)
    told = reply.json()["error"]
    assert (reply.status_code, told["code"], told["message"]) == (
        error.status,
        error.code,
        error.message,
    )


def test_a_user_is_not_restored_among_the_living(graph: httpx.Client, joiner: Made) -> None:
    """`restore` is for deleted items; below `users` nobody is found."""
    key = joiner()["id"]
    graph.delete(f"/users/{key}")
    _refused(graph.post(f"/users/{key}/restore"), errors.NO_RESOURCE, id=key)
    path = f"/directory/deletedItems/{key}/microsoft.graph.restore"
    assert graph.post(path).status_code == 200


def test_an_action_has_a_whole_name(graph: httpx.Client, joiner: Made) -> None:
    """Older SDKs write the namespace before an action; other words do not have one."""
    path = f"/users/{joiner()['id']}/microsoft.graph"
    body = {"securityEnabledOnly": False}
    assert graph.post(f"{path}.getMemberGroups", json=body).json()["value"] == []
    _refused(graph.get(f"{path}.manager"), errors.NO_SEGMENT, segment="microsoft.graph.manager")


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/users/x/photo/$value", "photo"),
        ("/servicePrincipals(appId='x')", "servicePrincipals"),
        ("/directory", "directory"),
        ("/", ""),
    ],
)
def test_the_first_word_that_does_not_fit_is_named(
    graph: httpx.Client, path: str, segment: str
) -> None:
    """What follows it is not looked at."""
    _refused(graph.get(path), errors.NO_SEGMENT, segment=segment)


@pytest.mark.parametrize("name", ["members", "owners"])
def test_a_upn_stands_for_an_id(
    admin: httpx.Client, new_group: Made, joiner: Made, name: str
) -> None:
    """A link is removed by UPN, and made by an address without a host."""
    one, other = joiner(), joiner()
    path = f"/groups/{new_group()['id']}/{name}"
    for address in (f"/users/{one['id']}", f"/v1.0/directoryObjects/{other['id']}"):
        assert admin.post(f"{path}/$ref", json={"@odata.id": address}).status_code == 204
    assert admin.delete(f"{path}/{one['userPrincipalName']}/$ref").status_code == 204
    shown = admin.get(f"{path}?$select=ID,shoes").json()
    assert shown["@odata.context"].endswith("$metadata#directoryObjects(id)")
    assert [item["id"] for item in shown["value"]] == [other["id"]]
    _refused(admin.post(f"{path}/$ref", json={}), errors.NO_REFERENCE)
    cast = f"{path}/microsoft.graph.user?$select=id&$count=true"
    context = admin.get(cast, headers={"ConsistencyLevel": "eventual"}).json()["@odata.context"]
    assert context.endswith("$metadata#users(id)")


def test_nobody_is_a_manager_of_oneself(graph: httpx.Client, joiner: Made) -> None:
    """A reference from a user to the same user is refused."""
    key = joiner()["id"]
    reply = graph.put(f"/users/{key}/manager/$ref", json={"@odata.id": f"/users/{key}"})
    _refused(reply, errors.INVALID_TARGET, type="User", id=key, property="manager")


def test_nothing_selected_has_no_parentheses(graph: httpx.Client) -> None:
    """A context has none when no name in `$select` is known."""
    context = graph.get("/users?$select=foo").json()["@odata.context"]
    assert context.endswith("$metadata#users")


def test_roles_are_not_paged(graph: httpx.Client) -> None:
    """All active roles come at once."""
    page = graph.get("/directoryRoles?$top=1").json()
    assert "@odata.nextLink" not in page
    assert len(page["value"]) > 1


def test_a_missing_property_is_named(graph: httpx.Client) -> None:
    """What a body lacks is told by its name."""
    for path, name, resource in (
        ("/directoryRoles", "roleTemplateId", "DirectoryRole"),
        ("/roleManagement/directory/roleAssignments", "roleDefinitionId", "RoleAssignment"),
    ):
        slots = {"property": name, "resource": resource}
        _refused(graph.post(path, json={}), errors.MISSING_VALUE, **slots)


@pytest.mark.parametrize(
    ("change", "row", "slots"),
    [
        ({"passwordPolicies": "Nonsense"}, errors.BAD_VALUE, {"property": "passwordPolicies"}),
        ({"displayName": "a\x07b"}, errors.BAD_VALUE, {"property": "displayName"}),
        ({"memberOf": []}, errors.NAVIGATION, {"property": "memberOf"}),
        (
            {"employeeOrgData": {}},
            errors.NOT_SERVED,
            {"what": "writes of the property employeeOrgData of a user"},
        ),
    ],
)
def test_a_value_is_refused(
    graph: httpx.Client,
    joiner: Made,
    change: dict[str, Any],
    row: errors.Refusal,
    slots: dict[str, str],
) -> None:
    """Each refusal is in the words for what is wrong."""
    _refused(graph.patch(f"/users/{joiner()['id']}", json=change), row, **slots)


def test_policies_and_lines_are_taken(graph: httpx.Client, joiner: Made) -> None:
    """Both password policies go together, and an address may have several lines."""
    key = joiner()["id"]
    for change in (
        {"passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"},
        {"passwordPolicies": "None", "streetAddress": "1 High Street\nFlat 2"},
    ):
        assert graph.patch(f"/users/{key}", json=change).status_code == 204


def test_a_group_has_no_control_characters(admin: httpx.Client, new_group: Made) -> None:
    """Texts of groups are checked like those of users."""
    reply = admin.patch(f"/groups/{new_group()['id']}", json={"displayName": "a\x07"})
    _refused(reply, errors.GROUP_BAD_VALUE, property="displayName")
