"""A check-up over real HTTP: what is told of each way in which a set-up can be wrong."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError

from reconciler.diagnostics import Position
from reconciler.errors import ExitCode, PermissionMissing
from reconciler.graph.checkup import ORDER, Subject, checkup
from reconciler.graph.connection import connect
from reconciler.graph.steps import Status, Step, exit_code
from reconciler.model import Desired, Listed, TenantFile
from reconciler.sandbox.company.contoso import EXTENSION_APP_ID, EXTENSIONS, TENANT_ID
from reconciler.sandbox.server import running
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.model import DeclaredUser
    from reconciler.sandbox.wire import Incoming
    from tests.graph.conftest import Credential, Tenant

    Declared = Callable[..., DeclaredUser]

HERE = Position("cohorts/tenant.yaml", 1, 1)
CLOSED = "http://127.0.0.1:9"
"""Nobody listens at the port of discard."""


def a_file(**more: Any) -> TenantFile:  # noqa: ANN401 -- JSON, or whatever is passed on
    """Give a tenant file."""
    known = {"tenant": TENANT_ID, "protected": ("breakglass@contoso.com",)}
    return TenantFile(**{"source": "hr", "position": HERE, **known, **more})


def checked(
    environment: Mapping[str, str],
    desired: Desired | None = None,
    *,
    writes: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **more: Any,  # noqa: ANN401 -- as above
) -> list[Step]:
    """Check a tenant; waits for nothing."""

    async def none(_: float) -> None:
        await asyncio.sleep(0)

    async def steps() -> list[Step]:
        subject = Subject(desired or Desired((), (), a_file()), "global", environment, writes)
        opened = partial(connect, sleep=none)
        return [step async for step in checkup(subject, now, connect=opened, **more)]

    return asyncio.run(steps())


def ends(steps: list[Step]) -> tuple[str, Status, list[str], ExitCode]:
    """Give the last step that was not skipped, with its problems and what all ends with."""
    last = [step for step in steps if step.status is not Status.SKIPPED][-1]
    return last.part, last.status, [p.summary for p in last.problems], exit_code(steps)


def of(part: str, steps: list[Step]) -> Step:
    """Give the step of that part."""
    (found,) = (step for step in steps if step.part == part)
    return found


def parts(steps: list[Step]) -> tuple[str, ...]:
    """Name the parts, each once, in the order in which they were told."""
    return tuple(dict.fromkeys(step.part for step in steps))


def test_a_set_up_that_is_right(tenant: Tenant) -> None:
    """Every part is told, in order; what is granted beyond need is a warning."""
    steps = checked(tenant.endpoints.read_only_environment)

    assert parts(steps) == ORDER
    assert exit_code(steps) is ExitCode.DONE
    assert {step.status for step in steps if step.part != "permissions"} == {Status.OK}
    assert of("credential", steps).told == "a client secret, because AZURE_CLIENT_SECRET is set"
    assert of("tenant", steps).told == f"Contoso ({TENANT_ID})"
    assert [p.summary for s in steps if s.status is Status.WARNING for p in s.problems] == [
        "nothing in these files needs RoleEligibilitySchedule.Read.Directory",
        "nothing in these files needs RoleManagement.Read.Directory",
    ]


def test_little_is_asked_and_nothing_is_written(tenant: Tenant) -> None:
    """A check-up takes a handful of round trips, all of them batches of reads."""
    before = len(tenant.exchanges)
    checked(tenant.endpoints.environment, writes=True)
    asked = tenant.exchanges[before:]

    assert {exchange.method for exchange in asked if not exchange.is_batch} == {"GET"}
    assert sum(exchange.is_batch for exchange in asked) <= 4


def test_the_writer_is_no_identity_for_plans(tenant: Tenant) -> None:
    """Each permission that writes is a warning for an identity that pull requests run as."""
    steps = checked(tenant.endpoints.environment)
    told = [p.summary for step in steps for p in step.problems if " writes, and " in p.summary]

    assert exit_code(steps) is ExitCode.DONE
    assert len(told) == 6


@pytest.mark.parametrize(
    ("variables", "part", "told", "code"),
    [
        (
            {"RECONCILER_GRAPH_URL": "http://graph.example"},
            "cloud",
            "RECONCILER_GRAPH_URL is an address where a token would travel in the clear",
            ExitCode.FAILED,
        ),
        (
            {"AZURE_CLIENT_SECRET": ""},
            "credential",
            "no credentials for Microsoft Graph in the environment",
            ExitCode.FAILED,
        ),
        (
            {"AZURE_CLIENT_SECRET": "", "GITHUB_ACTIONS": "true"},
            "credential",
            "this job may not ask GitHub for a token to sign in with",
            ExitCode.FAILED,
        ),
        (
            {"REQUESTS_CA_BUNDLE": "/nowhere.pem"},
            "login service",
            "REQUESTS_CA_BUNDLE, SSL_CERT_FILE or CURL_CA_BUNDLE names no usable file",
            ExitCode.FAILED,
        ),
        (
            {"AZURE_CLIENT_SECRET": "s3cret-but-wrong"},
            "sign-in",
            "the login service refused to sign in: AADSTS7000215",
            ExitCode.PERMISSION_MISSING,
        ),
        (
            {"AZURE_CLIENT_SECRET": "", "AZURE_FEDERATED_TOKEN_FILE": "/nowhere"},
            "sign-in",
            "AZURE_FEDERATED_TOKEN_FILE names no file that can be read",
            ExitCode.FAILED,
        ),
        (
            {"RECONCILER_GRAPH_URL": CLOSED},
            "Microsoft Graph",
            "Microsoft Graph does not answer",
            ExitCode.UNREACHABLE,
        ),
    ],
    ids=["cloud", "nothing", "a job", "no file", "secret", "federated", "no Graph"],
)
def test_what_ends_a_check_up(
    tenant: Tenant, variables: dict[str, str], part: str, told: str, code: ExitCode
) -> None:
    """What follows is skipped and says because of what; no secret is in any of it."""
    steps = checked({**tenant.endpoints.read_only_environment, **variables})
    name, status, problems, ended = ends(steps)

    assert (name, status, ended) == (part, Status.FAILED, code)
    assert problems[0].startswith(told)
    assert set(parts(steps)) == set(ORDER)
    assert {step.because for step in steps if step.because} == {f"'{part}' failed"}
    assert "s3cret" not in repr(steps)
    assert tenant.endpoints.read_only_environment["AZURE_CLIENT_SECRET"] not in repr(steps)


class Holder:
    """A credential that shows a token of these claims."""

    def __init__(self, **told: object) -> None:
        payload = base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")
        self._token = f"header.{payload}.signature"

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """Give it."""
        return AccessToken(self._token, 2**31)


def test_a_token_that_tells_nothing(tenant: Tenant, credential: Credential) -> None:
    """What it does not tell is a warning; that Graph does not take it is a failure."""
    steps = checked(tenant.endpoints.environment, sign_in=lambda *_: credential)

    assert of("token", steps).status is Status.WARNING
    assert of("permissions", steps).status is Status.WARNING
    part, status, problems, code = ends(steps)
    assert (part, status, code) == (
        "Microsoft Graph",
        Status.FAILED,
        ExitCode.PERMISSION_MISSING,
    )
    assert problems[0].startswith("Graph does not accept the token of this sign-in: 401")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("refused", "the login service does not answer"),
        ("CERTIFICATE_VERIFY_FAILED", "the certificate of the login service is not trusted"),
    ],
)
def test_the_login_service_is_not_reached(
    tenant: Tenant, credential: Credential, words: str, told: str
) -> None:
    """Silence and a certificate that nobody vouches for are told apart, and end with 69."""
    credential.trouble = ServiceRequestError(words)
    steps = checked(tenant.endpoints.environment, sign_in=lambda *_: credential)

    assert ends(steps) == ("login service", Status.FAILED, [told], ExitCode.UNREACHABLE)
    assert of("login service", steps).problems[0].hint


def test_nobody_was_asked_to_sign_in(tenant: Tenant, credential: Credential) -> None:
    """Where GitHub gives a job no token, nothing is known of the login service."""
    credential.trouble = PermissionMissing("GitHub refused this job a token", "id-token: write")
    steps = checked(tenant.endpoints.environment, sign_in=lambda *_: credential)

    assert ends(steps)[::3] == ("sign-in", ExitCode.PERMISSION_MISSING)
    assert of("login service", steps).because == "'sign-in' failed"


def test_a_persons_token(tenant: Tenant) -> None:
    """Whose roles decide is not told by any permission of an application."""
    person = Holder(aud="https://graph.microsoft.com", tid=TENANT_ID, appid="cli", scp="User.Read")
    steps = checked(tenant.endpoints.environment, sign_in=lambda *_: person)

    assert of("permissions", steps).status is Status.WARNING
    assert "a person" in of("token", steps).told
    assert "AZURE_CLIENT_ID" in of("token", steps).problems[0].summary


def test_permissions_are_missing(tenant: Tenant, declared: Declared) -> None:
    """Each is told with its remedy; Graph, clock and quota are still looked at."""
    desired = Desired((declared("ada@contoso.com"),), (), a_file(licenses=(Listed("X", HERE),)))
    steps = checked(tenant.endpoints.read_only_environment, desired, writes=True)
    missing = {step.about for step in steps if step.status is Status.FAILED}

    assert missing == {"create and change users", "delete and restore users", "assign licenses"}
    assert exit_code(steps) is ExitCode.PERMISSION_MISSING
    assert of("clock", steps).status is Status.OK
    assert of("tenant", steps).because == "a permission is missing"
    assert parts(steps) == ORDER


@pytest.mark.parametrize(
    ("minutes", "status"), [(2, Status.WARNING), (-10, Status.FAILED)], ids=["off", "far off"]
)
def test_the_clock_is_compared_with_graphs(tenant: Tenant, minutes: int, status: Status) -> None:
    """It is this machine's against the Date of Graph's answers."""
    steps = checked(
        tenant.endpoints.read_only_environment,
        now=lambda: datetime.now(UTC) + timedelta(minutes=minutes),
    )

    assert of("clock", steps).status is status
    assert of("removals", steps).status is Status.OK


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no"}}


DENIED = Reply(403, _error("Authorization_RequestDenied"))
BUSY = Reply(429, _error("TooManyRequests"), {"Retry-After": "0.05"})
GONE = Reply(503, _error("serviceNotAvailable"))


def refusing(path: str, *replies: Reply, count: int = 1000) -> Callable[[Incoming], Reply | None]:
    """Answer the first *count* requests to *path* with each of *replies* in turn."""
    left = [*replies] * count

    def intercept(incoming: Incoming) -> Reply | None:
        is_meant = incoming.is_inner and incoming.path.startswith(f"/v1.0/{path}")
        return left.pop(0) if is_meant and left else None

    return intercept


@pytest.mark.parametrize(
    ("path", "reply", "part", "code"),
    [
        ("organization", DENIED, "tenant", ExitCode.PERMISSION_MISSING),
        ("organization", GONE, "Microsoft Graph", ExitCode.UNREACHABLE),
        ("users", DENIED, "reading", ExitCode.PERMISSION_MISSING),
    ],
    ids=["denied", "gone", "unreadable"],
)
def test_graph_refuses(path: str, reply: Reply, part: str, code: ExitCode) -> None:
    """A refusal is told where it is met, whatever the token had said."""
    with running(intercept=refusing(path, reply)) as endpoints:
        steps = checked(endpoints.read_only_environment)

    assert ends(steps)[::3] == (part, code)
    assert {step.because for step in steps if step.because} == {f"'{part}' failed"}


@pytest.mark.parametrize(
    ("reply", "status"), [(BUSY, Status.WARNING), (GONE, Status.OK)], ids=["busy", "hiccup"]
)
def test_graph_is_busy_at_first(reply: Reply, status: Status) -> None:
    """One refusal for being too many is worth a warning, and nothing fails of it."""
    with running(intercept=refusing("organization", reply, count=1)) as endpoints:
        steps = checked(endpoints.read_only_environment)

    assert of("quota", steps).status is status
    assert exit_code(steps) is ExitCode.DONE


def test_another_tenant(tenant: Tenant) -> None:
    """In the wrong tenant nothing else is worth saying."""
    desired = Desired((), (), a_file(tenant="fabrikam.com"))
    steps = checked(tenant.endpoints.read_only_environment, desired)

    assert ends(steps)[::3] == ("tenant", ExitCode.FAILED)
    assert of("reading", steps).because == "'tenant' failed"


def test_no_tenant_file(tenant: Tenant) -> None:
    """Without one nothing says which tenant is meant."""
    steps = checked(tenant.endpoints.read_only_environment, Desired((), ()))

    assert of("tenant", steps).status is Status.WARNING
    assert exit_code(steps) is ExitCode.DONE


def test_a_directory_extension(tenant: Tenant) -> None:
    """A search for it shows that it is there; whoever may read applications sees which type."""
    desired = Desired((), (), a_file(ownership=EXTENSIONS[0]))
    for environment in (tenant.endpoints.read_only_environment, tenant.endpoints.administration):
        step = of("ownership attribute", checked(environment, desired))
        assert step.status is Status.OK
        assert f"{EXTENSIONS[0]} is registered, by application {EXTENSION_APP_ID}" in step.told


def test_an_extension_that_nobody_registered(tenant: Tenant) -> None:
    """What cannot be searched for is not there, and all that would search is skipped."""
    name = f"extension_{EXTENSION_APP_ID.replace('-', '')}_absent"
    desired = Desired((), (), a_file(ownership=name))
    steps = checked(tenant.endpoints.read_only_environment, desired)
    step = of("ownership attribute", steps)

    assert step.status is Status.FAILED
    assert '"name":"absent"' in str(step.problems[0].hint)
    assert of("reading", steps).because == "'ownership attribute' failed"


def test_an_extension_cannot_be_looked_for() -> None:
    """A refused search is a missing permission, not a missing extension."""
    desired = Desired((), (), a_file(ownership=EXTENSIONS[0]))
    with running(intercept=refusing("users", DENIED)) as endpoints:
        steps = checked(endpoints.read_only_environment, desired)

    assert ends(steps)[::3] == ("ownership attribute", ExitCode.PERMISSION_MISSING)
