"""`reconciler doctor`: check a tenant and an identity, step by step, with the remedies."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from reconciler.commands import planning
from reconciler.text import counted, visible, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.errors import ExitCode
    from reconciler.graph.checkup import Subject
    from reconciler.graph.steps import Step

_COLORS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "bright_black"}
_WIDTH = len("warning") + 2


class Purpose(StrEnum):
    """What the identity is for."""

    PLAN = "plan"
    APPLY = "apply"


@click.command("doctor")
@planning.options
@click.option(
    "--for",
    "purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.APPLY.value,
    show_default=True,
    help="What the identity is for: one that plans should only read.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the steps are written.",
)
def command(
    paths: tuple[Path, ...],
    cloud: str,
    sandbox: Path | None,
    allow_removals: int,
    purpose: str,
    format_: str,
) -> int:
    """Check tenant and identity, with a remedy for each failure.

    PATH is a cohort file or a folder of them; without one it is cohorts/. Permissions are
    judged by what these files ask for. Nothing is changed.
    """
    paths, sandbox = planning.sorted_out(paths, sandbox)
    desired = planning.desired_from(paths)
    from reconciler.graph.checkup import Subject
    from reconciler.graph.steps import exit_code

    with planning.environment(sandbox) as environment:
        writes = purpose == Purpose.APPLY
        subject = Subject(desired, cloud, environment, writes, allow_removals)
        tell = _tell if format_ == "text" else _say_nothing
        steps = asyncio.run(_checked(subject, tell))
    code = exit_code(steps)
    told = summary(steps) if format_ == "text" else as_json(steps, purpose, code)
    click.echo(without_secrets(told))
    return code


async def _checked(subject: Subject, tell: Callable[[Step], None]) -> list[Step]:
    from reconciler.graph.checkup import checkup

    steps: list[Step] = []
    async with aclosing(checkup(subject, lambda: datetime.now(UTC))) as found:
        async for step in found:
            tell(step)
            steps.append(step)
    return steps


def _say_nothing(_: Step) -> None:
    """Keep standard output for the one document that follows."""


def _tell(step: Step) -> None:
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(without_secrets(as_text(step, color=colored)), color=colored)
    sys.stdout.flush()


def as_text(step: Step, *, color: bool = False) -> str:
    """Write *step* for a person: what was found, or each problem with its remedy."""
    status = str(step.status)
    label = f"{status:<{_WIDTH}}"
    if color:
        label = click.style(label, fg=_COLORS[status], bold=status == "failed" or None)
    if step.because:
        return f"{label}{step.title}: {visible(step.because)}"
    if not step.problems:
        return f"{label}{step.title}: {visible(step.told)}"
    lines = []
    for problem in step.problems:
        place = f"{visible(str(problem.position))}: " if problem.position else ""
        lines.append(f"{label}{step.title}: {place}{visible(problem.summary)}")
        lines += [f"{'':<{_WIDTH}}  {visible(problem.hint)}"] if problem.hint else []
    return "\n".join(lines)


def summary(steps: list[Step]) -> str:
    """Sum up in one line for a person."""
    from reconciler.graph.steps import Status, counts

    number = counts(steps)
    told = ", ".join(
        (
            f"{number[Status.OK]} ok",
            counted(number[Status.WARNING], "warning"),
            f"{number[Status.FAILED]} failed",
            f"{number[Status.SKIPPED]} skipped",
        )
    )
    verdict = "mend what failed, from the top" if number[Status.FAILED] else "nothing failed"
    return f"\n{told}: {verdict}"


def as_json(steps: list[Step], purpose: str, code: ExitCode) -> str:
    """Write all of it for a program."""
    from reconciler.graph.steps import counts

    whole = {
        "formatVersion": "1.0",
        "for": purpose,
        "steps": [_as_item(step) for step in steps],
        "counts": {str(status): number for status, number in counts(steps).items()},
        "exitCode": int(code),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _as_item(step: Step) -> dict[str, Any]:
    return {
        "part": step.part,
        "about": step.about or None,
        "status": str(step.status),
        "found": step.told or None,
        "because": step.because,
        "problems": [
            {
                "severity": str(problem.severity),
                "summary": problem.summary,
                "remedy": problem.hint,
                "position": str(problem.position) if problem.position else None,
            }
            for problem in step.problems
        ],
    }
