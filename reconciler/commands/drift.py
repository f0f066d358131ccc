"""`drift`: say what the tenant has that the files do not say, and who made it so."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from reconciler import atomic
from reconciler.commands import planning
from reconciler.diagnostics import Diagnostic
from reconciler.errors import DiagnosedError, ExitCode, ReconcilerError, Refused, UsageError
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.findings import Drift
    from reconciler.graph.transport import Graph
    from reconciler.model import Desired


DRIFT_JSON, DRIFT_MARKDOWN = "drift.json", "drift.md"


class Format(StrEnum):
    """How a drift can be written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@click.command("drift")
@planning.options
@click.option(
    "--applied-by",
    multiple=True,
    metavar="CLIENT_ID",
    help="The application that applies, where another one asks; may be given several times.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice([format_.value for format_ in Format]),
    default=Format.TEXT.value,
    show_default=True,
    help="How the drift is written.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the drift to this file.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write drift.json into this folder, and drift.md where there is something to say.",
)
def command(
    paths: tuple[Path, ...],
    cloud: str,
    sandbox: Path | None,
    allow_removals: int,
    applied_by: tuple[str, ...],
    format_: str,
    out: Path | None,
    report: Path | None,
) -> int:
    """Say what the tenant has and the files do not say.

    Where the audit log tells, also who made it so. PATH is a cohort file or a folder of
    them; without one it is cohorts/. Exits with 4 where there is drift, and with 3 where
    there is none and guards refuse the files.
    """
    paths, sandbox = planning.sorted_out(paths, sandbox)
    try:
        desired = planning.desired_from(paths)
        with planning.environment(sandbox) as environment:
            drift = asyncio.run(_drift(desired, cloud, environment, allow_removals, applied_by))
    except ReconcilerError as error:
        if report:
            _leave_problem(report, error)
        raise
    _show(drift, Format(format_), out)
    if report:
        _leave(report, drift)
    if drift.drifted:
        return ExitCode.DRIFT
    if drift.refusals:
        raise Refused(drift.refusals, told=format_ == Format.TEXT and out is None)
    return ExitCode.DONE


async def _drift(
    desired: Desired,
    cloud: str,
    environment: Mapping[str, str],
    allowed_removals: int,
    applied_by: tuple[str, ...],
) -> Drift:
    from reconciler.graph.activities import explained
    from reconciler.graph.connection import connect

    async with connect(cloud, environment) as graph:
        drift = await found(graph, desired, allowed_removals)
        return await explained(graph, drift, datetime.now(UTC), applied_by)


async def found(graph: Graph, desired: Desired, allowed_removals: int) -> Drift:
    """Compare as a plan does; raises Refused in a tenant that is not the files'."""
    from reconciler.drift import check_tenant, find

    observed, plan = await planning.compared(graph, desired, allowed_removals)
    check_tenant(desired, observed)
    return find(desired, observed, plan)


def _show(drift: Drift, format_: Format, out: Path | None) -> None:
    """Write the drift to standard output, or to the file *out*, wholly or not at all."""
    color = out is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = _rendered(drift, format_, color=color)
    if out is None:
        click.echo(text, nl=False, color=color)
        return
    if out.is_dir():
        raise UsageError(f"'{visible(str(out))}' is a folder", "name a file with --out")
    _write(out, text)


def _leave(folder: Path, drift: Drift) -> None:
    """Write what the keeper of an issue needs; with nothing to say there is no drift.md."""
    _emptied(folder)
    _write(folder / DRIFT_JSON, _rendered(drift, Format.JSON, color=False))
    if drift.drifted:
        _write(folder / DRIFT_MARKDOWN, _rendered(drift, Format.MARKDOWN, color=False))
    elif drift.refusals:
        _write(folder / DRIFT_MARKDOWN, _problems(drift.refusals, "Not everything can be compared"))


def _leave_problem(folder: Path, error: ReconcilerError) -> None:
    """Say why nothing could be compared: there is a drift.md then, and no drift.json."""
    _emptied(folder)
    found = error.diagnostics if isinstance(error, DiagnosedError) else ()
    told = found or (Diagnostic(str(error), error.hint),)
    _write(folder / DRIFT_MARKDOWN, _problems(told, "The tenant could not be compared"))


def _problems(diagnostics: Sequence[Diagnostic], what: str) -> str:
    from reconciler.render import problems

    return problems(diagnostics, what, "`reconciler drift` shows all.")


def _emptied(folder: Path) -> None:
    """Leave nothing of an earlier comparison in *folder*."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (DRIFT_JSON, DRIFT_MARKDOWN):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write(file: Path, text: str) -> None:
    try:
        atomic.replace(file, text.encode())
    except OSError as error:
        raise _unwritable(file, error) from error


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    reason = (error.strerror or type(error).__name__).lower()
    return ReconcilerError(f"cannot write '{visible(str(path))}': {reason}", "name another place")


def _rendered(drift: Drift, format_: Format, *, color: bool) -> str:
    from reconciler.render import drift_json, drift_markdown, drift_text

    match format_:
        case Format.TEXT:
            width = shutil.get_terminal_size((100, 24)).columns
            return drift_text.text(drift, color=color, width=width)
        case Format.MARKDOWN:
            return drift_markdown.markdown(drift)
        case Format.JSON:
            return drift_json.json(drift)
        case _:
            assert_never(format_)
