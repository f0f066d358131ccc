"""Proxy addresses: set by `mail`, and each of one living object."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.data import addresses, store

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Made = Callable[..., dict[str, Any]]
BIN = "/directory/deletedItems"
M365 = {"mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}


def _mailed(graph: httpx.Client, key: str) -> tuple[str | None, list[str]]:
    shown = graph.get(f"/users/{key}?$select=mail,proxyAddresses").json()
    return shown["mail"], shown["proxyAddresses"]


def _refused(reply: httpx.Response) -> None:
    row = errors.DUPLICATE_ADDRESS
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["message"]) == (400, row.code, row.message)
    assert error["details"] == [
        {"code": code, "message": row.message, "target": "proxyAddresses"}
        for code in ("ObjectConflict", "ConflictingObjects")
    ]


def test_a_mail_is_the_primary_address(graph: httpx.Client, joiner: Made) -> None:
    """Set at creation or later it is `SMTP:`; what was stays as `smtp:`, and null ends it."""
    key = joiner(mail="Elo@contoso.com")["id"]
    plain = joiner()["id"]
    assert _mailed(graph, key) == ("Elo@contoso.com", ["SMTP:Elo@contoso.com"])
    assert _mailed(graph, plain) == (None, [])
    graph.patch(f"/users/{key}", json={"mail": "elo.new@contoso.com"})
    both = ["SMTP:elo.new@contoso.com", "smtp:Elo@contoso.com"]
    assert _mailed(graph, key) == ("elo.new@contoso.com", both)
    graph.patch(f"/users/{key}", json={"mail": "ELO@contoso.com", "jobTitle": "Tester"})
    assert _mailed(graph, key)[1] == ["SMTP:ELO@contoso.com", "smtp:elo.new@contoso.com"]
    graph.patch(f"/users/{key}", json={"mail": None})
    assert _mailed(graph, key) == (None, ["smtp:elo.new@contoso.com"])
    graph.patch(f"/users/{plain}", json={"mail": None})
    assert _mailed(graph, plain) == (None, [])


def test_an_address_has_one_holder(
    graph: httpx.Client, admin: httpx.Client, joiner: Made, body: Made, new_group: Made
) -> None:
    """Whoever comes second is refused, whatever the capitals, and nothing is changed."""
    first, second = joiner(mail="ida@contoso.com")["id"], joiner()["id"]
    graph.patch(f"/users/{first}", json={"mail": "ida.new@contoso.com"})
    for mail in ("IDA@contoso.com", "ida.new@contoso.com"):
        _refused(graph.post("/users", json=body(mail=mail)))
        _refused(graph.patch(f"/users/{second}", json={"mail": mail}))
    assert _mailed(graph, second) == (None, [])
    group = new_group(**M365, mailNickname="crew")
    assert group["proxyAddresses"] == ["SMTP:crew@contoso.com"]
    _refused(graph.patch(f"/users/{second}", json={"mail": "Crew@contoso.com"}))
    taken = {**M365, "displayName": "Ida", "mailNickname": "ida"}
    _refused(admin.post("/groups", json=taken))


def test_the_company_holds_its_addresses(company: httpx.Client, body: Made) -> None:
    """Groups of the seed have theirs too."""
    groups = company.get("/groups?$filter=mailEnabled eq true&$select=mail").json()["value"]
    for group in groups:
        _refused(company.post("/users", json=body(mail=group["mail"].upper())))
    assert groups


def test_a_generated_company_holds_its_addresses(
    start: Callable[..., httpx.Client], tmp_path: Path, body: Made
) -> None:
    """Everybody has the address that follows from `mail`, and nobody else gets it."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        "version: 1\ncompany: {displayName: Fabrikam, country: DE}\n"
        "domains: [fabrikam.example]\ngenerate: [{count: 5, seed: 7}]\n"
    )
    graph = start(seed=seed)
    shown = graph.get("/users?$select=mail,proxyAddresses,userPrincipalName").json()["value"]
    user = next(one for one in shown if one["mail"])
    assert user["proxyAddresses"] == [f"SMTP:{user['mail']}"]
    domain = user["userPrincipalName"].partition("@")[2]
    _refused(graph.post("/users", json=body(mail=user["mail"], userPrincipalName=f"x@{domain}")))


def test_an_address_that_was_given_away_is_a_conflict_at_restore(
    graph: httpx.Client, joiner: Made
) -> None:
    """A restore is refused, unless it may give up what is taken."""
    key = joiner(mail="uno@contoso.com")["id"]
    graph.patch(f"/users/{key}", json={"mail": "due@contoso.com"})
    graph.delete(f"/users/{key}")
    joiner(mail="Uno@contoso.com")
    where = f"{BIN}/{key}/restore"
    _refused(graph.post(where))
    _refused(graph.post(where, json={"autoReconcileProxyConflict": False}))
    wrong = graph.post(where, json={"autoReconcileProxyConflict": "yes"}).json()["error"]
    assert wrong["message"] == errors.WRONG_TYPE.message.format(kind="Boolean")
    assert graph.post(where, json={"autoreconcileproxyconflict": True}).status_code == 200
    assert _mailed(graph, key) == ("due@contoso.com", ["SMTP:due@contoso.com"])


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_primary_address_goes_only_if_it_is_taken(
    graph: httpx.Client, joiner: Made, *, is_taken: bool
) -> None:
    """Who gives up its primary address has no mail any more; what is free is kept."""
    mail = f"tre.{is_taken}@contoso.com"
    key = joiner(mail=mail)["id"]
    graph.delete(f"/users/{key}")
    if is_taken:
        joiner(mail=mail)
    reply = graph.post(f"{BIN}/{key}/restore", json={"autoReconcileProxyConflict": True})
    assert reply.status_code == 200
    assert reply.json()["mail"] == (None if is_taken else mail)
    assert _mailed(graph, key) == ((None, []) if is_taken else (mail, [f"SMTP:{mail}"]))


def test_who_has_no_address_loses_none(graph: httpx.Client, joiner: Made) -> None:
    """A restore that may give up addresses is fine without any."""
    key = joiner()["id"]
    graph.delete(f"/users/{key}")
    reply = graph.post(f"{BIN}/{key}/restore", json={"autoReconcileProxyConflict": True})
    assert (reply.status_code, reply.json()["mail"]) == (200, None)


def test_a_deleted_group_s_address_may_be_taken(
    graph: httpx.Client, admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """Then the group does not come back until it is free again; a purge frees it for good."""
    group = new_group(**M365, mailNickname="quartet")["id"]
    admin.delete(f"/groups/{group}")
    user = joiner(mail="quartet@contoso.com")["id"]
    _refused(admin.post(f"{BIN}/{group}/restore"))
    graph.delete(f"/users/{user}")
    assert admin.post(f"{BIN}/{group}/restore").status_code == 200
    _refused(graph.post(f"{BIN}/{user}/restore"))
    admin.delete(f"/groups/{group}")
    assert admin.delete(f"{BIN}/{group}").status_code == 204
    assert graph.post(f"{BIN}/{user}/restore").status_code == 200


def test_addresses_are_looked_up_by_an_index() -> None:
    """Neither a write nor a lookup looks at everybody."""
    asked: list[str] = []
    connection, _ = store.connect(None)
    with closing(connection) as db:
        store.add_indexes(db)
        db.set_trace_callback(asked.append)
        addresses.hold(db, "one", {"proxyAddresses": ["SMTP:a@contoso.com"]})
        addresses.forget(db, "one")
        db.set_trace_callback(None)
        plans = [row[3] for text in asked for row in db.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert [plan for plan in plans if "SEARCH" in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN")], plans
