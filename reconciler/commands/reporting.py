"""What a plan leaves for reviewers: the same plan in every form, in one folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler import atomic, render
from reconciler.diagnostics import Diagnostic
from reconciler.effects import takes_away
from reconciler.errors import DiagnosedError, ReconcilerError
from reconciler.github.actions import add_summary, set_outputs
from reconciler.render.totals import counts

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.plan import Plan

PLAN_JSON, PLAN_MARKDOWN, PLAN_HTML = "plan.json", "plan.md", "plan.html"


def leave(folder: Path, plan: Plan) -> None:
    """Write *plan* into *folder*, add it to the run's page, and set the step's outputs."""
    forms = {
        PLAN_JSON: render.json(plan),
        PLAN_MARKDOWN: render.comment(plan),
        PLAN_HTML: page(plan),
    }
    _fill(folder, forms)
    add_summary(os.environ, render.page(plan))
    set_outputs(
        os.environ,
        {
            "changes": bool(plan.changes),
            "refused": bool(plan.refusals),
            "removals": sum(map(takes_away, plan.changes)),
            **counts(plan),
            "digest": plan.digest,
            **{name.replace(".", "-"): str(folder / name) for name in forms},
        },
    )


def page(plan: Plan) -> str:
    """Give *plan* as the page for a browser, with what an apply of it would cost."""
    from reconciler.graph.estimate import estimate

    return render.html(plan, estimate(plan))


def leave_problem(folder: Path, error: ReconcilerError) -> None:
    """Write into *folder* why there is no plan, and nothing that could be approved."""
    diagnosed = error.diagnostics if isinstance(error, DiagnosedError) else ()
    markdown = render.problems(diagnosed or (Diagnostic(str(error), error.hint),))
    _fill(folder, {PLAN_MARKDOWN: markdown})
    add_summary(os.environ, markdown)


def _fill(folder: Path, forms: dict[str, str]) -> None:
    """Leave nothing of an earlier plan in *folder*, and *forms* in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PLAN_JSON, PLAN_MARKDOWN, PLAN_HTML):
            (folder / name).unlink(missing_ok=True)
        for name, text in forms.items():
            atomic.replace(folder / name, text.encode())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ReconcilerError(
            f"cannot write the report into '{folder}': {reason}", "name another folder"
        ) from error
