"""The sections of the report that stand in it as they are, whatever runs in the browser."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import Adopt, Create, MembershipKey, Restore, RoleAssignmentKey, is_removal
from reconciler.render import html_cells as cells
from reconciler.render import outline
from reconciler.render.elements import Markup, joined, outside, table, tag
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.changes import Change
    from reconciler.plan import Plan


def section(name: str, title: str, *content: str, class_: str | None = None) -> Markup:
    """Give a section under its heading, where a link to *name* leads."""
    heading = tag("h2", title, id=f"{name}-title")
    body = joined(content)
    return tag("section", heading, body, id=name, class_=class_, aria_labelledby=f"{name}-title")


def refusals(plan: Plan) -> Markup:
    """Give what speaks against the plan."""
    problems = counted(len(plan.refusals), "problem")
    lead = tag("p", f"{problems}; nothing of this plan can be applied.", class_="lead")
    return section("refused", "Refused", lead, cells.listed(plan.refusals), class_="grave")


def removals(changes: Iterable[Change]) -> Markup:
    """Give everything that is taken from anybody, in full."""
    rows = (
        (
            outside(person.account.user_principal_name),
            cells.action(change),
            cells.what(change),
            outside(person.cohort),
            change.reason.value,
        )
        for person in outline.people(changes)
        for change in person.changes
    )
    shown = table("What is taken from whom", ("Who", "Action", "What", "Cohort", "Why"), rows)
    return section("removals", "Removals", shown, class_="grave")


def takes_over(change: Change) -> bool:
    """Whether an account becomes ours, comes back or moves to another cohort."""
    if isinstance(change, Create):
        return False
    return isinstance(change, Adopt | Restore) or any(f.path == "mark" for f in change.fields)


def taken_over(changes: Iterable[Change]) -> Markup:
    """Give the accounts that become ours, come back or move, with what changes in them."""
    rows = (
        (
            outside(change.key.account.user_principal_name),
            cells.action(change),
            outside(change.cohort),
            cells.fields(change),
        )
        for change in changes
    )
    columns = ("Who", "Action", "Cohort", "Changes")
    return section(
        "taken-over",
        "Adopted, restored or moved",
        table("Accounts that become or stay managed", columns, rows),
    )


def is_privileged(change: Change) -> bool:
    """Whether somebody gets a directory role, or joins a group that can hold one."""
    if is_removal(change):
        return False
    key = change.key
    is_role = isinstance(key, RoleAssignmentKey)
    return is_role or (isinstance(key, MembershipKey) and key.is_assignable_to_role)


def privileged(changes: Iterable[Change]) -> Markup:
    """Give who becomes privileged, why, and by which ticket."""
    rows = (
        (
            outside(change.key.account.user_principal_name),
            cells.action(change),
            cells.privilege(change),
            outside(change.cohort),
            cells.after(change, "justification"),
            cells.after(change, "ticket"),
        )
        for change in changes
    )
    columns = ("Who", "Action", "What", "Cohort", "Justification", "Ticket")
    shown = table("Directory roles, and groups that can hold one", columns, rows)
    return section("privileged", "Privileged access", shown, class_="grave")


def groups(changes: Iterable[Change]) -> Markup:
    """Give how many join and leave each group."""
    keys = [(c.key, is_removal(c)) for c in changes if isinstance(c.key, MembershipKey)]
    tally = Counter((key.group_display_name, key.group_id, leaving) for key, leaving in keys)
    rows = (
        (outside(name), f"{tally[name, id_, False]:,}", f"{tally[name, id_, True]:,}")
        for name, id_ in sorted({(name, id_) for name, id_, _ in tally})
    )
    return section(
        "groups",
        "Groups",
        table("People who join and leave", ("Group", "Joining", "Leaving"), rows),
    )


def credentials(plan: Plan) -> Markup:
    """Give who will be able to read the initial credentials, keys in full."""
    return section("credentials", "Credentials", *_sealings(plan))


def _sealings(plan: Plan) -> Iterator[Markup]:
    for sealing in outline.sealings(plan):
        # The sentence takes the cohort's name as text, and escapes it with itself.
        sentence = sealing.sentence(sealing.cohort)
        yield tag("p", f"{sentence[0].upper()}{sentence[1:]}:")
        keys = (tag("li", tag("code", outside(key))) for key in sealing.recipients)
        yield tag("ul", *keys, class_="keys")


def notes(plan: Plan) -> Markup:
    """Give what the plan leaves alone."""
    return section("notes", "Notes", cells.listed(plan.notes))


def everything(changes: Iterable[Change]) -> Markup:
    """Give all changes as one table, for a browser that runs no scripts."""
    rows = (
        (
            outside(change.key.account.user_principal_name),
            cells.action(change),
            cells.what(change),
            outside(person.cohort),
        )
        for person in outline.people(changes)
        for change in person.changes
    )
    return table("Every change, person by person", ("Who", "Action", "What", "Cohort"), rows)
