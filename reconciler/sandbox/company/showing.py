"""A summary of the tenant for a person: aligned columns that fit a terminal.

Widths are counted in cells, since a Chinese character takes two. Names are anybody's:
what would move the cursor or hide is written out.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson
from rich.cells import cell_len, set_cell_size

from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.sandbox.company.summary import Summary

_MANY: Final = 20
"""Rows of a part that are shown; of the rest the number is."""
_BAR: Final = 10
_STATES: Final = ("disabled", "synced", "deleted")
_GAP: Final = "  "
_SHORTEST: Final = 8
_NOBODY: Final = "-"

Row = tuple[str, ...]


def text(found: Summary, width: int) -> str:
    """Give the summary as lines of at most *width* cells; words that are longer stay whole."""
    parts = (
        _head(found),
        _titled("Domains", [_domain(domain) for domain in found.domains], width),
        _titled("Subscriptions", [_sku(sku) for sku in found.skus], width, numbers={1, 2, 3}),
        _titled(_people_title(found.people), _departments(found.people), width, numbers={1}),
        _titled("Marks", [_mark(mark) for mark in found.marks], width, numbers={2}),
        _titled("Groups", [_group(group) for group in found.groups], width, numbers={2}),
        _titled("Roles", list(_roles(found.roles)), width),
        list(_applications(found.applications, width)),
        _titled("Administrative units", [_unit(unit) for unit in found.units], width, numbers={1}),
        _titled("Latest writes", [_record(record) for record in found.audit], width),
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def json(found: Summary) -> str:
    """Give the whole summary as JSON."""
    return orjson.dumps({"format_version": 1, **asdict(found)}, option=orjson.OPT_INDENT_2).decode()


def _head(found: Summary) -> list[str]:
    company = found.company
    country = company["countryLetterCode"]
    return [f"{visible(company['displayName'])} ({country}), tenant {company['id']}"]


def _titled(
    title: str, rows: Sequence[Row], width: int, *, numbers: frozenset[int] | set[int] = frozenset()
) -> list[str]:
    """Give a part: its title and the first of its rows, columns of *numbers* to the right."""
    if not rows:
        return []
    shown, rest = rows[:_MANY], len(rows) - _MANY
    more = [f"  and {rest:,} more"] if rest > 0 else []
    return [title, *_aligned(shown, width, numbers), *more]


def _aligned(rows: Sequence[Row], width: int, numbers: frozenset[int] | set[int]) -> Iterator[str]:
    columns = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    room = width - len(_GAP) * len(columns)
    # What the columns take too much is taken from the widest.
    while sum(columns) > room and max(columns) > _SHORTEST:
        columns[columns.index(max(columns))] -= 1
    for row in rows:
        cells = [
            _fitted(cell, cells, is_right=number in numbers)
            for number, (cell, cells) in enumerate(zip(row, columns, strict=True))
        ]
        yield f"{_GAP}{_GAP.join(cells)}".rstrip()


def _fitted(cell: str, cells: int, *, is_right: bool) -> str:
    if cell_len(cell) > cells:
        return f"{set_cell_size(cell, cells - 1)}…"
    space = " " * (cells - cell_len(cell))
    return f"{space}{cell}" if is_right else f"{cell}{space}"


def _domain(domain: dict[str, Any]) -> Row:
    words = [word for key, word in _DOMAIN_WORDS.items() if domain[key]]
    return visible(domain["id"]), ", ".join(words) if domain["isVerified"] else "not verified"


_DOMAIN_WORDS: Final = {"isInitial": "initial", "isDefault": "default"}


def _sku(sku: dict[str, Any]) -> Row:
    seats, used = sku["seats"], sku["used"]
    notes = [] if sku["capabilityStatus"] == "Enabled" else [sku["capabilityStatus"].lower()]
    notes += [] if sku["appliesTo"] == "User" else ["for the company"]
    return (
        visible(sku["skuPartNumber"]),
        f"{seats:,} seats",
        f"{used:,} used",
        f"{max(seats - used, 0):,} free",
        _bar(used, seats),
        ", ".join(notes),
    )


def _bar(used: int, seats: int) -> str:
    """Give the part that is used in tenths; one that is used at all shows."""
    filled = min(_BAR, -(-used * _BAR // seats)) if seats else 0
    return "█" * filled + "░" * (_BAR - filled) if seats else ""


def _people_title(people: dict[str, Any]) -> str:
    told = [f"{people[name]:,} {name}" for name in _STATES if people[name]]
    if people["guests"]:
        told.insert(0, counted(people["guests"], "guest"))
    total = counted(people["enabled"] + people["disabled"], "person", "people")
    return ", ".join([f"People: {total}", *told])


def _departments(people: dict[str, Any]) -> list[Row]:
    return [
        (visible(entry["department"] or "(no department)"), f"{entry['people']:,}")
        for entry in people["departments"]
    ]


def _mark(mark: dict[str, Any]) -> Row:
    deleted = f"and {mark['deleted']:,} deleted" if mark["deleted"] else ""
    return visible(mark["attribute"]), visible(str(mark["value"])), f"{mark['people']:,}", deleted


def _group(group: dict[str, Any]) -> Row:
    owners = counted(group["owners"], "owner") if group["owners"] else ""
    gives = f"gives {', '.join(map(visible, filter(None, group['licenses'])))}"
    notes = [owners, gives if group["licenses"] else ""]
    return (
        visible(group["displayName"]),
        group["kind"],
        counted(group["members"], "member"),
        ", ".join(filter(None, notes)),
    )


def _roles(roles: Sequence[dict[str, Any]]) -> Iterator[Row]:
    for role in roles:
        for holder in role["holders"]:
            until = f" until {holder['until']}" if holder["until"] else ""
            over = "" if holder["scope"] == "/" else f" over {visible(holder['scope'])}"
            yield (
                visible(role["displayName"]),
                visible(holder["name"]),
                f"{holder['how']}{until}{over}",
            )


def _applications(applications: Sequence[dict[str, Any]], width: int) -> Iterator[str]:
    yield "Applications"
    for application in applications:
        yield f"  {visible(application['displayName'])}  {application['appId']}"
        ways = ", ".join(map(visible, application["signsInWith"]))
        yield from _wrapped(f"signs in with {ways or 'nothing'}", width)
        if application["roles"]:
            yield from _wrapped(f"is {', '.join(map(visible, application['roles']))}", width)
        permissions = ", ".join(map(visible, application["permissions"]))
        yield from _wrapped(permissions or "no permissions", width)


def _wrapped(words: str, width: int) -> Iterator[str]:
    line = "   "
    for word in words.split(" "):
        if line.strip() and cell_len(line) + 1 + cell_len(word) > width:
            yield line
            line = "     "
        line = f"{line} {word}"
    yield line


def _unit(unit: dict[str, Any]) -> Row:
    return visible(unit["displayName"]), counted(unit["members"], "member")


def _record(record: dict[str, Any]) -> Row:
    return (
        visible(record["at"][:19].replace("T", " ")),
        visible(record["activity"] or _NOBODY),
        visible(record["by"] or _NOBODY),
        ", ".join(map(visible, record["targets"])),
    )
