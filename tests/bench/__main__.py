"""`python -m tests.bench`: measure, print one table, and fail when a bound is not kept."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import sandbox
from tests.bench.measures import table


def main() -> int:
    """Give 0 when all bounds are kept."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        measures = sandbox.measures(Path(folder))
    print(table(measures))  # noqa: T201 -- what this command is for
    return 0 if all(each.is_within for each in measures) else 1


sys.exit(main())
