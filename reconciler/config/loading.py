"""The stages of reading cohort files, in order."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.config.cohorts import CohortFile, cohort_file, wrong_cohort
from reconciler.config.composing import compose
from reconciler.config.crossing import declared, disallowed, duplicates, rings
from reconciler.config.documents import Unreadable, leave_out
from reconciler.config.files import find, name_of, read, within
from reconciler.config.schema import readings
from reconciler.config.scrutiny import scrutinize
from reconciler.config.tenant import misnamed, tenant_file, wrong_tenant
from reconciler.config.validation import violations
from reconciler.diagnostics import Diagnostic, Position, in_order
from reconciler.errors import InputError
from reconciler.model import Desired, TenantFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.config.documents import Document
    from reconciler.config.files import Found
    from reconciler.config.recipients import Check

MAX_DIAGNOSTICS: Final = 100
"""Told in one run; the rest are counted."""
MAX_PER_FILE: Final = 20_000
"""Where a file has so many that the rest is not worth looking for."""


def load(paths: Sequence[Path], check_recipients: Check) -> Desired:
    """Read the files that *paths*, files or folders, stand for.

    *check_recipients* tells which of a cohort's recipients nothing can be sealed to.

    Raise `UsageError` for a path that cannot be meant, and `InputError` with everything
    that is wrong in the files: at most a hundred diagnostics, and the count of all.
    """
    found = find(paths)
    report = list(found.diagnostics)
    with _collector_paused():
        desired = _desired(found, check_recipients, report)
    if report:
        ordered = in_order(report)
        raise InputError(ordered[:MAX_DIAGNOSTICS], total=len(ordered))
    return desired


def _desired(found: Found, check: Check, report: list[Diagnostic]) -> Desired:
    """Give what the files that were *found* say, and add what is wrong to *report*."""
    tenant = _tenant_file(found.tenants, report)
    documents = list(filter(None, (_document(path, "cohort", report) for path in found.cohorts)))
    others = {path: _document(path, "cohort", []) for path in found.others}
    elsewhere = [document for document in others.values() if document]
    lost = (name_of(path) for path, document in others.items() if document is None)
    named = {document.file for document in documents}
    twice = duplicates([*elsewhere, *documents])
    report.extend(d for d in twice if d.position and d.position.file in named)
    files = list(filter(None, (_cohort_file(document, check, report) for document in documents)))
    if tenant:
        report.extend(disallowed(files, tenant))
    users = tuple(user for file in files for user in file.users)
    report.extend(rings(users))
    cohorts = tuple(file.cohort for file in files)
    return Desired(
        users=users,
        cohorts=cohorts,
        tenant_file=tenant or TenantFile(),
        scope=None if found.is_whole else frozenset(cohort.name for cohort in cohorts),
        elsewhere=declared(elsewhere),
        unread=(*found.unread, *lost),
        privileged=within(found, tenant.privileged_folder if tenant else None),
    )


def _document(path: Path, schema: str, report: list[Diagnostic]) -> Document | None:
    """Read and compose one file; None, with diagnostics, where it is no YAML."""
    text = read(path)
    if isinstance(text, Diagnostic):
        report.append(text)
        return None
    if problems := list(islice(scrutinize(name_of(path), text), MAX_PER_FILE)):
        report.extend(problems)
        return None
    try:
        document = compose(name_of(path), text, readings(schema))
    except Unreadable as error:
        report.extend(error.diagnostics)
        return None
    report.extend(document.diagnostics)
    return document


def _cohort_file(document: Document, check: Check, report: list[Diagnostic]) -> CohortFile | None:
    """Validate one cohort document; None where its shape is wrong beyond single people."""
    if problem := misnamed(document):
        report.append(problem)
        return None
    found = list(islice(violations(document, "cohort"), MAX_PER_FILE))
    report.extend(violation.diagnostic for violation in found)
    faulty = [violation for violation in found if not violation.is_harmless]
    beyond = any(v.user is None and v.part is None for v in faulty)
    if beyond or len(found) == MAX_PER_FILE:
        return None
    leave_out(document, {v.part for v in faulty if v.part})
    people = frozenset(v.user for v in faulty if v.user is not None)
    file = cohort_file(document, people)
    report.extend(wrong_cohort(file, check))
    return file


def _tenant_file(paths: Sequence[Path], report: list[Diagnostic]) -> TenantFile | None:
    """Read the tenant file; None where there is none, or none that can be relied on."""
    if len(paths) > 1:
        names = " and ".join(name_of(path) for path in paths)
        problem = f"there are several tenant files: {names}"
        report.append(Diagnostic(problem, "keep one of them", Position(name_of(paths[1]))))
        return None
    document = _document(paths[0], "tenant", report) if paths else None
    if document is None:
        return None
    found = list(islice(violations(document, "tenant"), MAX_PER_FILE))
    report.extend(violation.diagnostic for violation in found)
    if not all(violation.is_harmless for violation in found) or len(found) == MAX_PER_FILE:
        return None
    file = tenant_file(document)
    report.extend(wrong_tenant(document, file))
    return file


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the collector of cycles: the trees built here are large and have none.

    It would look through them again and again as they grow, for a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
