"""What a run did, for its page on GitHub: counts, failures, and every privileged change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.executor.audit import privilege, privileged
from reconciler.executor.outcomes import Applied, Failed, summary
from reconciler.executor.report import told
from reconciler.render.github import cell, code, table, titled
from reconciler.text import counted

if TYPE_CHECKING:
    from reconciler.executor.audit import Approval
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.receipt import Run
    from reconciler.plan import Plan


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
    sections = (
        opening,
        titled("Failed", failures),
        table("Privileged changes", columns, map(_row, privileged(run))),
        titled("Sealed credentials", sealed),
        _approved(approval),
    )
    return "\n\n".join(filter(None, sections)) + "\n"


def _row(outcome: Outcome) -> tuple[str, ...]:
    values = {field.path: field.after for field in outcome.change.fields}
    request_id = outcome.request_id if isinstance(outcome, Applied | Failed) else None
    return (
        str(privilege(outcome.change)),
        cell(told(outcome.change)),
        *(cell(str(values[name])) if values.get(name) else "" for name in _SAID),
        outcome.word,
        cell(request_id) if request_id else "",
    )


_SAID = ("justification", "ticket")


def _approved(approval: Approval) -> str:
    if approval.pull_request is None:
        return f"Begun by {code(approval.actor)}, without an approval." if approval.actor else ""
    if not approval.approvers:
        return f"Merged with #{approval.pull_request}, which no review has approved."
    who = ", ".join(map(code, approval.approvers))
    return f"Approved with #{approval.pull_request} by {who}."
