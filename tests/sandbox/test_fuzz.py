"""Nonsense of every kind gets an answer of Graph's, and never a broken one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, TENANT_ID, stable_id
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.routes import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.server import Endpoints

BROKEN, NOT_SERVED = 500, 501
JSON = {"Content-Type": "application/json"}
REAL = (
    "priya@contoso.com",
    stable_id("user diego.fernandez@contoso.com"),
    stable_id("user returning.rita@contoso.com"),
    *(group.id for group in GROUPS[:5]),
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    f"{TENANT_ID}_{ID_OF['SPE_E3']}",
    APPLY_APP.client_id,
    "com.example.fuzz",
)
"""Keys of what is there, so that handlers are reached and not only looked for."""
KEYS = ("{}", "$batch", "../..", "%00", "%ff", "ada@contoso.com", "'", "()", "🦄", "x" * 3000)
NAMES = (
    "@odata.id",
    "accountEnabled",
    "addLicenses",
    "businessPhones",
    "dependsOn",
    "directoryScopeId",
    "displayName",
    "expiration",
    "groupIds",
    "groupTypes",
    "id",
    "ids",
    "mailNickname",
    "members@odata.bind",
    "onPremisesExtensionAttributes",
    "passwordProfile",
    "principalId",
    "removeLicenses",
    "requests",
    "roleDefinitionId",
    "scheduleInfo",
    "usageLocation",
    "userPrincipalName",
)
OPTIONS = (
    "$count",
    "$deltatoken",
    "$expand",
    "$filter",
    "$orderby",
    "$search",
    "$select",
    "$skip",
    "$skiptoken",
    "$top",
)
FRAGMENTS = (
    "id eq '",
    "displayName",
    "not(",
    "any(x:x/skuId eq ",
    " and ",
    " or ",
    " in (",
    "startsWith(",
    ")",
    "'",
    "\x00",
    "null",
    "2026-01-01T00:00:00Z",
    "99999999999999999999",
    "-1",
    "1" * 5000,
    " " * 5000,
    "1e400",
    "cm93OjE=",
    "manager($select=id)",
    "members($expand=members)",
    '"displayName:a" OR',
    "\ud800",
)

words = st.one_of(st.sampled_from(NAMES), st.text(max_size=12))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**64 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.sampled_from(FRAGMENTS[:-1]),
    st.just("28d80e74-2d69-4bb9-b1e4-740c4cf0551f"),
)
json = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
    max_leaves=20,
)
seemly = st.dictionaries(st.sampled_from(NAMES), json, min_size=1, max_size=5)
"""Bodies of Graph's own names, with values of any kind."""
bodies = st.one_of(
    st.none(),
    seemly.map(lambda body: orjson.dumps(_sound(body))),
    st.integers(min_value=1, max_value=900).map(lambda deep: b'{"a":' * deep + b"1" + b"}" * deep),
    st.dictionaries(words, json, max_size=8).map(lambda body: orjson.dumps(_sound(body))),
    json.map(lambda body: orjson.dumps(_sound(body))),
    st.binary(max_size=60),
    st.just(b"[" * 5000),
    st.just('{"displayName": "\ud800"}'.encode("utf-16", "surrogatepass")),
)
queries = st.dictionaries(
    st.sampled_from(OPTIONS) | st.text(max_size=8),
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=10), max_size=6).map("".join),
    max_size=4,
)
keys = st.one_of(
    st.sampled_from(REAL),
    st.sampled_from(REAL),
    st.sampled_from(KEYS),
    st.text(min_size=1, max_size=20),
)


def _sound(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give *value* with only such text as JSON can carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_sound(item) for item in value]
    if isinstance(value, dict):
        return {_sound(name): _sound(item) for name, item in value.items()}
    return value


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="%'()$@,.")


@st.composite
def targets(
    draw: Callable[[Any], Any], methods: st.SearchStrategy[str] | None = None
) -> tuple[str, str]:
    """Give a method, and an address that the tenant serves, with nonsense for its keys."""
    method, path, _ = draw(st.sampled_from(TABLE))
    while "{}" in path:
        path = path.replace("{}", _escaped(draw(keys)), 1)
    query = "&".join(f"{_escaped(name)}={_escaped(text)}" for name, text in draw(queries).items())
    odd = st.sampled_from(("PUT", "HEAD", "OPTIONS")) if methods is None else methods
    other = draw(st.just(method) | st.just(method) | odd)
    return other, f"/v1.0/{path}?{query}"


@settings(
    max_examples=600,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    target=targets(),
    body=bodies,
    kind=st.sampled_from(("application/json", "text/plain", "", "application/json;charset=utf-16")),
    level=st.sampled_from(("eventual", "session", "")),
)
def test_nonsense_is_answered(
    spoilt: httpx.Client, target: tuple[str, str], body: bytes | None, kind: str, level: str
) -> None:
    """Whatever a client sends to whichever address, Graph answers, and not with a 500."""
    method, url = target
    headers = {"Content-Type": kind, "ConsistencyLevel": level, "Prefer": "create-if-missing"}
    root = urlsplit(str(spoilt.base_url))
    reply = spoilt.request(
        method, f"{root.scheme}://{root.netloc}{url}", content=body, headers=headers
    )
    assert reply.status_code < BROKEN or reply.status_code == NOT_SERVED, reply.text
    if reply.content and reply.status_code >= httpx.codes.BAD_REQUEST:
        assert set(reply.json()["error"]) >= {"code", "message", "innerError"}


@st.composite
def batches(draw: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Give the parts of a batch that is sound itself, each of them nonsense of its own."""
    parts = []
    for number in range(draw(st.integers(min_value=1, max_value=6))):
        method, target = draw(targets(st.sampled_from(("GET", "POST", "PATCH", "DELETE"))))
        part = {
            "id": str(number),
            "method": method,
            "url": target.removeprefix("/v1.0"),
            "headers": {"Content-Type": "application/json"},
            "body": draw(seemly | st.just({})),
        }
        before = [str(n) for n in range(number)]
        depends = draw(st.just([]) | st.just(before[-1:]))
        parts.append(part | ({"dependsOn": depends} if depends else {}))
    return parts


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(requests=batches())
def test_each_part_of_a_batch_is_answered(
    spoilt: httpx.Client, requests: list[dict[str, Any]]
) -> None:
    """Nonsense in the parts of a sound batch gets an answer for each part, and no 500."""
    reply = spoilt.post(
        "/$batch", content=orjson.dumps(_sound({"requests": requests})), headers=JSON
    )
    assert reply.status_code == httpx.codes.OK, reply.text
    answers = reply.json()["responses"]
    assert {answer["id"] for answer in answers} == {part["id"] for part in requests}
    for inner in answers:
        assert inner["status"] < BROKEN or inner["status"] == NOT_SERVED, inner


keywords = st.dictionaries(
    st.sampled_from(("id", "method", "url", "body", "headers", "dependsOn")), json, max_size=6
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(requests=st.lists(keywords | json, max_size=22))
def test_what_is_no_batch_is_refused(spoilt: httpx.Client, requests: list[Any]) -> None:
    """A batch may hold anything; what is none is refused as a whole."""
    reply = spoilt.post(
        "/$batch", content=orjson.dumps(_sound({"requests": requests})), headers=JSON
    )
    assert reply.status_code < BROKEN, reply.text


forms = st.dictionaries(
    st.sampled_from(
        ("grant_type", "client_id", "client_secret", "client_assertion", "scope", "username")
    ),
    st.text(max_size=30) | st.sampled_from(("client_credentials", "password", "a.b.c", "e30.e30.")),
    max_size=6,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(form=forms, tenant=st.just(TENANT_ID) | keys)
@example(form={"grant_type": "password", "username": "\x00"}, tenant="common")
def test_the_login_service_takes_no_harm(
    login: httpx.Client, form: dict[str, str], tenant: str
) -> None:
    """Whoever signs in with nonsense is refused in words of Microsoft's."""
    sound = {name: _sound(text) for name, text in form.items()}
    reply = login.post(f"/{_escaped(tenant)}/oauth2/v2.0/token", data=sound)
    assert reply.status_code < BROKEN, reply.text


WIRES = (
    b"GET /v1.0/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /v1.0/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1.0/users?$filter=\xe4 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1.0/users HTTP/1.1\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
    b"POST /v1.0/$batch HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\x00\x01\x02",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1.0/users HTTP/1.1\r\nHost: \r\n\r\n",
    b"GET http://graph.microsoft.com/v1.0/users HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n",
    b"PATCH * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET /v1.0/users HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n",
)


@pytest.mark.parametrize("wire", WIRES, ids=range(len(WIRES)))
def test_odd_bytes_break_nothing(tenant: Endpoints, graph: httpx.Client, wire: bytes) -> None:
    """Bytes that are hardly HTTP are refused, and the next client is served."""
    root = urlsplit(tenant.environment["RECONCILER_GRAPH_URL"])
    with socket.create_connection((root.hostname, root.port), timeout=5) as connection:
        try:
            connection.sendall(wire)
            answered = connection.recv(4096)
        except ConnectionError:
            answered = b""
    assert not answered or answered.split(b" ")[1] < b"500", answered
    assert graph.get("/organization").status_code == httpx.codes.OK


def test_a_huge_body_is_refused(graph: httpx.Client) -> None:
    """A body larger than any of Graph's is refused, whatever it claims to be."""
    reply = graph.post(
        "/users",
        content=b'{"displayName": "' + b"a" * 30_000_000 + b'"}',
        headers={"Content-Type": "application/json"},
    )
    assert reply.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE}
