from __future__ import annotations

import shlex
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reconciler.commands.pointing import exports
from reconciler.commands.sandbox import group
from reconciler.errors import UsageError
from reconciler.sandbox.company.contoso import APPLY_APP, PLAN_APP
from reconciler.sandbox.server import Endpoints, reset, running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SERVE = "import sys; from reconciler.commands.sandbox import group; group(sys.argv[1:])"
NAMES = [
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "RECONCILER_GRAPH_URL",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NO_PROXY",
    "no_proxy",
]
LAST = "# serving until Ctrl-C\n"


@contextmanager
def _serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `serve` as a program of its own, up to the last line that it prints."""
    command = [sys.executable, "-c", SERVE, "serve", *arguments]
    with subprocess.Popen(  # noqa: S603 -- this interpreter, on a fixed text
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [*takewhile(lambda line: line != LAST, process.stdout)]
        try:
            yield process, lines
        finally:
            process.terminate()


def _exported(lines: Iterable[str]) -> list[str]:
    return [shlex.split(line)[1] for line in lines if line.startswith("export ")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "TERM"])
def test_serve_prints_its_lines_and_stops_when_told(tmp_path: Path, number: int) -> None:
    """The lines can be pasted into a shell; an interruption is a good end."""
    with _serving("--file", str(tmp_path / "sandbox.sqlite")) as (process, lines):
        process.send_signal(number)
        output, complaints = process.communicate(timeout=20)
    exported = _exported(lines)
    assert (process.returncode, output, complaints) == (0, "", "")
    assert [text.partition("=")[0] for text in exported] == NAMES
    assert f"AZURE_CLIENT_ID={APPLY_APP.client_id}" in exported
    assert "NO_PROXY=127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}" in exported
    assert f"# export AZURE_CLIENT_ID='{PLAN_APP.client_id}'\n" in lines
    certificate = tmp_path / "apply-app.pem"
    alternative = f"# export AZURE_CLIENT_CERTIFICATE_PATH='{certificate}'"
    assert f"{alternative}; unset AZURE_CLIENT_SECRET\n" in lines
    assert lines[-1].startswith("# paste these lines in another terminal")
    assert (tmp_path / "sandbox-ca.pem").exists()


def test_serve_writes_its_lines_to_a_file(tmp_path: Path) -> None:
    """With `--env-file` the lines are a file of their owner's, which a shell takes in."""
    file, path = tmp_path / "sandbox.sqlite", tmp_path / "the tenant.env"
    path.write_text("of another day")
    with _serving("--file", str(file), "--env-file", str(path)) as (_, lines):
        assert lines == ["# in another terminal:\n", f". '{path}'\n"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = "unset NO_PROXY; no_proxy=intra.example\n"
        echo = 'echo "$AZURE_CLIENT_ID $NO_PROXY $no_proxy"'
        shell = ["/bin/sh", "-c", f"{before}{lines[1]}{echo}"]
        told = subprocess.run(shell, capture_output=True, text=True, check=True)  # noqa: S603 -- the line that was printed
    loopback = "127.0.0.1,localhost"
    assert told.stdout == f"{APPLY_APP.client_id} {loopback} {loopback},intra.example\n"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_lines_that_cannot_be_written_stop_the_server(tmp_path: Path) -> None:
    """An env file in a folder that is not there is named before anything is served."""
    path = tmp_path / "nowhere" / "tenant.env"
    arguments = ["serve", "--file", str(tmp_path / "sandbox.sqlite"), "--env-file", str(path)]
    result = CliRunner().invoke(group, arguments)
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == f"cannot write '{path}': no such file or directory"
    assert result.output == ""


def test_a_tenant_that_is_served_is_left_alone(tmp_path: Path) -> None:
    """Neither a reset nor a second server may have the tenant of a running one."""
    file = tmp_path / "sandbox.sqlite"
    with _serving("--file", str(file)) as (process, _):
        for operate in (reset, _run):
            with pytest.raises(UsageError) as caught:
                operate(file)
            assert str(caught.value) == f"a server is using {file} already"
            assert caught.value.hint == "stop it, or name another file"
        assert process.poll() is None


def test_a_server_that_crashes_leaves_no_lock(tmp_path: Path) -> None:
    """After SIGKILL the tenant can be run and reset at once."""
    file = tmp_path / "sandbox.sqlite"
    with _serving("--file", str(file)) as (process, _):
        process.kill()
        assert process.wait(timeout=20) == -signal.SIGKILL
        _run(file)
        reset(file)


def _run(file: Path) -> None:
    with running(file):
        pass


def test_values_are_quoted_for_a_shell() -> None:
    """A value with blanks or quotes is still one word, also in what is offered as a comment."""
    known = {"SSL_CERT_FILE": "/it's here/ca.pem", "AZURE_AUTHORITY_HOST": "https://localhost:1"}
    shown = exports(Endpoints(known, {"AZURE_CLIENT_ID": "x", "B": "y"})).splitlines()
    assert shown[:7] == [
        "# the reconciler and the Azure SDKs: the application that may write",
        "export SSL_CERT_FILE='/it'\"'\"'s here/ca.pem'",
        "export AZURE_AUTHORITY_HOST='https://localhost:1'",
        "export NO_PROXY='127.0.0.1,localhost'\"${NO_PROXY:+,$NO_PROXY}\"",
        "export no_proxy='127.0.0.1,localhost'\"${no_proxy:+,$no_proxy}\"",
        "# the application that may only read: take these instead",
        "# export AZURE_CLIENT_ID='x'",
    ]
    assert "# export AZURE_CONFIG_DIR='/it'\"'\"'s here/azure-cli'" in shown
    assert not any("PROXY='http" in line for line in shown)


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\u2028", "\udcff"])
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "AZURE_CLIENT_SECRET"])
def test_a_value_that_would_leave_its_line_is_refused(name: str, sign: str) -> None:
    """Neither a secret nor a folder's name gets a command into the lines, comments included."""
    known = {"SSL_CERT_FILE": "/ca.pem", "AZURE_AUTHORITY_HOST": "https://localhost:1"}
    bad = {name: f"/x{sign}touch pwned{sign}/ca.pem"}
    for endpoints in (Endpoints(known | bad, {}), Endpoints(known, {}, administration=bad)):
        if name == "SSL_CERT_FILE" and endpoints.administration:
            continue
        with pytest.raises(UsageError) as caught:
            exports(endpoints)
        assert str(caught.value) == f"{name} would hold a control character"
        assert "pwned" not in f"{caught.value} {caught.value.hint}"


def test_a_comment_stays_one_to_its_last_line() -> None:
    """What is offered as a comment has the sign of one at each of its lines."""
    known = {"SSL_CERT_FILE": "/ca.pem", "AZURE_AUTHORITY_HOST": "https://localhost:1"}
    shown = exports(Endpoints(known, {}, graph="https://x\ntouch pwned\n")).splitlines()
    assert "touch pwned" not in {line.strip() for line in shown}
    assert all(line.startswith(("# ", "export ")) for line in shown)


def _commented(path: Path, *starts: str) -> str:
    """Give the commands of an env file that are offered as comments and start like this."""
    lines = path.read_text().splitlines()
    return "\n".join(line[2:] for line in lines if line.startswith(tuple(f"# {s}" for s in starts)))


def _shell(*lines: str) -> str:
    text = "\n".join(("set -eu", *lines))
    done = subprocess.run(  # noqa: S603 -- the lines that were printed
        ["/bin/sh", "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_the_lines_for_curl_show_people(tmp_path: Path) -> None:
    """What is offered for curl gets a token and opens the users with it."""
    path = tmp_path / "tenant.env"
    with _serving("--file", str(tmp_path / "x.sqlite"), "--env-file", str(path)):
        shown = _shell(f". {shlex.quote(str(path))}", _commented(path, "TOKEN=", "curl "))
    assert "priya@contoso.com" in shown


def test_the_lines_for_the_tunnel_lead_to_the_sandbox(tmp_path: Path) -> None:
    """What is offered for everything else makes Microsoft's own addresses lead here."""
    path = tmp_path / "tenant.env"
    ask = 'curl --silent --cacert "$SSL_CERT_FILE" https://graph.microsoft.com/v1.0/users'
    with _serving("--file", str(tmp_path / "x.sqlite"), "--env-file", str(path)):
        offered = _commented(path, "export HTTPS_PROXY", "export https_proxy")
        shown = _shell(f". {shlex.quote(str(path))}", offered, ask)
    assert "InvalidAuthenticationToken" in shown


def test_the_lines_for_the_azure_cli_name_the_servers(tmp_path: Path) -> None:
    """The Azure CLI gets a cloud of its own, in a folder beside the tenant."""
    path = tmp_path / "tenant.env"
    with _serving("--file", str(tmp_path / "x.sqlite"), "--env-file", str(path)):
        offered = _commented(path, "export AZURE_CONFIG_DIR", "az cloud register")
    (login,) = {
        line.partition("=")[2]
        for line in _exported(path.read_text().splitlines())
        if line.startswith("AZURE_AUTHORITY_HOST=")
    }
    words = shlex.split(offered)
    assert f"AZURE_CONFIG_DIR={tmp_path}/azure-cli" in words
    assert words[words.index("--endpoint-active-directory") + 1] == login


def test_reset_makes_a_tenant(tmp_path: Path) -> None:
    """`reset` makes a tenant that is as new, also where there was none."""
    file = tmp_path / "sandbox.sqlite"
    result = CliRunner().invoke(group, ["reset", "--file", str(file)])
    assert (result.exit_code, result.output) == (0, f"{file} is as new\n")
    assert file.exists()


def test_a_port_beyond_the_last_is_refused(tmp_path: Path) -> None:
    """Ports are checked before anything starts."""
    result = CliRunner().invoke(group, ["serve", "--file", str(tmp_path / "x"), "--port", "65536"])
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()
