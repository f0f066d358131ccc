"""What runs say that they did, held against the tenant: what it keeps, and not what it answers."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.survival import tenants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.survival.tenants import State

_PARTS = {
    "05e9a617-0261-4cee-bb44-138d3ef5d965": "SPE_E3",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06": "SPE_E5",
    "f8a1db68-be16-40ed-86d5-cb42ce701560": "POWER_BI_PRO",
}
"""Microsoft's names of the licences that the scenario has."""
_FORMS = (
    (re.compile(r"user (?P<who>\S+): manager"), "manager/{who}"),
    (re.compile(r"user (?P<who>\S+): .+"), "user/{who}"),
    (re.compile(r"member of .*?(?P<group>\S+): (?P<who>\S+)"), "membership/{who}/{group}"),
    (re.compile(r"license (?P<sku>\S+) of (?P<who>\S+) through none"), "license/{who}/{sku}"),
    (
        re.compile(r"role (?P<role>\S+) over (?P<scope>\S+) of (?P<who>\S+)"),
        "roleAssignment/{who}/{role}{scope}",
    ),
)
"""What each fact about a person is called in a receipt; licences through groups are nobody's."""
_PERHAPS = "this may have been carried out"
"""Of what was in flight when the run was ended: nobody could say."""

Facts = dict[str, dict[str, Any]]
"""What a tenant holds, by the address that a change of it has, and then by name."""


@dataclass
class Witness:
    """Has seen a tenant before a run, and looks at it and at the run's receipt afterwards."""

    file: Path
    out: Path
    end: State
    """What all runs together are to end with."""
    _there: State = field(init=False)
    _read: frozenset[Path] = field(init=False)

    def __post_init__(self) -> None:
        self._there, self._read = tenants.state(self.file), self._receipts()

    def lies(self) -> list[str]:
        """Tell in what the receipt of the run since the last look does not fit the tenant.

        A run without one has to have changed nothing.
        """
        before, self._there = self._there, tenants.state(self.file)
        read, self._read = self._read, self._receipts()
        new = self._read - read
        if not new:
            untold = tenants.differences(before, self._there)
            return [f"changed without a receipt: {line}" for line in untold]
        (receipt,) = new
        outcomes = json.loads(receipt.read_bytes())["outcomes"]
        return lies(outcomes, _facts(before), _facts(self._there), _facts(self.end))

    def _receipts(self) -> frozenset[Path]:
        return frozenset(self.out.glob("receipt*.json"))


def lies(
    outcomes: Sequence[Mapping[str, Any]], before: Facts, there: Facts, end: Facts
) -> list[str]:
    """Tell which *outcomes* of a run that was to lead from *before* to *end* are not so *there*."""
    to_do = {address for address in before | end if before.get(address) != end.get(address)}
    told = Counter(outcome["address"] for outcome in outcomes)
    wrong = [f"{address} is not in the receipt" for address in sorted(to_do - told.keys())]
    wrong += [f"{address} is told {times} times" for address, times in told.items() if times > 1]
    for outcome in outcomes:
        address = outcome["address"]
        is_done = there.get(address) == end.get(address)
        match outcome["outcome"]:
            case "applied":
                # Who comes back from the recycle bin has some of it already, as the note says.
                is_true = is_done and (address in to_do or bool(outcome["note"]))
            case "failed":
                is_true = not is_done or _PERHAPS in outcome["error"]["message"]
            case _:
                is_true = there.get(address) == before.get(address)
        wrong += [] if is_true else [f"it is not so of {address}: {outcome}"]
    return wrong


def _facts(state: State) -> Facts:
    """Sort facts by what they are about; who is deleted keeps what is theirs, and the name."""
    facts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for fact, value in state.items():
        living = fact.replace(" (deleted)", "")
        if (address := _address(living)) and value is not None:
            facts[address][living] = value
        if living != fact and fact.startswith("user "):
            facts[f"user/{fact.split()[1]}"]["is deleted"] = True
    return dict(facts)


def _address(fact: str) -> str | None:
    for form, address in _FORMS:
        if found := form.fullmatch(fact):
            parts = found.groupdict()
            return address.format(**parts | {"sku": _PARTS.get(parts.get("sku", ""))})
    return None
