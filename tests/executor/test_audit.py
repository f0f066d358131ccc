"""What a run leaves for auditors, for receivers of credentials, and on its page."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from reconciler.changes import FieldChange, LicenseKey, MembershipKey, Update, UserKey, Wave
from reconciler.config.schema import schema_text
from reconciler.executor.as_markdown import markdown
from reconciler.executor.audit import Approval, Privilege, audit, privilege
from reconciler.executor.handoff import handoff
from reconciler.model import Account, CohortName, ObjectId, Removal, UserPrincipalName
from tests.render.conftest import FINGERPRINT, SSH

if TYPE_CHECKING:
    from tests.executor.conftest import Applied, Company, Making

STAFF = "Research - All staff"
READER = "User Administrator"
APPROVED = Approval(
    "contoso/people", "c" * 40, "ada", "https://x/runs/5", 7, "a" * 40, ("bob", "cat")
)
SCHEMA = Draft202012Validator(json.loads(schema_text("audit")), format_checker=FormatChecker())


def _records(applied: Applied, approval: Approval = APPROVED) -> list[dict[str, Any]]:
    content = audit(applied.plan, applied.run, approval)
    found = [json.loads(line) for line in content.splitlines()]
    for record in found:
        SCHEMA.validate(record)
    return found


def test_a_role_is_told_with_who_wanted_it_and_who_approved(company: Company, make: Making) -> None:
    """Justification, approval and request-id stand beside what was changed; passwords nowhere."""
    applied = company.apply(
        make.desired(make.person("ada", licenses=("SPE_E5",), groups=(STAFF,), roles=(READER,)))
    )

    (record,) = _records(applied)

    assert (record["privilege"], record["name"], record["outcome"]) == ("role", READER, "applied")
    assert (record["before"], record["after"]) == (None, READER)
    assert record["justification"] == "because"
    assert record["requestId"]
    assert record["approval"]["pullRequest"] == 7
    assert record["approval"]["approvers"] == ["bob", "cat"]


@pytest.mark.parametrize(
    ("removal", "kinds"),
    [
        (Removal.DISABLE, ["role", "removal", "removal", "disablement"]),
        (Removal.DELETE, ["role", "removal", "removal", "deletion"]),
    ],
)
def test_what_a_leaver_loses_is_told(
    company: Company, make: Making, removal: Removal, kinds: list[str]
) -> None:
    """Each thing that is taken away is a line, with what was there before."""
    leaver = make.person("bob", licenses=("SPE_E5",), groups=(STAFF,), roles=(READER,))
    people = [make.person("ada"), leaver]
    company.apply(make.desired(*people))

    records = _records(company.apply(make.desired(people[0], removal=removal)), Approval())

    assert [record["privilege"] for record in records] == kinds
    assert records[0]["before"] == READER
    assert records[-1]["reason"] == "person no longer declared"
    assert all(record["approval"]["approvers"] == [] for record in records)


def test_a_block_is_told_with_both_states(company: Company, make: Making) -> None:
    """A person who stays declared and is blocked was able to sign in before."""
    company.apply(make.desired(make.person("ada")))

    (record,) = _records(company.apply(make.desired(make.person("ada", accountEnabled=False))))

    assert record["privilege"] == "disablement"
    assert record["before"]["accountEnabled"] is True
    assert record["after"]["accountEnabled"] is False


def test_membership_of_a_privileged_group_counts() -> None:
    """Who joins a group that may hold roles becomes privileged; who changes a title does not."""
    ada = Account(UserPrincipalName("ada@contoso.com"), ObjectId("id"))
    beta = CohortName("beta")
    group = MembershipKey(ada, ObjectId("g"), "Tier 1", is_assignable_to_role=True)
    title = (FieldChange("jobTitle", None, "Clerk"),)

    assert privilege(Update(group, beta, Wave.ENTITLEMENTS)) is Privilege.ROLE_ASSIGNABLE_GROUP
    assert privilege(Update(UserKey(ada), beta, Wave.USERS, title)) is None


def test_service_plans_that_are_taken_are_in_the_audit() -> None:
    """A license that loses a service plan is a removal; one that gets it back is none."""
    ada = Account(UserPrincipalName("ada@contoso.com"), ObjectId("id"))
    key = LicenseKey(ada, ObjectId("sku"), "SPE_E5")
    off = FieldChange("disabledPlans", (), ("TEAMS1",))
    on = FieldChange("disabledPlans", ("TEAMS1",), ())
    told = [
        privilege(Update(key, CohortName("beta"), Wave.ENTITLEMENTS, (change,)))
        for change in (off, on)
    ]

    assert told == [Privilege.REMOVAL, None]


@pytest.mark.parametrize(
    ("approval", "told"),
    [
        (APPROVED, "Approved with #7 by `bob`, `cat`."),
        (Approval(pull_request=7), "Merged with #7, which no review has approved."),
        (Approval(actor="ada"), "Begun by `ada`, without an approval."),
        (Approval(), "| `create role User Administrator for ada@contoso.com` | `because` |"),
    ],
    ids=["approved", "unapproved", "by hand", "on a terminal"],
)
def test_the_page_of_a_run(company: Company, make: Making, approval: Approval, told: str) -> None:
    """Counts, failures, privileged changes and files are there, and who let it happen."""
    denied = make.error(403, "Authorization_RequestDenied", "`|` @everyone <b>")
    company.faults.append(make.fault("POST", "assignLicense", denied))
    applied = company.apply(
        make.desired(make.person("ada", roles=(READER,)), make.person("bob", licenses=("SPE_E5",)))
    )

    shown = markdown(applied.plan, applied.run, approval)

    assert shown.startswith("### `Contoso`: partly failed, 3 of 4 changes made\n")
    assert "for bob@contoso.com`: ``Authorization_RequestDenied: `|` @everyone <b>" in shown
    assert "- `beta.credentials.csv.age`: 2 accounts" in shown
    assert told in shown


def test_a_text_for_who_receives_credentials(company: Company, make: Making) -> None:
    """It names the file, the keys that open it, and what to do afterwards; no password."""
    applied = company.apply(make.desired(make.person("ada")))
    (file,) = applied.run.sealed
    keys = applied.plan.recipients[file.cohort]

    shown = handoff(file, (*keys, f"{SSH} `x`"), "https://x/runs/5")
    here = handoff(file, keys, None)

    assert shown.startswith("# First passwords of 1 person in `beta`\n")
    assert all(f"- `{key}`" in shown for key in keys)
    assert f"- `ssh-ed25519 {FINGERPRINT}` (calls itself `` kenji `x` ``)" in shown
    assert "`age -d -i YOUR_KEY beta.credentials.csv.age`" in shown
    assert "`reconciler unseal beta.credentials.csv.age -i YOUR_KEY`" in shown
    assert "Fetch the artifact `credentials` of <https://x/runs/5>, within a day" in shown
    assert "1. It is here: `beta.credentials.csv.age`." in here
    assert not re.search(r"password:", shown, re.IGNORECASE)
