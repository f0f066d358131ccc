"""The README, docs/benchmarks.md and its chart: what was measured, between marks in the text."""

from __future__ import annotations

import platform
import re
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler import atomic
from tests.bench import chart, sidebyside, writes
from tests.bench.measures import figure, table

if TYPE_CHECKING:
    from tests.bench.measures import Measure
    from tests.bench.sidebyside import Way
    from tests.bench.writes import Applied

_TOP: Final = Path(__file__).parents[2]
PAGES: Final = (_TOP / "README.md", _TOP / "docs/benchmarks.md")
CHART: Final = _TOP / "docs/benchmarks.svg"
_MARKED: Final = "<!-- {0} -->\n{1}\n<!-- end of {0} -->"


def write(measures: list[Measure], ways: tuple[Way, Way], applied: Applied) -> None:
    """Put the table and the side by side into the pages, and the chart beside them."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        text = replaced(text, "measured", f"{machine()}\n\n{table(measures)}")
        atomic.replace(page, replaced(text, "side by side", side_by_side(ways)).encode())
    drawn = chart.chart(_title(ways), _panels(ways, applied))
    atomic.replace(CHART, drawn.encode())


def replaced(text: str, name: str, content: str) -> str:
    """Give *text* with *content* between the marks called *name*; they have to be there."""
    pattern = re.compile(re.escape(_MARKED.format(name, "\0")).replace("\0", ".*?"), re.DOTALL)
    new, count = pattern.subn(lambda _: _MARKED.format(name, content), text)
    if count != 1:
        raise ValueError(f"a page has {count} places called '{name}'")
    return new


def machine() -> str:
    """Say what it was measured on."""
    return (
        f"{cpu_count()} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}."
    )


def side_by_side(ways: tuple[Way, Way]) -> str:
    """Give both ways and the factors between them as a Markdown table."""
    lines = [
        f"| {sidebyside.PEOPLE} joiners | seconds | requests | round trips |",
        "|---|---:|---:|---:|",
    ]
    rows = [way.row for way in ways]
    lines += [
        f"| {name} | {seconds:.1f} | {requests} | {trips} |"
        for name, seconds, requests, trips in rows
    ]
    (_, *usual), (_, *ours) = rows
    factors = [f"{figure(a / b)}" for a, b in zip(usual, ours, strict=True)]
    return "\n".join([*lines, f"| factor | {' | '.join(factors)} |"])


def _title(ways: tuple[Way, Way]) -> str:
    usual, ours = ways
    return (
        f"{sidebyside.PEOPLE} joiners: the usual script takes {usual.seconds:.1f} seconds, "
        f"reconciler apply {ours.seconds:.1f}"
    )


def _panels(ways: tuple[Way, Way], applied: Applied) -> list[chart.Panel]:
    _, ours = ways
    delay = f"{1000 * sidebyside.LATENCY:.0f} ms to a round trip"
    seconds = [(way, way.seconds, f"{way.seconds:.1f} s") for way in ways]
    trips = [(way, float(way.traffic.round_trips), str(way.traffic.round_trips)) for way in ways]
    both: list[tuple[str, list[tuple[Way, float, str]]]] = [
        (f"{sidebyside.PEOPLE} joiners, {delay}: seconds", seconds),
        (f"{sidebyside.PEOPLE} joiners: round trips", trips),
    ]
    panels = [
        chart.Panel(
            title,
            [
                chart.Bar(way.name.replace("`", ""), value, told, is_ours=way is ours)
                for way, value, told in rows
            ],
        )
        for title, rows in both
    ]
    spent = applied.traffic.writes
    return [
        *panels,
        _against_floor("seconds at the quota", applied.floor_seconds, applied.seconds, " s"),
        _against_floor("writes spent", applied.floor, spent, ""),
    ]


def _against_floor(what: str, floor: float, measured: float, unit: str) -> chart.Panel:
    bars = [
        chart.Bar("the floor", floor, f"{floor:,.0f}{unit}"),
        chart.Bar("reconciler apply", measured, f"{measured:,.0f}{unit}", is_ours=True),
    ]
    return chart.Panel(f"{writes.PEOPLE:,} joiners: {what}", bars)
