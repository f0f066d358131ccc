"""What no file shows by itself.

Names that come twice, what the tenant file does not allow, managers in a ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.config.documents import Series, Table
from reconciler.config.entitlements import repetitions, unlisted
from reconciler.config.scrutiny import shown
from reconciler.diagnostics import Diagnostic
from reconciler.model import folded
from reconciler.text import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.config.cohorts import CohortFile
    from reconciler.config.documents import Document
    from reconciler.diagnostics import Position
    from reconciler.model import DeclaredUser, TenantFile


def duplicates(documents: Iterable[Document]) -> Iterator[Diagnostic]:
    """Give a diagnostic for each cohort and each person that is declared twice.

    It looks at all documents, those of another shape too: a mistake in an entry must not
    hide that it is there.
    """
    readable = [document for document in documents if isinstance(document.root, Table)]
    yield from repetitions("cohort", (name for document in readable for name in _cohort(document)))
    yield from repetitions("user", (name for document in readable for name in _users(document)))


def declared(documents: Iterable[Document]) -> frozenset[str]:
    """Give the people whom *documents* declare, in the form in which names are compared."""
    readable = (document for document in documents if isinstance(document.root, Table))
    return frozenset(folded(name) for document in readable for name, _ in _users(document))


def disallowed(files: Iterable[CohortFile], tenant_file: TenantFile) -> Iterator[Diagnostic]:
    """Give a diagnostic for each domain and entitlement that the tenant file leaves out."""
    known = {folded(domain) for domain in tenant_file.domains or ()}
    for file in files:
        for asked in file.asked:
            yield from unlisted(asked, tenant_file)
        for user in file.users if tenant_file.domains is not None else ():
            domain = user.user_principal_name.rpartition("@")[2]
            if folded(domain) not in known:
                yield _foreign(user, domain, tenant_file)


def rings(users: Iterable[DeclaredUser]) -> Iterator[Diagnostic]:
    """Give a diagnostic for each ring of people who manage one another."""
    by_name: dict[str, DeclaredUser] = {}
    for user in users:
        by_name.setdefault(folded(user.user_principal_name), user)
    finished: set[str] = set()
    for start in by_name:
        chain: dict[str, None] = {}
        name: str | None = start
        while name in by_name and name not in finished and name not in chain:
            chain[name] = None
            name = _manager(by_name[name])
        finished.update(chain)
        if name in chain and name != _manager(by_name[name]):
            members = list(chain)
            yield _ring([by_name[member] for member in members[members.index(name) :]])


def _manager(user: DeclaredUser) -> str | None:
    manager = user.fields.get("manager")
    return folded(manager) if isinstance(manager, str) else None


def _ring(members: list[DeclaredUser]) -> Diagnostic:
    names = [shown(user.user_principal_name) for user in (*members, members[0])]
    shown_names = " → ".join(names[:6] + (["…"] if len(names) > 6 else []))  # noqa: PLR2004 -- enough to see it
    places = listing([str(user.where("manager")) for user in members])
    return Diagnostic(
        f"managers form a ring: {shown_names}",
        f"change one of {places}",
        members[0].where("manager"),
    )


def _foreign(user: DeclaredUser, domain: str, tenant_file: TenantFile) -> Diagnostic:
    file = tenant_file.position.file if tenant_file.position else "the tenant file"
    return Diagnostic(
        f"domain '{shown(domain)}' is not listed in {file}",
        did_you_mean(domain, tenant_file.domains or ())
        or f"an identity administrator can add it to {file}",
        user.where("userPrincipalName"),
    )


def _cohort(document: Document) -> Iterator[tuple[str, Position]]:
    root = cast("Table", document.root)
    name = root.get("cohort")
    if isinstance(name, str):
        yield name, document.position(root.marks["cohort"])


def _users(document: Document) -> Iterator[tuple[str, Position]]:
    users = cast("Table", document.root).get("users")
    for entry in users if isinstance(users, Series) else ():
        name = entry.get("userPrincipalName") if isinstance(entry, Table) else None
        if isinstance(entry, Table) and isinstance(name, str):
            yield name, document.position(entry.marks["userPrincipalName"])
