from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reconciler.commands.sandbox import exports, group
from reconciler.sandbox.company import APPLY_APP, PLAN_APP
from reconciler.sandbox.server import Endpoints

if TYPE_CHECKING:
    from pathlib import Path

SERVE = "from reconciler.commands.sandbox import group; group(['serve', '--file', {file!r}])"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "TERM"])
def test_serve_prints_its_lines_and_stops_when_told(tmp_path: Path, number: int) -> None:
    """The lines can be evaluated by a shell; an interruption is a good end."""
    file = tmp_path / "sandbox.sqlite"
    command = [sys.executable, "-c", SERVE.format(file=str(file))]
    with subprocess.Popen(  # noqa: S603 -- this interpreter, on a fixed text
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(11)]
        os.kill(process.pid, number)
        output, complaints = process.communicate(timeout=20)
    exported = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
    names = [text.partition("=")[0] for text in exported]
    assert (process.returncode, output, complaints) == (0, "", "")
    assert names == [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_AUTHORITY_HOST",
        "RECONCILER_GRAPH_URL",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
    ]
    assert f"AZURE_CLIENT_ID={APPLY_APP.client_id}" in exported
    assert f"# export AZURE_CLIENT_ID='{PLAN_APP.client_id}'\n" in lines
    assert (tmp_path / "sandbox-ca.pem").exists()


def test_values_are_quoted_for_a_shell() -> None:
    """A value with blanks or quotes is still one word."""
    endpoints = Endpoints({"A": "plain", "B": "it's two"}, {"AZURE_CLIENT_ID": "x", "B": "y"})
    assert exports(endpoints).splitlines() == [
        "# the application that may write",
        "export A='plain'",
        "export B='it'\"'\"'s two'",
        "# the application that may only read: take these instead",
        "# export AZURE_CLIENT_ID='x'",
    ]


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
