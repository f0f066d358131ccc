from __future__ import annotations

import contextlib
import gzip
import os
import socket
import sqlite3
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import trustme
from starlette.responses import Response

from reconciler.errors import UsageError
from reconciler.sandbox import certificates, errors
from reconciler.sandbox.company.contoso import AGE_IDENTITY, GROUPS
from reconciler.sandbox.server import Endpoints, reset, running
from reconciler.sandbox.serving import Running, bound, config, serving
from reconciler.sandbox.wire import After, Exchange, Incoming, Reply

Made = Callable[..., dict[str, Any]]
Start = Callable[..., httpx.Client]
NAME_ANOTHER = "--sandbox=FILE names the database of the local tenant; name another file"
BUSY = Reply(
    429, {"error": {"code": "TooManyRequests", "message": "Later."}}, {"Retry-After": "2.5"}
)


def _is_creation(incoming: Incoming) -> bool:
    return incoming.method == "POST" and incoming.path.endswith("/users")


def test_a_tenant_outlives_its_server(tmp_path: Path, body: Made) -> None:
    """What was written is there after a restart, secrets and certificates included."""
    file = tmp_path / "deep" / "sandbox.sqlite"
    sent = body()
    secrets, authorities = set(), set()
    for expected in (201, 400):
        with running(file, folder=tmp_path) as endpoints:
            known = endpoints.environment
            secrets.add(known["AZURE_CLIENT_SECRET"])
            authorities.add(Path(known["SSL_CERT_FILE"]).read_bytes())
            assert _create(known, sent) == expected
    assert (len(secrets), len(authorities)) == (1, 1)


def _create(known: Any, sent: dict[str, Any]) -> int:  # noqa: ANN401 -- a mapping of text
    form = {
        "grant_type": "client_credentials",
        "client_id": known["AZURE_CLIENT_ID"],
        "client_secret": known["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    trusted = ssl.create_default_context(cafile=known["SSL_CERT_FILE"])
    url = f"{known['AZURE_AUTHORITY_HOST']}/{known['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    with httpx.Client(verify=trusted) as client:
        token = client.post(url, data=form).json()["access_token"]
        reply = client.post(
            f"{known['RECONCILER_GRAPH_URL']}/v1.0/users",
            json=sent,
            headers={"Authorization": f"Bearer {token}"},
        )
    return reply.status_code


def test_a_reset_makes_the_tenant_as_new(tmp_path: Path, body: Made) -> None:
    """After a reset the same user can be created again, and the secret is another."""
    file = tmp_path / "sandbox.sqlite"
    reset(file)
    sent, secrets = body(), set()
    for _ in range(2):
        with running(file, folder=tmp_path) as endpoints:
            secrets.add(endpoints.environment["AZURE_CLIENT_SECRET"])
            assert _create(endpoints.environment, sent) == 201
        reset(file)
    assert len(secrets) == 2


def test_the_demonstration_identity_lies_beside_the_file(tmp_path: Path) -> None:
    """Priya's identity can be read by its owner only, and says that it is public; it stays."""
    with running(tmp_path / "sandbox.sqlite", folder=tmp_path):
        pass
    path = tmp_path / "priya-identity.txt"
    assert stat.S_IMODE((tmp_path / "sandbox.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines()[-1] == AGE_IDENTITY
    assert "for demonstrations only" in path.read_text()
    path.write_text("changed")
    with running(tmp_path / "sandbox.sqlite", folder=tmp_path):
        pass
    assert path.read_text() == "changed"


def _run(file: Path) -> None:
    with running(file):
        pass


@pytest.mark.parametrize("operate", [reset, _run])
@pytest.mark.parametrize("kind", ["short", "text", "sqlite"])
def test_a_foreign_file_is_left_alone(
    tmp_path: Path, operate: Callable[[Path], object], kind: str
) -> None:
    """A file that is no tenant is refused and not touched, and nothing is put beside it."""
    file = tmp_path / "README.md"
    match kind:
        case "sqlite":
            with closing(sqlite3.connect(file)) as db:
                db.execute("CREATE TABLE note (text)")
        case "text":
            file.write_text("not a database, but long enough to look like one " * 9)
        case _:
            file.write_text("# a title\n")
    before = file.read_bytes(), file.stat().st_mtime_ns
    with pytest.raises(UsageError) as caught:
        operate(file)
    assert str(caught.value) == f"{file} is not a sandbox tenant"
    assert caught.value.hint == NAME_ANOTHER
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("operate", [reset, _run])
def test_what_sqlite_cannot_open_is_named(
    tmp_path: Path, operate: Callable[[Path], object]
) -> None:
    """SQLite's complaint comes with the name of the file."""
    with pytest.raises(UsageError) as caught:
        operate(tmp_path)
    complaint = "unable to open database file"
    assert str(caught.value) == f"{tmp_path} cannot be used as a sandbox tenant: {complaint}"
    assert caught.value.hint == NAME_ANOTHER


@pytest.mark.parametrize("operate", [reset, _run])
@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("nowhere/deep", "the folder above it does not exist"),
        ("note", "file exists"),
        ("note/deep", "not a directory"),
    ],
)
def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, operate: Callable[[Path], object], folder: str, reason: str
) -> None:
    """One folder is made for a new tenant, but no path of folders."""
    (tmp_path / "note").write_text("a file")
    place = tmp_path / folder
    with pytest.raises(UsageError) as caught:
        operate(place / "x.sqlite")
    assert str(caught.value) == f"cannot keep a sandbox tenant in {place}: {reason}"
    assert caught.value.hint == "make the folder, or name another file"
    assert [*tmp_path.iterdir()] == [tmp_path / "note"]


@pytest.mark.parametrize("operate", [reset, _run])
def test_a_tenant_is_served_once(tmp_path: Path, operate: Callable[[Path], object]) -> None:
    """Who comes second is told, also by way of a link; afterwards the tenant is free."""
    file, link = tmp_path / "sandbox.sqlite", tmp_path / "link.sqlite"
    link.symlink_to(file)
    with running(file, folder=tmp_path):
        for name in (file, link):
            with pytest.raises(UsageError) as caught:
                operate(name)
            assert str(caught.value) == f"a server is using {name} already"
            assert caught.value.hint == "stop it, or name another file"
    operate(file)


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where the lock cannot be written there is no tenant."""
    lock = tmp_path / "sandbox.sqlite.lock"
    lock.mkdir()
    with pytest.raises(UsageError, match="is a directory") as caught:
        reset(tmp_path / "sandbox.sqlite")
    assert str(caught.value) == f"cannot write {lock}: is a directory"
    assert [*tmp_path.iterdir()] == [lock]


def test_a_tenant_of_another_version_wants_a_reset(tmp_path: Path) -> None:
    """A tenant of another format is refused until it is made new."""
    file = tmp_path / "sandbox.sqlite"
    reset(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError) as caught:
        _run(file)
    assert str(caught.value) == f"{file} is a sandbox tenant of another version"
    assert (
        caught.value.hint == f"name another file, or run `reconciler sandbox reset --file {file}`"
    )
    reset(file)
    with running(file, folder=tmp_path):
        pass


@pytest.mark.parametrize("which", ["port", "https_port", "login_port", "tunnel_port"])
def test_a_port_that_is_taken_is_named(certificates: Path, which: str) -> None:
    """A port in use is a usage error that names it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(UsageError, match=str(port)),
            running(folder=certificates, **{which: port}),
        ):
            pass


def test_certificates_go_with_the_server() -> None:
    """Without a folder the certificates live as long as the tenant."""
    with running() as endpoints:
        authority = Path(endpoints.environment["SSL_CERT_FILE"])
        assert authority.exists()
        assert stat.S_IMODE((authority.parent / "sandbox-tls-key.pem").stat().st_mode) == 0o600
    assert not authority.exists()


def test_a_fault_stands_in_place_of_the_tenant(start: Start, body: Made) -> None:
    """An intercepted request is answered by the fault, and nothing is written."""
    graph = start(intercept=lambda incoming: BUSY if _is_creation(incoming) else None)
    sent = body()
    reply = graph.post("/users", json=sent)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "2.5")
    assert graph.get(f"/users/{sent['userPrincipalName']}").status_code == 404


def test_a_fault_may_come_after_the_work(start: Start, body: Made) -> None:
    """With `After` the tenant has done what was asked when the fault is answered."""
    fault = After(Reply(503))
    graph = start(intercept=lambda incoming: fault if _is_creation(incoming) else None)
    sent = body()
    assert graph.post("/users", json=sent).status_code == 503
    assert graph.get(f"/users/{sent['userPrincipalName']}").status_code == 200


def test_a_fault_may_strike_inside_a_batch(start: Start, body: Made) -> None:
    """A part of a batch is intercepted as a request of its own."""
    graph = start(
        intercept=lambda incoming: BUSY if incoming.is_inner and _is_creation(incoming) else None
    )
    headers = {"Content-Type": "application/json"}
    requests = [
        {"id": "1", "method": "POST", "url": "/users", "headers": headers, "body": body()},
        {"id": "2", "method": "GET", "url": "/domains"},
    ]
    parts = graph.post("/$batch", json={"requests": requests}).json()["responses"]
    assert {part["id"]: part["status"] for part in parts} == {"1": 429, "2": 200}
    assert parts[1]["headers"]["Retry-After"] == "2.5"


def test_a_fault_may_cut_the_connection(start: Start, body: Made) -> None:
    """A reply that is cut never arrives whole, though the work is done."""
    fault = After(Reply(201, is_cut=True))
    graph = start(intercept=lambda incoming: fault if _is_creation(incoming) else None)
    sent = body()
    with pytest.raises(httpx.RemoteProtocolError):
        graph.post("/users", json=sent)
    assert graph.get(f"/users/{sent['userPrincipalName']}").status_code == 200


def test_every_exchange_is_recorded(start: Start, body: Made) -> None:
    """Requests, parts of batches and the batches around them are told in order of reply."""
    seen: list[Exchange] = []
    graph = start(record=seen.append)
    graph.get("/domains?$select=id")
    headers = {"Content-Type": "application/json"}
    part = {"id": "1", "method": "POST", "url": "/users", "headers": headers, "body": body()}
    graph.post("/$batch", json={"requests": [part]})
    assert [(e.method, e.path, e.status, e.is_inner, e.is_batch) for e in seen] == [
        ("GET", "/v1.0/domains?$select=id", 200, False, False),
        ("POST", "/v1.0/users", 201, True, False),
        ("POST", "/v1.0/$batch", 200, False, True),
    ]
    assert seen[1].body == part["body"]
    assert seen[1].reply["displayName"] == seen[1].body["displayName"]
    assert "authorization" not in {name for exchange in seen for name in exchange.headers}


def test_a_client_that_stays_does_not_hold_the_server(certificates: Path) -> None:
    """Open connections are broken when the tenant stops, TLS ones too, without delay."""
    with ExitStack() as stack:
        with running(folder=certificates) as endpoints:
            known = endpoints.environment
            trusted = ssl.create_default_context(cafile=known["SSL_CERT_FILE"])
            client = stack.enter_context(httpx.Client(verify=trusted))
            client.get(f"{known['RECONCILER_GRAPH_URL']}/v1.0/users")
            client.get(f"{known['AZURE_AUTHORITY_HOST']}/x/v2.0/.well-known/openid-configuration")
            started = time.monotonic()
        assert time.monotonic() - started < 1


def test_broken_certificates_are_named(tmp_path: Path) -> None:
    """A certificate that is none is a usage error, not a server that never starts."""
    for name in ("sandbox-ca.pem", "sandbox-tls.pem", "sandbox-tls-key.pem"):
        (tmp_path / name).write_text("broken")
        (tmp_path / name).chmod(0o600)
    with pytest.raises(UsageError, match="certificates"), running(folder=tmp_path):
        pass


def test_nothing_is_printed(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    """A tenant inside another program is silent."""
    graph = start()
    graph.get("/users/nobody@contoso.com")
    assert capfd.readouterr() == ("", "")


def test_links_follow_host_and_scheme(tenant: Endpoints, graph: httpx.Client) -> None:
    """Graph answers over http and https at once, and its links lead back the same way."""
    trusted = ssl.create_default_context(cafile=tenant.environment["SSL_CERT_FILE"])
    token = {"Authorization": graph.headers["Authorization"]}
    with httpx.Client(verify=trusted, headers=token) as client:
        for root in (tenant.graph, tenant.environment["RECONCILER_GRAPH_URL"]):
            shown = client.get(f"{root}/v1.0/users?$top=2&$select=id").json()
            assert shown["@odata.context"] == f"{root}/v1.0/$metadata#users(id)"
            assert shown["@odata.nextLink"].startswith(f"{root}/v1.0/users?")
            assert client.get(shown["@odata.nextLink"]).status_code == 200


@pytest.mark.parametrize("names", [["localhost"], ["localhost", "graph.microsoft.com"]])
def test_certificates_that_lack_a_name_are_made_anew(tmp_path: Path, names: list[str]) -> None:
    """A folder of an older sandbox gets certificates for all names; one of ours keeps its own."""
    made = trustme.CA().issue_cert(*names)
    (tmp_path / "sandbox-ca.pem").write_text("of another day")
    made.cert_chain_pems[0].write_to_path(tmp_path / "sandbox-tls.pem")
    made.private_key_pem.write_to_path(tmp_path / "sandbox-tls-key.pem")
    (tmp_path / "sandbox-tls-key.pem").chmod(0o600)
    seen = []
    for _ in range(2):
        files = certificates.ensure(tmp_path)
        seen.append(files.chain.read_bytes())
    assert files.authority.read_text().startswith("-----BEGIN CERTIFICATE")
    assert (seen[0] == seen[1], made.cert_chain_pems[0].bytes() in seen) == (True, False)


def test_a_certificate_for_no_name_is_left_alone(tmp_path: Path) -> None:
    """What was put there by somebody else is not ours to replace."""
    authority = trustme.CA()
    for name in ("sandbox-ca.pem", "sandbox-tls.pem", "sandbox-tls-key.pem"):
        authority.cert_pem.write_to_path(tmp_path / name)
        (tmp_path / name).chmod(0o600)
    certificates.ensure(tmp_path)
    assert (tmp_path / "sandbox-tls.pem").read_bytes() == authority.cert_pem.bytes()


BIG = b"[" + b"0," * 3_000_000 + b"0]"


@pytest.mark.parametrize(
    ("content", "headers", "row"),
    [
        (b"{", {}, errors.BAD_JSON),
        (b"\xff\xfe", {}, errors.BAD_JSON),
        (b'{"a": "\\ud800"}', {}, errors.BAD_JSON),
        (b"[" * 100_000, {}, errors.BAD_JSON),
        (b"displayName=Ada", {"content-type": "text/plain"}, errors.BAD_JSON),
        (b"1", {}, errors.BAD_JSON),
        (b'"text"', {}, errors.BAD_JSON),
        (b"[]", {}, errors.BAD_JSON),
        (b"", {}, errors.BAD_JSON),
        (b"no gzip", {"content-encoding": "gzip"}, errors.BAD_JSON),
        (gzip.compress(b"{", mtime=0), {"content-encoding": "gzip"}, errors.BAD_JSON),
        (BIG, {}, errors.BODY_TOO_LARGE),
        (gzip.compress(BIG, mtime=0), {"content-encoding": "gzip"}, errors.BODY_TOO_LARGE),
        (b"{}", {"content-encoding": "br"}, errors.BODY_ENCODING),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    graph: httpx.Client, content: bytes, headers: dict[str, str], row: errors.Refusal
) -> None:
    """Whatever is sent as a body, the answer is Graph's."""
    reply = graph.post("/users", content=content, headers=headers)
    shown = reply.json()["error"]
    text = row.message.format(encoding="br")
    assert (reply.status_code, shown["code"], shown["message"]) == (row.status, row.code, text)
    assert reply.headers["request-id"] == shown["innerError"]["request-id"]


def test_a_compressed_body_is_read(graph: httpx.Client, body: Made) -> None:
    """Clients that compress what they send are understood."""
    content = gzip.compress(orjson.dumps(body()))
    reply = graph.post("/users", content=content, headers={"Content-Encoding": "gzip"})
    assert reply.status_code == 201


def test_an_endless_body_is_not_read(graph: httpx.Client) -> None:
    """A body without a length is refused as soon as it is too long."""
    sent = []

    def chunks() -> Iterator[bytes]:
        for number in range(400):
            sent.append(number)
            yield b" " * 65536

    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert graph.post("/users", content=chunks()).status_code == 413
    assert graph.get("/domains").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        b"/v1.0/users/%ff%fe",
        b"/v1.0/users/\xff",
        b"/%00",
        b"/v1.0/users?$filter=%ff",
        b"/v1.0/\xc3",
    ],
)
def test_odd_addresses_are_refused(graph: httpx.Client, target: bytes) -> None:
    """Bytes in an address that are no text are answered like any other that leads nowhere."""
    token = graph.headers["Authorization"].encode()
    with socket.create_connection((graph.base_url.host, graph.base_url.port or 0)) as connection:
        connection.sendall(
            b"GET "
            + target
            + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
            + token
            + b"\r\n\r\n"
        )
        whole = b"".join(iter(lambda: connection.recv(4096), b""))
    assert whole.split()[1] in {b"400", b"404"}


def test_who_leaves_in_the_middle_is_let_go(
    graph: httpx.Client, login: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """A client that hangs up inside its body troubles nobody."""
    head = b"POST /v1.0/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((graph.base_url.host, graph.base_url.port or 0)) as connection:
        connection.sendall(head)
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", login.base_url.port or 0)) as connection:
        secured = plain.wrap_socket(connection)
        secured.sendall(head.replace(b"/v1.0/users", b"/common/oauth2/token"))
        secured.close()
    assert graph.get("/domains").status_code == 200
    assert login.get("/common/v2.0/.well-known/openid-configuration").status_code == 200
    assert capfd.readouterr() == ("", "")


def test_who_stays_too_long_is_let_go(tmp_path: Path) -> None:
    """A client that is silent, and deaf to being told to go, is let go when the server ends."""
    files = certificates.ensure(tmp_path)
    tls = {"ssl_certfile": files.chain, "ssl_keyfile": files.key}
    trusted = ssl.create_default_context(cafile=files.authority)
    with bound(0) as listening:
        served = config(Response(), timeout_keep_alive=0, **tls)
        with serving(Running(((served, listening),))):
            secured = trusted.wrap_socket(
                socket.create_connection(listening.getsockname()), server_hostname="localhost"
            )
            secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b"".join(iter(lambda: secured.recv(4096), b""))
            assert said.startswith(b"HTTP/1.1 200 OK")
    with socket.socket(fileno=secured.detach()) as connection:
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_several_clients_are_served_at_once(graph: httpx.Client, body: Made) -> None:
    """Whoever writes at the same time, each write happens once and is seen by all."""
    bodies = [body() for _ in range(40)]

    def create(sent: dict[str, Any]) -> int:
        url, token = f"{graph.base_url}users", {"Authorization": graph.headers["Authorization"]}
        made = httpx.post(url, json=sent, headers=token)
        return made.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, [*bodies, *bodies]))
    assert (statuses.count(201), statuses.count(400)) == (40, 40)


def test_only_this_machine_is_served(start: Start) -> None:
    """Both servers listen on loopback alone."""
    assert start().base_url.host == "127.0.0.1"


def test_groups_are_the_same_in_every_tenant(start: Start) -> None:
    """Ids of seeded objects do not change from tenant to tenant."""
    shown = start().get("/groups?$select=id").json()["value"]
    assert [group["id"] for group in shown] == [group.id for group in GROUPS]
    assert os.environ.get("AZURE_CLIENT_SECRET") is None
