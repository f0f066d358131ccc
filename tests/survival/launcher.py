"""Runs reconciler's command line in children of a process that has imported everything.

`python -m tests.survival.launcher` reads orders, one JSON object a line. Each is carried out
in a process of its own, forked from this one, so that hundreds of real processes can be
started and killed without importing Graph's client each time. For an order it prints the
process's id when it has begun, and its exit code when it has ended: -9 for one that was killed.

An order with `killAt` makes the process kill itself directly before the so-manieth time that
it touches the disk: opens, renames, removes or lists a path in `folder`, as Python's audit
events tell of it, or has a file written through (`fsync`), as its profiler tells.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import Any, NoReturn


def serve() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["inProcess"]:
            _run_here(order)
            continue
        pid = os.fork()
        if pid == 0:
            _carry_out(order)
        _tell(pid)
        _, status = os.waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _run_here(order: dict[str, Any]) -> None:
    """Run a command in this very process: what it imports, all children have imported."""
    from reconciler import cli  # noqa: PLC0415 -- as late as the command line itself would

    os.environ.update(order["environment"])
    kept = os.dup(1)
    _redirect(order["output"])
    code = cli.run(order["arguments"])
    sys.stdout.flush()
    os.dup2(kept, 1)
    gc.freeze()
    _tell(os.getpid())
    _tell(code)


def _carry_out(order: dict[str, Any]) -> NoReturn:
    from reconciler import cli  # noqa: PLC0415 -- imported already

    os.environ.update(order["environment"])
    _redirect(order["output"])
    if order["killAt"] is not None:
        killer = _Killer(order["folder"], order["killAt"])
        sys.addaudithook(killer.audited)
        sys.setprofile(killer.profiled)
    sys.argv = ["reconciler", *order["arguments"]]
    try:
        cli.main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        os._exit(1)


def _redirect(output: str) -> None:
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(written)


class _Killer:
    """Counts what happens to the disk, and ends the process there."""

    def __init__(self, folder: str, kill_at: int) -> None:
        self._folder = folder
        self._left = kill_at

    def audited(self, event: str, arguments: tuple[object, ...]) -> None:
        """Hear of an audit event, before it happens."""
        if event.startswith(("open", "os.")) and any(map(self._is_inside, arguments)):
            self._touch(f"{event} of {arguments[0]!r}")

    def profiled(self, _: object, event: str, called: object) -> None:
        """Hear of a call, before it happens."""
        if event == "c_call" and called is os.fsync:
            self._touch("fsync")

    def _touch(self, what: str) -> None:
        self._left -= 1
        if self._left < 0:
            os.write(2, f"\nkilled before {what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_inside(self, argument: object) -> bool:
        if not isinstance(argument, str | bytes | os.PathLike):
            return False
        path = os.fsdecode(argument)
        return path == self._folder or path.startswith(f"{self._folder}/")


if __name__ == "__main__":
    serve()
