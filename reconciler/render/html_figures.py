"""What the report draws: seats before and after, and the waves of an apply."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.changes import Wave
from reconciler.render import totals
from reconciler.render.elements import Markup, outside, table, tag
from reconciler.render.html_sections import section
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change
    from reconciler.estimate import Estimate, Stage
    from reconciler.plan import Plan
    from reconciler.seats import Seats

_TITLES = {
    Wave.REVOKE_ROLES: "Roles are taken back",
    Wave.REVOKE_ENTITLEMENTS: "Licenses and memberships are taken back",
    Wave.LEAVERS: "Leavers are blocked or deleted",
    Wave.USERS: "Accounts are created and changed",
    Wave.ENTITLEMENTS: "Managers, licenses and memberships are set",
    Wave.ROLES: "Roles are assigned",
}
_MINUTE, _HOUR = 60, 3600


def seats(plan: Plan) -> Markup:
    """Give the seats of each license in numbers and as bars; too few of them stand out."""
    rows = (
        (
            outside(each.sku_part_number),
            f"{each.total:,}",
            f"{each.free:,}",
            f"{each.assigned:,}",
            f"{each.freed:,}",
            _free_after(each),
            _use(each),
        )
        for each in plan.seats
    )
    columns = ("License", "Seats", "Free before", "Assigned", "Freed", "Free after", "In use")
    return section("seats", "Seats", table("Seats of each license", columns, rows))


def _free_after(seats: Seats) -> Markup | str:
    if seats.free_after >= 0:
        return f"{seats.free_after:,}"
    missing = counted(-seats.free_after, "seat")
    return tag("strong", f"{seats.free_after:,}", " ", tag("small", f"({missing} too few)"))


def _use(seats: Seats) -> Markup:
    """Give how many seats are taken before and after, each as a bar with its number."""
    before, after = seats.total - seats.free, seats.total - seats.free_after
    scale = max(seats.total, before, after, 1)
    bars = (
        part
        for label, used in (("before", before), ("after", after))
        for part in (
            tag("span", label),
            _bar(seats.total, used, scale),
            tag("span", f"{used:,}", class_="number"),
        )
    )
    return tag("div", *bars, class_="use")


def _bar(total: int, used: int, scale: int) -> Markup:
    within = min(used, total)
    over = used - within
    return tag(
        "svg",
        _rect("track", 0, total / scale),
        _rect("used", 0, within / scale),
        _rect("over", within / scale, over / scale) if over else None,
        class_="bar",
        aria_hidden="true",
    )


def _rect(class_: str, start: float, width: float) -> Markup:
    return tag("rect", class_=class_, x=_percent(start), width=_percent(width), height="100%")


def _percent(share: float) -> str:
    return f"{max(share, 0):.2%}"


def timeline(plan: Plan, estimate: Estimate) -> Markup:
    """Give the waves in their order, with what each sends and when it can be over."""
    lead = tag("p", explanation(estimate), class_="lead")
    return section("apply", "What an apply would do", lead, tag("ol", *_waves(plan, estimate)))


def _waves(plan: Plan, estimate: Estimate) -> Iterator[Markup]:
    before = 0
    whole = max(estimate.spent, 1)
    waves = dict(plan.waves)
    for stage, seconds in estimate.ends:
        yield tag(
            "li",
            tag("h3", _TITLES[stage.wave]),
            tag("p", _deeds(plan, waves[stage.wave])),
            tag(
                "svg",
                _rect("track", 0, 1),
                _rect("used", before / whole, stage.writes / whole),
                class_="bar",
                aria_hidden="true",
            ),
            tag("p", _price(stage, whole, seconds), class_="price"),
        )
        before += stage.writes


def _deeds(plan: Plan, changes: tuple[Change, ...]) -> str:
    """Say what a wave does: `3 accounts to create`."""
    return totals.summary(replace(plan, changes=changes)).rpartition(" (")[0]


def _price(stage: Stage, whole: int, seconds: float) -> str:
    sent = counted(stage.requests, "request")
    paid = f"{stage.writes:,} of {counted(whole, 'write')}"
    wait = f"over after {spelled(seconds)} at the earliest" if seconds else "no wait for the quota"
    return f"{sent}, {paid}; {wait}"


def explanation(estimate: Estimate) -> str:
    """Say in one sentence what an apply costs, and why it takes the time that it takes."""
    sent = counted(estimate.requests, "request")
    trips = counted(estimate.batches, "round trip")
    writes = counted(estimate.spent, "write")
    limit = estimate.writes
    quota = f"{limit.amount:,.0f} in {spelled(limit.seconds)}"
    time = (
        f"it takes {spelled(estimate.seconds)} at the least, from an unused quota on"
        if estimate.seconds
        else "an unused quota has room for all of them at once"
    )
    return (
        f"An apply would send {sent} in {trips} or a few more, for which Microsoft Graph charges "
        f"{writes}; it allows one application {quota}, so {time}, and what the round trips, "
        "retries and the reads that confirm the result take comes on top."
    )


def spelled(seconds: float) -> str:
    """Give a length of time as a person says it, never shorter than it is: `2 min 30 s`."""
    whole = int(-(-seconds // 1))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(-(-whole // _MINUTE), _MINUTE)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
