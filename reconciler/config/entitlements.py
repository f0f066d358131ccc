"""Licenses, groups and directory roles as files ask for them, and what may be asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, assert_never, cast

from reconciler.config.scrutiny import shown
from reconciler.diagnostics import Diagnostic, Position
from reconciler.model import DeclaredGroup, DeclaredLicense, DeclaredRole, folded
from reconciler.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.config.documents import Document, Mark, Series, Table, Value
    from reconciler.model import Listed, TenantFile

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What one place of a cohort file asks for: the cohort itself, or a person's entry."""

    licenses: tuple[DeclaredLicense, ...] = ()
    groups: tuple[DeclaredGroup, ...] = ()
    roles: tuple[DeclaredRole, ...] = ()

    def beside(self, own: Entitlements) -> Entitlements:
        """Give these and a person's *own*: where both name one thing, the own one counts."""
        return Entitlements(
            licenses=_beside(self.licenses, own.licenses),
            groups=_beside(self.groups, own.groups),
            roles=_beside(self.roles, own.roles),
        )


NONE: Final = Entitlements()
_KEYS: Final = frozenset({"licenses", "groups", "roles"})
Asked = DeclaredLicense | DeclaredGroup | DeclaredRole
_Asked = TypeVar("_Asked", bound=Asked)


def entitlements(document: Document, table: Table) -> Entitlements:
    """Read what *table*, a cohort or a person's entry, asks for."""
    if table.keys().isdisjoint(_KEYS):
        return NONE
    return Entitlements(
        licenses=tuple(_license(document, value) for value, _ in _items(table, "licenses")),
        groups=tuple(
            DeclaredGroup(cast("str", value), document.position(mark))
            for value, mark in _items(table, "groups")
        ),
        roles=tuple(_role(document, value) for value, _ in _items(table, "roles")),
    )


def repeated(asked: Entitlements) -> Iterator[Diagnostic]:
    """Give a diagnostic for each thing that one list asks for twice."""
    for kind, items in _by_kind(asked):
        yield from repetitions(kind, ((name(item), item.position) for item in items))


def repetitions(kind: str, names: Iterable[tuple[str, Position]]) -> Iterator[Diagnostic]:
    """Give a diagnostic for each name of a *kind* that appears again, in whatever case."""
    first: dict[str, Position] = {}
    for written, position in names:
        before = first.setdefault(folded(written), position)
        if before is not position:
            summary = f"{kind} '{shown(written)}' is given twice, first at {before}"
            yield Diagnostic(summary, "keep one of them", position)


def unlisted(asked: Entitlements, tenant_file: TenantFile) -> Iterator[Diagnostic]:
    """Give a diagnostic for each thing asked for that the tenant file does not list.

    An id and a name cannot be compared without the tenant: where either side has ids,
    what does not match is left to the guards of the plan.
    """
    lists = {
        "license": tenant_file.licenses,
        "group": tenant_file.groups,
        "role": tenant_file.roles,
    }
    for kind, items in _by_kind(asked):
        listed = lists[kind]
        if items and listed is not None:
            yield from _unlisted(kind, items, listed, tenant_file)


def is_id(text: str) -> bool:
    """Whether *text* is an id of Graph rather than a name."""
    return _GUID.fullmatch(text) is not None


def name(asked: Asked) -> str:
    """Give the name, or the id, that is asked for."""
    match asked:
        case DeclaredLicense():
            return asked.sku
        case DeclaredGroup():
            return asked.group
        case DeclaredRole():
            return asked.role
        case _:
            assert_never(asked)


def _by_kind(asked: Entitlements) -> tuple[tuple[str, tuple[Asked, ...]], ...]:
    return ("license", asked.licenses), ("group", asked.groups), ("role", asked.roles)


def _unlisted(
    kind: str, items: tuple[Asked, ...], listed: tuple[Listed, ...], tenant_file: TenantFile
) -> Iterator[Diagnostic]:
    known = {folded(entry.name) for entry in listed}
    if any(map(is_id, known)):
        return
    file = tenant_file.position.file if tenant_file.position else "the tenant file"
    for item in items:
        written = name(item)
        if folded(written) not in known and not is_id(written):
            yield Diagnostic(
                f"{kind} '{shown(written)}' is not listed in {file}",
                did_you_mean(written, (entry.name for entry in listed))
                or f"an identity administrator can add it to {file}",
                item.position,
            )


def _beside(shared: tuple[_Asked, ...], own: tuple[_Asked, ...]) -> tuple[_Asked, ...]:
    if not own:
        return shared
    names = {folded(name(item)) for item in own}
    return (*(item for item in shared if folded(name(item)) not in names), *own)


def _items(table: Table, key: str) -> Iterable[tuple[Value, Mark]]:
    series = cast("Series | None", table.get(key))
    return zip(series, series.marks, strict=True) if series else ()


def _license(document: Document, value: Value) -> DeclaredLicense:
    table = cast("Table", value)
    plans = cast("list[str] | None", table.get("disabledPlans"))
    return DeclaredLicense(
        sku=cast("str", table["sku"]),
        disabled_plans=None if plans is None else tuple(plans),
        position=document.position(table.marks["sku"]),
    )


def _role(document: Document, value: Value) -> DeclaredRole:
    table = cast("Table", value)
    return DeclaredRole(
        role=cast("str", table["role"]),
        justification=cast("str", table["justification"]),
        ticket=cast("str | None", table.get("ticket")),
        position=document.position(table.marks["role"]),
    )
