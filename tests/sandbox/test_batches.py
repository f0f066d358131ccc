from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
JSON = {"Content-Type": "application/json"}


def _replies(graph: httpx.Client, *requests: dict[str, Any]) -> dict[str, dict[str, Any]]:
    reply = graph.post("/$batch", json={"requests": requests})
    assert reply.status_code == 200, reply.text
    return {part["id"]: part for part in reply.json()["responses"]}


def test_each_part_has_a_fate_of_its_own(graph: httpx.Client, body: Made) -> None:
    """One part's failure leaves the others; ids may be numbers, slashes may be missing."""
    made = _replies(
        graph,
        {"id": 1, "method": "GET", "url": "users/priya@contoso.com?$select=id"},
        {"id": "2", "method": "GET", "url": "/users/nobody@contoso.com"},
        {"id": "3", "method": "post", "url": "/users", "headers": JSON, "body": body()},
        {"id": "4", "method": "DELETE", "url": "/users/nobody@contoso.com"},
    )
    assert {key: part["status"] for key, part in made.items()} == {
        "1": 200,
        "2": 404,
        "3": 201,
        "4": 404,
    }
    assert made["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert made["3"]["headers"]["Content-Type"].startswith("application/json")


def test_replies_come_in_another_order(graph: httpx.Client) -> None:
    """Graph promises no order, so a client must go by id."""
    requests = [{"id": str(n), "method": "GET", "url": "/domains"} for n in range(3)]
    reply = graph.post("/$batch", json={"requests": requests}).json()
    assert [part["id"] for part in reply["responses"]] == ["2", "1", "0"]


def test_an_empty_reply_has_no_body(graph: httpx.Client, joiner: Made) -> None:
    """204 inside a batch has no body either."""
    url = f"/users/{joiner()['id']}"
    part = _replies(graph, {"id": "1", "method": "DELETE", "url": url})["1"]
    assert (part["status"], "body" in part) == (204, False)


def test_what_depends_on_a_failure_is_not_tried(graph: httpx.Client, joiner: Made) -> None:
    """A failed part takes those with it that depend on it, with 424, and theirs."""
    key = joiner()["id"]
    made = _replies(
        graph,
        {"id": "a", "method": "GET", "url": "/users/nobody@contoso.com"},
        {"id": "b", "method": "DELETE", "url": f"/users/{key}", "dependsOn": ["A"]},
        {"id": "c", "method": "GET", "url": "/domains", "dependsOn": ["b"]},
        {"id": "d", "method": "GET", "url": "/domains"},
        {"id": "e", "method": "GET", "url": "/domains", "dependsOn": ["d"]},
    )
    statuses = {name: part["status"] for name, part in made.items()}
    assert statuses == {"a": 404, "b": 424, "c": 424, "d": 200, "e": 200}
    assert made["b"]["body"]["error"]["code"] == "FailedDependency"
    assert graph.get(f"/users/{key}").status_code == 200


def test_a_part_has_headers_of_its_own(graph: httpx.Client) -> None:
    """`ConsistencyLevel` counts where it stands, not on the batch around it."""
    url = (
        "/users?$count=true&$select=id"
        "&$filter=onPremisesExtensionAttributes/extensionAttribute15 eq 'hr-sync/emea'"
    )
    eventual = {"ConsistencyLevel": "eventual"}
    requests = [
        {"id": "1", "method": "GET", "url": url, "headers": eventual},
        {"id": "2", "method": "GET", "url": url},
    ]
    reply = graph.post("/$batch", json={"requests": requests}, headers=eventual).json()
    parts = {part["id"]: part for part in reply["responses"]}
    assert (parts["1"]["status"], parts["2"]["status"]) == (200, 400)
    assert parts["1"]["body"]["@odata.count"] == 1


def test_the_callers_id_is_told_apart(graph: httpx.Client) -> None:
    """An error inside a batch echoes the caller's id with its own."""
    request = {"id": "7", "method": "GET", "url": "/users/nobody@contoso.com"}
    reply = graph.post(
        "/$batch", json={"requests": [request]}, headers={"client-request-id": "mine"}
    )
    error = reply.json()["responses"][0]["body"]["error"]
    assert error["innerError"]["client-request-id"] == "mine-7"
