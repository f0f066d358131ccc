from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
ADVANCED = {"ConsistencyLevel": "eventual"}
ID = {group.nickname: group.id for group in GROUPS}
PERSON = {person.upn.partition("@")[0]: person.id for person in PEOPLE}
RESEARCH = f"/groups/{ID['research-all']}"
ROLE = "#microsoft.graph.directoryRole"


@pytest.fixture
def directory_reader(token: Callable[..., str]) -> dict[str, str]:
    """Give the headers of one who may read the whole directory, for advanced queries."""
    return {"Authorization": f"Bearer {token('Directory.Read.All')}", **ADVANCED}


def _ids(reply: httpx.Response) -> set[str]:
    assert reply.status_code == 200, reply.text
    return {item["id"] for item in reply.json()["value"]}


def test_members_are_filtered(company: httpx.Client) -> None:
    """An advanced query filters members, of every type or of one."""
    url = f"{RESEARCH}/members?$count=true&$select=id&$filter=startsWith(displayName,'Priya')"
    cast = f"{RESEARCH}/members/microsoft.graph.user?$count=true&$select=id"
    assert _ids(company.get(url, headers=ADVANCED)) == {PERSON["priya"]}
    some = company.get(f"{cast}&$filter=department eq 'Research'", headers=ADVANCED)
    assert PERSON["priya"] in _ids(some)
    assert some.json()["@odata.count"] == len(some.json()["value"])
    assert _ids(company.get(f"{cast}&$filter=department eq 'Law'", headers=ADVANCED)) == set()


def test_a_property_of_one_type_finds_members_of_that_type(company: httpx.Client) -> None:
    """A filter on what only users have passes over the members that are none."""
    url = f"{RESEARCH}/members?$count=true&$select=id&$filter=accountEnabled eq true"
    assert PERSON["priya"] in _ids(company.get(url, headers=ADVANCED))


def test_members_are_searched_sorted_and_counted(company: httpx.Client) -> None:
    """`$search`, `$orderby` and `/$count` work on members."""
    found = company.get(f'{RESEARCH}/members?$search="displayName:raman"', headers=ADVANCED)
    listed = company.get(
        f"{RESEARCH}/members?$count=true&$orderby=displayName&$top=3&$select=displayName",
        headers=ADVANCED,
    ).json()
    number = company.get(f"{RESEARCH}/members/$count", headers=ADVANCED)
    users = company.get(f"{RESEARCH}/members/microsoft.graph.user/$count", headers=ADVANCED)
    names = [member["displayName"].encode().lower() for member in listed["value"]]
    assert _ids(found) == {PERSON["priya"]}
    assert names == sorted(names)
    assert int(number.text) == int(users.text) == listed["@odata.count"]
    assert "@odata.nextLink" in listed


@pytest.mark.parametrize(
    "path",
    [
        "members?$filter=startsWith(displayName,'x')",
        "members/microsoft.graph.user",
        "transitiveMembers/microsoft.graph.group",
    ],
)
def test_filters_and_casts_want_the_advanced_parameters(company: httpx.Client, path: str) -> None:
    """Without header and count, a filter or a cast of members is refused."""
    error = company.get(f"{RESEARCH}/{path}").json()["error"]
    assert (error["code"], error["message"]) == (errors.UNSUPPORTED.code, "Unsupported Query.")


def test_what_no_type_has_is_refused(company: httpx.Client) -> None:
    """A property that no member can have is refused as in any filter."""
    url = f"{RESEARCH}/members?$count=true&$filter=shoeSize eq '43'"
    error = company.get(url, headers=ADVANCED).json()["error"]
    assert error["message"] == errors.UNDECLARED.message.format(property="shoeSize")


def test_a_user_is_in_groups_and_roles(
    graph: httpx.Client, directory_reader: dict[str, str]
) -> None:
    """`memberOf` names groups and active roles, each with its type, and casts part them."""
    path = f"/users/{PERSON['maria.admin']}/memberOf"
    types = {x["@odata.type"] for x in graph.get(path, headers=directory_reader).json()["value"]}
    roles = graph.get(
        f"{path}/microsoft.graph.directoryRole?$count=true", headers=directory_reader
    ).json()["value"]
    number = graph.get(f"{path}/$count", headers=directory_reader)
    filtered = graph.get(
        f"{path}?$count=true&$filter=displayName eq 'User Administrator'",
        headers=directory_reader,
    ).json()["value"]
    assert ROLE in types
    assert [role["displayName"] for role in roles] == ["User Administrator"]
    assert [role["id"] for role in filtered] == [role["id"] for role in roles]
    assert int(number.text) > len(roles)


def test_a_directory_object_shows_what_is_selected(
    graph: httpx.Client, directory_reader: dict[str, str]
) -> None:
    """`$select` picks from roles too, in any capitals."""
    path = f"/users/{PERSON['maria.admin']}/memberOf/microsoft.graph.directoryRole"
    url = f"{path}?$count=true&$select=DisplayName,shoeSize"
    shown = graph.get(url, headers=directory_reader).json()["value"]
    assert shown == [{"displayName": "User Administrator"}]


def test_reports_are_listed(company: httpx.Client) -> None:
    """`directReports` lists those whose manager a user is."""
    listed = _ids(company.get(f"/users/{PERSON['priya']}/directReports?$select=id"))
    number = company.get(f"/users/{PERSON['priya']}/directReports/$count", headers=ADVANCED)
    assert {PERSON["kenji.sato"], PERSON["unowned.uma"]} <= listed
    assert int(number.text) == len(listed)


def test_owners_and_what_they_own_are_listed(
    graph: httpx.Client, joiner: Made, token: Callable[..., str]
) -> None:
    """A group's owner owns it."""
    granted = token("Group.ReadWrite.All", "User.Read.All")
    headers = {"Authorization": f"Bearer {granted}"}
    key = joiner()["id"]
    owner = {"@odata.id": f"{graph.base_url}users/{key}"}
    reply = graph.post(f"{RESEARCH}/owners/$ref", json=owner, headers=headers)
    assert reply.status_code == 204
    assert key in _ids(graph.get(f"{RESEARCH}/owners?$select=id", headers=headers))
    assert _ids(graph.get(f"/users/{key}/ownedObjects?$select=id")) == {ID["research-all"]}


def _nested(graph: httpx.Client) -> None:
    """Put the group of Tokyo into the pilot group."""
    reference = {"@odata.id": f"{graph.base_url}groups/{ID['tokyo']}"}
    reply = graph.post(f"/groups/{ID['helpdesk-pilot']}/members/$ref", json=reference)
    assert reply.status_code == 204, reply.text


def test_a_group_knows_what_it_is_in(start: Callable[..., httpx.Client]) -> None:
    """Groups have `memberOf` and the checks, and what is nested counts."""
    graph = start()
    _nested(graph)
    outer, inner = ID["helpdesk-pilot"], ID["tokyo"]
    assert _ids(graph.get(f"/groups/{inner}/memberOf?$select=id")) == {outer}
    assert _ids(graph.get(f"/groups/{inner}/transitiveMemberOf?$select=id")) == {outer}
    body = {"groupIds": [outer.upper(), ID["newsletter"], outer]}
    checked = graph.post(f"/groups/{inner}/checkMemberGroups", json=body)
    assert checked.json()["value"] == [outer]
    kenji = graph.post(f"/users/{PERSON['kenji.sato']}/checkMemberGroups", json=body)
    assert kenji.json()["value"] == [outer]
    assert outer in graph.post(f"/groups/{inner}/getMemberGroups", json={}).json()["value"]


def test_checks_cost_what_was_recorded(company: httpx.Client) -> None:
    """A check of groups costs four units, a list of them two."""
    path = f"/users/{PERSON['priya']}"
    checked = company.post(f"{path}/checkMemberGroups", json={"groupIds": []})
    listed = company.post(f"{path}/getMemberGroups", json={"securityEnabledOnly": False})
    assert checked.headers["x-ms-resource-unit"] == "4"
    assert listed.headers["x-ms-resource-unit"] == "2"


def test_member_objects_are_groups_and_roles(company: httpx.Client) -> None:
    """`getMemberObjects` names roles besides groups, and `checkMemberObjects` knows them."""
    path = f"/users/{PERSON['maria.admin']}"
    groups = company.post(f"{path}/getMemberGroups", json={}).json()["value"]
    everything = company.post(f"{path}/getMemberObjects", json={}).json()["value"]
    secure = company.post(f"{path}/getMemberObjects", json={"securityEnabledOnly": True})
    (role,) = set(everything) - set(groups)
    assert role in secure.json()["value"]
    body = {"ids": [role, ID["newsletter"]]}
    assert company.post(f"{path}/checkMemberObjects", json=body).json()["value"] == [role]
    same = f"/directoryObjects/{PERSON['maria.admin']}/checkMemberObjects"
    assert company.post(same, json=body).json()["value"] == [role]
    missing = f"/directoryObjects/{'0' * 8}-0000-4000-8000-{'0' * 12}/getMemberGroups"
    assert company.post(missing, json={}).status_code == 404


@pytest.mark.parametrize(
    ("operation", "body", "row", "slots"),
    [
        (
            "checkMemberGroups",
            {},
            errors.PARAMETERS,
            {"operation": "checkMemberGroups", "missing": "groupIds"},
        ),
        ("checkMemberGroups", {"groupIds": "x"}, errors.BAD_ID, {"id": "x"}),
        ("checkMemberGroups", {"groupIds": ["x"]}, errors.BAD_ID, {"id": "x"}),
        (
            "checkMemberGroups",
            {"groupIds": [ID["tokyo"]] * 21},
            errors.TOO_MANY_IDS,
            {"most": 20},
        ),
    ],
    ids=str,
)
def test_a_check_is_refused(
    company: httpx.Client,
    operation: str,
    body: dict[str, Any],
    row: errors.Refusal,
    slots: dict[str, Any],
) -> None:
    """A check of nothing, of what is no id, or of more than twenty is refused."""
    error = company.post(f"/users/{PERSON['priya']}/{operation}", json=body).json()["error"]
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))


def test_any_object_is_found_by_id(graph: httpx.Client, directory_reader: dict[str, str]) -> None:
    """`getByIds` knows users, groups, service principals and roles, in the order asked."""
    roles = f"/users/{PERSON['breakglass']}/memberOf/microsoft.graph.directoryRole?$count=true"
    (role,) = graph.get(roles, headers=directory_reader).json()["value"]
    ids = [APPLY_APP.principal_id, ID["tokyo"].upper(), PERSON["priya"], role["id"], ID["tokyo"]]

    def types(**more: object) -> list[str]:
        body = {"ids": ids, **more}
        reply = graph.post("/directoryObjects/getByIds", json=body, headers=directory_reader)
        assert reply.status_code == 200, reply.text
        return [item["@odata.type"].rpartition(".")[2] for item in reply.json()["value"]]

    assert types() == ["servicePrincipal", "group", "user", "directoryRole"]
    assert types(types=["directoryObject"]) == types()
    assert types(types=["servicePrincipal", "Group"]) == ["servicePrincipal", "group"]


@pytest.mark.parametrize(
    ("body", "row", "slots"),
    [
        ({}, errors.PARAMETERS, {"operation": "getByIds", "missing": "ids"}),
        ({"ids": "x"}, errors.BAD_ID, {"id": "x"}),
        ({"ids": ["x"]}, errors.BAD_ID, {"id": "x"}),
        ({"ids": [ID["tokyo"]] * 1001}, errors.TOO_MANY_IDS, {"most": 1000}),
        (
            {"ids": [], "types": "user"},
            errors.WRONG_NODE,
            {"found": "PrimitiveValue", "property": "types", "expected": "StartArray"},
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_search_by_ids_is_refused(
    graph: httpx.Client,
    directory_reader: dict[str, str],
    body: dict[str, Any],
    row: errors.Refusal,
    slots: dict[str, Any],
) -> None:
    """Ids that are none, or more than a thousand of them, are refused."""
    reply = graph.post("/directoryObjects/getByIds", json=body, headers=directory_reader)
    error = reply.json()["error"]
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))


def test_ids_cost_less_when_little_is_selected(
    graph: httpx.Client, directory_reader: dict[str, str]
) -> None:
    """`getByIds` costs five units, and two with `$select`."""
    units = [
        graph.post(
            f"/directoryObjects/getByIds{query}", json={"ids": []}, headers=directory_reader
        ).headers["x-ms-resource-unit"]
        for query in ("", "?$select=id")
    ]
    assert units == ["5", "2"]
