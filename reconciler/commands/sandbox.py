"""`reconciler sandbox`: the local tenant as a server."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import threading
from pathlib import Path

import click

from reconciler import atomic
from reconciler.commands.pointing import exports
from reconciler.errors import UsageError

DEFAULT_FILE = Path(".reconciler/sandbox.sqlite")

_PASTE = "# paste these lines in another terminal, or start with --env-file FILE and say `. FILE`"
_NARROWEST = 72
"""Cells that a summary takes on any terminal."""
_STOP = "# serving until Ctrl-C"

_file = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="Where the tenant is kept.",
)
_seed = click.option(
    "--seed",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The company of a new tenant, in YAML; Contoso where it is left out.",
)
_port = click.IntRange(0, 65535)


@click.group("sandbox")
def group() -> None:
    """Run a tenant of Microsoft Entra ID on this machine."""


@group.command()
@_file
@_seed
@click.option("--port", type=_port, default=0, help="Graph's port; 0 for any that is free.")
@click.option("--https-port", type=_port, default=0, help="Graph's port over TLS, likewise.")
@click.option("--login-port", type=_port, default=0, help="The login service's port, likewise.")
@click.option(
    "--tunnel-port",
    type=_port,
    default=0,
    help="The port of a proxy that leads Microsoft's hosts here, likewise.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the lines to this file instead, for `. FILE` in another terminal.",
)
@click.option(
    "--faults",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What goes wrong on purpose: a YAML file, see `reconciler schema faults`.",
)
def serve(
    file: Path,
    seed: Path | None,
    port: int,
    https_port: int,
    login_port: int,
    tunnel_port: int,
    env_file: Path | None,
    faults: Path | None,
) -> None:
    """Serve the tenant until interrupted, and print the lines that point a shell at it.

    The lines are for another terminal: this one serves, so `eval "$(…)"` would wait forever.
    """
    from reconciler.sandbox.server import running
    from reconciler.sandbox.trouble import files
    from reconciler.sandbox.trouble.settings import NO_TROUBLE

    trouble = files.load(faults) if faults else NO_TROUBLE
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with running(
        file,
        port=port,
        https_port=https_port,
        login_port=login_port,
        tunnel_port=tunnel_port,
        folder=file.absolute().parent,
        seed=seed,
        trouble=trouble,
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


@group.command()
@_file
@_seed
def reset(file: Path, seed: Path | None) -> None:
    """Make the tenant as new; its applications get new secrets."""
    from reconciler.sandbox.server import reset as make_new

    make_new(file, seed)
    click.echo(f"{file} is as new")


@group.command()
@_file
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For a person, or for a program.",
)
def show(file: Path, form: str) -> None:
    """Sum the tenant up, also while it is served: who is there, and who holds what."""
    from reconciler.sandbox.company import showing
    from reconciler.sandbox.data import keeping

    found = keeping.shown(file)
    if form == "json":
        click.echo(showing.json(found))
    else:
        click.echo(showing.text(found, max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST)))
