"""What would break or stall a service is refused, and a fault of the tenant has Graph's form."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.wire import Spoil

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

JSON = {"Content-Type": "application/json"}
MOST_SECONDS = 2.0


def _refused(reply: httpx.Response, row: errors.Refusal) -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["message"]) == (
        row.status,
        row.code,
        row.message,
    )


@pytest.mark.parametrize("url", ["%24batch", "/%24BATCH", "//$batch", "/%24batch?x=1", "$batch/"])
def test_no_batch_hides_in_a_batch(graph: httpx.Client, url: str) -> None:
    """However its address is written, a batch in a batch is refused with the whole."""
    inner = {"id": "2", "method": "GET", "url": "/domains"}
    part = {"id": "1", "method": "POST", "url": url, "headers": JSON, "body": {"requests": [inner]}}
    _refused(graph.post("/$batch", json={"requests": [part]}), errors.BATCH_NESTED)


def test_a_keyed_address_hides_no_batch(graph: httpx.Client) -> None:
    """An address that only begins like a batch's is refused with the whole as well."""
    part = {"id": "1", "method": "GET", "url": "$batch('x')"}
    _refused(graph.post("/$batch", json={"requests": [part]}), errors.BATCH_NESTED)


def test_a_part_names_no_host(graph: httpx.Client) -> None:
    """The addresses in a part's reply are those of the batch, whatever host the part names."""
    headers = {"Host": "evil.example"}
    part = {"id": "1", "method": "GET", "url": "/domains", "headers": headers}
    reply = graph.post("/$batch", json={"requests": [part]})
    assert reply.json()["responses"][0]["status"] == 200
    assert "evil" not in reply.text


def test_a_long_address_is_refused(graph: httpx.Client) -> None:
    """An address of more than 16 KB is refused, alone and in a batch."""
    url = "/users?$filter=" + "a" * 17_000
    _refused(graph.get(url), errors.TARGET_TOO_LONG)
    reply = graph.post("/$batch", json={"requests": [{"id": "1", "method": "GET", "url": url}]})
    assert reply.json()["responses"][0]["status"] == errors.TARGET_TOO_LONG.status


@pytest.mark.parametrize(
    "query",
    [
        "$expand=manager" + "%20" * 5000 + "!",
        "$expand=manager" + "%20" * 5000 + "(!",
        "$expand=" + "a," * 8000,
        "$filter=" + "'" * 15_001,
        "$filter=" + "%20" * 5000 + "!",
        "$filter=" + "(" * 15_000,
        "$filter=2026-01-01T" + "0" * 15_000,
        "$orderby=displayName" + "%20" * 5000 + "!",
        "$search=%22" + "\\" * 15_000,
    ],
    ids=range(9),
)
def test_no_query_stalls_the_tenant(graph: httpx.Client, query: str) -> None:
    """The longest and worst of queries is refused at once."""
    began = time.monotonic()
    reply = graph.get(f"/users?{query}", headers={"ConsistencyLevel": "eventual"})
    assert reply.status_code == 400, reply.text
    assert time.monotonic() - began < MOST_SECONDS


def test_no_list_of_roles_stalls_the_tenant(admin: httpx.Client) -> None:
    """Parentheses that are never closed cost a list of roles no time."""
    began = time.monotonic()
    reply = admin.get("/roleManagement/directory/roleAssignments?$expand=" + "a(" * 8000)
    assert reply.status_code == 400, reply.text
    assert time.monotonic() - began < MOST_SECONDS


@pytest.mark.parametrize(
    "path",
    [
        "/users?$filter=displayName eq ",
        "/users/delta?$filter=id eq ",
        "/auditLogs/directoryAudits?$filter=category eq ",
    ],
)
def test_no_number_is_too_long(admin: httpx.Client, path: str) -> None:
    """A number of thousands of digits is no value of any property."""
    _refused(admin.get(path + "1" * 5000), errors.BAD_FILTER)


@pytest.mark.parametrize("top", ["%C2%B2", "9" * 5000])
def test_an_odd_page_size_is_refused(graph: httpx.Client, top: str) -> None:
    """A page size that is no number of a page is refused before anything is counted by it."""
    assert graph.get(f"/users?$top={top}").status_code == 400


def _nested(levels: int) -> Any:  # noqa: ANN401 -- any JSON
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("levels", [110, 400])
def test_a_deep_body_is_refused(
    graph: httpx.Client, joiner: Callable[..., dict[str, Any]], levels: int
) -> None:
    """A body of more levels than Graph reads is refused, and what is less deep is kept."""
    path = f"/users/{joiner()['id']}/extensions"
    body = {"extensionName": "com.contoso.deep", "data": _nested(levels)}
    _refused(graph.post(path, json=body), errors.BAD_JSON)
    made = graph.post(path, json={**body, "data": _nested(90)})
    assert made.status_code == 201, made.text
    assert graph.get(f"{path}/com.contoso.deep").json()["data"] == _nested(90)
    flat = {"extensionName": "com.contoso.flat", "data": "[" * 200 + "{" * 200}
    assert graph.post(path, json=flat).status_code == 201


def test_a_fault_of_the_tenant_has_graphs_form(
    start: Callable[..., httpx.Client], tmp_path: Path, body: Callable[..., dict[str, Any]]
) -> None:
    """A fault in the middle of a write is a 500 in Graph's words, is told, and leaves nothing."""
    told: list[BaseException] = []
    file = tmp_path / "tenant.sqlite"
    # Tells the contract's judge that this one 500 was asked for; the tenant answers by itself.
    asked_for = iter([Spoil()])
    graph = start(file, report=told.append, intercept=lambda _: next(asked_for, None))
    with closing(sqlite3.connect(file)) as db:
        db.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )
    sent = body()
    _refused(graph.post("/users", json=sent), errors.UNFORESEEN)
    assert [str(fault) for fault in told] == ["fault"]
    with closing(sqlite3.connect(file)) as db:
        db.execute("DROP TRIGGER fault")
    assert graph.get(f"/users/{sent['userPrincipalName']}").status_code == 404
    assert graph.post("/users", json=sent).status_code == 201
