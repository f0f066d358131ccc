"""The recycle bin lets go of what has been in it for 30 days."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.api import purging
from reconciler.sandbox.company.contoso import PEOPLE
from reconciler.sandbox.data import store
from reconciler.sandbox.data.moments import utc_now

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Office

Made = Callable[..., dict[str, Any]]
AUDITS = "/auditLogs/directoryAudits"
BIN = "/directory/deletedItems"
M365 = {"mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}
RITA = next(person.id for person in PEOPLE if person.is_deleted)


def _waiting(office: Office, kind: str) -> set[str]:
    reply = office.graph.get(f"{BIN}/microsoft.graph.{kind}?$select=id")
    return {one["id"] for one in reply.json()["value"]} - {RITA}


def _made(reply: httpx.Response) -> str:
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def test_after_thirty_days_nothing_is_left(office: Office, body: Made, group_body: Made) -> None:
    """Users and groups stay in the bin for 30 days, to the second, and then are gone for good."""
    graph = office.graph
    user = _made(graph.post("/users", json=body(mail="past@contoso.com")))
    group = _made(graph.post("/groups", json=group_body(**M365)))
    for path in (f"/users/{user}", f"/groups/{group}"):
        assert graph.delete(path).status_code == 204
    office.later(days=1)
    later = _made(graph.post("/users", json=body()))
    graph.delete(f"/users/{later}")
    office.later(days=28, hours=23)
    assert (_waiting(office, "user"), _waiting(office, "group")) == ({user, later}, {group})
    office.later(hours=1)
    assert (_waiting(office, "user"), _waiting(office, "group")) == ({later}, set())
    for key in (user, group):
        assert graph.get(f"{BIN}/{key}").status_code == 404
        assert graph.post(f"{BIN}/{key}/restore").status_code == 404


def test_what_is_purged_is_told_in_the_audit_log(
    office: Office, body: Made, group_body: Made
) -> None:
    """Each object has a record, "Hard Delete", of the directory itself."""
    graph = office.graph
    user = _made(graph.post("/users", json=body()))
    group = _made(graph.post("/groups", json=group_body(**M365)))
    for path in (f"/users/{user}", f"/groups/{group}"):
        assert graph.delete(path).status_code == 204
    office.later(days=30)
    shown = {}
    for key in (user, group):
        query = {"$filter": f"targetResources/any(t:t/id eq '{key}')", "$top": "1"}
        (shown[key],) = graph.get(AUDITS, params=query).json()["value"]
    assert [shown[key]["activityDisplayName"] for key in (user, group)] == [
        "Hard Delete user",
        "Hard Delete group",
    ]
    assert [shown[key]["operationType"] for key in (user, group)] == ["Delete"] * 2
    by = shown[user]["initiatedBy"]
    assert (by["user"], by["app"]["displayName"]) == (None, "Microsoft Entra ID")


def test_a_purge_frees_what_was_held(office: Office, body: Made) -> None:
    """Somebody's manager is nobody then, and a delta query tells of it."""
    graph = office.graph
    boss, report = (_made(graph.post("/users", json=body())) for _ in range(2))
    graph.put(
        f"/users/{report}/manager/$ref",
        json={"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss}"},
    )
    graph.delete(f"/users/{boss}")
    office.later(days=29)
    link = graph.get("/users/delta?$deltatoken=latest&$select=id").json()["@odata.deltaLink"]
    office.later(days=1)
    changes = graph.get(link).json()["value"]
    assert {"id": boss, "@removed": {"reason": "deleted"}} in changes
    with office.opened() as db:
        rows = db.execute("SELECT manager FROM user WHERE id = ?", (report,)).fetchall()
    assert rows == [(None,)]


def test_to_ask_whether_anything_is_due_looks_at_nobody() -> None:
    """What is asked before each request is answered by the indexes of the deleted."""
    asked: list[str] = []
    connection, _ = store.connect(None)
    with closing(connection) as db:
        store.add_indexes(db)
        db.set_trace_callback(asked.append)
        assert not purging.is_due(db, utc_now())
        db.set_trace_callback(None)
        plans = [row[3] for text in asked for row in db.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert len([plan for plan in plans if "USING COVERING INDEX" in plan]) == 2, plans
