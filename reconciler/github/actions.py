"""What a step of GitHub Actions leaves for the steps after it, and on the page of its run."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMMARY_BYTES = 1024 * 1024
"""What one step may add to the summary (GitHub, workflow commands)."""
_CUT = "\n\n_The rest does not fit here: it is in the artifact of this run._\n"


def set_outputs(environment: Mapping[str, str], outputs: Mapping[str, str | int | bool]) -> None:
    """Set the step's *outputs*; nothing happens outside of Actions.

    Each value stands between two lines that nobody can have foreseen: none ends early.
    """
    text = ""
    for name, value in outputs.items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        end = f"reconciler-{secrets.token_hex(16)}"
        text += f"{name}<<{end}\n{shown}\n{end}\n"
    _append(environment, "GITHUB_OUTPUT", text)


def add_summary(environment: Mapping[str, str], markdown: str) -> None:
    """Add *markdown* to the page of the run, as much of it as there is room for."""
    content = markdown.encode()
    if len(content) > SUMMARY_BYTES:
        room = SUMMARY_BYTES - len(_CUT.encode())
        kept = content[:room].decode(errors="ignore")
        markdown = kept[: kept.rindex("\n")] + _CUT
    _append(environment, "GITHUB_STEP_SUMMARY", markdown)


def _append(environment: Mapping[str, str], variable: str, text: str) -> None:
    path = environment.get(variable)
    if not path or not text:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise UsageError(f"{variable} names no file that can be written") from error
