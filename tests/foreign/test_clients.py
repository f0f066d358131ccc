"""Clients of Graph that others wrote take the sandbox for Microsoft's, unmodified.

They are given an identity, an authority to trust and a proxy, all by the environment that
`reconciler sandbox serve` prints, and nothing else: they ask graph.microsoft.com.
"""

from __future__ import annotations

import os
import shlex
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.company.contoso import TENANT_ID
from reconciler.sandbox.server import Endpoints, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CLIENTS = Path(__file__).with_name("clients")
M365 = Path(sys.prefix, "foreign", "node_modules", ".bin", "m365")
SKU, GROUP, ROLE = "SPE_E3", "Helpdesk pilot", "Directory Readers"
SKU_ID = "05e9a617-0261-4cee-bb44-138d3ef5d965"
ROLE_ID = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
PASSWORD = "Correct-Horse-9"  # noqa: S105 -- of an account of the sandbox
PATIENCE = 120

requires_m365 = pytest.mark.skipif(
    not M365.exists(), reason="npm is not on this machine, so the CLI for Microsoft 365 is not"
)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Run a tenant with a tunnel to it."""
    with running(folder=tmp_path_factory.mktemp("tenant")) as found:
        yield found


@pytest.fixture(scope="module")
def environment(
    endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """Give what a shell has in which the lines of the tunnel were pasted."""
    given, tunnel = endpoints.environment, str(endpoints.tunnel)
    authority = given["SSL_CERT_FILE"]
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        **{name: given[name] for name in given if name.startswith("AZURE_CLIENT")},
        "AZURE_TENANT_ID": given["AZURE_TENANT_ID"],
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
        "HTTPS_PROXY": tunnel,
        "https_proxy": tunnel,
    }


@pytest.fixture(scope="module")
def read(endpoints: Endpoints) -> Iterator[Callable[[str], Any]]:
    """Give what reads the tenant, without any of those clients."""
    given = endpoints.environment
    form = {
        "grant_type": "client_credentials",
        "client_id": given["AZURE_CLIENT_ID"],
        "client_secret": given["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    authority = ssl.create_default_context(cafile=given["SSL_CERT_FILE"])
    with httpx.Client(verify=authority) as client:
        url = f"{given['AZURE_AUTHORITY_HOST']}/{TENANT_ID}/oauth2/v2.0/token"
        token = client.post(url, data=form).json()["access_token"]

        def got(path: str) -> Any:  # noqa: ANN401 -- any JSON
            url = f"{given['RECONCILER_GRAPH_URL']}/v1.0/{path}"
            return client.get(url, headers={"Authorization": f"Bearer {token}"}).json()

        yield got


def run(command: list[str | Path], environment: Mapping[str, str]) -> str:
    """Run a client as a person would, and give what it printed."""
    done = subprocess.run(  # noqa: S603 -- our own scripts, and the client under test
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check(read: Callable[[str], Any], upn: str) -> None:
    """Check that *upn* has an account, a license, a membership and a role."""
    user = read(f"users/{upn}?$select=id,accountEnabled,assignedLicenses")
    assert user["accountEnabled"] is True
    assert [license_["skuId"] for license_ in user["assignedLicenses"]] == [SKU_ID]
    (group,) = read(f"groups?$filter=displayName eq '{GROUP}'&$select=id")["value"]
    members = read(f"groups/{group['id']}/members?$select=id")["value"]
    assert user["id"] in {member["id"] for member in members}
    query = f"roleManagement/directory/roleAssignments?$filter=principalId eq '{user['id']}'"
    assert [held["roleDefinitionId"] for held in read(query)["value"]] == [ROLE_ID]


@pytest.mark.parametrize("client", ["office365", "msgraph_sdk"])
def test_a_library_of_others_brings_somebody_in(
    client: str, environment: Mapping[str, str], read: Callable[[str], Any]
) -> None:
    """A program of a few lines creates a user, licenses it, adds it and gives it a role."""
    upn = f"{client.replace('_', '.')}@contoso.com"
    run([sys.executable, CLIENTS / f"{client}_client.py", upn, SKU, GROUP, ROLE], environment)
    check(read, upn)


@pytest.fixture(scope="module")
def m365(environment: Mapping[str, str]) -> Callable[[str], list[str | Path]]:
    """Sign in with the CLI for Microsoft 365, and give what makes a command of it."""
    client, secret = environment["AZURE_CLIENT_ID"], environment["AZURE_CLIENT_SECRET"]
    login = f"login --authType secret --appId {client} --tenant {TENANT_ID} --secret={secret}"
    run([M365, *shlex.split(login)], environment)
    return lambda text: [M365, *shlex.split(text)]


@requires_m365
def test_a_command_line_of_others_brings_somebody_in(
    m365: Callable[[str], list[str | Path]],
    environment: Mapping[str, str],
    read: Callable[[str], Any],
) -> None:
    """Create, license, add and assign with the CLI for Microsoft 365, command by command."""
    upn = "m365.cli@contoso.com"
    commands = (
        f"entra user add --displayName Hedy --userName {upn} --password {PASSWORD}",
        f"entra user set --userName {upn} --usageLocation AT",
        f"entra user license add --userName {upn} --ids {SKU_ID}",
        f"entra group member add --groupName '{GROUP}' --userNames {upn} --role Member",
        f"entra roleassignment add --roleDefinitionName '{ROLE}' --principal {upn}",
    )
    for command in commands:
        run(m365(command), environment)
    check(read, upn)


@requires_m365
def test_a_command_line_of_others_says_what_graph_refuses(
    m365: Callable[[str], list[str | Path]], environment: Mapping[str, str]
) -> None:
    """A refusal reaches the person at the command line in Graph's own words."""
    command = m365("entra user get --id 1caf7dcd-7e83-4c3a-94f7-932a1299c844")
    done = subprocess.run(  # noqa: S603 -- the client under test
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "does not exist or one of its queried reference-property objects" in done.stderr
