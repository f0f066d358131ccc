"""The drift on a terminal: person by person, then what waits to be applied."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.render import outline
from reconciler.render.drift_words import SIGNS, WAITING, deed, headline, log, sentence, who
from reconciler.render.lines import Line, painted, plain, quoted, shown, wrapped
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.diagnostics import Diagnostic
    from reconciler.findings import Drift, Finding

_NARROWEST = 40


def text(drift: Drift, *, color: bool, width: int) -> str:
    """Give the drift for a reader of a terminal that is *width* cells wide."""
    room = max(width, _NARROWEST)
    form = painted if color else plain
    return "".join(f"{form(part)}\n" for line in _lines(drift) for part in wrapped(line, room))


def _lines(drift: Drift) -> Iterator[Line]:
    yield Line(f"{shown(drift.tenant.display_name)}: {headline(drift)}", style="bold")
    yield Line(f"tenant {shown(drift.tenant.id)}", style="dim")
    yield from _findings("Drift", drift.drifted)
    yield from _findings("Not applied yet, which is no drift", drift.of(*WAITING))
    yield from _refusals(drift.refusals)
    yield Line()
    if said := log(drift):
        yield Line(shown(said))
    yield Line(f"Digest: {drift.digest}", style="dim")


def _findings(title: str, findings: Iterable[Finding]) -> Iterator[Line]:
    for number, (_, grouped) in enumerate(groupby(findings, key=lambda f: f.key.account)):
        mine = list(grouped)
        if number == 0:
            yield Line()
            yield Line(title, style="bold")
        yield Line()
        yield Line(f"{shown(mine[0].upn)}  ({shown(mine[0].cohort)})", 2)
        for finding in mine:
            yield Line(sentence(finding, shown, quoted), 4, SIGNS.get(finding.kind, "~"))
            if finding.evidence:
                by, what = who(finding.evidence, shown), deed(finding.evidence, shown)
                yield Line(f"{shown(finding.evidence.at)} by {by}: {what}", 8, style="dim")


def _refusals(refusals: Iterable[Diagnostic]) -> Iterator[Line]:
    groups = outline.by_hint(refusals)
    if groups:
        yield Line()
        number = counted(sum(map(len, groups)), "problem")
        yield Line(f"Refused: {number} of the files; nothing can be applied", style="bold")
    for group in groups:
        for each in group:
            place = f"{shown(str(each.position))}: " if each.position else ""
            yield Line(f"{place}{each.severity}: {shown(each.summary)}", 2, whole=True)
        if group[0].hint:
            yield Line(f"{outline.hint_of(group)}: {shown(group[0].hint)}", 4, whole=True)
