"""The receipt: what became of every change of a plan, for machines and auditors.

`schema/receipt.schema.json` describes it. It never holds a credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import orjson

from reconciler import __version__
from reconciler.executor.outcomes import Applied, Failed, Outcome, Skipped, summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from reconciler.model import CohortName
    from reconciler.plan import Plan

FORMAT_VERSION = "1.1"


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file of credentials that a run has left."""

    cohort: CohortName
    path: Path
    accounts: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a plan."""

    id: str
    started_at: datetime
    finished_at: datetime
    outcomes: tuple[Outcome, ...]
    sealed: tuple[SealedFile, ...]
    interrupted: bool = False

    @property
    def result(self) -> str:
        """Sum the run up in one of the words that the schema lists."""
        counts = summary(self.outcomes)
        if self.interrupted:
            return "interrupted"
        if not self.outcomes:
            return "nothing to do"
        if counts["failed"] or counts["skipped"]:
            return "partly failed" if counts["applied"] else "failed"
        return "applied"


def receipt(plan: Plan, run: Run) -> bytes:
    """Give the receipt as JSON."""
    document = {
        "format_version": FORMAT_VERSION,
        "run": {
            "id": run.id,
            "startedAt": run.started_at.isoformat(),
            "finishedAt": run.finished_at.isoformat(),
            "tool": f"reconciler {__version__}",
        },
        "tenant": {"id": plan.tenant.id, "displayName": plan.tenant.display_name},
        "planDigest": plan.digest,
        "result": run.result,
        "summary": summary(run.outcomes),
        "outcomes": [described(outcome) for outcome in run.outcomes],
        "credentials": _sealed(run.sealed),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def described(outcome: Outcome) -> dict[str, Any]:
    """Give one outcome as the receipt and the journal have it."""
    change = outcome.change
    account = change.key.account
    document: dict[str, Any] = {
        "address": change.key.address,
        "action": change.verb,
        "user": {"id": account.id, "userPrincipalName": account.user_principal_name},
        "cohort": change.cohort,
        "outcome": outcome.word,
        "at": None,
        "confirmed": None,
        "requestId": None,
        "error": None,
        "because": None,
        "note": None,
    }
    match outcome:
        case Applied():
            document |= {
                "at": outcome.at.isoformat(),
                "confirmed": outcome.is_confirmed,
                "requestId": outcome.request_id,
                "note": outcome.note,
            }
        case Failed():
            error = {"status": outcome.status, "code": outcome.code, "message": outcome.message}
            document |= {
                "at": outcome.at.isoformat(),
                "requestId": outcome.request_id,
                "error": error,
            }
        case Skipped():
            document["because"] = outcome.because
        case _:
            assert_never(outcome)
    return document


def _sealed(files: Sequence[SealedFile]) -> list[dict[str, Any]]:
    return [
        {"cohort": file.cohort, "file": file.path.name, "accounts": file.accounts} for file in files
    ]
