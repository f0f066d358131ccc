"""What a person reads after a run: what was done, what was not and why, and where things lie."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, assert_never

from reconciler.executor.outcomes import Applied, Failed, Skipped, summary
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.executor.receipt import Run
    from reconciler.executor.run import Files
    from reconciler.plan import Plan


LISTED = 10
"""Changes skipped for one reason are named one by one up to so many."""


def report(plan: Plan, run: Run, files: Files) -> str:
    """Give the summary of *run*: failures in full, with Graph's request-ids."""
    return "\n".join(_lines(plan, run, files))


def _lines(plan: Plan, run: Run, files: Files) -> Iterator[str]:
    counts = summary(run.outcomes)
    seconds = (run.finished_at - run.started_at).total_seconds()
    total = len(run.outcomes)
    if total:
        yield (
            f"{run.result.capitalize()}: {counts['applied']:,} of "
            f"{counted(total, 'change')} made in {visible(plan.tenant.display_name)}, "
            f"{counts['failed']} failed, {counts['skipped']} skipped, in {seconds:.1f} s."
        )
    for outcome in run.outcomes:
        match outcome:
            case Failed():
                yield f"  failed   {told(outcome.change)}"
                yield f"           {visible(outcome.told)}"
            case Applied() | Skipped():
                pass
            case _:
                assert_never(outcome)
    yield from _skipped(run)
    yield from _unconfirmed(run)
    if counts["failed"] or counts["skipped"]:
        yield "Run it again once the cause is mended: a rerun does only what is left."
    if run.sealed:
        accounts = sum(file.accounts for file in run.sealed)
        yield f"Initial credentials of {counted(accounts, 'new account')}, sealed:"
        for file in run.sealed:
            yield f"  {file.path}  ({counted(file.accounts, 'account')})"
        yield f"Open one with: reconciler unseal {run.sealed[0].path} -i YOUR_IDENTITY"
    if files.pieces:
        yield "An earlier run ended before it put its credentials together; these open as well:"
        yield from (f"  {piece}" for piece in files.pieces)
    yield f"Receipt: {files.receipt}  Journal: {files.journal}"


def _skipped(run: Run) -> Iterator[str]:
    """Name what was skipped reason by reason; of many with one reason, only how many."""
    by_reason: defaultdict[str, list[Change]] = defaultdict(list)
    for outcome in run.outcomes:
        if isinstance(outcome, Skipped):
            by_reason[outcome.because].append(outcome.change)
    for because, changes in by_reason.items():
        if len(changes) > LISTED:
            yield f"  skipped  {counted(len(changes), 'change')}; the receipt names each"
        else:
            yield from (f"  skipped  {told(change)}" for change in changes)
        yield f"           because {visible(because)}"


def _unconfirmed(run: Run) -> Iterator[str]:
    """Name what Graph took and does not show yet; of many only how many."""
    changes = [o.change for o in run.outcomes if isinstance(o, Applied) and not o.is_confirmed]
    if len(changes) > LISTED:
        yield f"  unseen   {counted(len(changes), 'change')}; the receipt names each"
    else:
        yield from (f"  unseen   {told(change)}" for change in changes)
    if changes:
        yield "           applied and not yet visible: Graph took this and does not show it so far"


def told(change: Change) -> str:
    """Give one line that names a change: `create license SPE_E5 of ada@contoso.com`."""
    key = change.key
    name = visible(key.account.user_principal_name)
    if key.kind == "user":
        return f"{change.verb} user {name}"
    noun = {"roleAssignment": "role", "membership": "membership of"}.get(key.kind, key.kind)
    return f"{change.verb} {noun} {visible(key.name)} for {name}"
