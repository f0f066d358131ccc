"""What became of each change."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.changes import Change


@dataclass(frozen=True, slots=True)
class Applied:
    """Graph carried the change out; *note* tells where the tenant was there already."""

    change: Change
    at: datetime
    request_id: str | None = None
    note: str | None = None
    is_confirmed: bool = False
    """Whether Graph has answered a question with what the change brought about."""
    word: ClassVar = "applied"


@dataclass(frozen=True, slots=True)
class Failed:
    """Graph refused the change, did not say what became of it, or took it in vain."""

    change: Change
    at: datetime
    code: str
    message: str
    status: int | None = None
    request_id: str | None = None
    word: ClassVar = "failed"

    @property
    def told(self) -> str:
        """One line for a person, with what Graph's support asks for."""
        where = f" (request-id {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.message}{where}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """The change was not tried; *because* tells of what."""

    change: Change
    because: str
    word: ClassVar = "skipped"


Outcome = Applied | Failed | Skipped
OUTCOMES: tuple[type[Outcome], ...] = (Applied, Failed, Skipped)


def summary(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the outcomes of each kind, none left out."""
    counts = Counter(outcome.word for outcome in outcomes)
    return {kind.word: counts[kind.word] for kind in OUTCOMES}
