from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reconciler.sandbox.company.generating import Crowd, GroupRules, Rules, Shares
from reconciler.sandbox.company.names import FAMILY, GIVEN, in_address
from reconciler.sandbox.data import keeping
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

SEED = """\
version: 1
company: {displayName: Fabrikam}
domains: [fabrikam.onmicrosoft.com, fabrikam.example]
skus:
  - {skuPartNumber: SPE_E3, seats: 1400}
  - {skuPartNumber: POWER_BI_PRO, seats: 10}
people:
  - {userPrincipalName: vera.vogel@fabrikam.example}
generate:
  - count: 2000
    seed: 7
    domains: {fabrikam.example: 90, fabrikam.onmicrosoft.com: 10}
    departments: [Research, Sales]
    jobTitles: [Engineer]
    countries: {DE: 60, FR: 40}
    licenses: {SPE_E3: 70}
    reports: 8
    disabled: 2
    guests: 1.5
    deleted: 0.5
    properties: {companyName: Fabrikam, faxNumber: null}
    groups:
      - {displayName: "Team {n}", count: 3, size: 50}
      - {displayName: Most, size: 1500, kind: microsoft365}
      - {displayName: "All of {department}", byDepartment: true, licenses: [POWER_BI_PRO]}
  - {count: 10, userPrincipalName: "robot{n:03}@fabrikam.example", displayName: "Robot {n}"}
"""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Open a tenant with two thousand generated people."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "company.yaml").write_text(SEED)
    with keeping.opened(folder / "x.sqlite", folder / "company.yaml") as opened:
        yield opened


def _people(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT id, upn, manager, deleted, document FROM user ORDER BY seq LIMIT 2000 OFFSET 1"
    )
    return [
        {"id": key, "upn": upn, "manager": manager, "deleted": deleted, **orjson.loads(text)}
        for key, upn, manager, deleted, text in rows
    ]


def test_shares_are_kept(db: sqlite3.Connection) -> None:
    """Shares of a hundred are exact; what is drawn comes near to its share."""
    people = _people(db)
    domains = Counter(person["upn"].partition("@")[2] for person in people)
    countries = Counter(person["usageLocation"] for person in people)
    assert 1750 < domains["fabrikam.example"] < 1850
    assert 1150 < countries["DE"] < 1250
    assert {person["department"] for person in people} == {"Research", "Sales"}
    assert sum(not person["accountEnabled"] for person in people) == 40
    assert sum(person["userType"] == "Guest" for person in people) == 30
    assert sum(person["deleted"] is not None for person in people) == 10
    assert {person["companyName"] for person in people} == {"Fabrikam"}
    (held,) = db.execute("SELECT count(*) FROM license WHERE group_id = ''").fetchone()
    assert held == 1400


def test_names_are_of_people_and_unique(db: sqlite3.Connection) -> None:
    """Addresses come from names, and a name that somebody has gets a number."""
    people = [person for person in _people(db) if person["deleted"] is None]
    for person in people:
        local = person["upn"].partition("@")[0]
        stem = f"{in_address(person['givenName'])}.{in_address(person['surname'])}"
        assert local.startswith(stem)
        assert local.removeprefix(stem).isdigit() or local == stem
    assert len({person["upn"].lower() for person in people}) == len(people)
    robots = db.execute("SELECT upn FROM user ORDER BY seq DESC LIMIT 10").fetchall()
    assert robots[0] == ("robot010@fabrikam.example",)


def test_managers_are_a_tree_of_the_living(db: sqlite3.Connection) -> None:
    """All but the first have a manager, nobody more than so many, and none is deleted."""
    people = _people(db)
    living = {person["id"] for person in people if person["deleted"] is None}
    reports = Counter(person["manager"] for person in people)
    assert people[0]["manager"] is None
    assert reports[None] == 1
    assert set(reports) - {None} <= living


def test_groups_have_their_members(db: sqlite3.Connection) -> None:
    """Groups are as large as they should be; one of a department has all of it."""
    rows = db.execute(
        "SELECT json_extract(document, '$.displayName'), count(*) FROM \"group\" "
        'JOIN member ON group_id = "group".id GROUP BY "group".id'
    )
    sizes = dict(rows.fetchall())
    research = sum(person["department"] == "Research" for person in _people(db))
    assert {sizes[f"Team {n}"] for n in (1, 2, 3)} == {50}
    assert sizes["Most"] == 1500
    assert sizes["All of Research"] == research
    counted = "SELECT count(DISTINCT user_id) FROM license WHERE group_id <> '' AND error = ?"
    assert db.execute(counted, ("None",)).fetchone() == (10,)
    assert db.execute(counted, ("CountViolation",)).fetchone()[0] > 1900


def test_the_same_rules_make_the_same_people() -> None:
    """Ids and all else follow the number, also when the people are asked for again."""
    rules = Rules(
        300, seed=3, departments=Shares.of(["a", "b"]), deleted=10, groups=(GroupRules("x", 1, 9),)
    )
    one, two = (Crowd("7b1f6a52-0c3d-4e8f-9a1b-2c3d4e5f6071", rules) for _ in range(2))
    first = list(one.people(set()))
    assert first == list(one.people(set())) == list(two.people(set()))
    assert list(one.groups()) == list(two.groups())
    other = Crowd("7b1f6a52-0c3d-4e8f-9a1b-2c3d4e5f6071", Rules(300, seed=4))
    assert [person.upn for person in other.people(set())] != [person.upn for person in first]


def test_a_deleted_manager_is_passed_over() -> None:
    """Whoever would report to somebody deleted reports to the next above."""
    rules = Rules(200, seed=1, deleted=50, reports=2)
    people = list(Crowd("7b1f6a52-0c3d-4e8f-9a1b-2c3d4e5f6071", rules).people(set()))
    gone = {person.id for person in people if person.is_deleted}
    assert len(gone) in {99, 100}
    assert gone.isdisjoint({person.manager for person in people})


def test_every_name_fits_an_address() -> None:
    """No made-up name is lost in its address, and no two lists hold a name twice."""
    for names in (GIVEN, FAMILY):
        assert len(set(names)) == len(names)
        for name in names:
            address = in_address(name)
            assert address.isascii()
            assert len(address) >= 2
    assert in_address("O'Brien") == "obrien"
    assert in_address("研究") == ""


def test_a_hundred_thousand_people_are_quick(tmp_path: Path) -> None:
    """They are made within the time of a coffee and served again within two seconds."""
    text = SEED.replace("count: 2000", "count: 100000").replace("1400", "100000")
    path, file = tmp_path / "company.yaml", tmp_path / "x.sqlite"
    path.write_text(text.replace("size: 1500", "size: 40000"))
    start = time.process_time()
    with keeping.opened(file, path) as db:
        made_in = time.process_time() - start
        (number,) = db.execute("SELECT count(*) FROM user").fetchone()
    start = time.process_time()
    with running(file, seed=path):
        served_in = time.process_time() - start
    assert number == 100_011
    # Of this process alone: a machine that is busy elsewhere makes it no slower.
    assert made_in < 30
    assert served_in < 2
