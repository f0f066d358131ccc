"""`reconciler apply`: show the plan, ask, and make it so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.approval import Approved, NotApprovable, beyond, bystanders
from reconciler.approval import approved as read_approved
from reconciler.commands import planning
from reconciler.commands.asking import agreed
from reconciler.commands.plan import Format, show
from reconciler.credentials import forbid_core_dumps
from reconciler.errors import ExitCode, Refused, UsageError
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.commands.recording import Audit
    from reconciler.executor.audit import Approval
    from reconciler.executor.receipt import Run
    from reconciler.executor.surroundings import Stop
    from reconciler.graph.transport import Graph
    from reconciler.model import Desired
    from reconciler.plan import Plan


@click.command("apply")
@planning.options
@planning.since
@click.option(
    "--approved",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The JSON form of the plan that was approved: no more than it says is done.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the changes are made.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder for sealed credentials, journal and receipt.",
)
def command(
    paths: tuple[Path, ...],
    cloud: str,
    sandbox: Path | None,
    allow_removals: int,
    since: str | None,
    approved: Path | None,
    yes: bool,
    out: Path,
) -> int:
    """Show the plan, ask, and make the changes.

    PATH is a cohort file or a folder of them; without one it is cohorts/. Naming files
    narrows the plan to the cohorts in them. A rerun does only what is left to do.
    """
    forbid_core_dumps()
    paths, sandbox = planning.sorted_out(paths, sandbox)
    from reconciler.commands import recording
    from reconciler.webhook import is_wanted

    reviewed = _reviewed(approved) if approved else None
    is_wanted(os.environ)
    desired = planning.desired_from(paths, since)
    with planning.environment(sandbox) as environment:
        asking = _Asking(allow_removals, reviewed, yes, recording.approval(approved))
        run, audit = asyncio.run(_apply(desired, cloud, environment, asking, out))
    # The run listens for signals no longer: a receiver that hangs ends with Ctrl-C.
    recording.deliver(audit, was_interrupted=run.interrupted)
    if run.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE if run.result in {"applied", "nothing to do"} else ExitCode.FAILED


@dataclass(frozen=True, slots=True)
class _Asking:
    """What it takes for a plan to be carried out."""

    allowed_removals: int
    reviewed: Approved | None
    """What was approved; None where nothing had to be."""
    yes: bool
    """Whether nobody is asked."""
    approval: Approval
    """Who let it go on."""


def _reviewed(path: Path) -> Approved:
    from reconciler.config.validation import misfit

    try:
        return read_approved(json.loads(path.read_bytes()), lambda plan: misfit(plan, "plan"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error if isinstance(error, NotApprovable) else "it is not JSON"
        raise UsageError(
            f"'{visible(str(path))}' is no plan that can have been approved: {reason}",
            "give the plan.json that `plan --report` wrote",
        ) from error


async def _apply(
    desired: Desired, cloud: str, environment: Mapping[str, str], asking: _Asking, out: Path
) -> tuple[Run, Audit]:
    from reconciler.graph.connection import connect
    from reconciler.graph.permissions import check_writes

    async with connect(cloud, environment) as graph:
        plan = await _agreed(graph, desired, asking)
        check_writes(graph.token(), plan.changes)
        return await _execute(plan, graph, out, asking.approval)


async def _agreed(graph: Graph, desired: Desired, asking: _Asking) -> Plan:
    """Give a plan that was shown and agreed to, and that is still the plan now."""
    plan = await _planned(graph, desired, asking)
    while True:
        show(plan, Format.TEXT)
        if plan.refusals:
            raise Refused(plan.refusals, told=True)
        if asking.reviewed and (more := beyond(plan, asking.reviewed)):
            raise Refused(more)
        if not plan.changes or asking.yes:
            return plan
        await _ask(plan)
        now = await _planned(graph, desired, asking)
        if now.digest == plan.digest and not now.refusals:
            return now
        click.echo("\nThe tenant changed while you were reading. This is the plan now:\n")
        plan = now


async def _planned(graph: Graph, desired: Desired, asking: _Asking) -> Plan:
    """Plan, less what only the tenant asks for where something was approved."""
    from reconciler.plan import without

    observed, plan = await planning.compared(graph, desired, asking.allowed_removals)
    if asking.reviewed is None:
        return plan
    others = bystanders(plan, asking.reviewed)
    return without(plan, others, observed, others.values()) if others else plan


async def _ask(plan: Plan) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked: standard input is not a terminal",
            "pass --yes to make the changes without asking",
        )
    changes = counted(len(plan.changes), "change")
    question = f"\nMake {changes} in {visible(plan.tenant.display_name)}?"
    if not await agreed(question):
        click.echo(err=True)
        raise click.Abort


async def _execute(plan: Plan, graph: Graph, out: Path, approved: Approval) -> tuple[Run, Audit]:
    from reconciler.commands import recording
    from reconciler.commands.progress import Bar, Lines, Unheard
    from reconciler.executor.report import report
    from reconciler.executor.run import execute
    from reconciler.executor.surroundings import Clock, Stop

    stop = Stop()
    clock = Clock(lambda: datetime.now(UTC), time.monotonic)
    progress = Bar(len(plan.changes)) if sys.stderr.isatty() and plan.changes else Lines()
    with _signals(stop):
        with progress as watcher:
            run, files = await execute(
                plan, graph, out=out, watcher=Unheard(watcher), clock=clock, stop=stop
            )
        gap = "\n" if plan.changes else ""
        click.echo(gap + report(plan, run, files))
        return run, recording.leave(plan, run, files, approved)


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """Let Ctrl-C and a cancelled job end the run between two requests, not within one."""
    if os.name == "nt":  # pragma: no cover -- asyncio handles no signals on Windows
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, stop.request, "the run was interrupted")
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
