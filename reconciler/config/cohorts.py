"""A valid cohort document as a `Cohort` with its people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from reconciler.config.documents import Document, Series, Table
from reconciler.config.entitlements import Entitlements, entitlements, repeated
from reconciler.config.people import Surroundings, fields, person, wrong_fields
from reconciler.config.recipients import wrong_recipients
from reconciler.config.scrutiny import shown
from reconciler.diagnostics import Diagnostic
from reconciler.model import Cohort, CohortName, DeclaredUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.config.recipients import Check

_EMPTY: Final = Table()


@dataclass(frozen=True, slots=True)
class CohortFile:
    """One cohort file whose shape is right."""

    document: Document
    root: Table
    cohort: Cohort
    shared: Entitlements
    """What the cohort asks for, for everybody."""
    users: tuple[DeclaredUser, ...]
    entries: tuple[Table, ...]
    """What each of *users* was made from."""

    @property
    def asked(self) -> Iterator[Entitlements]:
        """Give what the file asks for, place by place."""
        yield self.shared
        for entry in self.entries:
            yield entitlements(self.document, entry)


def cohort_file(document: Document, faulty: frozenset[int]) -> CohortFile:
    """Read *document*, less the people at the indexes that are *faulty*."""
    root = cast("Table", document.root)
    defaults = cast("Table", root.get("defaults", _EMPTY))
    shared = entitlements(document, root)
    name = CohortName(cast("str", root["cohort"]))
    around = Surroundings(document, name, defaults, fields(defaults), shared)
    users = cast("Series", root["users"])
    sound = [
        (cast("Table", entry), mark)
        for index, (entry, mark) in enumerate(zip(users, users.marks, strict=True))
        if index not in faulty
    ]
    return CohortFile(
        document=document,
        root=root,
        cohort=_cohort(document, root, name),
        shared=shared,
        users=tuple(person(around, entry, mark) for entry, mark in sound),
        entries=tuple(entry for entry, _ in sound),
    )


def wrong_cohort(file: CohortFile, check: Check) -> Iterator[Diagnostic]:
    """Give what is wrong in *file* by itself, beyond its shape."""
    yield from wrong_recipients(file.document, file.root, check)
    for table in (cast("Table", file.root.get("defaults", _EMPTY)), *file.entries):
        yield from wrong_fields(file.document, table)
    for asked in file.asked:
        yield from repeated(asked)
    for user in file.users:
        yield from _wrong_person(user)


def _wrong_person(user: DeclaredUser) -> Iterator[Diagnostic]:
    if user.display_name is None and not user.adopt:
        yield Diagnostic(
            f"'{shown(user.user_principal_name)}' has no name",
            "write a displayName, or givenName and surname",
            user.position,
        )
    manager = user.fields.get("manager")
    if isinstance(manager, str) and manager.casefold() == user.user_principal_name.casefold():
        yield Diagnostic(
            f"'{shown(user.user_principal_name)}' is their own manager",
            "name somebody else, or write null for nobody",
            user.where("manager"),
        )


def _cohort(document: Document, root: Table, name: CohortName) -> Cohort:
    credentials = cast("Table", root.get("credentials", _EMPTY))
    return Cohort(
        name=name,
        description=cast("str | None", root.get("description")),
        requester=cast("str | None", root.get("requester")),
        recipients=tuple(cast("list[str]", credentials.get("recipients", ()))),
        position=document.position(root.marks["cohort"]),
    )
