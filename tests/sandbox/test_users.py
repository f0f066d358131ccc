from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from reconciler.sandbox.company.contoso import EXTENSIONS, PEOPLE, TENANT_ID

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Joiner = Callable[..., dict[str, Any]]
PRIYA = next(person for person in PEOPLE if person.upn == "priya@contoso.com")
DEFAULTS = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
]


def _read(graph: httpx.Client, key: str, select: str) -> dict[str, Any]:
    reply = graph.get(f"/users/{key}", params={"$select": select})
    assert reply.status_code == 200, reply.text
    shown = dict(reply.json())
    del shown["@odata.context"]
    return shown


def test_a_created_user_is_shown_as_graph_does(
    graph: httpx.Client, body: Callable[..., dict[str, Any]]
) -> None:
    """The reply to a creation has the default properties only, nulls included, id first."""
    sent = body(department="Research")
    reply = graph.post("/users", json=sent)
    shown = reply.json()
    assert reply.status_code == 201
    assert list(shown) == ["@odata.context", "id", *DEFAULTS]
    assert shown["@odata.context"].endswith("/v1.0/$metadata#users/$entity")
    assert [name for name in DEFAULTS if shown[name] is not None] == [
        "businessPhones",
        "displayName",
        "userPrincipalName",
    ]
    assert reply.headers["location"].endswith(
        f"/v2/{TENANT_ID}/directoryObjects/{shown['id']}/Microsoft.DirectoryServices.User"
    )
    assert sent["passwordProfile"]["password"] not in reply.text


def test_replies_carry_graphs_headers(graph: httpx.Client) -> None:
    """A reply with a body names its OData version, its ids and its cost."""
    reply = graph.get("/users/priya@contoso.com", headers={"client-request-id": "mine"})
    assert reply.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert reply.headers["odata-version"] == "4.0"
    assert reply.headers["client-request-id"] == "mine"
    assert reply.headers["x-ms-resource-unit"] == "1"
    assert reply.headers["strict-transport-security"] == "max-age=31536000"


def test_an_empty_reply_has_no_type(graph: httpx.Client, joiner: Joiner) -> None:
    """204 has neither a body nor its headers."""
    reply = graph.patch(f"/users/{joiner()['id']}", json={"department": "Law"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert "content-type" not in reply.headers
    assert "odata-version" not in reply.headers


@pytest.mark.parametrize(
    ("query", "cost"),
    [("", "2"), ("?$select=id", "1"), ("?$select=id&$top=5", "1"), ("?$expand=manager", "3")],
)
def test_a_read_tells_its_cost(graph: httpx.Client, query: str, cost: str) -> None:
    """What a list costs depends on what it asks for."""
    assert graph.get(f"/users{query}").headers["x-ms-resource-unit"] == cost


def test_a_password_is_kept_as_a_salted_hash(
    graph: httpx.Client, joiner: Joiner, tenant_file: Path
) -> None:
    """Neither the file nor a read gives a password back."""
    key = joiner()["id"]
    with closing(sqlite3.connect(tenant_file)) as db:
        rows = db.execute("SELECT * FROM user").fetchall()
    assert "Correct-Horse-9" not in str(rows)
    assert _read(graph, key, "passwordProfile")["passwordProfile"] == {
        "password": None,
        "forceChangePasswordNextSignIn": False,
        "forceChangePasswordNextSignInWithMfa": False,
    }


@pytest.mark.parametrize(
    "address",
    ["/users/{}", "/users('{}')", "//users/{}", "/USERS/{}", "/users/{}/"],
)
def test_a_user_has_many_addresses(graph: httpx.Client, address: str) -> None:
    """Capitals, extra slashes, an encoded @ and the form in parentheses all lead there."""
    base = str(graph.base_url).rstrip("/")
    for key in (PRIYA.id, PRIYA.id.upper(), PRIYA.upn, quote(PRIYA.upn), PRIYA.upn.upper()):
        reply = graph.get(base + address.format(key))
        assert reply.json().get("id") == PRIYA.id, address


def test_an_apostrophe_is_doubled_in_parentheses(graph: httpx.Client, joiner: Joiner) -> None:
    """A quote inside the key is written twice."""
    made = joiner(userPrincipalName="o'brien@contoso.com")
    assert graph.get("/users('o''brien@contoso.com')").json()["id"] == made["id"]


def test_select_names_the_properties_in_any_capitals(graph: httpx.Client) -> None:
    """What is selected is shown under Graph's own name; what no user has is passed over."""
    reply = graph.get(f"/users/{PRIYA.id}?$select=ID,Department,shoeSize,department")
    assert reply.json() == {
        "@odata.context": f"{graph.base_url}$metadata#users(id,department)/$entity",
        "id": PRIYA.id,
        "department": "Research",
    }


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({"jobTitle": "A"}, {"jobTitle": "B"}, {"jobTitle": "B"}),
        ({"jobTitle": "A"}, {"jobTitle": None}, {"jobTitle": None}),
        ({"jobTitle": "A"}, {"JobTitle": "B", "@odata.type": "x"}, {"jobTitle": "B"}),
        ({"city": "Bath"}, {"state": "Avon"}, {"city": "Bath", "state": "Avon"}),
        ({"otherMails": ["a@b.c"]}, {"otherMails": None}, {"otherMails": []}),
        ({"businessPhones": ["1"]}, {"businessPhones": []}, {"businessPhones": []}),
        (
            {},
            {"employeeHireDate": "2026-01-05T00:00:00Z"},
            {"employeeHireDate": "2026-01-05T00:00:00Z"},
        ),
        ({}, {"accountEnabled": False}, {"accountEnabled": False}),
        ({}, {EXTENSIONS[0]: "x"}, {EXTENSIONS[0]: "x"}),
        ({EXTENSIONS[0]: "x"}, {EXTENSIONS[0]: None}, {EXTENSIONS[0]: None}),
        ({}, {"ageGroup": "Adult"}, {"ageGroup": "Adult"}),
    ],
    ids=str,
)
def test_a_patch_sets_what_it_names(
    graph: httpx.Client,
    joiner: Joiner,
    before: dict[str, Any],
    change: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """A property that is named is set or, by null, cleared; others stay."""
    key = joiner(**before)["id"]
    reply = graph.patch(f"/users/{key}", json=change)
    assert reply.status_code == 204, reply.text
    assert _read(graph, key, ",".join(after)) == after


def test_nulls_in_a_creation_are_as_good_as_nothing(graph: httpx.Client, joiner: Joiner) -> None:
    """Null sets nothing, in the parts of complex properties neither."""
    profile = {"password": "Correct-Horse-9", "forceChangePasswordNextSignIn": None}
    attributes = {"extensionAttribute1": None}
    key = joiner(passwordProfile=profile, onPremisesExtensionAttributes=attributes, city=None)["id"]
    shown = _read(graph, key, "passwordProfile,onPremisesExtensionAttributes,city")
    assert shown["passwordProfile"]["forceChangePasswordNextSignIn"] is True
    assert set(shown["onPremisesExtensionAttributes"].values()) == {None}
    assert shown["city"] is None


def test_extension_attributes_are_set_one_by_one(graph: httpx.Client, joiner: Joiner) -> None:
    """A change of one extension attribute leaves the other fourteen."""
    key = joiner(onPremisesExtensionAttributes={"extensionAttribute1": "a"})["id"]
    change = {"onPremisesExtensionAttributes": {"extensionAttribute15": "s/c"}}
    graph.patch(f"/users/{key}", json=change)
    shown = _read(graph, key, "onPremisesExtensionAttributes")["onPremisesExtensionAttributes"]
    assert len(shown) == 15
    assert {name: value for name, value in shown.items() if value} == {
        "extensionAttribute1": "a",
        "extensionAttribute15": "s/c",
    }
    graph.patch(f"/users/{key}", json={"onPremisesExtensionAttributes": None})
    shown = _read(graph, key, "onPremisesExtensionAttributes")["onPremisesExtensionAttributes"]
    assert set(shown.values()) == {None}


def test_a_user_can_be_renamed(graph: httpx.Client, joiner: Joiner) -> None:
    """A new UPN is the new address; the id stays."""
    key = joiner()["id"]
    graph.patch(f"/users/{key}", json={"userPrincipalName": "renamed@contoso.com"})
    assert graph.get("/users/renamed@contoso.com").json()["id"] == key


def test_a_synced_user_keeps_what_the_cloud_masters(graph: httpx.Client) -> None:
    """Usage location and directory extensions can be changed on a synced account."""
    change = {"usageLocation": "IE", EXTENSIONS[0]: "contoso-identity/x"}
    assert graph.patch("/users/synced.sam@contoso.com", json=change).status_code == 204


def test_a_manager_is_set_read_and_cleared(graph: httpx.Client, joiner: Joiner) -> None:
    """The manager is a reference of its own, absent from `$expand` when there is none."""
    key = joiner()["id"]
    path = f"/users/{key}/manager"
    assert "manager" not in graph.get(f"/users/{key}?$expand=manager").json()
    where = f"https://graph.windows.net/{TENANT_ID}/users/{PRIYA.upn}"
    assert graph.put(f"{path}/$ref", json={"@odata.id": where}).status_code == 204
    assert graph.get(path).json()["displayName"] == "Priya Raman"
    assert graph.get(f"{path}/$ref").json()["@odata.id"].endswith(f"/{PRIYA.id}")
    expanded = graph.get(f"/users/{key}?$expand=manager($select=id)").json()["manager"]
    assert expanded == {"@odata.type": "#microsoft.graph.user", "id": PRIYA.id}
    assert graph.delete(f"{path}/$ref").status_code == 204
    assert graph.get(path).status_code == 404


def test_revoking_sessions_is_answered_with_true(graph: httpx.Client, joiner: Joiner) -> None:
    """Graph answers 200 and true, and notes the moment."""
    key = joiner()["id"]
    reply = graph.post(f"/users/{key}/revokeSignInSessions")
    assert reply.json() == {
        "@odata.context": f"{graph.base_url}$metadata#Edm.Boolean",
        "value": True,
    }
    assert _read(graph, key, "signInSessionsValidFromDateTime") != {
        "signInSessionsValidFromDateTime": None
    }


def test_the_company_counts_its_people(graph: httpx.Client) -> None:
    """`$count` is a bare number, for advanced queries only."""
    reply = graph.get("/users/$count", headers={"ConsistencyLevel": "eventual"})
    assert reply.headers["content-type"].startswith("text/plain")
    assert int(reply.text) >= sum(not person.is_deleted for person in PEOPLE)


def test_identities_follow_the_upn(graph: httpx.Client) -> None:
    """The way in is named under `identities`."""
    assert _read(graph, PRIYA.id, "identities") == {
        "identities": [
            {
                "signInType": "userPrincipalName",
                "issuer": "contoso.onmicrosoft.com",
                "issuerAssignedId": PRIYA.upn,
            }
        ]
    }
