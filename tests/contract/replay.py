"""Replays all that the tests said to the sandbox, and what it answered, before the judge."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.errors import Refusal
from tests.contract.contract import Contract, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGES: Final = Path(__file__).with_name("messages.json")
"""Each with `*` where a name or an id stands."""
_STAR: Final = re.compile(r"\*")
_UNTRACED: Final = frozenset(("BODY_TOO_LARGE", "BODY_ENCODING", "MISDIRECTED"))
"""The rows said before there is an exchange, since the body is not read; see test_server.py."""
_MOST_SHOWN = 40


class Refusals:
    """The quoted refusals of `messages.json` and the sandbox's own rows, until they are heard."""

    def __init__(self, file: Path = MESSAGES) -> None:
        self._waiting = {
            f"{row['area']}: {row['status']} {row['code']} {row['message']}": _pattern(
                row["status"], *(_STAR.split(row[name]) for name in ("code", "message"))
            )
            for row in orjson.loads(file.read_bytes())
        } | {
            f"errors.{name}": _pattern(row.status, [row.code], _literals(row.message))
            for name, row in vars(errors).items()
            if isinstance(row, Refusal) and name not in _UNTRACED
        }

    def hear(self, exchange: Exchange) -> None:
        """Strike out what this exchange says, if it is a refusal."""
        if not isinstance(exchange.reply, dict):
            return
        self._hear(exchange.status, exchange.reply)
        for part in exchange.reply.get("responses") or () if exchange.is_batch else ():
            self._hear(part["status"], part.get("body"))

    def _hear(self, status: int, body: object) -> None:
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            said = f"{status}\n{error.get('code')}\n{error.get('message')}"
            self._waiting = {n: p for n, p in self._waiting.items() if not p.fullmatch(said)}

    @property
    def unheard(self) -> tuple[str, ...]:
        """Give those that nobody got."""
        return tuple(self._waiting)


def _literals(template: str) -> list[str]:
    """Give what stands between the slots of a message."""
    parts = [""]
    for text, slot, _, _ in Formatter().parse(template):
        parts[-1] += text
        parts += [""] if slot is not None else []
    return parts


def _pattern(status: int, code: list[str], message: list[str]) -> re.Pattern[str]:
    """Give what matches a refusal, of whose texts only these parts are known."""
    texts = (".*".join(re.escape(part) for part in parts) for parts in (code, message))
    return re.compile("\\n".join((str(status), *texts)), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of a whole run."""

    exchanges: int
    ours: int
    """How many of them the reconciler sent."""
    problems: Counter[str]
    """Each kind of problem, with how often it came up."""
    unanswered: tuple[str, ...]
    """The operations of the description that nobody ever saw succeed."""
    unheard: tuple[str, ...]
    """The refusals, quoted in Graph's documentation and issues, that nobody ever got."""

    def lines(self, *, is_whole: bool) -> list[str]:
        """Give the verdict for a terminal; a run of a few tests leaves much unanswered."""
        faults = f"{self.problems.total():,} faults" if self.problems else "all conform"
        shown = [f"contract: {self.exchanges:,} exchanges, {self.ours:,} of ours: {faults}"]
        shown += [f"  {n} x {problem}" for problem, n in self.problems.most_common(_MOST_SHOWN)]
        if is_whole:
            shown += [f"  never answered: {name}" for name in self.unanswered]
            shown += [f"  never heard: {message}" for message in self.unheard]
        return shown

    def is_good(self, *, is_whole: bool) -> bool:
        """Whether everything conforms and, in a whole run, nothing was missed."""
        # A run in which nothing was traced has missed everything.
        missed = self.unanswered or self.unheard or not self.ours
        return not self.problems and not (is_whole and missed)


def verdict(lines: Iterable[bytes]) -> Verdict:
    """Judge a trace: one exchange in JSON to a line."""
    contract, refusals, problems = Contract(), Refusals(), Counter[str]()
    exchanges = ours = 0
    for line in lines:
        exchange = Exchange(**orjson.loads(line))
        exchanges += 1
        ours += exchange.is_ours
        refusals.hear(exchange)
        found = contract.find(exchange)
        name = found.name if found else f"{exchange.method} {exchange.path.partition('?')[0]}"
        problems.update(
            {f"{name} {exchange.status}: {problem}" for problem in contract.problems(exchange)}
        )
    first_error = 400
    unanswered = tuple(
        operation.name
        for operation in contract.operations
        if not any(status < first_error for status in operation.seen)
    )
    return Verdict(exchanges, ours, problems, unanswered, refusals.unheard)


def verdict_of(trace: Path) -> Verdict:
    """Judge the trace in a file; one that was never written holds nothing."""
    if not trace.exists():
        return verdict(())
    with trace.open("rb") as lines:
        return verdict(lines)
