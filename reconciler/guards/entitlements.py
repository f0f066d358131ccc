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

TAKEOVER_ROLES = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Administrator
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",  # Hybrid Identity Administrator
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
    }
)
"""Roles whose holders can make themselves anything (entra-docs, permissions-reference)."""


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


def takeover_roles(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse roles that can take over the tenant, unless the tenant file lists them."""
    if situation.tenant_file.roles is not None:
        return  # what is not listed is refused already
    for change in situation.changes:
        key = change.key
        if isinstance(key, RoleAssignmentKey) and key.role_definition_id in TAKEOVER_ROLES:
            yield Diagnostic(
                f"role '{visible(key.name)}' can take over the whole tenant",
                "list it under `roles:` in a tenant file that identity administrators guard",
                change.position,
            )
