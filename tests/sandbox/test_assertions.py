from __future__ import annotations

import base64
import hashlib
import stat
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from reconciler.errors import UsageError
from reconciler.sandbox import certificates
from reconciler.sandbox.company.contoso import APPLY_APP, PLAN_APP, TENANT_ID
from reconciler.sandbox.server import reset, running

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from reconciler.sandbox.server import Endpoints

TOKEN_URL = f"/{TENANT_ID}/oauth2/v2.0/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Change = Callable[[dict[str, Any]], Mapping[str, Any]]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Signer:
    """Signs assertions as a client does, by the standard rather than by the tenant's code."""

    def __init__(self, path: Path, base_url: str) -> None:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        certificate = load_pem_x509_certificate(path.read_bytes())
        self.key = key
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.audience = f"{base_url}{TOKEN_URL}"

    def header(self) -> dict[str, Any]:
        thumbprint = _encoded(hashlib.sha256(self.der).digest())
        return {"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint}

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        client = APPLY_APP.client_id
        return {"aud": self.audience, "iss": client, "sub": client, "nbf": now, "exp": now + 600}

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        text = ".".join(_encoded(orjson.dumps(dict(part))) for part in (header, claims))
        scheme = (
            padding.PKCS1v15()
            if header.get("alg") == "RS256"
            else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        )
        return f"{text}.{_encoded(self.key.sign(text.encode(), scheme, hashes.SHA256()))}"


@pytest.fixture
def signer(tenant: Endpoints, login: httpx.Client) -> _Signer:
    """Give one who holds the key of the application that may write."""
    assert tenant.certificate
    return _Signer(tenant.certificate, str(login.base_url).rstrip("/"))


def _ask(login: httpx.Client, assertion: str, **form: str) -> tuple[int, dict[str, Any]]:
    usual = {
        "grant_type": "client_credentials",
        "client_id": APPLY_APP.client_id,
        "scope": "https://graph.microsoft.com/.default",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
    }
    reply = login.post(TOKEN_URL, data=usual | form)
    return reply.status_code, reply.json()


def _credential(known: Mapping[str, str], path: Path) -> CertificateCredential:
    return CertificateCredential(
        known["AZURE_TENANT_ID"],
        known["AZURE_CLIENT_ID"],
        str(path),
        authority=known["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=known["REQUESTS_CA_BUNDLE"],
    )


def test_azure_identity_signs_in_with_the_certificate(
    tenant: Endpoints, graph: httpx.Client
) -> None:
    """The library that clients use gets a token that Graph takes."""
    assert tenant.certificate
    with _credential(tenant.environment, tenant.certificate) as credential:
        token = credential.get_token("https://graph.microsoft.com/.default").token
    reply = graph.get("/domains", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 200


def test_azure_identity_is_refused_with_another_certificate(
    tenant: Endpoints, tmp_path: Path
) -> None:
    """A certificate that is not registered opens nothing, and the number says so."""
    other = certificates.ensure_client(tmp_path)
    with (
        _credential(tenant.environment, other) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
    ):
        credential.get_token("https://graph.microsoft.com/.default")


def test_the_older_thumbprint_and_algorithm_are_taken(signer: _Signer, login: httpx.Client) -> None:
    """RS256 with `x5t`, which older clients send, opens too, with the issuer as audience."""
    thumbprint = _encoded(hashlib.sha1(signer.der, usedforsecurity=False).digest())
    header = {"typ": "JWT", "alg": "RS256", "x5t": thumbprint}
    issuer = signer.audience.replace("/oauth2/v2.0/token", "/v2.0")
    assertion = signer.sign(header, signer.claims() | {"aud": issuer})
    status, shown = _ask(login, assertion)
    assert (status, shown.get("token_type")) == (200, "Bearer")


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"x5t#S256": "AAAA"}, 700027),
        ({"x5t#S256": "A"}, 700027),
        ({"x5t#S256": None}, 700027),
        ({"alg": "RS256"}, 700027),
        ({"alg": "none"}, 700027),
    ],
    ids=str,
)
def test_a_wrong_header_is_refused(
    signer: _Signer, login: httpx.Client, change: dict[str, Any], number: int
) -> None:
    """The key must be the registered one, and the algorithm the one that signed."""
    text = signer.sign(signer.header(), signer.claims())
    header = _encoded(orjson.dumps(signer.header() | change))
    status, shown = _ask(login, f"{header}.{text.partition('.')[2]}")
    assert (status, shown.get("error_codes")) == (401, [number])


def test_a_header_without_a_thumbprint_is_refused(signer: _Signer, login: httpx.Client) -> None:
    """Without the name of a key there is no key to look for."""
    status, shown = _ask(login, signer.sign({"alg": "PS256"}, signer.claims()))
    assert (status, shown["error_codes"]) == (401, [700027])
    assert "The key was not found." in shown["error_description"]


def test_what_was_changed_after_signing_is_refused(signer: _Signer, login: httpx.Client) -> None:
    """A signature is of these claims and no others."""
    header, _, signature = signer.sign(signer.header(), signer.claims()).split(".")
    later = _encoded(orjson.dumps(signer.claims() | {"exp": int(time.time()) + 9999}))
    status, shown = _ask(login, f"{header}.{later}.{signature}")
    assert (status, shown["error_codes"]) == (401, [700027])
    assert "verify the signature failed" in shown["error_description"]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700023),
        ({"aud": None}, 700023),
        ({"iss": PLAN_APP.client_id}, 700021),
        ({"sub": PLAN_APP.client_id}, 700021),
        ({"exp": 1_700_000_000}, 700024),
        ({"nbf": 9_999_999_999, "exp": 9_999_999_999}, 700024),
        ({"exp": None}, 50027),
        ({"exp": 10**18}, 50027),
        ({"nbf": "now"}, 50027),
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(
    signer: _Signer, login: httpx.Client, change: dict[str, Any], number: int
) -> None:
    """An assertion is for this tenant, of this client, and short-lived."""
    status, shown = _ask(login, signer.sign(signer.header(), signer.claims() | change))
    assert (status, shown.get("error"), shown.get("error_codes")) == (
        401,
        "invalid_client",
        [number],
    )
    assert shown["error_description"].startswith(f"AADSTS{number}: ")


def test_the_audience_is_not_what_the_caller_calls_us(signer: _Signer, login: httpx.Client) -> None:
    """An assertion is for the server's own names and port, whatever the request says."""
    tenant = TOKEN_URL.removesuffix("/oauth2/v2.0/token")
    port = login.base_url.port
    audiences = {
        f"https://127.0.0.1:{port}{tenant}/v2.0": 200,
        f"https://[::1]:{port}{TOKEN_URL}": 200,
        f"https://login.microsoftonline.com{TOKEN_URL}": 200,
        f"https://localhost:1{TOKEN_URL}": 401,
        f"https://management.azure.com{TOKEN_URL}": 401,
    }
    for audience, status in audiences.items():
        assertion = signer.sign(signer.header(), signer.claims() | {"aud": audience})
        form = {
            "grant_type": "client_credentials",
            "client_id": APPLY_APP.client_id,
            "scope": "https://graph.microsoft.com/.default",
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
        }
        for host in (f"localhost:{port}", "localhost:1", "management.azure.com"):
            reply = login.post(TOKEN_URL, data=form, headers={"Host": host})
            assert (audience, reply.status_code) == (audience, status)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "W10.MQ.", "é.é.é"])
def test_what_is_no_token_is_refused(login: httpx.Client, text: str) -> None:
    """An assertion is three parts of which two are JSON objects."""
    status, shown = _ask(login, text)
    assert (status, shown["error_codes"]) == (401, [50027])


def test_only_the_writer_has_a_certificate(signer: _Signer, login: httpx.Client) -> None:
    """The key of one application does not open another."""
    client = PLAN_APP.client_id
    claims = signer.claims() | {"iss": client, "sub": client}
    status, shown = _ask(login, signer.sign(signer.header(), claims), client_id=client)
    assert (status, shown["error_codes"]) == (401, [700027])


def test_some_proof_is_wanted(signer: _Signer, login: httpx.Client) -> None:
    """Without a secret, or with an assertion of another type, there is no token."""
    assertion = signer.sign(signer.header(), signer.claims())
    status, shown = _ask(login, assertion, client_assertion_type="saml2-bearer")
    assert (status, shown["error_codes"]) == (401, [7000216])


def test_a_reset_makes_another_certificate(tmp_path: Path) -> None:
    """The key is its owner's alone, outlives the server, and goes with the tenant."""
    file, path, seen = tmp_path / "sandbox.sqlite", tmp_path / "apply-app.pem", []
    for again in (False, True):
        for _ in range(2):
            with running(file, folder=tmp_path) as endpoints:
                assert endpoints.certificate == path
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            seen.append(path.read_bytes())
        if not again:
            reset(file)
            assert not path.exists()
    assert (seen[0], seen[2]) == (seen[1], seen[3])
    assert seen[0] != seen[2]


def test_a_tenant_without_a_folder_has_no_certificate() -> None:
    """What nobody could use again is not made."""
    with running() as endpoints:
        assert endpoints.certificate is None


def test_a_broken_certificate_is_named(tmp_path: Path) -> None:
    """A file that holds no certificate is a usage error that names it."""
    path = tmp_path / "apply-app.pem"
    path.write_text("broken")
    path.chmod(0o600)
    with pytest.raises(UsageError) as caught, running(folder=tmp_path):
        pass
    assert str(caught.value) == f"{path} holds no certificate"
