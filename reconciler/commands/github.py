"""`reconciler github`: what the workflows do on GitHub, each with as little as it needs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from reconciler import atomic
from reconciler.errors import ReconcilerError, UsageError
from reconciler.github.actions import set_outputs
from reconciler.github.approvals import approval, check_not_overtaken
from reconciler.github.comments import keep_comment
from reconciler.github.context import Context
from reconciler.github.issues import close_issue, keep_issue

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("github")
def group() -> None:
    """Do on GitHub what the workflows need."""


@group.command("comment")
@click.argument("folder", type=FOLDER)
@click.option(
    "--kind", default="plan", show_default=True, help="One comment for each kind: name others."
)
def comment(folder: Path, kind: str) -> None:
    """Show the plan that `plan --report FOLDER` left on the pull request of this run."""
    context = Context.of(os.environ)
    number = context.pull_request
    if number is None:
        raise UsageError("this run is about no pull request", "run it on `pull_request` events")
    body = _read(folder / "plan.md") + _footer(context, "The whole plan and its report")
    from reconciler.github.api import github

    with github(os.environ) as api:
        url = keep_comment(api, number, context.voice(kind), body, is_news=_is_news(folder))
    click.echo(url or "nothing to say, and nothing said so far")


@group.command("issue")
@click.argument("folder", type=FOLDER)
@click.option("--kind", default="drift", show_default=True, help="One issue for each kind.")
@click.option("--title", default="The tenant differs from the files", show_default=True)
def issue(folder: Path, kind: str, title: str) -> None:
    """Keep an issue open while FOLDER has a drift.md, and close it when it has none.

    What could not be compared closes nothing: FOLDER holds a drift.json only where it was.
    """
    context = Context.of(os.environ)
    voice = context.voice(kind)
    found = folder / "drift.md"
    from reconciler.github.api import github

    with github(os.environ) as api:
        if found.exists():
            body = _read(found) + _footer(context, "Found")
            url: str | None = keep_issue(api, voice, title, body)
        else:
            _read(folder / "drift.json")
            where = f" ({context.run_url})" if context.run_url else ""
            url = close_issue(api, voice, f"The tenant is as the files say again{where}.")
    click.echo(url or "no issue is open")


@group.command("approved")
@click.option("--commit", default=None, help="The commit on main; by default the run's own.")
@click.option("--workflow", default=".github/workflows/plan.yml", show_default=True)
@click.option("--artifact", default="plan", show_default=True)
@click.option("--out", type=FOLDER, default=Path("out/approved"), show_default=True)
def approved(commit: str | None, workflow: str, artifact: str, out: Path) -> None:
    """Fetch the plan that was approved with the pull request that became this commit."""
    context = Context.of(os.environ)
    sha = commit or context.sha
    if not sha:
        raise UsageError("no commit is known", "name it with --commit")
    from reconciler.github.api import github

    with github(os.environ) as api:
        if context.is_rerun and context.before:
            check_not_overtaken(api, context.before, sha)
        found = approval(api, sha, workflow=workflow, artifact=artifact)
    who = {
        "pullRequest": found.pull_request,
        "head": found.head,
        "planRun": found.run_id,
        "approvers": list(found.approvers),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        atomic.replace(out / "plan.json", found.plan)
        atomic.replace(out / "approval.json", json.dumps(who, indent=2).encode() + b"\n")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ReconcilerError(f"cannot write into '{out}': {reason}") from error
    set_outputs(os.environ, {"pull-request": found.pull_request, "plan": str(out / "plan.json")})
    click.echo(f"approved with pull request #{found.pull_request}, at {found.head[:12]}")


def _is_news(folder: Path) -> bool:
    """Whether there is something to say: changes, or why there is no plan."""
    if not (folder / "plan.json").exists():
        return True
    plan = json.loads(_read(folder / "plan.json"))
    return bool(plan["changes"] or plan["refusals"])


def _footer(context: Context, what: str) -> str:
    """Say where the whole is; every part of it comes from the runner, nothing from people."""
    if not context.run_url:
        return ""
    at = f" for {context.head[:12]}" if context.head else ""
    return f"\n---\n{what}{at}: [run {context.run_id}]({context.run_url}).\n"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"'{path}' is not there", "name the folder that --report or --out was given"
        ) from error
