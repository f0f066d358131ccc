"""The other side of `tenant`: a tenant that is served, and what it was asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOP: Final = Path(__file__).parents[2]
_LAUNCH: Final = Path(__file__).with_name("launch.py")
_THROTTLED: Final = 429
_PATIENCE: Final = 600.0
"""Seconds after which a command is taken to hang."""


class Asked(NamedTuple):
    """One exchange as the tenant saw it."""

    method: str
    path: str
    status: int
    writes: int
    """What Graph charges for it, refused or not."""
    is_inner: bool
    """Whether it came inside a batch."""
    is_batch: bool
    """Whether it is the batch that carried others."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """All that a client asked."""

    exchanges: tuple[Asked, ...]

    @property
    def requests(self) -> list[Asked]:
        """Give what Graph counts: the parts of batches, and whatever came alone."""
        return [each for each in self.exchanges if not each.is_batch]

    @property
    def round_trips(self) -> int:
        """Count what crossed the wire and waited for its answer."""
        return sum(not each.is_inner for each in self.exchanges)

    @property
    def writes(self) -> int:
        """Sum up what Graph charges, for what it refused as well."""
        return sum(each.writes for each in self.requests)

    @property
    def throttled(self) -> int:
        """Count what was refused for being too much."""
        return sum(each.status == _THROTTLED for each in self.requests)

    def under(self, path: str) -> int:
        """Count the requests below *path*, a part of the address such as `/users`."""
        return sum(_area(each).startswith(path) for each in self.requests)

    def members(self) -> Counter[str]:
        """Count for each group how often it was asked who is in it."""
        paths = (_area(each).split("/") for each in self.requests)
        return Counter(p[2] for p in paths if p[1] == "groups" and p[3:4] == ["members"])


def _area(each: Asked) -> str:
    return each.path.removeprefix("/v1.0").partition("?")[0]


class Served:
    """A running tenant."""

    def __init__(self, process: subprocess.Popen[str], file: Path) -> None:
        self._process = process
        self.file = file
        self.environment: Mapping[str, str] = self._heard()

    def traffic(self) -> Traffic:
        """Give what was asked since the last time."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Traffic(tuple(Asked(*each) for each in self._heard()))

    def launched(self, *arguments: str | Path) -> Taken:
        """Run Python with *arguments* against the tenant, and tell what it took."""
        return launched(*arguments, environment=self.shell)

    def reconciler(self, *arguments: str | Path) -> Taken:
        """Run `reconciler` against the tenant, and tell what it took."""
        return self.launched("-m", "reconciler", *arguments)

    @property
    def shell(self) -> dict[str, str]:
        """Give a whole environment for a client."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AZURE_")}
        return {**kept, **self.environment}

    def _heard(self) -> Any:  # noqa: ANN401 -- any JSON
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def served(file: Path, faults: Path | None = None) -> Iterator[Served]:
    """Serve the tenant in *file*, with the trouble that a faults file tells of."""
    files = [str(each) for each in (file, faults) if each]
    command = [sys.executable, "-m", "tests.bench.tenant", *files]
    with subprocess.Popen(  # noqa: S603 -- our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TOP
    ) as process:
        try:
            yield Served(process, file)
        finally:
            assert process.stdin
            process.stdin.close()


def tenant(folder: Path, name: str, seed: Path) -> Path:
    """Make the tenant that *seed* tells of, once in *folder*, and give its file."""
    file = folder / name / "tenant.sqlite"
    if not file.exists():
        file.parent.mkdir()
        command = [sys.executable, "-m", "reconciler", "sandbox", "reset"]
        check([*command, "--file", str(file), "--seed", str(seed)])
    return file


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took."""

    seconds: float
    cpu: float
    """Seconds of a processor, its own and the system's for it."""
    mebibytes: float
    """At its peak."""


def launched(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> Taken:
    """Run Python with *arguments* and tell what it took; raises where it fails."""
    command = [sys.executable, str(_LAUNCH), sys.executable, *map(str, arguments)]
    return Taken(**json.loads(check(command, environment)))


def check(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run *command* and give its output; raises with all it said where it fails."""
    done = subprocess.run(  # noqa: S603 -- our own programs
        command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode:
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise RuntimeError(f"{command} gave {done.returncode}:\n{said}")
    return done.stdout
