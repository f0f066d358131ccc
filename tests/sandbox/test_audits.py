"""Audit records: each successful write leaves what Entra would write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE, UNITS
from reconciler.sandbox.company.roledata import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Office

AUDITS = "/auditLogs/directoryAudits"
STAFF = next(group for group in GROUPS if group.nickname == "research-all")
TOKYO = next(unit for unit in UNITS if unit.name == "Tokyo")
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
SECRET = "Another-Horse-7"  # noqa: S105 -- of nobody


@pytest.fixture
def auditor(graph: httpx.Client, token: Callable[..., str]) -> Callable[..., list[dict[str, Any]]]:
    """Give what asks the shared tenant's log."""

    def asked(**options: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token('AuditLog.Read.All')}"}
        params = {f"${name}": value for name, value in options.items()}
        reply = graph.get(AUDITS, params=params, headers=headers)
        assert reply.status_code == 200, reply.text
        return list(reply.json()["value"])

    return asked


@pytest.fixture
def about(auditor: Callable[..., list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    """Give the records of one object, oldest first."""

    def asked(key: str) -> list[dict[str, Any]]:
        text = f"targetResources/any(t:t/id eq '{key}')"
        return auditor(filter=text, orderby="activityDateTime asc")

    return asked


def _names(records: list[dict[str, Any]]) -> list[str]:
    return [record["activityDisplayName"] for record in records]


def _modified(record: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Give the properties of a record's first target, out of their texts."""
    return {
        one["displayName"]: (_value(one["oldValue"]), _value(one["newValue"]))
        for one in record["targetResources"][0]["modifiedProperties"]
    }


def _value(text: str | None) -> Any:  # noqa: ANN401 -- any JSON
    return None if text is None else orjson.loads(text)


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["message"]) == (
        row.status,
        row.code,
        row.message.format(**slots),
    )


def test_the_whole_record_of_a_creation(
    graph: httpx.Client,
    body: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Who, when, in which request, whom and what: all of the schema, and no password."""
    asked = str(uuid4())
    headers = {"client-request-id": asked, "User-Agent": "contoso/1"}
    user = graph.post("/users", json=body(jobTitle="Clerk"), headers=headers).json()
    (record,) = about(user["id"])
    properties = record["targetResources"][0].pop("modifiedProperties")
    moment = record.pop("activityDateTime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", moment)
    assert re.fullmatch(rf"Directory_{asked}_\d{{8}}", record.pop("id"))
    assert record == {
        "category": "UserManagement",
        "correlationId": asked,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": "Add user",
        "loggedByService": "Core Directory",
        "operationType": "Add",
        "initiatedBy": {
            "user": None,
            "app": {
                "appId": APPLY_APP.client_id,
                "displayName": APPLY_APP.name,
                "servicePrincipalId": APPLY_APP.principal_id,
                "servicePrincipalName": None,
            },
        },
        "targetResources": [
            {
                "id": user["id"],
                "displayName": user["displayName"],
                "type": "User",
                "userPrincipalName": user["userPrincipalName"],
                "groupType": None,
            }
        ],
        "additionalDetails": [{"key": "User-Agent", "value": "contoso/1"}],
    }
    assert {"displayName": "JobTitle", "oldValue": "[]", "newValue": '["Clerk"]'} in properties
    assert {"displayName": "PasswordProfile", "oldValue": None, "newValue": None} in properties
    assert "Correct-Horse-9" not in str(properties)


def test_an_id_that_is_no_guid_is_not_kept(
    graph: httpx.Client,
    body: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """The correlation id is always one."""
    user = graph.post("/users", json=body(), headers={"client-request-id": "mine"}).json()
    assert re.fullmatch(r"[0-9a-f-]{36}", about(user["id"])[0]["correlationId"])


def test_the_life_of_a_user(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Each write has the name that Entra gives it; several things at once have several."""
    user, boss = joiner(jobTitle="Clerk"), joiner()
    address = f"/users/{user['id']}"
    graph.patch(address, json={"jobTitle": "Reader", "accountEnabled": False})
    graph.patch(address, json={"jobTitle": "Reader"})
    graph.patch(address, json={"accountEnabled": True})
    graph.put(f"{address}/manager/$ref", json=_reference(boss["id"]))
    graph.delete(f"{address}/manager/$ref")
    graph.post(f"{address}/revokeSignInSessions")
    graph.delete(address)
    graph.post(f"/directory/deletedItems/{user['id']}/restore")
    graph.delete(address)
    graph.delete(f"/directory/deletedItems/{user['id']}")
    records = about(user["id"])
    assert _names(records) == [
        "Add user",
        "Disable account",
        "Update user",
        "Update user",
        "Enable account",
        "Update user",
        "Set user manager",
        "Remove user manager",
        "Update StsRefreshTokenValidFrom Timestamp",
        "Delete user",
        "Restore user",
        "Delete user",
        "Hard Delete user",
    ]
    update = _modified(records[2])
    assert update["JobTitle"] == (["Clerk"], ["Reader"])
    assert update["AccountEnabled"] == ([True], [False])
    assert update["Included Updated Properties"] == (None, "AccountEnabled, JobTitle")
    assert _modified(records[3]) == {}
    assert _modified(records[6])["Manager"] == (None, boss["id"])
    assert [one["id"] for one in records[6]["targetResources"]] == [user["id"], boss["id"]]
    assert list(_modified(records[8])) == ["StsRefreshTokensValidFrom"]


def test_a_password_is_in_no_record(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    token: Callable[..., str],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """A reset is told without the password, and what it sets without values."""
    user = joiner()
    boss = next(person.id for person in PEOPLE if person.upn == "breakglass@contoso.com")
    held = token("User-PasswordProfile.ReadWrite.All", oid=boss)
    headers = {"Authorization": f"Bearer {held}"}
    for profile in ({"password": SECRET}, {"forceChangePasswordNextSignIn": False}):
        reply = graph.patch(
            f"/users/{user['id']}", json={"passwordProfile": profile}, headers=headers
        )
        assert reply.status_code == 204, reply.text
    records = about(user["id"])
    assert _names(records) == [
        "Add user",
        "Reset user password",
        "Set force change user password",
    ]
    assert SECRET not in str(records)
    assert "forceChange" not in str(records)


def test_licenses(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """What a user holds before and after, as Entra writes it."""
    user = joiner()
    skus = {s["skuPartNumber"]: s["skuId"] for s in graph.get("/subscribedSkus").json()["value"]}
    sku = skus["SPE_E5"]
    for body in (
        {"addLicenses": [{"skuId": sku}], "removeLicenses": []},
        {"addLicenses": [], "removeLicenses": [sku]},
    ):
        reply = graph.post(f"/users/{user['id']}/assignLicense", json=body)
        assert reply.status_code == 200, reply.text
    _, given, taken = about(user["id"])
    assert _names([given, taken]) == ["Change user license"] * 2
    old, (new,) = _modified(given)["AssignedLicense"]
    assert old == []
    assert new.startswith("[SkuName=SPE_E5, AccountId=")
    assert f"SkuId={sku}, DisabledPlans=[]]" in new
    assert _modified(taken)["AssignedLicense"] == ([new], [])


def test_members_have_a_record_each(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """A bind of two members leaves two records, and a removal one."""
    first, second = joiner()["id"], joiner()["id"]
    references = [_reference(key)["@odata.id"] for key in (first, second)]
    graph.patch(f"/groups/{STAFF.id}", json={"members@odata.bind": references})
    graph.delete(f"/groups/{STAFF.id}/members/{first}/$ref")
    _, added, removed = about(first)
    assert _names([added, removed]) == ["Add member to group", "Remove member from group"]
    assert _names(about(second)) == ["Add user", "Add member to group"]
    assert _modified(added) == {
        "Group.ObjectID": (None, STAFF.id),
        "Group.DisplayName": (None, STAFF.name),
    }
    assert _modified(removed)["Group.ObjectID"] == (STAFF.id, None)
    group = added["targetResources"][1]
    assert (group["type"], group["groupType"], group["modifiedProperties"]) == (
        "Group",
        "azureAD",
        [],
    )


def test_members_of_a_unit_are_told_as_such(
    admin: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """An administrative unit is no group."""
    user = joiner()["id"]
    path = f"/directory/administrativeUnits/{TOKYO.id}/members/$ref"
    assert admin.post(path, json=_reference(user)).status_code == 204
    _, added = about(user)
    assert added["activityDisplayName"] == "Add member to administrative unit"
    assert (added["category"], added["operationType"]) == ("AdministrativeUnit", "Assign")
    assert added["targetResources"][1]["type"] == "AdministrativeUnit"
    assert _modified(added) == {
        "AdministrativeUnit.ObjectID": (None, TOKYO.id),
        "AdministrativeUnit.DisplayName": (None, TOKYO.name),
    }


def test_what_pim_only_judges_leaves_nothing(office: Office) -> None:
    """A request with `isValidationOnly` has no record; one without has."""
    given = {
        "action": "adminAssign",
        "justification": "Runs the help desk",
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "directoryScopeId": "/",
        "principalId": PRIYA,
    }
    path = "/roleManagement/directory/roleEligibilityScheduleRequests"
    names = []
    for is_validation in (True, False):
        sent = {**given, "isValidationOnly": is_validation}
        assert office.graph.post(path, json=sent).status_code == 201
        names.append(_names(office.graph.get(AUDITS).json()["value"]))
    assert names == [[], ["Add eligible member to role in PIM requested"]]


def test_roles(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """An assignment names the role, and a purge takes it along without a word."""
    user = joiner()["id"]
    role = BUILT_IN["Directory Readers"]
    given = {"principalId": user, "roleDefinitionId": role, "directoryScopeId": "/"}
    for _ in range(2):
        made = graph.post("/roleManagement/directory/roleAssignments", json=given)
        assert made.status_code == 201, made.text
        graph.delete(f"/roleManagement/directory/roleAssignments/{made.json()['id']}")
    records = about(user)
    assert _names(records)[1:3] == ["Add member to role", "Remove member from role"]
    assert _modified(records[1]) == {
        "Role.ObjectID": (None, role),
        "Role.DisplayName": (None, "Directory Readers"),
    }
    assert records[1]["targetResources"][1]["type"] == "Role"


def test_failures_leave_nothing(
    graph: httpx.Client, auditor: Callable[..., list[dict[str, Any]]]
) -> None:
    """What was refused is not in the log, nor is what only reads."""
    asked = str(uuid4())
    headers = {"client-request-id": asked}
    assert graph.post("/users", json={}, headers=headers).status_code == 400
    ids = {"ids": [PRIYA]}
    graph.post("/directoryObjects/getByIds", json=ids, headers=headers)
    assert auditor(filter=f"correlationId eq '{asked}'") == []


# --- asking


def test_filters(
    joiner: Callable[..., dict[str, Any]],
    graph: httpx.Client,
    auditor: Callable[..., list[dict[str, Any]]],
) -> None:
    """Each filter that Graph knows finds the record, and its opposite does not."""
    user = joiner(displayName="Filter Fiona")
    mine = f"targetResources/any(t:t/id eq '{user['id']}')"
    (record,) = auditor(filter=mine)
    when = record["activityDateTime"]
    app = APPLY_APP.client_id
    for found, missed in (
        (f"activityDateTime ge {when}", "activityDateTime ge 2999-01-01T00:00:00Z"),
        (f"activityDateTime le {when}", "activityDateTime le 2001-01-01T00:00:00+02:00"),
        (f"activityDateTime eq {when}", "activityDateTime eq 2001-01-01T00:00:00Z"),
        ("activityDisplayName eq 'Add user'", "activityDisplayName eq 'Add group'"),
        ("startswith(activityDisplayName,'Add')", "startswith(activityDisplayName,'Del')"),
        ("category eq 'UserManagement'", "category eq 'Policy'"),
        ("loggedByService eq 'Core Directory'", "loggedByService eq 'PIM'"),
        (f"initiatedBy/app/appId eq '{app}'", f"initiatedBy/app/appId eq '{PRIYA}'"),
        ("initiatedBy/user/id eq null", f"initiatedBy/user/id eq '{PRIYA}'"),
        (f"id eq '{record['id']}'", "id eq 'none'"),
        (
            "targetResources/any(t:startswith(t/displayName,'Filter'))",
            "targetResources/any(t:startswith(t/displayName,'Other'))",
        ),
        ("category eq 'Policy' or result eq 'success'", "category eq 'Policy' or result eq 'x'"),
    ):
        assert auditor(filter=f"{mine} and ({found})") == [record], found
        assert auditor(filter=f"{mine} and ({missed})") == [], missed
    assert graph.get("/users?$top=1").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "resultReason eq 'x'",
        "category ne 'x'",
        "category eq 5",
        "activityDateTime eq 'yesterday'",
        "activityDateTime ge 2026-13-45T00:00:00Z",
        "startswith(category,'x')",
        "targetResources/any(t:t/type eq 'x')",
        "additionalDetails/any(t:t/key eq 'x')",
    ],
)
def test_other_filters_are_refused(
    graph: httpx.Client, token: Callable[..., str], text: str
) -> None:
    """What the log does not know is an invalid filter."""
    headers = {"Authorization": f"Bearer {token('AuditLog.Read.All')}"}
    _refused(graph.get(AUDITS, params={"$filter": text}, headers=headers), errors.BAD_FILTER)


def test_pages_go_back_in_time(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    token: Callable[..., str],
) -> None:
    """The newest comes first; next links keep the options; a rising order turns it round."""
    ids = [joiner()["id"] for _ in range(3)]
    headers = {"Authorization": f"Bearer {token('AuditLog.Read.All')}"}
    address = (
        f"{AUDITS}?$top=2&$select=id,targetResources&$filter=activityDisplayName eq 'Add user'"
    )
    first = graph.get(address, headers=headers).json()
    second = graph.get(first["@odata.nextLink"], headers=headers).json()
    shown = [one["targetResources"][0]["id"] for one in first["value"] + second["value"]]
    assert shown[:3] == ids[::-1]
    assert first["value"][0].keys() == {"id", "targetResources"}
    assert first["@odata.context"].endswith("#auditLogs/directoryAudits(id,targetResources)")
    rising = graph.get(f"{AUDITS}?$orderby=activityDateTime&$top=2", headers=headers).json()
    more = graph.get(rising["@odata.nextLink"], headers=headers).json()
    moments = [one["activityDateTime"] for one in rising["value"] + more["value"]]
    assert moments == sorted(moments)


def test_one_record(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    token: Callable[..., str],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """A record is found by its id, and nothing by another."""
    (record,) = about(joiner()["id"])
    headers = {"Authorization": f"Bearer {token('Directory.Read.All')}"}
    reply = graph.get(f"{AUDITS}/{record['id']}", headers=headers).json()
    assert reply.pop("@odata.context").endswith("#auditLogs/directoryAudits/$entity")
    assert reply == record
    other = f"Directory_{uuid4()}_{record['id'].rpartition('_')[2]}"
    for key in (other, "x", "Directory_00000000-0000-4000-8000-000000000000_99999999"):
        _refused(graph.get(f"{AUDITS}/{key}", headers=headers), errors.NO_RESOURCE, id=key)


def test_options_that_the_log_does_not_know(graph: httpx.Client, token: Callable[..., str]) -> None:
    """Large pages, other orders, unknown properties and expansions are refused."""
    headers = {"Authorization": f"Bearer {token('AuditLog.Read.All')}"}
    for query, row, slots in (
        ("$top=1001", errors.AUDIT_PAGE_SIZE, {"limit": 1000, "size": 1001}),
        ("$top=x", errors.AUDIT_PAGE_SIZE, {"limit": 1000, "size": "x"}),
        ("$orderby=category", errors.UNSUPPORTED, {}),
        ("$expand=x", errors.UNSUPPORTED, {}),
        ("$select=x", errors.UNKNOWN_SELECT, {"property": "x", "type": "directoryAudit"}),
    ):
        _refused(graph.get(f"{AUDITS}?{query}", headers=headers), row, **slots)
    headers = {"Authorization": f"Bearer {token('User.Read.All')}"}
    _refused(graph.get(AUDITS, headers=headers), errors.DENIED)


def test_extensions_are_changes_of_what_they_extend(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    token: Callable[..., str],
    about: Callable[[str], list[dict[str, Any]]],
) -> None:
    """What lies in no table has records too: those of the user, the group or the application."""
    permissions = ("Application.ReadWrite.OwnedBy", "User.ReadWrite.All", "Group.ReadWrite.All")
    headers = {"Authorization": f"Bearer {token(*permissions)}"}
    user = joiner()
    data = {"extensionName": "com.contoso.seat", "floor": 3}
    for owner in (f"/users/{user['userPrincipalName']}", f"/groups/{STAFF.id}"):
        path = f"{owner}/extensions"
        assert graph.post(path, json=data, headers=headers).status_code == 201
        one = f"{path}/com.contoso.seat"
        assert graph.patch(one, json={"floor": 4}, headers=headers).status_code == 204
        assert graph.delete(one, headers=headers).status_code == 204
    assert _names(about(user["id"])) == ["Add user", *["Update user"] * 3]
    changes = about(STAFF.id)[-3:]
    assert _names(changes) == ["Update group"] * 3
    assert {record["category"] for record in changes} == {"GroupManagement"}
    application = f"/applications(appId='{APPLY_APP.client_id}')/extensionProperties"
    definition = {"name": f"seat{uuid4().hex}", "dataType": "String", "targetObjects": ["User"]}
    made = graph.post(application, json=definition, headers=headers).json()["id"]
    assert graph.delete(f"{application}/{made}", headers=headers).status_code == 204
    changes = about(APPLY_APP.client_id)[-2:]
    assert _names(changes) == ["Update application"] * 2
    target = changes[0]["targetResources"][0]
    assert (target["type"], target["displayName"]) == ("Application", APPLY_APP.name)
    assert {record["category"] for record in changes} == {"ApplicationManagement"}
