"""Drift as an operator meets it: a tenant that somebody changed behind the files' back."""

from __future__ import annotations

import json
import ssl
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from reconciler import cli
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, CONTOSO, PLAN_APP
from reconciler.sandbox.company.seed import fill
from reconciler.sandbox.data import store
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.sandbox.server import Endpoints
    from reconciler.sandbox.wire import Exchange

KEY = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
NAMES = ("ada", "bob", "cy", "dan", "eve")
TENANT = """\
version: 1
tenant: contoso.onmicrosoft.com
source: contoso-identity
ownership: extensionAttribute15
domains: [contoso.com]
licenses: [SPE_E5, POWER_BI_PRO]
groups: [Research - All staff]
roles: [Reports Reader]
removal: keep
"""
SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "schema" / "drift.schema.json").read_text())
)


def beta(*names: str, department: str = "Research") -> str:
    """Declare these people."""
    people = "".join(
        f"  - {{displayName: {name.title()}, userPrincipalName: {name}@contoso.com}}\n"
        for name in names
    )
    return f"""\
version: 1
cohort: beta-2026
defaults: {{usageLocation: GB, department: {department}}}
licenses: [{{sku: SPE_E5}}]
groups: [Research - All staff]
roles:
  - {{role: Reports Reader, justification: Monthly report}}
credentials: {{recipients: [{KEY}]}}
users:
{people or "  []"}"""


class Office:
    """A tenant that was made as declared, and its administration."""

    def __init__(self, graph: httpx.Client, exchanges: list[Exchange]) -> None:
        self.graph = graph
        self.exchanges = exchanges

    def id(self, name: str) -> str:
        """Give the id of a person's account."""
        found: str = self.graph.get(f"/users/{name}@contoso.com").raise_for_status().json()["id"]
        return found

    def group(self) -> str:
        """Give the id of the managed group."""
        query = {"$filter": "displayName eq 'Research - All staff'"}
        found: str = self.graph.get("/groups", params=query).json()["value"][0]["id"]
        return found

    def do(self, method: str, path: str, **body: Any) -> None:  # noqa: ANN401 -- JSON
        """Change the tenant as its administrators do."""
        self.graph.request(method, path, json=body or None).raise_for_status()


def _signed_in(environment: Mapping[str, str]) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["AZURE_CLIENT_ID"],
        "client_secret": environment["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    login = f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}"
    with httpx.Client(verify=trusted) as client:
        token = client.post(f"{login}/oauth2/v2.0/token", data=form).json()["access_token"]
    return httpx.Client(
        base_url=f"{environment['RECONCILER_GRAPH_URL']}/v1.0",
        headers={"Authorization": f"Bearer {token}"},
    )


def _as(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@contextmanager
def _opened(
    monkeypatch: pytest.MonkeyPatch, file: Path, *withheld: str
) -> Iterator[tuple[Endpoints, Office]]:
    """Run a tenant whose reading application lacks the permissions *withheld*."""
    granted = tuple(name for name in PLAN_APP.permissions if name not in withheld)
    reader = replace(PLAN_APP, permissions=granted)
    with closing(store.connect(file)[0]) as db:
        fill(db, replace(CONTOSO, applications=(APPLY_APP, reader, ADMIN_APP)))
    exchanges: list[Exchange] = []
    with running(file, record=exchanges.append) as endpoints:
        _as(monkeypatch, endpoints.environment)
        Path("cohorts").mkdir()
        Path("cohorts/tenant.yaml").write_text(TENANT)
        Path("cohorts/beta.yaml").write_text(beta(*NAMES))
        assert cli.run(["apply", "--yes"]) == 0
        _as(monkeypatch, endpoints.read_only_environment)
        with _signed_in({**endpoints.environment, **endpoints.administration}) as graph:
            yield endpoints, Office(graph, exchanges)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Office]:
    """Give a converged tenant whose audit log can be read."""
    with _opened(monkeypatch, tmp_path / "t.sqlite") as (_, made):
        yield made


@pytest.fixture
def drift(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `reconciler drift`: its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["drift", "--applied-by", APPLY_APP.client_id, *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def findings(out: str) -> list[tuple[Any, ...]]:
    """Give each finding of the JSON form, checked against its schema."""
    document = json.loads(out)
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    return [
        (
            found["user"]["userPrincipalName"].partition("@")[0],
            found["kind"],
            found["path"] or found["name"].partition("@")[0],
            found["standing"],
            found["evidence"] and found["evidence"]["activity"],
            found["evidence"] and found["evidence"]["initiatedBy"]["displayName"],
        )
        for found in document["findings"]
    ]


def test_everything_that_somebody_changed(
    office: Office, drift: Callable[..., tuple[int, str, str]]
) -> None:
    """Each difference is told once, with who made it and how; the exit code is 4."""
    ada, bob, cy, dan = (office.id(name) for name in NAMES[:4])
    group = office.group()
    office.do("PATCH", f"/users/{ada}", department="Sales", accountEnabled=False)
    office.do("DELETE", f"/groups/{group}/members/{bob}/$ref")
    skus = {
        s["skuPartNumber"]: s["skuId"] for s in office.graph.get("/subscribedSkus").json()["value"]
    }
    change = {"addLicenses": [{"skuId": skus["POWER_BI_PRO"]}], "removeLicenses": [skus["SPE_E5"]]}
    office.do("POST", f"/users/{cy}/assignLicense", **change)
    role = office.graph.get(
        "/roleManagement/directory/roleAssignments", params={"$filter": f"principalId eq '{cy}'"}
    ).json()["value"][0]["id"]
    office.do("DELETE", f"/roleManagement/directory/roleAssignments/{role}")
    office.do("DELETE", f"/users/{dan}")
    slots = {"extensionAttribute15": "them/other"}
    office.do("PATCH", f"/users/{office.id('eve')}", onPremisesExtensionAttributes=slots)

    code, out, _ = drift("--format", "json")

    admin = ADMIN_APP.name
    assert code == 4
    assert findings(out) == [
        ("ada", "field", "department", "drift", "Update user", admin),
        ("bob", "notHeld", "Research - All staff", "drift", "Remove member from group", admin),
        ("cy", "held", "POWER_BI_PRO", "drift", "Change user license", admin),
        ("cy", "notHeld", "SPE_E5", "drift", "Change user license", admin),
        ("cy", "notHeld", "Reports Reader", "drift", "Remove member from role", admin),
        ("dan", "deleted", "dan", "drift", "Delete user", admin),
        ("eve", "mark", "mark", "drift", "Update user", admin),
    ]
    code, wrapped, _ = drift()
    text = " ".join(wrapped.split())
    assert code == 4
    assert 'department: the tenant has "Sales", the files say "Research"' in text
    assert f"by application {admin} ({ADMIN_APP.client_id}): Update user, Department" in text
    assert "Refused: 1 problem of the files" in text
    digest = json.loads(out)["digest"]
    assert f"Digest: {digest}" in text
    code, markdown, _ = drift("--format", "markdown", "--out", "drift.md")
    assert (code, markdown) == (4, "")
    assert f"Digest: `{digest}`" in Path("drift.md").read_text()


def test_gone_is_told_from_not_made_yet(
    office: Office, drift: Callable[..., tuple[int, str, str]]
) -> None:
    """Who was purged is drift and who was never made is not: the audit log tells."""
    dan = office.id("dan")
    office.do("DELETE", f"/users/{dan}")
    office.do("DELETE", f"/directory/deletedItems/{dan}")
    Path("cohorts/beta.yaml").write_text(beta(*NAMES, "fay"))

    code, out, _ = drift("--format", "json")

    assert code == 4
    assert findings(out) == [
        ("dan", "absent", "dan", "drift", "Hard Delete user", ADMIN_APP.name),
        ("fay", "absent", "fay", "notApplied", None, None),
    ]
    assert "has not been made yet" in drift()[1]


def test_what_we_left_so_waits_to_be_applied(
    office: Office, drift: Callable[..., tuple[int, str, str]]
) -> None:
    """A file that changed since is no drift: the log says that we made it as it is."""
    assert office.id("ada")
    Path("cohorts/beta.yaml").write_text(beta(*NAMES, department="Sales"))

    code, out, _ = drift("--format", "json")

    assert code == 0
    assert {found[1:4] for found in findings(out)} == {("field", "department", "notApplied")}
    assert {found[4] for found in findings(out)} == {"Add user"}
    assert "the reconciler's own application, Contoso identity (apply)" in drift()[1]


def test_who_is_declared_no_more(
    office: Office, drift: Callable[..., tuple[int, str, str]]
) -> None:
    """Our account that nobody declares has drifted, though `removal: keep` keeps it."""
    assert office.id("eve")
    Path("cohorts/beta.yaml").write_text(beta(*NAMES[:-1]))

    code, out, _ = drift("--format", "json")

    assert code == 4
    assert [found[:4] for found in findings(out)] == [("eve", "undeclared", "eve", "drift")]


def test_without_the_audit_log(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    drift: Callable[..., tuple[int, str, str]],
) -> None:
    """Who is not allowed to read it is told what drifted, and in one line why nobody is named."""
    with _opened(monkeypatch, tmp_path / "t.sqlite", "AuditLog.Read.All") as (_, office):
        office.do("PATCH", f"/users/{office.id('ada')}", department="Sales")
        Path("cohorts/beta.yaml").write_text(beta(*NAMES, "fay"))
        code, text, _ = drift()

    assert code == 4
    assert "Who changed what is not told: the application is not granted AuditLog.Read.All." in text
    assert "never made, or is gone for good" in " ".join(text.split())


def test_a_converged_tenant_costs_no_more_than_a_plan(
    office: Office, drift: Callable[..., tuple[int, str, str]]
) -> None:
    """Where nothing drifted, the same is asked as for a plan, and the log not at all."""
    before = len(office.exchanges)
    assert cli.run(["plan"]) == 0
    planned = office.exchanges[before:]
    code, out, _ = drift()
    drifted = office.exchanges[before + len(planned) :]

    assert (code, out.splitlines()[0]) == (0, "Contoso: no drift")
    assert len(planned) > 5
    assert sorted(e.path for e in drifted) == sorted(e.path for e in planned)


def test_files_that_are_refused(office: Office, drift: Callable[..., tuple[int, str, str]]) -> None:
    """Without drift, a refusal ends with 3; in another tenant nothing is called drift."""
    assert office.id("ada")
    Path("cohorts/tenant.yaml").write_text(TENANT.replace("domains: [contoso.com]\n", ""))
    name = "fay@nowhere.example"
    Path("cohorts/beta.yaml").write_text(
        beta(*NAMES) + f"  - {{displayName: Fay, userPrincipalName: {name}}}\n"
    )
    code, out, err = drift()
    assert (code, "Refused: 1 problem" in out) == (3, True)
    assert "error:" not in err
    Path("cohorts/beta.yaml").write_text(beta(*NAMES))
    Path("cohorts/tenant.yaml").write_text(
        TENANT.replace("contoso.onmicrosoft.com", "other.example")
    )
    code, out, err = drift()
    assert (code, out) == (3, "")
    assert "these credentials belong to tenant" in err


def test_out(office: Office, drift: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """A folder is a usage error, and a file that cannot be written a failure."""
    assert office.id("ada")
    assert drift("--out", str(tmp_path))[0] == 64
    assert drift("--out", "missing/drift.txt")[0] == 1
    assert drift("--out", "drift.txt") == (0, "", "")
    assert Path("drift.txt").read_text().startswith("Contoso: no drift\n")


def test_report(office: Office, drift: Callable[..., tuple[int, str, str]]) -> None:
    """The folder has a drift.md as long as there is drift, and the JSON form always."""
    ada = office.id("ada")
    office.do("PATCH", f"/users/{ada}", department="Sales")
    assert drift("--report", "out/drift")[0] == 4
    assert "`ada@contoso.com`" in Path("out/drift/drift.md").read_text()
    office.do("PATCH", f"/users/{ada}", department="Research")
    assert drift("--report", "out/drift")[0] == 0
    assert [path.name for path in Path("out/drift").iterdir()] == ["drift.json"]
    assert findings(Path("out/drift/drift.json").read_text()) == []
    Path("blocked").write_text("")
    assert drift("--report", "blocked/drift")[0] == 1


@pytest.mark.parametrize(
    ("users", "code", "opening", "left"),
    [
        ("[\n", 65, "### The tenant could not be compared: 1 problem", ["drift.md"]),
        (
            "[{displayName: Fay, userPrincipalName: fay@nowhere.example}]",
            3,
            "### Not everything can be compared: 1 problem",
            ["drift.json", "drift.md"],
        ),
    ],
    ids=["broken", "refused"],
)
@pytest.mark.usefixtures("office")
def test_report_of_what_cannot_be_compared(
    drift: Callable[..., tuple[int, str, str]], users: str, code: int, opening: str, left: list[str]
) -> None:
    """The folder says what is wrong and where; without a comparison it holds no JSON form."""
    Path("cohorts/tenant.yaml").write_text(TENANT.replace("domains: [contoso.com]\n", ""))
    text = "version: 1\ncohort: eve\ndefaults: {usageLocation: GB}\n"
    keys = "credentials: {recipients: [" + KEY + "]}\n"
    Path("cohorts/eve.yaml").write_text(f"{text}{keys}users: {users}\n")

    assert drift("--report", "out/drift")[0] == code

    assert sorted(path.name for path in Path("out/drift").iterdir()) == left
    told = Path("out/drift/drift.md").read_text()
    assert told.startswith(opening)
    assert "cohorts/eve.yaml:" in told
