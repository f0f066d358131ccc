"""The journal that a run leaves, and whether it is whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def journal(out: Path) -> list[dict[str, Any]]:
    """Read the journal of the first run whose records are in *out*; empty where there is none."""
    file = out / "journal.jsonl"
    return [*map(json.loads, file.read_text("utf-8").splitlines())] if file.exists() else []


def sent(out: Path) -> int:
    """Count the batches with writes that the run has sent, or is about to."""
    return sum(line["event"] == "sending" for line in journal(out))


def gaps(out: Path) -> list[str]:
    """Tell what is missing in the records of the first run in *out*, which was interrupted."""
    lines = journal(out)
    receipt = json.loads((out / "receipt.json").read_bytes())
    told = {line["address"]: _words(line) for line in lines if line["event"] == "outcome"}
    kept = {outcome["address"]: _words(outcome) for outcome in receipt["outcomes"]}
    begun = {address for line in lines if line["event"] == "sending" for address in line["changes"]}
    expected = {
        "the journal begins with": ("started", lines[0]["event"]),
        "it ends with": ("finished", lines[-1]["event"]),
        "its result is": ("interrupted", lines[-1].get("result")),
        "the receipt's result is": ("interrupted", receipt["result"]),
        "what was sent and has no outcome is": (set(), begun - told.keys()),
        "the outcomes are": (kept, told),
    }
    return [f"{what} {is_}, not {ought}" for what, (ought, is_) in expected.items() if is_ != ought]


def _words(outcome: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(outcome[name] for name in ("action", "outcome", "at", "error", "because", "note"))
