from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.company.contoso import GROUPS, PEOPLE

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
ID = {group.nickname: group.id for group in GROUPS}
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
ADVANCED = {"ConsistencyLevel": "eventual"}


def _members(graph: httpx.Client, nickname: str) -> set[str]:
    reply = graph.get(f"/groups/{ID[nickname]}/members?$select=id&$top=999").json()
    return {member["id"] for member in reply["value"]}


def _where(graph: httpx.Client, key: str) -> str:
    return f"{graph.base_url}directoryObjects/{key}"


def test_a_group_shows_all_its_defaults(graph: httpx.Client) -> None:
    """Nulls included; isAssignableToRole is null where it was never set."""
    shown = graph.get(f"/groups/{ID['research-all']}").json()
    assert len(shown) == 35
    assert shown["isAssignableToRole"] is None
    assert shown["groupTypes"] == []
    assert shown["securityIdentifier"].startswith("S-1-12-1-")
    assert shown["displayName"] == "Research - All staff"


def test_a_group_tells_the_licenses_it_carries(graph: httpx.Client) -> None:
    """`assignedLicenses` is shown when it is asked for."""
    path = f"/groups/{ID['power-bi-viewers']}?$select=id,assignedLicenses"
    assert graph.get(path).json()["assignedLicenses"] == [
        {"skuId": "f8a1db68-be16-40ed-86d5-cb42ce701560", "disabledPlans": []}
    ]


@pytest.mark.parametrize("way", ["directoryObjects", "users"])
def test_a_member_comes_and_goes(graph: httpx.Client, joiner: Made, way: str) -> None:
    """One reference adds a member, another takes it out; what is gone cannot go again."""
    made = joiner()
    key = made["id"] if way == "directoryObjects" else made["userPrincipalName"]
    path = f"/groups/{ID['beta-programme']}/Members"
    added = graph.post(f"{path}/$ref", json={"@odata.id": f"{graph.base_url}{way}/{key}"})
    assert added.status_code == 204
    assert made["id"] in _members(graph, "beta-programme")
    assert graph.delete(f"{path}/{made['id']}/$ref").status_code == 204
    assert graph.delete(f"{path}/{made['id']}/$ref").status_code == 404


def test_twenty_members_are_bound_at_once(graph: httpx.Client, joiner: Made) -> None:
    """A bind adds up to twenty, all or none."""
    keys = [joiner()["id"] for _ in range(20)]
    path = f"/groups/{ID['phoenix']}"
    bind = [_where(graph, key) for key in keys]
    spoiled = {"members@odata.bind": [*bind[:19], _where(graph, PRIYA[:-1] + "0")]}
    assert graph.patch(path, json=spoiled).status_code == 404
    assert _members(graph, "phoenix").isdisjoint(keys)
    assert graph.patch(path, json={"members@odata.bind": bind}).status_code == 204
    assert _members(graph, "phoenix").issuperset(keys)


def test_members_are_paged_and_typed(graph: httpx.Client) -> None:
    """Each member tells its type; pages follow each other."""
    url = f"/groups/{ID['all-employees']}/members?$top=10&$select=id"
    found: list[dict[str, Any]] = []
    while url:
        page = graph.get(url).json()
        found += page["value"]
        url = page.get("@odata.nextLink", "")
    assert {member["@odata.type"] for member in found} == {"#microsoft.graph.user"}
    assert len(found) == len({member["id"] for member in found}) == 24


def test_a_cast_wants_the_advanced_parameters(graph: httpx.Client) -> None:
    """With header and count the cast lists users, and counts them."""
    path = f"/groups/{ID['tokyo-office']}/members/microsoft.graph.user?$count=true&$select=id"
    shown = graph.get(path, headers=ADVANCED).json()
    assert (shown["@odata.count"], len(shown["value"])) == (3, 3)


def test_a_group_may_hold_a_group(start: Callable[..., httpx.Client]) -> None:
    """A group inside a group is a member, and its members are transitive ones."""
    graph = start()
    inner, outer = ID["tokyo"], ID["helpdesk-pilot"]
    graph.post(
        f"/groups/{outer}/members/$ref", json={"@odata.id": f"{graph.base_url}groups/{inner}"}
    )
    direct = graph.get(f"/groups/{outer}/members").json()["value"]
    assert {member["@odata.type"] for member in direct} == {
        "#microsoft.graph.user",
        "#microsoft.graph.group",
    }
    below = graph.get(f"/groups/{outer}/transitiveMembers").json()["value"]
    kenji = next(person.id for person in PEOPLE if person.upn.startswith("kenji"))
    assert kenji in {member["id"] for member in below}
    above = graph.get(f"/users/{kenji}/transitiveMemberOf?$select=id").json()["value"]
    assert {inner, outer} <= {group["id"] for group in above}


def test_without_ref_the_member_itself_is_deleted(graph: httpx.Client, joiner: Made) -> None:
    """Forgetting `/$ref` deletes the person, as it does in Graph."""
    key = joiner()["id"]
    path = f"/groups/{ID['beta-programme']}/members"
    graph.post(f"{path}/$ref", json={"@odata.id": _where(graph, key)})
    assert graph.delete(f"{path}/{key}").status_code == 204
    assert graph.get(f"/directory/deletedItems/{key}").status_code == 200


@pytest.mark.parametrize("cast", ["", "/microsoft.graph.group"])
def test_a_user_tells_its_groups(company: httpx.Client, cast: str) -> None:
    """`transitiveMemberOf` lists groups, and counts them for an advanced query."""
    path = f"/users/{PRIYA}/transitiveMemberOf{cast}?$count=true&$select=displayName"
    shown = company.get(path, headers=ADVANCED).json()
    assert [group["displayName"] for group in shown["value"]] == [
        "Research - All staff",
        "Beta programme",
        "All employees",
    ]
    assert shown["@odata.count"] == 3


@pytest.mark.parametrize("cast", ["", "/microsoft.graph.group"])
def test_a_user_tells_its_groups_to_a_reader_of_the_directory(
    graph: httpx.Client, token: Callable[..., str], cast: str
) -> None:
    """`memberOf` wants `Directory.Read.All` and tells direct memberships."""
    headers = {"Authorization": f"Bearer {token('Directory.Read.All')}", **ADVANCED}
    path = f"/users/{PRIYA}/memberOf{cast}?$count=true&$select=id"
    shown = graph.get(path, headers=headers).json()["value"]
    assert ID["research-all"] in {group["id"] for group in shown}


def test_memberships_are_checked(graph: httpx.Client) -> None:
    """Of the groups asked about, those come back that the user is in."""
    body = {"groupIds": [ID["research-all"], ID["newsletter"]]}
    shown = graph.post(f"/users/{PRIYA}/checkMemberGroups", json=body).json()
    assert shown["value"] == [ID["research-all"]]
    assert shown["@odata.context"].endswith("$metadata#Collection(Edm.String)")
    everything = graph.post(f"/users/{PRIYA}/getMemberGroups", json={}).json()["value"]
    secure = {"securityEnabledOnly": True}
    some = graph.post(f"/users/{PRIYA}/getMemberGroups", json=secure).json()["value"]
    assert set(everything) - set(some) == {ID["beta-programme"]}


def test_objects_are_found_by_id(graph: httpx.Client, token: Callable[..., str]) -> None:
    """Objects of the types asked for come back; unknown ids are left out."""
    headers = {"Authorization": f"Bearer {token('Directory.Read.All')}"}
    ids = [PRIYA, ID["tokyo"], "00000000-0000-4000-8000-000000000000"]
    path = "/directoryObjects/getByIds?$select=id"
    both = graph.post(path, json={"ids": ids}, headers=headers).json()["value"]
    users = graph.post(path, json={"ids": ids, "types": ["user"]}, headers=headers).json()["value"]
    many = graph.post(path, json={"ids": ids * 400}, headers=headers)
    assert [item["id"] for item in both] == ids[:2]
    assert [item["@odata.type"] for item in users] == ["#microsoft.graph.user"]
    assert many.status_code == 400
