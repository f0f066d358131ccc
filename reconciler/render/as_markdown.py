"""The plan as a comment on a pull request.

What a reviewer must see is always shown in full: removals, blocked sign-ins, accounts that
are adopted, restored or get another mark, and roles. The rest gives way when the comment
would be longer than GitHub takes; the top says so, and so does what stands in its place.
"""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    Create,
    MembershipKey,
    Restore,
    RoleAssignmentKey,
    is_removal,
)
from reconciler.render import outline, totals
from reconciler.render.cells import after, fields, listed, symbol, what
from reconciler.render.github import Section, cell, code, cut, fitted, optional, table, titled
from reconciler.render.outline import WORDS
from reconciler.render.story import story
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.changes import Change
    from reconciler.diagnostics import Diagnostic
    from reconciler.plan import Plan
    from reconciler.render.outline import Person
    from reconciler.seats import Seats

LIMIT = 64_000
"""GitHub takes comments of 65,536 characters; some are left for whoever posts this."""
_TALLIED = ("license", "membership", "roleAssignment")


def markdown(plan: Plan) -> str:
    """Give the plan, no longer than `LIMIT`, unless what must be seen is."""
    return _joined(fitted(list(_sections(plan)), LIMIT))


def comment(plan: Plan) -> str:
    """Give the plan for a pull request, never longer than `LIMIT`; what is left out says so."""
    return _joined(cut(fitted(list(_sections(plan)), LIMIT), LIMIT))


def _joined(sections: Iterable[str]) -> str:
    return "\n\n".join(filter(None, sections)) + "\n"


def problems(diagnostics: Sequence[Diagnostic]) -> str:
    """Say, in the place of a plan, why there is none."""
    opening = f"### No plan can be made: {counted(len(diagnostics), 'problem')}"
    sections = [Section(opening), Section(listed("Problems", diagnostics))]
    return _joined(cut(fitted(sections, LIMIT), LIMIT))


def _sections(plan: Plan) -> Iterator[Section]:
    yield Section(_opening(plan))
    yield Section(story(plan, code))
    yield Section(_removals(plan))
    yield Section(_taken_over(plan))
    yield Section(_roles(plan))
    yield _people(plan)
    yield Section(_groups(plan))
    yield from _details(plan)
    yield Section(_seats(plan.seats))
    yield Section(_credentials(plan))
    yield _notes(plan.notes)
    yield Section(listed("Refused", plan.refusals))
    yield Section(_closing(plan))


def _opening(plan: Plan) -> str:
    tenant = code(plan.tenant.display_name)
    if plan.changes:
        return f"### {tenant}: {totals.headline(plan)}"
    if plan.refusals:
        return f"### {tenant}: no changes can be planned"
    return f"### No changes: {tenant} {totals.unchanged(plan)}"


def _removals(plan: Plan) -> str:
    rows = (
        (
            symbol(change),
            what(change),
            cell(person.account.user_principal_name),
            cell(person.cohort),
            change.reason.value,
        )
        for person in outline.removals(plan)
        for change in person.changes
    )
    return table("Removals", ("", "What", "Who", "Cohort", "Why"), rows)


def _taken_over(plan: Plan) -> str:
    """Give every account that becomes ours, comes back or moves to another cohort."""
    rows = (
        (
            symbol(change),
            change.verb if isinstance(change, Adopt | Restore) else "new mark",
            cell(change.key.account.user_principal_name),
            cell(change.cohort),
            "<br>".join(fields(change)),
        )
        for change in plan.changes
        if not is_removal(change) and _takes_over(change)
    )
    columns = ("", "What", "Who", "Cohort", "Changes")
    return table("Adopted, restored or moved", columns, rows)


def _takes_over(change: Change) -> bool:
    if isinstance(change, Create):
        return False
    return isinstance(change, Adopt | Restore) or any(f.path == "mark" for f in change.fields)


def _roles(plan: Plan) -> str:
    granted = [c for c in plan.changes if isinstance(c.key, RoleAssignmentKey)]
    rows = (
        (
            symbol(change),
            cell(change.key.name),
            cell(change.key.account.user_principal_name),
            cell(change.cohort),
            after(change, "justification"),
            after(change, "ticket"),
        )
        for change in granted
        if not is_removal(change)
    )
    return table("Roles", ("", "Role", "Who", "Cohort", "Justification", "Ticket"), rows)


def _people(plan: Plan) -> Section:
    everybody = outline.people(plan.changes)
    rows = (
        (
            cell(person.display_name) if person.display_name else "",
            cell(person.account.user_principal_name),
            cell(person.cohort),
            f"{person.fate}{f' ({person.ending})' if person.ending else ''}{_tally(person)}",
        )
        for person in everybody
    )
    full = table("People", ("Name", "Account", "Cohort", "What happens"), rows)
    return optional(full, counted(len(everybody), "person", "people"))


def _tally(person: Person) -> str:
    """Count what a person gets or loses: `: 2 licenses, 1 group`."""
    kinds = [change.key.kind for change in person.entitlements]
    parts = [counted(kinds.count(kind), WORDS[kind]) for kind in _TALLIED if kind in kinds]
    return f": {', '.join(parts)}" if parts else ""


def _groups(plan: Plan) -> str:
    keys = [(c.key, is_removal(c)) for c in plan.changes if isinstance(c.key, MembershipKey)]
    tally = Counter((key.group_display_name, key.group_id, leaving) for key, leaving in keys)
    rows = (
        (cell(name), f"{tally[name, group_id, False]:,}", f"{tally[name, group_id, True]:,}")
        for name, group_id in sorted({(name, group_id) for name, group_id, _ in tally})
    )
    return table("Groups", ("Group", "Joining", "Leaving"), rows)


def _details(plan: Plan) -> Iterator[Section]:
    """Give every change of each cohort that is not a removal, folded."""
    everybody = outline.others(plan)
    for cohort in dict.fromkeys(person.cohort for person in everybody):
        members = [person for person in everybody if person.cohort == cohort]
        size = counted(len(members), "person", "people")
        number = counted(sum(len(person.changes) for person in members), "change")
        title = f"<code>{html.escape(visible(cohort))}</code>: {number} for {size}"
        changes = table(None, ("", "Who", "What"), map(_detail, _all_changes(members)))
        full = f"<details><summary>{title}</summary>\n\n{changes}\n\n</details>"
        yield optional(full, f"{number} for {size} in {code(cohort)}")


def _all_changes(members: Iterable[Person]) -> Iterator[Change]:
    for person in members:
        yield from person.changes


def _detail(change: Change) -> tuple[str, ...]:
    return symbol(change), cell(change.key.account.user_principal_name), what(change)


def _seats(seats: Iterable[Seats]) -> str:
    rows = (
        (
            cell(s.sku_part_number),
            *(f"{n:,}" for n in (s.total, s.free, s.assigned, s.freed, s.free_after)),
        )
        for s in seats
    )
    columns = ("License", "Seats", "Free before", "Assigned", "Freed", "Free after")
    return table("Seats", columns, rows)


def _credentials(plan: Plan) -> str:
    return titled(
        "Credentials",
        (
            f"- {sealing.sentence(code(sealing.cohort))}: "
            + ", ".join(code(outline.shortened(key)) for key in sealing.recipients)
            for sealing in outline.sealings(plan)
        ),
    )


def _notes(notes: Sequence[Diagnostic]) -> Section:
    return optional(listed("Notes", notes), counted(len(notes), "note"))


def _closing(plan: Plan) -> str:
    lines = [f"**Plan:** {totals.summary(plan)}"]
    if plan.refusals:
        problems = counted(len(plan.refusals), "problem")
        lines.append(f"**Refused:** {problems} above; nothing of this plan can be applied")
    return "<br>\n".join([*lines, f"Digest: {code(plan.digest)}"])
