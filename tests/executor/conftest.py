"""A company to apply plans to: the sandbox over real HTTP, on a clock that only sleep moves."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from reconciler.credentials import generate, unseal
from reconciler.diagnostics import Position
from reconciler.executor.run import Files, execute
from reconciler.executor.surroundings import Clock, Stop
from reconciler.graph.auth import credential
from reconciler.graph.connection import connect
from reconciler.graph.observe import observe
from reconciler.model import (
    Cohort,
    CohortName,
    DeclaredGroup,
    DeclaredLicense,
    DeclaredRole,
    DeclaredUser,
    Desired,
    Listed,
    Removal,
    TenantFile,
    UserPrincipalName,
)
from reconciler.plan import Plan, build
from reconciler.sandbox.company.contoso import AGE_IDENTITY, AGE_RECIPIENT, TENANT_ID
from reconciler.sandbox.server import Endpoints, running
from reconciler.sandbox.wire import After, Exchange, Incoming, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.changes import Wave
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.receipt import Run

HERE = Position("cohorts/beta.yaml", 1, 1)
SOURCE = "contoso-identity"
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Fault = Callable[[Incoming], Reply | After | None]


@dataclass
class Time:
    """A clock that stands still except while somebody sleeps; sleeping takes no time."""

    elapsed: float = 0.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    is_endless: bool = False
    """Whether sleeping takes longer than any test should."""

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.slept.append(seconds)
        self.on_sleep()
        await asyncio.sleep(5 if self.is_endless else 0)
        self.elapsed += seconds

    @property
    def clock(self) -> Clock:
        """Give the clock in the engine's form."""
        return Clock(lambda: BEGINNING + timedelta(seconds=self.elapsed), lambda: self.elapsed)


@dataclass
class Watching:
    """Remembers what it was told."""

    waves: list[tuple[Wave, int]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)

    def wave(self, wave: Wave, changes: int) -> None:
        """Note a wave."""
        self.waves.append((wave, changes))

    def settled(self, outcome: Outcome) -> None:
        """Note an outcome."""
        self.outcomes.append(outcome)

    def confirming(self, changes: int) -> None:
        """Note what is waited for."""
        self.waited.append(changes)


@dataclass
class Applied:
    """What a run left, and what was sent for it."""

    plan: Plan
    run: Run
    files: Files
    out: Path
    exchanges: list[Exchange]
    watching: Watching

    @property
    def told(self) -> dict[str, str]:
        """Give the word for what became of each change, by address."""
        return {o.change.key.address: o.word for o in self.run.outcomes}

    def outcome(self, address: str) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        """Give what became of one change."""
        (found,) = [o for o in self.run.outcomes if o.change.key.address == address]
        return found

    def of_kind(self, kind: str) -> list[Any]:
        """Give what became of the changes of one kind."""
        return [o for o in self.run.outcomes if o.change.key.kind == kind]

    @property
    def writes(self) -> list[Exchange]:
        """Give the writes in the order in which they arrived, batches taken apart."""
        return [e for e in self.exchanges if e.method != "GET" and not e.is_batch]

    def sent(self, method: str, path: str) -> list[Exchange]:
        """Give the writes of one kind; *path* is a part of the URL."""
        return [e for e in self.writes if e.method == method and path in e.path]

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Give the journal's lines."""
        return [orjson.loads(line) for line in self.files.journal.read_bytes().splitlines()]

    @property
    def receipt(self) -> dict[str, Any]:
        """Give the receipt."""
        document: dict[str, Any] = orjson.loads(self.files.receipt.read_bytes())
        return document


def unsealed(path: Path) -> dict[str, str]:
    """Give the passwords of a sealed file, by UPN."""
    rows = unseal(path.read_bytes(), [AGE_IDENTITY.encode()]).decode().splitlines()[1:]
    return {upn: password for _, upn, password in (row.split(",") for row in rows)}


@dataclass
class Company:
    """A tenant of one's own, with faults to order and everything that it was asked."""

    out: Path
    endpoints: Endpoints
    time: Time
    exchanges: list[Exchange]
    faults: list[Fault]

    def apply(
        self,
        desired: Desired,
        *,
        draw: Any = generate,  # noqa: ANN401 -- JSON, or whatever is passed on
        stop: Stop | None = None,
        before: Callable[[], None] = lambda: None,
        sign_in: Any = credential,  # noqa: ANN401 -- JSON, or whatever is passed on
    ) -> Applied:
        """Observe, plan, and execute the plan."""
        return asyncio.run(self._apply(desired, draw, stop or Stop(), before, sign_in))

    async def _apply(
        self,
        desired: Desired,
        draw: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
        stop: Stop,
        before: Callable[[], None],
        sign_in: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
    ) -> Applied:
        time = self.time
        async with connect(
            "global",
            self.endpoints.environment,
            sleep=time.sleep,
            jitter=lambda: 1.0,
            monotonic=lambda: time.elapsed,
            sign_in=sign_in,
        ) as graph:
            plan = build(desired, await observe(graph, desired))
            assert plan.refusals == ()
            before()
            first, watching = len(self.exchanges), Watching()
            run, files = await execute(
                plan,
                graph,
                out=self.out,
                watcher=watching,
                clock=time.clock,
                stop=stop,
                draw=draw,
            )
        return Applied(plan, run, files, self.out, self.exchanges[first:], watching)

    def get(self, path: str) -> Any:  # noqa: ANN401 -- JSON, or whatever is passed on
        """Ask the tenant for something, past all faults' concern."""
        with self._login() as login:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.endpoints.environment["AZURE_CLIENT_ID"],
                "client_secret": self.endpoints.environment["AZURE_CLIENT_SECRET"],
                "scope": "https://graph.microsoft.com/.default",
            }
            token = login.post(f"/{TENANT_ID}/oauth2/v2.0/token", data=form).json()["access_token"]
        root = self.endpoints.environment["RECONCILER_GRAPH_URL"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{root}/v1.0{path}", headers=headers).json()

    def sign_in(self, name: str, password: str) -> int:
        """Sign a person in; gives the number of the login service's refusal."""
        form = {
            "grant_type": "password",
            "client_id": self.endpoints.environment["AZURE_CLIENT_ID"],
            "client_secret": self.endpoints.environment["AZURE_CLIENT_SECRET"],
            "username": name,
            "password": password,
            "scope": "https://graph.microsoft.com/.default",
        }
        with self._login() as login:
            reply = login.post(f"/{TENANT_ID}/oauth2/v2.0/token", data=form).json()
        return int(reply["error_codes"][0])

    def _login(self) -> httpx.Client:
        environment = self.endpoints.environment
        trusted = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
        return httpx.Client(base_url=environment["AZURE_AUTHORITY_HOST"], verify=trusted)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder whose certificates all tenants of the run share."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def company(
    certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Company]:
    """Run a tenant of one's own."""
    caplog.set_level(logging.DEBUG)
    exchanges: list[Exchange] = []
    faults: list[Fault] = []

    def intercept(incoming: Incoming) -> Reply | After | None:
        verdicts = (fault(incoming) for fault in faults)
        return next((verdict for verdict in verdicts if verdict is not None), None)

    with ExitStack() as stack:
        endpoints = stack.enter_context(
            running(intercept=intercept, record=exchanges.append, folder=certificates)
        )
        yield Company(tmp_path / "out", endpoints, Time(), exchanges, faults)


def error(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """Give an error in Graph's envelope; headers with underscores for dashes."""
    inner = {"date": "2026-03-02T09:00:00", "request-id": "the-request", "client-request-id": "c"}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, body, shown)


@dataclass
class Times:
    """A fault that strikes the first *times* requests of one kind."""

    method: str
    path: str
    reply: Reply
    times: int = 1
    after: bool = False
    """Whether the tenant does what was asked, and then answers so."""
    struck: int = 0

    def __call__(self, incoming: Incoming) -> Reply | After | None:
        """Strike, or stand aside."""
        is_meant = incoming.is_inner or incoming.path.endswith("$batch")
        if not (is_meant and incoming.method == self.method and self.path in incoming.path):
            return None
        if self.struck >= self.times:
            return None
        self.struck += 1
        return After(self.reply) if self.after else self.reply


@dataclass(frozen=True)
class Making:
    """Makes what tests declare, and faults."""

    @staticmethod
    def person(  # noqa: PLR0913 -- each by its name
        name: str,
        *,
        cohort: str = "beta",
        licenses: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
        roles: tuple[str, ...] = (),
        adopt: bool = False,
        **fields: Any,  # noqa: ANN401 -- JSON, or whatever is passed on
    ) -> DeclaredUser:
        """Declare a person at contoso.com."""
        return DeclaredUser(
            user_principal_name=UserPrincipalName(f"{name}@contoso.com"),
            cohort=CohortName(cohort),
            fields={} if adopt else {"usageLocation": "GB", **fields},
            display_name=None if adopt else name.capitalize(),
            licenses=tuple(DeclaredLicense(sku, None, HERE) for sku in licenses),
            groups=tuple(DeclaredGroup(group, HERE) for group in groups),
            roles=tuple(DeclaredRole(role, "because", None, HERE) for role in roles),
            adopt=adopt,
            position=HERE,
            positions={},
        )

    @staticmethod
    def desired(
        *users: DeclaredUser,
        cohorts: tuple[str, ...] = ("beta",),
        removal: Removal = Removal.KEEP,
        recipient: str = AGE_RECIPIENT,
        licenses: tuple[str, ...] = ("SPE_E5", "SPE_E3", "POWER_BI_PRO", "PROJECTPROFESSIONAL"),
    ) -> Desired:
        """Declare everything, under a tenant file that manages what the tests use."""
        groups = ("Research - All staff", "Contractors - Building access", "Helpdesk pilot")
        tenant_file = TenantFile(
            source=SOURCE,
            tenant=TENANT_ID,
            domains=("contoso.com",),
            licenses=tuple(Listed(name, HERE) for name in licenses),
            groups=tuple(Listed(name, HERE) for name in groups),
            roles=(Listed("User Administrator", HERE),),
            removal=removal,
            position=HERE,
        )
        known = tuple(Cohort(CohortName(name), None, None, (recipient,), HERE) for name in cohorts)
        return Desired(users, known, tenant_file)

    error = staticmethod(error)
    fault = Times
    unsealed = staticmethod(unsealed)


@pytest.fixture(scope="session")
def make() -> Making:
    """Give what makes declarations and faults."""
    return Making()
