"""What a run did, for its page on GitHub: counts, failures, and every privileged change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.executor.audit import privilege, privileged
from reconciler.executor.outcomes import Applied, Failed, summary
from reconciler.executor.report import told
from reconciler.render.github import (
    PAGE_BYTES,
    Section,
    bytes_of,
    cell,
    code,
    cut,
    joined,
    rows,
    table,
    titled,
)
from reconciler.render.grants import UNJUSTIFIED, grant
from reconciler.text import counted

if TYPE_CHECKING:
    from reconciler.executor.audit import Approval
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.receipt import Run
    from reconciler.plan import Plan
    from reconciler.render.grants import Grant

_AUDIT = "the audit of this run (`audit.jsonl`) has all of them."
_RECEIPT = "the receipt of this run has all of them."


def markdown(plan: Plan, run: Run, approval: Approval) -> str:
    """Give the summary of *run*; every name in it is harmless."""
    counts = summary(run.outcomes)
    tenant = code(plan.tenant.display_name)
    opening = (
        f"### {tenant}: {run.result}, {counts['applied']:,} of "
        f"{counted(len(run.outcomes), 'change')} made"
    )
    failures = (
        f"- {code(told(outcome.change))}: {code(outcome.told)}"
        for outcome in run.outcomes
        if isinstance(outcome, Failed)
    )
    sealed = (
        f"- {code(file.path.name)}: {counted(file.accounts, 'account')}" for file in run.sealed
    )
    columns = ("What", "Change", "Justification", "Ticket", "Outcome", "Request-id")
    changes = table("Privileged changes", columns, map(_row, privileged(run)))
    sections = (
        Section(opening),
        Section(titled("Failed", failures), item="failure", heading=2, where=_RECEIPT),
        rows(changes, "privileged change", is_last_to_go=True, where=_AUDIT),
        Section(titled("Sealed credentials", sealed), item="file", heading=2, where=_RECEIPT),
        Section(_approved(approval)),
    )
    return joined(cut(sections, PAGE_BYTES, bytes_of))


def _row(outcome: Outcome) -> tuple[str, ...]:
    given = grant(outcome.change)
    request_id = outcome.request_id if isinstance(outcome, Applied | Failed) else None
    return (
        str(privilege(outcome.change)),
        cell(told(outcome.change)),
        *(_said(given) if given else ("", "")),
        outcome.word,
        cell(request_id) if request_id else "",
    )


def _said(given: Grant) -> tuple[str, str]:
    why = cell(given.justification) if given.justification else UNJUSTIFIED
    return why, cell(given.ticket) if given.ticket else ""


def _approved(approval: Approval) -> str:
    if approval.pull_request is None:
        return f"Begun by {code(approval.actor)}, without an approval." if approval.actor else ""
    if not approval.approvers:
        return f"Merged with #{approval.pull_request}, which no review has approved."
    who = ", ".join(map(code, approval.approvers))
    return f"Approved with #{approval.pull_request} by {who}."
