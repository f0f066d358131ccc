"""Diagnostics as annotations of GitHub Actions: they appear on the line of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.diagnostics import Severity
from reconciler.text import visible

if TYPE_CHECKING:
    from reconciler.diagnostics import Diagnostic

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def annotation(diagnostic: Diagnostic) -> str:
    """Give the workflow command; nothing in it can start another one.

    Escapes as the runner's own toolkit does (actions/toolkit, packages/core/src/command.ts).
    """
    position = diagnostic.position
    where = ""
    if position:
        where = f" file={_property(position.file)},line={position.line},col={position.column}"
    text = diagnostic.summary + (f" ({diagnostic.hint})" if diagnostic.hint else "")
    return f"::{_COMMANDS[diagnostic.severity]}{where}::{_data(visible(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
