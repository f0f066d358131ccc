from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE

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
    assert [group["displayName"] for group in shown["value"][:3]] == [
        "Research - All staff",
        "Beta programme",
        "All employees",
    ]
    assert shown["@odata.count"] == len(shown["value"])


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


# --- who may be in what


M365 = {"mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


def test_a_microsoft_365_group_holds_people_alone(
    admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """Groups of either kind and applications are refused, by name and in `details`."""
    path = f"/groups/{new_group(**M365)['id']}/members/$ref"
    for key, kind in (
        (new_group(**M365)["id"], "Unified Groups"),
        (new_group()["id"], "Security Groups"),
        (APPLY_APP.principal_id, "ServicePrincipal"),
    ):
        reply = admin.post(path, json={"@odata.id": _where(admin, key)})
        _refused(reply, errors.NOT_IN_UNIFIED, type=kind)
        (detail,) = reply.json()["error"]["details"]
        target = "membersWithLicenseErrors.members"
        assert (detail["code"], detail["target"]) == ("InvalidValue", target)
    person = {"@odata.id": _where(admin, joiner()["id"])}
    assert admin.post(path, json=person).status_code == 204


def test_a_security_group_holds_groups_and_applications(
    admin: httpx.Client, new_group: Made, token: Callable[..., str]
) -> None:
    """Security groups and service principals go in; a Microsoft 365 group does not."""
    inner, outer = new_group()["id"], new_group()["id"]
    path = f"/groups/{outer}/members"
    assert admin.post(f"{path}/$ref", json={"@odata.id": _where(admin, inner)}).status_code == 204
    application = {"@odata.id": _where(admin, APPLY_APP.principal_id)}
    headers = {"Authorization": f"Bearer {token('GroupMember.ReadWrite.All', oid=PRIYA)}"}
    _refused(admin.post(f"{path}/$ref", json=application, headers=headers), errors.DENIED)
    assert admin.post(f"{path}/$ref", json=application).status_code == 204
    shown = admin.get(f"{path}?$select=id").json()["value"]
    types = {item["id"]: item["@odata.type"].rpartition(".")[2] for item in shown}
    assert types == {inner: "group", APPLY_APP.principal_id: "servicePrincipal"}
    unified = {"@odata.id": _where(admin, new_group(**M365)["id"])}
    _refused(admin.post(f"{path}/$ref", json=unified), errors.UNIFIED_NOT_NESTED)
    itself = {"@odata.id": _where(admin, outer)}
    slots = {"type": "Group", "id": outer, "property": "members"}
    _refused(admin.post(f"{path}/$ref", json=itself), errors.INVALID_TARGET, **slots)


def test_nothing_is_nested_in_a_role_assignable_group(admin: httpx.Client, new_group: Made) -> None:
    """It holds people and applications, so that it is plain who has its roles."""
    path = f"/groups/{new_group(isAssignableToRole=True)['id']}/members/$ref"
    inner = {"@odata.id": _where(admin, new_group()["id"])}
    _refused(admin.post(path, json=inner), errors.NOT_IN_ROLE_GROUP)
    application = {"@odata.id": _where(admin, APPLY_APP.principal_id)}
    assert admin.post(path, json=application).status_code == 204


def test_a_unit_is_no_member(admin: httpx.Client, new_group: Made) -> None:
    """What is neither user nor group nor application is no target of the reference."""
    unit = admin.get("/directory/administrativeUnits").json()["value"][0]["id"]
    reply = admin.post(
        f"/groups/{new_group()['id']}/members/$ref", json={"@odata.id": _where(admin, unit)}
    )
    slots = {"type": "AdministrativeUnit", "id": unit, "property": "members"}
    _refused(reply, errors.INVALID_TARGET, **slots)


def test_groups_may_hold_each_other_in_a_ring(admin: httpx.Client, new_group: Made) -> None:
    """Each is then inside the other, and inside itself; the question ends all the same."""
    one, other = new_group()["id"], new_group()["id"]
    for outer, inner in ((one, other), (other, one)):
        reference = {"@odata.id": _where(admin, inner)}
        assert admin.post(f"/groups/{outer}/members/$ref", json=reference).status_code == 204
    inside = admin.get(f"/groups/{one}/transitiveMembers?$select=id").json()["value"]
    assert {item["id"] for item in inside} == {one, other}


def test_two_removals_at_once_meet(admin: httpx.Client, new_group: Made, joiner: Made) -> None:
    """Parts of a batch run side by side: the second tells of a reference that is not there."""
    made, key = new_group()["id"], joiner()["id"]
    path = f"/groups/{made}/members"
    admin.post(f"{path}/$ref", json={"@odata.id": _where(admin, key)})
    removal = {"method": "DELETE", "url": f"{path}/{key}/$ref"}
    stranger = {"method": "DELETE", "url": f"{path}/{PRIYA}/$ref"}
    batch = {"requests": [{"id": "1", **removal}, {"id": "2", **removal}, {"id": "3", **stranger}]}
    parts = {part["id"]: part for part in admin.post("/$batch", json=batch).json()["responses"]}
    statuses = [parts[key]["status"] for key in "123"]
    assert statuses == [204, 400, 404]
    assert parts["2"]["body"]["error"]["message"] == errors.LINK_GONE.message
    _refused(admin.delete(f"{path}/{key}/$ref"), errors.NO_RESOURCE, id=key)


def test_groups_are_counted_as_text(admin: httpx.Client, new_group: Made) -> None:
    """`$count` is for advanced queries and takes a `$filter`."""
    made = new_group(description="Counted alone")
    query = {"$filter": "description eq 'Counted alone'"}
    reply = admin.get("/groups/$count", params=query, headers=ADVANCED)
    assert (reply.status_code, reply.text) == (200, "1")
    assert admin.get("/groups/$count").status_code == 400
    assert made["description"] == "Counted alone"


@pytest.mark.parametrize(
    ("nickname", "row"),
    [
        ("all-employees", errors.DENIED),
        ("finance-onprem", errors.SYNCED),
        ("newsletter", errors.MAIL_GROUP),
        ("site-alerts", errors.MAIL_GROUP),
    ],
)
def test_members_that_others_decide_on_are_not_written(
    admin: httpx.Client, nickname: str, row: errors.Refusal
) -> None:
    """A rule, on-premises or Exchange has the say, whatever the caller was granted."""
    path = f"/groups/{ID[nickname]}"
    bind = {"members@odata.bind": [_where(admin, PRIYA)]}
    _refused(admin.post(f"{path}/members/$ref", json={"@odata.id": _where(admin, PRIYA)}), row)
    _refused(admin.delete(f"{path}/members/{PRIYA}/$ref"), row)
    _refused(admin.patch(path, json=bind), row)


def test_members_are_written_by_reference(admin: httpx.Client, new_group: Made) -> None:
    """Without `/$ref` a POST is refused, and a DELETE of somebody else finds nobody."""
    path = f"/groups/{new_group()['id']}/members"
    reference = {"@odata.id": _where(admin, PRIYA)}
    _refused(admin.post(path, json=reference), errors.BARE_MEMBERS)
    _refused(admin.delete(f"{path}/{PRIYA}"), errors.NO_RESOURCE, id=PRIYA)
    assert admin.post(f"{path}/$ref", json=reference).status_code == 204
    _refused(admin.post(f"{path}/$ref", json=reference), errors.ALREADY_MEMBER)
