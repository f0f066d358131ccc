from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import EXTENSIONS, GROUPS, PEOPLE
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.data.properties import GROUP, USER, Kind
from reconciler.sandbox.query import filters

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.data.properties import Property

Made = Callable[..., dict[str, Any]]
ADVANCED = {"ConsistencyLevel": "eventual"}
MARK = "onPremisesExtensionAttributes/extensionAttribute15"
PERSON = {person.upn.partition("@")[0]: person for person in PEOPLE}
LIVING = {person.upn for person in PEOPLE if not person.is_deleted}
PROJECT = {person.upn for person in PEOPLE if ID_OF["PROJECTPROFESSIONAL"] in person.licenses}
UNLICENSED = {
    "breakglass@contoso.com",
    "leaver.lars@contoso.com",
    "unowned.uma@contoso.com",
}


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
    "businessPhones/any(p:p eq '1')": set(),
    "imAddresses/any(p:p eq '1')": set(),
    f"assignedLicenses/any(x:x/skuId eq {ID_OF['PROJECTPROFESSIONAL'].upper()})": PROJECT,
    f"assignedLicenses/any(x:x/skuId eq {ID_OF['PROJECTPROFESSIONAL']}) and surname eq 'Martin'": {
        "chloe.martin@contoso.com"
    },
    "department ge 'Finance' and department le 'Finance'": {
        "fatima.haddad@contoso.com",
        "synced.sam@contoso.com",
    },
    "startsWith(surname,'')": LIVING & {p.upn for p in PEOPLE if p.properties.get("surname")},
    "startsWith(displayName,'PRIYA RAMAN')": {"priya@contoso.com"},
    "startsWith(displayName,'Priya Ramb')": set(),
    "USERTYPE eq 'member' and accountEnabled eq false": {"leaver.lars@contoso.com"},
    f"id eq {PERSON['priya'].id}": {"priya@contoso.com"},
    "(userPrincipalName eq 'priya@contoso.com' or surname eq 'Nowak')": {
        "priya@contoso.com",
        "tomasz.nowak@contoso.com",
    },
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
    "NOT startsWith(displayName,'P') and surname eq 'Raman'": set(),
    "not(assignedLicenses/$count ne 0)": UNLICENSED,
    "assignedLicenses/$count eq 0": UNLICENSED,
    "accountEnabled ne true": {"leaver.lars@contoso.com"},
    "department eq null": LIVING - {p.upn for p in PEOPLE if p.properties.get("department")},
    "employeeType ge 'a' and employeeType le 'z'": set(),
    "endsWith(mail,'%')": set(),
    "otherMails/any(m:endsWith(m,'@example.com') or m eq 'x')": set(),
    "proxyAddresses/any(m:startsWith(m,'smtp:') and m le 'z')": set(),
    f"not(assignedLicenses/any(x:x/skuId eq {ID_OF['PROJECTPROFESSIONAL']}))": LIVING - PROJECT,
    "createdDateTime ge 2024-03-01T10:00:00+01:00": LIVING,
    "createdDateTime le 2024-03-01T08:59:59.6Z and userType eq 'Member'": LIVING,
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
    f"assignedLicenses/any(x:x/skuId eq {ID_OF['POWER_BI_PRO']})": 1,
    "startsWith(mailNickname,'research')": 1,
    "mailNickname ge 'phoenix' and mailNickname le 'phoenix'": 1,
    "createdDateTime le 2000-01-01T00:00:00Z": 0,
}


@pytest.mark.parametrize("text", GROUP_ANSWERS, ids=str)
def test_groups_are_found(company: httpx.Client, text: str) -> None:
    """Groups are found by name, nickname, id and kind."""
    reply = company.get("/groups", params={"$filter": text})
    assert len(reply.json()["value"]) == GROUP_ANSWERS[text], reply.text


@pytest.mark.parametrize(
    ("path", "filter_", "number"),
    [
        ("users", "accountEnabled eq false", 1),
        ("users", "accountEnabled ne false", len(LIVING) - 1),
        ("groups", "groupTypes/any(c:c eq 'Unified')", 3),
        ("groups", "not(groupTypes/any(c:c eq 'Unified'))", len(GROUPS) - 3),
    ],
)
def test_a_count_may_be_filtered(
    company: httpx.Client, path: str, filter_: str, number: int
) -> None:
    """`/$count` is an advanced query by itself, with any filter of those."""
    reply = company.get(f"/{path}/$count", params={"$filter": filter_}, headers=ADVANCED)
    assert reply.headers["content-type"].startswith("text/plain")
    assert int(reply.text) == number


@pytest.mark.parametrize("address", ["/v1.0//users", "/v1.0/Users", "/v1.0/users/"])
def test_addresses_are_taken_as_clients_write_them(company: httpx.Client, address: str) -> None:
    """Double slashes, other capitals and a slash at the end lead to the same list."""
    root = str(company.base_url).removesuffix("/v1.0/")
    assert len(company.get(f"{root}{address}").json()["value"]) == len(LIVING)


def test_keys_are_taken_as_clients_write_them(graph: httpx.Client, joiner: Made) -> None:
    """UPNs with special characters, in quotes or plain, and ids in any case name a user."""
    name = f"$odd#na'me{PERSON['priya'].id[:4]}"
    made = joiner(userPrincipalName=f"{name}@contoso.com")
    quoted = f"{name}@contoso.com".replace("'", "''").replace("$", "%24").replace("#", "%23")
    plain = quoted.replace("''", "'")
    for key in (f"users('{quoted.replace('@', '%40')}')", f"users/{plain}"):
        assert graph.get(f"/{key}").json()["id"] == made["id"]
    assert graph.get(f"/users/{made['id'].upper()}").json()["id"] == made["id"]


KINDS: dict[Kind, type | tuple[type, ...]] = {
    Kind.TEXTS: list,
    Kind.OTHERS: list,
    Kind.TEXT: (str, type(None)),
    Kind.MOMENT: (str, type(None)),
    Kind.BOOLEAN: (bool, type(None)),
    Kind.INTEGER: (int, type(None)),
    Kind.OTHER: (dict, type(None)),
}


@pytest.mark.parametrize(
    ("path", "properties"),
    [("/users/priya@contoso.com", USER), (f"/groups/{GROUPS[0].id}", GROUP)],
    ids=["user", "group"],
)
def test_whatever_is_selected_has_its_type(
    company: httpx.Client, path: str, properties: dict[str, Property]
) -> None:
    """Every property that Graph's description knows is shown when it is selected."""
    names = ",".join(prop.name for prop in properties.values())
    shown = company.get(path, params={"$select": names}).json()
    wrong = [
        prop.name
        for prop in properties.values()
        if not isinstance(shown[prop.name], KINDS[prop.kind])
    ]
    assert wrong == []


def test_options_that_are_not_odatas_are_passed_over(company: httpx.Client) -> None:
    """Only a `$` makes an option of OData of a name; those that are may do without."""
    shown = company.get("/users?shoes=2&top=3&SELECT=id").json()["value"]
    assert [set(user) for user in shown] == [{"id"}] * 3


def test_a_group_is_read_by_its_unique_name(graph: httpx.Client, token: Callable[..., str]) -> None:
    """`uniqueName` is a key of groups, and unknown ones are not found."""
    path = "/groups(uniqueName='queried')"
    assert graph.get(path).status_code == 404
    granted = {"Authorization": f"Bearer {token('Group.ReadWrite.All')}"}
    body = {
        "displayName": "Queried",
        "mailEnabled": False,
        "mailNickname": "queried",
        "securityEnabled": True,
    }
    made = graph.patch(path, json=body, headers={**granted, "Prefer": "create-if-missing"})
    assert made.status_code == 201, made.text
    assert graph.get(path).json()["id"] == made.json()["id"]
    graph.delete(f"/groups/{made.json()['id']}", headers=granted)


def test_an_unknown_name_is_passed_over_when_a_type_is_open(company: httpx.Client) -> None:
    """User and group are open types: `$select` of a name that they lack shows the others."""
    shown = company.get("/users/priya@contoso.com?$select=ID,shoeSize").json()
    whole = company.get("/users/priya@contoso.com?$select=*").json()
    assert shown.keys() == {"@odata.context", "id"}
    assert "displayName" in whole


def test_groups_are_counted(company: httpx.Client) -> None:
    """An advanced query of groups tells how many there are."""
    reply = company.get("/groups?$count=true&$top=2&$select=id", headers=ADVANCED).json()
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


WORDS = (
    *("displayName", "accountEnabled", "createdDateTime", "assignedLicenses/$count", "id"),
    *("eq", "ne", "ge", "in", "not", "and", "or", "startsWith(", "endsWith(", "(", ")", ","),
    *("'a'", "'%'", "true", "null", "0", "2026-01-01T00:00:00Z", "otherMails/any(x:x"),
    *("proxyAddresses/any(p:p eq 'x')", "assignedLicenses/any(s:s/skuId eq 'x')"),
    *("asc", "desc", "manager", "members", "$levels=", ";", ":", '"displayName:a"', "AND", "OR"),
    *("cm93OjU6W10=", "userPrincipalName", "shoeSize", "*"),
)
PATHS = (
    "/users",
    "/users/$count",
    "/groups",
    f"/users/{PERSON['priya'].id}/transitiveMemberOf",
    f"/groups/{GROUPS[0].id}/members",
    f"/groups/{GROUPS[0].id}/transitiveMembers/microsoft.graph.user",
    "/directory/deletedItems/microsoft.graph.user",
)


@given(
    path=st.sampled_from(PATHS),
    query=st.dictionaries(
        st.sampled_from(("$filter", "$search", "$orderby", "$expand", "$skiptoken", "$select")),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join),
    ),
    is_advanced=st.booleans(),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_query_is_answered_or_refused(
    company: httpx.Client, path: str, query: dict[str, str], *, is_advanced: bool
) -> None:
    """No query breaks the tenant: it is answered, or refused in Graph's envelope."""
    reply = company.get(
        path,
        params=query | ({"$count": "true"} if is_advanced else {}),
        headers=ADVANCED if is_advanced else {},
    )
    assert reply.status_code in {200, 400, 501}, reply.text


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
