"""Notes: what the plan leaves alone, and a reader would otherwise wonder about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Delete, Restore, RoleAssignmentKey, UserKey
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.diff import direct_licenses, directory_roles, leavers, may_change
from reconciler.guards.situation import new_accounts
from reconciler.model import Removal
from reconciler.names import Unresolved
from reconciler.text import listing, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.guards import Situation
    from reconciler.model import DeclaredUser, ObservedUser, Sku


SENSITIVE = frozenset({"accountEnabled", "businessPhones", "mobilePhone", "otherMails"})
"""Properties that Graph protects on privileged people (Graph, `user` resource)."""


def notes(situation: Situation) -> Iterator[Diagnostic]:
    """Give every note on the plan."""
    for note in NOTES:
        yield from note(situation)


def no_tenant_file(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of a run that nothing bounds."""
    tenant_file = situation.tenant_file
    if tenant_file.position is None:
        yield Diagnostic(
            "there is no tenant file: this run only creates and adds, in whatever tenant the "
            f"credentials are of, and marks accounts as '{tenant_file.source}/…'",
            "write tenant.yaml beside the cohort files to say what this repository may touch",
            severity=Severity.WARNING,
        )


def unread_files(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of files that nobody can read, although a narrow run does not need them."""
    for name in situation.desired.unread:
        yield Diagnostic(
            f"'{visible(name)}' cannot be read, so nobody is taken for having left",
            "mend it: `reconciler validate` says what is wrong",
            severity=Severity.WARNING,
        )


def unknown_protected(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of protected names that nobody has: a slip would protect nobody."""
    for name in situation.tenant_file.protected:
        if not situation.names.account(name):
            yield Diagnostic(
                f"'{visible(name)}' is protected, and no account has this name or id",
                "correct it under `guards.protected`, or remove it",
                situation.tenant_file.position,
                Severity.WARNING,
            )


def kept_leavers(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of owned accounts that nobody declares and that `removal: keep` keeps."""
    if situation.tenant_file.removal is not Removal.KEEP:
        return
    for user, cohort in leavers(situation.desired, situation.observed):
        yield _note(
            f"account '{visible(user.user_principal_name)}' of cohort '{cohort}' is no longer "
            "declared; it is kept as it is",
            "`removal: disable` or `removal: delete` in the tenant file would take it back",
        )


def adopted_entitlements(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of managed entitlements that adopted people hold and nobody declared."""
    managed = situation.managed
    skus, groups, roles = managed.skus, managed.groups, managed.roles
    for user, current in _ours(situation):
        if not user.adopt:
            continue
        declared = _declared_ids(situation, user)
        kept = [
            skus[i].part_number for i in (direct_licenses(current).keys() & skus.keys()) - declared
        ]
        kept += [groups[i].display_name for i in (current.groups & groups.keys()) - declared]
        kept += [
            roles[i].display_name
            for i in (directory_roles(current).keys() & roles.keys()) - declared
        ]
        if kept:
            yield _note(
                f"adopted account '{visible(user.user_principal_name)}' holds what is managed and "
                f"not declared: {listing(sorted(kept))}; it is kept",
                "declare it, or remove `adopt: true` from the entry to have it taken back",
                user,
            )


def _declared_ids(situation: Situation, user: DeclaredUser) -> set[str]:
    names = situation.names
    found = [
        *(names.skus[license_.sku] for license_ in user.licenses),
        *(names.groups[group.group] for group in user.groups),
        *(names.roles[role.role] for role in user.roles),
    ]
    return {thing.id for thing in found if not isinstance(thing, Unresolved)}


def inherited_licenses(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of declared licences that are not assigned because a group gives them."""
    for user, current in _ours(situation):
        direct = direct_licenses(current)
        inherited = {
            state.sku_id
            for state in current.licenses
            if state.assigned_by_group and state.state.startswith("Active")
        }
        for license_ in user.licenses:
            sku = situation.names.skus[license_.sku]
            if not isinstance(sku, Unresolved) and sku.id in inherited - direct.keys():
                yield _note(
                    f"a group gives '{visible(user.user_principal_name)}' {sku.part_number} "
                    "already; it is not assigned twice",
                    None,
                    user,
                )


def broken_licenses(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of licences that people were given and do not have: nothing is left to write."""
    names = situation.names
    for user, current in _ours(situation):
        broken = [state for state in current.licenses if state.is_broken]
        declared = _declared_ids(situation, user) if broken else set()
        for state in broken:
            if (state.assigned_by_group or state.sku_id) not in declared:
                continue
            sku, group = names.skus[state.sku_id], names.groups[state.assigned_by_group or ""]
            whence = "" if isinstance(group, Unresolved) else f" that '{group.display_name}' gives"
            what = state.sku_id if isinstance(sku, Unresolved) else sku.part_number
            yield Diagnostic(
                f"{what}{whence} does not work for '{visible(user.user_principal_name)}': Graph "
                f"says {visible(state.error or state.state)}",
                _REMEDIES.get(state.error or "", "see the person's licenses in the admin center"),
                user.position,
                Severity.WARNING,
            )


_REMEDIES = {
    "CountViolation": "buy or free a seat, then reprocess the license in the admin center",
    "MutuallyExclusiveViolation": "take back the license, or the plan of it, that excludes it",
    "DependencyViolation": "assign the plan that it depends on, or switch its plans off together",
    "ProhibitedInUsageLocationViolation": "correct `usageLocation`: it is not offered there",
    "UniquenessViolation": "another account has the same proxy address: give it another one",
}
"""What to do about an error of `licenseAssignmentStates` (Graph, licenseAssignmentState; Entra,
Identify and resolve license assignment problems)."""


def disabled_plans(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of service plans that are off although nobody declared them off."""
    for user, current in _ours(situation):
        direct = direct_licenses(current)
        for license_ in user.licenses:
            sku = situation.names.skus[license_.sku]
            if isinstance(sku, Unresolved) or sku.id not in direct or not license_.disabled_plans:
                continue
            extra = direct[sku.id].disabled_plans - _plan_ids(
                situation, sku, license_.disabled_plans
            )
            if extra:
                plans = sorted(plan.name for plan in sku.service_plans if plan.id in extra)
                yield _note(
                    f"{sku.part_number} of '{visible(user.user_principal_name)}' has more plans "
                    f"switched off than declared: {listing(plans or sorted(extra))}; left alone",
                    "`disabledPlans: []` switches all of them on",
                    user,
                )


def _plan_ids(situation: Situation, sku: Sku, plans: tuple[str, ...]) -> set[str]:
    found = (situation.names.service_plan(sku, plan) for plan in plans)
    return {plan.id for plan in found if not isinstance(plan, Unresolved)}


def blocked_accounts(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of declared people who cannot sign in, because nobody said that they should."""
    for user, current in _ours(situation):
        if current.fields.get("accountEnabled") is False and "accountEnabled" not in user.fields:
            yield _note(
                f"sign-in of '{visible(user.user_principal_name)}' is blocked; it stays blocked",
                "declare `accountEnabled: true` to let the person sign in again",
                user,
            )


def privileged_targets(situation: Situation) -> Iterator[Diagnostic]:
    """Tell of changes that Graph may refuse because of whom they are about.

    Only of roles that the files mention: others are not read.
    """
    revoked = {
        change.key.assignment_id
        for change in situation.changes
        if isinstance(change, Delete) and isinstance(change.key, RoleAssignmentKey)
    }
    for change in situation.changes:
        user = situation.names.user(change.key.account.user_principal_name)
        kept = [role for role in (user.roles if user else ()) if role.id not in revoked]
        paths = {field.path for field in change.fields}
        sensitive = isinstance(change, Delete) or not SENSITIVE.isdisjoint(paths)
        if kept and sensitive and isinstance(change.key, UserKey):
            yield Diagnostic(
                f"'{visible(change.key.name)}' holds a directory role: Graph lets only a "
                "higher role change the sign-in, the phone numbers or the other mails",
                "the application needs such a role itself; see docs/permissions.md",
                change.position,
                Severity.WARNING,
            )


def recycle_bin(situation: Situation) -> Iterator[Diagnostic]:
    """Tell what comes back with a restored account, and of namesakes that do not."""
    restored = [change for change in situation.changes if isinstance(change, Restore)]
    for change in restored:
        yield Diagnostic(
            f"account '{visible(change.key.name)}' comes back from the recycle bin with its old "
            "password, memberships and licenses",
            "plan again after the apply: memberships cannot be read before the account is back",
            change.position,
            Severity.NOTE,
        )
    for create in new_accounts(situation):
        deleted = situation.names.deleted_user(create.key.name)
        if deleted:
            yield Diagnostic(
                f"a deleted account was called '{visible(create.key.name)}' too; it stays "
                "in the recycle bin and a new account is created",
                None if deleted.mark else "add `adopt: true` to restore that account instead",
                create.position,
                Severity.NOTE,
            )


def _ours(situation: Situation) -> Iterator[tuple[DeclaredUser, ObservedUser]]:
    """Give the declared people whose accounts are ours, are being adopted or come back."""
    names = situation.names
    for user in situation.desired.users:
        name = user.user_principal_name
        current = names.user(name) or names.deleted_user(name)
        if current and may_change(user, current, situation.tenant_file.source):
            yield user, current


def _note(summary: str, hint: str | None, user: DeclaredUser | None = None) -> Diagnostic:
    return Diagnostic(summary, hint, user.position if user else None, Severity.NOTE)


NOTES: tuple[Callable[[Situation], Iterator[Diagnostic]], ...] = (
    no_tenant_file,
    unread_files,
    unknown_protected,
    kept_leavers,
    adopted_entitlements,
    inherited_licenses,
    broken_licenses,
    disabled_plans,
    blocked_accounts,
    privileged_targets,
    recycle_bin,
)
