from __future__ import annotations

import json as plain_json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from reconciler.changes import (
    Key,
    LicenseKey,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
)
from reconciler.diagnostics import Diagnostic, Position
from reconciler.findings import Actor, AuditLog, Drift, Evidence, Finding, Kind, Standing
from reconciler.model import Account, CohortName, ObjectId, Tenant, UserPrincipalName
from reconciler.render.drift_json import json
from reconciler.render.drift_markdown import LIMIT, markdown
from reconciler.render.drift_text import text
from reconciler.text import is_hidden, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SCHEMA = plain_json.loads((Path(__file__).parents[2] / "schema" / "drift.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
BETA = CohortName("beta-2026")
EVE = Actor("Eve", "eve@contoso.com", is_person=True)
SEEN = Evidence("2026-03-01T09:00:00Z", "Update user", "Department", EVE)


def keys(account: Account, name: str) -> dict[str, Key]:
    """Give a key of each kind of resource."""
    id_ = ObjectId(f"id-{name}")
    return {
        "user": UserKey(account),
        "manager": ManagerKey(account, Account(UserPrincipalName(name), id_)),
        "license": LicenseKey(account, id_, name),
        "membership": MembershipKey(account, id_, name),
        "roleAssignment": RoleAssignmentKey(account, id_, name, "/", id_),
    }


def person(name: str) -> Account:
    """Give an account that exists."""
    return Account(UserPrincipalName(name), ObjectId(f"id-{name}"))


def drift_of(*findings: Finding, **more: Any) -> Drift:  # noqa: ANN401 -- passed on
    """Give the drift that consists of these."""
    tenant = Tenant(ObjectId("28d80e74"), "Contoso", ())
    return replace(Drift(tenant, "us", "extensionAttribute15", findings), **more)


def field(name: str = "ada@contoso.com", **more: Any) -> Finding:  # noqa: ANN401 -- passed on
    """Give a property that differs."""
    values: dict[str, Any] = {"declared": "Research", "actual": "Sales", **more}
    return Finding(Kind.FIELD, UserKey(person(name)), BETA, "department", **values)


def story() -> Drift:
    """Every kind of difference, of every standing that it can have."""
    ada = keys(person("ada@contoso.com"), "Staff")
    user, license_ = ada["user"], ada["license"]
    ours = replace(SEEN, actor=Actor("Identity", "app-id", is_person=False, is_ours=True))
    portal = replace(SEEN, property=None, actor=Actor(None, None, is_person=False))
    findings = (
        Finding(Kind.ABSENT, user, BETA),
        Finding(Kind.ABSENT, user, BETA, standing=Standing.UNKNOWN),
        Finding(Kind.ABSENT, user, BETA, standing=Standing.NOT_APPLIED),
        Finding(Kind.DELETED, user, BETA, evidence=SEEN),
        Finding(Kind.UNDECLARED, user, BETA),
        Finding(Kind.UNADOPTED, user, BETA, standing=Standing.UNKNOWN),
        Finding(Kind.MARK, user, BETA, "mark", declared="us/beta-2026", actual=None),
        field(evidence=portal, position=Position("cohorts/beta.yaml", 3, 5)),
        field(evidence=ours, standing=Standing.NOT_APPLIED),
        replace(field(), path="accountEnabled", declared=True, actual=False),
        replace(field(), path="otherMails", declared=(), actual=("a@x.example", "b@x.example")),
        Finding(Kind.FIELD, ada["manager"], BETA, "manager", declared="m@contoso.com"),
        Finding(Kind.FIELD, license_, BETA, "disabledPlans", declared=(), actual=("SWAY",)),
        Finding(Kind.HELD, ada["membership"], BETA),
        Finding(Kind.NOT_HELD, ada["roleAssignment"], BETA),
        Finding(Kind.NOT_HELD, license_, BETA, standing=Standing.NOT_APPLIED),
        Finding(Kind.BROKEN, license_, BETA, "state", declared="Active", actual="CountViolation"),
    )
    refusals = (
        Diagnostic("group 'x' is not there", "correct it", Position("cohorts/beta.yaml", 5, 1)),
        Diagnostic("too few seats"),
    )
    return drift_of(*findings, refusals=refusals)


SENTENCES = (
    "the account was there, and is gone: it is not in the recycle bin either",
    "it was never made, or is gone for good; the tenant does not tell which",
    "the account has not been made yet",
    "the account was deleted: it is in the recycle bin",
    "the account carries our mark, and nobody declares it",
    "it was not adopted yet, or the mark was taken away; the tenant does not tell which",
    'mark: the tenant has nothing, the files say "us/beta-2026"',
    'department: the tenant has "Sales", the files say "Research"',
    'accountEnabled: the tenant has "false", the files say "true"',
    'otherMails: the tenant has "a@x.example", "b@x.example", the files say nothing',
    'manager: the tenant has nothing, the files say "m@contoso.com"',
    'license Staff disabledPlans: the tenant has "SWAY", the files say nothing',
    "has group Staff, which the files do not declare",
    "does not have role Staff any more",
    "does not have license Staff yet",
    'license Staff does not work: Graph says "CountViolation"',
    "2026-03-01T09:00:00Z by Eve (eve@contoso.com): Update user, Department",
    "by the reconciler's own application, Identity (app-id): Update user",
    "by application nobody named: Update user",
    "Refused: 2 problems of the files",
    "cohorts/beta.yaml:5:1: error: group 'x' is not there",
    "1 person has drifted: 12 differences",
)


def test_text_tells_everything() -> None:
    """Each difference has its sentence, from the tenant's side, and each doer a name."""
    told = " ".join(text(story(), color=False, width=100).split())

    assert [sentence for sentence in SENTENCES if sentence not in told] == []


def test_color_only_repeats() -> None:
    """Without its colours the painted text is the plain one; a narrow terminal loses no word."""
    plain = text(story(), color=False, width=100)

    assert re.sub(r"\x1b\[[\d;]*m", "", text(story(), color=True, width=100)) == plain
    assert text(story(), color=False, width=10).split() == plain.split()


def test_markdown_tells_everything() -> None:
    """All of it stands in the issue, drift before what the files wait for."""
    shown = markdown(story())
    told = shown.replace("`", "").replace("<br>", " ")

    plain = [s.replace('"', "") for s in SENTENCES if " by " not in s and s[:7] != "Refused"]
    assert [s for s in plain if s not in told and ":5:1" not in s and s[:3] != "by "] == []
    assert "Eve (eve@contoso.com) 2026-03-01T09:00:00Z: Update user, Department |" in told
    assert "error cohorts/beta.yaml:5:1: group 'x' is not there" in told.replace("**", "")
    headings = re.findall("^#+ (.*)$", shown, re.MULTILINE)
    assert headings == [
        "`Contoso`: 1 person has drifted: 12 differences",
        "Drift",
        "Refused",
        "Not applied yet, which is no drift",
    ]
    assert shown.endswith(f"\n\nDigest: `{story().digest}`\n")


def test_json_tells_everything() -> None:
    """The JSON form holds to its schema and counts what it holds."""
    document = plain_json.loads(json(story()))

    Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert document["summary"] == {"people": 1, "drift": 12, "notApplied": 3, "unknown": 2}
    assert len(document["findings"]) == len(story().findings)
    assert document["drifted"] is True


def test_schema_knows_every_word() -> None:
    """Kinds and standings of the schema are those of the program."""
    properties = SCHEMA["$defs"]["finding"]["properties"]

    assert properties["kind"]["enum"] == [kind.value for kind in Kind]
    assert properties["standing"]["enum"] == [standing.value for standing in Standing]


@pytest.mark.parametrize(
    "damage",
    [
        lambda drift: drift.pop("digest"),
        lambda drift: drift.update(surprise=1),
        lambda drift: drift["findings"][0].update(kind="moved"),
        lambda drift: drift["findings"][0].update(skuId="x"),
        lambda drift: drift["auditLog"].update(asked=-1),
    ],
)
def test_schema_refuses(damage: Any) -> None:  # noqa: ANN401 -- JSON
    """The schema is strict: what a drift cannot hold, it refuses."""
    document = plain_json.loads(json(story()))
    damage(document)

    assert not VALIDATOR.is_valid(document)


def test_no_drift() -> None:
    """A converged tenant has a headline and a digest, and not one heading more."""
    drift = drift_of()

    assert markdown(drift) == f"### `Contoso`: no drift\n\nDigest: `{drift.digest}`\n"
    assert text(drift, color=False, width=80).splitlines() == [
        "Contoso: no drift",
        "tenant 28d80e74",
        "",
        f"Digest: {drift.digest}",
    ]
    assert plain_json.loads(json(drift))["drifted"] is False


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (AuditLog(0, 3, "not granted"), "Who changed what is not told: not granted."),
        (
            AuditLog(20, 60, "it broke"),
            "Who changed what of 40 accounts is not told: it broke.",
        ),
        (
            AuditLog(60, 90),
            "told of 60 of 90 accounts: the audit log is not asked about more in one run.",
        ),
    ],
)
def test_silence_of_the_log(log: AuditLog, said: str) -> None:
    """Why nobody is named, or not everybody, is one line of every form for people."""
    drift = drift_of(field(), log=log)

    assert said in markdown(drift)
    assert said in text(drift, color=False, width=200)


# --- hostile names


def tokens(shown: str) -> Iterator[Token]:
    """Give every token of *shown*, those inside others included."""
    for token in PARSER.parse(shown):
        yield token
        yield from token.children or ()


def hostile(*names: str) -> Drift:
    """Let every text from outside be one of *names*."""
    findings = [
        Finding(kind, key, CohortName(name), name, name, (name, name), None, standing, seen)
        for name in names
        for key in keys(person(name), name).values()
        for seen in [Evidence(name, name, name, Actor(name, name, is_person=False))]
        for kind in (Kind.FIELD, Kind.HELD, Kind.BROKEN)
        for standing in (Standing.DRIFT, Standing.UNKNOWN)
    ]
    refusals = tuple(Diagnostic(name, name, Position(name, 1, 1)) for name in names)
    tenant = Tenant(ObjectId("t"), names[0], ())
    return Drift(tenant, "us", "x", tuple(findings), refusals, AuditLog(0, 1, names[0]))


def check_markdown(drift: Drift, *names: str) -> None:
    """Every name is literal in a code span; there is no markup of theirs."""
    shown = markdown(drift)
    all_ = list(tokens(shown))
    spans = {t.content for t in all_ if t.type == "code_inline"}
    markup = {t.content for t in all_ if t.type in {"html_block", "html_inline"}}
    prose = " ".join(t.content for t in all_ if t.type == "text")
    bad = {"link_open", "image", "em_open", "s_open", "fence", "code_block", "hr"}

    assert {visible(n) if n.strip() else f'"{visible(n)}"' for n in names} <= spans
    assert markup <= {"<br>"}
    assert not {t.type for t in all_} & bad
    assert not set(prose) & set("@#<>&|*_[]\\")
    assert not any(is_hidden(c) for c in shown.replace("\n", ""))
    for row in re.findall(r"^\|.*\|$", shown, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", row)) == 6, row


def test_hostile_names_are_inert_in_markdown(hostile_names: tuple[str, ...]) -> None:
    """No name pings, links, breaks a table or becomes HTML."""
    for name in hostile_names:
        check_markdown(hostile(name), name)


def test_hostile_names_are_inert_in_text(hostile_names: tuple[str, ...]) -> None:
    """No name moves the cursor, starts a line or commands a runner."""
    shown = text(hostile(*hostile_names), color=False, width=100)

    assert not any(is_hidden(c) for c in shown.replace("\n", ""))
    assert "##[" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]


def test_hostile_names_survive_json(hostile_names: tuple[str, ...]) -> None:
    """Each comes back as it was, and nothing hidden stands in the text of the JSON."""
    shown = json(hostile(*hostile_names))
    document = plain_json.loads(shown)

    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert {found["cohort"] for found in document["findings"]} == set(hostile_names)
    assert not any(is_hidden(c) for c in shown.replace("\n", ""))
    assert "##[" not in shown


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_no_name_leaves_its_cell(name: str) -> None:
    """Whatever a name is, tables keep their cells and code spans their content."""
    check_markdown(hostile(name), name)


def test_what_does_not_fit_is_counted() -> None:
    """Ten thousand differences make an issue that GitHub takes, which says what is missing."""
    many = [field(f"p{number:05}@contoso.com") for number in range(10_000)]
    waiting = [replace(each, standing=Standing.UNKNOWN) for each in many]
    refusals = tuple(Diagnostic(f"refusal {n}") for n in range(10_000))
    drift = drift_of(*many, *waiting, refusals=refusals)
    shown = markdown(drift)
    rows = len(re.findall(r"^\| `~` ", shown, re.MULTILINE))

    assert len(shown) <= LIMIT
    assert rows > 100
    assert f"**{10_000 - rows:,} differences of 10,000 left out**" in shown
    assert "**10,000 refusals of 10,000 left out**" in shown
    assert "**10,000 items of 10,000 left out**" in shown
    assert shown.endswith(f"Digest: `{drift.digest}`\n")


def test_the_very_last_that_does_not_fit_is_counted_in_the_singular() -> None:
    """One that is too long by itself is left out, and the rest stays."""
    long = field("z@contoso.com", actual="x" * LIMIT)
    shown = markdown(drift_of(field(), long))

    assert "**1 difference of 2 left out**" in shown
    assert "`ada@contoso.com`" in shown
