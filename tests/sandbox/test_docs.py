from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.sandbox.company.contoso import (
    ADMIN_APP,
    APPLY_APP,
    DOMAINS,
    EXTENSIONS,
    GROUPS,
    PEOPLE,
    PLAN_APP,
    TENANT_ID,
)
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.permissions import ADMIN_SET, APPLY_SET, PLAN_SET
from reconciler.sandbox.routes import TABLE

if TYPE_CHECKING:
    import httpx

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def _table(head: str) -> list[list[str]]:
    """Give the cells of the table whose first heading is *head*, without their code marks."""
    below = PAGE.partition(f"\n| {head} |")[2].splitlines()[2:]
    rows = below[: next((n for n, line in enumerate(below) if not line.startswith("|")), None)]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


_VARIANT = re.compile(r"(/microsoft\.graph\.\w+)?(/\$count)?$")
"""Casts and counts of a list, which the page tells of in a sentence."""


def test_the_page_lists_what_is_served() -> None:
    """Every route is on the page, and no other, but for the variants of lists."""
    told = {(m, path) for path, methods in _table("path") for m in methods.split()}
    served = {(method, path.replace("{}", "{id}")) for method, path, _ in TABLE}
    variants = {
        (method, path)
        for method, path in served
        if (list_ := _VARIANT.sub("", path)) != path and (method, list_) in served
    }
    assert told == served - variants | (variants & told)


def test_the_page_knows_the_company() -> None:
    """Domains, groups with their kinds, people and ids are those of a new tenant."""
    groups = [(row[0], row[1].partition(",")[0]) for row in _table("group")]
    people = {person.upn for person in PEOPLE}
    living = sum(not person.is_deleted for person in PEOPLE)
    assert [row[0] for row in _table("domain")] == [domain.name for domain in DOMAINS]
    assert sorted(groups) == sorted((group.name, group.kind) for group in GROUPS)
    assert {row[0] for row in _table("person")} <= people
    assert f"{living} people, one more in the recycle bin, and {len(BUILT_IN)} built-in" in PAGE
    assert f"tenant `{TENANT_ID}`" in PAGE
    assert f"`{EXTENSIONS[1]}`" in PAGE


def test_the_page_knows_the_applications() -> None:
    """Each application is there with its id and all of its permissions."""
    plan, apply, administration = _table("application")
    added = [name for name in APPLY_SET if name not in PLAN_SET]
    assert plan == [PLAN_APP.name, PLAN_APP.client_id, ", ".join(PLAN_SET)]
    assert apply == [APPLY_APP.name, APPLY_APP.client_id, f"those, and {', '.join(added)}"]
    assert administration == [ADMIN_APP.name, ADMIN_APP.client_id, ", ".join(ADMIN_SET)]


def test_the_page_knows_the_seats(company: httpx.Client) -> None:
    """Seats, and how many of them are free, are those of a new tenant."""
    skus = company.get("/subscribedSkus").json()["value"]
    seats = [
        [
            sku["skuPartNumber"],
            str(sku["prepaidUnits"]["enabled"]),
            str(sku["prepaidUnits"]["enabled"] - sku["consumedUnits"]),
        ]
        for sku in skus
    ]
    assert [row[:3] for row in _table("SKU")] == seats


def test_the_example_of_a_fault_runs() -> None:
    """The program on the page runs as it stands."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    told = subprocess.run(  # noqa: S603 -- this interpreter, on our own page
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", told.stdout)
    assert told.stderr == ""
