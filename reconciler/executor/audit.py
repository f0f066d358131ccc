"""The audit: every privileged change of a run, who approved it, and what Graph said. Pure.

For people who have to show years later why somebody held a role, or lost an account. It
never holds a credential.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.changes import Create, Delete, RoleAssignmentKey, UserKey, is_removal
from reconciler.effects import makes_privileged, takes_away
from reconciler.executor.receipt import described
from reconciler.render.as_json import SUSPECT, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.receipt import Run
    from reconciler.plan import Plan

FORMAT_VERSION = "1.0"


class Privilege(StrEnum):
    """Why a change is in the audit."""

    ROLE = "role"
    ROLE_ASSIGNABLE_GROUP = "role-assignable group"
    DELETION = "deletion"
    DISABLEMENT = "disablement"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let a run go on; None and empty where nobody can tell, as on a terminal."""

    repository: str | None = None
    commit: str | None = None
    actor: str | None = None
    """Whose push, or whose hand, began the run."""
    run: str | None = None
    """The page of the run."""
    pull_request: int | None = None
    head: str | None = None
    """The commit that was reviewed."""
    approvers: tuple[str, ...] = ()


def privilege(change: Change) -> Privilege | None:
    """Tell why *change* belongs into the audit; None where it does not."""
    if makes_privileged(change.key):
        is_role = isinstance(change.key, RoleAssignmentKey)
        return Privilege.ROLE if is_role else Privilege.ROLE_ASSIGNABLE_GROUP
    match change.key:
        case UserKey() if isinstance(change, Delete):
            return Privilege.DELETION
        case UserKey() if is_removal(change):
            return Privilege.DISABLEMENT
        case _ if takes_away(change):
            return Privilege.REMOVAL
        case _:
            return None


def privileged(run: Run) -> tuple[Outcome, ...]:
    """Give the outcomes of *run* that belong into the audit."""
    return tuple(outcome for outcome in run.outcomes if privilege(outcome.change))


def audit(plan: Plan, run: Run, approval: Approval) -> bytes:
    """Give the audit as JSON Lines, one object for each privileged change; nothing for none.

    What is hidden in a name is written out, as JSON may: a terminal shows these lines too.
    """
    lines = (orjson.dumps(record).decode() for record in records(plan, run, approval))
    return "".join(f"{SUSPECT.sub(escaped, line)}\n" for line in lines).encode()


def records(plan: Plan, run: Run, approval: Approval) -> Iterator[dict[str, Any]]:
    """Give each privileged change, in the order of the plan."""
    approved = asdict(approval)
    approved["pullRequest"] = approved.pop("pull_request")
    for outcome in privileged(run):
        change = outcome.change
        values = {field.path: field.after for field in change.fields}
        yield {
            "format_version": FORMAT_VERSION,
            "privilege": privilege(change),
            "runId": run.id,
            "planDigest": plan.digest,
            "tenant": {"id": plan.tenant.id, "displayName": plan.tenant.display_name},
            **described(outcome),
            "resource": change.key.kind,
            "name": change.key.name,
            "reason": change.reason.value,
            "justification": values.get("justification"),
            "ticket": values.get("ticket"),
            **_states(change),
            "approval": approved,
        }


def _states(change: Change) -> dict[str, Any]:
    """Give what was before and what is after; None is nothing at all."""
    if isinstance(change, Create):
        return {"before": None, "after": _told(change, after=True) or change.key.name}
    if isinstance(change, Delete):
        return {"before": _told(change, after=False) or change.key.name, "after": None}
    return {"before": _told(change, after=False), "after": _told(change, after=True)}


def _told(change: Change, *, after: bool) -> dict[str, Any]:
    said = {"justification", "ticket"}
    fields = (field for field in change.fields if field.path not in said)
    return {field.path: field.after if after else field.before for field in fields}
