"""Desired and observed in, changes out. Knows no clock, no network and no order of execution.

What is declared is exact, what is declared null is cleared, what is not declared is left
alone. On accounts that carry our mark, entitlements that the tenant file lists are held
if and only if they are declared; nothing else is ever taken away.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Change,
    Create,
    Delete,
    FieldChange,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Reason,
    Restore,
    RoleAssignmentKey,
    Update,
    UserKey,
    Wave,
)
from reconciler.fields import FIELDS_BY_NAME, Kind
from reconciler.model import Account, LicenseState, Mark, Removal, folded
from reconciler.names import Managed, Names, Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model import (
        CohortName,
        DeclaredLicense,
        DeclaredUser,
        Desired,
        FieldValue,
        Group,
        ObjectId,
        Observed,
        ObservedUser,
        RoleDefinition,
        Sku,
    )

DIRECTORY_SCOPE = "/"
"""The only scope of role assignments that is ours: all of the directory."""

_REVOKED = FieldChange("signInSessions", "valid", "revoked")


class Ownership(Enum):
    """Whose an account is, by what its ownership attribute holds."""

    OURS = auto()
    UNMARKED = auto()
    FOREIGN = auto()


def ownership(mark: str | None, source: str) -> Ownership:
    """Tell whose an account is; anything in the attribute that is not our mark is foreign."""
    if not mark:
        return Ownership.UNMARKED
    parsed = Mark.parse(mark)
    return Ownership.OURS if parsed and parsed.source == source else Ownership.FOREIGN


def diff(desired: Desired, observed: Observed) -> Iterator[Change]:
    """Give every change between what is declared and what there is.

    Names that stand for nothing, and accounts that are not ours, make no change here: the
    guards refuse them.
    """
    comparison = _Comparison(desired, observed)
    for user in desired.users:
        yield from comparison.of_declared(user)
    for leaver, cohort in leavers(desired, observed):
        yield from comparison.of_leaver(leaver, cohort)


def leavers(desired: Desired, observed: Observed) -> Iterator[tuple[ObservedUser, CohortName]]:
    """Give the accounts that carry our mark, are in scope and are no longer declared.

    Beside each, the cohort that its mark names.
    """
    declared = {folded(user.user_principal_name) for user in desired.users}
    for user in observed.users:
        mark = Mark.parse(user.mark)
        if not mark or mark.source != desired.tenant_file.source:
            continue
        in_scope = desired.scope is None or mark.cohort in desired.scope
        if in_scope and folded(user.user_principal_name) not in declared:
            yield user, mark.cohort


def field_changes(
    desired: Mapping[str, FieldValue], observed: Mapping[str, FieldValue]
) -> tuple[FieldChange, ...]:
    """Give the declared properties that differ, in the order of their names."""
    before = {name: _comparable(name, observed.get(name)) for name in desired}
    after = {name: _comparable(name, value) for name, value in desired.items()}
    if before == after:  # the common case by far, and a thousand times cheaper to tell
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415 -- 0.1 s to import, wasted on a converged tenant

    differing = DeepDiff(before, after, ignore_order=True).affected_root_keys
    return tuple(FieldChange(name, observed.get(name), desired[name]) for name in sorted(differing))


def _comparable(name: str, value: FieldValue) -> FieldValue:
    """Give *value* in the form in which Graph holds equal ones to be equal."""
    field = FIELDS_BY_NAME[name]
    if field.kind is Kind.TEXTS:
        return value or ()
    if name == "usageLocation" and isinstance(value, str):
        return value.upper()
    return value


class _Comparison:
    """What every comparison of one run needs: names resolved, and what is managed."""

    def __init__(self, desired: Desired, observed: Observed) -> None:
        self.tenant_file = desired.tenant_file
        self.names = Names(desired, observed)
        self.managed = Managed.by(self.tenant_file, self.names)

    def of_declared(self, user: DeclaredUser) -> Iterator[Change]:
        """Compare one declared person with the account of that name, or with nothing."""
        current = self.names.user(user.user_principal_name)
        if current:
            whose = ownership(current.mark, self.tenant_file.source)
            if whose is Ownership.OURS or (whose is Ownership.UNMARKED and user.adopt):
                yield from self._existing(user, current, whose)
        elif returning := self._returning(user):
            yield from self._restored(user, returning)
        elif not user.adopt:
            yield self._created(user)
            yield from self._entitlements(user, Account(user.user_principal_name), None)

    def _returning(self, user: DeclaredUser) -> ObservedUser | None:
        """Give the account in the recycle bin that *user* may have back."""
        deleted = self.names.deleted_user(user.user_principal_name)
        if not deleted:
            return None
        whose = ownership(deleted.mark, self.tenant_file.source)
        may = whose is Ownership.OURS or (whose is Ownership.UNMARKED and user.adopt)
        return deleted if may else None

    def _mark(self, cohort: CohortName) -> str:
        return str(Mark(self.tenant_file.source, cohort))

    def _created(self, user: DeclaredUser) -> Create:
        values: dict[str, FieldValue] = {
            "accountEnabled": True,
            "displayName": user.display_name,
            "mailNickname": mail_nickname(user.user_principal_name),
        }
        values |= {name: value for name, value in user.fields.items() if name != "manager"}
        fields = [FieldChange("userPrincipalName", None, user.user_principal_name)]
        fields += [
            FieldChange(name, None, value)
            for name, value in sorted(values.items())
            if value not in (None, ())
        ]
        fields.append(FieldChange("mark", None, self._mark(user.cohort)))
        key = UserKey(Account(user.user_principal_name))
        return Create(key, user.cohort, Wave.USERS, tuple(fields), position=user.position)

    def _own_fields(self, user: DeclaredUser, current: ObservedUser) -> tuple[FieldChange, ...]:
        """Give what differs in the account itself, the mark included."""
        declared = {name: value for name, value in user.fields.items() if name != "manager"}
        changes = field_changes(declared, current.fields)
        if any(c.path == "accountEnabled" and c.after is False for c in changes):
            changes += (_REVOKED,)
        mark = self._mark(user.cohort)
        if current.mark != mark:
            changes += (FieldChange("mark", current.mark, mark),)
        return changes

    def _existing(
        self, user: DeclaredUser, current: ObservedUser, whose: Ownership
    ) -> Iterator[Change]:
        fields = self._own_fields(user, current)
        verb = Adopt if whose is Ownership.UNMARKED else Update
        if fields:
            key = UserKey(current.account)
            yield verb(key, user.cohort, Wave.USERS, fields, position=user.position)
        yield from self._entitlements(user, current.account, current)

    def _restored(self, user: DeclaredUser, deleted: ObservedUser) -> Iterator[Change]:
        key = UserKey(Account(user.user_principal_name, deleted.id))
        fields = self._own_fields(user, deleted)
        yield Restore(key, user.cohort, Wave.USERS, fields, position=user.position)
        yield from self._entitlements(user, key.account, deleted)

    def _entitlements(
        self, user: DeclaredUser, account: Account, current: ObservedUser | None
    ) -> Iterator[Change]:
        yield from self._manager(user, account, current)
        yield from self._licenses(user, account, current)
        yield from self._memberships(user, account, current)
        yield from self._roles(user, account, current)

    # --- manager ---------------------------------------------------------------------

    def _manager(
        self, user: DeclaredUser, account: Account, current: ObservedUser | None
    ) -> Iterator[Change]:
        if "manager" not in user.fields:
            return
        before = current.manager if current else None
        name = user.fields["manager"]
        after = self.names.account(str(name)) if name else None
        if (name and not after) or _same_account(before, after):
            return
        verb = Delete if after is None else Update if before else Create
        change = FieldChange("manager", _name(before), _name(after))
        key = ManagerKey(account, after)
        position = user.where("manager")
        yield verb(key, user.cohort, Wave.ENTITLEMENTS, (change,), position=position)

    # --- licenses --------------------------------------------------------------------

    def _licenses(
        self, user: DeclaredUser, account: Account, current: ObservedUser | None
    ) -> Iterator[Change]:
        held = direct_licenses(current)
        given = self._given_by_groups(user, current)
        wanted = {sku.id: (sku, license_) for sku, license_ in self._wanted_licenses(user)}
        granted: list[Change] = []
        for sku, license_ in wanted.values():
            state = held.get(sku.id)
            if state is None and sku.id in given:
                continue  # a group gives it already: a second, direct one would only cost
            granted += self._license(user, account, sku, license_, state)
        yield from granted
        if self._keeps_undeclared(user):
            return
        wave = Wave.ENTITLEMENTS if granted else Wave.REVOKE_ENTITLEMENTS
        for sku_id in sorted(held.keys() & self.managed.skus.keys() - wanted.keys()):
            sku = self.managed.skus[sku_id]
            key = LicenseKey(account, sku.id, sku.part_number)
            yield Delete(key, user.cohort, wave, reason=Reason.NOT_DECLARED)

    def _wanted_licenses(self, user: DeclaredUser) -> Iterator[tuple[Sku, DeclaredLicense]]:
        for license_ in user.licenses:
            sku = self.names.skus[license_.sku]
            if not isinstance(sku, Unresolved):
                yield sku, license_

    def _given_by_groups(self, user: DeclaredUser, current: ObservedUser | None) -> set[ObjectId]:
        """Give the SKUs that groups give *user*, or will once this plan is applied."""
        inherited = {
            state.sku_id
            for state in (current.licenses if current else ())
            if state.assigned_by_group and state.state.startswith("Active")
        }
        joined = (self.names.groups[group.group] for group in user.groups)
        return inherited.union(*(g.sku_ids for g in joined if not isinstance(g, Unresolved)))

    def _license(
        self,
        user: DeclaredUser,
        account: Account,
        sku: Sku,
        license_: DeclaredLicense,
        state: LicenseState | None,
    ) -> Iterator[Change]:
        declared = self._plan_ids(sku, license_.disabled_plans)
        before = state.disabled_plans if state else None
        after = _disabled_after(declared, before)
        if state and after == before:
            return
        verb = Update if state else Create
        fields: tuple[FieldChange, ...] = ()
        if after or before:
            fields = (
                FieldChange("disabledPlans", _plan_names(sku, before), _plan_names(sku, after)),
            )
        key = LicenseKey(account, sku.id, sku.part_number, tuple(sorted(after)))
        yield verb(key, user.cohort, Wave.ENTITLEMENTS, fields, position=license_.position)

    def _plan_ids(self, sku: Sku, names: tuple[str, ...] | None) -> frozenset[ObjectId] | None:
        if names is None:
            return None
        plans = (self.names.service_plan(sku, name) for name in names)
        return frozenset(plan.id for plan in plans if not isinstance(plan, Unresolved))

    def _keeps_undeclared(self, user: DeclaredUser) -> bool:
        """Tell whether *user* keeps managed entitlements that nobody declared.

        As long as the entry says `adopt: true`: adoption must not cost anybody anything.
        """
        return user.adopt

    # --- memberships -----------------------------------------------------------------

    def _memberships(
        self, user: DeclaredUser, account: Account, current: ObservedUser | None
    ) -> Iterator[Change]:
        held = current.groups if current else frozenset()
        wanted: set[ObjectId] = set()
        for declared in user.groups:
            group = self.names.groups[declared.group]
            if isinstance(group, Unresolved) or group.id in wanted:
                continue
            wanted.add(group.id)
            if group.id not in held:
                key = MembershipKey(account, group.id, group.display_name)
                yield Create(key, user.cohort, Wave.ENTITLEMENTS, position=declared.position)
        if not self._keeps_undeclared(user):
            undeclared = held & self.managed.groups.keys() - wanted
            yield from self._left(account, user.cohort, undeclared, Reason.NOT_DECLARED)

    def _left(
        self,
        account: Account,
        cohort: CohortName,
        groups: set[ObjectId] | frozenset[ObjectId],
        reason: Reason,
    ) -> Iterator[Change]:
        for group_id in sorted(groups):
            group: Group = self.managed.groups[group_id]
            key = MembershipKey(account, group.id, group.display_name)
            yield Delete(key, cohort, Wave.REVOKE_ENTITLEMENTS, reason=reason)

    # --- roles -----------------------------------------------------------------------

    def _roles(
        self, user: DeclaredUser, account: Account, current: ObservedUser | None
    ) -> Iterator[Change]:
        held = directory_roles(current)
        wanted: set[ObjectId] = set()
        for declared in user.roles:
            role = self.names.roles[declared.role]
            if isinstance(role, Unresolved) or role.id in wanted:
                continue
            wanted.add(role.id)
            if role.id not in held:
                fields = [FieldChange("justification", None, declared.justification)]
                if declared.ticket:
                    fields.append(FieldChange("ticket", None, declared.ticket))
                key = RoleAssignmentKey(account, role.id, role.display_name)
                yield Create(
                    key, user.cohort, Wave.ROLES, tuple(fields), position=declared.position
                )
        if not self._keeps_undeclared(user):
            undeclared = held.keys() & self.managed.roles.keys() - wanted
            yield from self._revoked(account, user.cohort, held, undeclared, Reason.NOT_DECLARED)

    def _revoked(
        self,
        account: Account,
        cohort: CohortName,
        held: Mapping[ObjectId, ObjectId],
        roles: set[ObjectId],
        reason: Reason,
    ) -> Iterator[Change]:
        for role_id in sorted(roles):
            role: RoleDefinition = self.managed.roles[role_id]
            key = RoleAssignmentKey(
                account, role.id, role.display_name, DIRECTORY_SCOPE, held[role_id]
            )
            yield Delete(key, cohort, Wave.REVOKE_ROLES, reason=reason)

    # --- leavers ---------------------------------------------------------------------

    def of_leaver(self, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
        """Give what `removal` does to an owned account that nobody declares any more."""
        if self.tenant_file.removal is Removal.KEEP:
            return
        reason = Reason.USER_NOT_DECLARED
        roles = directory_roles(user)
        managed = roles.keys() & self.managed.roles.keys()
        yield from self._revoked(user.account, cohort, roles, managed, reason)
        groups = user.groups & self.managed.groups.keys()
        yield from self._left(user.account, cohort, groups, reason)
        for sku_id in sorted(direct_licenses(user).keys() & self.managed.skus.keys()):
            sku = self.managed.skus[sku_id]
            key = LicenseKey(user.account, sku.id, sku.part_number)
            yield Delete(key, cohort, Wave.REVOKE_ENTITLEMENTS, reason=reason)
        yield from self._removed(user, cohort)

    def _removed(self, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
        fields: tuple[FieldChange, ...] = ()
        if user.fields.get("accountEnabled"):
            fields = (FieldChange("accountEnabled", True, False), _REVOKED)  # noqa: FBT003 -- values
        verb = Delete if self.tenant_file.removal is Removal.DELETE else Update
        if fields or verb is Delete:
            reason = Reason.USER_NOT_DECLARED
            yield verb(UserKey(user.account), cohort, Wave.LEAVERS, fields, reason=reason)


def direct_licenses(user: ObservedUser | None) -> dict[ObjectId, LicenseState]:
    """Give the licences that *user* holds directly, by SKU: the only ones compared."""
    states = user.licenses if user else ()
    return {state.sku_id: state for state in states if state.assigned_by_group is None}


def directory_roles(user: ObservedUser | None) -> dict[ObjectId, ObjectId]:
    """Give the assignments over the whole directory, by role."""
    roles = user.roles if user else ()
    return {
        role.role_definition_id: role.id
        for role in roles
        if role.directory_scope_id == DIRECTORY_SCOPE
    }


def mail_nickname(user_principal_name: str) -> str:
    """Make the alias that Graph wants of every new account from the name's local part.

    Of the characters that a UPN may have, an alias may not have `#` to be safe in mail,
    and is 64 long at most (Graph, `user` resource; entra-docs, concept-sspr-policy).
    """
    local, _, _ = user_principal_name.partition("@")
    return local.replace("#", "_")[:64]


def _disabled_after(
    declared: frozenset[ObjectId] | None, before: frozenset[ObjectId] | None
) -> frozenset[ObjectId]:
    """Give the plans that should be off: the declared ones, and those that are off anyway.

    Microsoft adds plans to a SKU, some of them off: what nobody declared is no
    difference, and is merged, not reset. An empty list is a word of its own: all on.
    """
    if declared == frozenset():
        return declared
    return (declared or frozenset()) | (before or frozenset())


def _plan_names(sku: Sku, plans: frozenset[ObjectId] | None) -> tuple[str, ...] | None:
    if plans is None:
        return None
    names = {plan.id: plan.name for plan in sku.service_plans}
    return tuple(sorted(names.get(plan, plan) for plan in plans))


def _same_account(one: Account | None, other: Account | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.id == other.id


def _name(account: Account | None) -> str | None:
    return account.user_principal_name if account else None
