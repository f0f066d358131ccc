"""One person of a cohort: own values over defaults, in the form in which Graph has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from reconciler.config.countries import COUNTRIES
from reconciler.config.documents import Document, Table  # noqa: TC001 -- dataclass fields are read at run time
from reconciler.config.entitlements import NONE, Entitlements, entitlements
from reconciler.config.scrutiny import shown
from reconciler.config.wording import no_country
from reconciler.diagnostics import Diagnostic, Position
from reconciler.fields import FIELDS, Kind
from reconciler.model import CohortName, DeclaredUser, FieldValue, UserPrincipalName, folded

if TYPE_CHECKING:
    from reconciler.config.documents import Mark

_TEXTS = frozenset(field.name for field in FIELDS if field.kind is Kind.TEXTS)
_MIDNIGHT = "T00:00:00Z"
_NOT_FIELDS = frozenset({"userPrincipalName", "adopt", "licenses", "groups", "roles"})


class Places(Mapping[str, Position]):
    """Where a person's values are written: in the entry, else in the defaults.

    Positions are made when they are asked for: few of the many that a file has are.
    """

    __slots__ = ("_document", "_tables")

    def __init__(self, document: Document, *tables: Table) -> None:
        self._document = document
        self._tables = tables

    def __getitem__(self, key: str) -> Position:
        for table in self._tables:
            if key in table:
                return self._document.position(table.marks[key])
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter({key: None for table in self._tables for key in table})

    def __len__(self) -> int:
        return len({key for table in self._tables for key in table})


def fields(table: Table) -> dict[str, FieldValue]:
    """Give the fields of *table*, defaults or a person's entry, as Graph has them."""
    values = cast("dict[str, FieldValue]", {k: v for k, v in table.items() if k not in _NOT_FIELDS})
    if isinstance(location := values.get("usageLocation"), str):
        values["usageLocation"] = location.upper()
    if isinstance(date := values.get("employeeHireDate"), str):
        values["employeeHireDate"] = f"{date}{_MIDNIGHT}"
    for key in _TEXTS & values.keys():
        values[key] = tuple(cast("list[str] | None", values[key]) or ())
    return values


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a cohort gives each of its people."""

    document: Document
    cohort: CohortName
    defaults: Table
    values: Mapping[str, FieldValue]
    """The defaults, as Graph has them."""
    shared: Entitlements


def person(around: Surroundings, entry: Table, mark: Mark) -> DeclaredUser:
    """Give the person that *entry* declares."""
    upn = cast("str", entry["userPrincipalName"])
    merged = {**_defaults_for(upn, around.values), **fields(entry)}
    own = entitlements(around.document, entry)
    held = around.shared if own is NONE else around.shared.beside(own)
    return DeclaredUser(
        user_principal_name=UserPrincipalName(upn),
        cohort=around.cohort,
        fields=merged,
        display_name=_display_name(merged),
        licenses=held.licenses,
        groups=held.groups,
        roles=held.roles,
        adopt=entry.get("adopt") is True,
        position=around.document.position(mark),
        positions=Places(around.document, entry, around.defaults),
    )


def wrong_fields(document: Document, table: Table) -> Iterator[Diagnostic]:
    """Give what no schema can tell: days that no calendar has, codes of no country."""
    location = table.get("usageLocation")
    if isinstance(location, str) and location.upper() not in COUNTRIES:
        position = document.position(table.marks["usageLocation"])
        yield Diagnostic(*no_country(location), position)
    date = table.get("employeeHireDate")
    if isinstance(date, str) and not _is_date(date):
        yield Diagnostic(
            f"employeeHireDate '{shown(date)}' is no day of the calendar",
            "write it as year-month-day",
            document.position(table.marks["employeeHireDate"]),
        )


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _defaults_for(upn: str, defaults: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    """Give the defaults, without the manager in the manager's own entry."""
    manager = defaults.get("manager")
    if isinstance(manager, str) and folded(manager) == folded(upn):
        return {key: value for key, value in defaults.items() if key != "manager"}
    return defaults


def _display_name(merged: Mapping[str, FieldValue]) -> str | None:
    declared = merged.get("displayName")
    if isinstance(declared, str):
        return declared
    given, family = merged.get("givenName"), merged.get("surname")
    both = isinstance(given, str) and isinstance(family, str)
    return f"{given} {family}" if both else None
