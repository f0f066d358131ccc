"""What a check-up has to say: steps, each with its problems and what to do about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.errors import ReconcilerError


class Status(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at; *told* says what was found where nothing is wrong with it."""

    part: str
    told: str = ""
    problems: tuple[Diagnostic, ...] = ()
    about: str = ""
    """Which of several of one part."""
    code: ExitCode = ExitCode.FAILED
    """What a failure stands for."""
    because: str | None = None
    """Why it was skipped."""

    @property
    def status(self) -> Status:
        """How it ended: as its worst problem."""
        if self.because:
            return Status.SKIPPED
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return Status.FAILED
        return Status.WARNING if self.problems else Status.OK

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"{self.part}: {self.about}" if self.about else self.part


def failed(part: str, error: ReconcilerError) -> Step:
    """Give the step that ended with *error*."""
    return Step(part, problems=(Diagnostic(str(error), error.hint),), code=error.exit_code)


def warning(summary: str, hint: str | None = None) -> Diagnostic:
    """Give a problem that stops nothing."""
    return Diagnostic(summary, hint, severity=Severity.WARNING)


def counts(steps: Iterable[Step]) -> dict[Status, int]:
    """Count the steps by how they ended."""
    counted = Counter(step.status for step in steps)
    return {status: counted[status] for status in Status}


def exit_code(steps: Iterable[Step]) -> ExitCode:
    """Give what a command ends with: a missing permission before silence, silence before all."""
    codes = {step.code for step in steps if step.status is Status.FAILED}
    for code in (ExitCode.PERMISSION_MISSING, ExitCode.UNREACHABLE):
        if code in codes:
            return code
    return ExitCode.FAILED if codes else ExitCode.DONE
