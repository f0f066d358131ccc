"""The ledger: what a write touched, and what is kept of it for how long."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reconciler.sandbox.data import accounts, ledger, records, store
from reconciler.sandbox.data.activities import shown
from reconciler.sandbox.data.ledger import KEPT_FOR

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Open an empty tenant that is watched."""
    made, _ = store.connect(None)
    with closing(made):
        ledger.watch(made)
        yield made


def _user(db: sqlite3.Connection, name: str) -> accounts.User:
    properties = {"displayName": name}
    return accounts.insert(db, f"id-{name}", f"{name}@contoso.com", properties)


def _changes(db: sqlite3.Connection) -> list[ledger.Change]:
    return ledger.changes(db, ledger.taken(db))


def test_a_row_is_told_once(db: sqlite3.Connection) -> None:
    """Two updates of a row are one change, from before the first to after the last."""
    user = _user(db, "ada")
    assert [(c.table, c.verb) for c in _changes(db)] == [("user", "insert")]
    for city in ("Leeds", "York"):
        accounts.save(db, replace(user, properties={**user.properties, "city": city}))
    (change,) = _changes(db)
    assert ledger.taken(db) == []
    assert (change.verb, change.names()) == ("update", ("city",))
    assert (change.before.get("city"), change.after["city"]) == (None, "York")


def test_what_came_and_went_is_left_out(db: sqlite3.Connection) -> None:
    """A row that was made and removed in one write has not changed."""
    accounts.remove(db, _user(db, "ada"))
    assert [c for c in _changes(db) if c.table == "user"] == []
    assert ledger.keep(db, [], NOW) == []


def test_what_a_replacement_removes_is_noted(db: sqlite3.Connection) -> None:
    """`INSERT OR REPLACE` shows what was there before."""
    for state in ("a", "b"):
        db.execute(
            "INSERT OR REPLACE INTO resource VALUES ('kind', 'key', ?)", (f'{{"s":"{state}"}}',)
        )
        touches = ledger.taken(db)
    assert [(t.verb, t.before) for t in touches] == [("delete", {"s": "a"}), ("insert", None)]


def test_old_changes_and_records_are_forgotten(db: sqlite3.Connection) -> None:
    """Changes live as long as delta tokens and records for thirty days, give or take some."""
    old = NOW - KEPT_FOR - timedelta(minutes=1)
    for number in range(127):
        _user(db, f"old{number}")
        records.noted(db, records.PIM, old - timedelta(days=30))
    _user(db, "new")
    kept = records.noted(db, records.PIM, NOW)
    assert {touch.table for touch in kept} >= {"user", "change", "audit"}
    assert db.execute("SELECT count(*) FROM change").fetchone() == (1,)
    assert db.execute("SELECT count(*) FROM audit").fetchone() == (1,)


def test_the_directory_may_be_written_by_itself(db: sqlite3.Connection) -> None:
    """What nobody asked for is the work of a service, under an id of its own."""
    _user(db, "ada")
    records.noted(db, records.LICENSING, NOW)
    ((document,),) = db.execute("SELECT document FROM audit").fetchall()
    assert '"displayName":"Microsoft Azure AD Group-Based Licensing"' in document
    assert '"activityDateTime":"2026-11-23T12:00:00.1234560Z"' in document


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Add user", ("UserManagement", "Core Directory", "Add")),
        ("Hard Delete user", ("UserManagement", "Core Directory", "Delete")),
        ("Change user license", ("UserManagement", "Core Directory", "Update")),
        ("Add member to group", ("GroupManagement", "Core Directory", "Assign")),
        ("Remove member from role", ("RoleManagement", "Core Directory", "Unassign")),
        ("Add member to role in PIM completed (permanent)", ("RoleManagement", "PIM", "Assign")),
        (
            "Admin registered security info",
            ("UserManagement", "Authentication Methods", "Update"),
        ),
    ],
)
def test_activities_have_a_category(name: str, expected: tuple[str, str, str]) -> None:
    """Category, service and type of operation follow from the name."""
    assert records.about(name) == expected


ACTOR = records.Actor("app", "principal", activity="Do something", keys=("id-ada",))


def _recorded(db: sqlite3.Connection, actor: records.Actor = ACTOR) -> list[dict[str, Any]]:
    """Give the records of what has just been written, as they are shown."""
    rows = records.noted(db, actor, NOW)
    numbers = [touch.row for touch in rows if touch.table == "audit"]
    return [
        shown(orjson.loads(document))
        for (document,) in (
            db.execute("SELECT document FROM audit WHERE seq = ?", (number,)).fetchone()
            for number in numbers
        )
    ]


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [record["activityDisplayName"] for record in found]


def test_groups_have_a_life_too(db: sqlite3.Connection) -> None:
    """Made, changed, licensed, deleted, restored and purged; progress of licenses is no news."""
    group = '{"displayName":"Team","groupTypes":["Unified"]}'
    db.execute("INSERT INTO \"group\" (id, document) VALUES ('g', ?)", (group,))
    (made,) = _recorded(db)
    assert made["activityDisplayName"] == "Add group"
    assert made["targetResources"][0]["groupType"] == "unifiedGroups"
    for change, expected in (
        ("document = json_set(document, '$.description', 'x')", ["Update group"]),
        ("document = json_set(document, '$.assignedLicenses', '[]')", ["Set group license"]),
        ("deleted = 'now'", ["Delete group"]),
        ("deleted = NULL", ["Restore group"]),
    ):
        db.execute(f'UPDATE "group" SET {change}')  # noqa: S608 -- constants
        assert _names(_recorded(db)) == expected
    db.execute("UPDATE \"group\" SET document = json_set(document, '$.licenseProcessingState', 1)")
    assert _names(_recorded(db, records.LICENSING)) == []
    db.execute('DELETE FROM "group"')
    assert _names(_recorded(db)) == ["Hard Delete group"]


def test_what_has_no_table_is_named_by_its_route(db: sqlite3.Connection) -> None:
    """Of such an object the log shows what is harmless, and else the object of the path."""
    _user(db, "ada")
    _recorded(db)
    store.add_resource(db, "secret", "x", {"value": "hidden"})
    (record,) = _recorded(db)
    assert record["activityDisplayName"] == "Do something"
    assert [one["userPrincipalName"] for one in record["targetResources"]] == ["ada@contoso.com"]
    assert "hidden" not in str(record)
    store.add_resource(db, "roleDefinition", "r", {"displayName": "Reader"})
    store.add_resource(db, "schedule", "s", {"principalId": "p", "roleDefinitionId": "r"})
    (record,) = _recorded(db)
    assert [one["type"] for one in record["targetResources"]] == ["Role", "Other"]
    store.add_resource(db, "administrativeUnit", "u", {"displayName": "Leeds"})
    (record,) = _recorded(db)
    (unit,) = record["targetResources"]
    assert unit["modifiedProperties"][0] == {
        "displayName": "DisplayName",
        "oldValue": "[]",
        "newValue": '["Leeds"]',
    }


def test_a_role_over_a_unit_is_scoped(db: sqlite3.Connection) -> None:
    """The name tells a role over the tenant from one over a part of it."""
    db.execute(
        "INSERT INTO role_assignment (id, role_id, principal_id, scope) "
        "VALUES ('a', 'r', 'p', '/administrativeUnits/u')"
    )
    assert _names(_recorded(db)) == ["Add scoped member to role"]


def test_a_person_is_named_as_one(db: sqlite3.Connection) -> None:
    """What somebody wrote who is no application stands under `user`."""
    ada = _user(db, "ada")
    (record,) = _recorded(db, records.Actor("app", ada.id, is_person=True))
    assert record["initiatedBy"] == {
        "user": {
            "id": "id-ada",
            "displayName": "ada",
            "userPrincipalName": "ada@contoso.com",
            "ipAddress": None,
        },
        "app": None,
    }
