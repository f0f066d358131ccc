"""Everything that can stop a command, and the exit code each one stands for.

    ReconcilerError          1   failed
    ├── UsageError          64   the command line is wrong
    ├── InputError          65   cohort files are wrong; carries every diagnostic
    ├── Refused              3   a guard refused the plan; carries every diagnostic
    ├── Interrupted        130   somebody ended it, and there is something to say of it
    ├── GraphUnreachable    69   no answer from Graph or from the login service
    ├── PermissionMissing   77   Graph or the login service said no
    └── GraphFailed          1   Graph answered with an error that is none of these

Only `cli.py` catches them, prints them and exits.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from reconciler.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    FAILED = 1
    CHANGES_PENDING = 2
    REFUSED = 3
    DRIFT = 4
    USAGE = 64
    INVALID_INPUT = 65
    UNREACHABLE = 69
    PERMISSION_MISSING = 77
    INTERRUPTED = 130


class ReconcilerError(Exception):
    """A command cannot go on; *hint* says what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, summary: str, hint: str | None = None) -> None:
        super().__init__(summary)
        self.hint = hint


class UsageError(ReconcilerError):
    """The command line, or the environment it relies on, is wrong."""

    exit_code = ExitCode.USAGE


class DiagnosedError(ReconcilerError):
    """Stopped by problems that are told one by one; *total* may exceed those kept."""

    def __init__(
        self,
        diagnostics: tuple[Diagnostic, ...],
        *,
        total: int | None = None,
        told: bool = False,
    ) -> None:
        super().__init__("; ".join(d.summary for d in diagnostics))
        self.diagnostics = diagnostics
        self.total = len(diagnostics) if total is None else total
        self.told = told
        """Whether a person has read them already, in the plan that they refuse."""


class InputError(DiagnosedError):
    """Cohort files are wrong, as far as can be told without a tenant."""

    exit_code = ExitCode.INVALID_INPUT


class Refused(DiagnosedError):  # noqa: N818 -- the guard's own word, as in the exit-code table
    """A guard refused the plan."""

    exit_code = ExitCode.REFUSED


class Interrupted(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """Somebody ended a run, and there is more to say of it than that."""

    exit_code = ExitCode.INTERRUPTED


class GraphFailed(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """Graph answered with an error."""


class GraphUnreachable(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """Neither Graph nor the login service gave an answer."""

    exit_code = ExitCode.UNREACHABLE


class PermissionMissing(ReconcilerError):  # noqa: N818 -- reads as the sentence it stands for
    """The identity may not do what was asked of it."""

    exit_code = ExitCode.PERMISSION_MISSING
