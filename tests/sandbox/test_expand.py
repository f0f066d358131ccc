from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
ADVANCED = {"ConsistencyLevel": "eventual"}
ID = {group.nickname: group.id for group in GROUPS}
PERSON = {person.upn.partition("@")[0]: person.id for person in PEOPLE}


def _user(graph: httpx.Client, expand: str, person: str = "priya", **more: str) -> dict[str, Any]:
    query = {"$expand": expand, "$select": "id", **more}
    reply = graph.get(f"/users/{PERSON[person]}", params=query, headers=ADVANCED)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_the_manager_is_expanded_whole_or_in_part(company: httpx.Client) -> None:
    """`$expand=manager` shows it with its type, and what an inner `$select` names."""
    whole = _user(company, "Manager")["manager"]
    part = _user(company, "manager($select=id,displayName)")["manager"]
    assert whole["@odata.type"] == "#microsoft.graph.user"
    assert whole["userPrincipalName"] == "olivia.reyes@contoso.com"
    assert part == {
        "@odata.type": "#microsoft.graph.user",
        "id": PERSON["olivia.reyes"],
        "displayName": "Olivia Reyes",
    }


def test_who_has_no_manager_shows_none(company: httpx.Client) -> None:
    """Without a manager the property is absent, in lists too."""
    assert "manager" not in _user(company, "manager", "olivia.reyes")
    shown = company.get("/users?$expand=manager&$select=id&$top=999").json()["value"]
    without = {user["id"] for user in shown if "manager" not in user}
    assert PERSON["olivia.reyes"] in without
    assert PERSON["priya"] not in without


@pytest.mark.parametrize(("levels", "count"), [("max", 2), ("2", 2), ("1", 1)])
def test_managers_above_one_another_are_expanded(
    company: httpx.Client, levels: str, count: int
) -> None:
    """`$levels` goes up the chain, for advanced queries."""
    expand = f"manager($levels={levels};$select=id)"
    shown = _user(company, expand, "kenji.sato", **{"$count": "true"})
    found = []
    while "manager" in shown:
        shown = shown["manager"]
        found.append(shown["id"])
    assert len(found) == count


def test_a_ring_of_managers_ends(graph: httpx.Client, joiner: Made) -> None:
    """Who is the manager of its own manager is shown once."""
    one, two = joiner()["id"], joiner()["id"]
    for user, manager in ((one, two), (two, one)):
        body = {"@odata.id": f"{graph.base_url}users/{manager}"}
        graph.put(f"/users/{user}/manager/$ref", json=body)
    query = {"$expand": "manager($levels=max)", "$count": "true"}
    shown = graph.get(f"/users/{one}", params=query, headers=ADVANCED).json()
    assert shown["manager"]["manager"]["id"] == one
    assert "manager" not in shown["manager"]["manager"]


def test_reports_and_memberships_are_expanded(admin: httpx.Client) -> None:
    """Reports, groups and roles of a user come with their types."""
    reports = _user(admin, "directReports($select=id)")["directReports"]
    groups = _user(admin, "memberOf")["memberOf"]
    roles = _user(admin, "transitiveMemberOf", "breakglass")["transitiveMemberOf"]
    assert PERSON["kenji.sato"] in {report["id"] for report in reports}
    assert ID["research-all"] in {group["id"] for group in groups}
    assert "#microsoft.graph.directoryRole" in {role["@odata.type"] for role in roles}
    assert _user(admin, "ownedObjects", "breakglass")["ownedObjects"] == []


def test_a_list_of_groups_expands_up_to_twenty_members(company: httpx.Client) -> None:
    """At most twenty objects are expanded, without a next link."""
    shown = company.get("/groups?$expand=members($select=id)&$select=id").json()["value"]
    members = {group["id"]: group for group in shown}
    everybody = members[ID["all-employees"]]
    assert len(everybody["members"]) == 20
    assert set(everybody) == {"id", "members"}


@pytest.mark.parametrize("name", ["owners", "memberOf", "transitiveMembers", "extensions"])
def test_a_group_expands_its_relationships(admin: httpx.Client, name: str) -> None:
    """One group shows what it is asked for."""
    shown = admin.get(f"/groups/{ID['research-all']}?$expand={name}&$select=id").json()
    assert isinstance(shown[name], list)


@pytest.mark.parametrize(
    ("path", "name", "permission", "more"),
    [
        ("/users", "directReports", "User.ReadBasic.All", "User.Read.All"),
        ("/users", "extensions", "User.ReadBasic.All", "User.Read.All"),
        ("/users", "manager", "User.ReadBasic.All", "User.Read.All"),
        ("/users", "memberOf", "User.Read.All", "Group.ReadBasic.All"),
        ("/users", "ownedObjects", "User.ReadBasic.All", "User.Read.All"),
        ("/users", "transitiveMemberOf", "User.ReadBasic.All", "GroupMember.Read.All"),
        ("/groups", "extensions", "GroupMember.Read.All", "Group.Read.All"),
        ("/groups", "owners", "Group.ReadBasic.All", "GroupMember.Read.All"),
    ],
)
def test_an_expansion_wants_what_its_own_address_wants(  # noqa: PLR0913, PLR0917 -- two fixtures and a row of four
    graph: httpx.Client,
    token: Callable[..., str],
    path: str,
    name: str,
    permission: str,
    more: str,
) -> None:
    """In lists and of one object; `Group.ReadBasic.All` opens no owners, for example."""
    key = PERSON["priya"] if path == "/users" else ID["research-all"]
    few = {"Authorization": f"Bearer {token(permission)}"}
    enough = {"Authorization": f"Bearer {token(permission, more)}"}
    for where in (f"{path}?$expand={name}&$top=1", f"{path}/{key}?$expand={name}"):
        refused = graph.get(where, headers=few)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, errors.DENIED.code)
        assert graph.get(where, headers=enough).status_code == 200
    if name != "extensions":
        assert graph.get(f"{path}/{key}/{name}?$top=1", headers=few).status_code == 403


def test_a_reader_of_basics_sees_no_more_of_members(
    graph: httpx.Client, token: Callable[..., str]
) -> None:
    """Who may read members but not users sees nulls in an expanded one, too."""
    headers = {"Authorization": f"Bearer {token('GroupMember.Read.All')}"}
    url = f"/groups/{ID['research-all']}?$expand=members($select=displayName,jobTitle)"
    (member, *_) = graph.get(url, headers=headers).json()["members"]
    assert member["displayName"]
    assert member["jobTitle"] is None


def test_expand_makes_a_default_query_of_an_advanced_one(company: httpx.Client) -> None:
    """Beside `$expand`, filters of the default index work and others are refused."""
    url = "/users?$expand=manager&$count=true&$select=id&$filter="
    found = company.get(f"{url}userPrincipalName eq 'priya@contoso.com'", headers=ADVANCED)
    refused = [
        company.get(asked, headers=ADVANCED).json()["error"]
        for asked in (
            f"{url}employeeType eq 'x'",
            "/groups?$expand=members&$count=true&$filter=classification eq 'x'",
        )
    ]
    row = errors.FILTER_BESIDE_EXPAND
    assert [user["id"] for user in found.json()["value"]] == [PERSON["priya"]]
    assert [(error["code"], error["message"]) for error in refused] == [
        (row.code, row.message.format(property="employeeType", type="User")),
        (row.code, row.message.format(property="classification", type="Group")),
    ]


@pytest.mark.parametrize(
    ("path", "row", "slots"),
    [
        ("/users?$expand=manager,memberOf", errors.EXPAND_MANY, {"count": 2}),
        ("/users?$expand=a b", errors.EXPAND_TERM, {"term": "a b"}),
        ("/users?$expand=manager($shoes=1)", errors.EXPAND_TERM, {"term": "$shoes=1"}),
        ("/users?$expand=manager($levels=x)", errors.EXPAND_TERM, {"term": "$levels=x"}),
        ("/users?$expand=shoes", errors.UNKNOWN_SELECT, {"property": "shoes", "type": "user"}),
        (
            "/groups?$expand=manager",
            errors.UNKNOWN_SELECT,
            {"property": "manager", "type": "group"},
        ),
        ("/groups?$expand=members($filter=id eq 'x')", errors.UNSUPPORTED, {}),
        ("/users?$expand=manager($levels=2)", errors.UNSUPPORTED, {}),
        (f"/groups/{ID['tokyo']}/members?$expand=manager", errors.UNSUPPORTED, {}),
    ],
    ids=str,
)
def test_an_expansion_is_refused(
    company: httpx.Client, path: str, row: errors.Refusal, slots: dict[str, object]
) -> None:
    """More than one relationship, one that is not there, or more than one level is refused."""
    error = company.get(path).json()["error"]
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))
