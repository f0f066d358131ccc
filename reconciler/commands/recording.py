"""What a run leaves besides its receipt: the audit, and a text for each who gets credentials."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reconciler import atomic
from reconciler.errors import Interrupted, ReconcilerError, UsageError
from reconciler.executor.as_markdown import markdown
from reconciler.executor.audit import Approval, audit
from reconciler.executor.handoff import SUFFIX, handoff
from reconciler.github.actions import add_summary, set_outputs
from reconciler.github.context import Context
from reconciler.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.executor.receipt import Run, SealedFile
    from reconciler.executor.run import Files
    from reconciler.plan import Plan

_SEALED = ".credentials.csv.age"
APPROVAL = "approval.json"
"""Who approved the plan beside it; `github approved` writes both."""


def approval(reviewed: Path | None) -> Approval:
    """Give who let the run go on, from Actions and from what lies beside the plan *reviewed*."""
    context = Context.of(os.environ)
    found = _beside(reviewed.with_name(APPROVAL)) if reviewed else {}
    return Approval(
        repository=context.repository or None,
        commit=context.sha or None,
        actor=context.actor or None,
        run=context.run_url,
        pull_request=found.get("pullRequest"),
        head=found.get("head"),
        approvers=tuple(found.get("approvers") or ()),
    )


def _beside(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(
            f"'{visible(str(path))}' cannot be read", "fetch it again with `github approved`"
        ) from error
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Audit:
    """What a run wrote down of its privileged changes: where, and what; empty without any."""

    path: Path
    content: bytes


def leave(plan: Plan, run: Run, files: Files, approved: Approval) -> Audit:
    """Write what people need after *run*; gives what is to be delivered."""
    for file in run.sealed:
        recipients = plan.recipients.get(file.cohort, ())
        _keep(_beside_sealed(file), handoff(file, recipients, approved.run).encode())
    content = audit(plan, run, approved)
    if content:
        _keep(files.audit, content)
        click.echo(f"Audit: {files.audit}")
    add_summary(os.environ, markdown(plan, run, approved))
    set_outputs(os.environ, {"result": run.result, "receipt": str(files.receipt)})
    return Audit(files.audit, content)


def deliver(found: Audit, *, was_interrupted: bool) -> None:
    """Tell of *found* whoever wants to know; to be called where Ctrl-C ends a command at once.

    Raises ReconcilerError where it was not taken, and Interrupted where it was cut short or
    where the run itself *was_interrupted*: what became of the run is never hidden by it.
    """
    from reconciler import webhook

    if not (found.content and webhook.is_wanted(os.environ)):
        return
    try:
        asyncio.run(webhook.deliver(os.environ, found.content))
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted while the audit was delivered",
            f"the changes are made; the audit lies in '{found.path}': send it by hand where the "
            "receiver does not have it",
        ) from error
    except ReconcilerError as error:
        if was_interrupted:
            raise Interrupted(str(error), error.hint) from error
        raise


def _beside_sealed(file: SealedFile) -> Path:
    return file.path.with_name(file.path.name.removesuffix(_SEALED) + SUFFIX)


def _keep(path: Path, content: bytes) -> None:
    try:
        atomic.replace(path, content)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ReconcilerError(
            f"cannot write '{path}': {reason}", "the receipt beside it says what was done"
        ) from error
