"""The judge itself: what it takes, and what it does not let pass."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import orjson
import pytest

from tests.contract.contract import Contract, Exchange
from tests.contract.replay import Refusals, verdict

HEADERS = {
    "cache-control": "no-cache",
    "client-request-id": "a",
    "content-type": "application/json",
    "odata-version": "4.0",
    "request-id": "a",
    "strict-transport-security": "max-age=31536000",
    "x-ms-resource-unit": "1",
}
HTML = {"content-type": "text/html"}
USER: dict[str, Any] = {"id": "1", "displayName": "Ada", "businessPhones": [], "givenName": None}
GOOD = Exchange(
    method="GET",
    path="/v1.0/users/1",
    headers={"user-agent": "entra-reconciler/1"},
    body=None,
    status=200,
    reply=USER,
    reply_headers=HEADERS,
    is_cut=False,
    is_inner=False,
    is_batch=False,
    is_fault=False,
)
DENIED = {"error": {"code": "Authorization_RequestDenied", "message": "No."}}
GROUP = {"@odata.type": "#microsoft.graph.group", "id": "2", "groupTypes": []}

TAKEN = (
    GOOD,
    replace(GOOD, path="/v1.0/users/1?$select=id"),
    replace(GOOD, path="/v1.0/users('ada%40contoso.com')"),
    replace(GOOD, path="/v1.0/users", reply={"value": [USER]}),
    replace(GOOD, status=403, reply=DENIED),
    replace(GOOD, path="/v1.0/users", reply={"value": [USER | {"jobTitle": 5}]}, is_cut=True),
    replace(GOOD, path="/v1.0/groups/2/members", reply={"value": [GROUP]}),
    replace(GOOD, method="DELETE", path="/v1.0/users/1", status=204, reply=None),
    replace(GOOD, path="/v1.0/nowhere", headers={}, status=400, reply=DENIED),
    replace(GOOD, status=503, reply=None, is_fault=True),
    replace(GOOD, status=501, reply=DENIED),
    replace(GOOD, path="/v1.0/users/1/memberOf/$count", headers={}, reply=3),
    replace(GOOD, path="/v1.0/users", reply={"value": [], "@odata.nextLink": "x"}),
)

REFUSED = (
    ("a wrong type", replace(GOOD, reply=USER | {"displayName": 5}), "displayName"),
    ("a null that may not be", replace(GOOD, reply=USER | {"businessPhones": None}), "business"),
    ("an unknown property", replace(GOOD, reply=USER | {"displayname": "x"}), "displayname"),
    ("an unknown status", replace(GOOD, status=202), "202"),
    ("a body that must be empty", replace(GOOD, method="DELETE", status=204), "has a body"),
    (
        "an error without a message",
        replace(GOOD, status=403, reply={"error": {"code": "x"}}),
        "mess",
    ),
    ("a missing header", replace(GOOD, reply_headers={"request-id": "a"}), "odata-version"),
    (
        "a page for a body of JSON",
        replace(GOOD, reply_headers=HEADERS | {"content-type": "text/html"}),
        "content-type",
    ),
    ("a fault of the tenant's own", replace(GOOD, status=500, reply=DENIED), "the tenant broke"),
    ("silence that nobody asked for", replace(GOOD, status=503, reply=None), "the tenant broke"),
    ("an annotation that OData has not", replace(GOOD, reply=USER | {"x@y": 1}), "x@y"),
    (
        "a wrong shape beyond the description",
        replace(GOOD, path="/v1.0/auditLogs/directoryAudits/1", headers={}, reply={"valu": 1}),
        "valu",
    ),
    (
        "a service principal with a foreign property",
        replace(
            GOOD,
            path="/v1.0/groups/2/members",
            reply={"value": [{"@odata.type": "#microsoft.graph.servicePrincipal", "bogus": 1}]},
        ),
        "bogus",
    ),
    ("a success at no address", replace(GOOD, path="/v1.0/nowhere", headers={}), "no such address"),
    (
        "our request to no address",
        replace(GOOD, path="/v1.0/x", status=400, reply=DENIED),
        "Graph has",
    ),
    ("our request with a foreign option", replace(GOOD, path="/v1.0/users/1?$topp=1"), "$topp"),
    ("our request with a needless body", replace(GOOD, body={"a": 1}), "no body"),
    (
        "our request with a wrong body",
        replace(GOOD, method="POST", path="/v1.0/users", status=403, reply=DENIED, body={}),
        "accountEnabled",
    ),
    (
        "a member of a wrong shape",
        replace(GOOD, path="/v1.0/groups/2/members", reply={"value": [GROUP | {"givenName": "x"}]}),
        "givenName",
    ),
)


@pytest.mark.parametrize("exchange", TAKEN)
def test_what_conforms_is_taken(exchange: Exchange) -> None:
    """What Graph's description allows is no fault."""
    assert not Contract().problems(exchange)


@pytest.mark.parametrize(("why", "exchange", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_does_not_conform_is_found(why: str, exchange: Exchange, words: str) -> None:
    """Each way of departing from Graph's description is found and named."""
    assert any(words in problem for problem in Contract().problems(exchange)), why


def test_requests_of_others_may_be_wrong() -> None:
    """A test may send nonsense on purpose; only what the reconciler sends must conform."""
    foreign = replace(GOOD, headers={}, status=403, reply=DENIED, body={"a": 1})
    assert not Contract().problems(foreign)


def test_the_verdict_counts_and_names() -> None:
    """A run's verdict says how much was heard, what was wrong, and what was never seen."""
    wrong = replace(GOOD, status=202)
    found = verdict(orjson.dumps(asdict(each)) for each in (GOOD, wrong, wrong))
    assert (found.exchanges, found.ours, found.problems.total()) == (3, 3, 2)
    assert "GET /users/{user-id}" not in found.unanswered
    assert "POST /users" in found.unanswered
    assert not found.is_good(is_whole=False)
    assert any("2 x GET /users/{user-id} 202" in line for line in found.lines(is_whole=False))


def test_a_part_of_the_tests_need_not_hear_everything() -> None:
    """A run of a few tests is good when what it said conforms; a whole run must miss nothing."""
    found = verdict([orjson.dumps(asdict(GOOD))])
    assert found.is_good(is_whole=False)
    assert not found.is_good(is_whole=True)


def test_a_refusal_is_heard_in_its_own_words_only() -> None:
    """A quoted refusal counts as heard when status, code and message are Graph's."""
    refusals = Refusals()
    before = len(refusals.unheard)
    words = "Insufficient privileges to complete the operation."
    for message in ("Insufficient privileges.", words):
        error = {"code": "Authorization_RequestDenied", "message": message}
        refusals.hear(replace(GOOD, status=403, reply={"error": error}))
    refusals.hear(GOOD)
    # It is quoted, and it is a row of the sandbox's own table.
    assert len(refusals.unheard) == before - 2
