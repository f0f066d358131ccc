from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import ID_OF

if TYPE_CHECKING:
    import httpx

Joiner = Callable[..., dict[str, Any]]
BIN = "/directory/deletedItems"
USERS = f"{BIN}/microsoft.graph.user"
PILOT = next(group.id for group in GROUPS if group.nickname == "helpdesk-pilot")
RITA = next(person for person in PEOPLE if person.is_deleted)
ROLES = "/roleManagement/directory/roleAssignments"


def _consumed(graph: httpx.Client, name: str) -> int:
    skus = graph.get("/subscribedSkus").json()["value"]
    return int(next(sku["consumedUnits"] for sku in skus if sku["skuPartNumber"] == name))


def _license(name: str) -> dict[str, Any]:
    return {"addLicenses": [{"skuId": ID_OF[name], "disabledPlans": []}], "removeLicenses": []}


def test_the_bin_is_read_by_the_short_cast(graph: httpx.Client) -> None:
    """`graph.user`, as the SDK writes it, is `microsoft.graph.user`."""
    query = f"?$filter=id eq '{RITA.id}'&$select=id"
    long, short = (graph.get(f"{path}{query}") for path in (USERS, f"{BIN}/graph.user"))
    assert [user["id"] for user in short.json()["value"]] == [RITA.id]
    assert short.json() == long.json()


def test_somebody_waits_in_the_bin(graph: httpx.Client) -> None:
    """The seeded deleted user still carries its mark, under a UPN that begins with its id."""
    reply = graph.get(f"{USERS}?$select=id,userPrincipalName,onPremisesExtensionAttributes")
    found = {user["id"]: user for user in reply.json()["value"]}[RITA.id]
    assert found["userPrincipalName"] == f"{RITA.id.replace('-', '')}{RITA.upn}"
    mark = found["onPremisesExtensionAttributes"]["extensionAttribute15"]
    assert mark == "contoso-identity/research-2026"
    assert graph.get(f"/users/{RITA.id}").status_code == 404


def test_deletion_frees_the_upn_and_the_seat_and_restoring_takes_both_back(
    graph: httpx.Client, joiner: Joiner
) -> None:
    """A restored user has its id, UPN, group and license again."""
    made = joiner()
    key, upn = made["id"], made["userPrincipalName"]
    before = _consumed(graph, "SPE_E3")
    graph.post(f"/users/{key}/assignLicense", json=_license("SPE_E3"))
    where = f"{graph.base_url}directoryObjects/{key}"
    graph.post(f"/groups/{PILOT}/members/$ref", json={"@odata.id": where})
    assert graph.delete(f"/users/{upn}").status_code == 204
    assert graph.get(f"/users/{upn}").status_code == 404
    assert _consumed(graph, "SPE_E3") == before
    members = graph.get(f"/groups/{PILOT}/members").json()["value"]
    assert key not in {member["id"] for member in members}
    waiting = graph.get(f"{BIN}/{key}?$select=deletedDateTime").json()
    assert waiting["@odata.type"] == "#microsoft.graph.user"
    assert waiting["deletedDateTime"].endswith("Z")
    restored = graph.post(f"{BIN}/{key}/restore")
    assert (restored.status_code, restored.json()["userPrincipalName"]) == (200, upn)
    assert _consumed(graph, "SPE_E3") == before + 1
    members = graph.get(f"/groups/{PILOT}/members").json()["value"]
    assert key in {member["id"] for member in members}


def test_a_upn_that_was_given_away_is_a_conflict_at_restore(
    graph: httpx.Client, joiner: Joiner
) -> None:
    """A restore under a taken UPN is refused; a new one may be named."""
    made = joiner()
    key, upn = made["id"], made["userPrincipalName"]
    graph.delete(f"/users/{key}")
    joiner(userPrincipalName=upn)
    assert graph.post(f"{BIN}/{key}/restore", json={}).status_code == 400
    elsewhere = {"newUserPrincipalName": "back@contoso.dev", "autoReconcileProxyConflict": False}
    assert graph.post(f"{BIN}/{key}/restore", json=elsewhere).status_code == 400
    renamed = graph.post(f"{BIN}/{key}/restore", json={"newUserPrincipalName": "back@contoso.com"})
    assert renamed.json()["userPrincipalName"] == "back@contoso.com"


def test_a_user_is_purged_for_good(graph: httpx.Client, joiner: Joiner) -> None:
    """What is deleted from the bin leaves nothing, not even as somebody's manager."""
    boss, report = joiner()["id"], joiner()["id"]
    where = {"@odata.id": f"{graph.base_url}users/{boss}"}
    graph.put(f"/users/{report}/manager/$ref", json=where)
    graph.delete(f"/users/{boss}")
    assert graph.get(f"/users/{report}/manager").status_code == 404
    assert graph.delete(f"{BIN}/{boss}").status_code == 204
    assert graph.get(f"{BIN}/{boss}").status_code == 404
    assert graph.post(f"{BIN}/{boss}/restore").status_code == 404


def test_the_bin_is_filtered_and_paged(graph: httpx.Client, joiner: Joiner) -> None:
    """The bin knows `$filter`, `$top` and the next page."""
    names = {joiner(department="Leavers")["id"] for _ in range(3)}
    for key in names:
        graph.delete(f"/users/{key}")
    page = graph.get(f"{USERS}?$filter=department eq 'Leavers'&$top=2&$select=id").json()
    rest = graph.get(page["@odata.nextLink"]).json()
    assert {user["id"] for user in page["value"] + rest["value"]} == names


def test_the_bin_is_counted_whole(graph: httpx.Client, joiner: Joiner) -> None:
    """`@odata.count` is of everything that fits, however small the page."""
    for _ in range(4):
        graph.delete(f"/users/{joiner(department='Counted')['id']}")
    query = "?$filter=department eq 'Counted'&$top=1&$select=id&$count=true"
    page = graph.get(f"{USERS}{query}", headers={"ConsistencyLevel": "eventual"}).json()
    assert (page["@odata.count"], len(page["value"])) == (4, 1)


@pytest.mark.parametrize("with_role", [True, False])
def test_a_restored_administrator_is_one_again(
    start: Callable[..., httpx.Client], *, with_role: bool
) -> None:
    """Assignments of a deleted user are unseen until it is back."""
    graph = start()
    key = next(person.id for person in PEOPLE if person.upn == "unowned.uma@contoso.com")
    graph.delete(f"/users/{key}")
    assigned = {
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "principalId": key,
        "directoryScopeId": "/",
    }
    assert graph.post(ROLES, json=assigned).status_code == 404
    graph.post(f"{BIN}/{key}/restore")
    if with_role:
        assert graph.post(ROLES, json=assigned).status_code == 201
    found = graph.get(ROLES, params={"$filter": f"principalId eq '{key}'"}).json()["value"]
    assert len(found) == int(with_role)


# --- groups

GROUPS_IN_BIN = f"{BIN}/microsoft.graph.group"
M365 = {"mailEnabled": True, "securityEnabled": True, "groupTypes": ["Unified"]}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


def test_a_deleted_microsoft_365_group_is_seen_nowhere_until_it_is_restored(
    admin: httpx.Client, new_group: Joiner, joiner: Joiner
) -> None:
    """Lists, memberships, checks and roles know nothing of it; then everything is as it was."""
    key = joiner()["id"]
    made = new_group(
        **M365,
        isAssignableToRole=True,
        uniqueName="regatta",
        **{"members@odata.bind": [f"{admin.base_url}directoryObjects/{key}"]},
    )["id"]
    role = {
        "roleDefinitionId": BUILT_IN["Global Reader"],
        "principalId": made,
        "directoryScopeId": "/",
    }
    assert admin.post(ROLES, json=role).status_code == 201

    def seen() -> list[bool]:
        """Where the group shows, and whether it protects its member."""
        check = admin.post(f"/users/{key}/checkMemberGroups", json={"groupIds": [made]})
        return [
            admin.get(f"/groups/{made}").status_code == 200,
            admin.get("/groups(uniqueName='regatta')").status_code == 200,
            made in admin.get(f"/users/{key}/memberOf").text,
            made in admin.get(f"/users/{key}/transitiveMemberOf").text,
            made in check.text,
            made in admin.post("/directoryObjects/getByIds", json={"ids": [made]}).text,
            made in admin.get(ROLES, params={"$filter": f"principalId eq '{made}'"}).text,
            admin.patch(f"/users/{key}", json={"mobilePhone": "1"}).status_code == 403,
        ]

    assert seen() == [True] * 8
    assert admin.delete(f"/groups/{made}").status_code == 204
    assert seen() == [False] * 8
    waiting = admin.get(f"{BIN}/{made}?$select=deletedDateTime").json()
    assert waiting["@odata.type"] == "#microsoft.graph.group"
    assert waiting["deletedDateTime"].endswith("Z")
    restored = admin.post(f"{BIN}/{made}/restore")
    assert (restored.status_code, restored.json()["deletedDateTime"]) == (200, None)
    assert restored.json()["@odata.type"] == "#microsoft.graph.group"
    assert seen() == [True] * 8


def test_deleted_groups_are_listed(admin: httpx.Client, new_group: Joiner) -> None:
    """The bin knows `$filter`, `$top` and the next page for groups too."""
    keys = {new_group(**M365, description="Ended")["id"] for _ in range(3)}
    for key in keys:
        admin.delete(f"/groups/{key}")
    page = admin.get(f"{GROUPS_IN_BIN}?$filter=description eq 'Ended'&$top=2&$select=id").json()
    rest = admin.get(page["@odata.nextLink"]).json()
    assert {group["id"] for group in page["value"] + rest["value"]} == keys
    assert page["@odata.context"].endswith("$metadata#groups(id)")


def test_the_names_of_a_deleted_group_are_free(admin: httpx.Client, new_group: Joiner) -> None:
    """A group that took them stands in the way of restoring the one that had them."""
    old = new_group(**M365, mailNickname="regatta24")["id"]
    admin.delete(f"/groups/{old}")
    new = new_group(**M365, mailNickname="Regatta24")["id"]
    refused = admin.post(f"{BIN}/{old}/restore", json={})
    _refused(refused, errors.GROUP_CONFLICT, property="mailNickname")
    admin.delete(f"/groups/{new}")
    assert admin.post(f"{BIN}/{old}/restore", json={}).status_code == 200


def test_a_group_is_purged_for_good(admin: httpx.Client, new_group: Joiner) -> None:
    """What is deleted from the bin leaves nothing."""
    key = new_group(**M365)["id"]
    admin.delete(f"/groups/{key}")
    assert admin.delete(f"{BIN}/{key}").status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        _refused(admin.request(method, f"{BIN}/{key}{path}"), errors.NO_RESOURCE, id=key)


def test_each_kind_wants_permissions_of_its_own(
    admin: httpx.Client, new_group: Joiner, joiner: Joiner, token: Callable[..., str]
) -> None:
    """Who brings users back does not bring groups back, and the other way round."""
    user, group = joiner()["id"], new_group(**M365)["id"]
    admin.delete(f"/users/{user}")
    admin.delete(f"/groups/{group}")
    for_users = {"Authorization": f"Bearer {token('User.ReadWrite.All')}"}
    for_groups = {"Authorization": f"Bearer {token('Group.ReadWrite.All')}"}
    for right, wrong, key in ((for_users, for_groups, user), (for_groups, for_users, group)):
        for method, path in (("GET", ""), ("POST", "/restore")):
            where = f"{BIN}/{key}{path}"
            _refused(admin.request(method, where, headers=wrong), errors.DENIED)
            assert admin.request(method, where, headers=right).status_code == 200
        assert admin.get(GROUPS_IN_BIN, headers=for_users).status_code == 403
