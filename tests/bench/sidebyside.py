"""Fifty joiners twice: by the usual script, and by `reconciler apply`."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import people
from tests.bench.measures import Measure
from tests.bench.served import served, tenant

if TYPE_CHECKING:
    from tests.bench.served import Served, Traffic

PEOPLE: Final = 50
LATENCY: Final = 0.08
"""Seconds that each round trip takes."""
_GROUP: Final = "Joiners"
_ROLE: Final = "Reports Reader"
_FACTOR: Final = 10.0
"""How much sooner everybody must be there."""
_USUAL: Final = Path(__file__).with_name("usual.py")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to bring them in: whole seconds of the command, and what it asked."""

    name: str
    seconds: float
    traffic: Traffic

    @property
    def row(self) -> tuple[str, float, int, int]:
        """Give name, seconds, requests as Graph counts them, and round trips."""
        return self.name, self.seconds, len(self.traffic.requests), self.traffic.round_trips


def measure(folder: Path) -> tuple[Way, Way]:
    """Give the usual way and ours, in one tenant that answers after 80 milliseconds."""
    faults = folder / "latency.yaml"
    faults.write_text(json.dumps({"version": 1, "latency": LATENCY}), encoding="utf-8")
    seed = folder / "side.yaml"
    seed.write_text(json.dumps(_company()), encoding="utf-8")
    with served(tenant(folder, "side", seed), faults) as running:
        return _usual(running, folder), _ours(running, folder)


def measures(ways: tuple[Way, Way]) -> list[Measure]:
    """Hold the factor between them against its bound."""
    usual, ours = ways
    return [
        Measure(
            f"{PEOPLE} joiners: the usual script's seconds to ours",
            "times",
            usual.seconds / ours.seconds,
            _FACTOR,
            at_least=True,
        )
    ]


def _usual(running: Served, folder: Path) -> Way:
    listed = folder / "people.csv"
    rows = list(people.joiners("usual", PEOPLE))
    with listed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    arguments = [str(listed), str(folder / "passwords.csv"), people.LICENSE, _GROUP, _ROLE]
    return _timed("the usual script", running, str(_USUAL), *arguments)


def _ours(running: Served, folder: Path) -> Way:
    cohorts = folder / "side-cohorts"
    cohorts.mkdir()
    tenant_file = people.tenant_file([_GROUP], roles=[_ROLE])
    (cohorts / "tenant.yaml").write_text(tenant_file, encoding="utf-8")
    role = f"roles: [{{role: {_ROLE}, justification: Writes the weekly figures}}]\nusers:\n"
    entries = "".join(map(people.entry, people.joiners("ours", PEOPLE)))
    text = people.head("ours", [_GROUP]) + role + entries
    (cohorts / "ours.yaml").write_text(text, encoding="utf-8")
    words = ["apply", "--yes", "--out", str(folder / "side-out"), str(cohorts)]
    return _timed("`reconciler apply`", running, "-m", "reconciler", *words)


def _timed(name: str, running: Served, *arguments: str) -> Way:
    running.traffic()
    taken = running.launched(*arguments)
    return Way(name, taken.seconds, running.traffic())


def _company() -> dict[str, object]:
    return {
        "version": 1,
        "company": {"displayName": "Measured", "country": "GB"},
        "domains": [{"name": people.DOMAIN, "isDefault": True}, people.INITIAL],
        "skus": [{"skuPartNumber": people.LICENSE, "seats": 10 * PEOPLE}],
        "groups": [{"displayName": _GROUP}],
    }
