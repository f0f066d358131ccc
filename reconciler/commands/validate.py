"""`validate`: check cohort files without a tenant."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.text import counted


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
def command(paths: tuple[Path, ...]) -> None:
    """Check cohort files and the tenant file, offline.

    PATH is a cohort file or a folder of them; without one it is cohorts/.
    """
    from reconciler.config import load
    from reconciler.credentials import check_recipients

    desired = load(paths or (Path("cohorts"),), check_recipients)
    cohorts = counted(len(desired.cohorts), "cohort")
    people = counted(len(desired.users), "person", "people")
    click.echo(f"{cohorts}, {people}: valid")
