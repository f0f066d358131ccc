from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE, UNITS
from reconciler.sandbox.company.governance import UNIT
from reconciler.sandbox.data import store

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Office

ABSENT = "00000000-0000-4000-8000-000000000000"
ADVANCED = {"ConsistencyLevel": "eventual"}
UNITS_PATH = "/directory/administrativeUnits"
TOKYO, RESEARCH = (unit.id for unit in UNITS)
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
STAFF = next(group.id for group in GROUPS if group.nickname == "research-all")


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _members(office: Office, cast: str = "", **query: str) -> Any:  # noqa: ANN401 -- JSON
    path = f"{UNITS_PATH}/{RESEARCH}/members{cast}"
    return office.graph.get(path, params=query, headers=ADVANCED).json()


def test_units_are_listed(office: Office) -> None:
    """Units show all their properties, nulls included."""
    reply = office.graph.get(UNITS_PATH).json()
    assert reply["@odata.context"].endswith("$metadata#directory/administrativeUnits")
    assert reply["value"][0] == {
        "id": TOKYO,
        "deletedDateTime": None,
        "description": "Everybody in Japan",
        "displayName": "Tokyo",
        "isMemberManagementRestricted": None,
        "membershipRule": None,
        "membershipType": None,
        "membershipRuleProcessingState": None,
        "visibility": None,
    }


def test_units_are_filtered_selected_and_paged(office: Office) -> None:
    """`$filter`, `$select`, `$top` and `$count` are as in other lists."""
    query = {"$filter": "displayName eq 'research'", "$select": "id,displayName"}
    found = office.graph.get(UNITS_PATH, params=query).json()["value"]
    assert found == [{"id": RESEARCH, "displayName": "Research"}]
    page = office.graph.get(f"{UNITS_PATH}?$top=1&$count=true", headers=ADVANCED).json()
    assert page["@odata.count"] == 2
    (rest,) = office.graph.get(page["@odata.nextLink"]).json()["value"]
    assert rest["id"] == RESEARCH


def test_members_are_users_and_groups(office: Office) -> None:
    """Members of all types stand in one list; a cast gives those of one."""
    everybody = _members(office)["value"]
    groups = [each["id"] for each in everybody if each["@odata.type"].endswith("group")]
    assert groups == [STAFF]
    users = _members(office, "/microsoft.graph.user", **{"$count": "true"})
    assert users["@odata.count"] == len(everybody) - 1
    assert [
        each["id"] for each in _members(office, "/graph.group", **{"$count": "true"})["value"]
    ] == [STAFF]


def test_members_are_filtered_by_a_cast(office: Office) -> None:
    """Extension attributes are known of users, which only the cast says they are."""
    mark = {"onPremisesExtensionAttributes": {"extensionAttribute15": "contoso-identity/x"}}
    assert office.graph.patch(f"/users/{PRIYA}", json=mark).status_code == 204
    attribute = "onPremisesExtensionAttributes/extensionAttribute15"
    query = {"$filter": f"{attribute} eq 'contoso-identity/x'", "$count": "true", "$select": "id"}
    found = _members(office, "/microsoft.graph.user", **query)["value"]
    assert found == [{"id": PRIYA}]
    refused = _members(office, **query)
    assert refused["error"]["message"] == errors.UNSUPPORTED.message


def test_a_member_is_added_once(office: Office, body: Callable[..., dict[str, Any]]) -> None:
    """Users and groups are added by reference; a second time is refused."""
    graph = office.graph
    key = graph.post("/users", json=body()).json()["id"]
    path = f"{UNITS_PATH}/{TOKYO}/members/$ref"
    assert graph.post(path, json=_reference(key)).status_code == 204
    again = graph.post(path, json=_reference(key)).json()
    assert again["error"]["message"] == errors.ALREADY_MEMBER.message
    members = graph.get(f"{UNITS_PATH}/{TOKYO}/members").json()["value"]
    assert members[-1]["id"] == key
    assert graph.post(path, json=_reference(ABSENT)).status_code == 404
    assert graph.delete(f"/users/{key}").status_code == 204
    assert graph.get(f"{UNITS_PATH}/{TOKYO}/members").json()["value"] == members[:-1]


def test_a_dynamic_unit_takes_nobody(office: Office) -> None:
    """The members of a dynamic unit follow from its rule."""
    with office.opened() as db:
        unit = store.resource(db, UNIT, TOKYO)
        assert unit
        store.set_resource(db, UNIT, TOKYO, {**unit, "membershipType": "Dynamic"})
    reply = office.graph.post(f"{UNITS_PATH}/{TOKYO}/members/$ref", json=_reference(PRIYA))
    assert (reply.status_code, reply.json()["error"]["code"]) == (
        403,
        "Authorization_RequestDenied",
    )


@pytest.mark.parametrize("suffix", ["members", "members/microsoft.graph.user?$count=true"])
def test_an_unknown_unit_is_not_found(office: Office, suffix: str) -> None:
    """What is no unit has no members."""
    reply = office.graph.get(f"{UNITS_PATH}/{ABSENT}/{suffix}", headers=ADVANCED)
    assert reply.status_code == 404


@pytest.mark.parametrize(
    ("permission", "reads", "writes"),
    [
        ("AdministrativeUnit.Read.All", 200, 403),
        ("AdministrativeUnit.ReadWrite.All", 200, 400),
        ("Directory.Read.All", 200, 403),
        ("User.ReadWrite.All", 403, 403),
        ("Group.Create", 403, 403),
        ("Group.ReadWrite.All", 403, 403),
    ],
)
def test_units_want_their_permissions(
    graph: httpx.Client, token: Callable[..., str], permission: str, reads: int, writes: int
) -> None:
    """To read units and to add members are two permissions."""
    bearer = {"Authorization": f"Bearer {token(permission)}"}
    assert graph.get(UNITS_PATH, headers=bearer).status_code == reads
    path = f"{UNITS_PATH}/{RESEARCH}/members/$ref"
    assert graph.post(path, json=_reference(PRIYA), headers=bearer).status_code == writes
