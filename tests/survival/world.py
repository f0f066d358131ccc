"""A tenant in which a run has yet to happen, and what must hold when one has survived."""

from __future__ import annotations

import shutil
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyrage import x25519  # type: ignore[attr-defined]  # pyrage brings no types

from reconciler.sandbox.server import Endpoints, running
from tests.survival import scenario, sealed, tenants
from tests.survival.processes import Ended, Launcher, plain
from tests.survival.receipts import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.wire import Intercept, Record
    from tests.survival.tenants import State

CREATED = tuple(f"{name}@contoso.com" for name in scenario.CREATED)


@dataclass
class World:
    """What all runs of a module begin with, and what each of them is to end with."""

    certificates: Path
    beginning: Path
    """The file of the tenant before."""
    end: State
    """What a run that nobody disturbs leaves of it."""
    cohorts: Path
    recipient: str
    """The key that credentials are sealed to."""
    identity: str
    """The private half of it."""
    launcher: Launcher
    trusted: ssl.SSLContext

    def check(self, file: Path, out: Path, endpoints: Endpoints, *texts: str) -> list[str]:
        """Tell what is wrong with a tenant in which the run has come to its end."""
        there = tenants.state(file)
        passwords = sealed.opened(out, self.identity)
        everything = {password for some in passwords.values() for password in some}
        with tenants.SignIn(endpoints.environment, self.trusted) as sign_in:
            return [
                *tenants.differences(self.end, there),
                *tenants.doubled(there),
                *sign_in.locked_out(CREATED, passwords),
                *sealed.in_the_clear(out, everything, *texts),
            ]

    def converges(self, file: Path, out: Path, endpoints: Endpoints, killed: Ended) -> list[str]:
        """Run again after a run was killed; tells what is wrong then."""
        witness = self.witness(file, out)
        again = self.apply(out, endpoints)
        lies = witness.lies()
        planned = self.launcher.run(
            ["plan", "--detailed-exitcode", str(self.cohorts)], endpoints.environment
        )
        told = [
            f"{command} exits with {ended.code}:\n{ended.output}"
            for command, ended in (("the rerun", again), ("a plan after it", planned))
            if ended.code
        ]
        return (
            told
            + lies
            + self.check(file, out, endpoints, killed.output, again.output, planned.output)
        )

    def witness(self, file: Path, out: Path) -> Witness:
        """Have somebody look at the tenant before a run whose records go to *out*."""
        return Witness(file, out, self.end)

    def apply(self, out: Path, endpoints: Endpoints) -> Ended:
        """Run the apply, undisturbed."""
        return self.launcher.run(self.arguments(out), endpoints.environment)

    def arguments(self, out: Path) -> list[str]:
        """Give the command that is disturbed."""
        return ["apply", "--yes", "--out", str(out), str(self.cohorts)]

    @contextmanager
    def tenant(
        self,
        folder: Path,
        intercept: Intercept | None = None,
        record: Record | None = None,
        **options: Any,  # noqa: ANN401 -- as `running` has them
    ) -> Iterator[tuple[Path, Endpoints]]:
        """Run a copy of the tenant; gives its file too."""
        file = tenants.copy(self.beginning, folder / "tenant.sqlite")
        with running(
            file,
            folder=self.certificates,
            tunnel_port=None,
            intercept=intercept,
            record=record,
            **options,
        ) as endpoints:
            yield file, endpoints


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Make everything in *folder*, by plain runs of `python -m reconciler`."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    before = scenario.write(folder / "before", recipient, is_before=True)
    after = scenario.write(folder / "cohorts", recipient)
    certificates, beginning = folder / "certificates", folder / "beginning.sqlite"
    with running(beginning, folder=certificates, tunnel_port=None) as endpoints:
        made = plain(
            ["apply", "--yes", "--out", str(folder / "before-out"), str(before)],
            endpoints.environment,
        )
        assert made.returncode == 0, made.stdout + made.stderr
    trusted = ssl.create_default_context(cafile=endpoints.environment["SSL_CERT_FILE"])
    with Launcher(folder) as launcher:
        whole = World(
            certificates, beginning, {}, after, recipient, str(identity), launcher, trusted
        )
        clean = folder / "clean"
        clean.mkdir()
        with whole.tenant(clean) as (file, endpoints):
            witness = whole.witness(file, clean / "out")
            done = plain(whole.arguments(clean / "out"), endpoints.environment)
            assert done.returncode == 0, done.stdout + done.stderr
            whole.end = witness.end = tenants.state(file)
            assert witness.lies() == []
            assert whole.check(file, clean / "out", endpoints, done.stdout, done.stderr) == []
        _import_everything(whole, folder / "imports")
        yield whole


def _import_everything(whole: World, folder: Path) -> None:
    folder.mkdir()
    with whole.tenant(folder) as (_, endpoints):
        ended = whole.launcher.run(
            whole.arguments(folder / "out"), endpoints.environment, in_process=True
        )
    assert ended.code == 0, ended.output
    shutil.rmtree(folder)
