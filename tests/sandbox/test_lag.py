from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.data import keeping, ledger, store
from reconciler.sandbox.login import tokens
from reconciler.sandbox.server import running
from reconciler.sandbox.trouble.lag import NO_LAG, Area, Lag, Replicas
from reconciler.sandbox.trouble.settings import Trouble

if TYPE_CHECKING:
    import sqlite3

Made = Callable[..., dict[str, Any]]
Lagging = Callable[..., httpx.Client]
ADVANCED = {"ConsistencyLevel": "eventual"}
GROUP = next(group.id for group in GROUPS if group.nickname == "contractors")
POWER_BI = ID_OF["POWER_BI_PRO"]


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
def lagging(start: Callable[..., httpx.Client], clock: Clock) -> Lagging:
    """Start a tenant of one's own whose areas lag by these seconds."""

    def started(file: Path | None = None, **seconds: float) -> httpx.Client:
        return start(file, trouble=Trouble(lag=Lag(**seconds)), clock=clock)

    return started


Restart = Callable[[Path, Clock], AbstractContextManager[httpx.Client]]


@pytest.fixture
def restart(certificates: Path) -> Restart:
    """Give what runs the tenant of a file, whose directory lags, until a block ends."""

    @contextmanager
    def started(file: Path, clock: Clock) -> Iterator[httpx.Client]:
        trouble = Trouble(lag=Lag(directory=5))
        with (
            running(file, folder=certificates, trouble=trouble, clock=clock) as endpoints,
            closing(store.connect(file)[0]) as db,
        ):
            claims = {
                "aud": "https://graph.microsoft.com",
                "appid": APPLY_APP.client_id,
                "oid": APPLY_APP.principal_id,
                "roles": ["User.ReadWrite.All", "Directory.Read.All"],
                "exp": time.time() + 60,
            }
            token = tokens.sign(claims, bytes.fromhex(store.setting(db, "key")))
            with httpx.Client(
                base_url=f"{endpoints.environment['RECONCILER_GRAPH_URL']}/v1.0",
                headers={"Authorization": f"Bearer {token}"},
            ) as client:
                yield client

    return started


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _created(graph: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    reply = graph.post("/users", json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def _found(graph: httpx.Client, upn: str, **headers: str) -> int:
    query = {"$filter": f"userPrincipalName eq '{upn}'", "$count": "true"}
    reply = graph.get("/users", params=query, headers=headers)
    assert reply.status_code == 200, reply.text
    return len(reply.json()["value"])


def test_without_lag_a_write_shows_at_once(lagging: Lagging, body: Made) -> None:
    """Nothing is copied, and every area reads the tenant itself."""
    graph = lagging()
    made = _created(graph, body())
    assert graph.get(f"/users/{made['id']}").status_code == 200
    assert _found(graph, made["userPrincipalName"], **ADVANCED) == 1


def test_what_was_made_shows_after_its_time(lagging: Lagging, clock: Clock, body: Made) -> None:
    """A GET after a POST meets 404, by id and by name and in lists, until the lag is over."""
    graph = lagging(directory=5)
    made = _created(graph, body())
    paths = [f"/users/{made['id']}", f"/users/{made['userPrincipalName']}"]
    for _ in range(2):
        assert [graph.get(path).status_code for path in paths] == [404, 404]
        assert _found(graph, made["userPrincipalName"]) == 0
        clock.now += 2
    clock.now += 1
    assert [graph.get(path).status_code for path in paths] == [200, 200]
    assert _found(graph, made["userPrincipalName"]) == 1
    assert made["id"] in {each["id"] for each in graph.get("/users?$top=999").json()["value"]}


def test_what_does_not_show_cannot_be_written_to(
    lagging: Lagging, clock: Clock, body: Made
) -> None:
    """PATCH, a license, a manager and a membership meet 404 until the object shows."""
    graph = lagging(directory=5)
    made = _created(graph, body())
    key = made["id"]
    address = f"https://graph.microsoft.com/v1.0/users/{made['userPrincipalName']}"
    named = {"@odata.id": address.replace("@", "%40")}
    license_ = {"addLicenses": [{"skuId": POWER_BI}], "removeLicenses": []}
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", f"/users/{key}", {"jobTitle": "x"}),
        ("PATCH", f"/users/{made['userPrincipalName'].upper()}", {"jobTitle": "y"}),
        ("POST", f"/users/{key}/assignLicense", license_),
        ("POST", f"/groups/{GROUP}/members/$ref", _reference(key)),
        ("PUT", "/users/priya@contoso.com/manager/$ref", _reference(key)),
        ("PUT", "/users/kenji.sato@contoso.co.jp/manager/$ref", named),
    ]
    for method, path, sent in writes:
        reply = graph.request(method, path, json=sent)
        assert (reply.status_code, reply.json()["error"]["code"]) == (
            404,
            "Request_ResourceNotFound",
        )
    clock.now += 5
    statuses = [graph.request(method, path, json=sent).status_code for method, path, sent in writes]
    assert statuses == [204, 204, 200, 204, 204, 204]


def test_a_taken_name_is_refused_though_nobody_sees_it(lagging: Lagging, body: Made) -> None:
    """What is unique is checked where the writes go."""
    graph = lagging(directory=5, index=9)
    sent = body()
    _created(graph, sent)
    again = graph.post("/users", json=sent)
    assert graph.get(f"/users/{sent['userPrincipalName']}").status_code == 404
    assert again.status_code == 400
    assert "userPrincipalName already exists" in again.json()["error"]["message"]


def test_what_asks_by_post_lags_too(
    restart: Restart, clock: Clock, body: Made, tmp_path: Path
) -> None:
    """An action that only reads is answered from the replica: the unknown is left out."""
    with restart(tmp_path / "sandbox.sqlite", clock) as graph:
        key = _created(graph, body())["id"]
        sent = {"ids": [key]}
        assert graph.post("/directoryObjects/getByIds", json=sent).json()["value"] == []
        clock.now += 5
        (shown,) = graph.post("/directoryObjects/getByIds", json=sent).json()["value"]
        assert shown["id"] == key


def test_advanced_queries_lag_longer(lagging: Lagging, clock: Clock, body: Made) -> None:
    """The index of advanced queries is an area of its own."""
    graph = lagging(directory=5, index=15)
    upn = _created(graph, body())["userPrincipalName"]
    seen = []
    for _ in range(4):
        seen.append((_found(graph, upn), _found(graph, upn, **ADVANCED)))
        clock.now += 5
    assert seen == [(0, 0), (1, 0), (1, 0), (1, 1)]


def test_only_the_index_may_lag(lagging: Lagging, clock: Clock, body: Made) -> None:
    """An area without a lag of its own reads the tenant itself, and takes writes at once."""
    graph = lagging(index=15)
    made = _created(graph, body())
    assert graph.patch(f"/users/{made['id']}", json={"jobTitle": "x"}).status_code == 204
    assert graph.get(f"/users/{made['id']}").json()["jobTitle"] == "x"
    assert _found(graph, made["userPrincipalName"], **ADVANCED) == 0
    clock.now += 15
    assert _found(graph, made["userPrincipalName"], **ADVANCED) == 1


def test_changes_and_deletions_lag(lagging: Lagging, clock: Clock, body: Made) -> None:
    """An old value, and a user who is gone, are shown until their time is over."""
    graph = lagging(directory=5)
    made = _created(graph, body())
    path = f"/users/{made['id']}"
    clock.now += 5
    assert graph.patch(path, json={"jobTitle": "Pilot"}).status_code == 204
    assert graph.get(path).json()["jobTitle"] is None
    clock.now += 4
    assert graph.delete(path).status_code == 204
    clock.now += 1
    assert graph.get(path).json()["jobTitle"] == "Pilot"
    assert graph.delete(path).status_code == 404
    clock.now += 4
    assert graph.get(path).status_code == 404


def test_memberships_lag(lagging: Lagging, clock: Clock, body: Made) -> None:
    """A new member is listed later; who is added again before that is refused."""
    graph = lagging(directory=5)
    key = _created(graph, body())["id"]
    clock.now += 5
    path = f"/groups/{GROUP}/members"
    assert graph.post(f"{path}/$ref", json=_reference(key)).status_code == 204
    assert key not in graph.get(path).text
    assert graph.post(f"{path}/$ref", json=_reference(key)).status_code == 400
    clock.now += 5
    assert key in graph.get(path).text
    assert graph.delete(f"{path}/{key}/$ref").status_code == 204
    assert graph.post(f"{path}/$ref", json=_reference(key)).status_code == 204
    clock.now += 5
    assert graph.get(path).text.count(key) == 1


def test_seat_counters_lag(lagging: Lagging, clock: Clock, body: Made) -> None:
    """Seats that are taken are counted later, though the license shows at once."""
    graph = lagging(seats=30)
    made = _created(graph, body())

    def consumed() -> int:
        skus = graph.get("/subscribedSkus").json()["value"]
        return next(int(sku["consumedUnits"]) for sku in skus if sku["skuId"] == POWER_BI)

    before = consumed()
    sent = {"addLicenses": [{"skuId": POWER_BI}], "removeLicenses": []}
    assert graph.post(f"/users/{made['id']}/assignLicense", json=sent).status_code == 200
    assert len(graph.get(f"/users/{made['id']}/licenseDetails").json()["value"]) == 1
    assert consumed() == before
    clock.now += 30
    assert consumed() == before + 1


def test_a_restart_brings_replicas_up_to_date(
    restart: Restart, clock: Clock, body: Made, tmp_path: Path
) -> None:
    """Nothing is lost with the server, and what was hidden shows when it is back."""
    file, sent = tmp_path / "sandbox.sqlite", body()
    path = f"/users/{sent['userPrincipalName']}"
    with restart(file, clock) as graph:
        _created(graph, sent)
        assert graph.get(path).status_code == 404
    with restart(file, clock) as graph:
        assert graph.get(path).status_code == 200
        later = _created(graph, body())
        assert graph.get(f"/users/{later['id']}").status_code == 404
        clock.now += 5
        assert graph.get(f"/users/{later['id']}").status_code == 200


@pytest.fixture
def db() -> Any:  # noqa: ANN401 -- a connection
    """Open a new tenant's database, watched."""
    with keeping.opened(None) as opened:
        ledger.watch(opened)
        yield opened


def test_pim_lags_longest(db: sqlite3.Connection, clock: Clock) -> None:
    """Each area has its own time for the same write."""
    with closing(Replicas(db, Lag(directory=5, index=15, pim=60), clock)) as replicas:
        db.execute("INSERT INTO role_assignment VALUES (NULL, 'a', 'role', 'someone', '/')")
        replicas.noted(ledger.taken(db))
        shown = []
        for _ in range(14):
            shown.append([area for area in Area if _rows(replicas.reading(area))])
            clock.now += 5
    assert shown[0] == [Area.SEATS]
    assert shown[1] == [Area.DIRECTORY, Area.SEATS]
    assert shown[3] == [Area.DIRECTORY, Area.INDEX, Area.SEATS]
    assert shown[12] == [*Area]


def _rows(db: sqlite3.Connection) -> list[Any]:
    return db.execute("SELECT * FROM role_assignment WHERE id = 'a'").fetchall()


def test_pim_finds_a_new_principal_in_its_time(lagging: Lagging, clock: Clock, body: Made) -> None:
    """Whoever was made just now gets no role of PIM yet, and a minute later does."""
    graph = lagging(pim=60)
    key = _created(graph, body())["id"]
    assert graph.get(f"/users/{key}").status_code == 200
    path = "/roleManagement/directory/roleEligibilityScheduleRequests"
    sent = {
        "action": "adminAssign",
        "justification": "Runs the help desk",
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "directoryScopeId": "/",
        "principalId": key,
    }
    early = graph.post(path, json=sent)
    assert (early.status_code, early.json()["error"]["code"]) == (404, "SubjectNotFound")
    clock.now += 60
    assert graph.post(path, json=sent).status_code == 201


def test_pim_does_not_know_whom_the_directory_knows(db: sqlite3.Connection, clock: Clock) -> None:
    """A principal is hidden from PIM while the directory shows it already."""
    with closing(Replicas(db, Lag(pim=60), clock)) as replicas:
        key = "0a1b2c3d-0000-4000-8000-00000000abcd"
        db.execute(
            "INSERT INTO user (id, upn, document) VALUES (?, 'new@contoso.com', '{}')", (key,)
        )
        replicas.noted(ledger.taken(db))
        sent = {"principalId": key.upper()}
        assert replicas.hidden(Area.PIM, (), sent) == key
        assert replicas.hidden(Area.PIM, ("New@contoso.com",), None) == "new@contoso.com"
        assert replicas.hidden(Area.DIRECTORY, (), sent) is None
        clock.now += 60
        assert replicas.hidden(Area.PIM, (), sent) is None


def test_every_table_reaches_the_replicas_whole(db: sqlite3.Connection, clock: Clock) -> None:
    """Whatever table a write touches, its row is the same in the replica, rowid and all."""
    with closing(Replicas(db, Lag(directory=5), clock)) as replicas:
        for table in ledger.TABLES:
            rows = db.execute(f'SELECT rowid, * FROM "{table}" LIMIT 2').fetchall()  # noqa: S608 -- names of the schema
            for row in rows:
                db.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row[0],))  # noqa: S608 -- likewise
        replicas.noted(ledger.taken(db))
        copy = replicas.reading(Area.DIRECTORY)
        assert {table: _all(copy, table) for table in ledger.TABLES} != {
            table: _all(db, table) for table in ledger.TABLES
        }
        clock.now += 5
        replicas.reading(Area.DIRECTORY)
        for table in ledger.TABLES:
            assert _all(copy, table) == _all(db, table), table


def _all(db: sqlite3.Connection, table: str) -> list[Any]:
    return db.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid').fetchall()  # noqa: S608 -- likewise


def test_a_lag_of_nothing_is_none() -> None:
    """Whether anything lags can be asked."""
    assert not NO_LAG
    assert Lag(pim=1)
