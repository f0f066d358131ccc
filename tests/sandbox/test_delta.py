"""Delta queries: everything once, then what has changed."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, EXTENSIONS, GROUPS, PEOPLE
from reconciler.sandbox.data import keeping, store
from reconciler.sandbox.login import tokens
from reconciler.sandbox.query.deltatokens import State, packed
from reconciler.sandbox.tenant import Tenant
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx

STAFF = next(group.id for group in GROUPS if group.nickname == "research-all")
LIVING = [person for person in PEOPLE if not person.is_deleted]
MINIMAL = {"Prefer": "return=minimal"}
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")


def _round(
    graph: httpx.Client, address: str, headers: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], str]:
    """Give all items of a round, and the address of the next."""
    items: list[dict[str, Any]] = []
    while True:
        reply = graph.get(address, headers=headers)
        assert reply.status_code == 200, reply.text
        body = reply.json()
        items += body["value"]
        if link := body.get("@odata.deltaLink"):
            assert "@odata.nextLink" not in body
            return items, link
        address = body["@odata.nextLink"]


def _latest(graph: httpx.Client, address: str) -> str:
    joint = "&" if "?" in address else "?"
    items, link = _round(graph, f"{address}{joint}$deltatoken=latest")
    assert items == []
    return link


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["message"]) == (
        row.status,
        row.code,
        row.message.format(**slots),
    )


# --- the first round


def test_the_first_round_shows_everybody(company: httpx.Client) -> None:
    """All living users come once, without what they never had, and a link for later."""
    items, link = _round(company, "/users/delta")
    assert sorted(item["userPrincipalName"] for item in items) == sorted(p.upn for p in LIVING)
    assert all(value is not None for item in items for value in item.values())
    assert link.startswith(f"{company.base_url}users/delta?$deltatoken=")
    assert _round(company, link)[0] == []


@pytest.mark.parametrize("path", ["users/delta()", "users/microsoft.graph.delta()"])
def test_the_function_may_be_written_out(company: httpx.Client, path: str) -> None:
    """SDKs write the function with parentheses, or with its whole name."""
    items, link = _round(company, f"/{path}?$select=mail")
    assert len(items) == len(LIVING)
    assert f"{company.base_url}users/delta?" in link


def test_the_choice_of_properties_is_kept(company: httpx.Client) -> None:
    """Only chosen properties and the id are shown; the context names them."""
    reply = company.get("/users/delta?$select=displayName,manager").json()
    ada = next(item for item in reply["value"] if "manager@delta" in item)
    assert ada.keys() == {"displayName", "id", "manager@delta"}
    assert [link["@odata.type"] for link in ada["manager@delta"]] == ["#microsoft.graph.user"]
    assert reply["@odata.context"].endswith("/$metadata#users(displayName)")


def test_directory_extensions_can_be_chosen(company: httpx.Client) -> None:
    """A registered extension is a property like others; an unknown name is passed over."""
    items, _ = _round(company, f"/users/delta?$select={EXTENSIONS[0]},nonsense")
    assert {name for item in items for name in item} <= {"id", EXTENSIONS[0]}
    assert len(items) == len(LIVING)


def test_groups_come_with_their_members(company: httpx.Client) -> None:
    """Without a choice `members@delta` is shown, but not of a group that has none."""
    items, _ = _round(company, "/groups/delta")
    members = {item["id"]: item.get("members@delta") for item in items}
    listed = company.get(f"/groups/{STAFF}/members?$select=id").json()["value"]
    assert [link["id"] for link in members[STAFF] or []] == [one["id"] for one in listed]
    assert None in members.values()
    chosen, _ = _round(company, "/groups/delta?$select=displayName")
    assert all(item.keys() == {"displayName", "id"} for item in chosen)


def test_a_filter_names_objects(company: httpx.Client) -> None:
    """With `id eq`, joined by `or`, only those objects are followed."""
    other = LIVING[0].id if LIVING[0].id != PRIYA else LIVING[1].id
    items, link = _round(company, f"/users/delta?$filter=id eq '{PRIYA}' or id eq {other}")
    assert {item["id"] for item in items} == {PRIYA, other}
    assert _round(company, link)[0] == []


def test_pages_and_large_groups(
    start: Callable[..., httpx.Client], body: Callable[..., Any]
) -> None:
    """Many users take pages; many members too, on which their group comes again."""
    graph = start()
    ids = [graph.post("/users", json=body()).json()["id"] for _ in range(410)]
    made = graph.get("/groups/delta?$deltatoken=latest").json()["@odata.deltaLink"]
    pilot = next(group.id for group in GROUPS if group.nickname == "helpdesk-pilot")
    for place in range(0, len(ids), 20):
        references = [_reference(key)["@odata.id"] for key in ids[place : place + 20]]
        reply = graph.patch(f"/groups/{pilot}", json={"members@odata.bind": references})
        assert reply.status_code == 204, reply.text
    page = graph.get("/users/delta?$select=id").json()
    assert len(page["value"]) == 200
    items, _ = _round(graph, "/users/delta?$select=id")
    assert len({item["id"] for item in items}) == len(items) == len(LIVING) + 410
    for address in ("/groups/delta", made):
        found, _ = _round(graph, address)
        shown = [item for item in found if item["id"] == pilot]
        assert len(shown) > 1
        links = [link["id"] for item in shown for link in item["members@delta"]]
        assert len(links) == len(set(links))
        assert set(ids) <= set(links)
    later, _ = _round(graph, _latest(graph, "/users/delta"))
    assert later == []


def test_many_changes_take_pages(
    start: Callable[..., httpx.Client], body: Callable[..., Any]
) -> None:
    """A later round has pages as well, and what changes meanwhile belongs to the next."""
    graph = start()
    link = _latest(graph, "/users/delta")
    ids = [graph.post("/users", json=body()).json()["id"] for _ in range(205)]
    page = graph.get(link).json()
    assert len(page["value"]) == 200
    graph.patch(f"/users/{ids[0]}", json={"jobTitle": "Later"})
    rest, link = _round(graph, page["@odata.nextLink"])
    assert [item["id"] for item in page["value"] + rest] == ids
    assert [item["id"] for item in _round(graph, link)[0]] == [ids[0]]


# --- later rounds


def test_a_changed_user_is_shown_once(
    graph: httpx.Client, joiner: Callable[..., dict[str, Any]]
) -> None:
    """All chosen properties of a user that changed twice, those it lost as null."""
    user = joiner(jobTitle="Clerk", department="Books")
    address = f"/users/delta?$select=jobTitle,department,city&$filter=id eq '{user['id']}'"
    link = _latest(graph, address)
    graph.patch(f"/users/{user['id']}", json={"jobTitle": "Reader"})
    graph.patch(f"/users/{user['id']}", json={"jobTitle": None})
    items, following = _round(graph, link)
    assert items == [{"id": user["id"], "jobTitle": None, "department": "Books"}]
    assert _round(graph, following)[0] == []
    reply = graph.get(link, headers=MINIMAL)
    assert reply.json()["value"] == [{"id": user["id"], "jobTitle": None}]
    assert reply.headers["preference-applied"] == "return=minimal"


def test_only_chosen_properties_count(
    graph: httpx.Client, joiner: Callable[..., dict[str, Any]]
) -> None:
    """A change of something else does not show the user; a new choice counts from then on."""
    user = joiner()
    link = _latest(graph, f"/users/delta?$select=jobTitle&$filter=id eq '{user['id']}'")
    graph.patch(f"/users/{user['id']}", json={"city": "Leeds"})
    items, link = _round(graph, link)
    assert items == []
    graph.patch(f"/users/{user['id']}", json={"city": "York"})
    items, link = _round(graph, f"{link}&$select=city")
    assert items == [{"id": user["id"], "city": "York"}]


def test_deletion_and_return(graph: httpx.Client, joiner: Callable[..., dict[str, Any]]) -> None:
    """Deleted is removed for `changed`, purged for `deleted`; a restored user comes back whole."""
    user = joiner(jobTitle="Clerk")
    key = user["id"]
    graph.post(f"/groups/{STAFF}/members/$ref", json=_reference(key))
    link = _latest(graph, f"/users/delta?$select=jobTitle&$filter=id eq '{key}'")
    groups = _latest(graph, f"/groups/delta?$select=members&$filter=id eq '{STAFF}'")
    member = {"@odata.type": "#microsoft.graph.user", "id": key}
    graph.delete(f"/users/{key}")
    gone = {"reason": "changed"}
    items, link = _round(graph, link)
    assert items == [{"id": key, "@removed": gone}]
    assert _round(graph, groups)[0] == [
        {"id": STAFF, "members@delta": [member | {"@removed": {"reason": "deleted"}}]}
    ]
    graph.post(f"/directory/deletedItems/{key}/restore")
    items, link = _round(graph, link)
    assert items == [{"id": key, "jobTitle": "Clerk"}]
    assert _round(graph, groups)[0] == [{"id": STAFF, "members@delta": [member]}]
    graph.delete(f"/users/{key}")
    graph.delete(f"/directory/deletedItems/{key}")
    items, _ = _round(graph, link)
    assert items == [{"id": key, "@removed": {"reason": "deleted"}}]


def test_who_came_and_went_is_not_shown(
    graph: httpx.Client, joiner: Callable[..., dict[str, Any]]
) -> None:
    """A user made and purged between two rounds was never there; nor is one long deleted."""
    link = _latest(graph, "/users/delta?$select=id,city")
    gone, waiting = joiner()["id"], joiner()["id"]
    graph.delete(f"/users/{gone}")
    graph.delete(f"/directory/deletedItems/{gone}")
    items, _ = _round(graph, link)
    assert gone not in {item["id"] for item in items}
    graph.delete(f"/users/{waiting}")
    link = _latest(graph, f"/users/delta?$select=manager,city&$filter=id eq '{waiting}'")
    assert _round(graph, link)[0] == []


def test_the_manager_is_followed(
    graph: httpx.Client, joiner: Callable[..., dict[str, Any]]
) -> None:
    """Another manager shows as one link gone and one come."""
    user, first, second = joiner(), joiner(), joiner()
    graph.put(f"/users/{user['id']}/manager/$ref", json=_reference(first["id"]))
    link = _latest(graph, f"/users/delta?$select=manager&$filter=id eq '{user['id']}'")
    graph.put(f"/users/{user['id']}/manager/$ref", json=_reference(second["id"]))
    ((item,), link) = _round(graph, link)
    kind = "#microsoft.graph.user"
    assert item["manager@delta"] == [
        {"@odata.type": kind, "id": first["id"], "@removed": {"reason": "deleted"}},
        {"@odata.type": kind, "id": second["id"]},
    ]
    graph.delete(f"/users/{second['id']}")
    ((item,), _) = _round(graph, link)
    assert item["manager@delta"][0]["@removed"] == {"reason": "deleted"}


def test_licenses_are_followed(graph: httpx.Client, joiner: Callable[..., dict[str, Any]]) -> None:
    """An assignment is a change of `assignedLicenses`, and of nothing else."""
    user = joiner()
    where = f"$filter=id eq '{user['id']}'"
    link = _latest(graph, f"/users/delta?$select=assignedLicenses&{where}")
    other = _latest(graph, f"/users/delta?$select=city&{where}")
    sku = next(
        one["skuId"]
        for one in graph.get("/subscribedSkus").json()["value"]
        if one["skuPartNumber"] == "SPE_E5"
    )
    body = {"addLicenses": [{"skuId": sku}], "removeLicenses": []}
    assert graph.post(f"/users/{user['id']}/assignLicense", json=body).status_code == 200
    ((item,), _) = _round(graph, link)
    assert [one["skuId"] for one in item["assignedLicenses"]] == [sku]
    assert _round(graph, other)[0] == []


# --- tokens


def _key(file: Path) -> bytes:
    db, _ = store.connect(file)
    with closing(db):
        return bytes.fromhex(store.setting(db, "key"))


def test_an_old_token_starts_again(graph: httpx.Client, tenant_file: Path) -> None:
    """After seven days 410 says where to begin, and there is everything once more."""
    old = State("user", ("city",), (PRIYA,), time.time() - 8 * 86400, 0)
    reply = graph.get("/users/delta", params={"$deltatoken": packed(old, _key(tenant_file))})
    _refused(reply, errors.DELTA_EXPIRED)
    where = reply.headers["location"]
    assert where.startswith(f"{graph.base_url}users/delta?$deltatoken=&$select=city&$filter=")
    assert [item["id"] for item in _round(graph, where)[0]] == [PRIYA]
    bare = State("group", (), (), 0, 0)
    reply = graph.get("/groups/delta", params={"$deltatoken": packed(bare, _key(tenant_file))})
    assert reply.headers["location"] == f"{graph.base_url}groups/delta?$deltatoken="


def test_a_token_survives_a_restart(tmp_path: Path) -> None:
    """The link of one server is good at the next on the same file, under the name it is asked."""
    file = tmp_path / "tenant.sqlite"
    first = _answered(file, "$deltatoken=latest", host="one.example")
    link = first["@odata.deltaLink"]
    assert link.startswith("http://one.example/v1.0/users/delta?")
    second = _answered(file, link.partition("?")[2], host="two.example")
    assert second["value"] == []
    assert second["@odata.deltaLink"].startswith("http://two.example/v1.0/users/delta?")


def _answered(file: Path, query: str, *, host: str) -> dict[str, Any]:
    """Give the reply of a tenant that is opened for it and closed again."""
    with keeping.opened(file) as db, closing(Tenant(db)) as tenant:
        claims = {
            "appid": APPLY_APP.client_id,
            "oid": APPLY_APP.principal_id,
            "aud": "https://graph.microsoft.com",
            "roles": ["User.Read.All"],
            "exp": time.time() + 60,
        }
        headers = {"authorization": f"Bearer {tokens.sign(claims, tenant.key)}", "host": host}
        reply = tenant.answer(Incoming("GET", "/v1.0/users/delta", query, headers))
    return dict(reply.body)


@pytest.mark.parametrize("token", ["x", "%20", "A" * 60, "é"])
def test_a_made_up_token_is_refused(company: httpx.Client, token: str) -> None:
    """What the tenant has not given out is no token."""
    _refused(company.get(f"/users/delta?$deltatoken={token}"), errors.DELTA_TOKEN)


def test_a_token_of_groups_is_none_of_users(company: httpx.Client) -> None:
    """A token is for one kind of object."""
    token = _latest(company, "/groups/delta").partition("$deltatoken=")[2]
    _refused(company.get(f"/users/delta?$skiptoken={token}"), errors.DELTA_TOKEN)


# --- refusals


@pytest.mark.parametrize("option", ["$expand=manager", "$top=5", "$orderby=id", '$search="x"'])
def test_options_that_delta_does_not_know(company: httpx.Client, option: str) -> None:
    """Documented limits are refused and not passed over."""
    name = option.partition("=")[0]
    _refused(company.get(f"/users/delta?{option}"), errors.DELTA_OPTION, option=name)


@pytest.mark.parametrize(
    "text",
    [
        "displayName eq 'x'",
        f"id ne '{PRIYA}'",
        f"id eq '{PRIYA}' and id eq '{PRIYA}'",
        " or ".join(f"id eq '{number:08d}-0000-4000-8000-000000000000'" for number in range(51)),
    ],
)
def test_filters_that_delta_does_not_know(company: httpx.Client, text: str) -> None:
    """Only `id eq` will do, for fifty objects."""
    reply = company.get("/users/delta", params={"$filter": text})
    _refused(reply, errors.DELTA_FILTER)
