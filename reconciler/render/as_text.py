"""The plan on a terminal: removals first and in full, then cohort by cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from reconciler.changes import ACTIONS, ManagerKey
from reconciler.recipients import introduced
from reconciler.render import outline, totals
from reconciler.render.grants import UNJUSTIFIED, grant
from reconciler.render.lines import Line, padded, painted, plain, quoted, shown, wrapped
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.changes import Change, FieldChange
    from reconciler.diagnostics import Diagnostic
    from reconciler.model import FieldValue
    from reconciler.plan import Plan
    from reconciler.render.outline import Person
    from reconciler.seats import Seats

_NARROWEST = 40


def text(plan: Plan, *, color: bool, width: int) -> str:
    """Give the plan for a reader of a terminal that is *width* cells wide."""
    room = max(width, _NARROWEST)
    form = painted if color else plain
    return "".join(f"{form(part)}\n" for line in _lines(plan) for part in wrapped(line, room))


def _lines(plan: Plan) -> Iterator[Line]:
    yield from _opening(plan)
    yield from _removals(plan)
    yield from _cohorts(plan)
    yield from _seats(plan.seats)
    yield from _credentials(plan)
    yield from _diagnostics("Notes", plan.notes)
    yield from _diagnostics("Refused", plan.refusals)
    yield from _closing(plan)


# --- sections --------------------------------------------------------------------------


def _heading(title: str) -> Iterator[Line]:
    yield Line()
    yield Line(title, style="bold")


def _opening(plan: Plan) -> Iterator[Line]:
    tenant = shown(plan.tenant.display_name)
    if plan.changes:
        yield Line(f"{tenant}: {totals.headline(plan)}", style="bold")
        yield Line(_legend(plan), style="dim")
    elif plan.refusals:
        yield Line(f"{tenant}: no changes can be planned", style="bold")
    else:
        yield Line(f"No changes: {tenant} {totals.unchanged(plan)}", style="bold")
    yield Line(f"tenant {shown(plan.tenant.id)}", style="dim")


def _legend(plan: Plan) -> str:
    used = {change.verb for change in plan.changes}
    return "  ".join(f"{action.symbol} {action.verb}" for action in ACTIONS if action.verb in used)


def _removals(plan: Plan) -> Iterator[Line]:
    leaving = outline.removals(plan)
    if leaving:
        yield from _heading("Removals")
    for person in leaving:
        why = ", ".join(person.reasons)
        yield from _person(person, f"  ({why}, {shown(person.cohort)})")


def _cohorts(plan: Plan) -> Iterator[Line]:
    cohort = None
    for person in outline.others(plan):
        if person.cohort != cohort:
            cohort = person.cohort
            yield from _heading(f"Cohort {shown(cohort)}")
        yield from _person(person)


def _person(person: Person, remark: str = "") -> Iterator[Line]:
    """Tell one person: the account first, then what it holds."""
    yield Line()
    change = person.user_change
    name = shown(person.account.user_principal_name)
    if person.display_name:
        name = f"{shown(person.display_name)} <{name}>"
    if person.consequence:
        name = f"{name}: {person.consequence}"
    if change:
        yield Line(f"user {name}{remark}", 2, change.symbol)
        yield from _fields(outline.told_fields(change), 8)
    else:
        yield Line(f"{name}{remark}", 4)
    for entitlement in person.entitlements:
        yield Line(_entitlement(entitlement), 6, entitlement.symbol)
        yield from _fields(outline.told_fields(entitlement), 12)


def _entitlement(change: Change) -> str:
    word = outline.noun(change)
    if isinstance(change.key, ManagerKey):
        names = outline.managers(change.key, change.fields)
        return f"{word} {' -> '.join(shown(name) for name in names if name)}"
    off = ", ".join(map(shown, outline.without(change)))
    rest = f" (without {off})" if off else _privilege(change)
    return f"{word} {shown(change.key.name)}{rest}"


def _privilege(change: Change) -> str:
    """Mark what makes somebody privileged, and say where it holds unless that is everywhere."""
    given = grant(change)
    if not given:
        return ""
    where = f" in {shown(given.scope)}" if given.scope else ""
    return f"{where} (privileged{'' if given.justification else f', {UNJUSTIFIED}'})"


def _fields(fields: Iterable[FieldChange], indent: int) -> Iterator[Line]:
    told = [(f"{shown(field.path)}:", field) for field in fields]
    column = max((cell_len(label) for label, _ in told), default=0)
    for label, field in told:
        before = "" if field.before is None else f"{_value(field.before)} -> "
        yield Line(f"{padded(label, column)} {before}{_value(field.after)}", indent)


def _value(value: FieldValue) -> str:
    match value:
        case None:
            return "(none)"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case _:
            return f"[{', '.join(map(_value, value))}]"


def _seats(seats: Iterable[Seats]) -> Iterator[Line]:
    rows = [
        (shown(s.sku_part_number), f"{s.total:,}", f"{s.free:,}", f"{s.free_after:,}")
        for s in seats
    ]
    if not rows:
        return
    yield from _heading("Seats")
    table = [("license", "total", "free", "after"), *rows]
    widths = [max(cell_len(row[column]) for row in table) for column in range(4)]
    for row in table:
        sku, total, free, after = row
        numbers = f"{total:>{widths[1]}}   {free:>{widths[2]}} -> {after:>{widths[3]}}"
        style = "dim" if row is table[0] else "error" if after.startswith("-") else ""
        yield Line(f"{padded(sku, widths[0])}   {numbers}", 2, style=style)


def _credentials(plan: Plan) -> Iterator[Line]:
    sealings = outline.sealings(plan)
    if sealings:
        yield from _heading("Credentials")
    for sealing in sealings:
        yield Line(f"{sealing.sentence(shown(sealing.cohort))}:", 2)
        for key in sealing.recipients:
            yield Line(introduced(key, shown, quoted), 4)


def _diagnostics(title: str, diagnostics: Iterable[Diagnostic]) -> Iterator[Line]:
    groups = outline.by_hint(diagnostics)
    if groups:
        yield from _heading(title)
    for group in groups:
        yield from map(_diagnostic, group)
        if group[0].hint:
            yield Line(f"{outline.hint_of(group)}: {shown(group[0].hint)}", 4, whole=True)


def _diagnostic(diagnostic: Diagnostic) -> Line:
    place = f"{shown(str(diagnostic.position))}: " if diagnostic.position else ""
    style = "error" if diagnostic.severity == "error" else ""
    told = f"{place}{diagnostic.severity}: {shown(diagnostic.summary)}"
    return Line(told, 2, style=style, whole=True)


def _closing(plan: Plan) -> Iterator[Line]:
    yield Line()
    yield Line(f"Plan: {totals.summary(plan)}", style="bold")
    if plan.refusals:
        problems = counted(len(plan.refusals), "problem")
        yield Line(f"Refused: {problems} above; nothing of this plan can be applied", style="error")
    yield Line(f"Digest: {plan.digest}", style="dim")
