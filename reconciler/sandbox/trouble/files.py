"""A faults file, read: `schema/faults.schema.json` says what may stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.diagnostics import Diagnostic, in_order
from reconciler.errors import InputError
from reconciler.sandbox import documents, wording
from reconciler.sandbox.trouble.answers import ARRIVING
from reconciler.sandbox.trouble.lag import Lag
from reconciler.sandbox.trouble.patterns import pattern
from reconciler.sandbox.trouble.settings import (
    Latency,
    Quota,
    Rule,
    Size,
    Throttled,
    Trouble,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.documents import Document

_PAUSE: Final = 10
"""What a 429 says where nothing else is asked for, as in Graph's sample of one."""
_ABSENT: Final = "absent"


def load(path: Path) -> Trouble:
    """Give what the file at *path* asks for.

    Raises a `UsageError` when it cannot be read, and an `InputError` with everything that is
    wrong in it.
    """
    document = documents.read(path)
    root = document.root
    if found := in_order(wording.problems(document, documents.schema("faults"))):
        raise InputError(found)
    if found := in_order(_contradictions(document)):
        raise InputError(found)
    return Trouble(
        seed=root.get("seed", 0),
        latency=_latency(root.get("latency", 0)),
        lag=Lag(**root.get("lag", {})),
        quota=_quota(root["quota"]) if "quota" in root else None,
        faults=tuple(_rule(fault) for fault in root.get("faults", [])),
        directory_quota=root.get("directoryQuota"),
    )


def _contradictions(document: Document) -> Iterator[Diagnostic]:
    """Find what the schema cannot: keys that contradict each other."""
    for number, fault in enumerate(document.root.get("faults", [])):
        for key, summary, hint in _contradicting(fault):
            yield Diagnostic(summary, hint, document.at("faults", number, key))


def _contradicting(fault: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give the keys of a rule that contradict others, each with what is wrong and a hint."""
    if fault.get("to", fault.get("from", 1)) < fault.get("from", 1):
        yield "to", "to comes before from", "nothing would be struck: swap them"
    if "first" in fault and "to" in fault:
        yield "first", "first and to say the same", "keep one of them"
    if fault.get("answer") in ARRIVING and fault.get("moment") == "before":
        hint = "leave moment out: part of the tenant's own reply arrives"
        yield "moment", f"{fault['answer']} comes after the work", hint


def _latency(given: Any) -> tuple[Latency, ...]:  # noqa: ANN401 -- of the schema
    if isinstance(given, list):
        return tuple(
            Latency(each["mean"], each.get("jitter", 0.0), pattern(each["request"]))
            for each in given
        )
    if isinstance(given, dict):
        return (Latency(given["mean"], given.get("jitter", 0.0)),)
    return (Latency(given),) if given else ()


def _quota(given: dict[str, Any]) -> Quota:
    scale = given.get("scale", {})
    return Quota(
        size=Size(given.get("size", Size.S)),
        time=scale.get("time", 1.0),
        amount=scale.get("amount", 1.0),
        wait=Wait(given.get("retryAfter", Wait.WHOLE)),
        code=Throttled(given.get("code", Throttled.MANY)),
    )


def _rule(given: dict[str, Any]) -> Rule:
    nth = given.get("nth", ())
    start = given.get("from", 1)
    first = given.get("first")
    answer = given.get("answer")
    wait = given.get("retryAfter", _PAUSE if answer == 429 else _ABSENT)  # noqa: PLR2004 -- its status
    return Rule(
        request=pattern(given["request"]),
        in_batch=given.get("inBatch"),
        application=given.get("application"),
        nth=(nth,) if isinstance(nth, int) else tuple(nth),
        every=given.get("every", 1),
        start=start,
        stop=start + first - 1 if first else given.get("to"),
        probability=given.get("probability", 1.0),
        answer=answer,
        is_after=given.get("moment") == "after",
        code=given.get("code"),
        message=given.get("message"),
        wait=None if wait == _ABSENT else wait,
        delay=given.get("delay", 0.0),
    )
