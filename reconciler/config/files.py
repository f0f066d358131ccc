"""Which files a command line means, and the text in them.

Nothing is passed over in silence: what is named like a cohort file and cannot be read is
a diagnostic that names it. Only names that start with a dot, and files of other kinds,
are not ours.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.diagnostics import Diagnostic, Position
from reconciler.errors import UsageError
from reconciler.text import listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of one file; ten thousand people with twenty fields each take 5 MB."""
MAX_DEPTH: Final = 32
"""How deep folders may nest below one that is named."""
SUFFIXES: Final = frozenset({".yaml", ".yml"})
TENANT_FILES: Final = ("tenant.yaml", "tenant.yml")
LIKE_TENANT_FILE: Final = "this looks like the tenant file"
CALL_IT_TENANT_FILE: Final = "call it tenant.yaml"


@dataclass(frozen=True, slots=True)
class Found:
    """The files that were meant."""

    cohorts: tuple[Path, ...]
    others: tuple[Path, ...]
    """Cohort files beside the tenant file that were not named: who they declare counts."""
    unread: tuple[str, ...]
    """What lies beside the tenant file, was not named and cannot be read."""
    tenants: tuple[Path, ...]
    """More than one is an error."""
    is_whole: bool
    """Whether a folder that was named holds all there is: nothing narrows the scope."""
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class _Walk:
    within: tuple[str, ...]
    """Real paths of the repositories: a link may not lead out of them."""
    files: dict[Path, Path] = field(default_factory=dict)
    """By absolute path: a file that is named twice is read once."""
    folders: dict[str, Path] = field(default_factory=dict)
    """By real path: a folder that links make reachable twice is told, not read twice."""
    diagnostics: list[Diagnostic] = field(default_factory=list)


def find(paths: Sequence[Path]) -> Found:
    """Find the cohort files and the tenant file that *paths* stand for.

    Every tenant file counts that is named, visited, or lies in a folder above, up to the
    top of the repository, or below that: no folder can have one of its own, and cohort
    files lie beside it or below.
    """
    walk = _Walk(tuple(_top(path) for path in paths))
    for path in paths:
        _refuse_unusable(path)
        _visit(path, walk, ())
    files = [walk.files[key] for key in sorted(walk.files)]
    if not files and not walk.diagnostics:
        names = listing(path.as_posix() for path in paths)
        raise UsageError(f"no .yaml or .yml file is in {names}", "name a folder of cohort files")
    cohorts = tuple(path for path in files if not _is_tenant_file(path))
    beside = _beside(paths)
    visited = [beside.files[key] for key in sorted(beside.files)]
    alike = _tenants([*files, *visited], paths)
    tenants = tuple(path for path in alike if path.name in TENANT_FILES)
    walk.diagnostics.extend(_misnamed(path) for path in alike if path not in tenants)
    walk.diagnostics.extend(_outside(cohorts, tenants))
    is_whole = any(path.is_dir() and _holds(path, tenants) for path in paths)
    named = {os.path.realpath(path) for path in cohorts}
    others = () if is_whole or not tenants else visited
    lost = () if is_whole or not tenants else beside.diagnostics
    return Found(
        cohorts=cohorts,
        others=tuple(
            path
            for path in others
            if not _is_tenant_file(path) and os.path.realpath(path) not in named
        ),
        unread=tuple(diagnostic.position.file for diagnostic in lost if diagnostic.position),
        tenants=tenants,
        is_whole=is_whole,
        diagnostics=tuple(walk.diagnostics),
    )


def _beside(paths: Sequence[Path]) -> _Walk:
    """Visit the folders of the tenant files above *paths*, or else those of the paths.

    What is wrong there is for a run that names it to tell.
    """
    folders = [
        folder
        for path in paths
        for folder in _folders_above(path)
        if any(file.name in TENANT_FILES for file in _tenant_files(folder))
    ]
    own = [path if path.is_dir() else path.parent for path in paths]
    walk = _Walk(tuple(_top(path) for path in (*paths, *folders)))
    for folder in folders or own:
        if os.path.realpath(folder) not in walk.folders:
            _visit(folder, walk, ())
    return walk


def _outside(cohorts: Sequence[Path], tenants: Sequence[Path]) -> Iterator[Diagnostic]:
    """Refuse cohort files that really lie outside the folder of the only tenant file.

    Who may change a file is guarded by its place: a link would let a file count that those
    who guard this folder never see.
    """
    for tenant in tenants if len(tenants) == 1 else ():
        folder = Path(os.path.realpath(tenant.parent))
        for path in cohorts:
            if Path(os.path.realpath(path)).is_relative_to(folder):
                continue
            problem = f"the file lies outside the folder of {name_of(tenant)}"
            hint = "move the tenant file to the folder that holds all cohort files"
            if _absolute(path).is_relative_to(_absolute(tenant.parent)):
                problem = f"a link leads out of the folder of {name_of(tenant)} to this file"
                hint = "remove the link, and put the file itself here"
            yield Diagnostic(problem, hint, Position(name_of(path)))


def _tenants(files: Sequence[Path], paths: Sequence[Path]) -> tuple[Path, ...]:
    """Give the files that are called like a tenant file, in whatever case."""
    found: dict[str, Path] = {}
    above = (file for p in paths for folder in _folders_above(p) for file in _tenant_files(folder))
    for file in (*files, *above):
        if _is_tenant_file(file):
            found.setdefault(os.path.realpath(file), file)
    return tuple(found.values())


def within(found: Found, folder: str | None) -> frozenset[str]:
    """Give the names of the cohort files in *folder*, one below that of the tenant file.

    Links are followed: who owns a file's content owns what is asked for in it.
    """
    if folder is None or not found.tenants:
        return frozenset()
    real = Path(os.path.realpath(found.tenants[0].parent / folder))
    inside = (path for path in found.cohorts if Path(os.path.realpath(path)).is_relative_to(real))
    return frozenset(name_of(path) for path in inside)


def read(path: Path) -> str | Diagnostic:
    """Give the text of *path*, or why there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(path, error)
    if len(content) > MAX_BYTES:
        problem = f"the file is larger than {MAX_BYTES // 1024 // 1024} MB"
        return Diagnostic(problem, "split the cohort into several", Position(name_of(path)))
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _badly_encoded(path, content, error)


def name_of(path: Path) -> str:
    """Give the name under which messages speak of *path*."""
    return visible(path.as_posix())


def _refuse_unusable(path: Path) -> None:
    if not os.path.lexists(path):
        raise UsageError(f"'{name_of(path)}' does not exist", "name a cohort file or a folder")
    if path.exists() and not path.is_dir() and path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"'{name_of(path)}' is neither .yaml nor .yml", "rename the file")


def _visit(path: Path, walk: _Walk, above: tuple[str, ...]) -> None:
    """Add what *path* stands for; *above* are the real folders that lead to it."""
    try:
        mode = path.stat().st_mode
        if not _stays_within(path, walk.within):
            problem = f"link '{name_of(path)}' leads out of the repository"
            hint = "remove the link, or copy the file"
            walk.diagnostics.append(Diagnostic(problem, hint, Position(name_of(path))))
        elif stat.S_ISDIR(mode):
            _visit_folder(path, walk, above)
        elif path.suffix.lower() not in SUFFIXES:
            pass
        elif stat.S_ISREG(mode):
            walk.files.setdefault(_absolute(path), path)
        else:
            problem = f"'{name_of(path)}' is no regular file"
            walk.diagnostics.append(Diagnostic(problem, "remove it", Position(name_of(path))))
    except OSError as error:
        walk.diagnostics.append(_unreadable(path, error))


def _visit_folder(path: Path, walk: _Walk, above: tuple[str, ...]) -> None:
    real = os.path.realpath(path)
    if refusal := _refusal(path, real, walk, above):
        walk.diagnostics.append(Diagnostic(*refusal, Position(name_of(path))))
        return
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith("."):
            _visit(entry, walk, (*above, real))


def _refusal(path: Path, real: str, walk: _Walk, above: tuple[str, ...]) -> tuple[str, str] | None:
    """Say why a folder is not entered: links could lead to it without end, or often."""
    first = walk.folders.setdefault(real, path)
    if any(Path(folder).is_relative_to(real) for folder in above):
        return f"link '{name_of(path)}' leads back to a folder that it is in", "remove the link"
    if _absolute(first) != _absolute(path):
        return f"'{name_of(path)}' and '{name_of(first)}' are one folder", "remove the link"
    if len(above) == MAX_DEPTH:
        return f"folders nest deeper than {MAX_DEPTH} levels", "move the files up"
    return None


def _stays_within(path: Path, within: Sequence[str]) -> bool:
    """Whether *path* really is in one of the repositories, whatever links lead to it."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(top) for top in within)


def _is_tenant_file(path: Path) -> bool:
    return path.name.lower() in TENANT_FILES


def _misnamed(path: Path) -> Diagnostic:
    return Diagnostic(LIKE_TENANT_FILE, CALL_IT_TENANT_FILE, Position(name_of(path)))


def _tenant_files(folder: Path) -> tuple[Path, ...]:
    """Give the files of *folder* that are called like a tenant file.

    Those of the right name are asked for by it: a folder may be readable and not be listable,
    and then `glob` gives nothing.
    """
    named = {folder / name for name in TENANT_FILES if os.path.lexists(folder / name)}
    return tuple(sorted(named.union(filter(_is_tenant_file, folder.glob("*")))))


def _folders_above(path: Path) -> Iterator[Path]:
    """Give the folder of *path* and those above, up to the top of the repository."""
    here = Path.cwd()
    own = path if path.is_dir() else path.parent
    for start in dict.fromkeys((_absolute(own), Path(os.path.realpath(own)))):
        for folder in (start, *start.parents):
            yield folder if path.is_absolute() else Path(os.path.relpath(folder, here))
            if (folder / ".git").exists():
                break


def _top(path: Path) -> str:
    """Give the real path of the repository that *path* is in; without one, of its folder."""
    absolute = _absolute(path)
    above = (absolute, *absolute.parents)
    own = absolute if path.is_dir() else absolute.parent
    return os.path.realpath(next((f for f in above if (f / ".git").exists()), own))


def _holds(folder: Path, tenants: tuple[Path, ...]) -> bool:
    around = _absolute(folder)
    return not tenants or any(_absolute(tenant).is_relative_to(around) for tenant in tenants)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow links


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    name = name_of(path)
    reason = (error.strerror or type(error).__name__).lower()
    if error.errno in {errno.ENOENT, errno.ELOOP}:
        problem, hint = f"link '{name}' leads nowhere: {reason}", "remove the link, or mend it"
    else:
        problem, hint = f"'{name}' cannot be read: {reason}", "check its permissions"
    return Diagnostic(problem, hint, Position(name))


def _badly_encoded(path: Path, content: bytes, error: UnicodeDecodeError) -> Diagnostic:
    before = content[: error.start].decode("utf-8")
    position = Position(name_of(path), before.count("\n") + 1, len(before) - before.rfind("\n"))
    problem = f"the file is not UTF-8: byte 0x{content[error.start]:02X}"
    return Diagnostic(problem, "save it as UTF-8", position)
