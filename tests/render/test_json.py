from __future__ import annotations

import json as plain_json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from reconciler.changes import (
    ACTIONS,
    Change,
    Delete,
    FieldChange,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    Reason,
    RoleAssignmentKey,
    UserKey,
    Wave,
)
from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.model import Account, CohortName, Tenant
from reconciler.plan import Plan, in_order_of_execution
from reconciler.render import json, markdown, text
from reconciler.seats import Seats
from reconciler.text import hidden_in, is_hidden

if TYPE_CHECKING:
    from reconciler.changes import Key

SCHEMAS = Path(__file__).parents[2] / "schema"


def validator(name: str) -> Draft202012Validator:
    """Give the validator of a published schema, formats included."""
    schema = plain_json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


PLAN = validator("plan")
RECEIPT = validator("receipt")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
accounts = st.builds(Account, texts, st.none() | texts)
positions = st.none() | st.builds(Position, texts, st.integers(1, 999), st.integers(1, 99))
values = st.none() | st.booleans() | texts | st.lists(texts, max_size=3).map(tuple)
fields = st.lists(st.builds(FieldChange, texts, values, values), max_size=3).map(tuple)
keys = st.one_of(
    st.builds(UserKey, accounts),
    st.builds(LicenseKey, accounts, texts, texts),
    st.builds(MembershipKey, accounts, texts, texts),
    st.builds(RoleAssignmentKey, accounts, texts, texts, texts, st.none() | texts),
)
names = st.none() | texts
moves = st.tuples(names, names).map(lambda pair: (FieldChange("manager", *pair),))
cohorts = st.sampled_from(["beta", "gamma"])
arguments = (cohorts, st.sampled_from(Wave))


def of(action: type[Change]) -> st.SearchStrategy[Change]:
    """Give changes of one action, of every kind of resource."""
    more = {"reason": st.sampled_from(Reason), "position": positions}
    kinds = ((keys, fields), (st.builds(ManagerKey, accounts, st.none() | accounts), moves))
    return st.one_of(*(st.builds(action, key, *arguments, f, **more) for key, f in kinds))


changes = st.lists(st.one_of(*map(of, ACTIONS)), max_size=8).map(in_order_of_execution)
diagnostics = st.lists(
    st.builds(Diagnostic, texts, st.none() | texts, positions, st.sampled_from(Severity)),
    max_size=2,
).map(tuple)
numbers = st.integers(0, 10_000)
a_seats = st.builds(Seats, texts, texts, numbers, st.integers(-9, 99), numbers, numbers)
plans_of_all_kinds = st.builds(
    Plan,
    st.builds(Tenant, texts, texts, st.just(())),
    texts,
    texts,
    changes,
    st.dictionaries(cohorts, st.lists(texts, max_size=2).map(tuple)),
    st.lists(a_seats, max_size=2).map(tuple),
    diagnostics,
    diagnostics,
)


@given(plans_of_all_kinds)
def test_schema(plan: Plan) -> None:
    """Whatever a plan holds, its JSON form is what the schema says."""
    assert [error.message for error in PLAN.iter_errors(plain_json.loads(json(plan)))] == []


def test_stories_match_the_schema(plan: Plan) -> None:
    """The JSON form of every story is what the schema says."""
    assert [error.message for error in PLAN.iter_errors(plain_json.loads(json(plan)))] == []


@given(plans_of_all_kinds)
def test_deterministic(plan: Plan) -> None:
    """One plan gives one string in each form, however often and from whichever copy."""
    copy = replace(plan, recipients=dict(reversed(list(plan.recipients.items()))))

    assert json(plan) == json(copy)
    assert markdown(plan) == markdown(copy)
    assert text(plan, color=True, width=80) == text(copy, color=True, width=80)


@given(plans_of_all_kinds)
def test_complete(plan: Plan) -> None:
    """The JSON form holds every change in order, and counts that add up."""
    shown = plain_json.loads(json(plan))

    assert [c["address"] for c in shown["changes"]] == [c.key.address for c in plan.changes]
    assert [c["name"] for c in shown["changes"]] == [c.key.name for c in plan.changes]
    assert sum(shown["summary"].values()) == len(plan.changes)
    assert sum(c["accounts"] for c in shown["credentials"]) == len(plan.new_accounts)
    assert shown["digest"] == plan.digest
    assert shown["applyable"] is (plan.refusals == ())


SHOWN = "é 研 👩\u200d🔬"
HIDDEN = (
    "ad\u200dmin Ada\ufe0f \u3164 "
    "\u202eab\u200f \u009b31m \x7f \u2028 \ufeff \U000e0041 ##[add-mask]x ###[ \\##[ "
)


def test_nothing_hidden(plans: dict[str, Plan]) -> None:
    """No hidden character and no command to a runner is raw, and yet each value is the same."""
    shown = json(replace(plans["nothing"], source=HIDDEN + SHOWN))

    assert {c for c in shown if is_hidden(c)} == {"\n"}
    assert list(hidden_in(shown, is_file=True)) == []
    assert "##[" not in shown
    assert SHOWN in shown
    assert plain_json.loads(shown)["source"] == HIDDEN + SHOWN


@given(plans_of_all_kinds, texts)
def test_values_survive(plan: Plan, source: str) -> None:
    """Whatever the text, nothing hidden is raw, and a parser reads what the plan holds."""
    shown = json(replace(plan, source=source))

    assert {c for c in shown if is_hidden(c)} == {"\n"}
    assert list(hidden_in(shown, is_file=True)) == []
    assert plain_json.loads(shown)["source"] == source


def one(key: Key) -> dict[str, Any]:
    """Give the JSON form of a change of *key*."""
    change = Delete(key, CohortName("beta"), Wave.USERS, (FieldChange("manager", "a", None),))
    plan = Plan(Tenant("t", "Contoso", ()), "s", "o", (change,), {})  # type: ignore[arg-type]  # any text is an id here
    shown: dict[str, Any] = plain_json.loads(json(plan))["changes"][0]
    return shown


ADA: Any = Account("ada@contoso.com", "1")  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("key", "particulars"),
    [
        pytest.param(UserKey(ADA), {}, id="user"),
        pytest.param(
            ManagerKey(ADA, ADA),
            {"manager": {"id": "1", "userPrincipalName": "ada@contoso.com"}},
            id="manager",
        ),
        pytest.param(ManagerKey(ADA, None), {"manager": None}, id="no manager"),
        pytest.param(
            LicenseKey(ADA, "e5", "SPE_E5"),  # type: ignore[arg-type]  # as above
            {"skuId": "e5", "skuPartNumber": "SPE_E5"},
            id="license",
        ),
        pytest.param(
            MembershipKey(ADA, "g", "Staff"),  # type: ignore[arg-type]  # as above
            {"groupId": "g", "displayName": "Staff"},
            id="membership",
        ),
        pytest.param(
            RoleAssignmentKey(ADA, "r", "Reader", "/", "a"),  # type: ignore[arg-type]  # as above
            {
                "roleDefinitionId": "r",
                "displayName": "Reader",
                "directoryScopeId": "/",
                "assignmentId": "a",
            },
            id="role",
        ),
    ],
)
def test_particulars(key: Key, particulars: dict[str, object]) -> None:
    """Each kind of resource has its own ids, under Graph's names, and no others."""
    always = one(UserKey(ADA)).keys()

    assert {name: value for name, value in one(key).items() if name not in always} == particulars


@pytest.mark.parametrize(
    "damage",
    [
        lambda plan: plan.pop("digest"),
        lambda plan: plan.update(surprise="x"),
        lambda plan: plan.update(format_version="2.0"),
        lambda plan: plan["changes"][0].update(skuId="x"),
        lambda plan: plan["changes"][0].pop("fields"),
        lambda plan: plan["changes"][0].update(action="destroy"),
        lambda plan: plan["summary"].update(create=-1),
    ],
    ids=["no digest", "unknown", "version", "foreign id", "no fields", "action", "negative"],
)
def test_schema_refuses(plans: dict[str, Plan], damage: Any) -> None:  # noqa: ANN401 -- JSON
    """The schema is strict: what a plan cannot hold, it refuses."""
    shown = plain_json.loads(json(plans["joiners"]))
    shown["changes"].sort(key=lambda change: change["resource"] != "user")
    damage(shown)

    assert not PLAN.is_valid(shown)


def a_receipt() -> dict[str, Any]:
    """Give a receipt with an outcome of every kind."""
    outcome = {
        "address": "user/ada@contoso.com",
        "action": "create",
        "user": {"id": "1", "userPrincipalName": "ada@contoso.com"},
        "cohort": "beta-2026",
        "outcome": "applied",
        "at": "2026-03-01T09:00:01Z",
        "confirmed": True,
        "requestId": "f3b1",
        "error": None,
        "because": None,
        "note": None,
    }
    error = {"status": 403, "code": "Authorization_RequestDenied", "message": "no"}
    return {
        "format_version": "1.0",
        "run": {
            "id": "20260301T090000Z",
            "startedAt": "2026-03-01T09:00:00Z",
            "finishedAt": "2026-03-01T09:00:02Z",
            "tool": "reconciler 0.1.0",
        },
        "tenant": {"id": "t", "displayName": "Contoso"},
        "planDigest": "sha256:" + "0" * 64,
        "result": "partly failed",
        "summary": {"applied": 1, "failed": 1, "skipped": 1},
        "outcomes": [
            outcome,
            {**outcome, "outcome": "failed", "error": error},
            {**outcome, "outcome": "skipped", "at": None, "because": "user/ada@contoso.com"},
        ],
        "credentials": [
            {"cohort": "beta-2026", "file": "beta-2026.credentials.csv.age", "accounts": 1}
        ],
    }


def test_receipt_schema() -> None:
    """The receipt's schema takes a receipt with outcomes of every kind."""
    assert [error.message for error in RECEIPT.iter_errors(a_receipt())] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda receipt: receipt.pop("run"),
        lambda receipt: receipt.update(surprise="x"),
        lambda receipt: receipt.update(result="fine"),
        lambda receipt: receipt["outcomes"][1].update(error=None),
        lambda receipt: receipt["outcomes"][0].update(outcome="done"),
    ],
    ids=["no run", "unknown", "result", "failed without error", "outcome"],
)
def test_receipt_schema_refuses(damage: Any) -> None:  # noqa: ANN401 -- JSON
    """The receipt's schema is strict: what a receipt cannot hold, it refuses."""
    receipt = a_receipt()
    damage(receipt)

    assert not RECEIPT.is_valid(receipt)
