"""Brings somebody in with Microsoft's own SDK and its typed models, as its snippets do."""

from __future__ import annotations

import asyncio
import os
import sys
from uuid import UUID

from azure.identity.aio import ClientSecretCredential
from msgraph import GraphServiceClient
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.models.user import User
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import (
    AssignLicensePostRequestBody,
)


async def main(upn: str, sku_name: str, group_name: str, role_name: str) -> None:
    """Create, license, add and assign, with nothing set but the environment."""
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
    )
    async with credential:
        client = GraphServiceClient(credential, ["https://graph.microsoft.com/.default"])
        user = await client.users.post(
            User(
                account_enabled=True,
                display_name="Emmy Noether",
                mail_nickname=upn.partition("@")[0],
                user_principal_name=upn,
                usage_location="DE",
                password_profile=PasswordProfile(password="Correct-Horse-9"),  # noqa: S106 -- of an account of the sandbox
            )
        )
        skus = await client.subscribed_skus.get()
        sku = next(sku for sku in skus.value if sku.sku_part_number == sku_name)
        await client.users.by_user_id(user.id).assign_license.post(
            AssignLicensePostRequestBody(
                add_licenses=[AssignedLicense(sku_id=UUID(str(sku.sku_id)), disabled_plans=[])],
                remove_licenses=[],
            )
        )
        found = await client.groups.get(
            request_configuration=GroupsRequestBuilder.GroupsRequestBuilderGetRequestConfiguration(
                query_parameters=GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters(
                    filter=f"displayName eq '{group_name}'"
                )
            )
        )
        await client.groups.by_group_id(found.value[0].id).members.ref.post(
            ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{user.id}")
        )
        roles = await client.role_management.directory.role_definitions.get()
        role = next(role for role in roles.value if role.display_name == role_name)
        await client.role_management.directory.role_assignments.post(
            UnifiedRoleAssignment(
                principal_id=user.id, role_definition_id=role.id, directory_scope_id="/"
            )
        )


asyncio.run(main(*sys.argv[1:]))
