from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import EXTENSIONS, GROUPS, PEOPLE
from reconciler.sandbox.query import filters

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
ADVANCED = {"ConsistencyLevel": "eventual"}
MARK = "onPremisesExtensionAttributes/extensionAttribute15"
PERSON = {person.upn.partition("@")[0]: person for person in PEOPLE}
LIVING = {person.upn for person in PEOPLE if not person.is_deleted}


def _found(graph: httpx.Client, text: str, *, advanced: bool = False) -> set[str]:
    query = {"$filter": text, "$select": "userPrincipalName", "$top": "999"}
    if advanced:
        query["$count"] = "true"
    reply = graph.get("/users", params=query, headers=ADVANCED if advanced else {})
    assert reply.status_code == 200, reply.text
    shown = reply.json()
    found = {user["userPrincipalName"] for user in shown["value"]}
    if advanced:
        assert shown["@odata.count"] == len(found)
    return found


DEFAULT = {
    "userPrincipalName eq 'PRIYA@contoso.com'": {"priya@contoso.com"},
    "userPrincipalName in ('priya@contoso.com', 'nobody@contoso.com')": {"priya@contoso.com"},
    f"id eq '{PERSON['priya'].id}'": {"priya@contoso.com"},
    f"id in ('{PERSON['priya'].id.upper()}')": {"priya@contoso.com"},
    "displayName eq 'Liam O''Connor'": {"liam.oconnor@contoso.com"},
    "startsWith(displayName,'pri')": {"priya@contoso.com"},
    "startswith(displayName,'佐藤')": {"kenji.sato@contoso.co.jp"},
    "startsWith(displayName,'%')": set(),
    "startsWith(displayName,'_')": set(),
    "department eq 'Finance' and startsWith(surname,'o')": {"synced.sam@contoso.com"},
    "(givenName eq 'Sam' or givenName eq 'Uma') and department eq 'Research'": {
        "unowned.uma@contoso.com"
    },
    "accountEnabled eq false": {"leaver.lars@contoso.com"},
    "accountEnabled in (false)": {"leaver.lars@contoso.com"},
    "usageLocation eq 'NO'": {"bjorn.dahl@contoso.com"},
    "surname eq 'Null'": {"zoe.null@contoso.com"},
    "onPremisesSyncEnabled eq true": {"synced.sam@contoso.com"},
    "createdDateTime ge 2030-01-01T00:00:00Z": set(),
    "createdDateTime le 2030-01-01T00:00:00Z": LIVING,
    "otherMails/any(m:m eq 'x@example.com')": set(),
    "proxyAddresses/any(p:startsWith(p,'smtp:'))": set(),
}
"""What the default index answers."""


@pytest.mark.parametrize("text", DEFAULT, ids=str)
def test_the_default_index_answers(company: httpx.Client, text: str) -> None:
    """A filter of the default index finds exactly these people."""
    assert _found(company, text) == DEFAULT[text]


ADVANCED_ANSWERS = {
    f"{MARK} eq 'hr-sync/emea'": {"hr.hanna@contoso.com"},
    f"{MARK} in ('hr-sync/emea','x')": {"hr.hanna@contoso.com"},
    f"{MARK} ne null": {"hr.hanna@contoso.com"},
    f"{MARK} eq null": LIVING - {"hr.hanna@contoso.com"},
    f"{MARK} ne 'hr-sync/emea'": LIVING - {"hr.hanna@contoso.com"},
    f"startsWith({MARK},'hr-sync/')": {"hr.hanna@contoso.com"},
    f"{EXTENSIONS[0]} ne null": set(),
    f"startsWith({EXTENSIONS[0]},'x')": set(),
    "not(startsWith(userPrincipalName,'p'))": LIVING - {"priya@contoso.com"},
    "endsWith(userPrincipalName,'.co.jp')": {upn for upn in LIVING if upn.endswith(".co.jp")},
    "preferredLanguage eq 'ja-JP'": {"kenji.sato@contoso.co.jp", "yuki.tanaka@contoso.co.jp"},
    " or ".join(f"userPrincipalName eq '{upn}'" for upn in sorted(LIVING)): LIVING,
}
"""What the advanced index answers besides."""


@pytest.mark.parametrize("text", ADVANCED_ANSWERS, ids=lambda text: text[:60])
def test_the_advanced_index_answers_more(company: httpx.Client, text: str) -> None:
    """With `ConsistencyLevel: eventual` and `$count=true` these are answered too."""
    assert _found(company, text, advanced=True) == ADVANCED_ANSWERS[text]


def test_a_directory_extension_is_in_the_default_index(graph: httpx.Client, joiner: Made) -> None:
    """`eq` and `in` on a registered directory extension need no header; names have no case."""
    name = EXTENSIONS[0]
    made = joiner(**{name.upper().replace("EXTENSION_", "extension_"): "contoso/beta"})
    for text in (f"{name} eq 'contoso/beta'", f"{name} in ('contoso/beta','y')"):
        assert _found(graph, text) == {made["userPrincipalName"]}


def test_count_beside_a_plain_filter_is_passed_over(graph: httpx.Client) -> None:
    """`$count=true` without the header counts nothing and refuses nothing."""
    reply = graph.get("/users?$count=true&$filter=userPrincipalName eq 'priya@contoso.com'")
    assert "@odata.count" not in reply.json()
    assert len(reply.json()["value"]) == 1


GROUP_ANSWERS = {
    "displayName eq 'Project Phoenix'": 2,
    "displayName eq 'project phoenix' and mailNickname eq 'phoenix'": 1,
    "displayName in ('東京オフィス','Tokyo office')": 2,
    "startsWith(displayName,'Project')": 2,
    "groupTypes/any(c:c eq 'Unified')": 3,
    "securityEnabled eq true and mailEnabled eq true": 1,
    f"id in ('{GROUPS[0].id}')": 1,
    "isAssignableToRole eq true": 1,
}


@pytest.mark.parametrize("text", GROUP_ANSWERS, ids=str)
def test_groups_are_found(graph: httpx.Client, text: str) -> None:
    """Groups are found by name, nickname, id and kind."""
    reply = graph.get("/groups", params={"$filter": text})
    assert len(reply.json()["value"]) == GROUP_ANSWERS[text], reply.text


def test_groups_are_counted(graph: httpx.Client) -> None:
    """An advanced query of groups tells how many there are."""
    reply = graph.get("/groups?$count=true&$top=2&$select=id", headers=ADVANCED).json()
    assert (reply["@odata.count"], len(reply["value"])) == (len(GROUPS), 2)


def _pages(graph: httpx.Client, url: str) -> list[dict[str, Any]]:
    pages = []
    while url:
        page = graph.get(url).json()
        pages.append(page)
        url = page.get("@odata.nextLink", "")
    return pages


@given(size=st.integers(1, 30))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_pages_hold_everybody_once(company: httpx.Client, size: int) -> None:
    """Whatever the size of a page, all pages together are the list, in order."""
    url = f"/users?$select=userPrincipalName&$filter=accountEnabled eq true&$top={size}"
    pages = _pages(company, url)
    upns = [user["userPrincipalName"] for page in pages for user in page["value"]]
    assert upns == [p.upn for p in PEOPLE if not p.is_deleted and p.upn[:6] != "leaver"]
    assert {len(page["value"]) for page in pages[:-1]} <= {size}


def test_the_next_link_goes_where_the_caller_came_from(graph: httpx.Client) -> None:
    """A next link keeps the query and the host by which the caller knows the tenant."""
    page = graph.get("/users?$top=1&$select=id", headers={"Host": "graph.microsoft.com"}).json()
    link = page["@odata.nextLink"]
    assert link.startswith("http://graph.microsoft.com/v1.0/users?$top=1&$select=id&$skiptoken=")


def test_the_count_is_on_the_first_page_only(graph: httpx.Client) -> None:
    """`@odata.count` is told once."""
    first = graph.get("/users?$top=1&$count=true", headers=ADVANCED).json()
    second = graph.get(first["@odata.nextLink"], headers=ADVANCED).json()
    assert ("@odata.count" in first, "@odata.count" in second) == (True, False)


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """The grammar gives a tree or Graph's refusal, whatever it is given."""
    with suppress(errors.GraphError):
        assert filters.parse(text) == filters.parse(f"({text})")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_text_reads_as_it_was_quoted(value: str) -> None:
    """A quote inside a text is doubled, and nothing else is special."""
    quoted = value.replace("'", "''")
    assert filters.parse(f"a eq '{quoted}'") == filters.Compare("a", "eq", value)


def test_and_binds_tighter_than_or() -> None:
    """`a or b and c` is `a or (b and c)`."""
    one, two, three = (filters.Compare(name, "eq", 1) for name in "abc")
    expected = filters.Either((one, filters.Both((two, three))))
    assert filters.parse("a eq 1 or b eq 1 and c eq 1") == expected
