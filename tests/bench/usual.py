"""The usual script, written with care: Microsoft's SDK, one person after the other.

It is what the side by side compares with, and no part of the program. It looks everything up
once, sends typed models, and leaves retries to the SDK. What it does not do: it compares
nothing, notices nobody who is there already, and writes the passwords down in the clear.
Everything is awaited before the next is asked, as in the guides that it follows (Graph, "Create
user", "user: assignLicense", "Add members", "Create unifiedRoleAssignment").
"""

from __future__ import annotations

import asyncio
import csv
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.models.user import User
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import (
    AssignLicensePostRequestBody,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

SCOPE = "https://graph.microsoft.com/.default"


def connect() -> tuple[GraphServiceClient, str]:
    """Sign in as the environment says; gives Graph's address as well."""
    root = f"{os.environ['RECONCILER_GRAPH_URL']}/v1.0"
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    hosts = [str(urlsplit(root).hostname)]
    adapter = GraphRequestAdapter(
        AzureIdentityAuthenticationProvider(credential, scopes=[SCOPE], allowed_hosts=hosts)
    )
    adapter.base_url = root
    return GraphServiceClient(request_adapter=adapter), root


async def sku_named(client: GraphServiceClient, name: str) -> UUID:
    """Give the id of the licence called *name*."""
    skus = await client.subscribed_skus.get()
    assert skus
    assert skus.value
    return next(UUID(str(sku.sku_id)) for sku in skus.value if sku.sku_part_number == name)


async def group_named(client: GraphServiceClient, name: str) -> str:
    """Give the id of the group called *name*."""
    query = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters(
        filter=f"displayName eq '{name}'"
    )
    configuration = GroupsRequestBuilder.GroupsRequestBuilderGetRequestConfiguration(
        query_parameters=query
    )
    groups = await client.groups.get(request_configuration=configuration)
    assert groups
    assert groups.value
    return str(groups.value[0].id)


async def role_named(client: GraphServiceClient, name: str) -> str:
    """Give the id of the directory role called *name*."""
    roles = await client.role_management.directory.role_definitions.get()
    assert roles
    assert roles.value
    return next(str(role.id) for role in roles.value if role.display_name == name)


async def main(people: Path, passwords: Path, sku: str, group: str, role: str) -> None:
    """Bring in everybody whom the CSV file *people* lists."""
    client, root = connect()
    sku_id = await sku_named(client, sku)
    group_id = await group_named(client, group)
    role_id = await role_named(client, role)
    with (
        people.open(encoding="utf-8", newline="") as listed,
        passwords.open("w", encoding="utf-8", newline="") as told,
    ):
        writer = csv.writer(told)
        for row in csv.DictReader(listed):
            upn, password = row["userPrincipalName"], f"Aa1-{secrets.token_urlsafe(12)}"
            user = await client.users.post(
                User(
                    account_enabled=True,
                    display_name=f"{row['givenName']} {row['surname']}",
                    given_name=row["givenName"],
                    surname=row["surname"],
                    department=row["department"],
                    mail_nickname=upn.partition("@")[0],
                    user_principal_name=upn,
                    usage_location=row["usageLocation"],
                    password_profile=PasswordProfile(
                        password=password, force_change_password_next_sign_in=True
                    ),
                )
            )
            assert user
            assert user.id
            writer.writerow([upn, password])
            await client.users.by_user_id(user.id).assign_license.post(
                AssignLicensePostRequestBody(
                    add_licenses=[AssignedLicense(sku_id=sku_id, disabled_plans=[])],
                    remove_licenses=[],
                )
            )
            await client.groups.by_group_id(group_id).members.ref.post(
                ReferenceCreate(odata_id=f"{root}/directoryObjects/{user.id}")
            )
            await client.role_management.directory.role_assignments.post(
                UnifiedRoleAssignment(
                    principal_id=user.id, role_definition_id=role_id, directory_scope_id="/"
                )
            )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
