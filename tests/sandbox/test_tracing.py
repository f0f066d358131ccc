from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reconciler.errors import UsageError
from reconciler.sandbox import tracing
from reconciler.sandbox.wire import Exchange

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

ASKED = Exchange("POST", "/v1.0/users", {}, None, 200, None)
SECRET = "s3cr3t"  # noqa: S105 -- of these tests


def _told(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- the fields of an exchange
    line = tracing.line(replace(ASKED, **changes))
    assert SECRET.encode() not in line
    return dict(orjson.loads(line))


def test_only_known_headers_are_told() -> None:
    """A header is told when it is known to hold no secret."""
    told = _told(
        headers={
            **dict.fromkeys(("authorization", "cookie", "proxy-authorization", "x-own"), SECRET),
            "User-Agent": "x",
            "prefer": "y",
        },
        reply_headers={"set-cookie": SECRET, "request-id": "1", "Location": f"/x?t={SECRET}"},
    )
    assert told["headers"] == {"User-Agent": "x", "prefer": "y"}
    assert told["reply_headers"]["request-id"] == "1"


def test_only_options_of_odata_are_told() -> None:
    """What else is in a query may be a token."""
    path = f"/v1.0/users?$top=1&access_token={SECRET}&%24skiptoken=x&{SECRET}&"
    told = _told(path=path, reply={"@odata.nextLink": path})
    shown = "/v1.0/users?$top=1&access_token=(not%20shown)&%24skiptoken=x&(not%20shown)&"
    assert (told["path"], told["reply"]["@odata.nextLink"]) == (shown, shown)
    assert _told()["path"] == "/v1.0/users"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (SECRET, "(not shown)"),
        ({"newPassword": SECRET}, {"newPassword": "(not shown)"}),
        ({"clientSecret": 5}, {"clientSecret": "(not shown)"}),
        ({"temporaryAccessPass": SECRET, "id": "x"}, {"temporaryAccessPass": "(not shown)"}),
        ({"passwordProfile": SECRET}, {"passwordProfile": "(not shown)"}),
        ({"passwordProfile": None}, {"passwordProfile": None}),
        ({"passwordCredentials": [{"x": SECRET}]}, {"passwordCredentials": []}),
        ({"authorizationInfo": {"x": SECRET}}, {"authorizationInfo": {}}),
        ({"passwordPolicies": "None"}, {"passwordPolicies": "None"}),
        ([{"a": [{"token": SECRET}]}], [{"a": [{"token": "(not shown)"}]}]),
        (
            {"passwordProfile": {"Password": SECRET, "x": SECRET, "forceChange": True}},
            {"passwordProfile": {"Password": "(not shown)", "forceChange": True}},
        ),
    ],
)
def test_nothing_that_is_named_as_a_secret_is_told(body: Any, shown: Any) -> None:  # noqa: ANN401 -- any JSON
    """What stands for it has its type, so that a body still fits Graph's description."""
    if isinstance(shown, dict) and isinstance(body, dict) and "id" in body:
        shown = shown | {"id": "x"}
    assert _told(body=body)["body"] == shown
    assert _told(reply=body)["reply"] == shown


def test_a_deep_body_ends_somewhere() -> None:
    """Depth that nobody means is not told, and is no fault."""
    deep: Any = {"a": SECRET}
    for _ in range(900):
        deep = [deep]
    assert b"(not shown)" in tracing.line(replace(ASKED, body=deep))


def test_of_parts_only_what_graph_reads_is_told() -> None:
    """A part's own headers, options and texts are as secret as those of a request."""
    part = {
        "id": "1",
        "method": "POST",
        "url": f"/users?key={SECRET}",
        "headers": {"Authorization": SECRET, "Content-Type": "text/plain"},
        "dependsOn": ["0"],
        "body": SECRET,
        "own": SECRET,
    }
    odd = {"id": "2", "url": [SECRET], "headers": SECRET}
    told = _told(
        is_batch=True,
        body={"requests": [part, odd, {}, SECRET], "own": SECRET},
        reply={"responses": [{"id": "1", "body": SECRET}, {"id": "2"}]},
    )
    assert told["body"]["requests"] == [
        {
            "id": "1",
            "method": "POST",
            "dependsOn": ["0"],
            "url": "/users?key=(not%20shown)",
            "headers": {"Content-Type": "text/plain"},
            "body": "(not shown)",
        },
        {"id": "2", "url": "(not shown)", "headers": "(not shown)"},
        {},
        "(not shown)",
    ]
    assert told["reply"] == {"responses": [{"id": "1", "body": "(not shown)"}, {"id": "2"}]}
    assert _told(is_batch=True, body=[SECRET], reply={"error": {}})["body"] == "(not shown)"
    assert _told(is_batch=True)["body"] is None


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    """A new file is; lines are added to an old one."""
    path = tmp_path / "trace.jsonl"
    for number in (1, 2):
        with tracing.tracing(path) as record:
            assert record
            record(ASKED)
        assert len(path.read_bytes().splitlines()) == number
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_told_unless_asked_for() -> None:
    """Without a file there is no record."""
    with tracing.tracing(None) as record:
        assert record is None


@pytest.mark.parametrize("kind", ["open", "link", "pipe", "folder"])
def test_another_s_file_is_not_written(tmp_path: Path, kind: str) -> None:
    """A link is not followed, and what others may read gets no line."""
    path = tmp_path / "trace.jsonl"
    match kind:
        case "open":
            path.touch()
            path.chmod(0o644)
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
        case "pipe":
            os.mkfifo(path, 0o600)
        case _:
            path.mkdir()
    with pytest.raises(UsageError), tracing.tracing(path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_record_that_fails_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A disk that is full changes no answer."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    record = tracing.recorder(descriptor)
    for _ in range(2):
        record(ASKED)
    os.close(descriptor)
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("the trace of the sandbox cannot be written: ")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a@localhost", "[::2]"])
def test_a_name_that_is_not_ours_is_refused(
    graph: httpx.Client, login: httpx.Client, host: str
) -> None:
    """Neither links nor metadata lead to a host that a caller made up."""
    headers = {"Host": host, "client-request-id": "mine"}
    for reply in (
        graph.get("/users", headers=headers),
        login.get("/common/v2.0/.well-known/openid-configuration", headers=headers),
    ):
        assert (reply.status_code, reply.json()["error"]["code"]) == (421, "MisdirectedRequest")
        assert (reply.headers["client-request-id"], reply.headers["connection"]) == (
            "mine",
            "close",
        )
        assert host not in reply.text


@pytest.mark.parametrize("host", ["LOCALHOST:1", "127.0.0.1", "[::1]:80", "graph.microsoft.com"])
def test_names_that_are_ours_are_taken(graph: httpx.Client, host: str) -> None:
    """Names of this machine and Microsoft's own lead to the sandbox, at any port."""
    assert graph.get("/domains", headers={"Host": host}).status_code == 200
