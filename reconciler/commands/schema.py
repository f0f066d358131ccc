"""`schema`: print a JSON Schema, for editors and for readers of the JSON outputs."""

from __future__ import annotations

import click

NAMES = ("cohort", "tenant", "plan", "receipt", "audit", "drift", "faults", "sandbox")


@click.command("schema")
@click.argument(
    "name",
    type=click.Choice(
        ["cohort", "tenant", "plan", "receipt", "audit", "drift", "faults", "sandbox"]
    ),
)
def command(name: str) -> None:
    """Print the JSON Schema of one kind of file."""
    from reconciler.config.schema import schema_text

    click.echo(schema_text(name), nl=False)
