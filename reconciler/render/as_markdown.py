"""The plan as a comment on a pull request.

What a reviewer must see is always shown in full: removals, blocked sign-ins, who becomes
privileged, and accounts that are adopted, restored or get another mark. The rest gives way
when the comment would be longer than GitHub takes; the top says so, and so does what stands
in its place. Where even that is too long, who becomes privileged is the last to be cut.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import Adopt, MembershipKey, Restore, is_removal
from reconciler.effects import takes_away, takes_over
from reconciler.recipients import introduced
from reconciler.render import outline, totals
from reconciler.render.cells import fields, listed, symbol, what
from reconciler.render.folds import details
from reconciler.render.github import (
    PAGE_BYTES,
    Section,
    bytes_of,
    cell,
    code,
    cut,
    fitted,
    joined,
    optional,
    rows,
    table,
    titled,
)
from reconciler.render.grants import UNJUSTIFIED, Grant, grants
from reconciler.render.outline import WORDS
from reconciler.render.story import story
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.diagnostics import Diagnostic
    from reconciler.plan import Plan
    from reconciler.render.outline import Person
    from reconciler.seats import Seats

LIMIT = 64_000
"""GitHub takes comments of 65,536 characters; some are left for whoever posts this."""
_TALLIED = ("license", "membership", "roleAssignment")


def markdown(plan: Plan) -> str:
    """Give the plan, no longer than `LIMIT`, unless what must be seen is."""
    return joined(fitted(list(_sections(plan)), LIMIT))


def comment(plan: Plan) -> str:
    """Give the plan for a pull request, never longer than `LIMIT`; what is left out says so."""
    return joined(cut(fitted(list(_sections(plan)), LIMIT), LIMIT))


def page(plan: Plan) -> str:
    """Give the plan for the page of a run, never longer than `PAGE_BYTES` in UTF-8."""
    return joined(cut(fitted(list(_sections(plan)), LIMIT), PAGE_BYTES, bytes_of))


def problems(
    diagnostics: Sequence[Diagnostic],
    what: str = "No plan can be made",
    where: str = "`reconciler plan` shows all.",
) -> str:
    """Say, in the place of a plan or of *what* was wanted else, why there is none."""
    opening = f"### {what}: {counted(len(diagnostics), 'problem')}"
    told = listed("Problems", diagnostics)
    sections = [Section(opening), Section(told, heading=2, where=where)]
    return joined(cut(fitted(sections, LIMIT), LIMIT))


def _sections(plan: Plan) -> Iterator[Section]:
    yield Section(_opening(plan))
    yield Section(story(plan, code), heading=0)
    yield rows(_removals(plan), "removal")
    yield rows(_privileged(plan), "privileged change", is_last_to_go=True)
    yield rows(_taken_over(plan), "account")
    yield _people(plan)
    yield rows(_groups(plan), "group")
    yield from details(plan)
    yield rows(_seats(plan.seats), "license")
    yield Section(_credentials(plan), heading=2)
    yield _notes(plan.notes)
    yield Section(listed("Refused", plan.refusals), heading=2)
    yield Section(_closing(plan))


def _opening(plan: Plan) -> str:
    tenant = code(plan.tenant.display_name)
    if plan.changes:
        return f"### {tenant}: {totals.headline(plan)}"
    if plan.refusals:
        return f"### {tenant}: no changes can be planned"
    return f"### No changes: {tenant} {totals.unchanged(plan)}"


def _removals(plan: Plan) -> str:
    lines = (
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
    return table("Removals", ("", "What", "Who", "Cohort", "Why"), lines)


def _privileged(plan: Plan) -> str:
    columns = ("", "What", "Scope", "Who", "Cohort", "Justification", "Ticket")
    return table("Privileged access", columns, map(_grant, grants(plan.changes)))


def _grant(grant: Grant) -> tuple[str, ...]:
    change = grant.change
    return (
        symbol(change),
        f"{outline.noun(change)} {cell(change.key.name)}",
        cell(grant.scope) if grant.scope else grant.reach,
        cell(change.key.account.user_principal_name),
        cell(change.cohort),
        cell(grant.justification) if grant.justification else UNJUSTIFIED,
        cell(grant.ticket) if grant.ticket else "",
    )


def _taken_over(plan: Plan) -> str:
    """Give every account that becomes ours, comes back or moves to another cohort."""
    lines = (
        (
            symbol(change),
            change.verb if isinstance(change, Adopt | Restore) else "new mark",
            cell(change.key.account.user_principal_name),
            cell(change.cohort),
            "<br>".join(fields(change)),
        )
        for change in plan.changes
        if not takes_away(change) and takes_over(change)
    )
    columns = ("", "What", "Who", "Cohort", "Changes")
    return table("Adopted, restored or moved", columns, lines)


def _people(plan: Plan) -> Section:
    everybody = outline.people(plan.changes)
    lines = (
        (
            cell(person.display_name) if person.display_name else "",
            cell(person.account.user_principal_name),
            cell(person.cohort),
            f"{person.fate}{f' ({person.ending})' if person.ending else ''}{_tally(person)}",
        )
        for person in everybody
    )
    full = table("People", ("Name", "Account", "Cohort", "What happens"), lines)
    return optional(full, counted(len(everybody), "person", "people"))


def _tally(person: Person) -> str:
    """Count what a person gets or loses: `: 2 licenses, 1 group`."""
    kinds = [change.key.kind for change in person.entitlements]
    parts = [counted(kinds.count(kind), WORDS[kind]) for kind in _TALLIED if kind in kinds]
    return f": {', '.join(parts)}" if parts else ""


def _groups(plan: Plan) -> str:
    keys = [(c.key, is_removal(c)) for c in plan.changes if isinstance(c.key, MembershipKey)]
    tally = Counter((key.group_display_name, key.group_id, leaving) for key, leaving in keys)
    lines = (
        (cell(name), f"{tally[name, group_id, False]:,}", f"{tally[name, group_id, True]:,}")
        for name, group_id in sorted({(name, group_id) for name, group_id, _ in tally})
    )
    return table("Groups", ("Group", "Joining", "Leaving"), lines)


def _seats(seats: Iterable[Seats]) -> str:
    lines = (
        (
            cell(s.sku_part_number),
            *(f"{n:,}" for n in (s.total, s.free, s.assigned, s.freed, s.free_after)),
        )
        for s in seats
    )
    columns = ("License", "Seats", "Free before", "Assigned", "Freed", "Free after")
    return table("Seats", columns, lines)


def _credentials(plan: Plan) -> str:
    return titled(
        "Credentials",
        (
            line
            for sealing in outline.sealings(plan)
            for line in (
                f"- {sealing.sentence(code(sealing.cohort))}:",
                *(f"  - {introduced(key, code, code)}" for key in sealing.recipients),
            )
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
