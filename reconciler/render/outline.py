"""What every form of a plan says, before any form says it: people, and sentences on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    Delete,
    ManagerKey,
    MembershipKey,
    Reason,
    Restore,
    UserKey,
)
from reconciler.effects import makes_privileged, plans_taken, takes_away
from reconciler.model import folded
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.changes import Change, FieldChange
    from reconciler.diagnostics import Diagnostic
    from reconciler.model import Account, CohortName
    from reconciler.plan import Plan

WORDS = {
    "user": "user",
    "manager": "manager",
    "license": "license",
    "membership": "group",
    "roleAssignment": "role",
}
"""What a reader calls each kind of resource, in the order in which a person's are told."""
_KINDS = tuple(WORDS)

FATES = {
    "joins": "join",
    "returns": "return",
    "returns blocked": "return blocked",
    "is adopted": "are adopted",
    "is adopted and blocked": "are adopted and blocked",
    "changes": "change",
    "is blocked": "are blocked",
    "leaves": "leave",
}
"""What happens to one person, and to several."""

ENDINGS = ("deleted", "blocked", "blocked already")
"""What becomes of a leaver's account, the worst first."""

_BLOCKING = {"accountEnabled": "sign-in is blocked", "signInSessions": "sessions end"}


@dataclass(frozen=True, slots=True)
class Person:
    """One account, and some of what the plan does to it; never without a change."""

    account: Account
    cohort: CohortName
    changes: tuple[Change, ...]

    @property
    def user_change(self) -> Change | None:
        """The change of the account itself, if there is one."""
        return next((c for c in self.changes if isinstance(c.key, UserKey)), None)

    @property
    def entitlements(self) -> tuple[Change, ...]:
        """Everything but the change of the account itself."""
        return tuple(c for c in self.changes if not isinstance(c.key, UserKey))

    @property
    def display_name(self) -> str | None:
        """What a new account will be called; a plan does not know the others' names."""
        change = self.user_change
        named = (f.after for f in change.fields if f.path == "displayName") if change else iter(())
        name = next(named, None)
        return name if isinstance(name, str) and isinstance(change, Create) else None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, without repetition."""
        return tuple(dict.fromkeys(change.reason for change in self.changes))

    @property
    def fate(self) -> str:
        """What happens to the person, in a word."""
        if any(change.reason is Reason.USER_NOT_DECLARED for change in self.changes):
            return "leaves"
        blocked = self.user_change is not None and blocks(self.user_change)
        match self.user_change:
            case Create():
                return "joins"
            case Restore():
                return "returns blocked" if blocked else "returns"
            case Adopt():
                return "is adopted and blocked" if blocked else "is adopted"
            case _:
                return "is blocked" if blocked else "changes"

    @property
    def ending(self) -> str | None:
        """What becomes of a leaver's account, in a word; None for those who stay."""
        if self.fate != "leaves":
            return None
        match self.user_change:
            case None:
                return "blocked already"
            case Delete():
                return "deleted"
            case _:
                return "blocked"

    @property
    def consequence(self) -> str | None:
        """What a removal of the account means for the person, in a sentence."""
        if self.user_change:
            return consequence(self.user_change)
        return "sign-in is blocked already" if self.ending else None


@dataclass(frozen=True, slots=True)
class Sealing:
    """Whom the initial credentials of one cohort's new accounts are sealed to."""

    cohort: CohortName
    accounts: int
    recipients: tuple[str, ...]

    def sentence(self, cohort: str) -> str:
        """Say so, up to the recipients themselves; *cohort* is its name as it may be shown."""
        return (
            f"initial credentials of {counted(self.accounts, 'new account')} in {cohort} "
            f"will be sealed to {counted(len(self.recipients), 'recipient')}"
        )


def people(changes: Iterable[Change]) -> tuple[Person, ...]:
    """Group *changes* by cohort and person, both in order of their names."""
    grouped: defaultdict[tuple[CohortName, str], list[Change]] = defaultdict(list)
    for change in changes:
        grouped[change.cohort, folded(change.key.account.user_principal_name)].append(change)
    return tuple(
        Person(mine[0].key.account, cohort, tuple(sorted(mine, key=_as_told)))
        for (cohort, _), mine in sorted(grouped.items())
    )


def _as_told(change: Change) -> tuple[int, bool, str, str]:
    adds = not takes_away(change)
    return _KINDS.index(change.key.kind), adds, folded(change.key.name), change.key.address


def removals(plan: Plan) -> tuple[Person, ...]:
    """Give what the plan takes away, person by person."""
    return people(change for change in plan.changes if takes_away(change))


def others(plan: Plan) -> tuple[Person, ...]:
    """Give everything that the plan does besides taking away."""
    return people(change for change in plan.changes if not takes_away(change))


def sealings(plan: Plan) -> tuple[Sealing, ...]:
    """Give who will hold the initial credentials, cohort by cohort."""
    accounts = Counter(change.cohort for change in plan.new_accounts)
    return tuple(
        Sealing(cohort, number, tuple(plan.recipients.get(cohort, ())))
        for cohort, number in sorted(accounts.items())
    )


def blocks(change: Change) -> bool:
    """Whether *change* blocks the sign-in of an account that exists and is kept."""
    if isinstance(change, Create | Delete):
        return False
    return any(field.path == "accountEnabled" and field.after is False for field in change.fields)


def consequence(change: Change) -> str | None:
    """Say what *change* of an account takes from its person; None where it takes nothing."""
    if isinstance(change, Delete):
        return "deleted (recycle bin for 30 days)"
    if not blocks(change):
        return None
    return ", ".join(_BLOCKING[f.path] for f in change.fields if f.path in _BLOCKING)


def by_hint(diagnostics: Iterable[Diagnostic]) -> tuple[tuple[Diagnostic, ...], ...]:
    """Group what has one remedy, which is then told once; the order is that of the first."""
    groups: defaultdict[str | Diagnostic, list[Diagnostic]] = defaultdict(list)
    for diagnostic in diagnostics:
        groups[diagnostic.hint or diagnostic].append(diagnostic)
    return tuple(map(tuple, groups.values()))


def hint_of(group: Sequence[Diagnostic]) -> str:
    """Give the label of the hint that a whole *group* of diagnostics has."""
    return "hint" if len(group) == 1 else f"hint for these {len(group):,}"


def noun(change: Change) -> str:
    """Give what stands before the name of what changes: its kind, and what is grave about it."""
    word = WORDS[change.key.kind]
    if isinstance(change.key, MembershipKey) and makes_privileged(change.key):
        return f"role-assignable {word}"
    return f"service plans taken from {word}" if plans_taken(change) else word


def without(change: Change) -> tuple[str, ...]:
    """Give the service plans that a new license comes without."""
    off = (
        f.after for f in change.fields if f.path == "disabledPlans" and isinstance(change, Create)
    )
    return next((plans for plans in off if isinstance(plans, tuple)), ())


def managers(key: ManagerKey, fields: Iterable[FieldChange]) -> tuple[str | None, str | None]:
    """Give whom an account reported to and will report to, where there is somebody."""
    before = next((str(f.before) for f in fields if f.before is not None), None)
    return before, key.manager.user_principal_name if key.manager else None


def told_fields(change: Change) -> tuple[FieldChange, ...]:
    """Give the fields of *change*, but for what the very words of its first line say."""
    said = {"manager", "disabledPlans"} if isinstance(change, Create) else {"manager"}
    return tuple(field for field in change.fields if field.path not in said)
