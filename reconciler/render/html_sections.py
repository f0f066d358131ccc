"""The sections of the report that stand in it as they are, whatever runs in the browser."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import MembershipKey, is_removal
from reconciler.recipients import public_key
from reconciler.render import html_cells as cells
from reconciler.render import outline
from reconciler.render.elements import Markup, joined, outside, table, tag
from reconciler.render.grants import UNJUSTIFIED
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.changes import Change
    from reconciler.plan import Plan
    from reconciler.render.grants import Grant


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


def privileged(granted: Iterable[Grant]) -> Markup:
    """Give who becomes privileged, where, why, and by which ticket."""
    rows = (
        (
            outside(grant.change.key.account.user_principal_name),
            cells.action(grant.change),
            cells.named(grant.change),
            outside(grant.scope) if grant.scope else grant.reach,
            outside(grant.change.cohort),
            outside(grant.justification) if grant.justification else tag("em", UNJUSTIFIED),
            outside(grant.ticket) if grant.ticket else "",
        )
        for grant in granted
    )
    columns = ("Who", "Action", "What", "Scope", "Cohort", "Justification", "Ticket")
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
    """Give who will be able to read the initial credentials."""
    return section("credentials", "Credentials", *_sealings(plan))


def _sealings(plan: Plan) -> Iterator[Markup]:
    for sealing in outline.sealings(plan):
        # The sentence takes the cohort's name as text, and escapes it with itself.
        sentence = sealing.sentence(sealing.cohort)
        yield tag("p", f"{sentence[0].upper()}{sentence[1:]}:")
        yield tag("ul", *map(_key, sealing.recipients), class_="keys")


def _key(recipient: str) -> Markup:
    key = public_key(recipient)
    name = key.comment and joined([" (calls itself ", outside(key.comment), ")"])
    return tag("li", tag("code", outside(key.identity)), name)


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
