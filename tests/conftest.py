"""How Hypothesis searches, and the judge of everything that is said to the sandbox."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

from reconciler.sandbox.tracing import VARIABLE
from tests.contract.replay import Verdict, verdict_of

if TYPE_CHECKING:
    import pytest

# Without a clock, so that a busy machine fails no test.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

_VERDICTS: list[tuple[Verdict, bool]] = []


def _hands_out(config: pytest.Config) -> bool:
    """Whether this process runs the tests or hands them out, and is no worker of another."""
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Have every sandbox of the run, in whatever process, write down what it is asked."""
    if _hands_out(config):
        descriptor, name = tempfile.mkstemp(prefix="reconciler-trace-", suffix=".jsonl")
        os.close(descriptor)
        os.environ[VARIABLE] = name


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge all of it when the last test has run; a fault fails the run."""
    if not _hands_out(session.config):
        return
    trace = Path(os.environ.pop(VARIABLE))
    is_whole = session.config.args == session.config.getini("testpaths")
    try:
        verdict = verdict_of(trace)
    finally:
        trace.unlink()
    _VERDICTS.append((verdict, is_whole))
    if not verdict.is_good(is_whole=is_whole):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the judge's verdict."""
    for verdict, is_whole in _VERDICTS:
        if verdict.exchanges or is_whole:
            for line in verdict.lines(is_whole=is_whole):
                terminalreporter.write_line(line)
