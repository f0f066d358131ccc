"""How soon the program is there, for what needs no Graph."""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING, Final

from tests.bench.measures import Measure
from tests.bench.served import TOP, check, launched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.served import Taken

_ROUNDS: Final = 9
_VERSION: Final = 100.0
"""Milliseconds beyond those of Python itself."""
_VALIDATE: Final = 250.0
_COHORT: Final = "cohorts/research-2026.yaml"
_CLIENT: Final = ("msgraph", "azure", "kiota_abstractions", "kiota_http", "httpx")
_COUNT: Final = f"""
import sys
from reconciler.cli import run
assert run(sys.argv[1:]) == 0
print(sum(name.partition(".")[0] in {_CLIENT} for name in sys.modules))
"""


def measures() -> list[Measure]:
    """Measure the shortest commands there are, each in a new process."""
    python = _median(lambda: launched("-c", "pass"))
    version = _median(lambda: launched("-m", "reconciler", "--version"))
    validate = _median(lambda: launched("-m", "reconciler", "validate", TOP / _COHORT))
    return [
        Measure(
            "`reconciler --version`, beyond Python's own start", "ms", version - python, _VERSION
        ),
        Measure("`reconciler validate` of one file", "ms", validate, _VALIDATE),
        Measure("modules of Graph's client that `validate` imports", "", _imported(), 0),
    ]


def _median(run: Callable[[], Taken]) -> float:
    return statistics.median(run().seconds * 1000 for _ in range(_ROUNDS))


def _imported() -> int:
    said = check([sys.executable, "-c", _COUNT, "validate", str(TOP / _COHORT)])
    return int(said.splitlines()[-1])
