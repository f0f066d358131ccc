from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE, PLAN_APP, TENANT_ID
from reconciler.sandbox.login.tokens import read, sign
from reconciler.sandbox.permissions import APPLY_SET

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.server import Endpoints

Made = Callable[..., dict[str, Any]]
Token = Callable[..., str]
KEY = b"k" * 32
TOKEN_URL = f"/{TENANT_ID}/oauth2/v2.0/token"
SCOPE = "https://graph.microsoft.com/.default"
GRAPH_ID = "00000003-0000-0000-c000-000000000000"


def _as(
    graph: httpx.Client, token: str, method: str, path: str, body: object = None
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return graph.request(method, path, json=body, headers=headers)


def test_azure_identity_signs_in(tenant: Endpoints) -> None:
    """The library that clients use gets a token of three parts."""
    known = tenant.environment
    with ClientSecretCredential(
        known["AZURE_TENANT_ID"],
        known["AZURE_CLIENT_ID"],
        known["AZURE_CLIENT_SECRET"],
        authority=known["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=known["REQUESTS_CA_BUNDLE"],
    ) as credential:
        token = credential.get_token("https://graph.microsoft.com/.default").token
    assert token.count(".") == 2


@pytest.mark.parametrize("name", [TENANT_ID, "contoso.onmicrosoft.com", "CONTOSO.com"])
def test_the_metadata_names_the_token_endpoint(login: httpx.Client, name: str) -> None:
    """A tenant is known by its id and by its verified domains; its addresses have the id."""
    shown = login.get(f"/{name}/v2.0/.well-known/openid-configuration").json()
    assert shown["token_endpoint"] == str(login.base_url.join(TOKEN_URL))


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"client_secret": "guess"}, 401, 7000215),
        ({"client_id": "6f1f9b3e-0000-4000-8000-000000000000"}, 400, 700016),
        ({"grant_type": "device_code"}, 400, 70003),
        ({"grant_type": "password", "client_secret": "guess"}, 401, 7000215),
        ({"grant_type": "password", "username": "nobody@contoso.com"}, 400, 50034),
    ],
    ids=str,
)
def test_a_sign_in_is_refused_by_number(
    login: httpx.Client, tenant: Endpoints, change: dict[str, str], status: int, number: int
) -> None:
    """Each refusal has the number that people search for."""
    form = {
        "grant_type": "client_credentials",
        "client_id": APPLY_APP.client_id,
        "client_secret": tenant.environment["AZURE_CLIENT_SECRET"],
        "scope": SCOPE,
    }
    reply = login.post(TOKEN_URL, data=form | change)
    shown = reply.json()
    assert (reply.status_code, shown["error_codes"]) == (status, [number])
    assert shown["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize("name", ["fabrikam.com", "contoso.dev"])
def test_another_tenant_is_unknown(login: httpx.Client, name: str) -> None:
    """A tenant that is not this one, or a domain that is not verified, is AADSTS90002."""
    metadata = login.get(f"/{name}/v2.0/.well-known/openid-configuration").json()
    token = login.post(f"/{name}/oauth2/v2.0/token").json()
    assert (metadata["error_codes"], token["error_codes"]) == ([90002], [90002])


@pytest.mark.parametrize(
    ("profile", "enabled", "password", "number"),
    [
        ({"forceChangePasswordNextSignIn": False}, True, "Correct-Horse-9", None),
        ({}, True, "Correct-Horse-9", 50055),
        ({"forceChangePasswordNextSignIn": True}, True, "Correct-Horse-9", 50055),
        ({"forceChangePasswordNextSignIn": True}, True, "Wrong-Horse-9", 50126),
        ({"forceChangePasswordNextSignIn": False}, False, "Correct-Horse-9", 50057),
    ],
)
def test_a_person_signs_in(  # noqa: PLR0913 -- two fixtures and a row of four
    login: httpx.Client,
    joiner: Made,
    *,
    profile: dict[str, bool],
    enabled: bool,
    password: str,
    number: int | None,
) -> None:
    """The right password opens, unless it must be changed first or the account is off."""
    made = joiner(
        passwordProfile={"password": "Correct-Horse-9", **profile}, accountEnabled=enabled
    )
    form = {
        "grant_type": "password",
        "client_id": APPLY_APP.client_id,
        "username": made["userPrincipalName"],
        "password": password,
        "scope": SCOPE,
    }
    shown = login.post(TOKEN_URL, data=form).json()
    assert shown.get("error_codes") == ([number] if number else None)
    assert ("access_token" in shown) is (number is None)


def test_a_person_may_do_nothing_in_graph(
    graph: httpx.Client, login: httpx.Client, joiner: Made
) -> None:
    """A person's token carries no application permission."""
    form = {
        "grant_type": "password",
        "client_id": APPLY_APP.client_id,
        "username": joiner()["userPrincipalName"],
        "password": "Correct-Horse-9",
        "scope": SCOPE,
    }
    token = login.post(TOKEN_URL, data=form).json()["access_token"]
    assert _as(graph, token, "GET", "/users").status_code == 403


@pytest.mark.parametrize(
    ("row", "authorization"),
    [
        (errors.TOKEN_EMPTY, ""),
        (errors.TOKEN_EMPTY, "Bearer"),
        (errors.TOKEN_EMPTY, "Basic abc"),
        (errors.TOKEN_MALFORMED, "Bearer abc"),
        (errors.TOKEN_MALFORMED, "Bearer a.b.c"),
    ],
)
def test_graph_wants_a_token(graph: httpx.Client, row: errors.Refusal, authorization: str) -> None:
    """Without a token that can be read there is a 401."""
    reply = graph.get("/users", headers={"Authorization": authorization})
    shown = reply.json()["error"]
    assert (reply.status_code, shown["code"], shown["message"]) == (401, row.code, row.message)


def test_a_forged_token_is_refused(graph: httpx.Client, token: Token) -> None:
    """A signature of another key is none."""
    reply = _as(graph, token("User.Read.All", signing=KEY), "GET", "/users")
    assert reply.json()["error"]["message"] == errors.TOKEN_FORGED.message


@pytest.mark.parametrize("claims", [{"exp": "soon"}, {"appid": None, "roles": 7}, {"iat": "then"}])
def test_a_token_of_odd_claims_is_refused(
    graph: httpx.Client, token: Token, claims: dict[str, Any]
) -> None:
    """Claims that are none are no token, whoever signed them."""
    reply = _as(graph, token(**claims), "GET", "/users")
    assert reply.json()["error"]["message"] == errors.TOKEN_MALFORMED.message


@pytest.mark.parametrize(
    "audience", ["https://management.azure.com", "https://example.com", None, 7]
)
def test_a_token_for_somebody_else_is_refused(
    graph: httpx.Client, token: Token, audience: object
) -> None:
    """A token is for Graph or for nothing."""
    reply = _as(graph, token("User.Read.All", aud=audience), "GET", "/users")
    assert reply.json()["error"]["message"] == errors.TOKEN_AUDIENCE.message


def test_a_token_expires(graph: httpx.Client, token: Token) -> None:
    """An old token is refused, also one that was good a moment ago."""
    old = token("User.Read.All", exp=time.time() - 1)
    assert _as(graph, old, "GET", "/users").json()["error"]["message"] == (
        errors.TOKEN_EXPIRED.message
    )
    short = token("User.Read.All", exp=time.time() + 0.5)
    assert _as(graph, short, "GET", "/users").status_code == 200
    time.sleep(0.6)
    assert _as(graph, short, "GET", "/users").status_code == 401


def test_many_tokens_are_remembered_and_forgotten(graph: httpx.Client, token: Token) -> None:
    """The memory of good signatures is bounded, and no token is refused for it."""
    statuses = {
        _as(graph, token("Domain.Read.All", jti=n), "GET", "/domains").status_code
        for n in range(300)
    }
    assert statuses == {200}


def test_a_token_is_read_as_it_was_signed() -> None:
    """What is signed can be read back."""
    expires = time.time() + 9
    claims = {"aud": GRAPH_ID, "appid": "a", "oid": "b", "roles": ["c"], "exp": expires}
    caller = read(sign(claims, KEY), KEY)
    assert (caller.app_id, caller.principal_id, caller.permissions, caller.expires) == (
        "a",
        "b",
        frozenset("c"),
        expires,
    )


PRIYA = "priya@contoso.com"
PERMISSIONS = [
    ("GET", "/users", "User.Read.All"),
    ("GET", "/users", "User.ReadBasic.All"),
    ("GET", f"/users/{PRIYA}", "Directory.Read.All"),
    ("GET", f"/users/{PRIYA}/manager", "User.Read.All"),
    ("GET", f"/users/{PRIYA}/licenseDetails", "LicenseAssignment.Read.All"),
    ("GET", f"/users/{PRIYA}/memberOf", "Directory.Read.All"),
    ("GET", f"/users/{PRIYA}/memberOf", "GroupMember.ReadBasic.All"),
    ("GET", f"/users/{PRIYA}/transitiveMemberOf", "GroupMember.Read.All"),
    ("GET", "/groups", "GroupMember.Read.All"),
    ("GET", "/subscribedSkus", "Organization.Read.All"),
    ("GET", "/domains", "Domain.Read.All"),
    ("GET", "/organization", "User.Read.All"),
    ("GET", "/directory/deletedItems/microsoft.graph.user", "User.Read.All"),
    ("GET", "/roleManagement/directory/roleDefinitions", "RoleManagement.Read.Directory"),
    ("GET", "/roleManagement/directory/roleAssignments", "RoleManagement.ReadWrite.Directory"),
]


@pytest.mark.parametrize(("method", "path", "permission"), PERMISSIONS)
def test_a_permission_opens_what_it_is_for(
    graph: httpx.Client, token: Token, method: str, path: str, permission: str
) -> None:
    """The least permission of a call is enough, and one of another area is not."""
    assert _as(graph, token(permission), method, path).status_code == 200
    assert _as(graph, token("Mail.Read"), method, path).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {}),
        ("PATCH", f"/users/{PRIYA}", {"city": "Bath"}),
        ("DELETE", f"/users/{PRIYA}", None),
        ("PUT", f"/users/{PRIYA}/manager/$ref", {}),
        ("POST", f"/users/{PRIYA}/assignLicense", {}),
        ("POST", f"/users/{PRIYA}/revokeSignInSessions", {}),
        ("POST", "/roleManagement/directory/roleAssignments", {}),
    ],
)
def test_the_reader_changes_nothing(
    reader: httpx.Client, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """The application for plans may write nowhere."""
    reply = reader.request(method, path, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (
        403,
        "Authorization_RequestDenied",
    )


def test_the_two_applications_differ(tenant: Endpoints) -> None:
    """Each application has an id and a secret of its own."""
    writer, reader = tenant.environment, tenant.read_only_environment
    assert writer["AZURE_CLIENT_ID"] == APPLY_APP.client_id
    assert reader["AZURE_CLIENT_ID"] == PLAN_APP.client_id
    assert writer["AZURE_CLIENT_SECRET"] != reader["AZURE_CLIENT_SECRET"]


def test_basic_permission_reads_null(graph: httpx.Client, token: Token) -> None:
    """With `User.ReadBasic.All` alone, what is not basic is null and not refused."""
    path = f"/users/{PRIYA}?$select=displayName,department"
    shown = _as(graph, token("User.ReadBasic.All"), "GET", path).json()
    assert (shown["displayName"], shown["department"]) == ("Priya Raman", None)


def test_enabling_has_a_permission_of_its_own(
    graph: httpx.Client, token: Token, joiner: Made
) -> None:
    """`User.EnableDisableAccount.All` changes accountEnabled and nothing else."""
    path, held = f"/users/{joiner()['id']}", token("User.EnableDisableAccount.All")
    assert _as(graph, held, "PATCH", path, {"accountEnabled": False}).status_code == 204
    both = {"accountEnabled": True, "city": "Bath"}
    assert _as(graph, held, "PATCH", path, both).status_code == 403


def _administrator(token: Token, role: str) -> str:
    """Give a token whose principal is a person with *role*: what counts is who holds it."""
    holders = {"User Administrator": "maria.admin@contoso.com"}
    upn = holders.get(role, "breakglass@contoso.com")
    principal = next(person.id for person in PEOPLE if person.upn == upn)
    return token(*APPLY_SET, "User-PasswordProfile.ReadWrite.All", oid=principal)


@pytest.mark.parametrize(
    ("role", "target", "status"),
    [
        ("User Administrator", "maria.admin@contoso.com", 204),
        ("User Administrator", "breakglass@contoso.com", 403),
        ("User Administrator", "george.papas@contoso.com", 403),
        ("Global Administrator", "breakglass@contoso.com", 204),
        ("Global Administrator", "george.papas@contoso.com", 204),
    ],
)
def test_an_administrator_is_reached_from_above(
    graph: httpx.Client, token: Token, role: str, target: str, status: int
) -> None:
    """A privileged user is changed only by a principal whose own role is high enough."""
    held = _administrator(token, role)
    reply = _as(graph, held, "PATCH", f"/users/{target}", {"mobilePhone": "+44 20 7946 0001"})
    assert reply.status_code == status


def test_a_password_is_reset_by_an_administrator(
    graph: httpx.Client, login: httpx.Client, token: Token, joiner: Made
) -> None:
    """A reset wants permission and role; then the new password opens and the old does not."""
    made = joiner()
    path = f"/users/{made['id']}"
    change = {"passwordProfile": {"password": "Other-Horse-10"}}
    permitted = token("User-PasswordProfile.ReadWrite.All")
    assert _as(graph, permitted, "PATCH", path, change).status_code == 403
    held = _administrator(token, "User Administrator")
    assert _as(graph, held, "PATCH", path, change).status_code == 204
    weak = {"passwordProfile": {"password": "weak"}}
    assert _as(graph, held, "PATCH", path, weak).status_code == 400
    settle = {"passwordProfile": {"forceChangePasswordNextSignIn": False}}
    assert _as(graph, held, "PATCH", path, settle).status_code == 204
    form = {
        "grant_type": "password",
        "client_id": APPLY_APP.client_id,
        "username": made["userPrincipalName"],
        "scope": SCOPE,
    }
    old = login.post(TOKEN_URL, data=form | {"password": "Correct-Horse-9"}).json()
    new = login.post(TOKEN_URL, data=form | {"password": "Other-Horse-10"}).json()
    assert (old["error_codes"], "access_token" in new) == ([50126], True)


def test_the_role_assignable_group_wants_more(graph: httpx.Client, token: Token) -> None:
    """Only who may manage roles may change a role-assignable group."""
    group = next(group for group in GROUPS if group.kind == "roleAssignable")
    where = {"@odata.id": f"{graph.base_url}users/hiroshi.ito@contoso.co.jp"}
    path = f"/groups/{group.id}/members/$ref"
    plain = token("GroupMember.ReadWrite.All")
    assert _as(graph, plain, "POST", path, where).status_code == 403
    assert graph.post(path, json=where).status_code == 204
