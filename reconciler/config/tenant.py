"""A valid tenant document as a `TenantFile`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from reconciler.config.documents import Table
from reconciler.config.entitlements import repetitions
from reconciler.config.files import CALL_IT_TENANT_FILE, LIKE_TENANT_FILE
from reconciler.diagnostics import Diagnostic
from reconciler.model import Listed, Removal, RemovalLimit, TenantFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.config.documents import Document, Mark, Series, Value

_EMPTY: Final = Table()
_LISTS: Final = (("licenses", "license"), ("groups", "group"), ("roles", "role"))


def misnamed(document: Document) -> Diagnostic | None:
    """Tell a tenant file that is not called like one, and would be read as a cohort."""
    root = document.root
    if not isinstance(root, Table) or "cohort" in root:
        return None
    if not {"tenant", "source"} <= root.keys():
        return None
    place = document.position(root.key_marks["tenant"])
    return Diagnostic(LIKE_TENANT_FILE, CALL_IT_TENANT_FILE, place)


def tenant_file(document: Document) -> TenantFile:
    """Read *document*, whose shape is right."""
    root = cast("Table", document.root)
    standard = TenantFile()
    guards = cast("Table", root.get("guards", _EMPTY))
    domains = cast("list[str] | None", root.get("domains"))
    return TenantFile(
        source=cast("str", root["source"]),
        ownership=cast("str", root.get("ownership", standard.ownership)),
        tenant=cast("str", root["tenant"]),
        domains=None if domains is None else tuple(domains),
        licenses=_listed(document, root, "licenses"),
        groups=_listed(document, root, "groups"),
        roles=_listed(document, root, "roles"),
        removal=Removal(cast("str", root.get("removal", standard.removal))),
        removals=_removals(document, guards),
        protected=tuple(cast("list[str]", guards.get("protected", ()))),
        privileged_folder=cast("str | None", guards.get("privilegedFolder")),
        position=document.position(root.marks["tenant"]),
    )


def wrong_tenant(document: Document, file: TenantFile) -> Iterator[Diagnostic]:
    """Give what is wrong in the tenant file beyond its shape: names that come twice."""
    for key, kind in _LISTS:
        listed: tuple[Listed, ...] = getattr(file, key) or ()
        yield from repetitions(kind, ((entry.name, entry.position) for entry in listed))
    root = cast("Table", document.root)
    guards = cast("Table", root.get("guards", _EMPTY))
    for table, key, kind in ((root, "domains", "domain"), (guards, "protected", "account")):
        items = _items(table, key)
        yield from repetitions(kind, ((str(v), document.position(m)) for v, m in items))


def _removals(document: Document, guards: Table) -> RemovalLimit:
    standard = RemovalLimit()
    if "removals" not in guards:
        return standard
    limit = cast("dict[str, int]", guards["removals"])
    return RemovalLimit(
        percent=limit.get("percent", standard.percent),
        minimum=limit.get("minimum", standard.minimum),
        position=document.position(guards.marks["removals"]),
    )


def _listed(document: Document, root: Table, key: str) -> tuple[Listed, ...]:
    return tuple(_entry(document, value, mark) for value, mark in _items(root, key))


def _entry(document: Document, value: Value, mark: Mark) -> Listed:
    if not isinstance(value, Table):
        return Listed(cast("str", value), document.position(mark))
    return Listed(
        name=cast("str", value["group"]),
        position=document.position(value.marks["group"]),
        role_assignable=value.get("roleAssignable") is True,
    )


def _items(table: Table, key: str) -> Iterator[tuple[Value, Mark]]:
    if key in table:
        series = cast("Series", table[key])
        yield from zip(series, series.marks, strict=True)
