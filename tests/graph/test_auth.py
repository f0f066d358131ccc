from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from azure import identity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from reconciler.errors import UsageError
from reconciler.graph.auth import WHAT_TO_SET, credential
from reconciler.graph.clouds import CLOUDS, Cloud
from reconciler.graph.federation import Federated
from reconciler.graph.trust import certificates

if TYPE_CHECKING:
    from pathlib import Path

GLOBAL = CLOUDS["global"]
WHO = {
    "AZURE_TENANT_ID": "28d80e74-2d69-4bb9-b1e4-740c4cf0551f",
    "AZURE_CLIENT_ID": "5c8b4d0a-3f0e-4f6a-9c83-27a3b1d5e6f1",
}
ELSEWHERE = {"AZURE_AUTHORITY_HOST": "https://localhost:8443"}


def nothing(_: str) -> str | None:
    """Find no program."""
    return None


def everything(name: str) -> str | None:
    """Find every program."""
    return f"/usr/bin/{name}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a PEM file with a certificate and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "reconciler")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "app.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_secret() -> None:
    """The simplest way in."""
    found = credential(GLOBAL, {**WHO, **ELSEWHERE, "AZURE_CLIENT_SECRET": "s"}, nothing)

    assert isinstance(found, identity.ClientSecretCredential)


def test_a_certificate(certificate: Path) -> None:
    """The file holds both the certificate and its key."""
    environment = {**WHO, **ELSEWHERE, "AZURE_CLIENT_CERTIFICATE_PATH": str(certificate)}

    assert isinstance(credential(GLOBAL, environment, nothing), identity.CertificateCredential)


@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate"], ids=["missing", "empty", "text"]
)
def test_an_unusable_certificate(tmp_path: Path, content: bytes | None) -> None:
    """A file that is none, or not there, is told by its variable: the value may be a key."""
    path = tmp_path / "app.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(
        UsageError, match=r"^AZURE_CLIENT_CERTIFICATE_PATH names no usable certificate$"
    ) as caught:
        credential(GLOBAL, {**WHO, "AZURE_CLIENT_CERTIFICATE_PATH": str(path)}, nothing)
    assert caught.value.hint == (
        "give the path of a PEM or PFX file with the certificate and its private key"
    )


def test_a_federated_token(tmp_path: Path) -> None:
    """The file is read at each sign-in, so it need not be there yet."""
    environment = {**WHO, **ELSEWHERE, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}

    assert isinstance(credential(GLOBAL, environment, nothing), identity.WorkloadIdentityCredential)


JOB = {"GITHUB_ACTIONS": "true"}
ASKS = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example/",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
}


@pytest.mark.parametrize("job", [JOB | ASKS, ASKS], ids=["GitHub", "what stands for it"])
def test_a_job_of_github_actions(job: dict[str, str]) -> None:
    """A job that may ask GitHub signs in with its word, `az` or not; nobody is asked yet."""
    found = credential(GLOBAL, {**WHO, **ELSEWHERE, **job}, everything)

    assert isinstance(found, Federated)


def test_a_job_that_may_not_ask() -> None:
    """An application that was named is not quietly replaced by whoever signed in with `az`."""
    with pytest.raises(UsageError, match=r"^this job may not ask GitHub for a token"):
        credential(GLOBAL, {**WHO, **JOB}, everything)


def test_a_job_without_an_application_uses_az() -> None:
    """An earlier step may have signed in with `az`, as azure/login does."""
    environment = {**JOB, "AZURE_TENANT_ID": WHO["AZURE_TENANT_ID"]}

    assert isinstance(credential(GLOBAL, environment, everything), identity.AzureCliCredential)


def test_a_secret_comes_first(certificate: Path) -> None:
    """Where several are set, the order is fixed."""
    environment = {
        **WHO,
        "AZURE_CLIENT_SECRET": "s",
        "AZURE_CLIENT_CERTIFICATE_PATH": str(certificate),
        **JOB,
        **ASKS,
    }

    assert isinstance(credential(GLOBAL, environment, nothing), identity.ClientSecretCredential)


def test_a_graph_on_this_machine_gets_no_real_token() -> None:
    """Who is signed in with `az` is so at Microsoft; the sandbox wants credentials of its own."""
    here = Cloud("http://127.0.0.1:1", "https://localhost:2", GLOBAL.scope)
    with pytest.raises(UsageError, match="no credentials"):
        credential(here, {}, everything)


def test_the_azure_cli_is_the_last_resort() -> None:
    """Who is signed in with `az` needs no variables."""
    assert isinstance(credential(GLOBAL, {}, everything), identity.AzureCliCredential)


def test_no_way_in() -> None:
    """Without anything, all ways are told, and the one without a tenant."""
    with pytest.raises(UsageError, match="no credentials for Microsoft Graph") as caught:
        credential(GLOBAL, {"AZURE_CLIENT_SECRET": ""}, nothing)
    assert caught.value.hint == WHAT_TO_SET
    assert "--sandbox" in WHAT_TO_SET


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ((), "AZURE_TENANT_ID and AZURE_CLIENT_ID"),
        (("AZURE_TENANT_ID",), "AZURE_CLIENT_ID"),
        (("AZURE_CLIENT_ID",), "AZURE_TENANT_ID"),
    ],
)
def test_what_is_missing_is_named(known: tuple[str, ...], missing: str) -> None:
    """Half a configuration is a mistake, not a reason to look elsewhere."""
    environment = {name: WHO[name] for name in known} | {"AZURE_CLIENT_SECRET": "s3cret"}

    with pytest.raises(UsageError, match=f"^AZURE_CLIENT_SECRET is set, but {missing} not$"):
        credential(GLOBAL, environment, everything)


def test_a_tenant_that_cannot_be_one() -> None:
    """What azure-identity would choke on is told without it: secrets get into wrong variables."""
    environment = {**WHO, "AZURE_TENANT_ID": "s3~cret/..", "AZURE_CLIENT_SECRET": "s3cret"}

    with pytest.raises(UsageError) as caught:
        credential(GLOBAL, environment, nothing)
    assert (str(caught.value), caught.value.hint) == (
        "AZURE_TENANT_ID is neither the id of a tenant nor one of its domains",
        "give the id or a domain of the tenant; what it holds now is not shown",
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"SSL_CERT_FILE": "b", "CURL_CA_BUNDLE": "c"}, "b"),
        ({"REQUESTS_CA_BUNDLE": "a", "SSL_CERT_FILE": "b"}, "a"),
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "c"}, "c"),
    ],
)
def test_certificate_authorities(environment: dict[str, str], expected: str | None) -> None:
    """The usual variables count, in the order in which the usual programs take them."""
    assert certificates(environment) == expected
