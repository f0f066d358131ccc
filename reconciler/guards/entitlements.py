"""What a cohort may ask for at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import RoleAssignmentKey
from reconciler.diagnostics import Diagnostic
from reconciler.model import Group, RoleDefinition, Sku
from reconciler.names import Unresolved
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.diagnostics import Position
    from reconciler.guards.situation import Situation
    from reconciler.model import ObjectId

PRIVILEGED_ROLES = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451",  # Global Reader
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Administrator
        "fe930be7-5e62-47db-91af-98c3a49a38b1",  # User Administrator
        "729827e3-9c14-49f7-bb1b-9608f156bbb8",  # Helpdesk Administrator
        "966707d0-3269-4727-9be2-8c3a10f19b9d",  # Password Administrator
        "c4e39bd9-1100-46d3-8c65-fb160da0071f",  # Authentication Administrator
        "25a516ed-2fa0-40ea-a2d0-12923a21473a",  # Authentication Extensibility Administrator
        # Authentication Extensibility Password Administrator
        "0b00bede-4072-4d22-b441-e7df02a1ef63",
        "194ae4cb-b126-40b2-bd5b-6091b380977d",  # Security Administrator
        "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",  # Security Operator
        "5d6b6bb7-de71-4623-b4af-96380a352509",  # Security Reader
        "58f930cc-fcf4-4152-852c-1d7dbf502139",  # Entra SOC Identity Responder
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",  # Conditional Access Administrator
        "3a2c62db-5318-420d-8d74-23affee5d9d5",  # Intune Administrator
        "9360feb5-f418-4baa-8175-e2a00bac4301",  # Directory Writers
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
        "cf1c38e5-3621-4004-a7cb-879624dced7c",  # Application Developer
        "db506228-d27e-4b7d-95e5-295956d6615f",  # Agent ID Administrator
        "d2562ede-74db-457e-a7b6-544e236ebb61",  # AI Administrator
        "1fe13547-53f6-408d-ac04-7f8eed167b38",  # AI Reader
        "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe",  # Attribute Provisioning Administrator
        "422218e4-db15-4ef9-bbe0-8afb41546d79",  # Attribute Provisioning Reader
        "aaf43236-0c0d-4d5f-883a-6955382ac081",  # B2C IEF Keyset Administrator
        "be2f45a1-457d-42af-a067-6ec1fa63bc45",  # External Identity Provider Administrator
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",  # Hybrid Identity Administrator
        "8329153b-31d0-4727-b945-745eb3bc5f31",  # Domain Name Administrator
        "7698a772-787b-4ac8-901f-60d6b08affd2",  # Cloud Device Administrator
        "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e",  # Identity Governance Administrator
        "1981f584-96e9-4a6f-95b0-f522373f8fae",  # Tenant Governance Administrator
        "59d46f88-662b-457b-bceb-5c3809e5908f",  # Lifecycle Workflows Administrator
        "4ba39ca4-527c-499a-b93d-d9b492c50246",  # Partner Tier1 Support
        "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8",  # Partner Tier2 Support
        # Not labelled, and not for people: the accounts of Microsoft Entra Connect and Cloud Sync.
        "d29b2b05-8046-44ba-8758-1e26182fcf32",  # Directory Synchronization Accounts
        "a92aed5d-d78a-4d16-b381-09adb37eb3b0",  # On Premises Directory Sync Account
    }
)
"""Roles that Microsoft labels privileged (entra-docs, permissions-reference, 2026-10).

v1.0 of Graph does not tell which are; a role that gets the label later is added here.
"""


def unlisted_entitlements(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse entitlements that the tenant file does not list."""
    tenant_file, names = situation.tenant_file, situation.names
    listed = situation.managed
    for user in situation.desired.users:
        for license_ in user.licenses if tenant_file.licenses is not None else ():
            yield from _unlisted(
                "license", names.skus[license_.sku], listed.skus, license_.position
            )
        for group in user.groups if tenant_file.groups is not None else ():
            yield from _unlisted("group", names.groups[group.group], listed.groups, group.position)
        for role in user.roles if tenant_file.roles is not None else ():
            yield from _unlisted("role", names.roles[role.role], listed.roles, role.position)


def _unlisted(
    kind: str,
    found: Sku | Group | RoleDefinition | Unresolved,
    listed: Mapping[ObjectId, object],
    position: Position,
) -> Iterator[Diagnostic]:
    if isinstance(found, Unresolved) or found.id in listed:
        return
    name = found.part_number if isinstance(found, Sku) else found.display_name
    yield Diagnostic(
        f"{kind} '{visible(name)}' is not listed in the tenant file",
        f"an identity administrator can add it under `{kind}s:` in the tenant file",
        position,
    )


def privileged_roles(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse privileged roles, and those nobody knows, unless a tenant file lists them."""
    if situation.tenant_file.roles is not None:
        return  # what is not listed is refused already
    for change in situation.changes:
        key = change.key
        if not isinstance(key, RoleAssignmentKey):
            continue
        role = situation.names.roles[key.role_definition_id]
        is_custom = isinstance(role, RoleDefinition) and not role.is_built_in
        if is_custom or key.role_definition_id in PRIVILEGED_ROLES:
            kind = "is the tenant's own" if is_custom else "is privileged"
            yield Diagnostic(
                f"role '{visible(key.name)}' {kind}, and there is no tenant file that allows it",
                "list it under `roles:` in a tenant file that identity administrators guard",
                change.position,
            )


def misplaced(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse what makes people privileged outside the folder that is kept for it."""
    folder, files = situation.tenant_file.privileged_folder, situation.desired.privileged
    if folder is None:
        return
    for user in situation.desired.users:
        for role in user.roles:
            if role.position.file not in files:
                found = situation.names.roles[role.role]
                name = role.role if isinstance(found, Unresolved) else found.display_name
                yield _misplaced(f"role '{visible(name)}'", folder, role.position)
        for membership in user.groups:
            group = situation.names.groups[membership.group]
            if isinstance(group, Unresolved) or membership.position.file in files:
                continue
            if group.is_assignable_to_role:
                yield _misplaced(
                    f"group '{visible(group.display_name)}' can hold directory roles, and",
                    folder,
                    membership.position,
                )


def _misplaced(what: str, folder: str, position: Position) -> Diagnostic:
    return Diagnostic(
        f"{what} may be asked for only by cohorts in '{visible(folder)}'",
        "move the cohort into that folder, where identity administrators review it",
        position,
    )
