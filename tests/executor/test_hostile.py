"""What a run leaves for people, made of names that are attempts on its readers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from markdown_it import MarkdownIt

from reconciler.changes import Create, MembershipKey, RoleAssignmentKey, UserKey, Wave
from reconciler.config.schema import schema_text
from reconciler.executor.as_markdown import markdown
from reconciler.executor.audit import Approval, audit, privilege
from reconciler.executor.handoff import handoff
from reconciler.executor.outcomes import Applied, Failed, Skipped
from reconciler.executor.receipt import Run, SealedFile
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName
from reconciler.render.github import PAGE_BYTES
from reconciler.text import is_hidden, visible
from tests.render.conftest import AGE, HOSTILE, SSH, TENANT, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from reconciler.changes import Change
    from reconciler.executor.outcomes import Outcome
    from reconciler.plan import Plan

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SCHEMA = Draft202012Validator(json.loads(schema_text("audit")), format_checker=FormatChecker())
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BETA = CohortName("beta")


def tokens(shown: str) -> Iterator[Token]:
    """Give every token of *shown*, those inside others included."""
    for token in PARSER.parse(shown):
        yield token
        yield from token.children or ()


def literal(name: str) -> str:
    """Give *name* as a code span should hold it."""
    return visible(name) if name.strip() else f'"{visible(name)}"'


def outcomes(change: Change, name: str) -> tuple[Outcome, ...]:
    """Give everything that can become of *change*; what Graph says is *name* too."""
    return (
        Applied(change, NOW, name, name, is_confirmed=True),
        Failed(change, NOW, name, name, 400, name),
        Skipped(change, name),
    )


def named(name: str) -> tuple[Plan, Run, Approval]:
    """Give a run of which every text from outside is *name*."""
    account = Account(UserPrincipalName(name), ObjectId(name))
    cohort = CohortName(name)
    role = RoleAssignmentKey(account, ObjectId(name), name, f"/{name}")
    group = MembershipKey(account, ObjectId(name), name, is_assignable_to_role=True)
    whole = hostile()
    said = next(c.fields for c in whole.changes if c.key.kind == "roleAssignment")
    reasons = tuple(replace(field, after=name) for field in said)
    changes: tuple[Change, ...] = (
        Create(role, cohort, Wave.ROLES, reasons),
        Create(group, cohort, Wave.ENTITLEMENTS),
    )
    plan = replace(whole, changes=changes, tenant=replace(TENANT, display_name=name))
    run = Run(
        name,
        NOW,
        NOW,
        tuple(outcome for change in changes for outcome in outcomes(change, name)),
        (SealedFile(cohort, Path(f"{name.replace('/', '')}.credentials.csv.age"), 2),),
    )
    return plan, run, Approval(name, name, name, name, 7, name, (name,))


def check_markdown(shown: str, *names: str) -> None:
    """Every name is literal in a code span; there is no markup and no prose of theirs."""
    all_ = list(tokens(shown))
    spans = {token.content for token in all_ if token.type == "code_inline"}
    kinds = {token.type for token in all_}
    prose = " ".join(token.content for token in all_ if token.type == "text")
    bad = {"link_open", "image", "em_open", "s_open", "fence", "code_block", "hr"}

    assert {literal(name) for name in names} <= spans
    assert not kinds & (bad | {"html_block", "html_inline"})
    assert not set(re.sub(r"(?<= )#7\b", "", prose)) & set("@#<>&|*_[]\\`")
    assert not any(is_hidden(c) for c in shown.replace("\n", ""))
    assert "##[" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]


def check_page(name: str) -> None:
    """Find every name inert on the page of a run, and each row as wide as its heading."""
    plan, run, approval = named(name)
    shown = markdown(plan, run, approval)
    file = run.sealed[0].path.name
    rows = re.findall(r"^\|.*\|$", shown, re.MULTILINE)

    check_markdown(shown, name, file)
    assert len(rows) == 2 + len(run.outcomes)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_of_a_run_is_inert(name: str) -> None:
    """No name pings, links, breaks the table or becomes HTML on the page of an apply."""
    check_page(name)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1))
def test_no_name_leaves_its_cell(name: str) -> None:
    """Whatever a name is, the table of privileged changes keeps its cells."""
    check_page(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_audit_is_one_line_for_each(name: str) -> None:
    """Every name comes back as it was, on the line of its change, with nothing hidden in it."""
    plan, run, approval = named(name)
    content = audit(plan, run, approval).decode()
    lines = content.splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        SCHEMA.validate(record)

    assert len(lines) == len(run.outcomes) == content.count("\n")
    assert {record["name"] for record in records} == {name}
    assert {record["approval"]["actor"] for record in records} == {name}
    assert [record["justification"] for record in records] == [name] * 3 + [None] * 3
    assert not any(is_hidden(c) for c in content.replace("\n", ""))
    assert "##[" not in content


def check_handoff(name: str) -> None:
    """Find no markup but our own in the text for who receives credentials."""
    file = SealedFile(CohortName(name), Path(f"{name.replace('/', '')}.credentials.csv.age"), 1)
    shown = handoff(file, (AGE, f"{SSH} {name}", name), None)
    names = (name, f"age -d -i YOUR_KEY {visible(file.path.name)}", file.path.name)
    kinds = [token.type for token in tokens(shown)]

    check_markdown(shown, AGE, *names)
    assert kinds.count("list_item_open") == 3 + 4
    assert kinds.count("heading_open") == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_the_handoff_is_inert(name: str) -> None:
    """Neither a cohort nor what a key calls itself is more than text in the handoff."""
    check_handoff(name)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1))
def test_no_name_leaves_its_span(name: str) -> None:
    """Whatever a cohort is called, and a key calls itself, the handoff keeps its form."""
    check_handoff(name)


@pytest.mark.parametrize("number", [3, 20_000])
def test_the_page_of_a_great_run_counts_what_it_leaves_out(number: int) -> None:
    """GitHub takes it, who becomes privileged goes last, and the audit has them all."""
    plan, run, approval = named("Tier 1")
    group = run.outcomes[-1].change
    failed = replace(group, key=UserKey(Account(UserPrincipalName("ada@contoso.com"))))
    many: tuple[Outcome, ...] = (
        *[Skipped(group, "x")] * number,
        *[Failed(failed, NOW, "E", "m")] * number,
    )
    shown = markdown(plan, replace(run, outcomes=many), approval)
    rows = len(re.findall(r"^\| role-assignable group \|", shown, re.MULTILINE))
    failures = len(re.findall(r"^- `create user", shown, re.MULTILINE))

    assert len(shown.encode()) <= PAGE_BYTES
    assert privilege(group) == "role-assignable group"
    if number == 3:
        assert (rows, failures) == (3, 3)
        assert "Left out" not in shown
        return
    assert 0 < rows < number
    assert f"**Left out here: {number - rows:,} of 20,000 privileged changes**; the audit" in shown
    assert f"**Left out here: {number - failures:,} of 20,000 failures**; the receipt" in shown
    assert "Approved with #7 by" in shown
