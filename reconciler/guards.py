"""Refusals: what Graph would refuse, or what nobody should do by accident, told at plan time.

Every guard is a function from the same `Situation` to diagnostics; each names the line
that asks for it and what to do instead. A plan that has any is shown, never applied.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
    is_removal,
)
from reconciler.diagnostics import Diagnostic
from reconciler.diff import Ownership, direct_licenses, directory_roles, ownership
from reconciler.model import Sku, folded
from reconciler.names import Managed, Names, Unresolved
from reconciler.seats import count_seats, seats_taken
from reconciler.text import counted, did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.changes import Change
    from reconciler.diagnostics import Position
    from reconciler.model import (
        DeclaredLicense,
        DeclaredUser,
        Desired,
        Group,
        ObjectId,
        Observed,
        ObservedUser,
        RoleDefinition,
        TenantFile,
    )

PUBLISHED_RECIPIENT = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
"""The key of the demonstration: its private half is published with this program."""
DEMONSTRATION_TENANT = "28d80e74-2d69-4bb9-b1e4-740c4cf0551f"
"""The only tenant whose credentials may be sealed to it."""

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


@dataclass(frozen=True, slots=True)
class Situation:
    """What every guard judges."""

    desired: Desired
    observed: Observed
    names: Names
    managed: Managed
    changes: tuple[Change, ...]
    allowed_removals: int = 0
    """How many removals somebody has explicitly allowed."""

    @property
    def tenant_file(self) -> TenantFile:
        """What the repository may touch."""
        return self.desired.tenant_file


def refusals(situation: Situation) -> Iterator[Diagnostic]:
    """Give everything that speaks against the plan.

    In the wrong tenant nothing else is worth saying.
    """
    wrong = tuple(wrong_tenant(situation))
    yield from wrong
    for guard in () if wrong else GUARDS:
        yield from guard(situation)


# --- the tenant -----------------------------------------------------------------------


def wrong_tenant(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse any tenant but the one that the tenant file names."""
    wanted, tenant = situation.tenant_file.tenant, situation.observed.tenant
    known = {folded(tenant.id), *(folded(d.name) for d in tenant.domains if d.is_verified)}
    if wanted and folded(wanted) not in known:
        yield Diagnostic(
            f"these credentials belong to tenant '{visible(tenant.display_name)}' ({tenant.id}), "
            f"not to '{visible(wanted)}'",
            "use an identity of the tenant that the tenant file names, or correct `tenant:`",
            situation.tenant_file.position,
        )


def domains(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse accounts in domains that the tenant has not verified."""
    verified = [d.name for d in situation.observed.tenant.domains if d.is_verified]
    unverified = {folded(d.name) for d in situation.observed.tenant.domains if not d.is_verified}
    for create in _new_accounts(situation):
        domain = create.key.account.user_principal_name.rpartition("@")[2]
        if folded(domain) in map(folded, verified):
            continue
        is_pending = folded(domain) in unverified
        problem = "is not verified in this tenant" if is_pending else "is not one of this tenant"
        remedy = "verify it in Microsoft Entra first" if is_pending else None
        yield Diagnostic(
            f"domain '{visible(domain)}' of '{visible(create.key.name)}' {problem}",
            did_you_mean(domain, verified) or remedy or f"verified domains: {listing(verified)}",
            create.position,
        )


def published_recipient(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to seal a real tenant's credentials to the key of the demonstration."""
    receiving = {create.cohort for create in _new_accounts(situation)}
    for cohort in situation.desired.cohorts:
        published = any(PUBLISHED_RECIPIENT in recipient for recipient in cohort.recipients)
        real = situation.observed.tenant.id != DEMONSTRATION_TENANT
        if published and real and cohort.name in receiving:
            yield Diagnostic(
                f"cohort '{cohort.name}' seals its credentials to the demonstration's key, "
                "which anybody can open",
                "name the public key of the person who receives the credentials",
                cohort.position,
            )


# --- names ----------------------------------------------------------------------------


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
    for listed in tenant_file.licenses or ():
        yield from _unresolved("license", names.skus[listed.name], listed.position)
    for listed in tenant_file.groups or ():
        yield from _unresolved("group", names.groups[listed.name], listed.position)
    for listed in tenant_file.roles or ():
        yield from _unresolved("role", names.roles[listed.name], listed.position)


def _unresolved(kind: str, found: object, position: Position) -> Iterator[Diagnostic]:
    if not isinstance(found, Unresolved):
        return
    name = visible(found.name)
    if found.matches:
        yield Diagnostic(
            f"{kind} '{name}' is ambiguous: {counted(len(found.matches), kind)} have this name",
            f"write the id instead, one of: {listing(found.matches)}",
            position,
        )
    else:
        known = f"the tenant has: {listing(sorted(found.known))}" if found.known else None
        yield Diagnostic(
            f"{kind} '{name}' does not exist in this tenant",
            did_you_mean(found.name, found.known) or known,
            position,
        )


def _unknown_plans(names: Names, license_: DeclaredLicense) -> Iterator[Diagnostic]:
    sku = names.skus[license_.sku]
    if isinstance(sku, Unresolved):
        return
    kind = f"service plan of {visible(sku.part_number)}"
    for plan in license_.disabled_plans or ():
        yield from _unresolved(kind, names.service_plan(sku, plan), license_.position)


def _unknown_manager(names: Names, user: DeclaredUser) -> Iterator[Diagnostic]:
    manager = user.fields.get("manager")
    if manager and not names.account(str(manager)):
        yield Diagnostic(
            f"manager '{visible(str(manager))}' of '{visible(user.user_principal_name)}' is "
            "neither in the tenant nor declared",
            "correct the name, or declare the manager in a cohort of this run",
            user.where("manager"),
        )


# --- what may be asked for ------------------------------------------------------------


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


# --- groups ---------------------------------------------------------------------------


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


# --- accounts -------------------------------------------------------------------------


def foreign_accounts(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to touch accounts that exist and are not ours."""
    for user in situation.desired.users:
        current = situation.names.user(user.user_principal_name)
        deleted = situation.names.deleted_user(user.user_principal_name)
        if current:
            yield from _not_ours(situation.tenant_file, user, current)
        elif user.adopt and not deleted:
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
                f"whoever owns it must clear {tenant_file.ownership} before this repository can "
                "take the account over",
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
    """Refuse any change to an account that the tenant file protects."""
    protected = {folded(name) for name in situation.tenant_file.protected}
    hit: defaultdict[str, list[Change]] = defaultdict(list)
    for change in situation.changes:
        account = change.key.account
        known = {folded(account.user_principal_name), folded(account.id or "")}
        if known & protected:
            hit[account.user_principal_name].append(change)
    for name, changes in hit.items():
        places = [change.position for change in changes if change.position]
        yield Diagnostic(
            f"account '{visible(name)}' is protected: {counted(len(changes), 'change')} refused",
            "leave it out of the cohort files, or take it off `protected:` in the tenant file",
            min(places) if places else situation.tenant_file.position,
        )


# --- licenses -------------------------------------------------------------------------


def usage_locations(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse licences for people of whom it is not known where they will use them."""
    declared = {folded(u.user_principal_name): u.fields for u in situation.desired.users}
    for change in situation.changes:
        if not (isinstance(change.key, LicenseKey) and isinstance(change, Create)):
            continue
        name = change.key.account.user_principal_name
        current = situation.names.user(name) or situation.names.deleted_user(name)
        location = declared[folded(name)].get("usageLocation") or (
            current.fields.get("usageLocation") if current else None
        )
        if not location:
            yield Diagnostic(
                f"'{visible(name)}' has no usageLocation, so {change.key.name} cannot be assigned",
                "add `usageLocation:` (a two-letter country code) to the person or to `defaults:`",
                change.position,
            )


def seats(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse more licences than there are seats, and name who would be left out."""
    skus = {sku.id: sku for sku in situation.observed.skus}
    places = {folded(u.user_principal_name): u.position for u in situation.desired.users}
    taken = seats_taken(situation.observed, situation.changes)
    for count in count_seats(situation.observed, situation.changes):
        sku = skus[count.sku_id]
        mine = sorted(
            (seat.change for seat in taken if seat.sku_id == sku.id),
            key=lambda change: places[folded(change.key.account.user_principal_name)],
        )
        if not sku.is_assignable and mine:
            yield Diagnostic(
                f"license {visible(sku.part_number)} cannot be assigned to anybody: it is "
                f"{sku.capability_status}, for {sku.applies_to}",
                "renew the subscription, or ask for another license",
                mine[0].position,
            )
        elif count.assigned and count.free_after < 0:
            available = max(0, count.free + count.freed)
            left_out = mine[available:]
            names = [change.key.account.user_principal_name for change in left_out]
            yield Diagnostic(
                f"too few seats of {visible(sku.part_number)}: {count.assigned} needed, "
                f"{max(0, count.free)} free, {count.freed} freed by this plan, "
                f"{len(left_out)} short; left out: {listing(names, limit=len(names))}",
                f"buy {counted(len(left_out), 'seat')}, or take the license from as many people",
                left_out[0].position,
            )


# --- removals -------------------------------------------------------------------------


def removals(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to take away more than the tenant file's limit, unless somebody said so."""
    limit = situation.tenant_file.removals
    removed = [change for change in situation.changes if is_removal(change)]
    if len(removed) <= situation.allowed_removals:
        return
    by_kind = Counter(change.key.kind for change in removed)
    for kind, population in _populations(situation).items():
        percent = 100 * by_kind[kind] / population if population else 0
        if population >= limit.minimum and percent > limit.percent:
            yield Diagnostic(
                f"plan removes {by_kind[kind]} of {counted(population, _NOUNS[kind])} "
                f"({percent:.0f} %, limit {limit.percent} %)",
                f"review every removal, then run again with --allow-removals={len(removed)}",
                situation.tenant_file.position,
            )


_NOUNS = {
    UserKey.kind: "owned account",
    LicenseKey.kind: "managed license",
    MembershipKey.kind: "managed membership",
    RoleAssignmentKey.kind: "managed role assignment",
}


def _populations(situation: Situation) -> Mapping[str, int]:
    """Count what is owned and managed now, by kind."""
    source, managed = situation.tenant_file.source, situation.managed
    owned = [u for u in situation.observed.users if ownership(u.mark, source) is Ownership.OURS]
    return {
        UserKey.kind: len(owned),
        LicenseKey.kind: sum(
            len(direct_licenses(user).keys() & managed.skus.keys()) for user in owned
        ),
        MembershipKey.kind: sum(len(user.groups & managed.groups.keys()) for user in owned),
        RoleAssignmentKey.kind: sum(
            len(directory_roles(user).keys() & managed.roles.keys()) for user in owned
        ),
    }


def _new_accounts(situation: Situation) -> Iterator[Create]:
    for change in situation.changes:
        if isinstance(change, Create) and isinstance(change.key, UserKey):
            yield change


GUARDS: tuple[Callable[[Situation], Iterator[Diagnostic]], ...] = (
    domains,
    published_recipient,
    unknown_names,
    unlisted_entitlements,
    takeover_roles,
    unwritable_groups,
    foreign_accounts,
    synced_accounts,
    protected_accounts,
    usage_locations,
    seats,
    removals,
)
