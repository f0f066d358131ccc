from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from reconciler.changes import Create, FieldChange, MembershipKey, UserKey, Wave, is_removal
from reconciler.diagnostics import Diagnostic
from reconciler.model import ObjectId
from reconciler.render import text
from reconciler.text import is_hidden, visible
from tests.render.conftest import AGE, FINGERPRINT, SSH

if TYPE_CHECKING:
    from reconciler.plan import Plan


def plain(plan: Plan, width: int = 100) -> str:
    """Give the text form without colour."""
    return text(plan, color=False, width=width)


def changed(plan: Plan, field: FieldChange) -> Plan:
    """Give *plan* with its update of an account made to change *field* and nothing else."""
    updates = (c for c in plan.changes if c.verb == "update" and isinstance(c.key, UserKey))
    return replace(plan, changes=tuple(replace(c, fields=(field,)) for c in updates))


def squeezed(shown: str) -> str:
    """Give *shown* with every run of space as one, so that wrapping does not matter."""
    return " ".join(shown.split())


def test_every_change_is_told(plan: Plan) -> None:
    """No change is missing: account and name of each stand in the text, whole."""
    shown = squeezed(plain(plan))
    names = [change.key.name for change in plan.changes if change.key.name != "no manager"]
    names += [change.key.account.user_principal_name for change in plan.changes]

    assert [name for name in set(names) if squeezed(visible(name)) not in shown] == []


def test_every_field_is_told(plan: Plan) -> None:
    """No property is missing: its name and its new value stand in the text."""
    lines = plain(plan, 10_000).splitlines()
    told = {"disabledPlans", "manager"}
    labels = Counter(line.split(":")[0].strip() for line in lines)
    fields = Counter(f.path for c in plan.changes for f in c.fields if f.path not in told)

    assert {path: labels[path] for path in fields} == fields


def test_removals_come_first_and_in_full(plans: dict[str, Plan]) -> None:
    """Everything that is taken away is told before anything else, under its own heading."""
    shown = plain(plans["leavers"])
    first, second = shown.split("\nCohort ", maxsplit=1)

    assert "\nRemovals\n" in first
    assert [
        c.key.name for c in plans["leavers"].changes if is_removal(c) and c.key.name not in first
    ] == []
    assert not re.search(r"^ *- ", second, re.MULTILINE)


def test_counts_add_up(plan: Plan) -> None:
    """The numbers of the last lines add up to the number of changes."""
    (summary,) = re.findall(r"^Plan: .*$", plain(plan, 10_000), re.MULTILINE)
    told = re.findall(r"(\d[\d,]*) [a-z ]+ to [a-z]+", summary)

    assert sum(int(number.replace(",", "")) for number in told) == len(plan.changes)
    assert f"Digest: {plan.digest}" in plain(plan)


def test_symbols_add_up(plan: Plan) -> None:
    """There is one line with a symbol for each change."""
    symbols = re.findall(r"^ +([-+~<>]) \w", plain(plan), re.MULTILINE)

    assert sorted(symbols) == sorted(change.symbol for change in plan.changes)


def test_no_colour_codes(plan: Plan) -> None:
    """Without colour there is no escape character, whatever the names hold."""
    assert "\x1b" not in plain(plan)


def test_colour_only_colours(plan: Plan) -> None:
    """With colour the text is the same, and the only codes are those of colour."""
    colored = text(plan, color=True, width=100)
    bare = re.sub(r"\x1b\[[\d;]+m", "", colored)

    assert [line.rstrip() for line in bare.splitlines()] == plain(plan).splitlines()
    assert "\x1b" not in bare


def test_nothing_hidden(plan: Plan) -> None:
    """No character that moves the cursor or reverses a line reaches the terminal."""
    assert {c for c in plain(plan) if is_hidden(c)} <= {"\n"}


@pytest.mark.parametrize("width", [40, 60, 100])
def test_width(plans: dict[str, Plan], width: int) -> None:
    """Lines fit, in cells; only a word too long to break and a diagnostic stick out."""
    for name in ("joiners", "leavers", "returns", "refused"):
        for line in plain(plans[name], width).splitlines():
            if re.search(r"(error|warning|note|hint|hint for these \d+): ", line):
                continue  # whole, so that a place and its problem can be searched for as one
            longest = max(map(cell_len, line.split()), default=0)
            assert cell_len(line) <= max(width, longest + 16)


@pytest.mark.parametrize("word", ["研究員", "한국어", "e\u0301te\u0301", "word"])
def test_width_is_counted_in_cells(plans: dict[str, Plan], word: str) -> None:
    """A long value in any script is broken where it would leave the terminal, no earlier."""
    title = FieldChange("jobTitle", None, " ".join([word] * 60))
    shown = plain(changed(plans["leavers"], title), 60)
    lines = [line for line in shown.splitlines() if line.count(word) > 1]
    broken = [line for line in lines if not line.endswith('"')]

    assert max(map(cell_len, lines)) <= 60
    assert min(map(cell_len, broken)) > 60 - 2 - cell_len(word)


def test_nothing_to_do(plans: dict[str, Plan]) -> None:
    """An empty plan says so before anything else."""
    assert plain(plans["nothing"]).startswith("No changes: Contoso is as the files declare it\n")


def test_nothing_but_notes(plans: dict[str, Plan]) -> None:
    """A plan of notes alone points to them at the top, and tells a hint they share once."""
    shown = plain(plans["kept"])

    assert shown.startswith("No changes: Contoso is as the files declare it (8 notes below)\n")
    assert shown.count("removal: disable") == 1
    assert "person7@contoso.com' is no longer declared; it is kept as it is\n    hint for " in shown
    assert "    hint for these 7: `removal: disable` or" in shown


HEADLINES = {
    "joiners": "Contoso: 3 people join",
    "leavers": "Contoso: 1 person changes, 2 leave: 1 deleted, 1 blocked",
    "returns": "Contoso: 1 person returns, 1 is adopted",
    "blocked": (
        "Contoso: 1 person returns blocked, 1 is adopted and blocked, 1 changes, 1 is blocked, "
        "2 leave: 1 deleted, 1 blocked already"
    ),
}


@pytest.mark.parametrize("name", HEADLINES)
def test_headline(plans: dict[str, Plan], name: str) -> None:
    """The first line counts people, and says of leavers and others whether they are blocked."""
    assert plain(plans[name], 10_000).splitlines()[0] == HEADLINES[name]


SUMMARIES = {
    "leavers": (
        "Plan: 1 account to delete, 1 account to block, 1 role to take back, 3 licenses and "
        "memberships to take back, 1 license to reduce, 1 account to change, 1 manager to change "
        "(9 changes, 7 removals)"
    ),
    "joiners": (
        "Plan: 3 accounts to create, 1 role to give, 6 licenses and memberships to give, "
        "3 managers to set (13 changes, 0 removals, 1 privileged)"
    ),
    "returns": (
        "Plan: 1 account to adopt, 1 account to restore, 1 role to give, 1 manager to clear "
        "(4 changes, 0 removals, 1 privileged)"
    ),
    "blocked": (
        "Plan: 1 account to delete, 1 account to block, 1 account to adopt and block, "
        "1 account to restore and block, 1 license to take back, 1 account to change "
        "(6 changes, 5 removals)"
    ),
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_summary(plans: dict[str, Plan], name: str) -> None:
    """The last lines tell accounts apart from what they hold."""
    assert SUMMARIES[name] in plain(plans[name], 10_000).splitlines()


CONSEQUENCES = {
    "- user bob@contoso.com: deleted (recycle bin for 30 days)": "leavers",
    "~ user carol@contoso.com: sign-in is blocked, sessions end": "leavers",
    "~ user eve@contoso.com: sign-in is blocked, sessions end": "blocked",
    "jo@contoso.com: sign-in is blocked already": "blocked",
}


@pytest.mark.parametrize("told", CONSEQUENCES)
def test_consequences(plans: dict[str, Plan], told: str) -> None:
    """Each line of a removal says what becomes of the account."""
    removals, _, _ = plain(plans[CONSEQUENCES[told]], 120).partition("\nCohort ")

    assert told in [line.rpartition("  (")[0].strip() for line in removals.splitlines()]


RECIPIENTS = {
    "age": (AGE, AGE),
    "ssh": (SSH.removesuffix(" kenji"), f"ssh-ed25519 {FINGERPRINT}"),
    "ssh with a comment": (SSH, f'ssh-ed25519 {FINGERPRINT} (calls itself "kenji")'),
    "ssh with an attempt": (
        f'{SSH}" \u202eand\tage1priya',
        f'ssh-ed25519 {FINGERPRINT} (calls itself "kenji\\" \\u{{202e}}and\\u{{9}}age1priya")',
    ),
}


@pytest.mark.parametrize("name", RECIPIENTS)
def test_recipients(plans: dict[str, Plan], name: str) -> None:
    """A key is told by what nobody can choose; what it calls itself is told as its own words."""
    key, shown = RECIPIENTS[name]
    plan = plans["refused"]
    changed = replace(plan, recipients=dict.fromkeys(plan.recipients, (key,)))

    assert f"    {shown}" in plain(changed, 120).splitlines()


def test_what_makes_privileged_is_marked(plans: dict[str, Plan]) -> None:
    """Roles and groups that can hold some are marked; what is said for them is missed."""
    told = [line.strip() for line in plain(plans["powers"]).splitlines()]

    assert [line for line in told if "role" in line and not line.startswith("Plan")] == [
        "- role-assignable group Tier 1",
        "+ role-assignable group Tier 1 (privileged, no justification given)",
        ("+ role Reports Reader in /administrativeUnits/4b1a (privileged, no justification given)"),
        "+ role User Administrator (privileged)",
    ]
    assert "+ group Research - All staff" in told
    assert squeezed(plain(plans["powers"])).count("(5 changes, 1 removal, 3 privileged)") == 1


def test_a_smaller_license_is_a_removal(plans: dict[str, Plan]) -> None:
    """Service plans that are taken from a license stand among the removals."""
    removals, _, rest = plain(plans["leavers"]).partition("\nCohort ")

    assert (
        "      ~ service plans taken from license SPE_E5\n"
        '            disabledPlans: ["SWAY"] -> ["SWAY", "YAMMER_ENTERPRISE"]\n'
    ) in removals
    assert "SPE_E5" not in rest.partition("\nSeats")[0]


def test_refused_without_changes(plans: dict[str, Plan]) -> None:
    """A plan that is refused before it has changes is not called empty."""
    plan = replace(plans["nothing"], refusals=(Diagnostic("group 'x' is not there"),))

    assert plain(plan).startswith("Contoso: no changes can be planned\n")


def test_refused(plans: dict[str, Plan]) -> None:
    """A refused plan says so at the top, tells where and what to do, and repeats it at the end."""
    shown = plain(plans["refused"])

    assert shown.startswith("Contoso: 1 person joins; refused: 1 problem\n")
    assert "cohorts/beta-2026.yaml:9:5: error: the plan needs 1 seat" in shown
    assert "hint: buy 1 seat" in shown
    assert shown.splitlines()[-2].startswith("Refused: 1 problem above")


def test_quotes_cannot_be_forged(plans: dict[str, Plan]) -> None:
    """A value with a quotation mark cannot pretend to end there."""
    shown = plain(changed(plans["leavers"], FieldChange("department", 'a" -> "b', "a\\")))

    assert r'department: "a\" -> \"b" -> "a\\"' in shown


@pytest.mark.parametrize(
    "name", ["x " * 60 + "::add-mask::Contoso", "::error::no", "a ##[add-mask]Contoso", " :: x"]
)
@pytest.mark.parametrize("width", [40, 41, 60, 100])
def test_no_commands_to_a_runner(plans: dict[str, Plan], name: str, width: int) -> None:
    """Shown in the log of GitHub Actions, no name is a command, wherever a line is broken."""
    problem = Diagnostic(name, name)
    plan = changed(plans["leavers"], FieldChange("department", name, name))
    lines = plain(replace(plan, notes=(problem,), refusals=(problem,)), width).splitlines()

    assert [line for line in lines if line.strip().startswith("::") or "##[" in line] == []


def test_names_with_spaces_around_them(plans: dict[str, Plan]) -> None:
    """A name that is nothing but spaces is put in quotes."""
    plan = plans["joiners"]
    key = MembershipKey(plan.changes[0].key.account, ObjectId("1"), " ")
    change = Create(key, plan.changes[0].cohort, Wave.ENTITLEMENTS)

    assert '+ group " "\n' in plain(replace(plan, changes=(change,)))
