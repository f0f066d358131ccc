"""Groups whose members cannot be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.model import folded
from reconciler.names import Unresolved
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.diagnostics import Position
    from reconciler.guards.situation import Situation
    from reconciler.model import Group


def unwritable_groups(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse groups whose members Graph does not let us write (Graph, add members)."""
    opted_in = {folded(g.name) for g in situation.tenant_file.groups or () if g.role_assignable}
    for name, position in _mentioned_groups(situation):
        group = situation.names.groups[name]
        if isinstance(group, Unresolved):
            continue
        reason = _unwritable(group, opted_in)
        if reason:
            problem, remedy = reason
            yield Diagnostic(f"group '{visible(group.display_name)}' {problem}", remedy, position)


def _mentioned_groups(situation: Situation) -> Iterator[tuple[str, Position]]:
    asked: set[str] = set()
    for user in situation.desired.users:
        for group in user.groups:
            asked.add(folded(group.group))
            yield group.group, group.position
    for listed in situation.tenant_file.groups or ():
        if folded(listed.name) not in asked:
            yield listed.name, listed.position


def _unwritable(group: Group, opted_in: set[str]) -> tuple[str, str] | None:
    is_unified = "Unified" in group.group_types
    if "DynamicMembership" in group.group_types:
        return (
            "is dynamic: its rule decides who is a member",
            "change the person's properties so that the rule applies, or name an assigned group",
        )
    if group.on_premises_sync_enabled:
        return (
            "is synced from on-premises and cannot be changed in the cloud",
            "change the membership in Active Directory, or name a cloud group",
        )
    if group.mail_enabled and not is_unified:
        return (
            "is a distribution list or mail-enabled security group, which Graph cannot change",
            "change it in Exchange, or name a security or Microsoft 365 group",
        )
    if (
        group.is_assignable_to_role
        and not {folded(group.id), folded(group.display_name)} & opted_in
    ):
        return (
            "can hold directory roles: its members become privileged",
            "list it as `{group: …, roleAssignable: true}` under `groups:` in the tenant file",
        )
    return None
