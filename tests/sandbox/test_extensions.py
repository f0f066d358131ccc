from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PLAN_APP

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
OWN = f"/applications(appId='{APPLY_APP.client_id}')/extensionProperties"
OTHER = f"/applications/{PLAN_APP.client_id}/extensionProperties"
ABSENT = "00000000-0000-4000-8000-000000000000"
ADVANCED = {"ConsistencyLevel": "eventual"}
GROUP = f"/groups/{GROUPS[0].id}"
NUMBERS = count(1)


@pytest.fixture
def headers(token: Callable[..., str]) -> dict[str, str]:
    """Give the headers of an application that registers its own extensions."""
    granted = ("Application.ReadWrite.OwnedBy", "User.ReadWrite.All", "Group.ReadWrite.All")
    return {"Authorization": f"Bearer {token(*granted)}"}


def _definition(**changes: object) -> dict[str, object]:
    usual = {"name": f"mark{next(NUMBERS)}", "dataType": "String", "targetObjects": ["User"]}
    return {k: v for k, v in (usual | changes).items() if v is not None}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    told = (reply.status_code, error["code"], error["message"])
    assert told == (row.status, row.code, row.message.format(**slots))


# --- directory extensions


def test_a_directory_extension_is_registered_used_and_hidden(
    graph: httpx.Client, joiner: Made, headers: dict[str, str]
) -> None:
    """It is registered once, then any user may carry it; with the definition the data goes."""
    body = _definition()
    made = graph.post(OWN, json=body, headers=headers)
    shown = made.json()
    name = f"extension_{APPLY_APP.client_id.replace('-', '')}_{body['name']}"
    assert (made.status_code, shown["name"], shown["dataType"]) == (201, name, "String")
    user = f"/users/{joiner(**{name: 'contoso/alpha'})['id']}"
    found = graph.get("/users", params={"$filter": f"{name} eq 'contoso/alpha'", "$select": name})
    assert found.json()["value"] == [{name: "contoso/alpha"}]
    one = f"{OWN}/{shown['id']}"
    listed = graph.get(OWN, headers=headers).json()["value"]
    assert shown["id"] in {entry["id"] for entry in listed}
    assert graph.get(one, headers=headers).json()["name"] == name
    absent = graph.get(f"{OWN}/{ABSENT}", headers=headers)
    _refused(absent, errors.NO_RESOURCE, id=ABSENT)
    assert graph.delete(one, headers=headers).status_code == 204
    assert graph.get(f"{user}?$select=id,{name}").json().keys() == {"@odata.context", "id"}
    gone = graph.get("/users", params={"$filter": f"{name} eq 'x'"})
    _refused(gone, errors.UNDECLARED, property=name)
    _refused(graph.get(one, headers=headers), errors.NO_RESOURCE, id=shown["id"])


def test_extensions_of_all_applications_are_available(
    graph: httpx.Client, headers: dict[str, str]
) -> None:
    """`getAvailableExtensionProperties` names each with its type; none is synced."""
    path = "/directoryObjects/getAvailableExtensionProperties"
    shown = graph.post(path, json={}, headers=headers).json()["value"]
    synced = graph.post(path, json={"isSyncedFromOnPremises": True}, headers=headers)
    assert any(entry["name"].endswith("_ownedBy") for entry in shown)
    assert {entry["@odata.type"] for entry in shown} == {"#microsoft.graph.extensionProperty"}
    assert synced.json()["value"] == []


def test_an_application_registers_for_itself_alone(
    graph: httpx.Client, headers: dict[str, str], token: Callable[..., str]
) -> None:
    """`OwnedBy` reaches one's own application, `All` reaches every one."""
    _refused(graph.post(OTHER, json=_definition(), headers=headers), errors.DENIED)
    wide = {"Authorization": f"Bearer {token('Application.ReadWrite.All')}"}
    assert graph.post(OTHER, json=_definition(), headers=wide).status_code == 201
    absent = f"/applications/{ABSENT}/extensionProperties"
    _refused(graph.get(absent, headers=wide), errors.NO_RESOURCE, id=ABSENT)


@pytest.mark.parametrize(
    ("changes", "property_name"),
    [
        ({"name": None}, "name"),
        ({"name": "a b"}, "name"),
        ({"dataType": "Text"}, "dataType"),
        ({"targetObjects": []}, "targetObjects"),
        ({"targetObjects": ["user"]}, "targetObjects"),
        ({"targetObjects": "User"}, "targetObjects"),
    ],
    ids=str,
)
def test_a_definition_is_refused(
    graph: httpx.Client, headers: dict[str, str], changes: dict[str, Any], property_name: str
) -> None:
    """A definition wants a name, a data type and targets that Graph knows."""
    reply = graph.post(OWN, json=_definition(**changes), headers=headers)
    _refused(reply, errors.EXTENSION_DEFINITION, property=property_name)


def test_a_name_is_registered_once(graph: httpx.Client, headers: dict[str, str]) -> None:
    """A second definition of the same name is refused."""
    body = _definition()
    name = graph.post(OWN, json=body, headers=headers).json()["name"]
    again = graph.post(OWN, json=body, headers=headers)
    _refused(again, errors.EXTENSION_REGISTERED, name=name)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"dataType": "Integer"}, "of other types than String"),
        ({"isMultiValued": True}, "of other types than String"),
        ({"targetObjects": ["User", "Device"]}, "of other objects"),
    ],
    ids=str,
)
def test_a_definition_that_the_tenant_lacks_is_told(
    graph: httpx.Client, headers: dict[str, str], changes: dict[str, Any], what: str
) -> None:
    """What the sandbox cannot keep is answered 501, never wrongly."""
    reply = graph.post(OWN, json=_definition(**changes), headers=headers)
    _refused(reply, errors.NOT_SERVED, what=f"directory extensions {what}")


def test_an_object_carries_a_hundred_values(
    graph: httpx.Client,
    admin: httpx.Client,
    joiner: Made,
    group_body: Made,
    headers: dict[str, str],
) -> None:
    """A user and a group have room for 100 values of extensions, of all applications together."""
    names = [
        graph.post(OWN, json=_definition(), headers=headers).json()["name"] for _ in range(101)
    ]
    user = f"/users/{joiner()['id']}"
    assert graph.patch(user, json=dict.fromkeys(names[:100], "x")).status_code == 204
    _refused(graph.patch(user, json={names[100]: "x"}), errors.EXTENSION_VALUES)
    values = dict.fromkeys(names, "x")
    refused = admin.post("/groups", json=group_body(**values))
    _refused(refused, errors.EXTENSION_VALUES)
    made = admin.post("/groups", json=group_body(**dict.fromkeys(names[:100], "x"))).json()
    group = f"/groups/{made['id']}"
    _refused(admin.patch(group, json={names[100]: "x"}), errors.EXTENSION_VALUES)
    swapped = {names[0]: None, names[100]: "x"}
    assert admin.patch(group, json=swapped).status_code == 204
    assert graph.patch(user, json={names[0]: None, names[100]: "x"}).status_code == 204


# --- open extensions


def _open(name: object, **data: object) -> dict[str, object]:
    return {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": name, **data}


@pytest.mark.parametrize("owner", ["user", "group"])
def test_an_open_extension_comes_changes_and_goes(
    graph: httpx.Client, joiner: Made, headers: dict[str, str], owner: str
) -> None:
    """It is made, read by its short and long id, changed in part, expanded, and deleted."""
    where = f"/users/{joiner()['id']}" if owner == "user" else GROUP
    path = f"{where}/extensions"
    made = graph.post(path, json=_open("com.contoso.desk", floor=3, side="n"), headers=headers)
    assert made.status_code == 201
    assert made.json()["id"] == made.json()["extensionName"] == "com.contoso.desk"
    one = f"{path}/com.Contoso.desk"
    change = {"@odata.type": "microsoft.graph.openTypeExtension", "floor": 4, "side": None}
    assert graph.patch(one, json=change, headers=headers).status_code == 204
    full = f"{path}/microsoft.graph.openTypeExtension.com.contoso.desk"
    shown = graph.get(full, headers=headers).json()
    assert (shown["floor"], "side" in shown) == (4, False)
    (listed,) = graph.get(path, headers=headers).json()["value"]
    (expanded,) = graph.get(f"{where}?$expand=extensions&$select=id", headers=headers).json()[
        "extensions"
    ]
    assert listed == expanded
    assert listed["@odata.type"] == "#microsoft.graph.openTypeExtension"
    assert graph.delete(one, headers=headers).status_code == 204
    _refused(graph.get(one, headers=headers), errors.NO_RESOURCE, id="com.Contoso.desk")
    assert graph.get(path, headers=headers).json()["value"] == []


def test_open_extensions_have_their_limits(
    graph: httpx.Client, joiner: Made, headers: dict[str, str], token: Callable[..., str]
) -> None:
    """Two for each application, 2 KB each, each name once, and no filter."""
    path = f"/users/{joiner()['id']}/extensions"

    def made(name: object, **data: object) -> httpx.Response:
        return graph.post(path, json=_open(name, **data), headers=headers)

    _refused(made(7), errors.OPEN_EXTENSION_NAME, name=7)
    _refused(made("a/b"), errors.OPEN_EXTENSION_NAME, name="a/b")
    _refused(made("com.a", text="x" * 2048), errors.OPEN_EXTENSION_LARGE)
    assert made("com.a").status_code == 201
    _refused(made("COM.A"), errors.OPEN_EXTENSION_EXISTS)
    assert made("com.b").status_code == 201
    _refused(made("com.c"), errors.OPEN_EXTENSIONS_FULL)
    large = {"text": "x" * 2048}
    reply = graph.patch(f"{path}/com.a", json=large, headers=headers)
    _refused(reply, errors.OPEN_EXTENSION_LARGE)
    other = token("User.ReadWrite.All", appid=PLAN_APP.client_id)
    third = graph.post(path, json=_open("com.c"), headers={"Authorization": f"Bearer {other}"})
    assert third.status_code == 201
    filtered = graph.get(f"{path}?$filter=id eq 'com.a'", headers=headers)
    _refused(filtered, errors.UNSUPPORTED)
