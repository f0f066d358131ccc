"""Every row of the table of refusals, provoked over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE, stable_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

ABSENT = "00000000-0000-4000-8000-000000000000"
GROUP_ID = {group.nickname: group.id for group in GROUPS}
PERSON_ID = {person.upn: person.id for person in PEOPLE}
PRIYA = PERSON_ID["priya@contoso.com"]
UMA = "/users/unowned.uma@contoso.com"
ROLES = "/roleManagement/directory/roleAssignments"
ADVANCED = {"ConsistencyLevel": "eventual"}
MARK = "onPremisesExtensionAttributes/extensionAttribute15"


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _bind(*keys: str) -> dict[str, list[str]]:
    return {"members@odata.bind": [_reference(key)["@odata.id"] for key in keys]}


def _licenses(*skus: str, remove: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    return {"addLicenses": [{"skuId": s, **more} for s in skus], "removeLicenses": list(remove)}


@dataclass(frozen=True)
class Case:
    """A request and the row that refuses it, with what fills the row's slots."""

    row: str
    method: str
    path: str
    body: Any = None
    slots: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.row} {self.method} {self.path[:40]}"


def _post(row: str, changes: dict[str, Any], **slots: object) -> Case:
    """Give a creation that is refused for *changes* of an acceptable body."""
    return Case(row, "POST", "/users", changes, slots)


def _batch(row: str, *requests: object, **slots: object) -> Case:
    return Case(row, "POST", "/$batch", {"requests": list(requests)}, slots)


def _get(row: str, path: str, headers: dict[str, str] | None = None, **slots: object) -> Case:
    return Case(row, "GET", path, None, slots, headers or {})


def _or(number: int) -> str:
    return " or ".join(f"id eq '{n}'" for n in range(number))


CREATION = [
    _post("DUPLICATE_UPN", {"userPrincipalName": "PRIYA@contoso.com"}),
    _post("UNVERIFIED_DOMAIN", {"userPrincipalName": "ada@contoso.dev"}),
    _post("UNVERIFIED_DOMAIN", {"userPrincipalName": "ada@example.com"}),
    _post("BAD_UPN", {"userPrincipalName": "ada lovelace@contoso.com"}),
    _post("BAD_UPN", {"userPrincipalName": "ada.@contoso.com"}),
    _post("BAD_UPN", {"userPrincipalName": "contoso.com"}),
    _post("BAD_UPN", {"userPrincipalName": f"{'a' * 65}@contoso.com"}),
    _post("WEAK_PASSWORD", {"passwordProfile": {"password": "lowercaseonly"}}),
    _post("WEAK_PASSWORD", {"passwordProfile": {"password": "Sh0rt!"}}),
    _post("WEAK_PASSWORD", {"passwordProfile": {"password": "Aa1!" * 65}}),
    _post("WEAK_PASSWORD", {"passwordProfile": {"password": "Pässword-Nine-9"}}),
    _post("WEAK_PASSWORD", {"passwordProfile": {"password": "P@ssw0rd1"}}),
    _post("NO_PASSWORD", {"passwordProfile": ...}),
    _post("NO_PASSWORD", {"passwordProfile": {}}),
    _post("NO_MAIL_NICKNAME", {"mailNickname": ...}),
    _post("NO_MAIL_NICKNAME", {"mailNickname": ""}),
    _post("REQUIRED", {"displayName": ...}, property="displayName"),
    _post("REQUIRED", {"accountEnabled": None}, property="accountEnabled"),
    _post("REQUIRED", {"userPrincipalName": ...}, property="userPrincipalName"),
    _post("BAD_VALUE", {"givenName": ""}, property="givenName"),
    _post("BAD_VALUE", {"displayName": "x" * 257}, property="displayName"),
    _post("BAD_VALUE", {"employeeId": "x" * 17}, property="employeeId"),
    _post("BAD_VALUE", {"mailNickname": "a b"}, property="mailNickname"),
    _post("BAD_VALUE", {"usageLocation": "XX"}, property="usageLocation"),
    _post("BAD_VALUE", {"usageLocation": "GBR"}, property="usageLocation"),
    _post("BAD_VALUE", {"businessPhones": ["1", "2"]}, property="businessPhones"),
    _post("BAD_VALUE", {"employeeHireDate": "soon"}, property="employeeHireDate"),
    _post("BAD_VALUE", {"ageGroup": "Old"}, property="ageGroup"),
    _post(
        "BAD_VALUE",
        {"onPremisesExtensionAttributes": {"extensionAttribute15": ""}},
        property="extensionAttribute15",
    ),
    _post("BAD_LENGTH", {"mobilePhone": "1" * 65}, property="mobilePhone", limit=64),
    _post("UNKNOWN_PROPERTY", {"shoeSize": 43}, property="shoeSize"),
    _post("UNKNOWN_PROPERTY", {"passwordProfile": {"hint": "x"}}, property="hint"),
    _post(
        "UNKNOWN_PROPERTY",
        {"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}},
        property="extensionAttribute16",
    ),
    _post("READ_ONLY_PROPERTY", {"createdDateTime": "x"}, property="createdDateTime"),
    _post("WRONG_TYPE", {"department": 7}, kind="String"),
    _post("WRONG_TYPE", {"accountEnabled": "true"}, kind="Boolean"),
    _post("WRONG_TYPE", {"passwordProfile": {"password": 12345678}}, kind="String"),
    _post(
        "WRONG_NODE",
        {"usageLocation": {"label": "GB"}},
        found="StartObject",
        property="usageLocation",
        expected="PrimitiveValue",
    ),
    _post(
        "WRONG_NODE",
        {"businessPhones": "1"},
        found="PrimitiveValue",
        property="businessPhones",
        expected="StartArray",
    ),
    _post(
        "WRONG_NODE",
        {"passwordProfile": ["x"]},
        found="StartArray",
        property="passwordProfile",
        expected="StartObject",
    ),
    _post("NAVIGATION", {"manager": {"id": PRIYA}}, property="manager"),
    _post("NAVIGATION", {"manager@odata.bind": "x"}, property="manager"),
    _post(
        "UNKNOWN_EXTENSION",
        {f"extension_{'0' * 32}_mark": "x"},
        property=f"extension_{'0' * 32}_mark",
    ),
    Case("BAD_JSON", "POST", "/users", ["not an object"]),
]

OTHERS = [
    # users
    _get("NO_RESOURCE", "/users/nobody@contoso.com", id="nobody@contoso.com"),
    _get("NO_RESOURCE", f"/users/{ABSENT}", id=ABSENT),
    Case("REQUIRED", "PATCH", UMA, {"displayName": None}, {"property": "displayName"}),
    Case("REQUIRED", "PATCH", UMA, {"usageLocation": None}, {"property": "usageLocation"}),
    Case("DUPLICATE_UPN", "PATCH", UMA, {"userPrincipalName": "priya@contoso.com"}),
    Case("UNVERIFIED_DOMAIN", "PATCH", UMA, {"userPrincipalName": "uma@contoso.dev"}),
    Case("SYNCED", "PATCH", "/users/synced.sam@contoso.com", {"department": "Law"}),
    Case(
        "SYNCED",
        "PUT",
        "/users/synced.sam@contoso.com/manager/$ref",
        _reference(PRIYA),
    ),
    *(
        Case(
            "EXTERNAL_ORIGIN",
            "PATCH",
            f"/users/{upn}",
            {"onPremisesExtensionAttributes": {"extensionAttribute15": "x"}},
        )
        for upn in ("synced.sam@contoso.com", "once.synced@contoso.com")
    ),
    Case("DENIED", "PATCH", UMA, {"passwordProfile": {"password": "Correct-Horse-9"}}),
    Case("DENIED", "PATCH", "/users/breakglass@contoso.com", {"accountEnabled": False}),
    Case("DENIED", "DELETE", "/users/maria.admin@contoso.com"),
    Case("DENIED", "DELETE", "/users/george.papas@contoso.com"),
    Case("DENIED", "POST", "/users/maria.admin@contoso.com/revokeSignInSessions", {}),
    _get("DENIED", "/directory/administrativeUnits"),
    Case("DENIED", "POST", "/directoryObjects/getByIds", {"ids": [PRIYA]}),
    _get("NO_RESOURCE", "/users/breakglass@contoso.com/manager", id="manager"),
    Case(
        "NO_RESOURCE",
        "DELETE",
        "/users/breakglass@contoso.com/manager/$ref",
        None,
        {"id": "manager"},
    ),
    Case("NO_RESOURCE", "PUT", f"{UMA}/manager/$ref", _reference(ABSENT), {"id": ABSENT}),
    Case("BAD_REFERENCE", "PUT", f"{UMA}/manager/$ref", {"@odata.id": "?"}, {"reference": "?"}),
    # addresses
    _get("NO_SEGMENT", "/planets", segment="planets"),
    _get("NO_SEGMENT", f"/users/{PRIYA}/shoes", segment="shoes"),
    Case("METHOD_NOT_ALLOWED", "DELETE", "/users"),
    Case("METHOD_NOT_ALLOWED", "GET", "/$batch"),
    # queries
    _get("PAGE_SIZE", "/users?$top=1000", size="1000"),
    _get("PAGE_SIZE", "/users?$top=0", size="0"),
    _get("PAGE_SIZE", "/users?$top=many", size="many"),
    _get("TOO_MANY_CLAUSES", f"/users?$filter={_or(16)}", count=16),
    _get(
        "TOO_MANY_CLAUSES",
        f"/users?$filter=userPrincipalName in ({','.join(['%27a%27'] * 18)})",
        count=18,
    ),
    _get("UNSUPPORTED", "/users?$filter=department ne 'Law'"),
    _get("UNSUPPORTED", "/users?$filter=department eq null"),
    _get("UNSUPPORTED", "/users?$filter=not(department eq 'Law')"),
    _get("UNSUPPORTED", "/users?$filter=endsWith(userPrincipalName,'.com')"),
    _get("UNSUPPORTED", "/users?$filter=contains(displayName,'a')&$count=true", ADVANCED),
    _get("UNSUPPORTED", "/users?$filter=startsWith(id,'a')"),
    _get("UNSUPPORTED", f"/users?$filter=displayName eq '{'x' * 121}'"),
    _get("UNSUPPORTED", "/users?$filter=preferredDataLocation eq 'x'"),
    _get("UNSUPPORTED", "/users?$filter=manager/any(x:x eq 'y')"),
    _get("UNSUPPORTED", "/users?$filter=otherMails/any(x:x ne 'y')"),
    _get("UNSUPPORTED", f"/users?$filter={MARK} eq 'x'", ADVANCED),
    _get("UNSUPPORTED", f"/users?$filter={MARK} eq 'x'&$count=true"),
    _get(
        "UNSUPPORTED",
        f"/users?$count=true&$filter={' or '.join([_or(15)] * 20)}",
        ADVANCED,
    ),
    _get("UNSUPPORTED", f"/groups/{GROUP_ID['research-all']}/members/microsoft.graph.user"),
    _get("NOT_INDEXED", "/users?$filter=officeLocation eq 'London'"),
    _get("UNDECLARED", f"/users?$filter={MARK} eq 'x'", property="extensionAttribute15"),
    _get("UNDECLARED", "/users?$filter=shoeSize eq '43'", property="shoeSize"),
    _get(
        "UNDECLARED",
        f"/users?$filter=extension_{'0' * 32}_mark eq 'x'",
        property=f"extension_{'0' * 32}_mark",
    ),
    _get("COUNT_UNSUPPORTED", "/users/$count"),
    _get("SEARCH_NEEDS_HEADER", "/users?$search=x"),
    _get("SKIP_UNSUPPORTED", "/users?$skip=1"),
    _get("SKIP_UNSUPPORTED", "/groups?$skip=1"),
    _get("UNSUPPORTED", "/domains?$orderby=id"),
    _get("UNSUPPORTED", "/domains?$filter=isDefault eq true"),
    _get("UNSUPPORTED", "/domains?$expand=rootDomain"),
    _get("UNSUPPORTED", "/domains/contoso.com?$expand=rootDomain"),
    _get("UNSUPPORTED", "/organization?$filter=id eq 'x'"),
    _get("UNSUPPORTED", "/subscribedSkus?$expand=servicePlans"),
    _get("UNSUPPORTED", f"/users/{PRIYA}/licenseDetails?$filter=id eq 'x'"),
    *(
        _get("NOT_COLLECTION", f"{path}?{option}")
        for option in ("$filter=id eq 'x'", "$top=1", "orderby=id", "$skip=1")
        for path in (
            "/domains/contoso.com",
            f"/users/{PRIYA}",
            f"/users/{PRIYA}/manager",
            f"/groups/{GROUP_ID['contractors']}",
        )
    ),
    _get("UNSUPPORTED", f"/users/{PRIYA}/transitiveMemberOf?$filter=id eq 'x'"),
    _get("UNSUPPORTED", "/users?$filter=displayName gt 'a'&$count=true", ADVANCED),
    _get("UNSUPPORTED", "/users?$filter=displayName ge 'a'&$count=true", ADVANCED),
    _get("UNSUPPORTED", "/users?$filter=otherMails/$count eq 0"),
    _get("UNSUPPORTED", "/users?$filter=otherMails/$count eq 2&$count=true", ADVANCED),
    _get("UNSUPPORTED", "/users?$filter=otherMails/$count ge 0&$count=true", ADVANCED),
    _get("UNSUPPORTED", "/users?$filter=otherMails/any(x:x/y eq 'z')"),
    _get("UNSUPPORTED", "/users?$filter=otherMails/any(x:endsWith(x,'z'))"),
    _get("UNSUPPORTED", "/users?$filter=employeeId le 'x'"),
    _get("UNSUPPORTED", f"/users?$filter={' and '.join(['id eq 1'] * 510)}"),
    _get("OPTION_TWICE", "/users?$top=1&top=2", option="top"),
    _get("OPTION_UNKNOWN", "/users?$shoes=1", option="$shoes"),
    _get("BAD_COUNT", "/users?$count=yes", value="yes"),
    _get("NOT_ON_COLLECTION", "/users?$select=id,AboutMe", property="aboutMe"),
    *(
        _get("BAD_FILTER", f"/users?$filter={text}")
        for text in (
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'a' 'b'",
            "displayName eq 'open",
            "displayName is 'a'",
            "accountEnabled eq 'true'",
            "displayName eq true",
            "displayName ge null",
            "createdDateTime ge '2026-01-01'",
            "startsWith(accountEnabled,'x')",
            "startsWith(displayName)",
            "otherMails/any(x:x in ('a'))",
            "otherMails/any(x:y eq 'a')",
            "otherMails/any()",
            "assignedLicenses/any(x:x/skuId eq 7)",
            "createdDateTime ge 2026-13-01T00:00:00Z",
            "department has 'a'",
            "not " * 40 + "id eq 'a'",
            "createdDateTime ge 9999-12-31T23:59:59.9Z",
            "displayName in ('a' 'b')",
            "(" * 40 + "id eq 'a'" + ")" * 40,
        )
    ),
    _get("UNKNOWN_SELECT", "/domains?$select=shoes", property="shoes", type="domain"),
    _get(
        "UNKNOWN_SELECT",
        f"{ROLES}?$select=shoes",
        property="shoes",
        type="unifiedRoleAssignment",
    ),
    *(_get("PAGE_TOKEN", f"/users?$skiptoken={token}") for token in ("x", "cm93Ong=", "Zm9v")),
    # licenses
    Case(
        "PARAMETERS",
        "POST",
        f"{UMA}/assignLicense",
        {"addLicenses": []},
        {"operation": "assignLicense", "missing": "removeLicenses"},
    ),
    Case("NO_USAGE_LOCATION", "POST", f"{UMA}/assignLicense", _licenses(ID_OF["SPE_E5"])),
    Case("UNKNOWN_SKU", "POST", f"{UMA}/assignLicense", _licenses(ABSENT), {"sku": ABSENT}),
    Case(
        "COMPANY_SKU",
        "POST",
        f"{UMA}/assignLicense",
        _licenses(ID_OF["WINDOWS_STORE"]),
        {"sku": ID_OF["WINDOWS_STORE"]},
    ),
    *(
        Case(
            "NO_SEATS",
            "POST",
            "/users/priya@contoso.com/assignLicense",
            _licenses(ID_OF[name]),
            {"sku": ID_OF[name]},
        )
        for name in ("PROJECTPROFESSIONAL", "VISIOCLIENT")
    ),
    Case(
        "INHERITED",
        "POST",
        "/users/diego.fernandez@contoso.com/assignLicense",
        _licenses(remove=(ID_OF["POWER_BI_PRO"],)),
    ),
    Case("NOT_HELD", "POST", f"{UMA}/assignLicense", _licenses(remove=(ID_OF["SPE_E3"],))),
    *(
        Case("WRONG_TYPE", "POST", f"{UMA}/assignLicense", body, {"kind": "Guid"})
        for body in (
            _licenses("SPE_E5"),
            _licenses(remove=("SPE_E5",)),
            _licenses(ID_OF["SPE_E5"], disabledPlans=["SWAY"]),
            {"addLicenses": ["x"], "removeLicenses": []},
        )
    ),
    Case(
        "UNKNOWN_PLANS",
        "POST",
        f"{UMA}/assignLicense",
        _licenses(ID_OF["SPE_E5"], disabledPlans=[ABSENT]),
        {"plans": ABSENT},
    ),
    Case(
        "PLAN_DEPENDENCY",
        "POST",
        "/users/leaver.lars@contoso.com/assignLicense",
        _licenses(ID_OF["SPE_E3"], disabledPlans=["e95bec33-7c88-4a70-8e19-b10bd9d0c014"]),
        {
            "plan": "5dbe027f-2339-4123-9542-606e4d348a72",
            "needs": "e95bec33-7c88-4a70-8e19-b10bd9d0c014",
        },
    ),
    Case(
        "WRONG_NODE",
        "POST",
        f"{UMA}/assignLicense",
        _licenses(ID_OF["SPE_E3"], disabledPlans="all"),
        {"found": "PrimitiveValue", "property": "disabledPlans", "expected": "StartArray"},
    ),
    # groups
    _get("BAD_ID", "/groups/Tokyo", id="Tokyo"),
    _get("NO_RESOURCE", f"/groups/{ABSENT}", id=ABSENT),
    Case(
        "ALREADY_MEMBER",
        "POST",
        f"/groups/{GROUP_ID['research-all']}/members/$ref",
        _reference(PRIYA),
    ),
    Case(
        "TWICE_IN_ONE_CHANGE",
        "PATCH",
        f"/groups/{GROUP_ID['helpdesk-pilot']}",
        _bind(PRIYA, PRIYA),
    ),
    Case("TOO_MANY_LINKS", "PATCH", f"/groups/{GROUP_ID['helpdesk-pilot']}", _bind(*[PRIYA] * 21)),
    Case(
        "BAD_REFERENCE",
        "PATCH",
        f"/groups/{GROUP_ID['helpdesk-pilot']}",
        {"members@odata.bind": []},
        {"reference": []},
    ),
    Case(
        "NO_RESOURCE",
        "POST",
        f"/groups/{GROUP_ID['helpdesk-pilot']}/members/$ref",
        _reference(ABSENT),
        {"id": ABSENT},
    ),
    Case(
        "BARE_MEMBERS", "POST", f"/groups/{GROUP_ID['helpdesk-pilot']}/members", _reference(PRIYA)
    ),
    *(
        Case(row, method, f"/groups/{GROUP_ID[name]}{path}", body)
        for row, name in (
            ("DENIED", "all-employees"),
            ("SYNCED", "finance-onprem"),
            ("MAIL_GROUP", "newsletter"),
            ("MAIL_GROUP", "site-alerts"),
        )
        for method, path, body in (
            ("POST", "/members/$ref", _reference(PERSON_ID["unowned.uma@contoso.com"])),
            ("PATCH", "", _bind(PERSON_ID["unowned.uma@contoso.com"])),
            ("DELETE", f"/members/{PRIYA}/$ref", None),
        )
    ),
    *(
        Case(
            "NO_RESOURCE",
            "DELETE",
            f"/groups/{GROUP_ID['helpdesk-pilot']}/members/{PRIYA}{suffix}",
            None,
            {"id": PRIYA},
        )
        for suffix in ("/$ref", "")
    ),
    Case("BAD_ID", "POST", f"/users/{PRIYA}/checkMemberGroups", {"groupIds": "x"}, {"id": "x"}),
    # the company
    *(
        _get("NO_RESOURCE", f"/{path}/x", id="x")
        for path in ("domains", "organization", "subscribedSkus", ROLES[1:])
    ),
    _get("NO_RESOURCE", "/roleManagement/directory/roleDefinitions/x", id="x"),
    _get("NO_RESOURCE", f"/directory/deletedItems/{PRIYA}", id=PRIYA),
    # roles
    Case(
        "UNKNOWN_ROLE",
        "POST",
        ROLES,
        {"roleDefinitionId": ABSENT, "principalId": PRIYA, "directoryScopeId": "/"},
        {"id": ABSENT},
    ),
    Case(
        "ROLE_SCOPE",
        "POST",
        ROLES,
        {
            "roleDefinitionId": BUILT_IN["Reports Reader"],
            "principalId": PRIYA,
            "directoryScopeId": "/x",
        },
        {"scope": "/x"},
    ),
    Case(
        "NO_RESOURCE",
        "POST",
        ROLES,
        {
            "roleDefinitionId": BUILT_IN["Reports Reader"],
            "principalId": ABSENT,
            "directoryScopeId": "/",
        },
        {"id": ABSENT},
    ),
    Case(
        "NOT_ROLE_ASSIGNABLE",
        "POST",
        ROLES,
        {
            "roleDefinitionId": BUILT_IN["Reports Reader"],
            "principalId": GROUP_ID["tokyo"],
            "directoryScopeId": "/",
        },
    ),
    Case(
        "CONFLICTING",
        "POST",
        ROLES,
        {
            "roleDefinitionId": BUILT_IN["Global Administrator"],
            "principalId": PERSON_ID["breakglass@contoso.com"],
            "directoryScopeId": "/",
        },
    ),
    _get("UNKNOWN_SELECT", f"{ROLES}?$expand=x", property="x", type="unifiedRoleAssignment"),
    # batches
    Case("BATCH_INVALID", "POST", "/$batch", ["x"]),
    _batch("BATCH_INVALID"),
    _batch("BATCH_INVALID", "x"),
    _batch("BATCH_INVALID", {"id": "1", "method": "GET"}),
    _batch("BATCH_INVALID", {"id": "1", "method": "GET", "url": "/x", "headers": "x"}),
    _batch("BATCH_INVALID", {"id": "1", "method": "GET", "url": "/x", "dependsOn": "x"}),
    _batch(
        "BATCH_TOO_LONG", *({"id": str(n), "method": "GET", "url": "/users"} for n in range(21))
    ),
    _batch(
        "BATCH_DUPLICATE",
        {"id": "a", "method": "GET", "url": "/users"},
        {"id": "A", "method": "GET", "url": "/users"},
        id="A",
    ),
    _batch("BATCH_BODY", {"id": "1", "method": "POST", "url": "/users", "body": {}}, id="1"),
    _batch("BATCH_BODY", {"id": "1", "method": "PATCH", "url": "/users/x"}, id="1"),
    _batch("BATCH_NESTED", {"id": "1", "method": "POST", "url": "/$batch"}),
    _batch(
        "BATCH_URL",
        {"id": "1", "method": "GET", "url": "https://graph.microsoft.com/users"},
        id="1",
    ),
    _batch(
        "BATCH_DEPENDS",
        {"id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"]},
        {"id": "2", "method": "GET", "url": "/users"},
        id="1",
    ),
]


def _check(reply: httpx.Response, case: Case) -> None:
    row: Refusal = getattr(errors, case.row)
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**case.slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


@pytest.mark.parametrize("case", CREATION, ids=str)
def test_a_creation_is_refused_in_graphs_words(
    graph: httpx.Client, body: Callable[..., dict[str, Any]], case: Case
) -> None:
    """A user that Graph would not create is refused with its status, code and message."""
    sent = body(**case.body) if isinstance(case.body, dict) else case.body
    _check(graph.post("/users", json=sent), case)


@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_a_request_is_refused_in_graphs_words(graph: httpx.Client, case: Case) -> None:
    """What Graph would refuse is refused with its status, code and message."""
    reply = graph.request(case.method, case.path, json=case.body, headers=case.headers)
    _check(reply, case)


def test_every_row_names_its_evidence() -> None:
    """Every row says what it rests on."""
    rows = [value for value in vars(errors).values() if isinstance(value, Refusal)]
    assert [row for row in rows if not row.evidence] == []


def test_a_refusal_changes_nothing(graph: httpx.Client) -> None:
    """A refused request leaves the tenant as it was: the bind is all or nothing."""
    group = GROUP_ID["contractors"]
    members = f"/groups/{group}/members?$select=id"
    before = graph.get(members).json()["value"]
    graph.patch(f"/groups/{group}", json=_bind(PRIYA, before[0]["id"]))
    assert graph.get(members).json()["value"] == before


def test_an_error_has_graphs_envelope(graph: httpx.Client) -> None:
    """The envelope names the request by both ids and carries a date without a zone."""
    sent = {"client-request-id": "11111111-2222-4333-8444-555555555555"}
    reply = graph.get("/users/nobody@contoso.com", headers=sent)
    inner = reply.json()["error"]["innerError"]
    assert reply.headers["content-type"] == "application/json"
    assert inner["client-request-id"] == sent["client-request-id"]
    assert inner["request-id"] == reply.headers["request-id"]
    assert len(inner["date"]) == len("2026-01-01T00:00:00")


def test_a_duplicate_upn_names_its_target(
    graph: httpx.Client, body: Callable[..., dict[str, Any]]
) -> None:
    """A taken UPN is told in `details` too, under the code ObjectConflict."""
    reply = graph.post("/users", json=body(userPrincipalName="priya@contoso.com"))
    error = reply.json()["error"]
    assert error["details"] == [
        {"code": "ObjectConflict", "message": error["message"], "target": "userPrincipalName"}
    ]


def test_a_body_that_is_no_json_is_refused(graph: httpx.Client) -> None:
    """A broken body is refused before anything is looked at."""
    reply = graph.post("/users", content=b"{", headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadRequest")


def test_another_version_is_not_served(graph: httpx.Client) -> None:
    """Only v1.0 is there."""
    url = str(graph.base_url).replace("v1.0", "beta")
    assert graph.get(f"{url}users").status_code == 400


def test_ids_are_stable() -> None:
    """A seeded object has the same id in every tenant."""
    assert stable_id("user priya@contoso.com") == PRIYA
