"""What a caller may not do, whichever way it asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors, routes
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE, PLAN_APP

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
Token = Callable[..., str]
ADVANCED = {"ConsistencyLevel": "eventual"}
ID = {group.nickname: group.id for group in GROUPS}
BOSS, PRIYA = (
    next(person.id for person in PEOPLE if person.upn == f"{name}@contoso.com")
    for name in ("breakglass", "priya")
)
ABSENT = "00000000-0000-4000-8000-000000000000"
RESET = "User-PasswordProfile.ReadWrite.All"
BIN = "/directory/deletedItems"


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _where(key: str) -> str:
    return f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"


def _refused(reply: httpx.Response) -> None:
    error = reply.json()["error"]
    expected = (errors.DENIED.status, errors.DENIED.code, errors.DENIED.message)
    assert (reply.status_code, error["code"], error["message"]) == expected


# --- each part of a change


PROFILE = {"forceChangePasswordNextSignIn": False}


@pytest.mark.parametrize(
    ("permissions", "change", "status"),
    [
        ((RESET,), {"passwordProfile": PROFILE}, 204),
        ((RESET,), {"passwordProfile": PROFILE, "displayName": "Taken over"}, 403),
        ((RESET,), {"passwordProfile": PROFILE, "accountEnabled": False}, 403),
        ((RESET,), {"displayName": "Taken over"}, 403),
        ((RESET,), {}, 403),
        (("User.ReadWrite.All",), {"passwordProfile": PROFILE, "jobTitle": "x"}, 403),
        ((RESET, "User.ReadWrite.All"), {"passwordProfile": PROFILE, "jobTitle": "x"}, 204),
        (
            (RESET, "User.EnableDisableAccount.All"),
            {"passwordProfile": PROFILE, "accountEnabled": False},
            204,
        ),
        (
            (RESET, "User.EnableDisableAccount.All"),
            {"passwordProfile": PROFILE, "jobTitle": "x"},
            403,
        ),
        (("User.EnableDisableAccount.All",), {"accountEnabled": False}, 204),
    ],
)
def test_each_part_of_a_change_wants_its_permission(  # noqa: PLR0913, PLR0917 -- three fixtures and a row of three
    graph: httpx.Client,
    joiner: Made,
    token: Token,
    permissions: tuple[str, ...],
    change: dict[str, Any],
    status: int,
) -> None:
    """A password beside other properties opens none of them, and nothing is written."""
    user = joiner()
    path = f"/users/{user['id']}"
    headers = _bearer(token(*permissions, oid=BOSS))
    assert graph.patch(path, json=change, headers=headers).status_code == status
    if status == 403:
        shown = graph.get(f"{path}?$select=displayName,accountEnabled,jobTitle").json()
        assert (shown["displayName"], shown["accountEnabled"]) == (user["displayName"], True)
        assert shown["jobTitle"] is None


# --- people


def _addresses(group: str, person: str) -> list[tuple[str, str]]:
    """Give every route's method and address, of what belongs to a person."""
    found = []
    for method, path, _ in routes.TABLE:
        keys = itertools.chain((group if path.startswith("groups") else person,), [person] * 9)
        name = path
        while "{}" in name:
            name = name.replace("{}", next(keys), 1)
        found.append((method, f"/{name}"))
    return found


def test_a_person_with_a_bare_token_succeeds_nowhere(
    admin: httpx.Client, new_group: Made, joiner: Made, token: Token
) -> None:
    """No route answers 2xx to a person whose token says `User.Read`, though it owns the group."""
    person, other = joiner()["id"], joiner()["id"]
    group = new_group(
        **{"owners@odata.bind": [_where(person), _where(other)]},
        **{"members@odata.bind": [_where(person)]},
    )["id"]
    held = token(oid=person, idtyp="user", scp="User.Read")
    headers = {**_bearer(held), **ADVANCED, "Prefer": "create-if-missing"}
    sent = {"description": "mine", "@odata.id": _where(other)}
    for method, path in _addresses(group, person):
        body = None if method in {"GET", "DELETE"} else sent
        where = f"{path}?$count=true" if method == "GET" and "microsoft.graph" in path else path
        status = admin.request(method, where, json=body, headers=headers).status_code
        assert status in {401, 403}, (method, path, status)
    assert admin.get(f"/groups/{group}").json()["description"] is None


# --- what may not be seen


@pytest.mark.parametrize(
    "query",
    [
        "$filter=startswith(jobTitle,'a')",
        "$filter=jobTitle eq 'x'",
        "$filter=department in ('x')",
        "$filter=not(city eq 'x')",
        "$filter=id eq 'x' or accountEnabled eq true",
        "$filter=employeeId eq null",
        "$filter=assignedLicenses/$count eq 0",
        "$filter=otherMails/any(m:m eq 'x')",
        "$filter=onPremisesExtensionAttributes/extensionAttribute1 eq 'x'",
        '$search="jobTitle:a"',
        '$search="displayName:a" AND "mailNickname:a"',
    ],
)
def test_what_may_not_be_seen_is_not_found_out(
    graph: httpx.Client, token: Token, query: str
) -> None:
    """Neither `$filter` nor `$search` tells of a property that would be shown as null."""
    members = f"/groups/{ID['research-all']}/members/microsoft.graph.user"
    for path, permission in (("/users", "User.ReadBasic.All"), (members, "GroupMember.Read.All")):
        headers = {**_bearer(token(permission)), **ADVANCED}
        for where in (path, f"{members}/$count") if path == members else (path,):
            url = f"{where}?$count=true&{query}"
            _refused(graph.get(url, headers=headers))
            whole = {**_bearer(token(permission, "User.Read.All")), **ADVANCED}
            assert graph.get(url, headers=whole).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "$filter=startswith(displayName,'a') and mail ne 'x'",
        "$filter=startswith(userPrincipalName,'priya')",
        '$search="displayName:a"',
        "$orderby=displayName",
    ],
)
def test_what_is_basic_is_found(graph: httpx.Client, token: Token, query: str) -> None:
    """A reader of basic properties may look by them."""
    headers = {**_bearer(token("User.ReadBasic.All")), **ADVANCED}
    assert graph.get(f"/users?$count=true&{query}", headers=headers).status_code == 200


def test_nothing_hidden_orders_a_list(graph: httpx.Client, token: Token) -> None:
    """A list is not sorted by what its caller may not see; groups have nothing of the kind."""
    url = "/users?$count=true&$top=1&$orderby="
    basic = {**_bearer(token("User.ReadBasic.All")), **ADVANCED}
    for name in ("createdDateTime", "displayName,createdDateTime desc"):
        _refused(graph.get(f"{url}{name}", headers=basic))
        assert graph.get(f"{url}{name}", headers=ADVANCED).status_code == 200
    groups = {**_bearer(token("Group.Read.All")), **ADVANCED}
    hidden = graph.get("/groups?$count=true&$orderby=deletedDateTime", headers=groups)
    assert hidden.status_code == 200


def test_members_of_several_types_are_not_found_by_what_is_hidden(
    graph: httpx.Client, token: Token
) -> None:
    """Without a cast, people are not among what such a filter finds."""
    url = f"/groups/{ID['research-all']}/members?$count=true&$filter=startswith(mailNickname,'p')"
    headers = {**_bearer(token("GroupMember.Read.All")), **ADVANCED}
    people = [one["id"] for one in graph.get(url, headers=ADVANCED).json()["value"]]
    assert PRIYA in people
    assert graph.get(url, headers=headers).json()["value"] == []


def test_a_write_shows_no_more_than_a_read(graph: httpx.Client, joiner: Made, token: Token) -> None:
    """A license is given and a user restored by those who may not read all of it."""
    key = joiner(jobTitle="Spy", businessPhones=["+44 1"])["id"]
    (sku, *_) = graph.get("/subscribedSkus").json()["value"]
    change = {"addLicenses": [{"skuId": sku["skuId"]}], "removeLicenses": []}
    held = _bearer(token("LicenseAssignment.ReadWrite.All"))
    licensed = graph.post(f"/users/{key}/assignLicense", json=change, headers=held)
    graph.delete(f"/users/{key}")
    restored = graph.post(f"{BIN}/{key}/restore", headers=_bearer(token("User.DeleteRestore.All")))
    for reply in (licensed, restored):
        assert reply.status_code == 200, reply.text
        shown = reply.json()
        assert (shown["id"], shown["jobTitle"], shown["businessPhones"]) == (key, None, [])
    whole = graph.post(f"/users/{key}/reprocessLicenseAssignment")
    assert whole.json()["jobTitle"] == "Spy"


@pytest.mark.parametrize(
    ("more", "known", "absent", "statuses"),
    [
        ((), PRIYA, ABSENT, (403, 403)),
        ((), PLAN_APP.principal_id, ABSENT, (403, 403)),
        ((), "priya@contoso.com", "nobody@contoso.com", (403, 403)),
        (("User.Read.All",), ID["tokyo"], ABSENT, (403, 403)),
        (("User.Read.All",), "priya@contoso.com", "nobody@contoso.com", (201, 404)),
        (("Directory.Read.All",), PRIYA, ABSENT, (201, 404)),
    ],
)
def test_a_creator_does_not_learn_who_is_there(  # noqa: PLR0913, PLR0917 -- three fixtures and a row of four
    graph: httpx.Client,
    group_body: Made,
    token: Token,
    more: tuple[str, ...],
    known: str,
    absent: str,
    statuses: tuple[int, int],
) -> None:
    """With `Group.Create` whom one may not read is refused, there or not, in the same words."""
    headers = _bearer(token("Group.Create", *more))
    users = "https://graph.microsoft.com/v1.0/users"
    replies = [
        graph.post(
            "/groups",
            json=group_body(**{"members@odata.bind": [f"{users}/{key}"]}),
            headers=headers,
        )
        for key in (known, absent)
    ]
    assert tuple(reply.status_code for reply in replies) == statuses
