from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import PEOPLE
from reconciler.sandbox.query import search

if TYPE_CHECKING:
    import httpx

ADVANCED = {"ConsistencyLevel": "eventual"}
LIVING = [person for person in PEOPLE if not person.is_deleted]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello world", ["hello", "world"]),
        ("HelloWorld", ["hello", "world"]),
        ("helloWORLD", ["hello", "world"]),
        ("HELLOworld", ["helloworld"]),
        ("HelloWORld", ["hello", "world"]),
        ("hello.world", ["hello", ".", "world"]),
        ("hello123world", ["hello", "123", "world"]),
        ("李四(David Li)", ["李四", "(", "david", "li", ")"]),
    ],
    ids=str,
)
def test_texts_are_split_into_words(text: str, words: list[str]) -> None:
    """Spaces, symbols, numbers and capitals part words, as Graph's page on `$search` shows."""
    assert search.words(text) == words


def _found(graph: httpx.Client, text: str, path: str = "/users", **more: str) -> list[str]:
    query = {"$search": text, "$select": "displayName", **more}
    reply = graph.get(path, params=query, headers=ADVANCED)
    assert reply.status_code == 200, reply.text
    return [item["displayName"] for item in reply.json()["value"]]


SEARCHES = {
    '"displayName:raman"': ["Priya Raman"],
    '"displayName:RAMAN priya"': ["Priya Raman"],
    '"displayName:Ram"': ["Priya Raman"],
    '"displayName:oconnor"': ["Liam O'Connor"],
    '"displayName:健二"': ["佐藤 健二"],
    '"displayName:aman"': [],
    '"displayName:priya" OR "surname:Nowa"': ["Priya Raman", "Tomasz Nowak"],
    '"displayName:priya" AND "surname:Nowa"': [],
    '"department:Fin" AND ("displayName:sam" OR "displayName:fatima")': [
        "Sam Okafor",
        "Fatima Haddad",
    ],
    '"userPrincipalName:priya"': ["Priya Raman"],
    r'"displayName:\"quoted\""': [],
}


@pytest.mark.parametrize("text", SEARCHES, ids=str)
def test_people_are_searched(company: httpx.Client, text: str) -> None:
    """Words of a name are found in any order, other properties by how they begin."""
    assert _found(company, text) == SEARCHES[text]


def test_groups_are_searched(company: httpx.Client) -> None:
    """A group's name and description are searched by words, beside a filter."""
    found = _found(company, '"displayName:phoenix"', "/groups")
    assert found == ["Project Phoenix", "Project Phoenix"]
    some = _found(company, '"displayName:phoenix"', "/groups", **{"$filter": "mailEnabled eq true"})
    assert some == ["Project Phoenix"]
    assert _found(company, '"description:zzz"', "/groups") == []


def test_what_is_found_is_counted_and_sorted(company: httpx.Client) -> None:
    """`$search` goes with `$count` and `$orderby`."""
    query = {"$search": '"department:Res"', "$count": "true", "$orderby": "displayName"}
    shown = company.get("/users", params=query, headers=ADVANCED).json()
    names = [user["displayName"] for user in shown["value"]]
    assert shown["@odata.count"] == len(names) > 3
    assert names == sorted(names, key=str.lower)


BAD: dict[str, tuple[errors.Refusal, dict[str, Any]]] = {
    "displayName:room": (
        errors.SEARCH_SYNTAX,
        {"character": ":", "position": 11, "text": "displayName:room"},
    ),
    '"displayName:a" "mail:b"': (
        errors.SEARCH_SYNTAX,
        {"character": '"', "position": 16, "text": '"displayName:a" "mail:b"'},
    ),
    '("displayName:a"': (
        errors.SEARCH_SYNTAX,
        {"character": "", "position": 16, "text": '("displayName:a"'},
    ),
    "": (errors.SEARCH_SYNTAX, {"character": "", "position": 0, "text": ""}),
    "(" * 40: (errors.SEARCH_SYNTAX, {"character": "(", "position": 30, "text": "(" * 40}),
    '"room"': (errors.SEARCH_PROPERTY, {"clause": "room"}),
    '"shoeSize:43"': (errors.UNDECLARED, {"property": "shoeSize"}),
    f'"displayName:{"x" * 2100}"': (errors.UNSUPPORTED, {}),
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:30])
def test_a_search_is_refused(company: httpx.Client, text: str) -> None:
    """A search that Graph cannot read is refused where it cannot be read."""
    row, slots = BAD[text]
    error = company.get("/users", params={"$search": text}, headers=ADVANCED).json()["error"]
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))


ORDERS = ("displayName", "displayName desc", "userPrincipalName", "userPrincipalName DESC")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 999])
def test_pages_of_a_sorted_list_hold_everybody_once(
    company: httpx.Client, order: str, size: int
) -> None:
    """Whatever the size of a page, all pages together are the list, sorted."""
    url, found = f"/users?$orderby={order}&$top={size}&$select=displayName,userPrincipalName", []
    while url:
        page = company.get(url).json()
        found += [user[order.partition(" ")[0]].encode().lower() for user in page["value"]]
        url = page.get("@odata.nextLink", "")
    assert found == sorted(found, reverse=order.lower().endswith("desc"))
    assert len(found) == len(LIVING)


@pytest.mark.parametrize("order", ["deletedDateTime", "deletedDateTime desc", "createdDateTime"])
def test_rows_that_sort_alike_are_paged_too(company: httpx.Client, order: str) -> None:
    """A page ends between rows of one value, or of none, without losing any."""
    url, found = f"/users?$orderby={order},displayName&$top=4&$count=true&$select=id", set()
    while url:
        page = company.get(url, headers=ADVANCED).json()
        found |= {user["id"] for user in page["value"]}
        url = page.get("@odata.nextLink", "")
    assert len(found) == len(LIVING)


@pytest.mark.parametrize(
    ("order", "row"),
    [
        ("department", errors.SORTING),
        ("createdDateTime", errors.SORTING),
        ("displayName&$filter=accountEnabled eq true", errors.SORTING),
        ("displayName sideways", errors.ORDER_SYNTAX),
        (",".join(["displayName"] * 5), errors.SORTING),
        ("displayName&$skiptoken=cm93OjU6W10=", errors.PAGE_TOKEN),
        ("displayName&$skiptoken=cm93OjU6WzFd", errors.PAGE_TOKEN),
    ],
    ids=str,
)
def test_an_order_is_refused(company: httpx.Client, order: str, row: errors.Refusal) -> None:
    """Only few properties sort a list, fewer without the advanced parameters."""
    error = company.get(f"/users?$orderby={order}").json()["error"]
    slots = {"position": len("displayName sideways"), "text": "displayName sideways"}
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))


def test_sorting_beside_a_filter_is_for_advanced_queries(company: httpx.Client) -> None:
    """With header and count, a filtered list is sorted."""
    url = "/users?$orderby=displayName&$count=true&$filter=department eq 'Finance'&$select=surname"
    shown = company.get(url, headers=ADVANCED).json()["value"]
    assert [user["surname"] for user in shown] == ["Haddad", "Okafor"]


def test_groups_are_sorted_by_name(company: httpx.Client) -> None:
    """The default index sorts groups by their names."""
    shown = company.get("/groups?$orderby=displayName&$select=displayName").json()["value"]
    names = [group["displayName"].encode().lower() for group in shown]
    assert names == sorted(names)


def test_a_search_of_very_many_clauses_is_refused(graph: httpx.Client) -> None:
    """A search that no database could answer is unsupported, not broken."""
    search = "AND".join(['"displayName:a"'] * 600)
    reply = graph.get("/users", params={"$search": search, "$count": "true"}, headers=ADVANCED)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == errors.UNSUPPORTED.message
