"""The directory quota: how many users and groups one principal may make."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP
from reconciler.sandbox.data import store
from reconciler.sandbox.login import tokens
from reconciler.sandbox.server import running
from reconciler.sandbox.trouble.settings import Trouble
from tests.sandbox.conftest import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Made = Callable[..., dict[str, Any]]
BIN = "/directory/deletedItems"
GRANTED = ("User.ReadWrite.All", "Group.ReadWrite.All", "User.DeleteRestore.All")


class Bounded(Office):
    """A tenant of one's own whose principals may make few objects."""

    @contextmanager
    def served(self, certificates: Path, most: int | None = 3) -> Iterator[None]:
        """Run the tenant until the block ends."""
        trouble = Trouble(directory_quota=most)
        with ExitStack() as stack:
            endpoints = stack.enter_context(
                running(self.file, folder=certificates, trouble=trouble, now=lambda: self.now)
            )
            db = stack.enter_context(self.opened())
            claims = {
                "aud": "https://graph.microsoft.com",
                "appid": APPLY_APP.client_id,
                "oid": APPLY_APP.principal_id,
                "roles": list(GRANTED),
                "exp": 4_000_000_000,
            }
            key = bytes.fromhex(store.setting(db, "key"))
            self.headers = {"Authorization": f"Bearer {tokens.sign(claims, key)}"}
            other = tokens.sign({**claims, "oid": "0a1b2c3d-0000-4000-8000-00000000abcd"}, key)
            self.others = {"Authorization": f"Bearer {other}"}
            base = f"{endpoints.environment['RECONCILER_GRAPH_URL']}/v1.0"
            self.graph = stack.enter_context(httpx.Client(base_url=base, headers=self.headers))
            yield


@pytest.fixture
def bounded(tmp_path: Path) -> Bounded:
    """Give a tenant that is served when it is told to be."""
    return Bounded(tmp_path / "bounded.sqlite")


def _refused(reply: httpx.Response) -> bool:
    row = errors.DIRECTORY_QUOTA
    error = reply.json()["error"]
    return (reply.status_code, error["code"], error["message"]) == (403, row.code, row.message)


def _user(bounded: Bounded, body: Made) -> str:
    reply = bounded.graph.post("/users", json=body())
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def test_a_principal_makes_so_many_and_no_more(
    bounded: Bounded, certificates: Path, body: Made, group_body: Made
) -> None:
    """What is too much is not made, user or group; others have a quota of their own."""
    with bounded.served(certificates):
        graph = bounded.graph
        keys = [_user(bounded, body) for _ in range(2)]
        assert graph.post("/groups", json=group_body()).status_code == 201
        refused = body()
        assert _refused(graph.post("/users", json=refused))
        assert _refused(graph.post("/groups", json=group_body()))
        assert graph.get(f"/users/{refused['userPrincipalName']}").status_code == 404
        assert graph.patch(f"/users/{keys[0]}", json={"city": "Oslo"}).status_code == 204
        assert graph.post("/users", json=body(), headers=bounded.others).status_code == 201


def test_what_is_deleted_counts_less_and_less(
    bounded: Bounded, certificates: Path, body: Made
) -> None:
    """In the bin it counts in full, then a quarter for 30 days, then not at all."""
    with bounded.served(certificates):
        graph = bounded.graph
        gone, *_ = (_user(bounded, body) for _ in range(3))
        graph.delete(f"/users/{gone}")
        assert _refused(graph.post("/users", json=body()))
        assert graph.delete(f"{BIN}/{gone}").status_code == 204
        assert _refused(graph.post("/users", json=body()))
        bounded.later(days=29)
        assert _refused(graph.post("/users", json=body()))
        bounded.later(days=1)
        _user(bounded, body)
        assert _refused(graph.post("/users", json=body()))


def test_four_that_are_gone_count_as_one(bounded: Bounded, certificates: Path, body: Made) -> None:
    """What the bin let go by itself counts a quarter as well."""
    with bounded.served(certificates, 4):
        for key in [_user(bounded, body) for _ in range(4)]:
            bounded.graph.delete(f"/users/{key}")
        assert _refused(bounded.graph.post("/users", json=body()))
        bounded.later(days=30)
        for _ in range(3):
            _user(bounded, body)
        assert _refused(bounded.graph.post("/users", json=body()))


def test_a_quota_outlives_a_restart(bounded: Bounded, certificates: Path, body: Made) -> None:
    """Who made what is kept, also where nobody counts yet."""
    with bounded.served(certificates, None):
        for _ in range(4):
            _user(bounded, body)
    with bounded.served(certificates, 4):
        assert _refused(bounded.graph.post("/users", json=body()))
    with bounded.served(certificates, 5):
        _user(bounded, body)
        assert _refused(bounded.graph.post("/users", json=body()))


def test_a_part_of_a_batch_is_refused_alone(
    bounded: Bounded, certificates: Path, body: Made
) -> None:
    """The parts that fit are done."""
    headers = {"Content-Type": "application/json"}
    parts = [
        {"id": str(n), "method": "POST", "url": "/users", "body": body(), "headers": headers}
        for n in range(3)
    ]
    with bounded.served(certificates, 2):
        reply = bounded.graph.post("/$batch", json={"requests": parts}).json()
    assert sorted(part["status"] for part in reply["responses"]) == [201, 201, 403]
