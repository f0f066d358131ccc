"""The plan as one page that needs nothing else: for a browser, a printer, an archive.

It asks no network for anything, and its policy forbids it to: styles and the script are
told by their hashes, and the script cannot make markup out of text. Without scripts it
still says everything but the list of a plan that is too long to be a table.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from reconciler.changes import ACTIONS
from reconciler.effects import takes_away, takes_over
from reconciler.render import html_figures as figures
from reconciler.render import html_sections as sections
from reconciler.render import totals
from reconciler.render.elements import Markup, joined, outside, tag
from reconciler.render.grants import grants
from reconciler.render.html_data import data
from reconciler.render.lines import shown
from reconciler.render.outline import WORDS
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.estimate import Estimate
    from reconciler.plan import Plan

LONGEST_TABLE = 400
"""Changes up to which all of them are a table where no script runs."""


def html(plan: Plan, estimate: Estimate) -> str:
    """Give *plan* as a page, and what an apply of it costs by *estimate*."""
    parts = tuple(_sections(plan, estimate))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"Plan for {plan.tenant.display_name}: {_headline(plan)}"),
        tag("style", _page("page.css")),
    )
    body = tag(
        "body",
        tag("a", "Skip to the plan", href="#plan", class_="skip"),
        _header(plan),
        _contents(parts),
        tag("main", *(part for _, _, part in parts), id="plan", tabindex="-1"),
        _footer(plan),
        tag("script", Markup(data(plan)), type="application/json", id="data"),
        tag("script", _page("page.js")),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


@cache
def _page(name: str) -> Markup:
    """Read a file of ours, which goes into an element as it is."""
    return Markup(resources.files("reconciler.render").joinpath("page", name).read_text("utf-8"))


@cache
def _policy() -> str:
    style, script = (_hash(_page(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


# --- around the sections -------------------------------------------------------------------


def _headline(plan: Plan) -> str:
    if plan.changes:
        return totals.headline(plan)
    return "no changes can be planned" if plan.refusals else "no changes"


def _header(plan: Plan) -> Markup:
    headline = _headline(plan)
    return tag(
        "header",
        tag("p", "Plan for ", outside(plan.tenant.display_name), class_="tenant"),
        tag("h1", f"{headline[0].upper()}{headline[1:]}"),
        tag("p", _summary(plan), class_="lead"),
        tag("p", "Tenant ", tag("code", outside(plan.tenant.id)), class_="quiet"),
    )


def _summary(plan: Plan) -> Markup:
    if not plan.changes and not plan.refusals:
        return joined(["The tenant ", totals.unchanged(plan), "."])
    verdict = None
    if plan.refusals:
        problems = counted(len(plan.refusals), "problem")
        verdict = tag("strong", f" Refused for {problems}: nothing of it can be applied.")
    return joined(["To do: ", totals.summary(plan), ".", verdict])


_Section = tuple[str, str, Markup]
"""Where a section is, what the list of contents calls it, and the section."""


def _contents(parts: Iterable[_Section]) -> Markup | None:
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title, _ in parts]
    return tag("nav", tag("ul", *links), aria_label="Contents") if links else None


def _footer(plan: Plan) -> Markup:
    facts = (
        ("Tenant", plan.tenant.id),
        ("Source", plan.source),
        ("Ownership mark in", plan.ownership),
        ("Digest", plan.digest),
    )
    return tag(
        "footer",
        tag(
            "dl",
            *(
                tag("div", tag("dt", name), tag("dd", tag("code", outside(fact))))
                for name, fact in facts
            ),
        ),
        tag(
            "p",
            "The digest sums up what would be done, and to whom credentials go: "
            "plans with one digest do the same.",
        ),
    )


# --- sections --------------------------------------------------------------------------


def _sections(plan: Plan, estimate: Estimate) -> Iterator[_Section]:
    taken = [change for change in plan.changes if takes_away(change)]
    over = [c for c in plan.changes if takes_over(c) and not takes_away(c)]
    powers = grants(plan.changes)
    if plan.refusals:
        yield "refused", f"Refused ({len(plan.refusals):,})", sections.refusals(plan)
    if taken:
        yield "removals", f"Removals ({len(taken):,})", sections.removals(taken)
    if powers:
        yield "privileged", f"Privileged access ({len(powers):,})", sections.privileged(powers)
    if over:
        yield "taken-over", f"Taken over ({len(over):,})", sections.taken_over(over)
    if plan.seats:
        yield "seats", "Seats", figures.seats(plan)
    if plan.changes:
        yield "apply", "What an apply would do", figures.timeline(plan, estimate)
        yield "changes", f"All changes ({len(plan.changes):,})", _explorer(plan)
    if any(change.key.kind == "membership" for change in plan.changes):
        yield "groups", "Groups", sections.groups(plan.changes)
    if plan.new_accounts:
        yield "credentials", "Credentials", sections.credentials(plan)
    if plan.notes:
        yield "notes", f"Notes ({len(plan.notes):,})", sections.notes(plan)


def _explorer(plan: Plan) -> Markup:
    """Give what the script works with, and what stands there without it."""
    cohorts = sorted({shown(change.cohort) for change in plan.changes})
    kinds = {change.key.kind for change in plan.changes}
    verbs = {change.verb for change in plan.changes}
    form = tag(
        "form",
        _field("text", "Search", tag("input", type="search", id="text", autocomplete="off")),
        _choice("cohort", "Cohort", cohorts),
        _choice("kind", "Kind", [word for kind, word in WORDS.items() if kind in kinds]),
        _choice("action", "Action", [a.verb for a in ACTIONS if a.verb in verbs]),
        tag("button", "Clear", type="reset"),
        id="filter",
        role="search",
        aria_label="Changes",
        hidden=True,
    )
    return sections.section(
        "changes",
        "All changes",
        form,
        tag(
            "div",
            tag("p", id="count", role="status"),
            tag("button", "Open all shown", type="button", id="open", aria_pressed="false"),
            id="told",
            hidden=True,
        ),
        tag("ul", id="people", role="list", aria_label="People and their changes"),
        tag("button", "Show more", type="button", id="more", hidden=True),
        tag("div", _without_script(plan), id="plain"),
    )


def _without_script(plan: Plan) -> Markup:
    if len(plan.changes) <= LONGEST_TABLE:
        return sections.everything(plan.changes)
    return tag(
        "p",
        f"{counted(len(plan.changes), 'change')} are too many for a table: this page lists them "
        "once scripts may run, and ",
        tag("code", "reconciler plan"),
        " lists them in a terminal.",
    )


def _field(name: str, label: str, control: Markup) -> Markup:
    return tag("div", tag("label", label, for_=name), control)


def _choice(name: str, label: str, values: Iterable[str]) -> Markup:
    options = (tag("option", value, value=value) for value in values)
    return _field(name, label, tag("select", tag("option", "All", value=""), *options, id=name))
