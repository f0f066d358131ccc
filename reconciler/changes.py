"""The verbs: what would happen to which resource, as values.

An action's symbol is defined here once and serves the plan, its legend and every
renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, ClassVar

from reconciler.model import Account, CohortName, FieldValue, ObjectId, folded

if TYPE_CHECKING:
    from reconciler.diagnostics import Position


@dataclass(frozen=True, slots=True)
class UserKey:
    """An account."""

    account: Account
    kind: ClassVar = "user"

    @property
    def name(self) -> str:
        """What a person calls it, beside the account."""
        return self.account.user_principal_name

    @property
    def address(self) -> str:
        """Name it uniquely within a tenant, the same from run to run."""
        return f"user/{folded(self.account.user_principal_name)}"


@dataclass(frozen=True, slots=True)
class ManagerKey:
    """Whom an account reports to; *manager* is None where the reference is cleared."""

    account: Account
    manager: Account | None
    kind: ClassVar = "manager"

    @property
    def name(self) -> str:
        """What a person calls it, beside the account."""
        return self.manager.user_principal_name if self.manager else "no manager"

    @property
    def address(self) -> str:
        """Name it uniquely within a tenant, the same from run to run."""
        return f"manager/{folded(self.account.user_principal_name)}"


@dataclass(frozen=True, slots=True)
class LicenseKey:
    """A direct licence of an account."""

    account: Account
    sku_id: ObjectId
    sku_part_number: str
    disabled_plan_ids: tuple[ObjectId, ...] = ()
    """Parts of the SKU that are off once the change is made."""
    kind: ClassVar = "license"

    @property
    def name(self) -> str:
        """What a person calls it, beside the account."""
        return self.sku_part_number

    @property
    def address(self) -> str:
        """Name it uniquely within a tenant, the same from run to run."""
        return f"license/{folded(self.account.user_principal_name)}/{self.sku_part_number}"


@dataclass(frozen=True, slots=True)
class MembershipKey:
    """An account's direct membership of a group."""

    account: Account
    group_id: ObjectId
    group_display_name: str
    is_assignable_to_role: bool = False
    """Whether its members become privileged: writing them takes another permission."""
    license_sku_ids: tuple[ObjectId, ...] = ()
    """The licences that its members are given, a while after they join."""
    kind: ClassVar = "membership"

    @property
    def name(self) -> str:
        """What a person calls it, beside the account."""
        return self.group_display_name

    @property
    def address(self) -> str:
        """Name it uniquely within a tenant, the same from run to run."""
        return f"membership/{folded(self.account.user_principal_name)}/{self.group_id}"


@dataclass(frozen=True, slots=True)
class RoleAssignmentKey:
    """A directory role of an account."""

    account: Account
    role_definition_id: ObjectId
    role_display_name: str
    directory_scope_id: str = "/"
    assignment_id: ObjectId | None = None
    """The assignment to take away; None for one that is to be made."""
    kind: ClassVar = "roleAssignment"

    @property
    def name(self) -> str:
        """What a person calls it, beside the account."""
        return self.role_display_name

    @property
    def address(self) -> str:
        """Name it uniquely within a tenant, the same from run to run."""
        account = folded(self.account.user_principal_name)
        return f"roleAssignment/{account}/{self.role_definition_id}{self.directory_scope_id}"


Key = UserKey | ManagerKey | LicenseKey | MembershipKey | RoleAssignmentKey


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One property, before and after; None is Graph's null, or nothing at all.

    Paths are Graph's property names; `mark` stands for the ownership attribute,
    whichever it is, and `signInSessions` for the sessions that are revoked.
    """

    path: str
    before: FieldValue
    after: FieldValue


class Reason(StrEnum):
    """Why a change is in the plan."""

    DECLARED = "declared"
    NOT_DECLARED = "no longer declared"
    """A managed entitlement of a person who stays."""
    USER_NOT_DECLARED = "person no longer declared"
    """The person is in no cohort any more; `removal` decides what happens."""


class Wave(IntEnum):
    """When a change happens: all of one wave is done before the next begins.

    What is taken away comes first, so that seats are free when they are needed; for
    leavers the order is that of joiners reversed.
    """

    REVOKE_ROLES = 1
    REVOKE_ENTITLEMENTS = 2
    LEAVERS = 3
    USERS = 4
    ENTITLEMENTS = 5
    ROLES = 6


@dataclass(frozen=True, slots=True)
class _Change:
    key: Key
    cohort: CohortName
    """The cohort that asks for it, or whose mark the account carries."""
    wave: Wave
    fields: tuple[FieldChange, ...] = ()
    reason: Reason = Reason.DECLARED
    position: Position | None = None
    """The line that asks for it; None where the line is gone."""


@dataclass(frozen=True, slots=True)
class Create(_Change):
    """Something declared does not exist."""

    symbol: ClassVar = "+"
    verb: ClassVar = "create"


@dataclass(frozen=True, slots=True)
class Update(_Change):
    """Something declared exists and differs, or a leaver's sign-in is blocked."""

    symbol: ClassVar = "~"
    verb: ClassVar = "update"


@dataclass(frozen=True, slots=True)
class Delete(_Change):
    """Something owned and managed is no longer declared."""

    symbol: ClassVar = "-"
    verb: ClassVar = "delete"


@dataclass(frozen=True, slots=True)
class Adopt(_Change):
    """An existing account becomes ours; it keeps everything undeclared."""

    symbol: ClassVar = ">"
    verb: ClassVar = "adopt"


@dataclass(frozen=True, slots=True)
class Restore(_Change):
    """A declared account is in the recycle bin, under our mark; it comes back whole."""

    symbol: ClassVar = "<"
    verb: ClassVar = "restore"


Change = Create | Update | Delete | Adopt | Restore
ACTIONS: tuple[type[Change], ...] = (Delete, Create, Update, Adopt, Restore)
"""In the order in which counts are told: what is taken away comes first."""


def is_removal(change: Change) -> bool:
    """Whether *change* takes something away from a person; blocking sign-in does."""
    if change.reason is Reason.USER_NOT_DECLARED:
        return True
    if any(field.path == "accountEnabled" and field.after is False for field in change.fields):
        return not isinstance(change, Create)
    return isinstance(change, Delete) and change.key.kind != "manager"
