"""What somebody most likely meant who wrote a value in another form."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.schema import schema
from reconciler.config.scrutiny import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ITEMS: Final = {
    "licenses": ("sku", "SPE_E5"),
    "groups": ("group", "Research - All staff"),
    "roles": ("role", "Helpdesk Administrator"),
    "users": ("userPrincipalName", "ada@contoso.com"),
}
"""The key that names an item of each list, and an example of a name."""
_NUMBERS: Final = re.compile(r"\s*(\d{1,4})[-./ ]+(\d{1,2})[-./ ]+(\d{1,4})\s*", re.ASCII)
_YEAR_DIGITS: Final = 4


def shape_hint(path: Sequence[str | int], part: dict[str, Any], value: object) -> str | None:
    """Say how *value*, of the wrong kind for *part* of a schema, is written there."""
    match path:
        case []:
            return _file_hint(value)
        case [*_, str(key)] if "array" in part["type"]:
            return _list_hint(key, part["items"], value)
        case [*_, str()] if "object" in part["type"]:
            return (
                f"write its keys on the lines below it, such as {next(iter(part['properties']))}:"
            )
        case [*_, str(key), int()] if key in _ITEMS:
            return f"write {_item(key, part, value)}"
        case _:
            return None


def _file_hint(value: object) -> str:
    if isinstance(value, str) and ":" in value:
        return "write a space after each colon"
    return "start with version: 1, and give each value a key"


def _list_hint(key: str, part: dict[str, Any], value: object) -> str:
    if not value:
        return "write [] for an empty list"
    if isinstance(value, dict) and next(iter(value)).startswith("-"):
        return "write a space after each hyphen"
    if key not in _ITEMS:
        return "write each item on a line of its own, after a hyphen"
    return f"write each item on a line of its own, as in {_item(key, part, value)}"


def _item(key: str, part: dict[str, Any], value: object) -> str:
    """Write *value* as an item of the list *key*: by its name alone, or under its key."""
    name_key, example = _ITEMS[key]
    name = shown(_name(name_key, value) or example)
    if "string" in part["type"]:
        return f"- {name}"
    reason = " and, on the next line, justification: with the reason" if key == "roles" else ""
    return f"- {name_key}: {name}{reason}"


def _name(key: str, value: object) -> str | None:
    """Find the name in *value*: it may be all of it, stand under *key*, or be a key itself."""
    is_person = key == "userPrincipalName"
    if isinstance(value, dict):
        candidates = [value.get(key), *(value if is_person else ())]
    else:
        candidates = [value]
    names = (name for name in candidates if isinstance(name, str))
    return next((name for name in names if "@" in name or not is_person), None)


def _date(written: str) -> str:
    """Read a date in another order, where the order can be told."""
    match = _NUMBERS.fullmatch(written)
    if match is None:
        return "write it as year-month-day"
    first, second, third = match.groups()
    orders = [(first, second, third)] if len(first) == _YEAR_DIGITS else [(third, second, first)]
    if "/" in written and len(third) == _YEAR_DIGITS:
        orders.append((third, first, second))
    days = {day for year, month, date in orders if (day := _day(year, month, date))}
    return f"write {days.pop()}" if len(days) == 1 else "write it as year-month-day"


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day)) if len(year) == _YEAR_DIGITS else None
    except ValueError:
        return None


def _cohort(written: str) -> str | None:
    """Turn a name into one that a cohort can have."""
    plain = unicodedata.normalize("NFKD", written.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    name = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    if name and not re.match(schema("cohort")["properties"]["cohort"]["pattern"], name):
        name = f"cohort-{name}"  # what remains is the name of a device
    return f"did you mean '{shown(name)}'?" if name else None


def _domain(written: str) -> str | None:
    domain = written.rpartition("@")[2].strip()
    return f"write {shown(domain)}" if "@" in written and domain else None


def _ownership(written: str) -> str | None:
    if not written.casefold().startswith("extensionattribute"):
        return None
    return "write extensionAttribute15, or one of the others from 1 to 15"


SUGGESTIONS: Final[dict[str, Callable[[str], str | None]]] = {
    "cohort": _cohort,
    "domains": _domain,
    "employeeHireDate": _date,
    "ownership": _ownership,
}
"""By key, what is suggested for text that breaks the pattern of its value."""
