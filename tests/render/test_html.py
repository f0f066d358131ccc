from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.changes import (
    Create,
    FieldChange,
    ManagerKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
    Wave,
)
from reconciler.diagnostics import Diagnostic
from reconciler.effects import takes_away
from reconciler.estimate import Estimate, Limit, Stage
from reconciler.graph.estimate import estimate
from reconciler.model import Account, CohortName, ObjectId, UserPrincipalName
from reconciler.plan import Plan, in_order_of_execution
from reconciler.render import html
from reconciler.render.as_html import LONGEST_TABLE
from reconciler.render.elements import tag
from reconciler.render.html_figures import explanation, spelled
from reconciler.render.lines import shown
from reconciler.seats import Seats
from reconciler.text import is_hidden, visible
from tests.render.conftest import AGE, FINGERPRINT, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.changes import Change

EMPTY = {"br", "input", "link", "meta", "wbr"}
# fmt: off
OURS = frozenset((
    "a", "b", "bdi", "body", "button", "caption", "code", "dd", "del", "details", "div", "dl",
    "dt", "em", "footer", "form", "h1", "h2", "h3", "head", "header", "html", "input", "ins",
    "label", "li", "link", "main", "meta", "nav", "ol", "option", "p", "rect", "script", "section",
    "select", "small", "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "th",
    "thead", "title", "tr", "ul", "wbr",
))
# fmt: on
BETA = CohortName("beta-2026")


@dataclass
class Element:
    """An element as it was parsed."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """Give every element within, of these names if there are any."""
        for child in self.children:
            if isinstance(child, Element):
                if not names or child.name in names:
                    yield child
                yield from child.all(*names)

    @property
    def text(self) -> str:
        """Give all text within."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def __getitem__(self, id_: str) -> Element:
        """Give the element of an id."""
        (found,) = [element for element in self.all() if element.attributes.get("id") == id_]
        return found

    def has(self, id_: str) -> bool:
        """Whether there is an element of an id."""
        return any(element.attributes.get("id") == id_ for element in self.all())


class Parser(HTMLParser):
    """Builds the tree, and takes nothing that a browser would have to mend."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("")
        self.declarations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go down into an element, unless it can have nothing in it."""
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is there twice"
        element = Element(tag, dict(attrs), self.here)
        self.here.children.append(element)
        if tag not in EMPTY:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element of SVG that closes itself."""
        assert tag == "rect"
        self.here.children.append(Element(tag, dict(attrs), self.here))

    def handle_endtag(self, tag: str) -> None:
        """Go up, out of the very element that was begun last."""
        assert self.here.name == tag
        assert self.here.parent
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.here.children.append(data)

    def handle_decl(self, decl: str) -> None:
        """Note the kind of document."""
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        """Take no comment: the page has none."""
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        """Take no instruction either."""
        raise AssertionError(data)


def parsed(page: str) -> Element:
    """Give the tree of a page or of a part of one."""
    parser = Parser()
    parser.feed(page)
    parser.close()
    assert parser.here is parser.root
    return parser.root


def page_of(plan: Plan) -> str:
    """Give the page of *plan*, with the estimate that the command line makes."""
    return html(plan, estimate(plan))


def tree(plan: Plan) -> Element:
    """Give the page of *plan* as a tree."""
    return parsed(page_of(plan))


def data(root: Element) -> dict[str, Any]:
    """Give what the script reads."""
    found: dict[str, Any] = json.loads(root["data"].text)
    return found


def rows(section: Element) -> list[list[str]]:
    """Give the text of every cell of the tables in a section."""
    found = [[cell.text for cell in row.all("th", "td")] for row in section.all("tr")]
    return [cells for cells in found if cells]


# --- form ------------------------------------------------------------------------------


def test_well_formed(plan: Plan) -> None:
    """Every element ends where it should, and the document says what it is."""
    parser = Parser()
    parser.feed(page_of(plan))
    (root,) = [child for child in parser.root.children if isinstance(child, Element)]

    assert parser.declarations == ["doctype html"]
    assert (root.name, root.attributes) == ("html", {"lang": "en"})
    assert {element.name for element in parser.root.all()} <= OURS


def test_references_lead_somewhere(plan: Plan) -> None:
    """Ids are there once, and links, labels and headings name one that is there."""
    root = tree(plan)
    ids = [element.attributes["id"] for element in root.all() if "id" in element.attributes]
    named = [
        value.removeprefix("#")
        for element in root.all("a", "label", "section")
        for name, value in element.attributes.items()
        if name in {"href", "for", "aria-labelledby"} and value
    ]

    assert len(set(ids)) == len(ids)
    assert set(named) <= set(ids)
    assert "plan" in named


def test_headings_go_down_one_by_one(plan: Plan) -> None:
    """There is one first heading, and no level is left out."""
    levels = [int(heading.name[1]) for heading in tree(plan).all("h1", "h2", "h3")]

    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))


def test_rows_are_as_wide_as_their_heading(plan: Plan) -> None:
    """Each cell stands under its column, whose name it repeats for a narrow page."""
    for table in tree(plan).all("table"):
        head, *body = table.all("tr")
        columns = [cell.text for cell in head.all("th")]
        for row in body:
            first, *rest = row.all("th", "td")
            assert first.attributes == {"scope": "row", "role": "rowheader"}
            assert [cell.attributes["data-label"] for cell in rest] == columns[1:]


# --- safety ----------------------------------------------------------------------------


def digest(source: str) -> str:
    """Give the hash of a script or style as a policy writes it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def test_the_policy_allows_what_is_there_and_nothing_else(plan: Plan) -> None:
    """One style and one script, by their hashes; no address, and no markup made of text."""
    root = tree(plan)
    (content,) = [
        element.attributes["content"] or ""
        for element in root.all("meta")
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    policy = dict(part.strip().split(" ", 1) for part in content.split(";"))
    (style,) = root.all("style")
    (held, script) = root.all("script")

    assert policy == {
        "default-src": "'none'",
        "style-src": digest(style.text),
        "script-src": digest(script.text),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert held.attributes == {"type": "application/json", "id": "data"}
    assert script.attributes == {}


def test_nothing_points_outside_or_runs_inline(plan: Plan) -> None:
    """No element has a handler, a style or an address but those within the page."""
    for element in tree(plan).all():
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcset", "action", "formaction", "background"}
            if name == "href":
                assert re.fullmatch(r"#[a-z-]+|data:,", value or "")


def test_nothing_hidden_is_in_the_page(plan: Plan) -> None:
    """No character that reorders or hides others is left, nor one that moves a cursor."""
    assert {c for c in page_of(plan) if is_hidden(c)} <= {"\n"}


def test_no_name_becomes_an_element(plans: dict[str, Plan], hostile_names: tuple[str, ...]) -> None:
    """Every attempt stands in the page as the text that it is, and in the data too."""
    root = tree(plans["hostile"])
    told = {element.text for element in root.all("bdi")}
    people = data(root)["people"]

    assert {shown(name) for name in hostile_names} <= told
    assert {shown(name) for name in hostile_names} <= {person["name"] for person in people}
    assert len(list(root.all("script"))) == 2
    assert not re.search("[<>&]", root["data"].text)


@given(st.text(), st.text())
def test_text_is_text(content: str, value: str) -> None:
    """Any text comes out of an element and of an attribute as it went in."""
    (element,) = parsed(tag("p", content, data_x=value)).all()

    assert element.text == visible(content)
    assert element.attributes == {"data-x": visible(value)}


@given(st.text())
def test_any_name_is_data(name: str) -> None:
    """Whatever a name holds, the script reads it whole, and it ends nothing."""
    account = Account(UserPrincipalName("ada@contoso.com"), ObjectId("1"))
    change = Create(MembershipKey(account, ObjectId("2"), name), BETA, Wave.ENTITLEMENTS)
    root = tree(plan_of(change))

    assert data(root)["people"][0]["changes"][0]["what"] == shown(name)
    assert len(list(root.all("script"))) == 2


def plan_of(*changes: Change, **rest: Any) -> Plan:  # noqa: ANN401 -- the fields of a plan
    """Give a plan of a tenant that the other tests know."""
    return replace(
        Plan(TENANT, "contoso-identity", "extensionAttribute15", (), {}),
        changes=in_order_of_execution(changes),
        **rest,
    )


# --- content ---------------------------------------------------------------------------


def test_the_headline_is_the_title(plans: dict[str, Plan]) -> None:
    """What a reader reads first is what becomes of people."""
    root = tree(plans["leavers"])
    (title,) = root.all("title")
    (heading,) = root.all("h1")

    assert title.text == "Plan for Contoso: 1 person changes, 2 leave: 1 deleted, 1 blocked"
    assert heading.text == "1 person changes, 2 leave: 1 deleted, 1 blocked"


@pytest.mark.parametrize(
    ("name", "heading", "lead"),
    [
        ("nothing", "No changes", "The tenant is as the files declare it."),
        ("kept", "No changes", "The tenant is as the files declare it (8 notes below)."),
        (
            "refused",
            "1 person joins; refused: 1 problem",
            (
                "To do: 1 account to create, 2 licenses and memberships to give, 1 manager to set "
                "(4 changes, 0 removals). Refused for 1 problem: nothing of it can be applied."
            ),
        ),
    ],
)
def test_what_is_said_of_the_whole(
    plans: dict[str, Plan], name: str, heading: str, lead: str
) -> None:
    """An empty plan says so, and a refused one that it cannot be applied."""
    (header,) = tree(plans[name]).all("header")
    (first,) = header.all("h1")

    assert first.text == heading
    assert lead in [paragraph.text for paragraph in header.all("p")]


def test_refused_without_changes(plans: dict[str, Plan]) -> None:
    """A plan that is refused before it has changes is not called empty."""
    root = tree(replace(plans["nothing"], refusals=(Diagnostic("group 'x' is not there"),)))
    (heading,) = root.all("h1")

    assert heading.text == "No changes can be planned"
    assert "group 'x' is not there" in root["refused"].text
    assert not root.has("changes")


def test_removals_and_privileges_come_first(plans: dict[str, Plan]) -> None:
    """Refusals, removals and privileged access stand before all else, in that order."""
    plan = plans["hostile"]
    sections = [section.attributes["id"] for section in tree(plan).all("section")]

    assert sections[:3] == ["refused", "removals", "privileged"]


def test_no_removal_is_left_out(plan: Plan) -> None:
    """Every removal has its row, with whom it is about, what it is and why."""
    removed = [change for change in plan.changes if takes_away(change)]
    root = tree(plan)
    assert root.has("removals") == bool(removed)
    told = rows(root["removals"])[1:] if removed else []

    assert sorted((row[0], row[1].split()[-1], row[4]) for row in told) == sorted(
        (shown(c.key.account.user_principal_name), c.verb, c.reason.value) for c in removed
    )
    assert all(not is_inside_details(row) for row in root["plan"].all("tr"))


def is_inside_details(element: Element) -> bool:
    """Whether somebody has to open something to see *element*."""
    while element.parent:
        element = element.parent
        if element.name == "details":
            return True
    return False


def test_privileged_access(plans: dict[str, Plan]) -> None:
    """A role, or a group that can hold some, is told with where it holds, and why."""
    why = "no justification given"

    assert [row[2:] for row in rows(tree(plans["powers"])["privileged"])[1:]] == [
        ["role-assignable group Tier 1", "whatever the group holds", "beta-2026", why, ""],
        ["role Reports Reader", "/administrativeUnits/4b1a", "beta-2026", why, ""],
        [
            "role User Administrator",
            "the whole directory",
            "beta-2026",
            "Runs the beta programme's help desk",
            "CHG0012345",
        ],
    ]


def test_nothing_stands_under_no_changes(plan: Plan) -> None:
    """A change without properties has no list, and a cell that a narrow page leaves out."""
    root = tree(plan)

    empty = [element for element in root.all("ul") if not element.children]
    assert [element.attributes["id"] for element in empty] == (["people"] if plan.changes else [])
    if root.has("taken-over"):
        for row in list(root["taken-over"].all("tr"))[1:]:
            restored = "restore" in row.text
            assert [bool(cell.children) for cell in row.all("td")] == [True, True, not restored]


def test_taken_over(plans: dict[str, Plan]) -> None:
    """Adopted, restored and moved accounts have a table of their own, unless they are blocked."""
    told = [rows(tree(plans[name])["taken-over"])[1:] for name in ("returns", "blocked")]

    assert [[row[:2] for row in table] for table in told] == [
        [["eve@contoso.com", "> adopt"], ["finn@contoso.com", "< restore"]],
        [["hana@contoso.com", "~ update"]],
    ]
    assert told[0][0][3] == "usageLocation none → GBmark none → contoso-identity/beta-2026"


def test_every_change_is_told_twice(plan: Plan) -> None:
    """The data has every change, and so has the table for readers without scripts."""
    root = tree(plan)
    told = [
        (person["account"], change["action"])
        for person in data(root)["people"]
        for change in person["changes"]
    ]
    wanted = [(shown(c.key.account.user_principal_name), c.verb) for c in plan.changes]

    assert sorted(told) == sorted(wanted)
    if plan.changes and len(plan.changes) <= LONGEST_TABLE:
        shown_too = [(row[0], row[1].split()[-1]) for row in rows(root["plain"])[1:]]
        assert sorted(shown_too) == sorted(wanted)


def test_details_of_a_person(plans: dict[str, Plan]) -> None:
    """The data tells from what to what, why, and where it is written."""
    (dan,) = [
        p for p in data(tree(plans["leavers"]))["people"] if p["account"] == "dan@contoso.com"
    ]

    assert (dan["name"], dan["cohort"], dan["fate"]) == ("", "beta-2026", "changes")
    assert dan["changes"] == [
        {
            "action": "update",
            "kind": "user",
            "noun": "user",
            "what": "",
            "why": "declared",
            "place": "cohorts/beta-2026.yaml:31:5",
            "fields": [
                ["department", "Sales", "Research"],
                ["officeLocation", "Building 5", None],
                ["otherMails", None, "dan@example.com, d@example.com"],
            ],
        },
        {
            "action": "update",
            "kind": "manager",
            "noun": "manager",
            "what": "carol@contoso.com → priya@contoso.com",
            "why": "declared",
            "place": "",
            "fields": [],
        },
        {
            "action": "delete",
            "kind": "license",
            "noun": "license",
            "what": "POWER_BI_PRO",
            "why": "no longer declared",
            "place": "",
            "fields": [],
        },
        {
            "action": "update",
            "kind": "license",
            "noun": "service plans taken from license",
            "what": "SPE_E5",
            "why": "declared",
            "place": "cohorts/beta-2026.yaml:9:5",
            "fields": [["disabledPlans", "SWAY", "SWAY, YAMMER_ENTERPRISE"]],
        },
    ]


def test_a_new_account_has_no_before(plans: dict[str, Plan]) -> None:
    """What did not exist is told by its values alone, and a leaver by how the account ends."""
    people = {p["account"]: p for p in data(tree(plans["joiners"]))["people"]}
    user, manager, *_ = people["ada@contoso.com"]["changes"]
    (bob, *_) = data(tree(plans["leavers"]))["people"]

    assert ["accountEnabled", "true"] in user["fields"]
    assert (manager["what"], manager["fields"]) == ("priya@contoso.com", [])
    assert (bob["account"], bob["fate"]) == ("bob@contoso.com", "leaves (deleted)")


def test_a_manager_that_is_nobody() -> None:
    """A reference without anybody at its end is told as none."""
    account = Account(UserPrincipalName("ada@contoso.com"), ObjectId("1"))
    root = tree(plan_of(Create(ManagerKey(account, None), BETA, Wave.ENTITLEMENTS)))

    assert rows(root["plain"])[1][2] == "manager none"


def test_filters_offer_what_there_is(plans: dict[str, Plan]) -> None:
    """Each choice has the values that occur, in the order of telling, and all of them."""
    root = tree(plans["leavers"])
    offered = {
        name: [option.attributes["value"] for option in root[name].all("option")]
        for name in ("cohort", "kind", "action")
    }

    assert offered == {
        "cohort": ["", "beta-2026", "research-2026"],
        "kind": ["", "user", "manager", "license", "group", "role"],
        "action": ["", "delete", "update"],
    }


# --- figures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seats", "free_after", "before", "after"),
    [
        (Seats(ObjectId("1"), "SPE_E5", 1250, 12, 3, 0), "9", ["99.04%"], ["99.28%"]),
        (Seats(ObjectId("1"), "SPE_E5", 20, 0, 5, 0), "-5 (5 seats too few)", ["80.00%"],
         ["80.00%", "20.00%"]),
        (Seats(ObjectId("1"), "SPE_E5", 20, 0, 1, 0), "-1 (1 seat too few)", ["95.24%"],
         ["95.24%", "4.76%"]),
        (Seats(ObjectId("1"), "SPE_E5", 20, -5, 0, 5), "0", ["80.00%", "20.00%"], ["80.00%"]),
        (Seats(ObjectId("1"), "SPE_E5", 0, 0, 0, 0), "0", ["0.00%"], ["0.00%"]),
    ],
)  # fmt: skip
def test_seats(seats: Seats, free_after: str, before: list[str], after: list[str]) -> None:
    """A bar is as long as what is used, and what is more than there is has its own part."""
    section = tree(plan_of(seats=(seats,)))["seats"]
    row = rows(section)[1]
    bars = [
        [r.attributes["width"] for r in bar.all("rect") if r.attributes["class"] != "track"]
        for bar in section.all("svg")
    ]

    used = f"before{seats.total - seats.free:,}after{seats.total - seats.free_after:,}"
    assert (row[1], row[5], row[6]) == (f"{seats.total:,}", free_after, used)
    assert bars == [before, after]


def test_waves_in_their_order(plans: dict[str, Plan]) -> None:
    """The timeline has each wave with what it does, what it costs and where it begins."""
    section = tree(plans["leavers"])["apply"]
    told = [[part.text for part in wave.all("h3", "p")] for wave in section.all("li")]
    used = [
        (rect.attributes["x"], rect.attributes["width"])
        for rect in section.all("rect")
        if rect.attributes["class"] == "used"
    ]

    assert told == [
        ["Roles are taken back", "1 role to take back",
         "1 request, 1 of 12 writes; no wait for the quota"],
        ["Licenses and memberships are taken back", "3 licenses and memberships to take back",
         "3 requests, 3 of 12 writes; no wait for the quota"],
        ["Leavers are blocked or deleted", "1 account to delete, 1 account to block",
         "5 requests, 5 of 12 writes; no wait for the quota"],
        ["Accounts are created and changed", "1 account to change",
         "1 request, 1 of 12 writes; no wait for the quota"],
        ["Managers, licenses and memberships are set",
         "1 license to reduce, 1 manager to change",
         "2 requests, 2 of 12 writes; no wait for the quota"],
    ]  # fmt: skip
    assert used == [
        ("0.00%", "8.33%"),
        ("8.33%", "25.00%"),
        ("33.33%", "41.67%"),
        ("75.00%", "8.33%"),
        ("83.33%", "16.67%"),
    ]


def test_an_apply_that_fits_in_the_quota(plans: dict[str, Plan]) -> None:
    """One sentence says what is sent, what it costs, what is allowed, and that it fits."""
    assert explanation(estimate(plans["joiners"])) == (
        "An apply would send 11 requests in 4 round trips or a few more, for which Microsoft "
        "Graph charges 11 writes; it allows one application 3,000 in 2 min 30 s, so an unused "
        "quota has room for all of them at once, and what the round trips, retries and the reads "
        "that confirm the result take comes on top."
    )


def test_an_apply_that_waits() -> None:
    """Where the quota bounds the time, the sentence and the waves say how long it takes."""
    stages = (Stage(Wave.USERS, 1, 3_000, 150, 3_000, 3_000), Stage(Wave.ROLES, 1, 700, 35, 700, 1))
    costly = Estimate(stages, Limit(3_000, 150), Limit(3_500, 10))
    account = Account(UserPrincipalName("ada@contoso.com"))
    role = RoleAssignmentKey(account, ObjectId("r"), "Reader")
    plan = plan_of(Create(UserKey(account), BETA, Wave.USERS), Create(role, BETA, Wave.ROLES))
    told = [p.text for p in parsed(html(plan, costly))["apply"].all("p")]

    assert "so it takes 35 s at the least, from an unused quota on," in told[0]
    assert told[2] == "3,000 requests, 3,000 of 3,700 writes; no wait for the quota"
    assert told[4] == "700 requests, 700 of 3,700 writes; over after 35 s at the earliest"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.05, "1 s"),
        (59, "59 s"),
        (59.5, "1 min"),
        (270.05, "4 min 31 s"),
        (3_599.5, "1 h"),
        (3_601, "1 h 1 min"),
        (7_500, "2 h 5 min"),
    ],
)
def test_spelled(seconds: float, words: str) -> None:
    """A time is told in at most two units, and never as shorter than it is."""
    assert spelled(seconds) == words


# --- the rest --------------------------------------------------------------------------


def test_credentials_name_their_recipients(plans: dict[str, Plan]) -> None:
    """Each cohort's recipients are told by whole keys and fingerprints."""
    plan = plans["joiners"]
    section = tree(plan)["credentials"]
    keys = [AGE, f"ssh-ed25519 {FINGERPRINT} (calls itself kenji)"]

    assert [p.text for p in section.all("p")] == [
        "Initial credentials of 2 new accounts in beta-2026 will be sealed to 2 recipients:",
        "Initial credentials of 1 new account in research-2026 will be sealed to 2 recipients:",
    ]
    assert [key.text for key in section.all("li")] == keys * 2
    assert [key.text for key in section.all("code")] == [AGE, f"ssh-ed25519 {FINGERPRINT}"] * 2


def test_notes_share_their_hint(plans: dict[str, Plan]) -> None:
    """A remedy that several notes have is told once, and a place where there is one."""
    section = tree(plans["kept"])["notes"]

    assert section.text.count("removal: disable") == 1
    assert "hint for these 7:" in section.text
    assert "cohorts/beta-2026.yaml:33:5" in [code.text for code in section.all("code")]


def test_the_footer_says_which_plan_it_is(plans: dict[str, Plan]) -> None:
    """Tenant, source, attribute of the mark and digest are told in full."""
    plan = plans["joiners"]
    (footer,) = tree(plan).all("footer")

    assert [dd.text for dd in footer.all("dd")] == [
        plan.tenant.id,
        "contoso-identity",
        "extensionAttribute15",
        plan.digest,
    ]


def test_groups(plans: dict[str, Plan]) -> None:
    """Each group tells how many join and how many leave."""
    both = plan_of(*(c for name in ("joiners", "leavers") for c in plans[name].changes))

    assert rows(tree(both)["groups"])[1:] == [["Research - All staff", "3", "1"]]


def test_ten_thousand_changes() -> None:
    """A page of ten thousand changes stays small, and says what needs its script."""
    people = [Account(UserPrincipalName(f"person{n}@contoso.com")) for n in range(10_000)]
    fields = (
        FieldChange("displayName", None, "Ada Lovelace"),
        FieldChange("department", None, "Research"),
    )
    plan = plan_of(*(Create(UserKey(person), BETA, Wave.USERS, fields) for person in people))
    page = page_of(plan)
    root = parsed(page)

    assert len(page) < 4_000_000
    assert len(data(root)["people"]) == 10_000
    assert len(list(root.all())) < 300
    assert root["plain"].text == (
        "10,000 changes are too many for a table: this page lists them once scripts may run, and "
        "reconciler plan lists them in a terminal."
    )
    assert "so it takes 5 min 50 s at the least" in root["apply"].text
