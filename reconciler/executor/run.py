"""One run: the records it keeps, the plan it executes, and what it leaves behind."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from reconciler import atomic
from reconciler.credentials import Password, Vault, generate, left_pieces
from reconciler.errors import ReconcilerError
from reconciler.executor.convergence import Convergence
from reconciler.executor.engine import Engine
from reconciler.executor.issuer import Issuer
from reconciler.executor.journal import Journal
from reconciler.executor.receipt import Run, receipt
from reconciler.executor.surroundings import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reconciler.executor.surroundings import Clock, Stop, Watcher
    from reconciler.graph.transport import Graph
    from reconciler.model import CohortName
    from reconciler.plan import Plan


@dataclass(frozen=True, slots=True)
class Files:
    """The journal and the receipt of one run, under names that no run before it took."""

    journal: Path
    receipt: Path
    pieces: tuple[Path, ...] = ()
    """Sealed pieces that an earlier run has left: it died before it put them together."""

    @property
    def audit(self) -> Path:
        """The audit of the run, where it has made a privileged change."""
        return self.receipt.with_name(self.receipt.name.replace("receipt", "audit") + "l")

    @classmethod
    def unused(cls, folder: Path) -> Files:
        """Give the first pair of names that is free in *folder*; it is made where needed."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise ReconcilerError(
                f"cannot use the folder '{folder}': {reason}", "name another folder with --out"
            ) from error
        for number in count(1):
            suffix = f".{number}" if number > 1 else ""
            journal, receipt_ = f"journal{suffix}.jsonl", f"receipt{suffix}.json"
            files = cls(folder / journal, folder / receipt_, left_pieces(folder))
            if not files.journal.exists() and not files.receipt.exists():
                return files
        raise AssertionError("numbers do not end")  # pragma: no cover


async def execute(  # noqa: PLR0913 -- what a run needs of the world, each by its name
    plan: Plan,
    graph: Graph,
    *,
    out: Path,
    watcher: Watcher,
    clock: Clock,
    stop: Stop,
    draw: Callable[[Iterable[str]], Password] = generate,
) -> tuple[Run, Files]:
    """Execute *plan* and leave journal, receipt and sealed credentials in *out*.

    Raises ReconcilerError where these cannot be kept; then nothing more has been sent, and
    what was sealed before lies in *out* as it is.
    """
    files = Files.unused(out)
    run_id = str(uuid.uuid4())
    started = clock.now()
    with Journal(files.journal, run_id, clock.now) as journal:
        journal.write("started", planDigest=plan.digest, tenant=plan.tenant.id)

        def on_sealed(cohort: CohortName, path: Path, accounts: list[str]) -> None:
            journal.write("sealed", cohort=cohort, file=path.name, accounts=accounts)

        issuer = Issuer(Vault(out, plan.recipients), draw, on_sealed)
        records = Records(issuer, journal, watcher)
        engine = Engine(plan, graph, records, clock, stop)
        convergence = Convergence(plan.ownership, graph, records, clock, stop)
        outcomes = await engine.run()
        sealed = tuple(issuer.finish(engine.created))
        run = Run(run_id, started, clock.now(), outcomes, sealed, stop.because is not None)
        with suppress(ReconcilerError):  # told by the last one; this is for a run killed meanwhile
            _keep(files.receipt, receipt(plan, run))
        outcomes = await convergence.confirmed(outcomes)
        run = Run(run_id, started, clock.now(), outcomes, sealed, stop.because is not None)
        journal.write("finished", result=run.result)
    _keep(files.receipt, receipt(plan, run))
    return run, files


def _keep(path: Path, content: bytes) -> None:
    try:
        atomic.replace(path, content)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ReconcilerError(
            f"cannot write the receipt '{path}': {reason}",
            "the journal beside it says what was done; a rerun goes on from there",
        ) from error
