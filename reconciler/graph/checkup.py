"""Whether a tenant and an identity are set up: step by step, each told as soon as it is known.

The way is that of every command: the same credential, transport, reads and guards. What
depends on something that failed is skipped, and says so.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure.core.exceptions import ClientAuthenticationError

from reconciler.errors import GraphUnreachable, PermissionMissing, ReconcilerError, UsageError
from reconciler.graph import needs, readiness, remedies
from reconciler.graph.auth import credential
from reconciler.graph.claims import claims, mismatches
from reconciler.graph.clouds import cloud as cloud_of
from reconciler.graph.connection import connect
from reconciler.graph.decoding import tenant as decoded_tenant
from reconciler.graph.observe import observe
from reconciler.graph.probing import attribute, first_answer
from reconciler.graph.requests import Requests
from reconciler.graph.steps import Status, Step, failed, warning
from reconciler.graph.transport import page
from reconciler.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from azure.core.credentials import TokenCredential

    from reconciler.graph.claims import Claims
    from reconciler.graph.clouds import Cloud
    from reconciler.graph.transport import Graph
    from reconciler.model import Desired, Tenant

    SignIn = Callable[[Cloud, Mapping[str, str]], TokenCredential]

_BEFORE = (
    "cloud",
    "credential",
    "login service",
    "sign-in",
    "token",
    "permissions",
    "Microsoft Graph",
    "clock",
    "quota",
    "tenant",
    "ownership attribute",
    "reading",
)
ORDER = (*_BEFORE, *(part.name for part in readiness.PARTS))
"""Every part of a check-up, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: which files are to be planned, or with *writes* applied, and where."""

    desired: Desired
    cloud: str
    environment: Mapping[str, str]
    writes: bool = True
    allowed_removals: int = 0


async def checkup(
    subject: Subject,
    now: Callable[[], datetime],
    *,
    sign_in: SignIn = credential,
    connect: Callable[..., AbstractAsyncContextManager[Graph]] = connect,
) -> AsyncGenerator[Step, None]:
    """Look at everything that a plan or an apply needs, in the order of `ORDER`.

    Raises nothing that a person could have caused. Nothing in a step is secret.
    """
    known: set[str] = set()
    blame = ""
    async with aclosing(_Checkup(subject, now, sign_in, connect).steps()) as steps:
        async for step in steps:
            known.add(step.part)
            blame = step.part if step.status is Status.FAILED else blame
            yield step
    for part in ORDER:
        if part not in known:
            yield Step(part, because=f"'{blame}' failed")


class _Checkup:
    """The steps of one check-up; they end where there is no going on."""

    def __init__(
        self,
        subject: Subject,
        now: Callable[[], datetime],
        sign_in: SignIn,
        connect: Callable[..., AbstractAsyncContextManager[Graph]],
    ) -> None:
        self.subject = subject
        self.desired, self.environment = subject.desired, subject.environment
        self.now = now
        self._connect = connect
        self._sign_in = sign_in
        self._credential: TokenCredential | None = None

    async def steps(self) -> AsyncGenerator[Step, None]:
        try:
            cloud = cloud_of(self.subject.cloud, self.environment)
        except UsageError as error:
            yield failed("cloud", error)
            return
        yield Step("cloud", f"{visible(cloud.graph)}, with sign-in at {visible(cloud.login)}")
        async with AsyncExitStack() as stack:
            try:
                connection = self._connect(self.subject.cloud, self.environment, sign_in=self._kept)
                graph = await stack.enter_async_context(connection)
            except UsageError as error:
                yield failed(self._where(), error)
                return
            yield Step("credential", remedies.kind_of(self._credential))
            async with aclosing(self._signed_in(graph, cloud)) as steps:
                async for step in steps:
                    yield step

    def _kept(self, cloud: Cloud, environment: Mapping[str, str]) -> TokenCredential:
        self._credential = self._sign_in(cloud, environment)
        return self._credential

    def _where(self) -> str:
        """Name what the environment is wrong about: who signs in, or whom to trust."""
        return "login service" if self._credential else "credential"

    async def _signed_in(self, graph: Graph, cloud: Cloud) -> AsyncGenerator[Step, None]:
        answers = Step("login service", f"{visible(cloud.login)} answers, and is trusted")
        try:
            token = graph.token()
        except GraphUnreachable as error:
            yield failed("login service", error)
            return
        except PermissionMissing as error:
            if isinstance(error.__cause__, ClientAuthenticationError):  # who was asked, and said no
                yield answers
            yield failed("sign-in", error)
            return
        except UsageError as error:
            yield failed("sign-in", error)
            return
        yield answers
        yield Step("sign-in", "there is a token")
        found = claims(token)
        yield self._token(found, cloud)
        missing = False
        for step in self._permissions(found):
            missing = missing or step.status is Status.FAILED
            yield step
        async with aclosing(self._reached(graph, found, missing=missing)) as steps:
            async for step in steps:
                yield step

    def _token(self, found: Claims | None, cloud: Cloud) -> Step:
        if found is None:
            return Step("token", problems=(warning("the token does not tell whose it is"),))
        is_application = remedies.is_of_application(self._credential)
        problems = mismatches(
            found,
            cloud,
            tenant=self.environment.get("AZURE_TENANT_ID", ""),
            application=self.environment.get("AZURE_CLIENT_ID", "") if is_application else "",
            declared=self.desired.tenant_file.tenant,
        )
        whose = "a person" if found.is_person else f"application {visible(found.application)}"
        return Step("token", f"of {whose} in tenant {visible(found.tenant)}", tuple(problems))

    def _permissions(self, found: Claims | None) -> Iterator[Step]:
        if found is None or found.is_person:
            yield Step(
                "permissions",
                problems=(
                    warning(
                        "the token names no application permissions: what it may do follows the "
                        "person's roles",
                        "check as the application that will run, with its own credential",
                    ),
                ),
            )
            return
        writes = self.subject.writes
        asked = needs.needs(self.desired, writes=writes)
        yield from needs.judged(asked, found.permissions, writes=writes)

    async def _reached(
        self, graph: Graph, found: Claims | None, *, missing: bool
    ) -> AsyncGenerator[Step, None]:
        requests = Requests(graph.client)
        try:
            first, was_refused = await first_answer(graph, requests)
        except ReconcilerError as error:
            yield failed("Microsoft Graph", error)
            return
        yield Step("Microsoft Graph", f"{visible(graph.root)} answers, and takes the token")
        yield remedies.clock(first.date, self.now())
        yield remedies.quota(first.used, was_refused=was_refused)
        if missing:
            for part in ORDER[ORDER.index("tenant") :]:
                yield Step(part, because="a permission is missing")
            return
        async with aclosing(self._permitted(graph, requests, found)) as steps:
            async for step in steps:
                yield step

    async def _permitted(
        self, graph: Graph, requests: Requests, found: Claims | None
    ) -> AsyncGenerator[Step, None]:
        try:
            organization, domains = await graph.read([requests.organization(), requests.domains()])
            tenant = decoded_tenant(page(organization)[0][0], page(domains)[0])
        except ReconcilerError as error:
            yield failed("tenant", error)
            return
        step = self._tenant(tenant)
        yield step
        if step.status is Status.FAILED:
            return
        ownership = await attribute(graph, requests, self.desired.tenant_file, found)
        yield ownership
        if ownership.status is Status.FAILED:
            return
        try:
            observed = await observe(graph, self.desired)
        except ReconcilerError as error:
            yield failed("reading", error)
            return
        there = counted(len(observed.users), "account")
        yield Step("reading", f"{there} and {counted(len(observed.groups), 'group')} read")
        for step in readiness.ready(
            readiness.situation_of(self.desired, observed, self.subject.allowed_removals)
        ):
            yield step

    def _tenant(self, tenant: Tenant) -> Step:
        told = f"{visible(tenant.display_name)} ({tenant.id})"
        if not self.desired.tenant_file.tenant:
            hint = "name it in cohorts/tenant.yaml, so that no other tenant is ever changed"
            return Step("tenant", told, (warning(f"{told}: no file says that it is meant", hint),))
        return Step("tenant", told, tuple(readiness.wrong_tenant(self.desired, tenant)))
