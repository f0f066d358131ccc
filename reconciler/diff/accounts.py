"""The account itself: what is created, changed, adopted, restored or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    Delete,
    FieldChange,
    Reason,
    Restore,
    Update,
    UserKey,
    Wave,
)
from reconciler.diff.ownership import Ownership, may_change, ownership
from reconciler.fields import FIELDS_BY_NAME, Kind
from reconciler.model import Account, Removal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.changes import Change
    from reconciler.diff.comparison import Comparison
    from reconciler.model import CohortName, DeclaredUser, FieldValue, ObservedUser

_REVOKED = FieldChange("signInSessions", "valid", "revoked")


def new(comparison: Comparison, user: DeclaredUser) -> Create:
    """Give the creation of an account, its mark included."""
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
        if value not in {None, ()}
    ]
    fields.append(FieldChange("mark", None, comparison.mark(user.cohort)))
    key = UserKey(Account(user.user_principal_name))
    return Create(key, user.cohort, Wave.USERS, tuple(fields), position=user.position)


def existing(comparison: Comparison, user: DeclaredUser, current: ObservedUser) -> Iterator[Change]:
    """Give the change of an account that is ours or becomes ours, if anything differs."""
    fields = _own_fields(comparison, user, current)
    adopts = ownership(current.mark, comparison.source) is Ownership.UNMARKED
    verb = Adopt if adopts else Update
    if fields:
        key = UserKey(current.account)
        yield verb(key, user.cohort, Wave.USERS, fields, position=user.position)


def returning(comparison: Comparison, user: DeclaredUser) -> ObservedUser | None:
    """Give the account in the recycle bin that *user* may have back."""
    deleted = comparison.names.deleted_user(user.user_principal_name)
    return deleted if deleted and may_change(user, deleted, comparison.source) else None


def restored(comparison: Comparison, user: DeclaredUser, deleted: ObservedUser) -> Restore:
    """Give the return of an account from the recycle bin, with what differs since."""
    key = UserKey(Account(user.user_principal_name, deleted.id))
    fields = _own_fields(comparison, user, deleted)
    return Restore(key, user.cohort, Wave.USERS, fields, position=user.position)


def removed(comparison: Comparison, user: ObservedUser, cohort: CohortName) -> Iterator[Change]:
    """Give what happens to a leaver's account: blocked, and deleted where `removal` says so."""
    fields: tuple[FieldChange, ...] = ()
    if user.fields.get("accountEnabled"):
        fields = (FieldChange("accountEnabled", before=True, after=False), _REVOKED)
    verb = Delete if comparison.tenant_file.removal is Removal.DELETE else Update
    if fields or verb is Delete:
        reason = Reason.USER_NOT_DECLARED
        yield verb(UserKey(user.account), cohort, Wave.LEAVERS, fields, reason=reason)


def _own_fields(
    comparison: Comparison, user: DeclaredUser, current: ObservedUser
) -> tuple[FieldChange, ...]:
    """Give what differs in the account itself, the mark included."""
    declared = {name: value for name, value in user.fields.items() if name != "manager"}
    changes = field_changes(declared, current.fields)
    if any(change.path == "accountEnabled" and change.after is False for change in changes):
        changes += (_REVOKED,)
    mark = comparison.mark(user.cohort)
    if current.mark != mark:
        changes += (FieldChange("mark", current.mark, mark),)
    return changes


def field_changes(
    desired: Mapping[str, FieldValue], observed: Mapping[str, FieldValue]
) -> tuple[FieldChange, ...]:
    """Give the declared properties that differ, in the order of their names."""
    if all(observed.get(name) == value for name, value in desired.items()):
        return ()  # the common case by far, and the cheapest to tell
    before = {name: comparable(name, observed.get(name)) for name in desired}
    after = {name: comparable(name, value) for name, value in desired.items()}
    if before == after:
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415 -- 0.1 s to import, wasted on a converged tenant

    differing = DeepDiff(before, after, ignore_order=True).affected_root_keys
    return tuple(FieldChange(name, observed.get(name), desired[name]) for name in sorted(differing))


def comparable(name: str, value: FieldValue) -> FieldValue:
    """Give *value* of the field *name* in the form in which Graph holds equal ones to be equal."""
    field = FIELDS_BY_NAME[name]
    if field.kind is Kind.TEXTS:
        return tuple(sorted(value)) if isinstance(value, tuple) else ()
    if name == "usageLocation" and isinstance(value, str):
        return value.upper()
    return value


def mail_nickname(user_principal_name: str) -> str:
    """Make the alias that Graph wants of every new account from the name's local part.

    Of the characters that a UPN may have, an alias may not have `#` to be safe in mail,
    and is 64 long at most (Graph, `user` resource; entra-docs, concept-sspr-policy).
    """
    local, _, _ = user_principal_name.partition("@")
    return local.replace("#", "_")[:64]
