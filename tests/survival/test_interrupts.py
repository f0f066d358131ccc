"""An apply is interrupted once at each moment of each exchange, and ends as it was asked to."""

from __future__ import annotations

import json
import re
import shutil
import signal
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from reconciler.credentials import left_pieces
from reconciler.errors import ExitCode
from reconciler.sandbox.trouble.patterns import pattern
from reconciler.sandbox.trouble.settings import Rule, Trouble
from tests.survival import records, sealed, tenants
from tests.survival.front import front
from tests.survival.interrupting import Interrupter
from tests.survival.world import CREATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.sandbox.server import Endpoints
    from tests.survival.processes import Ended
    from tests.survival.world import World


PARTS = 2
"""Tests that share the moments, so that they can run beside each other."""
TURNS = (signal.SIGINT, signal.SIGTERM)
LEAST = 50
"""Moments before and after the exchanges of signing in, planning, writing and confirming."""
PEOPLE = 120
SENT = 100
"""People of the first batch, which goes alone, and of the four that go together after it."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("loses", [False, True], ids=["answered", "unanswered"])
def test_interrupted_at_every_exchange(
    loses: bool,  # noqa: FBT001 -- a parameter of the test
    part: int,
    survivors: World,
    tmp_path: Path,
    covered: Callable[[str, int], None],
) -> None:
    """After Ctrl-C or SIGTERM no write begins, the records are whole, and a rerun does the rest.

    The two signals take turns, exchange by exchange. They also come together with the loss of
    what is in flight, in a run that has to look whether an account was created, whose moments
    are then among them.
    """
    doubt = Rule(pattern("POST /users"), nth=(1,), answer=503, is_after=True, wait=0)
    trouble = Trouble(faults=(doubt,) if loses else ())
    sender, failures, survived = Interrupter(signal=signal.SIGTERM, loses=loses), list[str](), 0
    with front(survivors.certificates, survivors.trusted, sender) as login:
        for moment in count(part, PARTS):
            sender.signal = TURNS[moment // 2 % 2]
            folder = tmp_path / str(moment)
            folder.mkdir()
            out = folder / "out"
            with survivors.tenant(folder, sender.intercept, sender.record, trouble=trouble) as (
                file,
                endpoints,
            ):
                witness = survivors.witness(file, out)
                environment = login.environment(endpoints.environment)
                ended = sender.run(survivors, environment, out, moment)
                if not sender.struck_at:
                    break
                wrong = _stopped(sender, ended) + witness.lies()
                wrong += _complete(survivors, file, out, endpoints, CREATED)
                wrong += survivors.converges(file, out, endpoints, ended)
            failures += [f"{sender.struck_at}: {line}" for line in wrong]
            survived += 1
            if not wrong:
                shutil.rmtree(folder)
    covered("interrupt matrix", survived)

    assert not failures, "\n".join(failures)
    assert ended.code == ExitCode.DONE
    assert any(line["event"] == "looking" for line in records.journal(out)) == loses
    assert survived >= LEAST // PARTS // (2 if loses else 1)
    assert sender.seen >= (BEFORE if loses else BEFORE | AFTER)


BEFORE = {
    "before login's GET openid-configuration",
    "before login's POST token",
    "before POST $batch",
}
AFTER = {label.replace("before", "after") for label in BEFORE}


def test_interrupted_with_several_batches_in_flight(survivors: World, tmp_path: Path) -> None:
    """All four are awaited and the last batch is not sent; who was created can sign in."""
    names = [f"crowd.{number:03}@contoso.com" for number in range(PEOPLE)]
    recipient = survivors.recipient
    world = replace(survivors, cohorts=_crowd(tmp_path / "crowd", recipient, names))
    sender = Interrupter(signal=signal.SIGTERM)
    for moment in count():  # until the first of the four has arrived
        folder = tmp_path / str(moment)
        folder.mkdir()
        out = folder / "out"
        with world.tenant(folder, sender.intercept, sender.record) as (file, endpoints):
            ended = sender.run(world, endpoints.environment, out, moment)
            if sender.arrived_until_then < 2:
                continue
            made = _of_crowd(file)
            receipt = json.loads((out / "receipt.json").read_bytes())
            wrong = _stopped(sender, ended) + _complete(world, file, out, endpoints, names)
            again = world.apply(out, endpoints)
            wrong += _locked_out(world, out, endpoints, names)
            all_ = _of_crowd(file)
        break

    assert wrong == []
    assert (sender.arrived_until_then, sender.begun_until_then) == (2, 5)
    assert receipt["summary"] == {
        "applied": SENT,
        "failed": 0,
        "skipped": PEOPLE - SENT,
    }
    assert len(made) == SENT
    assert again.code == ExitCode.DONE, again.output
    assert all_ == names


def _crowd(folder: Path, recipient: str, names: list[str]) -> Path:
    folder.mkdir()
    (folder / "tenant.yaml").write_text(
        "version: 1\ntenant: contoso.onmicrosoft.com\nsource: crowd\n"
        "ownership: extensionAttribute15\ndomains: [contoso.com]\n",
        "utf-8",
    )
    people = "".join(f"  - {{displayName: Crowd, userPrincipalName: {name}}}\n" for name in names)
    head = f"version: 1\ncohort: crowd\ncredentials: {{recipients: [{recipient}]}}\n"
    (folder / "crowd.yaml").write_text(f"{head}users:\n{people}", "utf-8")
    return folder


def _of_crowd(file: Path) -> list[str]:
    """Name who of the crowd is there, as often as they are."""
    found = (re.fullmatch(r"user (crowd.*): displayName", fact) for fact in tenants.state(file))
    return sorted(each[1] for each in found if each)


def _stopped(sender: Interrupter, ended: Ended) -> list[str]:
    """Tell what a run has done after it was interrupted, and should not have."""
    wrong = []
    # Every moment comes before the last answer has, and before that no run is over.
    if ended.code != ExitCode.INTERRUPTED:
        wrong.append(f"exit {ended.code}:\n{ended.output}")
    if len(sender.arrived) != sender.begun_until_then:
        wrong.append(
            f"{sender.begun_until_then} batches of writes were begun, {sender.arrived_until_then} "
            f"had arrived, and these did in all: {', '.join(sender.arrived)}"
        )
    if "Traceback" in ended.output or "error: unexpected" in ended.output:
        wrong.append(f"it says:\n{ended.output}")
    return wrong


def _complete(
    world: World, file: Path, out: Path, endpoints: Endpoints, names: Sequence[str]
) -> list[str]:
    """Tell what is missing in what a run left; one that had not written yet leaves nothing."""
    if not out.exists():
        return []
    there = tenants.state(file)
    enabled = [name for name in names if there.get(f"user {name}: accountEnabled")]
    pieces = [f"{piece.name} was not put together" for piece in left_pieces(out)]
    return [*records.gaps(out), *_locked_out(world, out, endpoints, enabled), *pieces]


def _locked_out(world: World, out: Path, endpoints: Endpoints, names: Sequence[str]) -> list[str]:
    with tenants.SignIn(endpoints.environment, world.trusted) as sign_in:
        return sign_in.locked_out(names, sealed.opened(out, world.identity))
