"""Each kind of fault on each kind of request, once each: an apply gets over it, or a rerun does."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest
from starlette.responses import JSONResponse, Response

from reconciler.config import load
from reconciler.credentials import check_recipients
from reconciler.errors import ExitCode
from reconciler.sandbox.trouble.patterns import pattern
from reconciler.sandbox.trouble.settings import Rule, Trouble
from tests.survival import here
from tests.survival.front import DROP, Front, front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from reconciler.sandbox.server import Endpoints
    from reconciler.sandbox.wire import Exchange
    from tests.survival.world import World

REQUESTS = (
    "GET /organization",
    "GET /users",
    "GET /groups/*/members|GET /users/*/memberOf",
    "GET /directory/deletedItems/**",
    "POST /users",
    "PATCH /users/*",
    "DELETE /users/*",
    "POST /users/*/assignLicense",
    "POST /users/*/revokeSignInSessions",
    "PUT /users/*/manager/$ref",
    "DELETE /users/*/manager/$ref",
    "POST /groups/*/members/$ref",
    "PATCH /groups/*",
    "DELETE /groups/*/members/*/$ref",
    "POST /roleManagement/directory/roleAssignments",
    "DELETE /roleManagement/directory/roleAssignments/*",
    "POST /directory/deletedItems/*/restore",
    "POST /$batch",
)
"""Every kind of request that an apply sends."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a request."""

    answer: int | str | None
    is_after: bool = False
    wait: float | None = None
    code: str | None = None
    message: str | None = None
    delay: float = 0.0

    def __str__(self) -> str:
        """Name it."""
        moment = "after" if self.is_after else "before"
        wait = "" if self.wait is None else f" retry-after {self.wait}"
        return f"{self.answer or 'late'}{wait}{f' {self.code}' if self.code else ''} {moment}"


_FAILURES: tuple[int | str, ...] = (500, 502, 503, 504, "dropped")
TROUBLES = (
    *(Fault(429, wait=wait) for wait in (None, 2, 2.128)),
    *(Fault(answer, is_after=is_after) for answer, is_after in product(_FAILURES, (False, True))),
    Fault(503, wait=3),
    Fault("truncated", is_after=True),
    Fault("truncatedHeaders", is_after=True),
    Fault(None, delay=30),
    Fault("expiredToken"),
    Fault("claimsChallenge"),
    Fault(404),
    Fault(409),
    Fault(412),
    Fault(423),
)
_WEAK = Fault(
    400,
    code="Request_BadRequest",
    message="The specified password does not comply with password complexity requirements. "
    "Please provide a different password.",
)
_NO_SEATS = Fault(
    400,
    code="Request_BadRequest",
    message="Subscription with SKU 06ebc4ee-1bb5-47dd-8120-11324bc54e06 does not have any "
    "available licenses.",
)
CELLS = (
    *product(REQUESTS, TROUBLES),
    ("POST /users", _WEAK),
    ("POST /users/*/assignLicense", _NO_SEATS),
)
PARTS = 4
_READS: Final = frozenset(request for request in REQUESTS if request.startswith("GET "))
_ENDINGS: Final[Mapping[int | str | None, AbstractSet[str]]] = {
    # What a plan rests on has to be there, and so has what only a person can bring back: the
    # collection of users, somebody in the recycle bin, an old account that is to join a group.
    # What is to be taken away is gone already; what this run has made is only not visible yet.
    404: _READS
    | {"POST /users", "POST /directory/deletedItems/*/restore", "POST /groups/*/members/$ref"},
    # Two writers at once: the write is sent again, and a read has no business to say so.
    409: _READS,
    # Nobody knows that waiting helps. But people who join a group together are tried one by one,
    # and what is said of a batch says nothing of what is in it.
    **dict.fromkeys((412, 423), frozenset(REQUESTS) - {"PATCH /groups/*", "POST /$batch"}),
}
"""Where one fault ends a run with 1. Every other is waited for, looked into or asked again:
throttling, failures of the service, lost answers, tokens that do not hold, another password."""


def _rules(request: str, fault: Fault) -> Iterator[Rule]:
    for one in request.split("|"):
        yield Rule(
            pattern(one),
            nth=(1,),
            answer=fault.answer,
            is_after=fault.is_after,
            code=fault.code,
            message=fault.message,
            wait=fault.wait,
            delay=fault.delay,
        )


@pytest.mark.parametrize("part", range(PARTS))
def test_every_fault_on_every_request(
    part: int, survivors: World, tmp_path: Path, covered: Callable[[str, int], None]
) -> None:
    """An apply ends as `_ENDINGS` says, and its receipt is true; a rerun does the rest."""
    failures: list[str] = []
    cells = CELLS[part::PARTS]
    for number, (request, fault) in enumerate(cells):
        folder = tmp_path / str(number)
        folder.mkdir()
        trouble = Trouble(faults=tuple(_rules(request, fault)))
        exchanges: list[Exchange] = []
        with survivors.tenant(
            folder,
            record=exchanges.append,
            trouble=trouble,
            sleep=here.Time().sleep,
        ) as (file, ends):
            out = folder / "out"
            is_end = request in _ENDINGS.get(fault.answer, ())
            code = ExitCode.FAILED if is_end else ExitCode.DONE
            wrong = _got_over(survivors, file, out, ends, ends.environment, code)
        wrong += [] if any(exchange.is_fault for exchange in exchanges) else ["it never happened"]
        failures += [f"{fault} on {request}: {line}" for line in wrong]
        shutil.rmtree(folder)
    covered("fault matrix", len(cells))

    assert not failures, "\n".join(failures)


def _got_over(  # noqa: PLR0913, PLR0917 -- where it happened, and how it is to end
    survivors: World,
    file: Path,
    out: Path,
    ends: Endpoints,
    environment: Mapping[str, str],
    code: ExitCode,
) -> list[str]:
    desired = load([survivors.cohorts], check_recipients)
    witness = survivors.witness(file, out)
    first = last = here.apply(environment, desired, out)
    odd = [] if first.code == code else [f"exit {first.code} in place of {code}: {first.told}"]
    odd += witness.lies()
    if first.code != ExitCode.DONE:
        last = here.apply(environment, desired, out)
        odd += witness.lies()
    stuck = [f"the rerun exits with {last.code}: {last.told}"] if last.code else []
    if stuck:
        return odd + stuck
    left = here.left_to_do(ends.environment, desired)
    return odd + left + survivors.check(file, out, ends, first.told, last.told)


@dataclass
class Struck:
    """Answers the first request of one kind at the login service with something else."""

    about: str
    answer: Response
    is_after: bool
    strikes: int = field(default=0)

    def before(self, label: str) -> Response | None:
        """Strike before the work is done."""
        return None if self.is_after else self._strike(label)

    def after(self, label: str) -> Response | None:
        """Strike when it is done."""
        return self._strike(label) if self.is_after else None

    def _strike(self, label: str) -> Response | None:
        if self.strikes or not label.endswith(self.about):
            return None
        self.strikes += 1
        return self.answer


LOGIN = tuple(
    (about, answer, is_after)
    for about, answer, is_after in product(
        ("openid-configuration", "token"),
        (
            *(Response(status_code=status) for status in (500, 502, 503, 504)),
            JSONResponse({"error": "temporarily_unavailable"}, 429, {"retry-after": "1"}),
            DROP,
        ),
        (False, True),
    )
)


def test_every_fault_at_the_login_service(
    survivors: World, tmp_path: Path, covered: Callable[[str, int], None]
) -> None:
    """A sign-in that fails once is tried again, and the run ends as if it had not."""
    failures: list[str] = []
    login: Front
    with front(
        survivors.certificates, survivors.trusted, Struck("", DROP, is_after=False)
    ) as login:
        for number, (about, answer, is_after) in enumerate(LOGIN):
            folder = tmp_path / str(number)
            folder.mkdir()
            login.say = Struck(about, answer, is_after)
            with survivors.tenant(folder) as (file, ends):
                environment = login.environment(ends.environment)
                out = folder / "out"
                wrong = _got_over(survivors, file, out, ends, environment, ExitCode.DONE)
            name = "dropped" if answer is DROP else answer.status_code
            failures += [
                f"{name} {'after' if is_after else 'before'} {about}: {line}" for line in wrong
            ]
            assert login.say.strikes == 1
            shutil.rmtree(folder)
    covered("faults at sign-in", len(LOGIN))

    assert not failures, "\n".join(failures)
