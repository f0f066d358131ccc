"""`reconciler sandbox`: the local tenant as a server."""

from __future__ import annotations

import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.server import Endpoints

DEFAULT_FILE = Path(".reconciler/sandbox.sqlite")

_file = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="Where the tenant is kept.",
)
_port = click.IntRange(0, 65535)


@click.group("sandbox")
def group() -> None:
    """Run a tenant of Microsoft Entra ID on this machine, to try things without one."""


@group.command()
@_file
@click.option("--port", type=_port, default=0, help="Graph's port; 0 for any that is free.")
@click.option("--login-port", type=_port, default=0, help="The login service's port, likewise.")
def serve(file: Path, port: int, login_port: int) -> None:
    """Serve the tenant until interrupted, and print the lines that point a shell at it."""
    from reconciler.sandbox.server import running  # noqa: PLC0415 -- slow to load

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with running(
        file, port=port, login_port=login_port, folder=file.absolute().parent
    ) as endpoints:
        click.echo(exports(endpoints))
        stopped.wait()


def exports(endpoints: Endpoints) -> str:
    """Give what a shell evaluates: the writer's lines, then the reader's as comments."""
    return "\n".join(
        (
            "# the application that may write",
            *_lines(endpoints.environment),
            "# the application that may only read: take these instead",
            *(
                f"# {line}"
                for line in _lines(
                    {
                        name: value
                        for name, value in endpoints.read_only_environment.items()
                        if name.startswith("AZURE_CLIENT_")
                    }
                )
            ),
        )
    )


def _lines(environment: Mapping[str, str]) -> list[str]:
    return [f"export {name}={_quoted(value)}" for name, value in environment.items()]


def _quoted(value: str) -> str:
    """Give *value* in single quotes always, so that the lines look alike."""
    quoted = shlex.quote(value)
    return quoted if quoted != value else f"'{value}'"


@group.command()
@_file
def reset(file: Path) -> None:
    """Make the tenant as new; its applications get new secrets."""
    from reconciler.sandbox.server import reset as make_new  # noqa: PLC0415 -- slow to load

    make_new(file)
    click.echo(f"{file} is as new")
