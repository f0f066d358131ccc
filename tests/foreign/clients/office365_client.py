"""Brings somebody in with Office365-REST-Python-Client, in the words of its own examples."""

from __future__ import annotations

import os
import sys

from office365.directory.users.profile import UserProfile
from office365.graph_client import GraphClient

upn, sku_name, group_name, role_name = sys.argv[1:]

client = GraphClient(tenant=os.environ["AZURE_TENANT_ID"]).with_client_secret(
    os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"]
)

profile = UserProfile(
    userPrincipalName=upn,
    mailNickname=upn.partition("@")[0],
    displayName="Grete Hermann",
    accountEnabled=True,
)
profile.passwordProfile.password = "Correct-Horse-9"  # noqa: S105 -- of an account of the sandbox
user = client.users.add(profile).execute_query()

# An account of this client's starts without a country, which a license wants.
user.set_property("usageLocation", "GB").update().execute_query()

skus = client.subscribed_skus.get().execute_query()
sku = next(sku for sku in skus if sku.properties["skuPartNumber"] == sku_name)
user.assign_license([sku.properties["skuId"]], []).execute_query()

group = client.groups.filter(f"displayName eq '{group_name}'").get().execute_query()[0]
group.members.add(user).execute_query()

roles = client.role_management.directory.role_definitions
role = roles.filter(f"displayName eq '{role_name}'").get().execute_query()[0]
client.role_management.directory.role_assignments.add(
    principalId=user.id, roleDefinitionId=role.id, directoryScopeId="/"
).execute_query()
