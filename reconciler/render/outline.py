"""What every form of a plan says, before any form says it: people, counts and sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import (
    ACTIONS,
    Adopt,
    Create,
    ManagerKey,
    Reason,
    Restore,
    UserKey,
    is_removal,
)
from reconciler.model import folded
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.changes import Change, FieldChange
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

_FATES = {
    "joins": "join",
    "returns": "return",
    "is adopted": "are adopted",
    "changes": "change",
    "leaves": "leave",
}
"""What happens to one person, and to several."""


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
        match self.user_change:
            case Create():
                return "joins"
            case Restore():
                return "returns"
            case Adopt():
                return "is adopted"
            case _:
                return "changes"


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
    adds = not is_removal(change)
    return _KINDS.index(change.key.kind), adds, folded(change.key.name), change.key.address


def removals(plan: Plan) -> tuple[Person, ...]:
    """Give what the plan takes away, person by person."""
    return people(change for change in plan.changes if is_removal(change))


def others(plan: Plan) -> tuple[Person, ...]:
    """Give everything that the plan does besides taking away."""
    return people(change for change in plan.changes if not is_removal(change))


def sealings(plan: Plan) -> tuple[Sealing, ...]:
    """Give who will hold the initial credentials, cohort by cohort."""
    accounts = Counter(change.cohort for change in plan.new_accounts)
    return tuple(
        Sealing(cohort, number, tuple(plan.recipients.get(cohort, ())))
        for cohort, number in sorted(accounts.items())
    )


def counts(plan: Plan) -> Mapping[str, int]:
    """Count the changes by action, all actions included, in the order of telling."""
    found = Counter(change.verb for change in plan.changes)
    return {action.verb: found[action.verb] for action in ACTIONS}


def headline(plan: Plan) -> str:
    """Sum the changes up in people: `12 people join, 3 change, 1 leaves`.

    A plan that is refused says so at once.
    """
    fates = Counter(person.fate for person in people(plan.changes))
    clauses: list[str] = []
    for one, several in _FATES.items():
        number = fates[one]
        who = f"{number:,}" if clauses else counted(number, "person", "people")
        if number:
            clauses.append(f"{who} {one if number == 1 else several}")
    refused = f"; refused: {counted(len(plan.refusals), 'problem')}" if plan.refusals else ""
    return ", ".join(clauses) + refused


def summary(plan: Plan) -> str:
    """Sum the plan up in changes: the counts add up to the total."""
    if not plan.changes:
        return "nothing to do"
    told = counts(plan)
    parts = [f"{told[verb]:,} to {verb}" for verb in told if told[verb] or verb == "delete"]
    total = counted(len(plan.changes), "change")
    taken = sum(map(is_removal, plan.changes))
    return f"{', '.join(parts)} ({total}, {counted(taken, 'removal')})"


def shortened(recipient: str) -> str:
    """Give enough of a public key to tell it from others, and its owner's name for it."""
    kind, _, rest = recipient.strip().partition(" ")
    if not rest:
        return f"{kind[:12]}…" if len(kind) > 12 else kind  # noqa: PLR2004 -- age1 and eight more
    key, _, comment = rest.strip().partition(" ")
    return f"{kind} …{key[-8:]} {comment}".rstrip()


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


def told_fields(person: Person, change: Change) -> tuple[FieldChange, ...]:
    """Give the fields of *change* that its first line does not say already."""
    said = {"manager"}
    if isinstance(change, Create):
        said |= {"userPrincipalName", "disabledPlans"}
        said |= {"displayName"} if person.display_name else set()
    return tuple(field for field in change.fields if field.path not in said)
