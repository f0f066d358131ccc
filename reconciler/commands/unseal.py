"""`reconciler unseal`: open a credentials file."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.credentials import forbid_core_dumps, unseal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="unseal")
@click.argument("file", type=_FILE)
@click.option(
    "-i",
    "--identity",
    "identities",
    type=_FILE,
    multiple=True,
    required=True,
    metavar="IDENTITY",
    help="File with an age identity or an OpenSSH private key; may be given several times.",
)
def command(file: Path, identities: tuple[Path, ...]) -> None:
    """Open a credentials FILE and write its CSV to standard output.

    `age -d -i IDENTITY FILE` does the same, and asks for the passphrase of a protected key.
    """
    forbid_core_dumps()
    plaintext = unseal(file.read_bytes(), [identity.read_bytes() for identity in identities])
    click.echo(plaintext, nl=False)
