from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson
import pytest
from kiota_abstractions.method import Method

from reconciler.fields import FIELDS
from reconciler.graph.requests import Requests, in_filters, mark_path, mark_property, quoted
from reconciler.model import CohortName, ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

    from tests.graph.conftest import Wire

    Shown = Callable[[RequestInformation], Wire]
    Make = Callable[[Requests], RequestInformation]

ROOT = "https://graph.example/v1.0"
SLOT = "extensionAttribute15"
EXTENSION = "extension_b1f0_onboardedBy"
EXTENSION_OF_ANYBODY = f"extension_{'a' * 32}_{'n' * 30}"
ADA, GRACE, STAFF, ROLE = (ObjectId(name) for name in ("ada-id", "grace-id", "staff-id", "role-id"))
SELECT = ",".join(
    [
        "id",
        "userPrincipalName",
        *(field.name for field in FIELDS),
        "licenseAssignmentStates",
        "onPremisesSyncEnabled",
    ]
)
WHOLE = f"{SELECT},onPremisesExtensionAttributes"
MANAGER = "$expand=manager($select=id,userPrincipalName)"
GROUP = (
    "$select=id,displayName,groupTypes,mailEnabled,onPremisesSyncEnabled,isAssignableToRole,"
    "assignedLicenses"
)

READS: dict[str, tuple[Make, str]] = {
    "organization": (lambda r: r.organization(), "/organization"),
    "domains": (lambda r: r.domains(), "/domains"),
    "subscribedSkus": (lambda r: r.subscribed_skus(), "/subscribedSkus"),
    "roleDefinitions": (
        lambda r: r.role_definitions(),
        "/roleManagement/directory/roleDefinitions",
    ),
    "roleAssignments": (
        lambda r: r.role_assignments(ROLE),
        "/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq 'role-id'",
    ),
    "deleted users": (
        lambda r: r.deleted_users(SLOT),
        f"/directory/deletedItems/graph.user?$select={WHOLE},deletedDateTime&$top=999",
    ),
    "members": (lambda r: r.members(STAFF), "/groups/staff-id/members?$select=id&$top=999"),
    "member of": (lambda r: r.member_of(ADA), "/users/ada-id/memberOf?$select=id&$top=999"),
    "groups like": (
        lambda r: r.groups_like("O'Hara"),
        f"/groups?$filter=startsWith(displayName,'O')&{GROUP}&$top=999",
    ),
}


@pytest.mark.parametrize(("make", "url"), READS.values(), ids=READS)
def test_reads(make: Make, url: str, requests: Requests, wire: Shown) -> None:
    """Every question is one GET without a body, for exactly what is needed."""
    sent = wire(make(requests))

    assert (sent.method, sent.url.replace("microsoft.graph.user", "graph.user"), sent.body) == (
        "GET",
        url,
        None,
    )


SLOT_PATH = f"onPremisesExtensionAttributes/{SLOT}"
LISTS: dict[str, tuple[Callable[[Requests], list[RequestInformation]], list[str]]] = {
    "users": (
        lambda r: r.users(SLOT, names=["ada@contoso.com", "o'hara@contoso.com"], ids=[ADA]),
        [
            (
                f"/users?{MANAGER}&$filter=userPrincipalName in "
                f"('ada@contoso.com','o''hara@contoso.com')&$select={WHOLE}"
            ),
            f"/users?{MANAGER}&$filter=id in ('ada-id')&$select={WHOLE}",
        ],
    ),
    "users, marked by an extension": (
        lambda r: r.users(EXTENSION, ids=[ADA]),
        [f"/users?{MANAGER}&$filter=id in ('ada-id')&$select={SELECT},{EXTENSION}"],
    ),
    "marked": (
        lambda r: r.marked(SLOT, "hr-sync"),
        [f"/users?$count=true&$filter=startsWith({SLOT_PATH},'hr-sync/')&$select={WHOLE}&$top=999"],
    ),
    "marked by an extension": (
        lambda r: r.marked(EXTENSION, "hr-sync"),
        [
            (
                f"/users?$count=true&$filter=startsWith({EXTENSION},'hr-sync/')"
                f"&$select={SELECT},{EXTENSION}&$top=999"
            )
        ],
    ),
    "marked for cohorts": (
        lambda r: r.marked(SLOT, "hr", [CohortName("b"), CohortName("a")]),
        [f"/users?$count=true&$filter={SLOT_PATH} in ('hr/a','hr/b')&$select={WHOLE}&$top=999"],
    ),
    "people": (
        lambda r: r.people(["ada@contoso.com"], ["ada-id"]),
        [
            "/users?$filter=userPrincipalName in ('ada@contoso.com')&$select=id,userPrincipalName",
            "/users?$filter=id in ('ada-id')&$select=id,userPrincipalName",
        ],
    ),
    "groups": (
        lambda r: r.groups(["R&D #1"], ["staff-id"]),
        [
            f"/groups?$filter=displayName in ('R&D #1')&{GROUP}",
            f"/groups?$filter=id in ('staff-id')&{GROUP}",
        ],
    ),
    "nobody": (
        lambda r: [*r.users(SLOT), *r.people([], []), *r.groups([], []), *r.marked(SLOT, "a", [])],
        [],
    ),
}


@pytest.mark.parametrize(("make", "urls"), LISTS.values(), ids=LISTS)
def test_reads_by_name(
    make: Callable[[Requests], list[RequestInformation]],
    urls: list[str],
    requests: Requests,
    wire: Shown,
) -> None:
    """Names go into filters, their quotes doubled; nobody is asked for nothing."""
    assert [wire(info).url for info in make(requests)] == urls


def test_characters_of_names_do_not_end_a_url(requests: Requests) -> None:
    """What means something in a URL is encoded, so that a name stays one value."""
    (users,) = requests.users(SLOT, names=["a&b#c+d'e@contoso.com"])
    users.path_parameters["baseurl"] = ROOT

    assert "%27a%26b%23c%2Bd%27%27e%40contoso.com%27" in users.url


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("o'hara@contoso.com", "/users('o%27%27hara%40contoso.com')"),
        ("lab#1@contoso.com", "/users('lab%231%40contoso.com')"),
        ("$name@contoso.com", "/users('%24name%40contoso.com')"),
    ],
)
def test_a_name_in_a_path_is_encoded(name: str, path: str, requests: Requests) -> None:
    """A UPN may hold an apostrophe, a number sign or a dollar sign, which would end the path."""
    info = requests.identity(name, SLOT)
    info.path_parameters["baseurl"] = ROOT

    assert info.url.removeprefix(ROOT).partition("?")[0] == path


def test_identity_asks_for_the_mark(requests: Requests, wire: Shown) -> None:
    """Looking for an account that this run may have made takes its id and its mark."""
    sent = wire(requests.identity("ada@contoso.com", EXTENSION))

    assert sent.url == f"/users('ada@contoso.com')?$select=id,userPrincipalName,{EXTENSION}"


def test_an_advanced_query_says_so(requests: Requests, wire: Shown) -> None:
    """Marks are looked up only with this header beside `$count`."""
    (marked,) = requests.marked(SLOT, "hr-sync")

    assert wire(marked).headers["consistencylevel"] == "eventual"
    assert "consistencylevel" not in wire(requests.members(STAFF)).headers


WRITES: dict[str, tuple[Make, str, str, bytes | None]] = {
    "create": (
        lambda r: r.create_user({"displayName": "Zoë", "city": None}),
        "POST",
        "/users",
        '{"displayName":"Zoë","city":null}'.encode(),
    ),
    "update, clearing": (
        lambda r: r.update_user(ADA, {"jobTitle": None, "businessPhones": []}),
        "PATCH",
        "/users/ada-id",
        b'{"jobTitle":null,"businessPhones":[]}',
    ),
    "delete": (lambda r: r.delete_user(ADA), "DELETE", "/users/ada-id", None),
    "restore": (
        lambda r: r.restore_user(ADA),
        "POST",
        "/directory/deletedItems/ada-id/restore",
        b"{}",
    ),
    "revoke sessions": (
        lambda r: r.revoke_sessions(ADA),
        "POST",
        "/users/ada-id/revokeSignInSessions",
        b"{}",
    ),
    "set manager": (
        lambda r: r.set_manager(ADA, GRACE, ROOT),
        "PUT",
        "/users/ada-id/manager/$ref",
        b'{"@odata.id":"https://graph.example/v1.0/users/grace-id"}',
    ),
    "clear manager": (
        lambda r: r.clear_manager(ADA),
        "DELETE",
        "/users/ada-id/manager/$ref",
        None,
    ),
    "assign license": (
        lambda r: r.assign_license(ADA, [{"skuId": "e5", "disabledPlans": []}], []),
        "POST",
        "/users/ada-id/assignLicense",
        b'{"addLicenses":[{"skuId":"e5","disabledPlans":[]}],"removeLicenses":[]}',
    ),
    "add member": (
        lambda r: r.add_member(STAFF, ADA, ROOT),
        "POST",
        "/groups/staff-id/members/$ref",
        b'{"@odata.id":"https://graph.example/v1.0/directoryObjects/ada-id"}',
    ),
    "add members": (
        lambda r: r.add_members(STAFF, [ADA, GRACE], ROOT),
        "PATCH",
        "/groups/staff-id",
        (
            b'{"members@odata.bind":["https://graph.example/v1.0/directoryObjects/ada-id",'
            b'"https://graph.example/v1.0/directoryObjects/grace-id"]}'
        ),
    ),
    "remove member": (
        lambda r: r.remove_member(STAFF, ADA),
        "DELETE",
        "/groups/staff-id/members/ada-id/$ref",
        None,
    ),
    "assign role": (
        lambda r: r.assign_role(ADA, ROLE, "/"),
        "POST",
        "/roleManagement/directory/roleAssignments",
        (
            b'{"@odata.type":"#microsoft.graph.unifiedRoleAssignment","roleDefinitionId":"role-id",'
            b'"principalId":"ada-id","directoryScopeId":"/"}'
        ),
    ),
    "revoke role": (
        lambda r: r.revoke_role(ROLE),
        "DELETE",
        "/roleManagement/directory/roleAssignments/role-id",
        None,
    ),
}


@pytest.mark.parametrize(("make", "method", "url", "body"), WRITES.values(), ids=WRITES)
def test_writes(  # noqa: PLR0913, PLR0917 -- the columns of the table
    make: Make, method: str, url: str, body: bytes | None, requests: Requests, wire: Shown
) -> None:
    """Every write is these bytes: null really is null, and a body has its type."""
    sent = wire(make(requests))

    assert (sent.method, sent.url, sent.body) == (method, url, body)
    assert sent.headers.get("content-type") == ("application/json" if body else None)


@pytest.mark.parametrize("number", [0, 1, 15, 16, 31])
def test_filters_hold_fifteen_values(number: int) -> None:
    """Graph takes fifteen values of `in` in a default query; none is lost or repeated."""
    values = [f"v{n}" for n in range(number)]

    filters = list(in_filters("id", values))

    assert len(filters) == -(-number // 15)
    assert [f.count("'") // 2 <= 15 for f in filters] == [True] * len(filters)
    found = [v.strip("'") for f in filters for v in f.removeprefix("id in (")[:-1].split(",")]
    assert found == values


def test_advanced_queries_fit_into_their_address(requests: Requests) -> None:
    """However long its cohorts' names are, no address has more than 2,048 characters."""
    cohorts = [CohortName(f"{n:02}{'c' * 62}") for n in range(40)]

    urls = []
    for info in requests.marked(EXTENSION_OF_ANYBODY, "s" * 64, cohorts):
        info.path_parameters["baseurl"] = ROOT
        urls.append(info.url)

    assert max(map(len, urls)) <= 2048
    marks = re.findall(r"s{64}/(\d\d)c{62}", unquote(" ".join(urls)))
    assert sorted(marks) == [f"{n:02}" for n in range(40)]
    assert len(requests.marked(SLOT, "hr", [CohortName(f"c{n}") for n in range(40)])) == 3


def test_quotes_are_doubled() -> None:
    """A quote in a value is not the end of it."""
    assert quoted("' or 1 eq 1 or 'x' eq '") == "''' or 1 eq 1 or ''x'' eq '''"


@pytest.mark.parametrize(
    ("ownership", "selected", "filtered"),
    [
        (SLOT, "onPremisesExtensionAttributes", f"onPremisesExtensionAttributes/{SLOT}"),
        (EXTENSION, EXTENSION, EXTENSION),
    ],
)
def test_where_the_mark_lives(ownership: str, selected: str, filtered: str) -> None:
    """An extensionAttribute lives in an object, a directory extension on the user."""
    assert (mark_property(ownership), mark_path(ownership)) == (selected, filtered)


def test_bodies_are_json_whoever_reads_them(client: GraphServiceClient, wire: Shown) -> None:
    """The SDK's own serialisation is never asked, since it drops null."""
    info = Requests(client).update_user(ADA, {"jobTitle": None})

    assert info.http_method is Method.PATCH
    assert orjson.loads(wire(info).body or b"") == {"jobTitle": None}
