"""`reconciler sandbox`: the local tenant as a server."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import atomic
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.server import Endpoints

DEFAULT_FILE = Path(".reconciler/sandbox.sqlite")

_LOOPBACK = "127.0.0.1,localhost"
"""What no proxy may see: the requests carry tokens."""
_PASTE = "# paste these lines in another terminal, or start with --env-file FILE and say `. FILE`"
_STOP = "# serving until Ctrl-C"

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
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the lines to this file instead, for `. FILE` in another terminal.",
)
def serve(file: Path, port: int, login_port: int, env_file: Path | None) -> None:
    """Serve the tenant until interrupted, and print the lines that point a shell at it.

    The lines are for another terminal: this one serves, so `eval "$(…)"` would wait forever.
    """
    from reconciler.sandbox.server import running

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with running(
        file, port=port, login_port=login_port, folder=file.absolute().parent
    ) as endpoints:
        click.echo(_offered(exports(endpoints), env_file))
        # Whoever reads our output through a pipe waits for it.
        sys.stdout.flush()
        stopped.wait()


def _offered(lines: str, env_file: Path | None) -> str:
    """Give what the terminal shows: the lines, or the word that takes them from *env_file*."""
    if env_file is None:
        return f"{lines}\n{_PASTE}\n{_STOP}"
    _write(env_file, lines)
    return f"# in another terminal:\n. {shlex.quote(str(env_file.absolute()))}\n{_STOP}"


def _write(path: Path, lines: str) -> None:
    """Put *lines*, which hold a secret, at *path*: whole, and for this user alone."""
    try:
        atomic.replace(path, f"{lines}\n".encode())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"cannot write '{path}': {reason}", "name another file: --env-file FILE"
        ) from error


def exports(endpoints: Endpoints) -> str:
    """Give what a shell evaluates: the writer's lines, then the reader's as comments."""
    return "\n".join(
        (
            "# the application that may write",
            *_lines(endpoints.environment),
            *_lines(dict.fromkeys(("NO_PROXY", "no_proxy"), _LOOPBACK)),
            *_certificate(endpoints.certificate),
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


def _certificate(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    (line,) = _lines({"AZURE_CLIENT_CERTIFICATE_PATH": str(path)})
    return ("# or, instead of its secret, its certificate", f"# {line}; unset AZURE_CLIENT_SECRET")


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
    from reconciler.sandbox.server import reset as make_new

    make_new(file)
    click.echo(f"{file} is as new")
