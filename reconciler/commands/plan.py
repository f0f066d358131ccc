"""`reconciler plan`: show what an apply would do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from reconciler import atomic, render
from reconciler.commands import planning
from reconciler.commands.reporting import leave, leave_problem, page
from reconciler.errors import ExitCode, ReconcilerError, Refused, UsageError
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import Desired
    from reconciler.plan import Plan


class Format(StrEnum):
    """How a plan can be written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


@click.command("plan")
@planning.options
@planning.since
@click.option(
    "--format",
    "format_",
    type=click.Choice([format_.value for format_ in Format]),
    default=Format.TEXT.value,
    show_default=True,
    help="How the plan is written.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the plan to this file.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the plan in every form into this folder, for reviewers.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
def command(
    paths: tuple[Path, ...],
    cloud: str,
    sandbox: Path | None,
    allow_removals: int,
    since: str | None,
    format_: str,
    out: Path | None,
    report: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what an apply would change, and what speaks against it.

    PATH is a cohort file or a folder of them; without one it is cohorts/. Naming files
    narrows the plan to the cohorts in them.
    """
    paths, sandbox = planning.sorted_out(paths, sandbox)
    try:
        desired = planning.desired_from(paths, since)
        with planning.environment(sandbox) as environment:
            plan = asyncio.run(_plan(desired, cloud, environment, allow_removals))
    except ReconcilerError as error:
        if report:
            leave_problem(report, error)
        raise
    show(plan, Format(format_), out)
    if report:
        leave(report, plan)
    if plan.refusals:
        raise Refused(plan.refusals, told=format_ == Format.TEXT and out is None)
    return ExitCode.CHANGES_PENDING if plan.changes and detailed_exitcode else ExitCode.DONE


async def _plan(
    desired: Desired, cloud: str, environment: Mapping[str, str], allowed_removals: int
) -> Plan:
    from reconciler.graph.connection import connect

    async with connect(cloud, environment) as graph:
        return await planning.planned(graph, desired, allowed_removals)


def show(plan: Plan, format_: Format, out: Path | None = None) -> None:
    """Write the plan to standard output, or to the file *out*, wholly or not at all."""
    color = out is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = rendered(plan, format_, color=color, width=shutil.get_terminal_size((100, 24)).columns)
    if out is None:
        click.echo(text, nl=not text.endswith("\n"), color=color)
        return
    if out.is_dir():
        raise UsageError(f"'{visible(str(out))}' is a folder", "name a file with --out")
    try:
        atomic.replace(out, (text if text.endswith("\n") else f"{text}\n").encode())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ReconcilerError(f"cannot write '{out}': {reason}", "name another file") from error


def rendered(plan: Plan, format_: Format, *, color: bool, width: int) -> str:
    """Write *plan* in one of the formats."""
    match format_:
        case Format.TEXT:
            return render.text(plan, color=color, width=width)
        case Format.MARKDOWN:
            return render.markdown(plan)
        case Format.JSON:
            return render.json(plan)
        case Format.HTML:
            return page(plan)
        case _:
            assert_never(format_)
