"""What a run keeps: outcomes, journal, receipt, and the summary that a person reads."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from jsonschema import Draft202012Validator

from reconciler.changes import (
    Create,
    Delete,
    LicenseKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
    Wave,
)
from reconciler.errors import ReconcilerError
from reconciler.executor.journal import Journal
from reconciler.executor.outcomes import Applied, Failed, Outcome, Skipped, summary
from reconciler.executor.receipt import Run, SealedFile, receipt
from reconciler.executor.report import LISTED, report
from reconciler.executor.run import Files
from reconciler.model import Account, CohortName, ObjectId, Tenant, UserPrincipalName
from reconciler.plan import Plan

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Incoming
    from tests.executor.conftest import Company, Making

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, 0, 1, 500_000, tzinfo=UTC)
BETA = CohortName("beta")
ADA = Account(UserPrincipalName("ada@contoso.com"), ObjectId("ada-id"))
CREATED = Create(UserKey(ADA), BETA, Wave.USERS)
LICENSED = Create(LicenseKey(ADA, ObjectId("e5"), "SPE_E5"), BETA, Wave.ENTITLEMENTS)
JOINED = Delete(MembershipKey(ADA, ObjectId("staff"), "Staff\x1b[2J"), BETA, Wave.ENTITLEMENTS)
ASSIGNED = Create(RoleAssignmentKey(ADA, ObjectId("role"), "Reader"), BETA, Wave.ROLES)
PLAN = Plan(
    Tenant(ObjectId("tenant-id"), "Contoso", ()),
    "contoso-identity",
    "extensionAttribute15",
    (CREATED, LICENSED, JOINED, ASSIGNED),
    {},
)
OUTCOMES: tuple[Outcome, ...] = (
    Applied(CREATED, NOON, "77", "it was there already", is_confirmed=True),
    Failed(LICENSED, NOON, "Request_BadRequest", "no seats", 400, "78"),
    Failed(JOINED, NOON, "NoAnswer", "ReadTimeout"),
    Skipped(ASSIGNED, "license/ada@contoso.com/SPE_E5 did not succeed"),
)
FILES = Files(Path("out/journal.jsonl"), Path("out/receipt.json"))


def a_run(*outcomes: Outcome, interrupted: bool = False, sealed: bool = False) -> Run:
    """Give a run that ended so."""
    files = (SealedFile(BETA, Path("out/beta.credentials.csv.age"), 1),) if sealed else ()
    return Run("run-id", NOON, LATER, outcomes, files, interrupted)


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    """Give the published schema of receipts."""
    path = Path(__file__).parents[2] / "schema" / "receipt.schema.json"
    return Draft202012Validator(orjson.loads(path.read_bytes()))


@pytest.mark.parametrize(
    ("outcomes", "interrupted", "result"),
    [
        ((), False, "nothing to do"),
        (OUTCOMES[:1], False, "applied"),
        (OUTCOMES[:2], False, "partly failed"),
        ((OUTCOMES[0], OUTCOMES[3]), False, "partly failed"),
        (OUTCOMES[1:], False, "failed"),
        (OUTCOMES[:1], True, "interrupted"),
        ((), True, "interrupted"),
    ],
)
def test_a_run_in_one_word(
    outcomes: tuple[Outcome, ...],
    interrupted: bool,  # noqa: FBT001 -- a column of the table
    result: str,
    schema: Draft202012Validator,
) -> None:
    """The word is one of those that the schema lists, and the receipt is valid."""
    run = a_run(*outcomes, interrupted=interrupted)

    document = orjson.loads(receipt(PLAN, run))

    assert (run.result, document["result"]) == (result, result)
    assert list(schema.iter_errors(document)) == []


def test_the_receipt_says_everything(schema: Draft202012Validator) -> None:
    """Each outcome stands there with its error, its reason or its note."""
    document = orjson.loads(receipt(PLAN, a_run(*OUTCOMES, sealed=True)))

    assert list(schema.iter_errors(document)) == []
    assert document["summary"] == {"applied": 1, "failed": 2, "skipped": 1}
    assert document["planDigest"] == PLAN.digest
    applied, failed, unanswered, skipped = document["outcomes"]
    assert (applied["requestId"], applied["note"]) == ("77", "it was there already")
    assert failed["error"] == {
        "status": 400,
        "code": "Request_BadRequest",
        "message": "no seats",
    }
    assert unanswered["error"]["status"] is None
    assert (skipped["at"], skipped["because"]) == (
        None,
        "license/ada@contoso.com/SPE_E5 did not succeed",
    )
    assert document["credentials"] == [
        {"cohort": "beta", "file": "beta.credentials.csv.age", "accounts": 1}
    ]


def test_the_receipt_of_a_real_run_is_valid(
    company: Company, make: Making, schema: Draft202012Validator
) -> None:
    """What a run writes is what the schema describes, ids of new accounts included."""
    applied = company.apply(make.desired(make.person("ada", licenses=("SPE_E5",))))

    assert list(schema.iter_errors(applied.receipt)) == []
    id_ = company.get("/users/ada@contoso.com")["id"]
    assert [o["user"]["id"] for o in applied.receipt["outcomes"]] == [id_, id_]


def test_summary_leaves_no_kind_out() -> None:
    """Zero is told."""
    assert summary(()) == {"applied": 0, "failed": 0, "skipped": 0}


def test_report_in_full() -> None:
    """A person reads failures with request-ids, what was skipped and why, and where things lie."""
    text = report(PLAN, a_run(*OUTCOMES, sealed=True), FILES)

    assert text.splitlines() == [
        "Partly failed: 1 of 4 changes made in Contoso, 2 failed, 1 skipped, in 1.5 s.",
        "  failed   create license SPE_E5 for ada@contoso.com",
        "           Request_BadRequest: no seats (request-id 78)",
        "  failed   delete membership of Staff\\u{1b}[2J for ada@contoso.com",
        "           NoAnswer: ReadTimeout",
        "  skipped  create role Reader for ada@contoso.com",
        "           because license/ada@contoso.com/SPE_E5 did not succeed",
        "Run it again once the cause is mended: a rerun does only what is left.",
        "Initial credentials of 1 new account, sealed:",
        "  out/beta.credentials.csv.age  (1 account)",
        "Open one with: reconciler unseal out/beta.credentials.csv.age -i YOUR_IDENTITY",
        "Receipt: out/receipt.json  Journal: out/journal.jsonl",
    ]


def test_report_of_what_is_not_visible() -> None:
    """What Graph took and does not show is neither success nor failure, and is named."""
    applied = Applied(LICENSED, NOON, "78")

    assert report(PLAN, a_run(OUTCOMES[0], applied), FILES).splitlines()[1:-1] == [
        "  unseen   create license SPE_E5 for ada@contoso.com",
        "           applied and not yet visible: Graph took this and does not show it so far",
    ]
    many = report(PLAN, a_run(*[applied] * (LISTED + 1)), FILES).splitlines()
    assert many[1] == "  unseen   11 changes; the receipt names each"


def test_report_of_many_skipped() -> None:
    """What was skipped is told reason by reason; of many for one reason only the number."""
    down, stopped = "user/ada@contoso.com did not succeed", "the run was\x1b interrupted"
    few = [Skipped(ASSIGNED, down)] * LISTED
    many = [Skipped(LICENSED, stopped)] * (LISTED + 1)
    failed = Failed(CREATED, NOON, "Request_BadRequest", "no")
    mixed: tuple[Outcome, ...] = (few[0], failed, *many, *few[1:])

    lines = report(PLAN, a_run(*mixed), FILES).splitlines()

    assert lines == [
        "Failed: 0 of 22 changes made in Contoso, 1 failed, 21 skipped, in 1.5 s.",
        "  failed   create user ada@contoso.com",
        "           Request_BadRequest: no",
        *["  skipped  create role Reader for ada@contoso.com"] * LISTED,
        "           because user/ada@contoso.com did not succeed",
        "  skipped  11 changes; the receipt names each",
        "           because the run was\\u{1b} interrupted",
        "Run it again once the cause is mended: a rerun does only what is left.",
        "Receipt: out/receipt.json  Journal: out/journal.jsonl",
    ]


def test_report_of_a_failed_account() -> None:
    """An account is named once."""
    failed = Failed(CREATED, NOON, "Request_BadRequest", "no")

    assert "  failed   create user ada@contoso.com" in report(PLAN, a_run(failed), FILES)


def test_report_of_success() -> None:
    """Where all went well there is little to say."""
    assert report(PLAN, a_run(OUTCOMES[0]), FILES).splitlines() == [
        "Applied: 1 of 1 change made in Contoso, 0 failed, 0 skipped, in 1.5 s.",
        "Receipt: out/receipt.json  Journal: out/journal.jsonl",
    ]


def test_the_journal_is_lines_of_json(tmp_path: Path) -> None:
    """Each line is on the disk before the next thing happens, for its owner alone."""
    path = tmp_path / "journal.jsonl"

    with Journal(path, "run-id", lambda: NOON) as journal:
        journal.write("started", planDigest="sha256:0")
        line = orjson.loads(path.read_bytes())

    assert line == {
        "at": "2026-03-02T12:00:00+00:00",
        "run": "run-id",
        "event": "started",
        "planDigest": "sha256:0",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    """A file that is there already is somebody else's."""
    path = tmp_path / "journal.jsonl"
    path.write_text("earlier")

    with pytest.raises(ReconcilerError, match=r"cannot write the journal '.*': file exists"):
        Journal(path, "run-id", lambda: NOON)
    assert path.read_text() == "earlier"


def test_what_a_run_writes_down(company: Company, make: Making) -> None:
    """The journal tells a run in order: sealed before sent, sent before settled."""
    down = make.error(503, "ServiceUnavailable", "down")
    company.faults.append(make.fault("POST", "/users", down))

    applied = company.apply(make.desired(make.person("ada")))

    events = [line["event"] for line in applied.journal]
    assert events == [
        "started",
        "sealed",
        "sending",
        "looking",
        "looking",
        "sending",
        "outcome",
        "confirmed",
        "finished",
    ]
    assert applied.journal[1]["accounts"] == ["ada@contoso.com"]
    assert applied.journal[2]["changes"] == ["user/ada@contoso.com"]
    assert applied.journal[3]["seconds"] == 1.0
    assert {line["run"] for line in applied.journal} == {applied.run.id}


def test_names_that_are_free(tmp_path: Path) -> None:
    """A run takes a pair of names of which neither is taken."""
    folder = tmp_path / "deep" / "out"
    first = Files.unused(folder)
    first.journal.touch()
    (folder / "receipt.2.json").touch()

    assert first == Files(folder / "journal.jsonl", folder / "receipt.json")
    assert Files.unused(folder) == Files(folder / "journal.3.jsonl", folder / "receipt.3.json")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Where the records would lie, something else is: nothing has been sent, and it is told."""
    (tmp_path / "out").write_text("a file")

    with pytest.raises(ReconcilerError, match=r"cannot use the folder '.*': file exists") as caught:
        Files.unused(tmp_path / "out")
    assert caught.value.hint == "name another folder with --out"


def test_a_folder_that_refuses_stops_the_run(company: Company, make: Making) -> None:
    """Without records there are no changes."""
    company.out.write_text("a file")

    with pytest.raises(ReconcilerError, match="cannot use the folder"):
        company.apply(make.desired(make.person("ada")))

    assert [e.path for e in company.exchanges if e.is_inner and e.method != "GET"] == []


def test_a_receipt_that_cannot_be_written(company: Company, make: Making) -> None:
    """What was done is done and stands in the journal; that the receipt is missing is told."""

    def obstruct(incoming: Incoming) -> None:
        if incoming.is_inner and incoming.method == "POST":
            (company.out / "receipt.json").mkdir()

    company.faults.append(obstruct)

    with pytest.raises(ReconcilerError, match=r"cannot write the receipt '.*': is a directory"):
        company.apply(make.desired(make.person("ada")))

    assert company.get("/users/ada@contoso.com")["userPrincipalName"] == "ada@contoso.com"
    assert b'"event":"finished"' in (company.out / "journal.jsonl").read_bytes()
    assert sorted(path.name for path in company.out.iterdir()) == [
        "beta.credentials.csv.age",
        "journal.jsonl",
        "receipt.json",
    ]
