"""An apply where the quota is what it waits for: how near it comes to what Graph allows.

The tenant keeps Graph's real limits, with amounts and periods scaled down so that a
measurement need not take minutes. A limit is a bucket that starts empty: what it holds goes
through at once and is taken off the floor, and only the rest goes at the limit's rate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.trouble.costs import cost
from reconciler.sandbox.trouble.quotas import PAIR, limits
from reconciler.sandbox.trouble.settings import Quota, Wait
from reconciler.sandbox.wire import Incoming
from tests.bench import people
from tests.bench.measures import Measure
from tests.bench.served import served, tenant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.served import Traffic

PEOPLE: Final = 1_000
AMOUNT: Final = 0.2
TIME: Final = 0.05
_GROUPS: Final = ("Everybody", "Newcomers")
_AT_ONCE: Final = 20
"""Members that one request binds (Graph, "Add members")."""
_MANAGER: Final = "head@measured.example"
_SPENT: Final = 1.02
_SLOWER: Final = 1.10
_THROTTLED: Final = 0.01


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit on writes of one application in one tenant, as it is scaled here."""

    burst: float
    """Writes that go through at once when nothing was written before."""
    rate: float
    """Writes in a second after that."""

    @classmethod
    def scaled(cls) -> Limit:
        """Give the limit that the tenant of this measurement keeps."""
        quota = Quota(amount=AMOUNT, time=TIME, wait=Wait.FRACTIONAL)
        found = next(x for x in limits(quota) if (x.scope, x.measure) == (PAIR, "writes"))
        return cls(found.amount, found.amount / found.seconds)

    def seconds(self, writes: float) -> float:
        """Give the least seconds in which so many *writes* can be made."""
        return (writes - self.burst) / self.rate


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply took, beside what it could not do without."""

    floor: int
    """Writes that no client can save: one for each account, licence and manager, and the
    memberships bound twenty at a time."""
    floor_seconds: float
    seconds: float
    """From the receipt: of the execution, without the plan before it."""
    traffic: Traffic


def measure(folder: Path) -> Applied:
    """Apply 1,000 joiners with a licence, a manager and two groups each."""
    folder = folder / "writes"
    folder.mkdir()
    faults, seed, cohorts = folder / "faults.yaml", folder / "seed.yaml", folder / "cohorts"
    scale = {"amount": AMOUNT, "time": TIME}
    quota = {"version": 1, "quota": {"scale": scale, "retryAfter": Wait.FRACTIONAL.value}}
    faults.write_text(json.dumps(quota), encoding="utf-8")
    write(seed, cohorts)
    with served(tenant(folder, "tenant", seed), faults) as running:
        running.reconciler("apply", "--yes", "--out", folder / "out", cohorts)
        traffic = running.traffic()
    floor = PEOPLE * 3 + len(_GROUPS) * PEOPLE // _AT_ONCE * _binding()
    return Applied(floor, Limit.scaled().seconds(floor), _seconds(folder / "out"), traffic)


def measures(applied: Applied) -> list[Measure]:
    """Hold what it took against what it could not do without."""
    requests = len(applied.traffic.requests)
    what = f"apply of {PEOPLE:,} joiners at the quota"
    return [
        Measure(f"{what}: writes spent", "", applied.traffic.writes, applied.floor * _SPENT),
        Measure(f"{what}: seconds", "s", applied.seconds, applied.floor_seconds * _SLOWER),
        Measure(
            f"{what}: throttled of {requests:,} requests",
            "",
            applied.traffic.throttled,
            requests * _THROTTLED,
        ),
    ]


def write(seed: Path, cohorts: Path, number: int = PEOPLE) -> None:
    """Write the files of so many joiners, and the *seed* of the tenant that they join."""
    company: dict[str, Any] = {
        "version": 1,
        "company": {"displayName": "Measured", "country": "GB"},
        "domains": [{"name": people.DOMAIN, "isDefault": True}, people.INITIAL],
        "skus": [{"skuPartNumber": people.LICENSE, "seats": 2 * number}],
        "people": [{"userPrincipalName": _MANAGER}],
        "groups": [{"displayName": group} for group in _GROUPS],
    }
    seed.write_text(json.dumps(company), encoding="utf-8")
    cohorts.mkdir()
    (cohorts / "tenant.yaml").write_text(people.tenant_file(_GROUPS), encoding="utf-8")
    entries = "".join(map(people.entry, people.joiners("joiner", number)))
    defaults = f"defaults: {{manager: {_MANAGER}}}\nusers:\n"
    text = f"{people.head('joiners', _GROUPS)}{defaults}{entries}"
    (cohorts / "joiners.yaml").write_text(text, encoding="utf-8")


def _binding() -> int:
    """Give what the tenant charges for binding as many members as one request can."""
    body = {"members@odata.bind": ["somebody"] * _AT_ONCE}
    return cost(Incoming("PATCH", "/v1.0/groups/somewhere", body=body), 1).writes


def _seconds(out: Path) -> float:
    run = json.loads((out / "receipt.json").read_text(encoding="utf-8"))["run"]
    began, ended = (datetime.fromisoformat(run[name]) for name in ("startedAt", "finishedAt"))
    return (ended - began).total_seconds()
