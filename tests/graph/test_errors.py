from __future__ import annotations

import pytest

from reconciler.graph.errors import TABLE, GraphError, Meaning, graph_error
from reconciler.graph.reply import Reply
from reconciler.text import hidden_in

BAD = "Request_BadRequest"
GONE = (
    "Resource '0f' does not exist or one of its queried reference-property objects are not present."
)
PAIRS = [
    (
        400,
        BAD,
        "Another object with the same value for property userPrincipalName already exists.",
        Meaning.NAME_TAKEN,
    ),
    (
        400,
        BAD,
        (
            "One or more added object references already exist for the following modified "
            "properties: 'members'."
        ),
        Meaning.ALREADY_THERE,
    ),
    (
        400,
        BAD,
        (
            "A conflicting object with one or more of the specified property values is present in "
            "the directory."
        ),
        Meaning.ALREADY_THERE,
    ),
    (
        400,
        BAD,
        (
            "One or more removed object references do not exist for the following modified "
            "properties: 'members'."
        ),
        Meaning.ALREADY_GONE,
    ),
    (400, BAD, "User does not have a corresponding license.", Meaning.ALREADY_GONE),
    (
        400,
        BAD,
        (
            "The specified password does not comply with password complexity requirements. Please "
            "provide a different password."
        ),
        Meaning.WEAK_PASSWORD,
    ),
    (
        400,
        BAD,
        "Subscription with SKU 06eb does not have any available licenses.",
        Meaning.NO_SEATS,
    ),
    (
        400,
        BAD,
        "License assignment cannot be done for user with invalid usage location.",
        Meaning.NOT_YET,
    ),
    (400, BAD, "One or more property values specified are invalid", Meaning.NOT_YET),
    (400, BAD, GONE, Meaning.NOT_THERE),
    (404, "Request_ResourceNotFound", GONE, Meaning.NOT_THERE),
    (400, "Directory_ConcurrencyViolation", "", Meaning.NOT_YET),
    (409, "Directory_ConcurrencyViolation", "", Meaning.NOT_YET),
    (412, "Directory_ConcurrencyViolation", "", Meaning.NOT_YET),
    (429, "TooManyRequests", "Please retry again later.", Meaning.THROTTLED),
    (424, "FailedDependency", "", Meaning.NOT_YET),
    (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        Meaning.FORBIDDEN,
    ),
    (
        400,
        "Directory_ExpiredPageToken",
        "The specified page token value has expired",
        Meaning.PAGE_EXPIRED,
    ),
    (401, "InvalidAuthenticationToken", "Access token is empty.", Meaning.UNKNOWN_TOKEN),
    (401, "Unauthorized", "no", Meaning.FORBIDDEN),
    (408, "x", "timed out", Meaning.UNAVAILABLE),
    (499, "x", "closed", Meaning.UNAVAILABLE),
    (503, "ServiceUnavailable", "", Meaning.UNAVAILABLE),
    (500, "Service_InternalServerError", "", Meaning.UNAVAILABLE),
    (504, "UnknownError", "", Meaning.UNAVAILABLE),
    (400, BAD, "Invalid value specified for property 'city' of resource 'User'.", Meaning.OTHER),
    (400, "BadRequest", "Invalid filter clause", Meaning.OTHER),
    (302, "UnknownError", "", Meaning.OTHER),
]


@pytest.mark.parametrize(("status", "code", "message", "meaning"), PAIRS)
def test_a_reply_means_what_the_table_says(
    status: int, code: str, message: str, meaning: Meaning
) -> None:
    """Every wording that Graph is known to use is recognised, whatever its capitals."""
    body = {"error": {"code": code, "message": message.upper()}}

    assert graph_error(status, body, {}).meaning is meaning


def test_every_row_is_reached() -> None:
    """No row stands behind another one that takes everything from it."""
    errors = [GraphError(status, code, message) for status, code, message, _ in PAIRS]

    found = {next((row for row in TABLE if row.fits(error)), None) for error in errors}

    assert found >= set(TABLE)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param(
            {"error": {"code": "X", "message": {"value": "words"}}}, "X", "words", id="an object"
        ),
        pytest.param(
            {"error": {"code": "X", "message": {"message": "words"}}}, "X", "words", id="nested"
        ),
        pytest.param(
            {"error": {"code": "X", "message": {"lang": "en"}}},
            "X",
            "Graph gave no reason",
            id="an object without words",
        ),
        pytest.param(
            {"error": {"code": "X", "message": '{"errorCode":"PermissionScopeNotGranted"}'}},
            "X",
            '{"errorCode":"PermissionScopeNotGranted"}',
            id="JSON in a string",
        ),
        pytest.param(
            {"error": {"code": "X", "message": "two\n lines", "details": {"code": "Y"}}},
            "X",
            "two lines",
            id="details an object, words on two lines",
        ),
        pytest.param(
            {"error": {"code": "", "message": "", "innerError": "?"}},
            "UnknownError",
            "Graph gave no reason",
            id="empty words",
        ),
        pytest.param({"error": "invalid"}, "UnknownError", "Graph gave no reason", id="a string"),
        pytest.param("<html>", "UnknownError", "Graph gave no reason", id="HTML"),
        pytest.param(None, "UnknownError", "Graph gave no reason", id="nothing"),
        pytest.param([1], "UnknownError", "Graph gave no reason", id="a list"),
    ],
)
def test_odd_shapes_are_read(body: object, code: str, message: str) -> None:
    """Whatever stands between an error and us, there is a code and a line to show."""
    assert graph_error(400, body, {}) == GraphError(400, code, message)


def test_words_are_cut() -> None:
    """A message of any length stays a line that a terminal can show."""
    error = graph_error(400, {"error": {"code": "X", "message": "x" * 9000}}, {})

    assert len(error.message) == 1_000


@pytest.mark.parametrize(
    ("headers", "inner", "expected"),
    [
        ({"request-id": "of the header"}, {"request-id": "of the body"}, "of the body"),
        ({"request-id": "of the header"}, {}, "of the header"),
        ({}, {"request-id": "of the body"}, "of the body"),
        ({}, {}, None),
    ],
    ids=["both", "header", "body", "nowhere"],
)
def test_the_request_id_is_found(
    headers: dict[str, str], inner: dict[str, str], expected: str | None
) -> None:
    """What Graph's support asks for stands in the body; the header may be the batch's."""
    error = graph_error(400, {"error": {"innerError": inner}}, headers)

    assert error.request_id == expected


@pytest.mark.parametrize(
    ("request_id", "line"),
    [("77", "403 Denied: no (request-id 77)"), (None, "403 Denied: no")],
    ids=["with", "without"],
)
def test_an_error_is_one_line(request_id: str | None, line: str) -> None:
    """A person reads status, code, words and the request-id."""
    assert str(GraphError(403, "Denied", "no", request_id)) == line


ESCAPE = "\x1b]0;pwned\x07\u202e"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"error": {"code": f"Bad{ESCAPE}"}}, {}),
        ({"error": {"code": ["Bad", ESCAPE]}}, {}),
        ({"error": {"message": f"No{ESCAPE} ::add-mask::x"}}, {}),
        ({"error": {"message": {"value": f"No{ESCAPE}"}}}, {}),
        ({"error": {"innerError": {"request-id": ESCAPE}}}, {}),
        (None, {"request-id": ESCAPE}),
    ],
    ids=["code", "a list as code", "message", "message in a message", "id", "id in a header"],
)
def test_nothing_of_an_error_steers_a_terminal(body: object, headers: dict[str, str]) -> None:
    """What came over the network is written out, in every part of what a person reads."""
    reply = Reply(400, headers, body)
    told = f"{reply.error} {reply.request_id}"

    assert list(hidden_in(told)) == []
    assert " ::" not in told
    assert "pwned" in told


@pytest.mark.parametrize(
    ("part", "most"), [("code", 200), ("message", 1_000)], ids=["code", "message"]
)
def test_an_error_has_a_bound(part: str, most: int) -> None:
    """No part of an answer fills a screen, or a report."""
    error = graph_error(400, {"error": {part: "x" * 10_000}}, {})

    assert len(getattr(error, part)) == most


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("2.128", 2.128),
        ("-3", 0.0),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("nan", 0.0),
        (None, None),
    ],
)
def test_retry_after_is_seconds(value: str | None, seconds: float | None) -> None:
    """Graph asks for whole or broken seconds, or for nothing that we understand."""
    headers = {} if value is None else {"retry-after": value}

    assert Reply(429, headers, None).retry_after == seconds


@pytest.mark.parametrize(
    ("status", "is_error"), [(200, False), (204, False), (299, False), (302, True), (400, True)]
)
def test_what_was_not_carried_out_is_an_error(status: int, is_error: bool) -> None:  # noqa: FBT001 -- a column of the table
    """A redirect is an error like any other: it is not followed."""
    assert (Reply(status, {}, None).error is not None) == is_error


def test_a_reply_knows_its_request_id() -> None:
    """The id is there for what succeeded as well."""
    assert Reply(200, {"request-id": "77"}, None).request_id == "77"
