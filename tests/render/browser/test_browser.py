"""The report in a real browser: what it lists, what it asks for, and who can use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.changes import Create, FieldChange, UserKey, Wave
from reconciler.graph.estimate import estimate
from reconciler.model import Account, CohortName, UserPrincipalName
from reconciler.plan import in_order_of_execution
from reconciler.render import html
from tests.render.browser.webdriver import ENTER, TAB, Page, browser, missing
from tests.render.conftest import a_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.plan import Plan

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
COUNT = "return document.getElementById('count').textContent"
SEARCH = """
const field = document.getElementById(arguments[0]);
field.value = arguments[1];
field.dispatchEvent(new Event('input', {bubbles: true}));
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Give one window for all tests."""
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


def many() -> Plan:
    """Ten thousand people join two cohorts."""
    people = [Account(UserPrincipalName(f"person{n}@contoso.com")) for n in range(10_000)]
    fields = (FieldChange("department", None, "Research"),)
    cohorts = CohortName("alpha"), CohortName("omega")
    return a_plan(
        *in_order_of_execution(
            Create(UserKey(person), cohorts[n % 2], Wave.USERS, fields)
            for n, person in enumerate(people)
        )
    )


LABELS_OF_NOTHING = """
return [...document.querySelectorAll("td")]
  .filter((cell) => cell.offsetHeight && !cell.textContent.trim())
  .map((cell) => cell.dataset.label)
"""
"""Cells that a reader of a narrow page sees by nothing but the name of their column."""


def show(page: Page, plan: Plan, folder: Path) -> None:
    """Open the page of *plan* on a wide screen by day."""
    file = folder / "plan.html"
    file.write_text(html(plan, estimate(plan)), "utf-8")
    page.resize(1280)
    page.prefer(prefers_color_scheme="light")
    page.open(file)


def asked_for(page: Page) -> list[str]:
    """Give every address that the page asked anybody for."""
    events: list[dict[str, Any]] = [
        json.loads(line)["message"] for line in page.logged("performance")
    ]
    sent = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in sent if not url.startswith(("file:", "data:"))]


def test_it_asks_nobody_and_complains_of_nothing(page: Page, plan: Plan, tmp_path: Path) -> None:
    """No story's page sends a request, runs a name as a script or breaks its own policy."""
    show(page, plan, tmp_path)

    assert asked_for(page) == []
    assert page.logged("browser") == []


def test_ten_thousand_changes_are_searched(page: Page, tmp_path: Path) -> None:
    """Words and choices narrow the list, and the count says to how many."""
    show(page, many(), tmp_path)
    assert page.run(COUNT) == "10,000 of 10,000 changes, for 10,000 people"

    page.run(SEARCH, "cohort", "omega")
    page.until(f"{COUNT}.startsWith('5,000 of')")
    page.run(SEARCH, "text", "PERSON9999 research")
    page.until(f"{COUNT} === '1 of 10,000 changes, for 1 person'")
    page.run(SEARCH, "text", "nobody")
    page.until(f"{COUNT} === 'No change matches; there are 10,000'")

    assert page.run("return document.querySelectorAll('#people > li').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone(page: Page, plan: Plan, tmp_path: Path, scheme: str) -> None:
    """Nothing is wider than a screen of 360 pixels, and the paper follows the reader's wish."""
    show(page, plan, tmp_path)
    page.resize(360, 780)
    page.prefer(prefers_color_scheme=scheme)
    paper = page.run("return getComputedStyle(document.body).backgroundColor")

    assert page.run("return document.documentElement.scrollWidth") <= 360
    assert page.run(LABELS_OF_NOTHING) == []
    assert (paper == "rgb(22, 23, 22)") == (scheme == "dark")


def test_the_keyboard_reaches_everything(
    page: Page, plans: dict[str, Plan], tmp_path: Path
) -> None:
    """The first stop skips to the plan, and a person's changes open with Enter."""
    show(page, plans["joiners"], tmp_path)
    page.press(TAB)
    assert page.run("return document.activeElement.className") == "skip"

    page.run("document.getElementById('open').focus()")
    page.press(TAB, ENTER)

    page.until("return document.querySelector('#people details').open")
    page.until("return document.querySelector('#people details table') !== null")


def test_a_screen_reader_is_told_names_and_roles(
    page: Page, plans: dict[str, Plan], tmp_path: Path
) -> None:
    """Controls have names, tables have captions, and the count is a status that is announced."""
    show(page, plans["leavers"], tmp_path)
    nodes = page.tools("Accessibility.getFullAXTree")["nodes"]
    roles = {
        role: [node["name"]["value"] for node in nodes if _role(node) == role and "name" in node]
        for role in ("searchbox", "combobox", "button", "table", "navigation", "status")
    }

    assert roles["searchbox"] == ["Search"]
    assert roles["combobox"] == ["Cohort", "Kind", "Action"]
    assert roles["navigation"] == ["Contents"]
    assert len(roles["status"]) == 1
    assert all(roles["button"])
    assert all(roles["table"])


def _role(node: dict[str, Any]) -> str | None:
    role: str | None = node.get("role", {}).get("value")
    return role


def test_without_scripts_it_is_a_table(page: Page, plans: dict[str, Plan], tmp_path: Path) -> None:
    """Who allows no scripts reads every change of a plan of ordinary size."""
    page.tools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show(page, plans["leavers"], tmp_path)
    finally:
        page.tools("Emulation.setScriptExecutionDisabled", value=False)

    rows = page.run("return document.querySelectorAll('#plain tbody tr').length")
    assert rows == len(plans["leavers"].changes)
    assert page.run("return document.getElementById('filter').hidden")
