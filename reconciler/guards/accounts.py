"""Accounts that are not ours to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Adopt, ManagerKey, UserKey
from reconciler.diagnostics import Diagnostic
from reconciler.diff import Ownership, ownership
from reconciler.model import Account, folded
from reconciler.text import listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.diagnostics import Position
    from reconciler.guards.situation import Situation
    from reconciler.model import DeclaredUser, ObservedUser, TenantFile


def foreign_accounts(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to touch accounts that exist and are not ours."""
    protected = _protected(situation)
    for user in situation.desired.users:
        current = situation.names.user(user.user_principal_name)
        if current and _is_one_of(protected, current.account):
            continue  # which is refused whatever else is true of it
        deleted = situation.names.deleted_user(user.user_principal_name)
        if current:
            yield from _not_ours(situation.tenant_file, user, current)
        elif user.adopt and deleted:
            yield from _not_ours(situation.tenant_file, user, deleted)
        elif user.adopt:
            yield Diagnostic(
                f"no account '{visible(user.user_principal_name)}' exists to adopt",
                "correct userPrincipalName, or remove `adopt: true` to create the account",
                user.position,
            )


def _not_ours(
    tenant_file: TenantFile, user: DeclaredUser, current: ObservedUser
) -> Iterator[Diagnostic]:
    name = visible(user.user_principal_name)
    match ownership(current.mark, tenant_file.source):
        case Ownership.FOREIGN:
            yield Diagnostic(
                f"account '{name}' carries a foreign mark: {tenant_file.ownership} is "
                f"'{visible(current.mark or '')}'",
                _about_foreign_mark(tenant_file),
                user.position,
            )
        case Ownership.UNMARKED if not user.adopt:
            yield Diagnostic(
                f"account '{name}' exists already and is not owned by this repository",
                "add `adopt: true` to the entry to take it over, or choose another "
                "userPrincipalName",
                user.position,
            )
        case _:
            pass


def _about_foreign_mark(tenant_file: TenantFile) -> str:
    if tenant_file.position is None:
        return (
            "without a tenant file this repository's own marks cannot be told: is tenant.yaml "
            "missing?"
        )
    return (
        f"if it is another repository's, that one must clear {tenant_file.ownership} first; if it "
        "was ours, correct `source:` in the tenant file"
    )


def synced_accounts(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse changes that on-premises directories are the only authority for.

    extensionAttribute1 to 15 are read-only on accounts that are or once were synced
    (Graph, `onPremisesExtensionAttributes` resource; microsoft-graph-docs#14210).
    """
    for change in situation.changes:
        user = situation.names.user(change.key.account.user_principal_name)
        if not user or user.on_premises_sync_enabled is None:
            continue
        name, attribute = visible(user.user_principal_name), situation.tenant_file.ownership
        paths = {field.path for field in change.fields}
        marks = isinstance(change, Adopt) or "mark" in paths
        if marks and attribute.startswith("extensionAttribute"):
            state = "is" if user.on_premises_sync_enabled else "was once"
            yield Diagnostic(
                f"account '{name}' {state} synced from on-premises: {attribute} cannot be changed",
                "use a directory extension (`ownership: extension_<appId>_<name>`) in the tenant "
                "file",
                change.position or situation.tenant_file.position,
            )
        mastered = sorted(paths - {"mark", "usageLocation", "signInSessions"})
        is_profile = isinstance(change.key, UserKey | ManagerKey)
        if user.on_premises_sync_enabled and is_profile and mastered:
            yield Diagnostic(
                f"account '{name}' is synced from on-premises: {listing(mastered)} can only be "
                "changed there",
                "change it in Active Directory and leave it out of the cohort file",
                change.position or situation.tenant_file.position,
            )


def protected_accounts(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to declare, or to change in any other way, an account that is protected."""
    protected = _protected(situation)
    declared = {folded(u.user_principal_name): u.position for u in situation.desired.users}
    hit: dict[str, Position | None] = {}
    for user in situation.desired.users:
        current = situation.names.user(user.user_principal_name)
        account = current.account if current else Account(user.user_principal_name)
        if _is_one_of(protected, account):
            hit[user.user_principal_name] = user.position
    for change in situation.changes:
        account = change.key.account
        if _is_one_of(protected, account) and folded(account.user_principal_name) not in declared:
            hit[account.user_principal_name] = situation.tenant_file.position
    for name, position in hit.items():
        yield Diagnostic(
            f"account '{visible(name)}' is protected: no plan may change it",
            "leave it out of the cohort files, or take it off `guards.protected` in the tenant "
            "file",
            position,
        )


def _protected(situation: Situation) -> frozenset[str]:
    """Give the names and ids, folded, of everybody whom the tenant file protects."""
    names = situation.tenant_file.protected
    accounts = filter(None, map(situation.names.account, names))
    return frozenset(
        (*map(folded, names), *(folded(account.id) for account in accounts if account.id))
    )


def _is_one_of(protected: frozenset[str], account: Account) -> bool:
    return not protected.isdisjoint(
        (folded(account.user_principal_name), folded(account.id or account.user_principal_name))
    )
