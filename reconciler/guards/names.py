"""Names that stand for nothing in the tenant, or for several things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Delete, UserKey
from reconciler.diagnostics import Diagnostic
from reconciler.names import LONGEST_NAME, Names, Unresolved
from reconciler.text import counted, did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.diagnostics import Position
    from reconciler.guards.situation import Situation
    from reconciler.model import DeclaredLicense, DeclaredUser


def unknown_names(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse names that stand for nothing in the tenant, or for several things."""
    names, tenant_file = situation.names, situation.tenant_file
    for user in situation.desired.users:
        for license_ in user.licenses:
            yield from _unresolved("license", names.skus[license_.sku], license_.position)
            yield from _unknown_plans(names, license_)
        for group in user.groups:
            yield from _unresolved("group", names.groups[group.group], group.position)
        for role in user.roles:
            yield from _unresolved("role", names.roles[role.role], role.position)
        yield from _unknown_manager(names, user)
        yield from _leaving_manager(situation, user)
    for listed in tenant_file.licenses or ():
        yield from _unresolved("license", names.skus[listed.name], listed.position)
    for listed in tenant_file.groups or ():
        yield from _unresolved("group", names.groups[listed.name], listed.position)
    for listed in tenant_file.roles or ():
        yield from _unresolved("role", names.roles[listed.name], listed.position)


def _unresolved(
    kind: str, found: object, position: Position, owner: str = ""
) -> Iterator[Diagnostic]:
    if not isinstance(found, Unresolved):
        return
    name = f"{kind} '{visible(found.name)}'{owner}"
    if len(found.name) > LONGEST_NAME:
        yield Diagnostic(
            f"{name} is too long to be looked up: {len(found.name)} characters, Graph compares "
            f"{LONGEST_NAME} at most",
            "write the id instead",
            position,
        )
        return
    if found.matches:
        several = counted(len(found.matches), kind)
        yield Diagnostic(
            f"{name} is ambiguous: {several} have this name",
            f"write the id instead, one of: {listing(found.matches)}",
            position,
        )
    else:
        known = f"the tenant has: {listing(sorted(found.known))}" if found.known else None
        yield Diagnostic(
            f"{name} does not exist in this tenant",
            did_you_mean(found.name, found.known) or known,
            position,
        )


def _unknown_plans(names: Names, license_: DeclaredLicense) -> Iterator[Diagnostic]:
    sku = names.skus[license_.sku]
    if isinstance(sku, Unresolved):
        return
    owner = f" of {visible(sku.part_number)}"
    for plan in license_.disabled_plans or ():
        found = names.service_plan(sku, plan)
        yield from _unresolved("service plan", found, license_.position, owner)


def _unknown_manager(names: Names, user: DeclaredUser) -> Iterator[Diagnostic]:
    manager = user.fields.get("manager")
    if manager and not names.account(str(manager)):
        yield Diagnostic(
            f"manager '{visible(str(manager))}' of '{visible(user.user_principal_name)}' is "
            "neither in the tenant nor declared",
            "correct the name, or declare the manager in a cohort of this run",
            user.where("manager"),
        )


def _leaving_manager(situation: Situation, user: DeclaredUser) -> Iterator[Diagnostic]:
    """Refuse a manager whose account this very plan deletes."""
    name = user.fields.get("manager")
    manager = situation.names.account(str(name)) if name else None
    deleted = {
        change.key.account.id
        for change in situation.changes
        if isinstance(change, Delete) and isinstance(change.key, UserKey)
    }
    if manager and manager.id in deleted:
        yield Diagnostic(
            f"manager '{visible(manager.user_principal_name)}' of "
            f"'{visible(user.user_principal_name)}' is deleted by this plan",
            "name another manager, or declare the manager as long as somebody reports there",
            user.where("manager"),
        )
