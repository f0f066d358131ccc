"""Runs a command and tells what it took, in a line of JSON; ends as the command did.

A process of its own and small on purpose: the system counts what a process had before it
became another program among the memory of that program.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

# What is said is told only where it fails; on a terminal nobody wants it between what is drawn.
said = subprocess.DEVNULL if sys.stderr.isatty() else sys.stderr
start = time.perf_counter()
with subprocess.Popen(sys.argv[1:], stdout=said) as child:  # noqa: S603 -- our own
    code = child.wait()
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(  # noqa: T201 -- for the parent process
    json.dumps(
        {
            "seconds": seconds,
            "cpu": used.ru_utime + used.ru_stime,
            "mebibytes": used.ru_maxrss / 1024,
        }
    )
)
sys.exit(code)
