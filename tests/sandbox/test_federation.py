from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from reconciler.sandbox.company.contoso import TENANT_ID
from reconciler.sandbox.data import store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from reconciler.sandbox.server import Endpoints

TOKEN_URL = f"/{TENANT_ID}/oauth2/v2.0/token"
SCOPE = "https://graph.microsoft.com/.default"
AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "repo:contoso/identity:environment:production"
GITHUB = "https://token.actions.githubusercontent.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Registered = Callable[..., str]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _jwk(key: rsa.RSAPrivateKey, name: str = "one") -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": name, "n": _number(numbers.n), "e": _number(numbers.e)}


def _assertion(
    issuer: str,
    key: rsa.RSAPrivateKey = KEY,
    header: Mapping[str, Any] | None = None,
    **claims: object,
) -> str:
    """Sign what an issuer like GitHub says of a workflow."""
    now = int(time.time())
    usual = {"iss": issuer, "sub": SUBJECT, "aud": AUDIENCE, "nbf": now - 5, "exp": now + 300}
    heading = {"typ": "JWT", "alg": "RS256", "kid": "one"} | dict(header or {})
    known = {name: value for name, value in heading.items() if value is not None}
    text = ".".join(_encoded(orjson.dumps(part)) for part in (known, usual | claims))
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{_encoded(signature)}"


class _Issuer:
    """Publishes keys on this machine; *pages* is what it answers, by path."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path in pages else 404)
                self.end_headers()
                self.wfile.write(pages.get(self.path, b""))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.publish(f"{self.address}/keys", {"keys": [_jwk(KEY)]})

    def publish(self, address: str, keys: object) -> None:
        self.pages["/.well-known/openid-configuration"] = orjson.dumps({"jwks_uri": address})
        self.pages["/keys"] = orjson.dumps(keys)


@pytest.fixture
def issuer() -> Iterator[_Issuer]:
    """Run an issuer of tokens on this machine."""
    made = _Issuer()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def registered(tenant: Endpoints, tenant_file: Path) -> Registered:
    """Register an application with these federated credentials; gives its client id."""
    assert tenant.environment

    def made(*credentials: dict[str, Any], **more: object) -> str:
        client = str(uuid4())
        document = {
            "appId": client,
            "displayName": "Pipeline",
            "principalId": str(uuid4()),
            "permissions": ["Domain.Read.All"],
            "federatedIdentityCredentials": list(credentials),
            **more,
        }
        db, _ = store.connect(tenant_file)
        with closing(db):
            store.add_resource(db, "application", client, document)
        return client

    return made


def _credential(issuer: str = GITHUB, **changes: object) -> dict[str, Any]:
    usual = {"name": "ci", "issuer": issuer, "subject": SUBJECT, "audiences": [AUDIENCE]}
    return usual | {"jwks": {"keys": [_jwk(KEY)]}} | changes


def _ask(login: httpx.Client, client: str, assertion: str) -> tuple[int, str]:
    """Sign in; gives the number of the refusal, or 0, and its text without the ids."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client,
        "scope": SCOPE,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    shown = login.post(TOKEN_URL, data=form).json()
    if "access_token" in shown:
        return 0, ""
    text = shown["error_description"].partition(": ")[2].partition(" Trace ID:")[0]
    return shown["error_codes"][0], text


def test_a_workflow_signs_in(
    login: httpx.Client, graph: httpx.Client, registered: Registered
) -> None:
    """A token of a trusted issuer opens Graph with the permissions of the application."""
    form = {
        "grant_type": "client_credentials",
        "client_id": registered(_credential()),
        "scope": SCOPE,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": _assertion(GITHUB),
    }
    token = login.post(TOKEN_URL, data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert graph.get("/domains", headers=headers).status_code == 200
    assert graph.get("/users", headers=headers).status_code == 403


def test_azure_identity_signs_in(tenant: Endpoints, registered: Registered, tmp_path: Path) -> None:
    """The library's two ways of federated sign-in get a token."""
    client, known = registered(_credential()), tenant.environment
    path = tmp_path / "token"
    path.write_text(_assertion(GITHUB))
    common = {
        "authority": known["AZURE_AUTHORITY_HOST"],
        "disable_instance_discovery": True,
        "connection_verify": known["REQUESTS_CA_BUNDLE"],
    }
    credentials = (
        ClientAssertionCredential(TENANT_ID, client, lambda: _assertion(GITHUB), **common),
        WorkloadIdentityCredential(
            tenant_id=TENANT_ID, client_id=client, token_file_path=str(path), **common
        ),
    )
    for credential in credentials:
        with credential:
            assert credential.get_token(SCOPE).token.count(".") == 2


CHECK = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
RECORD = "No matching federated identity record found for presented assertion"


@pytest.mark.parametrize(
    ("issuer", "claims", "number", "text"),
    [
        (f"{GITHUB}/", {}, 700211, f"{RECORD} issuer '{GITHUB}/'. {CHECK}"),
        (GITHUB, {"aud": "api://other"}, 700212, f"{RECORD} audience 'api://other'. {CHECK}"),
        (GITHUB, {"aud": AUDIENCE.lower()}, 700212, None),
        (GITHUB, {"sub": "repo:x"}, 700213, f"{RECORD} subject 'repo:x'. {CHECK}"),
        (GITHUB, {"sub": SUBJECT.upper()}, 7002138, None),
        (GITHUB, {"sub": None}, 50027, "JWT token is invalid or malformed."),
        (GITHUB, {"aud": [AUDIENCE, "x"]}, 50027, None),
        (GITHUB, {"exp": 1_700_000_000}, 700024, None),
        (GITHUB, {"nbf": 9_999_999_999, "exp": 9_999_999_999}, 700024, None),
        (GITHUB, {"exp": None}, 50027, None),
        (GITHUB, {"aud": [AUDIENCE]}, 0, None),
    ],
)
def test_an_assertion_is_compared_exactly(  # noqa: PLR0913 -- two fixtures and a row of four
    login: httpx.Client,
    registered: Registered,
    *,
    issuer: str,
    claims: dict[str, Any],
    number: int,
    text: str | None,
) -> None:
    """Issuer, audience and subject are those of the credential to the letter, and in time."""
    shown, told = _ask(login, registered(_credential()), _assertion(issuer, **claims))
    assert shown == number
    assert text is None or told == text


def test_a_subject_of_other_case_is_told_so(login: httpx.Client, registered: Registered) -> None:
    """A subject that differs in case alone has a number and a text of its own."""
    subject = SUBJECT.replace("production", "Production")
    _, text = _ask(login, registered(_credential()), _assertion(GITHUB, sub=subject))
    assert text.startswith(
        f"{RECORD} subject '{subject}'. The subject matches with case-insensitive comparison, "
        "but not with case-sensitive comparison."
    )


def test_parts_of_two_credentials_do_not_make_one(
    login: httpx.Client, registered: Registered
) -> None:
    """A subject of one credential and the audience of another are no match."""
    client = registered(
        _credential(name="a", subject="repo:other"), _credential(name="b", audiences=["api://b"])
    )
    number, text = _ask(login, client, _assertion(GITHUB))
    assert number == 70021
    assert text.startswith(
        f"{RECORD}. Assertion Issuer: '{GITHUB}'. Assertion Subject: '{SUBJECT}'. "
        f"Assertion Audience: '{AUDIENCE}'."
    )


def test_an_application_without_credentials_trusts_nobody(
    login: httpx.Client, registered: Registered
) -> None:
    """Where nothing is configured, that is what is said."""
    client = registered()
    assert _ask(login, client, _assertion(GITHUB)) == (
        70025,
        f"The client '{client}'(Pipeline) has no configured federated identity credentials.",
    )


@pytest.mark.parametrize(
    ("key", "header", "number"),
    [
        (OTHER_KEY, {}, 700027),
        (KEY, {"alg": "HS256"}, 700027),
        (KEY, {"alg": "none"}, 700027),
        (KEY, {"kid": "two"}, 7000272),
        (KEY, {"kid": None}, 0),
    ],
)
def test_the_signature_is_checked(
    login: httpx.Client,
    registered: Registered,
    key: rsa.RSAPrivateKey,
    header: dict[str, Any],
    number: int,
) -> None:
    """The key is one of the issuer's, and it signed with RS256."""
    assertion = _assertion(GITHUB, key, header)
    assert _ask(login, registered(_credential()), assertion)[0] == number


@pytest.mark.parametrize(
    "keys",
    [
        [],
        {"keys": 1},
        [1],
        [{"kid": "one"}],
        [{"kid": "one", "n": "A", "e": "A"}],
        [{"kid": "one", "n": 1, "e": 1}],
    ],
)
def test_keys_that_are_none_are_not_found(
    login: httpx.Client, registered: Registered, issuer: _Issuer, keys: object
) -> None:
    """What an issuer publishes may be anything."""
    issuer.publish(f"{issuer.address}/keys", keys)
    client = registered(_credential(issuer.address, jwks=None))
    number, text = _ask(login, client, _assertion(issuer.address))
    assert number == 7000272
    assert text.endswith(
        f"could not be found in the metadata of identity provider '{issuer.address}'."
    )


def test_an_issuer_on_this_machine_is_asked(
    login: httpx.Client, registered: Registered, issuer: _Issuer
) -> None:
    """Keys that are not registered are those that the issuer publishes now."""
    localhost = issuer.address.replace("127.0.0.1", "localhost")
    for address in (issuer.address, localhost):
        client = registered(_credential(address, jwks=None))
        assert _ask(login, client, _assertion(address))[0] == 0
        assert _ask(login, client, _assertion(address, OTHER_KEY))[0] == 700027
    issuer.publish(f"{issuer.address}/keys?now", {"keys": []})
    issuer.pages["/keys?now"] = orjson.dumps({"keys": [_jwk(OTHER_KEY)]})
    assert _ask(login, client, _assertion(localhost, OTHER_KEY))[0] == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://token.actions.githubusercontent.com/keys",
        "https://192.0.2.1/keys",
        "ftp://127.0.0.1/keys",
        "http://127.0.0.1:1/keys",
        "http://127.0.0.1:99999/keys",
        "http://127.0.0.1/é",
        "http://127.0.0.1:80/keys",
        "http://127.0.0.2:{port}/keys",
        "http://anybody@127.0.0.1:{port}/keys",
        "keys",
        7,
    ],
)
def test_nothing_beyond_this_machine_is_asked(
    login: httpx.Client,
    registered: Registered,
    issuer: _Issuer,
    address: Any,  # noqa: ANN401 -- as JSON
) -> None:
    """Keys elsewhere, on another server of this machine too, are not fetched."""
    port = issuer.server.server_port
    where = address.format(port=port) if isinstance(address, str) else address
    issuer.publish(where, {"keys": [_jwk(KEY)]})
    client = registered(_credential(issuer.address, jwks=None))
    assert _ask(login, client, _assertion(issuer.address)) == (
        501661,
        "Request to External OIDC endpoint failed.",
    )


def test_an_issuer_on_the_internet_is_not_asked(
    login: httpx.Client, registered: Registered
) -> None:
    """Without registered keys the token of a real issuer opens nothing."""
    client = registered(_credential(GITHUB, jwks=None))
    assert _ask(login, client, _assertion(GITHUB))[0] == 501661


@pytest.mark.parametrize("page", [b"", b"no JSON", b"[]", b" " * 600_000])
def test_an_issuer_that_answers_oddly_is_refused(
    login: httpx.Client, registered: Registered, issuer: _Issuer, page: bytes
) -> None:
    """An answer that is no metadata, or far too long, is none."""
    issuer.pages["/.well-known/openid-configuration"] = page
    client = registered(_credential(issuer.address, jwks=None))
    assert _ask(login, client, _assertion(issuer.address))[0] == 501661


def test_an_issuer_that_lacks_a_page_is_refused(
    login: httpx.Client, registered: Registered, issuer: _Issuer
) -> None:
    """A 404 is no key."""
    del issuer.pages["/keys"]
    client = registered(_credential(issuer.address, jwks=None))
    assert _ask(login, client, _assertion(issuer.address))[0] == 501661


def test_an_untrusted_https_issuer_is_refused(
    tenant: Endpoints, login: httpx.Client, registered: Registered
) -> None:
    """TLS on this machine is checked as anywhere."""
    address = tenant.environment["AZURE_AUTHORITY_HOST"]
    client = registered(_credential(address, jwks=None))
    assert _ask(login, client, _assertion(address))[0] == 501661


def test_a_secret_expires(login: httpx.Client, registered: Registered) -> None:
    """An application may have several secrets, and each is good until its end."""
    secrets = [
        {"secretText": "old", "endDateTime": "2020-01-01T00:00:00Z"},
        {"secretText": "new", "endDateTime": "2099-01-01T00:00:00Z"},
        {"secretText": "lasting"},
    ]
    client = registered(passwordCredentials=secrets)
    form = {"grant_type": "client_credentials", "client_id": client, "scope": SCOPE}
    numbers = [
        login.post(TOKEN_URL, data=form | {"client_secret": secret}).json().get("error_codes")
        for secret in ("old", "new", "lasting", "none")
    ]
    assert numbers == [[7000222], None, None, [7000215]]
