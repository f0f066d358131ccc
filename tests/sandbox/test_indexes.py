from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.api import objects, relations
from reconciler.sandbox.data import accounts, store
from reconciler.sandbox.data.properties import EXTENSION_ATTRIBUTES, GROUP, USER, Filter, Kind
from reconciler.sandbox.query import lists
from reconciler.sandbox.query.lists import Rows
from reconciler.sandbox.query.options import Options
from reconciler.sandbox.query.ordering import GROUPS, USERS, keys
from reconciler.sandbox.query.queries import GROUP_COLLECTIONS, USER_COLLECTIONS, Index
from reconciler.sandbox.query.sql import EVERYTHING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from reconciler.sandbox.data.properties import Property

MARK = f"onPremisesExtensionAttributes/{EXTENSION_ATTRIBUTES[-1]}"
SKU = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
VALUE = {Kind.BOOLEAN: "true", Kind.TEXT: "'x'", Kind.MOMENT: "2026-01-01T00:00:00Z"}
ROWS = {
    "user": Rows(accounts.COLUMNS, "user WHERE deleted IS NULL"),
    "group": Rows("seq, id, document", '"group" WHERE deleted IS NULL'),
}


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    """Give a tenant without anybody: SQLite plans as it does for a full one."""
    connection, _ = store.connect(None)
    with closing(connection):
        store.add_indexes(connection)
        yield connection


def _filters(properties: Mapping[str, Property]) -> Iterator[str]:
    """Give a filter for each property of the default index and each of its operators."""
    for prop in properties.values():
        if prop.filter is not Filter.DEFAULT:
            continue
        value = VALUE[prop.kind]
        yield f"{prop.name} eq {value}"
        yield f"{prop.name} in ({value},{value})"
        yield (
            f"accountEnabled eq true and {prop.name} eq {value}"
            if properties is USER
            else (f"securityEnabled eq true and {prop.name} eq {value}")
        )
        if prop.kind is Kind.TEXT and prop.name != "id":
            yield f"startsWith({prop.name},'x')"
            yield f"startsWith({prop.name},'x') or displayName eq 'y'"
        if prop.orders is Filter.DEFAULT:
            yield f"{prop.name} ge {value}"
            yield f"{prop.name} le {value}"


FILTERS = [
    *(("user", text) for text in _filters(USER)),
    ("user", f"assignedLicenses/any(x:x/skuId eq {SKU})"),
    ("user", f"{MARK} eq 'x'"),
    ("user", f"{MARK} in ('x','y')"),
    ("user", f"startsWith({MARK},'x/')"),
    *(("group", text) for text in _filters(GROUP)),
    ("group", "hasMembersWithLicenseErrors eq true"),
]


def _plan(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> list[str]:
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize(("table", "text"), FILTERS, ids=str)
def test_the_default_index_never_scans(db: sqlite3.Connection, table: str, text: str) -> None:
    """Every filter of the default index is answered by an index, on the last page too."""
    properties = USER if table == "user" else GROUP
    collections = USER_COLLECTIONS if table == "user" else GROUP_COLLECTIONS
    index = Index(properties, collections, {}, has_header=MARK in text, has_count=MARK in text)
    statement, values = lists.select(
        ROWS[table], index.condition(text), Options(after=90_000, top=999)
    )
    plan = _plan(db, statement, values)
    assert not [step for step in plan if step.startswith("SCAN")], plan
    assert not [step for step in plan if "INTEGER PRIMARY KEY (rowid>" in step], plan


@pytest.mark.parametrize(
    ("table", "order"),
    [
        ("user", "displayName"),
        ("user", "displayName desc"),
        ("user", "userPrincipalName"),
        ("group", "displayName"),
        ("group", "displayName desc"),
    ],
)
def test_a_sorted_list_is_read_in_the_order_of_an_index(
    db: sqlite3.Connection, table: str, order: str
) -> None:
    """A page of a sorted list starts where the one before ended, and nothing is sorted."""
    for asked in (
        Options(orderby=order),
        Options(orderby=order, after=90_000, marks=("x",)),
    ):
        sorted_by = keys(asked, USERS if table == "user" else GROUPS)
        statement, values = lists.select(ROWS[table], EVERYTHING, asked, sorted_by)
        plan = _plan(db, statement, values)
        assert not [step for step in plan if "TEMP B-TREE" in step], plan
        assert [step for step in plan if "INDEX" in step], plan


def test_members_of_a_large_group_are_read_in_their_order(db: sqlite3.Connection) -> None:
    """A page of members starts where the one before ended, and nothing is sorted."""
    links = relations.members("x")
    rows = objects.rows(links, [(kind, EVERYTHING) for kind in links.kinds], Options())
    statement, values = lists.select(rows, EVERYTHING, Options(after=90_000))
    plan = _plan(db, statement, values)
    assert not [step for step in plan if "TEMP B-TREE" in step or "SCAN" in step], plan
