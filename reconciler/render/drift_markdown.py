"""The drift as the body of an issue on GitHub.

What does not fit is counted: first drift is shown, then what the guards refuse, then what
waits to be applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.render.cells import listed
from reconciler.render.drift_words import SIGNS, WAITING, deed, headline, log, sentence, who
from reconciler.render.github import cell, code
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.findings import Drift, Finding

LIMIT = 64_000
"""GitHub takes issues of 65,536 characters; some are left for whoever posts this."""
_COLUMNS = ("", "Who", "Cohort", "What", "By whom")
_HEADING_ROOM = 600
"""Characters of a table's heading, and of the sentence on what is missing of it."""


def markdown(drift: Drift) -> str:
    """Give the drift for an issue, never longer than `LIMIT`."""
    title = code(drift.tenant.display_name)
    ends = [f"### {title}: {headline(drift)}", f"Digest: {code(drift.digest)}"]
    if said := log(drift):
        ends.insert(1, code(said))
    room = LIMIT - sum(len(part) + 2 for part in ends)
    parts = []
    for heading, rows, thing in (
        (_heading("Drift"), _rows(drift.drifted), "difference"),
        ("#### Refused\n", _refusals(drift), "refusal"),
        (_heading("Not applied yet, which is no drift"), _rows(drift.of(*WAITING)), "item"),
    ):
        if part := _fitted(heading, rows, thing, room):
            parts.append(part)
            room -= len(part) + 2
    return "\n\n".join([ends[0], *parts, *ends[1:]]) + "\n"


def _heading(title: str) -> str:
    return f"#### {title}\n\n| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"


def _rows(findings: Iterable[Finding]) -> list[str]:
    return [f"| {' | '.join(_row(finding))} |" for finding in findings]


def _row(finding: Finding) -> tuple[str, ...]:
    told = finding.evidence
    by = f"{who(told, cell)}<br>{cell(told.at)}: {deed(told, cell)}" if told else ""
    sign = SIGNS.get(finding.kind, "~")
    return f"`{sign}`", cell(finding.upn), cell(finding.cohort), sentence(finding, cell, cell), by


def _refusals(drift: Drift) -> list[str]:
    return [listed("", [each]).partition("\n\n")[2] for each in drift.refusals]


def _fitted(heading: str, rows: Sequence[str], thing: str, room: int) -> str:
    """Give as many rows as there is room for, and how many there is none for."""
    left = room - _HEADING_ROOM
    shown: list[str] = []
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            break
        shown.append(row)
    missing = len(rows) - len(shown)
    if not rows:
        return ""
    parts = ["\n".join([heading, *shown])] if shown else [heading.partition("\n")[0]]
    if missing:
        parts.append(
            f"**{counted(missing, thing)} of {len(rows):,} left out**, or this would be too "
            "long: `reconciler drift` shows all."
        )
    return "\n\n".join(parts)
