from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.changes import Adopt, MembershipKey, Restore
from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.effects import is_privileged, takes_away
from reconciler.model import Account, CohortName, UserPrincipalName
from reconciler.render import comment, markdown, page, problems
from reconciler.render.as_markdown import LIMIT
from reconciler.render.github import PAGE_BYTES, Section, cell, code, cut, joined
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from reconciler.changes import Change
    from reconciler.plan import Plan

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = r"<details><summary><code>[^<>]*</code>: [\w ,]+</summary>\n|</details>\n|<br>"
"""The only HTML that a plan may hold; what stands in the code element is escaped."""


def tokens(shown: str) -> Iterator[Token]:
    """Give every token of *shown*, those inside others included."""
    for token in PARSER.parse(shown):
        yield token
        yield from token.children or ()


def literal(name: str) -> str:
    """Give *name* as a code span should hold it."""
    return visible(name) if name.strip() else f'"{visible(name)}"'


def in_code(shown: str) -> list[str]:
    """Give the content of every code span."""
    return [token.content for token in tokens(shown) if token.type == "code_inline"]


def test_hostile_names_are_inert(plans: dict[str, Plan], hostile_names: tuple[str, ...]) -> None:
    """Every name is literal text in a code span; none becomes HTML, a link, or a table."""
    shown = markdown(plans["hostile"])
    spans = set(in_code(shown))
    kinds = {token.type for token in tokens(shown)}
    markup = [t.content for t in tokens(shown) if t.type in {"html_block", "html_inline"}]

    assert [name for name in hostile_names if literal(name) not in spans] == []
    assert kinds & {"link_open", "image", "em_open", "s_open", "fence", "code_block"} == set()
    assert [piece for piece in markup if not re.fullmatch(OURS, piece)] == []


def test_hostile_problems_are_inert(hostile_names: tuple[str, ...]) -> None:
    """What stands in the place of a plan that cannot be made is as harmless."""
    found = [Diagnostic(name, name, Position(name, 1, 1)) for name in hostile_names]
    shown = problems(found)
    markup = {t.content for t in tokens(shown) if t.type in {"html_block", "html_inline"}}
    prose = " ".join(t.content for t in tokens(shown) if t.type == "text")

    assert {literal(name) for name in hostile_names} <= set(in_code(shown))
    assert markup == {"<br>"}
    assert re.search(r"[@#<>\[\]`|]|www|http|GH-|evil|:smile:", prose) is None


def test_many_problems_are_counted() -> None:
    """What GitHub would not take of them is left out, in a statement that is true."""
    shown = problems([Diagnostic(f"problem {n}") for n in range(10_000)])
    told = shown.count("- **error**: `problem")

    assert len(shown) <= LIMIT
    assert f"**Left out here: {10_000 - told:,} of 10,000 lines**; `reconciler plan`" in shown


def test_nothing_from_outside_is_prose(plans: dict[str, Plan]) -> None:
    """Outside code spans there are only words of ours: nobody is mentioned, nothing linked."""
    prose = " ".join(t.content for t in tokens(markdown(plans["hostile"])) if t.type == "text")

    assert re.search(r"[@#<>\[\]`|]|www|http|GH-|evil|:smile:", prose) is None


def test_tables_keep_their_columns(plan: Plan) -> None:
    """No name adds or removes a cell: every row is as wide as its heading."""
    shown = PARSER.parse(markdown(plan))
    widths: list[int] = []
    for token in shown:
        if token.type == "tr_open":
            widths.append(0)
        elif token.type in {"th_open", "td_open"}:
            widths[-1] += 1
        elif token.type == "table_close":
            assert len(set(widths)) == 1
            widths.clear()


def rows(shown: str) -> list[list[str]]:
    """Give the cells of every row as they are written."""
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in shown.splitlines() if line[:1] == "|"]


def test_rows_are_complete(plan: Plan) -> None:
    """No row has more cells than its heading, which a parser would drop in silence."""
    widths = [len(row) for row in rows(markdown(plan))]
    assert set(widths) <= {3, 4, 5, 6, 7}
    headings = re.findall(r"^\|(?: --- \|)+$", markdown(plan), re.MULTILINE)
    assert len(headings) == sum(row[0].strip() == "---" for row in rows(markdown(plan)))


@given(st.text())
def test_code_is_literal(text: str) -> None:
    """Any text comes out of a code span as it went in, hidden characters written out."""
    assert in_code(f"x {code(text)} y") == [literal(text)]


@given(st.text(), st.text())
def test_cells_are_literal(one: str, other: str) -> None:
    """Any text comes out of a table's cell as it went in, and stays in its cell."""
    shown = f"| a | b |\n| --- | --- |\n| {cell(one)} | {cell(other)} |"

    assert in_code(shown) == [literal(one), literal(other)]


def test_every_change_is_told(plans: dict[str, Plan], story: str) -> None:
    """No change is missing: account and name of each stand in the comment."""
    plan = plans[story]
    spans = set(in_code(markdown(plan)))
    names = {change.key.name for change in plan.changes} - {"no manager"}
    names |= {change.key.account.user_principal_name for change in plan.changes}

    assert [name for name in names if literal(name) not in spans] == []


def never_folded(change: Change) -> bool:
    """Whether a reviewer must see *change* without opening anything."""
    marks = change.verb == "update" and any(field.path == "mark" for field in change.fields)
    kept = isinstance(change, Adopt | Restore) or marks
    return kept or takes_away(change) or is_privileged(change)


def in_rows(shown: str) -> list[set[str]]:
    """Give the content of the code spans of each row of a table."""
    found: list[set[str]] = [set()]
    for token in tokens(shown):
        if token.type in {"tr_open", "tr_close"}:
            found.append(set())
        elif token.type == "code_inline":
            found[-1].add(token.content)
    return found


def missing(plan: Plan, shown: str) -> list[Change]:
    """Give the changes that must be seen, and are not: their name, or the value of a field."""
    lines = in_rows(re.sub(r"<details>.*?</details>", "", shown, flags=re.DOTALL))

    def wanted(change: Change) -> set[str]:
        values = (f.after for f in change.fields if f.path != "manager" and f.after is not None)
        each = (v for value in values for v in (value if isinstance(value, tuple) else (value,)))
        told = {str(v).lower() if isinstance(v, bool) else literal(str(v)) for v in each}
        return {literal(change.key.name), literal(change.key.account.user_principal_name)} | told

    return [
        change
        for change in plan.changes
        if never_folded(change) and not any(wanted(change) <= spans for spans in lines)
    ]


def test_what_must_be_seen_is_not_folded(plan: Plan) -> None:
    """Removals, blocks, adoptions, restores, moves and privileges stand outside all details."""
    assert missing(plan, markdown(plan)) == []


@pytest.mark.parametrize("name", ["leavers", "blocked", "returns", "powers"])
def test_what_must_be_seen_is_never_cut(plans: dict[str, Plan], name: str) -> None:
    """In a comment that is far too long they are all there, though nothing optional is."""
    notes = tuple(Diagnostic(f"note {n}", severity=Severity.NOTE) for n in range(5000))
    plan = replace(
        plans["huge"],
        changes=plans["huge"].changes + plans[name].changes,
        notes=notes,
        refusals=(Diagnostic("x" * 60_000),),
    )
    shown = markdown(plan)

    assert missing(plan, shown) == []
    assert "<details>" not in shown
    assert shown.splitlines()[2].startswith("**Not everything is shown here**")


def test_top_says_nothing_is_missing(story: str, plans: dict[str, Plan]) -> None:
    """A comment that is complete does not say that something was left out."""
    assert "Not everything" not in markdown(plans[story])


def test_blocked_accounts_are_removals(plans: dict[str, Plan]) -> None:
    """Whoever is blocked, staying, adopted or restored, stands among the removals, in words."""
    (removals,) = re.findall("#### Removals\n\n(.*?)\n\n", markdown(plans["blocked"]), re.DOTALL)
    told = {row[2].strip(): row[1].split("<br>")[0].strip() for row in rows(removals)[2:]}

    assert told == {
        "`eve@contoso.com`": "user: sign-in is blocked, sessions end",
        "`finn@contoso.com`": "user: sign-in is blocked, sessions end",
        "`gil@contoso.com`": "user: sign-in is blocked, sessions end",
        "`ivo@contoso.com`": "user: deleted (recycle bin for 30 days)",
        "`jo@contoso.com`": "license `SPE_E5`",
    }


def test_fates(plans: dict[str, Plan]) -> None:
    """The table of people says of each leaver whether the account is deleted or blocked."""
    shown = markdown(plans["blocked"]) + markdown(plans["leavers"])

    assert "| `ivo@contoso.com` | `beta-2026` | leaves (deleted) |" in shown
    assert "| `jo@contoso.com` | `beta-2026` | leaves (blocked already): 1 license |" in shown
    assert "| `carol@contoso.com` | `research-2026` | leaves (blocked): 1 group |" in shown
    assert "| `eve@contoso.com` | `beta-2026` | is blocked |" in shown


def test_hints_are_told_once(plans: dict[str, Plan]) -> None:
    """Notes that have one remedy share it, inside the last item of their list."""
    shown = markdown(plans["kept"])
    items = [token for token in PARSER.parse(shown) if token.type == "list_item_open"]

    assert len(items) == 8
    assert shown.count("removal: disable") == 1
    assert "<br>\n  hint for these 7: `` `removal: disable`" in shown


def test_removals_come_first(plans: dict[str, Plan]) -> None:
    """The first section is that of the removals."""
    assert re.findall("^#### (.*)$", markdown(plans["leavers"]), re.MULTILINE)[0] == "Removals"


def test_privileged_access_stands_below_the_removals(plans: dict[str, Plan]) -> None:
    """Roles, and memberships of groups that can hold some, with their reach and their reasons."""
    shown = markdown(plans["powers"])
    headings = re.findall("^#### (.*)$", shown, re.MULTILINE)
    (section,) = re.findall("#### Privileged access\n\n(.*?)\n\n", shown, re.DOTALL)
    told = [[cell.strip().replace("`", "") for cell in row] for row in rows(section)]

    assert headings[:2] == ["Removals", "Privileged access"]
    assert [[row[0], row[1], row[2], row[3], row[5], row[6]] for row in told[2:]] == [
        [
            "+",
            "role-assignable group Tier 1",
            "whatever the group holds",
            "ada@contoso.com",
            "no justification given",
            "",
        ],
        [
            "+",
            "role Reports Reader",
            "/administrativeUnits/4b1a",
            "ada@contoso.com",
            "no justification given",
            "",
        ],
        [
            "+",
            "role User Administrator",
            "the whole directory",
            "ada@contoso.com",
            "Runs the beta programme's help desk",
            "CHG0012345",
        ],
    ]
    assert "| `-` | role-assignable group `Tier 1` | `bob@contoso.com` |" in shown


def test_a_blank_justification_is_none(plans: dict[str, Plan]) -> None:
    """Spaces justify nothing."""
    plan = plans["joiners"]
    (role,) = [change for change in plan.changes if is_privileged(change)]
    blank = tuple(replace(field, after="  ") for field in role.fields)
    shown = markdown(replace(plan, changes=(replace(role, fields=blank),)))

    assert "| no justification given |  |" in shown


def test_a_smaller_license_is_a_removal(plans: dict[str, Plan]) -> None:
    """Service plans that are taken from a license stand among the removals, by name."""
    (removals,) = re.findall("#### Removals\n\n(.*?)\n\n", markdown(plans["leavers"]), re.DOTALL)

    assert (
        "| `~` | service plans taken from license `SPE_E5`<br>`disabledPlans`: `SWAY` → `SWAY`, "
        "`YAMMER_ENTERPRISE` | `dan@contoso.com` | `beta-2026` | declared |"
    ) in removals


# --- how much GitHub takes


def many(number: int, of: Change) -> tuple[Change, ...]:
    """Give *of* for so many people, whose names tell them apart."""
    return tuple(
        replace(
            of,
            key=replace(of.key, account=Account(UserPrincipalName(f"{of.verb}{n:05}@contoso.com"))),
        )
        for n in range(number)
    )


def told_of(shown: str, title: str) -> int:
    """Count the rows of a section that `many` made."""
    section = re.search(rf"^#### {title}\n\n((?:\|.*\n)*)", shown, re.MULTILINE)
    return len(re.findall(r"^\| .*\d{5}@contoso.com`", section[1], re.MULTILINE)) if section else 0


def left_out(shown: str, item: str) -> list[tuple[int, int]]:
    """Give how many the statements on *item* say are left out, and of how many."""
    found = re.findall(rf"\*\*Left out here: ([\d,]+) of ([\d,]+) {item}s?\*\*", shown)
    return [(int(one.replace(",", "")), int(all_.replace(",", ""))) for one, all_ in found]


@pytest.mark.parametrize("removals", [0, 100, 10_000])
@pytest.mark.parametrize("powers", [1, 400, 10_000])
def test_privileged_access_is_the_last_to_be_cut(
    plans: dict[str, Plan], powers: int, removals: int
) -> None:
    """Removals give way to it, and what is left out of either is counted to the last one."""
    plan = plans["powers"]
    power = next(c for c in plan.changes if is_privileged(c) and isinstance(c.key, MembershipKey))
    taken = next(c for c in plan.changes if takes_away(c))
    notes = tuple(Diagnostic(f"note {n}", severity=Severity.NOTE) for n in range(5000))
    whole = replace(plan, changes=(*many(powers, power), *many(removals, taken)), notes=notes)
    shown = comment(whole)
    rows_ = told_of(shown, "Privileged access"), told_of(shown, "Removals")

    assert len(shown) <= LIMIT
    assert left_out(shown, "privileged change") == (
        [(powers - rows_[0], powers)] if rows_[0] < powers else []
    )
    assert left_out(shown, "removal") == (
        [(removals - rows_[1], removals)] if rows_[1] < removals else []
    )
    if powers < 10_000:
        assert rows_[0] == powers
    else:
        assert len(shown) > LIMIT - 500  # as many as there is room for
        assert rows_[1] == 0
    assert shown.splitlines()[2].startswith("**Not everything is shown here**")
    if rows_ != (powers, removals):
        assert "**; the report of this run and `reconciler plan` show all: read one" in shown


@pytest.mark.parametrize("powers", [1, 20_000])
def test_the_page_of_a_run_has_a_bound_too(plans: dict[str, Plan], powers: int) -> None:
    """It holds what a mebibyte holds, in bytes, and counts what it does not."""
    plan = plans["powers"]
    power = next(c for c in plan.changes if is_privileged(c) and isinstance(c.key, MembershipKey))
    taken = replace(next(c for c in plan.changes if takes_away(c)), cohort=CohortName("山" * 50))
    whole = replace(plan, changes=(*many(powers, power), *many(20_000, taken)))
    shown = page(whole)
    rows_ = told_of(shown, "Privileged access"), told_of(shown, "Removals")

    assert 900_000 < len(shown.encode()) <= PAGE_BYTES
    assert left_out(shown, "removal") == [(20_000 - rows_[1], 20_000)]
    if powers == 1:
        assert rows_[0] == 1
        assert rows_[1] > 1000
    else:
        assert left_out(shown, "privileged change") == [(powers - rows_[0], powers)]
    assert page(plan) == markdown(plan)


def test_thousands_of_cohorts_fit_as_well(plans: dict[str, Plan]) -> None:
    """What stands for that which is left out does not itself grow beyond all bounds."""
    plan = plans["joiners"]
    created = next(c for c in plan.changes if c.verb == "create")
    changes = tuple(
        replace(change, cohort=CohortName(f"cohort-{n:04}"))
        for n, change in enumerate(many(2_000, created))
    )
    shown = comment(replace(plan, changes=changes))

    assert len(shown) <= LIMIT
    assert "2,000 people; `reconciler plan` shows all" in shown
    assert "1,970 changes for 1,970 people in 1,970 more cohorts; `reconciler plan`" in shown


def test_cohorts_beyond_the_thirtieth_are_folded_like_the_others(plans: dict[str, Plan]) -> None:
    """As long as there is room, each of them has its details."""
    created = next(c for c in plans["joiners"].changes if c.verb == "create")
    changes = tuple(
        replace(change, fields=(), cohort=CohortName(f"cohort-{n:04}"))
        for n, change in enumerate(many(40, created))
    )
    shown = comment(replace(plans["joiners"], changes=changes))

    assert shown.count("<details>") == shown.count("</details>") == 40
    assert "Left out" not in shown


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.integers(0, 200), st.booleans(), st.sampled_from([None, "so"])
        ),
        max_size=6,
    ),
    st.integers(1_000, 9_000),
)
def test_sections_are_cut_to_any_length(
    parts: list[tuple[int, int, bool, str | None]], limit: int
) -> None:
    """However long sections are, all of them fit, and what is missing is told exactly."""
    whole = [
        Section(
            "\n".join(["# title", *(f"row {n} {'x' * width}" for n in range(number))]),
            instead,
            item="row",
            is_last_to_go=last,
        )
        for number, width, last, instead in parts
    ]
    shown = cut(whole, limit)

    assert len(joined(shown)) <= max(limit, 6 * 250)
    for before, after in zip(whole, shown, strict=True):
        total, kept = (len(re.findall("^row", s.full, re.MULTILINE)) for s in (before, after))
        if after == before:
            continue
        assert after.full == "so" or left_out(after.full, "row") == [(total - kept, total)]


def test_counts_add_up(plan: Plan) -> None:
    """The numbers of the last lines add up to the number of changes."""
    (summary,) = re.findall(r"^\*\*Plan:\*\* .*$", markdown(plan), re.MULTILINE)
    told = re.findall(r"(\d[\d,]*) [a-z ]+ to [a-z]+", summary)

    assert sum(int(number.replace(",", "")) for number in told) == len(plan.changes)


def test_too_long(plans: dict[str, Plan]) -> None:
    """A comment that GitHub would refuse is shortened, and says what is left out."""
    shown = markdown(plans["huge"])

    assert len(shown) < LIMIT
    assert "2,401 changes for 600 people in `beta-2026`; `reconciler plan` shows all" in shown
    assert "#### People" in shown


def test_far_too_long(plans: dict[str, Plan]) -> None:
    """Even the people and the notes give way, never the refusals."""
    plan = plans["huge"]
    notes = tuple(Diagnostic(f"note {n}", severity=Severity.NOTE) for n in range(5000))
    shown = markdown(replace(plan, notes=notes, refusals=(Diagnostic("x" * 30_000),)))

    assert len(shown) < LIMIT
    assert "5,000 notes; `reconciler plan` shows all" in shown
    assert "601 people; `reconciler plan` shows all" in shown
    assert "x" * 30_000 in shown


@pytest.mark.parametrize("number", [0, 3])
def test_removals_are_never_cut(plans: dict[str, Plan], number: int) -> None:
    """A plan whose removals alone are too long is shown in full all the same."""
    plan = plans["leavers"]
    long = replace(plan.changes[number], cohort=CohortName("x" * LIMIT))
    shown = markdown(replace(plan, changes=(long,)))

    assert "x" * LIMIT in shown
    assert "0 notes" not in shown


def test_nothing_to_do(plans: dict[str, Plan]) -> None:
    """An empty plan says so before anything else."""
    assert markdown(plans["nothing"]).startswith(
        "### No changes: `Contoso` is as the files declare it\n"
    )
    assert markdown(plans["kept"]).startswith(
        "### No changes: `Contoso` is as the files declare it (8 notes below)\n"
    )


def test_refused_without_changes(plans: dict[str, Plan]) -> None:
    """A plan that is refused before it has changes is not called empty."""
    plan = replace(plans["nothing"], refusals=(Diagnostic("group 'x' is not there"),))

    assert markdown(plan).startswith("### `Contoso`: no changes can be planned")
