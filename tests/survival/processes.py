"""Real processes of the command line, to be killed: see `launcher`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import reconciler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(reconciler.__file__).parents[1]
KILLED = -signal.SIGKILL
_MINE = ("AZURE_", "RECONCILER_", "GITHUB_", "SSL_CERT", "REQUESTS_CA", "COVERAGE_")
"""Variables that no child takes over. Coverage would slow hundreds of short processes down,
and killed ones tell it nothing."""

_PENDING = ("SigPnd", "ShdPnd")
_WAITS = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
_LOOKS = 60_000
"""Looks at a process, a thousandth of a second apart, until it has to have come to rest."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process said, and its exit code: `KILLED`, or one of the command line's."""

    code: int
    output: str


def clean_environment() -> dict[str, str]:
    """Give this process's environment without what points at a tenant."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_MINE)}
    return kept | {"NO_COLOR": "1", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}


def plain(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m reconciler` as anybody would."""
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "reconciler", *arguments],
        env=clean_environment() | dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Launcher:
    """Starts processes, one at a time; a context manager."""

    folder: Path
    """For what they print."""
    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.survival.launcher"],
            env=clean_environment(),
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def run(  # noqa: PLR0913 -- what there is to say of a process, each by its name
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        on_begun: Callable[[int], object] = lambda _: None,
        kill_at: int | None = None,
        out: Path | None = None,
        in_process: bool = False,
    ) -> Ended:
        """Run the command line with *arguments* in a new process, and wait for its end.

        *on_begun* is told the process's id. With *kill_at* it kills itself when it has
        touched so many paths in *out*. *in_process* runs it in the launcher instead.
        """
        output = self.folder / "output.txt"
        output.unlink(missing_ok=True)
        order = {
            "arguments": arguments,
            "environment": dict(environment),
            "output": str(output),
            "killAt": kill_at,
            "folder": str(out),
            "inProcess": in_process,
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        on_begun(self._line())
        code = self._line()
        return Ended(code, output.read_text("utf-8", "replace"))

    def _line(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


def kill(pid: int) -> None:
    """Kill a process; it does nothing more once this returns."""
    watched = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        select.select([watched], [], [])
    finally:
        os.close(watched)


def interrupt(pid: int, number: signal.Signals) -> None:
    """Send a process a signal, while whoever it talks to is silent.

    It has done by then all that it can do without an answer; when this returns, it has also
    taken the signal and done all that this leads to.
    """
    _await_rest(pid)
    os.kill(pid, number)
    _await_rest(pid)


def _await_rest(pid: int) -> None:
    """Wait until a process does nothing but wait, or has ended."""
    looks = [_rest(pid)]
    while looks[-1] is None or looks[-3:] != looks[-1:] * 3:
        assert len(looks) < _LOOKS, f"process {pid} does not come to rest"
        time.sleep(0.001)
        looks.append(_rest(pid))


def _rest(pid: int) -> tuple[str, ...] | None:
    """Tell how often a process has waited, so that two looks can be compared; None if it works."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return ()
    known = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if known["State"][0] in "ZX":
        return ()
    is_waiting = known["State"][0] == "S" and not any(int(known[name], 16) for name in _PENDING)
    return tuple(known[name] for name in _WAITS) if is_waiting else None
