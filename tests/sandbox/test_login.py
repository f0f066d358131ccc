from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, PEOPLE, PLAN_APP, TENANT_ID
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.login import refusals
from reconciler.sandbox.login.refusals import SignInRefusal
from reconciler.sandbox.permissions import PLAN_SET

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from reconciler.sandbox.server import Endpoints

Made = Callable[..., dict[str, Any]]
Token = Callable[..., str]
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
SCOPE = "https://graph.microsoft.com/.default"
MANAGEMENT = "https://management.core.windows.net/"


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.fixture
def ask(login: httpx.Client, tenant: Endpoints) -> Callable[..., httpx.Response]:
    """Ask for a token of the application that may only read, with these changes; ... leaves out."""
    known = tenant.read_only_environment

    def asked(
        name: str = TENANT_ID, path: str = "oauth2/v2.0/token", **changes: object
    ) -> httpx.Response:
        usual = {
            "grant_type": "client_credentials",
            "client_id": PLAN_APP.client_id,
            "client_secret": known["AZURE_CLIENT_SECRET"],
            "scope": SCOPE,
        }
        form = {key: value for key, value in (usual | changes).items() if value is not ...}
        return login.post(f"/{name}/{path}", data=form)

    return asked


@pytest.fixture
def signed_in(ask: Callable[..., httpx.Response], joiner: Made) -> Callable[..., dict[str, Any]]:
    """Sign a new person in; gives the reply's body."""

    def given(name: str = TENANT_ID, **changes: object) -> dict[str, Any]:
        user = joiner()["userPrincipalName"]
        usual = {"grant_type": "password", "username": user, "password": "Correct-Horse-9"}
        return dict(ask(name, **usual | changes).json())

    return given


PASSWORD = {"grant_type": "password", "username": "priya@contoso.com", "password": "x"}
ASSERTION = {
    "client_secret": ...,
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}
UNKNOWN = "6f1f9b3e-0000-4000-8000-000000000000"
CASES: list[tuple[SignInRefusal, str, dict[str, Any], dict[str, str]]] = [
    (refusals.MISSING, TENANT_ID, {"grant_type": ...}, {"name": "grant_type"}),
    (refusals.MISSING, TENANT_ID, {"client_id": ""}, {"name": "client_id"}),
    (refusals.MISSING, TENANT_ID, {"grant_type": "password"}, {"name": "username"}),
    (refusals.NO_SCOPE, TENANT_ID, {"scope": ...}, {}),
    (refusals.NO_SCOPE, TENANT_ID, {"scope": " "}, {}),
    (refusals.TOO_LARGE, TENANT_ID, {"client_assertion": "x" * 300_000}, {}),
    (refusals.NO_TENANT, "fabrikam.com", {}, {"name": "fabrikam.com"}),
    (refusals.NO_TENANT, "contoso.dev", {}, {"name": "contoso.dev"}),
    (refusals.WHICH_TENANT, "common", {}, {}),
    (refusals.WHICH_TENANT, "organizations", {}, {}),
    (refusals.NOT_COMMON, "common", PASSWORD, {}),
    (refusals.NOT_COMMON, "consumers", PASSWORD, {}),
    (
        refusals.NO_TENANT,
        "organizations",
        PASSWORD | {"username": "ada@fabrikam.com"},
        {"name": "fabrikam.com"},
    ),
    (
        refusals.NO_APPLICATION,
        TENANT_ID,
        {"client_id": UNKNOWN},
        {"client": UNKNOWN, "company": "Contoso"},
    ),
    (refusals.BAD_GRANT, TENANT_ID, {"grant_type": "implicit"}, {"grant": "implicit"}),
    (refusals.NOT_DEFAULT, TENANT_ID, {"scope": "User.Read.All"}, {"scope": "User.Read.All"}),
    (
        refusals.NOT_DEFAULT,
        TENANT_ID,
        {"scope": f"{SCOPE} openid"},
        {"scope": f"{SCOPE} openid"},
    ),
    (
        refusals.TWO_RESOURCES,
        TENANT_ID,
        {"scope": f"{SCOPE} {MANAGEMENT}.default"},
        {"scope": f"{SCOPE} {MANAGEMENT}.default"},
    ),
    *(
        (
            refusals.NO_RESOURCE,
            TENANT_ID,
            {"scope": f"{name}/.default"},
            {"resource": name, "company": "Contoso"},
        )
        for name in ("https://graph.example.com", "api://x", "https://[", f"{SCOPE}/x", UNKNOWN)
    ),
    (refusals.NO_PROOF, TENANT_ID, {"client_secret": ...}, {}),
    (refusals.BAD_SECRET, TENANT_ID, {"client_secret": "é"}, {"client": PLAN_APP.client_id}),
    (refusals.MALFORMED, TENANT_ID, ASSERTION | {"client_assertion": "a.b.c"}, {}),
    (
        refusals.NO_USER,
        TENANT_ID,
        PASSWORD | {"username": "nobody@contoso.com"},
        {"user": "nobody@contoso.com", "tenant": TENANT_ID},
    ),
    (refusals.BAD_PASSWORD, TENANT_ID, PASSWORD, {}),
]
OF_PEOPLE: list[tuple[SignInRefusal, dict[str, Any], dict[str, str]]] = [
    (refusals.NO_SCOPE, {"scope": ...}, {}),
    (refusals.BAD_SCOPE, {"scope": f"{SCOPE} User.Read"}, {"scope": f"{SCOPE} User.Read"}),
    (
        refusals.TWO_RESOURCES,
        {"scope": f"{SCOPE} {MANAGEMENT}.default"},
        {"scope": f"{SCOPE} {MANAGEMENT}.default"},
    ),
    (
        refusals.NO_CONSENT,
        {"scope": "openid User.ReadWrite"},
        {"client": PLAN_APP.client_id, "name": PLAN_APP.name},
    ),
]
ELSEWHERE = {
    "test_assertions": {"NO_KEY", "WRONG_CLIENT", "WRONG_AUDIENCE", "WRONG_TIME"},
    "test_federation": {
        "OLD_SECRET",
        "NO_FEDERATION",
        "FOREIGN_ISSUER",
        "FOREIGN_AUDIENCE",
        "FOREIGN_SUBJECT",
        "SUBJECT_CASE",
        "NO_FEDERATED_RECORD",
        "ISSUER_UNREACHABLE",
        "UNKNOWN_ISSUER_KEY",
        "BAD_SIGNATURE",
    },
    "test_tokens": {"DISABLED", "EXPIRED_PASSWORD"},
    "below": {"NOT_POSTED"},
}


def _told(reply: httpx.Response) -> tuple[int, int, str, str]:
    shown = reply.json()
    text = shown["error_description"].partition(" Trace ID:")[0]
    return reply.status_code, shown["error_codes"][0], shown["error"], text


def _expected(row: SignInRefusal, slots: Mapping[str, str]) -> tuple[int, int, str, str]:
    text = f"AADSTS{row.number}: {row.text.format(**slots)}"
    return row.status, row.number, row.kind, text


@pytest.mark.parametrize(("row", "name", "changes", "slots"), CASES)
def test_a_sign_in_is_refused_in_microsofts_words(
    ask: Callable[..., httpx.Response],
    *,
    row: SignInRefusal,
    name: str,
    changes: dict[str, Any],
    slots: dict[str, str],
) -> None:
    """Each row of the table is answered with its status, number, kind and text."""
    assert _told(ask(name, **changes)) == _expected(row, slots)


@pytest.mark.parametrize(("row", "changes", "slots"), OF_PEOPLE)
def test_a_persons_scopes_are_checked(
    ask: Callable[..., httpx.Response],
    joiner: Made,
    *,
    row: SignInRefusal,
    changes: dict[str, Any],
    slots: dict[str, str],
) -> None:
    """What a person's application asks for is of one resource, and was consented to."""
    person = {"username": joiner()["userPrincipalName"], "password": "Correct-Horse-9"}
    assert _told(ask(grant_type="password", **person | changes)) == _expected(row, slots)


def test_every_row_is_provoked() -> None:
    """No refusal of the login service is without a test."""
    rows = {name for name, row in vars(refusals).items() if isinstance(row, SignInRefusal)}
    here = [row for row, *_ in (*CASES, *OF_PEOPLE)]
    named = {name for name in rows if getattr(refusals, name) in here}
    elsewhere = set().union(*ELSEWHERE.values())
    assert named | elsewhere == rows
    assert not named & elsewhere


@pytest.mark.parametrize("path", ["oauth2/token", "oauth2/v2.0/token"])
def test_tokens_are_posted_for(login: httpx.Client, path: str) -> None:
    """A browser that opens a token endpoint is told what it takes."""
    told = _told(login.get(f"/{TENANT_ID}/{path}"))
    assert told == _expected(refusals.NOT_POSTED, {"method": "GET"})


def test_the_secret_may_come_in_a_header(login: httpx.Client, tenant: Endpoints) -> None:
    """Libraries that try HTTP's basic scheme first get their token."""
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    secret = tenant.read_only_environment["AZURE_CLIENT_SECRET"]

    def ask(header: str) -> httpx.Response:
        return login.post(
            f"/{TENANT_ID}/oauth2/v2.0/token", data=form, headers={"Authorization": header}
        )

    def basic(shown: str) -> str:
        return f"Basic {base64.b64encode(f'{PLAN_APP.client_id}:{shown}'.encode()).decode()}"

    assert ask(basic(quote(secret))).status_code == 200
    assert _told(ask(basic("guess")))[1] == 7000215
    for odd in ("Basic ?", "Basic /w==", "Digest x"):
        assert _told(ask(odd)) == _expected(refusals.MISSING, {"name": "client_id"})


def test_the_callers_id_comes_back(login: httpx.Client) -> None:
    """What a client calls its request is what a refusal calls it."""
    headers = {"client-request-id": "0ada-1"}
    shown = login.post("/common/oauth2/v2.0/token", headers=headers).json()
    assert shown["correlation_id"] == "0ada-1"


@pytest.mark.parametrize(
    "scope",
    [
        SCOPE,
        f"{GRAPH_ID}/.default",
        "https://graph.microsoft.com//.default",
        "https://graph.microsoft.us/.default",
        "https://localhost:8443/.default",
        "http://127.0.0.1:8080/.default",
    ],
)
def test_graph_goes_by_many_names(
    ask: Callable[..., httpx.Response], graph: httpx.Client, scope: str
) -> None:
    """By its addresses in every cloud, by its id, and by this machine's, a token opens Graph."""
    token = ask(scope=scope).json()["access_token"]
    reply = graph.get("/domains", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 200


@pytest.mark.parametrize("scope", [MANAGEMENT, "797f4846-ba00-4fd7-a43b-c29ef2fde6c1/"])
def test_a_token_for_another_resource_does_not_open_graph(
    ask: Callable[..., httpx.Response], login: httpx.Client, graph: httpx.Client, scope: str
) -> None:
    """A token for Azure Resource Manager opens its empty lists, and Graph refuses it."""
    token = ask(scope=f"{scope}.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    shown = graph.get("/domains", headers=headers).json()["error"]
    assert shown["message"] == errors.TOKEN_AUDIENCE.message
    assert "roles" not in _claims(token)
    assert login.get("/subscriptions", headers=headers).json()["value"] == []
    (tenant,) = login.get("/tenants", headers=headers).json()["value"]
    assert tenant["tenantId"] == TENANT_ID


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer a.b", "Bearer e30.e30.e30"])
def test_resource_manager_wants_a_token(login: httpx.Client, authorization: str) -> None:
    """Without a good token there is not even an empty list."""
    reply = login.get("/subscriptions", headers={"Authorization": authorization})
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "AuthenticationFailed")


def test_a_token_has_microsofts_claims(ask: Callable[..., httpx.Response]) -> None:
    """An application's token says what Microsoft's say, and the reply has nothing to refresh."""
    reply = ask()
    shown = reply.json()
    claims = _claims(shown.pop("access_token"))
    assert shown == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
    assert reply.headers["cache-control"] == "no-store, no-cache"
    opaque = {name: claims.pop(name) for name in ("aio", "rh", "uti")}
    times = {name: claims.pop(name) for name in ("iat", "nbf", "exp")}
    assert all(opaque.values())
    assert times["exp"] - times["iat"] == 3599
    assert claims == {
        "aud": "https://graph.microsoft.com",
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "app_displayname": PLAN_APP.name,
        "appid": PLAN_APP.client_id,
        "appidacr": "1",
        "idp": f"https://sts.windows.net/{TENANT_ID}/",
        "idtyp": "app",
        "oid": PLAN_APP.principal_id,
        "roles": list(PLAN_SET),
        "sub": PLAN_APP.principal_id,
        "tenant_region_scope": "EU",
        "tid": TENANT_ID,
        "ver": "1.0",
        "wids": ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
    }


def test_a_persons_token_says_who_it_is(signed_in: Callable[..., dict[str, Any]]) -> None:
    """A person's token has delegated permissions, and MSAL learns whose it is."""
    shown = signed_in(scope="openid profile User.Read", client_info="1", client_secret=...)
    claims = _claims(shown["access_token"])
    assert (claims["idtyp"], claims["scp"], claims["appidacr"]) == ("user", "User.Read", "0")
    assert _claims(f".{shown['client_info']}.") == {"uid": claims["oid"], "utid": TENANT_ID}
    assert (shown["scope"], "refresh_token" in shown) == ("User.Read", False)
    whole = signed_in("organizations", scope="openid")
    assert (whole["scope"], "client_info" in whole) == ("User.Read", False)


def test_a_token_names_the_roles_of_its_person(
    ask: Callable[..., httpx.Response], graph: httpx.Client, joiner: Made
) -> None:
    """Directory roles are in `wids`."""
    user = joiner()
    role = BUILT_IN["Directory Readers"]
    body = {"roleDefinitionId": role, "principalId": user["id"], "directoryScopeId": "/"}
    assert graph.post("/roleManagement/directory/roleAssignments", json=body).status_code == 201
    person = {"username": user["userPrincipalName"], "password": "Correct-Horse-9"}
    shown = ask(grant_type="password", **person).json()
    assert role in _claims(shown["access_token"])["wids"]


def test_version_one_asks_by_resource(
    ask: Callable[..., httpx.Response], signed_in: Callable[..., dict[str, Any]]
) -> None:
    """`/oauth2/token` takes `resource`, and tells numbers as text."""
    where = {"path": "oauth2/token", "scope": ..., "resource": "https://graph.microsoft.com"}
    shown = ask(**where).json()
    claims = _claims(shown["access_token"])
    assert (shown["expires_in"], shown["resource"]) == ("3599", "https://graph.microsoft.com")
    assert (shown["expires_on"], shown["not_before"]) == (str(claims["exp"]), str(claims["nbf"]))
    assert _told(ask(**where | {"resource": ...}))[1] == 900144
    assert _told(ask(**where | {"resource": "https://x.example"}))[1] == 500011
    assert signed_in(**where)["resource"] == "https://graph.microsoft.com"


@pytest.mark.parametrize("name", ["common", "organizations", "consumers", TENANT_ID])
def test_metadata_is_there_for_every_name(login: httpx.Client, name: str) -> None:
    """Shared names have an issuer with a slot; all name endpoints that are below them."""
    origin = str(login.base_url).rstrip("/")
    shown = login.get(f"/{name}/v2.0/.well-known/openid-configuration").json()
    older = login.get(f"/{name}/.well-known/openid-configuration").json()
    slot = name if name == TENANT_ID else "{tenantid}"
    assert shown["issuer"] == f"{origin}/{slot}/v2.0"
    assert older["issuer"] == f"https://sts.windows.net/{slot}/"
    assert shown["token_endpoint"] == f"{origin}/{name}/oauth2/v2.0/token"
    assert older["token_endpoint"] == f"{origin}/{name}/oauth2/token"
    for document in (shown, older):
        assert "keys" in login.get(document["jwks_uri"]).json()


@pytest.mark.parametrize("host", ["", "login.microsoftonline.com"])
def test_instances_are_discovered(login: httpx.Client, host: str) -> None:
    """Discovery knows Microsoft's clouds, and this server as one more when it has its own name."""
    headers = {"Host": host} if host else {}
    path = "/common/discovery/instance?api-version=1.1&authorization_endpoint=https://x"
    shown = login.get(path, headers=headers).json()
    own = host or f"{login.base_url.host}:{login.base_url.port}"
    aliases = [alias for cloud in shown["metadata"] for alias in cloud["aliases"]]
    assert aliases.count(own) == 1
    assert shown["tenant_discovery_endpoint"].startswith(f"https://{own}/common/v2.0/")


@pytest.mark.parametrize("body", [b"\xff=\xff&grant_type=\xfe", b"{}", b"", b"%ff=%", b"&&&==="])
def test_odd_forms_are_refused(login: httpx.Client, body: bytes) -> None:
    """What is no form, or is none in UTF-8, lacks what a form has."""
    reply = login.post(f"/{TENANT_ID}/oauth2/v2.0/token", content=body)
    assert _told(reply)[1] == 900144


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
CLAIM = st.sampled_from(("iss", "sub", "aud", "exp", "nbf", "alg", "kid", "x5t", "x5t#S256"))
JWT = st.builds(
    lambda header, claims: f"{_part(header)}.{_part(claims)}.AAAA",
    st.dictionaries(CLAIM, JSON | st.just("https://127.0.0.1:1")),
    st.dictionaries(CLAIM, JSON | st.just(APPLY_APP.client_id) | st.just("https://127.0.0.1:1")),
)
TYPE = ASSERTION["client_assertion_type"]
FORM = st.fixed_dictionaries(
    {},
    optional={
        "grant_type": st.sampled_from(("client_credentials", "password", "refresh_token")),
        "client_id": st.just(APPLY_APP.client_id) | st.text(),
        "client_secret": st.text(),
        "client_assertion_type": st.just(TYPE) | st.text(),
        "client_assertion": JWT | st.text(),
        "scope": st.text() | st.just(SCOPE),
        "resource": st.text(),
        "username": st.text() | st.just("priya@contoso.com"),
        "password": st.text(),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from((TENANT_ID, "common", "organizations")) | st.text(), form=FORM)
def test_whatever_is_asked_is_answered(
    login: httpx.Client, name: str, form: dict[str, str]
) -> None:
    """No form makes the login service stumble: it refuses by number, or finds no such page."""
    url = f"/{quote(name, safe='')}/oauth2/v2.0/token"
    reply = login.post(url, data=form)
    assert reply.status_code in {400, 401, 404, 405, 413}
    assert reply.status_code in {404, 405} or reply.json()["error_codes"]


@pytest.mark.parametrize("path", ["/%ff/oauth2/v2.0/token", "/%00/oauth2/token", "/'/oauth2/token"])
def test_odd_tenants_are_unknown(login: httpx.Client, path: str) -> None:
    """Whatever stands for a tenant, it is looked up."""
    assert _told(login.post(path, data={"grant_type": "password"}))[1] == 90002


def test_tokens_live_as_long_as_told(start: Callable[..., httpx.Client]) -> None:
    """A test may have tokens that end soon."""
    graph = start(lifetime=0.4)
    assert graph.get("/domains").status_code == 200
    time.sleep(0.5)
    reply = graph.get("/domains")
    assert reply.json()["error"]["message"] == errors.TOKEN_EXPIRED.message
    assert reply.headers["www-authenticate"].startswith('Bearer realm=""')
    assert "claims" not in reply.headers["www-authenticate"]


def test_revoked_sessions_end_a_persons_tokens(graph: httpx.Client, token: Token) -> None:
    """A token from before is refused with a challenge for a newer one, which is taken."""
    person = next(person for person in PEOPLE if person.upn == "noah.schmidt@contoso.com")
    path = f"/users/{person.upn}/revokeSignInSessions"
    now = datetime.now(UTC).timestamp()

    def get(**claims: Any) -> httpx.Response:  # noqa: ANN401 -- of a token
        held = token(oid=person.id, idtyp="user", **claims)
        return graph.get("/domains", headers={"Authorization": f"Bearer {held}"})

    assert get(iat=now - 60).status_code == 403
    assert graph.post(path).status_code == 200
    old = get(iat=now - 60)
    challenge = old.headers["www-authenticate"]
    claims = base64.b64decode(challenge.partition('claims="')[2].partition('"')[0])
    assert old.json()["error"]["message"] == errors.TOKEN_REVOKED.message
    assert int(orjson.loads(claims)["access_token"]["nbf"]["value"]) >= int(now)
    assert get(iat=now + 5).status_code == 403


def test_who_is_gone_is_signed_out(graph: httpx.Client, token: Token, joiner: Made) -> None:
    """The token of a deleted person is good for nothing."""
    user = joiner()
    held = token(oid=user["id"], idtyp="user", iat=time.time())
    assert graph.delete(f"/users/{user['id']}").status_code == 204
    reply = graph.get("/domains", headers={"Authorization": f"Bearer {held}"})
    assert reply.json()["error"]["message"] == errors.TOKEN_REVOKED.message


def test_who_is_blocked_is_signed_out(graph: httpx.Client, token: Token, joiner: Made) -> None:
    """The token of a person whose account is disabled ends, as it does when sessions are."""
    user = joiner()
    held = token(oid=user["id"], idtyp="user", iat=time.time())
    headers = {"Authorization": f"Bearer {held}"}
    assert graph.get("/domains", headers=headers).status_code == 403
    blocked = graph.patch(f"/users/{user['id']}", json={"accountEnabled": False})
    assert blocked.status_code == 204
    reply = graph.get("/domains", headers=headers)
    assert reply.json()["error"]["message"] == errors.TOKEN_REVOKED.message


def test_a_token_of_the_same_second_is_revoked(
    graph: httpx.Client, token: Token, joiner: Made
) -> None:
    """Signing in and being signed out at once leaves no token that works."""
    user = joiner()
    held = token(oid=user["id"], idtyp="user", iat=int(time.time()))
    assert graph.post(f"/users/{user['id']}/revokeSignInSessions").status_code == 200
    reply = graph.get("/domains", headers={"Authorization": f"Bearer {held}"})
    assert reply.json()["error"]["message"] == errors.TOKEN_REVOKED.message
