"""Two thousand people, one request in twenty goes wrong, and everybody arrives."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pyrage import x25519  # type: ignore[attr-defined]  # pyrage brings no types

from reconciler.config import load
from reconciler.credentials import check_recipients
from reconciler.errors import ExitCode
from reconciler.sandbox.server import running
from reconciler.sandbox.trouble.patterns import pattern
from reconciler.sandbox.trouble.settings import Rule, Trouble
from tests.survival import here, sealed, tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.sandbox.wire import Exchange
    from tests.survival.world import World

PEOPLE = 2_000
RUNS = 3
"""So many runs are enough."""
RATE = 0.05
SEED = 20_261
NAMES = [f"soak.{number:04}@contoso.com" for number in range(PEOPLE)]

_PARTS: tuple[tuple[int | str | None, bool, float | None], ...] = (
    (429, False, 1),
    (429, False, 0.5),
    (429, False, None),
    *(
        (status, is_after, None)
        for status, is_after in product((500, 502, 503, 504), (False, True))
    ),
    (409, False, None),
    (423, False, None),
)
_BATCHES: tuple[tuple[int | str | None, bool, float | None], ...] = (
    *_PARTS[:3],
    (503, False, None),
    (504, True, None),
    ("dropped", False, None),
    ("dropped", True, None),
    ("truncated", True, None),
    ("truncatedHeaders", True, None),
)


def _rules() -> Iterator[Rule]:
    """Give faults of every kind that together strike one request in twenty, batches and parts."""
    for answers, request, in_batch in (
        (_PARTS, "POST|PATCH|PUT|DELETE /**", True),
        (_BATCHES, "POST /$batch", False),
    ):
        for answer, is_after, wait in answers:
            yield Rule(
                pattern(request),
                in_batch=in_batch,
                probability=RATE / len(answers),
                answer=answer,
                is_after=is_after,
                wait=wait,
            )


def _cohorts(folder: Path, recipient: str) -> Path:
    folder.mkdir()
    (folder / "tenant.yaml").write_text(
        "version: 1\ntenant: contoso.onmicrosoft.com\nsource: contoso-identity\n"
        "ownership: extensionAttribute15\ndomains: [contoso.com]\n"
        "groups: [Research - All staff, Helpdesk pilot]\n",
        "utf-8",
    )
    people = "".join(
        f"  - {{givenName: Soak, surname: N{number}, userPrincipalName: {name}, "
        f"manager: {NAMES[number - number % 50]}}}\n"
        for number, name in enumerate(NAMES)
        if number % 50
    ) + "".join(
        f"  - {{givenName: Soak, surname: N{number}, userPrincipalName: {name}}}\n"
        for number, name in enumerate(NAMES)
        if not number % 50
    )
    (folder / "soak.yaml").write_text(
        "version: 1\ncohort: soak\ndefaults: {usageLocation: GB, department: Research}\n"
        "groups: [Research - All staff, Helpdesk pilot]\n"
        f"credentials: {{recipients: [{recipient}]}}\nusers:\n{people}",
        "utf-8",
    )
    return folder


def test_two_thousand_people_arrive_in_rough_weather(
    survivors: World, tmp_path: Path, covered: Callable[[str, int], None]
) -> None:
    """Within three runs all are there once, with all that they are to have, and can sign in."""
    identity = x25519.Identity.generate()
    cohorts = _cohorts(tmp_path / "cohorts", str(identity.to_public()))
    desired = load([cohorts], check_recipients)
    file, out = tmp_path / "tenant.sqlite", tmp_path / "out"
    trouble = Trouble(seed=SEED, faults=tuple(_rules()))
    faults: list[Exchange] = []

    def record(exchange: Exchange) -> None:
        if exchange.is_fault:
            faults.append(exchange)

    with running(
        file,
        folder=survivors.certificates,
        tunnel_port=None,
        trouble=trouble,
        record=record,
        sleep=here.Time().sleep,
    ) as ends:
        told: list[here.Done] = []
        while len(told) < RUNS and (not told or told[-1].code):
            told.append(here.apply(ends.environment, desired, out))
        struck = len(faults)
        left = here.left_to_do(ends.environment, desired)
        there = tenants.state(file)
        passwords = sealed.opened(out, str(identity))
        with tenants.SignIn(ends.environment, survivors.trusted) as sign_in:
            locked_out = sign_in.locked_out(NAMES, passwords)
    everything = {password for some in passwords.values() for password in some}
    covered("soak, people", PEOPLE)
    covered("soak, faults", struck)

    assert [done.code for done in told][-1] == ExitCode.DONE, told[-1].told
    assert left == []
    assert tenants.doubled(there) == []
    assert sum(key.endswith("contoso.com: manager") and "user soak." in key for key in there) == (
        PEOPLE
    )
    assert locked_out == []
    assert sealed.in_the_clear(out, everything) == []
    assert struck > PEOPLE * RATE
