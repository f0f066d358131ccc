"""How much a plan asks, counted by the tenant: as much as the cohort is large, not the tenant."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import people
from tests.bench.measures import Measure
from tests.bench.served import served, tenant

if TYPE_CHECKING:
    from tests.bench.served import Served, Traffic

CROWD: Final = Path(__file__).with_name("people.yaml")
"""The seed of a tenant of 100,000 people, half of whom are in one group."""
_PAGE: Final = 999
_PAGES: Final = math.ceil(people.EACH / _PAGE)
_OTHERS: Final = 12
_FEW: Final = 20
_ROUND_TRIPS: Final = 12
_GROUP: Final = "Half of all"


def of_many(folder: Path) -> list[Measure]:
    """Count what the plan of 10,000 people asks who are all as they should be."""
    cohorts, file = many(folder, 1)
    with served(file) as running:
        traffic = planned(running, cohorts)
    members = traffic.members()
    assert len(members) == people.GROUPS
    users, pages = traffic.under("/users"), max(members.values())
    others = len(traffic.requests) - users - members.total()
    what = f"plan of {people.EACH:,} people, all as declared"
    return [
        Measure(f"{what}: requests for users", "", users, _PAGES),
        Measure(f"{what}: pages of each of {people.GROUPS} groups of all", "", pages, _PAGES),
        Measure(f"{what}: all other requests", "", others, _OTHERS),
    ]


def of_few(folder: Path) -> list[Measure]:
    """Count what the plans of 20 people ask in a tenant of 100,000: as joiners, and after."""
    cohorts = folder / "few"
    cohorts.mkdir()
    (cohorts / "tenant.yaml").write_text(people.tenant_file([_GROUP]), encoding="utf-8")
    entries = "".join(map(people.entry, people.joiners("few", _FEW)))
    text = f"{people.head('few', [_GROUP])}users:\n{entries}"
    (cohorts / "few.yaml").write_text(text, encoding="utf-8")
    with served(tenant(folder, "crowd", CROWD)) as running:
        running.reconciler("plan", cohorts)
        before = running.traffic().round_trips
        running.reconciler("apply", "--yes", "--out", folder / "few-out", cohorts)
        after = planned(running, cohorts).round_trips
    what = f"plan of {_FEW} people of 100,000, managing a group of 50,000"
    return [
        Measure(f"{what}, before they join: round trips", "", before, _ROUND_TRIPS),
        Measure(f"{what}, when all is done: round trips", "", after, _ROUND_TRIPS),
    ]


def many(folder: Path, cohorts: int) -> tuple[Path, Path]:
    """Give the folder of so many cohorts of 10,000, made once, and their tenant's file."""
    files = folder / f"many-{cohorts}"
    seed = files / "seed.yaml" if files.exists() else people.converged(files, cohorts)
    return files / "cohorts", tenant(folder, f"tenant-{cohorts}", seed)


def planned(running: Served, cohorts: Path) -> Traffic:
    """Give what a plan asks; raises where there is anything to change."""
    running.traffic()
    running.reconciler("plan", "--detailed-exitcode", cohorts)
    return running.traffic()
