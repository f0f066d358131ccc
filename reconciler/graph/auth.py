"""Signing in: the credential that the environment describes."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from azure import identity

from reconciler.errors import UsageError
from reconciler.graph import federation
from reconciler.graph.trust import certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from azure.core.credentials import AccessToken, TokenCredential

    from reconciler.graph.clouds import Cloud

WHAT_TO_SET = (
    "set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET, "
    "AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE (in GitHub Actions "
    "the first two, and `id-token: write`, will do); or run `az login`; "
    "or try it without a tenant: --sandbox"
)
_CLIENT = "AZURE_CLIENT_ID"
_TENANT = re.compile(r"[A-Za-z0-9.-]+")
"""What azure-identity takes as a tenant; it raises ValueError on anything else."""


class Renewable:
    """A credential whose token can be thrown away: Graph may know better than its dates.

    A clock that is off, or a revocation, ends a token before this machine thinks so.
    """

    def __init__(self, inner: TokenCredential) -> None:
        self._inner = inner
        self._claims: str | None = None

    def renew(self, since: datetime | None) -> None:
        """Make the next token a new one, issued after *since* where that is known."""
        value = {"nbf": {"essential": True, "value": str(int(since.timestamp()))}} if since else {}
        self._claims = json.dumps({"access_token": value})

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        **options: Any,  # noqa: ANN401 -- passed on as they are
    ) -> AccessToken:
        """Give a token, as the credential behind this does."""
        try:
            token = self._inner.get_token(*scopes, claims=claims or self._claims, **options)
        except identity.CredentialUnavailableError:
            if claims or not self._claims:
                raise
            # The Azure CLI takes no claims, and keeps no token that one would have to get past.
            token = self._inner.get_token(*scopes, **options)
        self._claims = None
        return token


def credential(
    cloud: Cloud,
    environment: Mapping[str, str],
    which: Callable[[str], str | None] = shutil.which,
) -> TokenCredential:
    """Give the credential that *environment* describes.

    A secret, a certificate and a federated token are looked for in this order; without any,
    a job of GitHub Actions that AZURE_CLIENT_ID is set for signs in with GitHub's word. Else
    the Azure CLI's sign-in is used where `az` is installed, but for a Graph on this machine,
    which no real token may reach.
    """
    kinds = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE")
    kind = next((name for name in kinds if environment.get(name)), None)
    if kind is None and environment.get(_CLIENT) and federation.is_job(environment):
        kind = _CLIENT
    if kind:
        return _of_application(kind, cloud, environment)
    if cloud.is_here or which("az") is None:
        raise UsageError("no credentials for Microsoft Graph in the environment", WHAT_TO_SET)
    return identity.AzureCliCredential(tenant_id=environment.get("AZURE_TENANT_ID", ""))


def _of_application(kind: str, cloud: Cloud, environment: Mapping[str, str]) -> TokenCredential:
    missing = [n for n in ("AZURE_TENANT_ID", _CLIENT) if not environment.get(n)]
    if missing:
        raise UsageError(f"{kind} is set, but {' and '.join(missing)} not", WHAT_TO_SET)
    tenant, client = environment["AZURE_TENANT_ID"], environment[_CLIENT]
    options = {
        "authority": cloud.login,
        # A host that Microsoft's discovery service does not know is ours to trust or not.
        "disable_instance_discovery": "AZURE_AUTHORITY_HOST" in environment,
        "connection_verify": certificates(environment) or True,
    }
    if not _TENANT.fullmatch(tenant):
        raise UsageError(
            "AZURE_TENANT_ID is neither the id of a tenant nor one of its domains",
            "give the id or a domain of the tenant; what it holds now is not shown",
        )
    match kind:
        case "AZURE_CLIENT_SECRET":
            return identity.ClientSecretCredential(tenant, client, environment[kind], **options)
        case "AZURE_CLIENT_CERTIFICATE_PATH":
            password = environment.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
            try:
                return identity.CertificateCredential(
                    tenant, client, environment[kind], password=password, **options
                )
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"{kind} names no usable certificate",
                    "give the path of a PEM or PFX file with the certificate and its private key",
                ) from error
        case "AZURE_CLIENT_ID":
            job = federation.job(environment, cloud.audience)
            return federation.Federated(
                job.assertion,
                lambda ask: identity.ClientAssertionCredential(tenant, client, ask, **options),
            )
        case _:
            return identity.WorkloadIdentityCredential(
                tenant_id=tenant,
                client_id=client,
                token_file_path=environment[kind],
                **options,
            )
