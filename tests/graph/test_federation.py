from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.connection import connect
from reconciler.graph.federation import ATTEMPTS, Federated, Job, job
from reconciler.graph.refusals import _REMEDIES, Presented, presented, remedy
from reconciler.graph.requests import Requests
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, PLAN_APP
from reconciler.sandbox.server import running
from tests.actions.issuer import AUDIENCE, Answer, Issuer, issuing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.graph.transport import Graph
    from reconciler.sandbox.server import Endpoints

ROOT = Path(__file__).parents[2]
SUBJECT = "repo:contoso/identity:environment:production"
WITH_IDS = "repo:contoso@1234/identity@5678:environment:production"
URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 -- a variable's name
SECRET = "AZURE_CLIENT_SECRET"  # noqa: S105 -- a variable's name


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Run GitHub's side for all tests of the file."""
    with issuing() as made:
        yield made


@pytest.fixture(autouse=True)
def _usual(issuer: Issuer) -> None:
    """Forget what an earlier test asked, and asked for."""
    issuer.asked.clear()
    issuer.instead.clear()
    issuer.claims.clear()
    issuer.requests = 0


@dataclass
class Company:
    """A running tenant, kept in *file*, whose two applications trust the issuer's jobs."""

    endpoints: Endpoints
    file: Path
    issuer: Issuer

    def environment(self, subject: str = SUBJECT, **changes: str) -> dict[str, str]:
        """Give the variables of a job there: nothing in them is a secret of the tenant."""
        known = {k: v for k, v in self.endpoints.environment.items() if k != SECRET}
        return known | self.issuer.job(subject) | changes


@pytest.fixture(scope="module")
def company(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Run a tenant whose applications trust one subject."""
    file = tmp_path_factory.mktemp("federated") / "tenant.sqlite"
    with running(file, tunnel_port=None) as endpoints:
        issuer.trust(file, APPLY_APP.client_id, SUBJECT)
        issuer.trust(file, PLAN_APP.client_id, SUBJECT.replace("environment:", "Environment:"))
        issuer.trust(file, PLAN_APP.client_id, WITH_IDS)
        yield Company(endpoints, file, issuer)


async def domains(graph: Graph) -> set[str]:
    """Ask Graph something, to see that the token opens it."""
    (reply,) = await graph.read([Requests(graph.client).domains()])
    return {domain["id"] for domain in reply.body["value"]}


def connected(
    environment: dict[str, str],
    ask: Callable[[Graph], Any] = domains,
    cloud: str = "global",
) -> Any:  # noqa: ANN401 -- whatever is asked
    """Ask the tenant that *environment* points at."""

    async def asked() -> Any:  # noqa: ANN401 -- whatever is asked
        async with connect(cloud, environment) as graph:
            return await ask(graph)

    return asyncio.run(asked())


@dataclass
class Waits:
    """Sleeps without sleeping."""

    slept: list[float] = field(default_factory=list)

    def job(self, environment: dict[str, str], audience: str = AUDIENCE) -> Job:
        """Give the job that *environment* tells of, whose waits take no time."""
        made = job(environment, audience)
        return Job(
            made.url, made.token, audience, environment, self.slept.append, lambda n: float(2**n)
        )


def test_a_job_signs_in_without_a_secret(company: Company) -> None:
    """From the variables of a job to an answer of Graph, over real HTTP and TLS."""
    assert "contoso.com" in connected(company.environment())
    (asked,) = company.issuer.asked
    assert (asked.subject, asked.audience) == (SUBJECT, AUDIENCE)


def test_every_sign_in_asks_anew(company: Company) -> None:
    """A token thrown away is followed by one that a new word of GitHub was given for."""

    async def twice(graph: Graph) -> tuple[str, str]:
        first = graph.token()
        assert graph.token() == first
        graph._credential.renew(None)  # noqa: SLF001 -- as an answer of Graph does
        return first, graph.token()

    connected(company.environment(), twice)

    assert len({asked.token for asked in company.issuer.asked}) == 2


def test_an_explicit_credential_comes_first(company: Company) -> None:
    """Who gives a secret to a job wants it used."""
    secret = company.endpoints.environment[SECRET]

    assert connected(company.environment(**{SECRET: secret}))
    assert company.issuer.requests == 0


def planned(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `reconciler plan` as a step does, with nothing of this process's identity."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "ACTIONS_", "GITHUB_"))
    }
    return subprocess.run(  # noqa: S603 -- this project's own command
        [sys.executable, "-m", "reconciler", "plan", *arguments, "cohorts"],
        cwd=ROOT,
        env=kept | environment | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_step_plans(company: Company) -> None:
    """The command does it as the library does; the token it got is in nothing it prints."""
    done = planned(company.environment(), "--detailed-exitcode")

    assert done.returncode == 2, done.stderr
    assert {asked.subject for asked in company.issuer.asked} == {SUBJECT}
    printed = done.stdout + done.stderr
    assert [asked for asked in company.issuer.asked if asked.token in printed] == []


def test_a_step_that_is_refused(company: Company) -> None:
    """A person reads in the job's log what was presented and what to configure."""
    done = planned(company.environment("repo:contoso/identity:ref:refs/heads/main"))

    assert done.returncode == 77
    assert "error: the login service refused to sign in: AADSTS700213: No match" in done.stderr
    assert (
        f"this job presented issuer '{company.issuer.url}', subject "
        f"'repo:contoso/identity:ref:refs/heads/main' and audience '{AUDIENCE}'"
    ) in " ".join(done.stderr.split())
    (asked,) = company.issuer.asked
    assert asked.token not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("subject", "client", "changes", "claims", "number", "words"),
    [
        ("repo:contoso/other:pull_request", APPLY_APP, {}, {}, 700213, "immutable subjects"),
        (SUBJECT, PLAN_APP, {}, {}, 7002138, "differs in capitals alone"),
        (WITH_IDS, APPLY_APP, {}, {}, 700213, "the ids of owner and repository"),
        (
            SUBJECT,
            APPLY_APP,
            {"RECONCILER_OIDC_AUDIENCE": "api://other"},
            {},
            700212,
            "audience 'api://other'",
        ),
        (SUBJECT, APPLY_APP, {}, {"iss": "https://x.example"}, 700211, "slash at the end"),
        (SUBJECT, APPLY_APP, {}, {"exp": 1_700_000_000}, 700024, "2023-11-14 22:13:20Z"),
        (SUBJECT, ADMIN_APP, {}, {}, 70025, "has none at all"),
        (SUBJECT, None, {}, {}, 700016, "Application (client) ID"),
        (SUBJECT, APPLY_APP, {"AZURE_TENANT_ID": "no.example"}, {}, 90002, "AZURE_TENANT_ID"),
    ],
)
def test_each_refusal_says_what_to_configure(  # noqa: PLR0913 -- a row of six
    company: Company,
    *,
    subject: str,
    client: Any,  # noqa: ANN401 -- an application, or none
    changes: dict[str, str],
    claims: dict[str, object],
    number: int,
    words: str,
) -> None:
    """What the tenant compares and finds different is told with what was presented."""
    company.issuer.claims.update(claims)
    application = client.client_id if client else "00000000-0000-4000-8000-000000000000"
    environment = company.environment(subject, AZURE_CLIENT_ID=application, **changes)

    with pytest.raises(PermissionMissing, match=rf"AADSTS{number}\b") as caught:
        connected(environment)

    assert words in str(caught.value.hint)
    assert f"subject '{subject}'" in str(caught.value.hint) or "exp" in claims
    (asked,) = company.issuer.asked
    assert asked.token not in f"{caught.value} {caught.value.hint}"


def test_a_subject_with_ids_signs_in(company: Company) -> None:
    """GitHub's newer subjects match where the credential has them too."""
    environment = company.environment(WITH_IDS, AZURE_CLIENT_ID=PLAN_APP.client_id)

    assert connected(environment)


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        ("global", "api://AzureADTokenExchange"),
        ("usgov", "api://AzureADTokenExchangeUSGov"),
        ("dod", "api://AzureADTokenExchangeUSGov"),
        ("china", "api://AzureADTokenExchangeChina"),
    ],
)
def test_each_cloud_has_its_audience(company: Company, cloud: str, audience: str) -> None:
    """What GitHub is asked for follows the cloud."""

    async def refused(graph: Graph) -> None:
        graph.token()

    try:
        connected(company.environment(), refused, cloud)
    except PermissionMissing:
        assert cloud != "global"
    (asked,) = company.issuer.asked
    assert asked.audience == audience


def test_a_login_service_that_is_gone_is_no_refusal(company: Company) -> None:
    """Where nobody answers, nothing was presented to anybody."""
    environment = company.environment(AZURE_AUTHORITY_HOST="https://localhost:9")
    given: Callable[[], str] = Waits().job(environment).assertion

    @dataclass
    class Gone:
        ask: Callable[[], str]

        def get_token(self, *_: str, **__: object) -> Any:  # noqa: ANN401 -- never gives one
            self.ask()
            raise ClientAuthenticationError(message="no answer") from ServiceRequestError("refused")

    with pytest.raises(ClientAuthenticationError, match=r"^no answer$") as caught:
        Federated(given, Gone).get_token("scope")
    assert type(caught.value) is ClientAuthenticationError


# --- asking GitHub


def encoded(content: bytes) -> str:
    """Give what a token of three parts has in the middle."""
    return f"header.{base64.urlsafe_b64encode(content).decode().rstrip('=')}.signature"


@pytest.mark.parametrize("query", ["?api-version=2.0", ""])
def test_the_audience_joins_the_address(issuer: Issuer, query: str) -> None:
    """GitHub's address has a query already; one that has none is fine too."""
    environment = issuer.job(SUBJECT)
    environment[URL] = f"{issuer.url}/token{query}"

    Waits().job(environment, "api://a b&c=d").assertion()

    assert issuer.asked[0].audience == "api://a b&c=d"


TROUBLE = (Answer(503), Answer(None), Answer(429), Answer(500, b"<html>"))


@pytest.mark.parametrize("times", range(ATTEMPTS))
def test_trouble_that_passes_is_waited_out(issuer: Issuer, times: int) -> None:
    """Up to three times GitHub may fail, each followed by a longer wait."""
    issuer.instead.extend(TROUBLE[:times])
    waits = Waits()

    token = waits.job(issuer.job(SUBJECT)).assertion()

    assert token == issuer.asked[0].token
    assert waits.slept == [1.0, 2.0, 4.0][:times]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Answer(502), "GitHub's token service at 127.0.0.1 is in trouble (HTTP 502)"),
        (
            Answer(None),
            "GitHub's token service at 127.0.0.1 does not answer: RemoteProtocolError",
        ),
    ],
    ids=["error", "no answer"],
)
def test_trouble_that_stays_is_told(issuer: Issuer, trouble: Answer, words: str) -> None:
    """After four times it is told, and nothing is slept for that nobody waits for."""
    issuer.instead.extend([trouble] * ATTEMPTS)
    waits = Waits()

    with pytest.raises(GraphUnreachable) as caught:
        waits.job(issuer.job(SUBJECT)).assertion()

    assert str(caught.value) == words
    assert "githubstatus.com" in str(caught.value.hint)
    assert (issuer.requests, len(waits.slept)) == (ATTEMPTS, ATTEMPTS - 1)


def test_nobody_listens(issuer: Issuer) -> None:
    """An address where nothing is behaves as GitHub would that is down."""
    environment = issuer.job(SUBJECT) | {URL: "http://127.0.0.1:9/token"}

    with pytest.raises(GraphUnreachable, match="does not answer: ConnectError"):
        Waits().job(environment).assertion()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_at_once(issuer: Issuer, status: int) -> None:
    """Asking again would not help; what is missing is named."""
    issuer.instead.append(Answer(status))
    environment = issuer.job(SUBJECT)

    with pytest.raises(PermissionMissing) as caught:
        Waits().job(environment).assertion()

    assert str(caught.value) == (f"GitHub refused this job a token to sign in with (HTTP {status})")
    assert "id-token: write" in str(caught.value.hint)
    assert environment[TOKEN] not in f"{caught.value} {caught.value.hint}"
    assert issuer.requests == 1


def test_a_job_that_github_does_not_know(issuer: Issuer) -> None:
    """The token to ask with counts."""
    environment = issuer.job(SUBJECT) | {TOKEN: "another"}

    with pytest.raises(PermissionMissing, match="HTTP 401"):
        Waits().job(environment).assertion()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>a proxy's page</html>"),
        Answer(200, b"[]"),
        Answer(200, b'{"count": 1}'),
        Answer(200, b'{"value": ""}'),
        Answer(200, b'{"value": 7}'),
        Answer(404, b'{"value": "x.y.z"}'),
        Answer(302, b"", (("Location", "https://elsewhere.example/"),)),
    ],
    ids=["no JSON", "a list", "no value", "empty", "a number", "not found", "elsewhere"],
)
def test_an_answer_without_a_token(issuer: Issuer, answer: Answer) -> None:
    """What is none is not sent on, and nobody is followed elsewhere."""
    issuer.instead.append(answer)

    with pytest.raises(GraphUnreachable) as caught:
        Waits().job(issuer.job(SUBJECT)).assertion()
    assert str(caught.value) == (
        f"GitHub's token service at 127.0.0.1 answered no token (HTTP {answer.status})"
    )
    assert issuer.requests == 1


def test_a_token_service_that_nobody_vouches_for(company: Company) -> None:
    """Trust goes by the usual variables, here as for Graph; asking again would give none."""
    login = company.endpoints.environment["AZURE_AUTHORITY_HOST"]
    waits = Waits()
    with pytest.raises(GraphUnreachable) as caught:
        waits.job({URL: f"{login}/token", TOKEN: "t"}).assertion()
    assert str(caught.value) == (
        "the certificate of GitHub's token service at localhost is not trusted"
    )
    assert "REQUESTS_CA_BUNDLE" in str(caught.value.hint)
    assert waits.slept == []

    authority = company.endpoints.environment["REQUESTS_CA_BUNDLE"]
    with pytest.raises(GraphUnreachable, match="answered no token"):
        waits.job({URL: f"{login}/token", TOKEN: "t", "REQUESTS_CA_BUNDLE": authority}).assertion()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_sees_no_token(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A proxy carries what is encrypted, and hears nothing of what goes to this machine."""
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    given = issuer.job(SUBJECT)
    with issuing() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("https_proxy", proxy.url)
        if scheme == "http":
            assert Waits().job(given).assertion()
        else:
            # It answers CONNECT with 501: it is no proxy, and is asked for nothing but a way.
            with pytest.raises(GraphUnreachable, match="ProxyError"):
                Waits().job(given | {URL: "https://token.example/x"}).assertion()
    assert (proxy.requests, issuer.requests) == (0, int(scheme == "http"))


@pytest.mark.parametrize(
    "changes",
    [
        {TOKEN: "s3cret\nX-Other: 1"},
        {TOKEN: "s3crét"},
        {URL: "http://127.0.0.1/s3cret\x07"},
    ],
    ids=["two lines", "no ASCII", "control"],
)
def test_variables_that_somebody_changed(issuer: Issuer, changes: dict[str, str]) -> None:
    """Whatever is in them is not shown, and stops before it is sent."""
    waits = Waits()
    with pytest.raises(UsageError, match="holds what GitHub never puts there") as caught:
        waits.job(issuer.job(SUBJECT) | changes).assertion()
    assert "s3c" not in f"{caught.value} {caught.value.hint}"
    assert (issuer.requests, waits.slept) == (0, [])


@pytest.mark.parametrize(
    "url",
    ["http://token.example/x", "https://me:s3cret@token.example/", "ftp://127.0.0.1/", "token"],
)
def test_a_token_is_never_asked_for_in_the_clear(issuer: Issuer, url: str) -> None:
    """Plain http is for this machine alone."""
    with pytest.raises(UsageError) as caught:
        job(issuer.job(SUBJECT) | {URL: url}, AUDIENCE)
    assert (str(caught.value), caught.value.hint) == (
        f"{URL} is an address where a token would travel in the clear",
        "leave it as the runner sets it: https, or http on 127.0.0.1",
    )


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ((URL, TOKEN), f"{URL} and {TOKEN} are not set"),
        ((URL,), f"{URL} is not set"),
        ((TOKEN,), f"{TOKEN} is not set"),
    ],
)
def test_a_job_that_may_not_ask(company: Company, absent: tuple[str, ...], words: str) -> None:
    """Without `id-token: write` the variables are not there; that is said, and of forks."""
    environment = {k: v for k, v in company.environment().items() if k not in absent}

    with pytest.raises(UsageError) as caught:
        connected(environment)

    assert str(caught.value) == f"this job may not ask GitHub for a token to sign in with: {words}"
    assert "`permissions: {id-token: write}`" in str(caught.value.hint)
    assert "a pull request from a fork never gets it" in str(caught.value.hint)


def test_a_job_without_a_tenant(company: Company) -> None:
    """Half a configuration is a mistake here too."""
    environment = company.environment(AZURE_TENANT_ID="")

    with pytest.raises(UsageError, match=r"^AZURE_CLIENT_ID is set, but AZURE_TENANT_ID not$"):
        connected(environment)


# --- what a refusal means


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (
            encoded(b'{"iss": "i", "sub": "s", "aud": "a", "nbf": 0, "exp": 60}'),
            Presented("i", "s", "a", "1970-01-01 00:00:00Z until 1970-01-01 00:01:00Z"),
        ),
        (
            encoded(orjson.dumps({"iss": "\u202e", "nbf": 10**18})),
            Presented("\\u{202e}", "None", "None", "an impossible time until an unknown time"),
        ),
        (encoded(b"[]"), None),
        (encoded(b"no JSON"), None),
        ("opaque", None),
        ("a.!.c", None),
    ],
    ids=["all of it", "hostile", "a list", "text", "opaque", "no base64"],
)
def test_what_a_token_says_of_itself(token: str, expected: Presented | None) -> None:
    """It is read without trust, and what it holds cannot disturb a terminal."""
    assert presented(token) == expected


def test_an_unreadable_token_is_refused_without_its_words(company: Company) -> None:
    """What GitHub never sends is the login service's to refuse; the usual remedy is given."""
    company.issuer.instead.append(Answer(200, b'{"value": "opaque"}'))

    with pytest.raises(PermissionMissing) as caught:
        connected(company.environment())

    assert str(caught.value.hint).startswith("check AZURE_TENANT_ID")


MINE = Presented("https://i.example", "repo:o/r:pull_request", "api://a", "now until then")


@pytest.mark.parametrize("number", sorted(_REMEDIES))
@pytest.mark.parametrize("given", [None, MINE], ids=["own", "federated"])
def test_every_known_refusal_has_a_remedy(number: str, given: Presented | None) -> None:
    """Each row makes one line, with no slot left open and a source for what it says."""
    told = remedy(f"AADSTS{number}: words", given)

    assert told
    assert not set("{}\n") & set(told.replace("{id-token: write}", ""))
    assert re.match(r"[RDI]\b", _REMEDIES[number].evidence)
    assert given is None or MINE.issuer in told


@pytest.mark.parametrize("number", ["70021", "70025", "700211", "700212", "700213", "7002138"])
def test_a_mismatch_names_all_three(number: str) -> None:
    """Whichever part differs, the whole credential to configure is there to copy."""
    told = remedy(f"AADSTS{number}: words", MINE)

    assert (
        "this job presented issuer 'https://i.example', subject 'repo:o/r:pull_request' and "
        "audience 'api://a'"
    ) in told


@pytest.mark.parametrize(
    ("subject", "words", "silent"),
    [
        ("repo:o/r:ref:refs/heads/main", ["with ids", "only in a job with"], ["numbers"]),
        ("repo:o/r:pull_request", ["with ids"], ["numbers", "only in a job with"]),
        ("repo:o@1/r@2:ref:refs/tags/v1", ["numbers", "only in a job with"], ["with ids"]),
        ("repo:o@1/r@2:environment:x", ["numbers"], ["with ids", "only in a job with"]),
        ("repository_id:7", [], ["with ids", "numbers", "only in a job with"]),
    ],
)
def test_what_people_stumble_on_in_a_subject(
    subject: str, words: list[str], silent: list[str]
) -> None:
    """The two forms of a subject, and a branch in place of an environment, are explained."""
    given = Presented("i", subject, "a", "now until then")
    told = remedy("AADSTS700213: words", given)

    assert [word for word in words if word not in told] == []
    assert [word for word in silent if word in told] == []


def test_an_unknown_refusal_shows_what_was_presented() -> None:
    """A number that nobody has met yet is told with all there is to compare."""
    told = remedy("AADSTS999: words", MINE)

    assert "this job presented issuer 'https://i.example'" in told
    assert remedy("no number") == remedy("AADSTS999: words")


# --- the issuer of the tests


def test_the_issuer_runs_beside_other_programs(company: Company, tmp_path: Path) -> None:
    """As a program it registers itself, writes the job's variables, and ends when asked to."""
    path = tmp_path / "job.env"
    subject = "repo:contoso/identity:pull_request"
    command = [sys.executable, "-m", "tests.actions.issuer", "--subject", subject]
    command += ["--env-file", str(path), "--tenant", str(company.file)]
    command += ["--client-id", PLAN_APP.client_id]
    with subprocess.Popen(command, cwd=ROOT) as serving:  # noqa: S603 -- the tests' own issuer
        try:
            while not (path.exists() and path.read_text().count("\n") == 3):
                assert serving.poll() is None
                time.sleep(0.02)
            lines = (line.removeprefix("export ") for line in path.read_text().splitlines())
            made = {name: value.strip("'") for name, _, value in (x.partition("=") for x in lines)}
            environment = company.environment(AZURE_CLIENT_ID=PLAN_APP.client_id) | made
            assert connected(environment)
        finally:
            serving.send_signal(signal.SIGTERM)
    assert serving.returncode == 0
    assert company.issuer.requests == 0
