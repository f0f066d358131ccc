"""What `plan` and `apply` share: their options, their files, and the tenant they talk to."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.commands.revisions import changed_since
from reconciler.config import load
from reconciler.credentials import check_recipients
from reconciler.errors import UsageError
from reconciler.graph.clouds import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.graph.transport import Graph
    from reconciler.model import Desired, Observed
    from reconciler.plan import Plan

COHORTS = Path("cohorts")
SANDBOX = Path(".reconciler/sandbox.sqlite")
_OF_IDENTITY = "AZURE_"

F = TypeVar("F", bound="Callable[..., Any]")


def options(command: F) -> F:
    """Give *command* the arguments and options that `plan` and `apply` share."""
    for decorate in reversed(
        (
            click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]..."),
            click.option(
                "--cloud",
                type=click.Choice(list(CLOUDS)),
                default="global",
                show_default=True,
                envvar="RECONCILER_CLOUD",
                help="The cloud that the tenant lives in.",
            ),
            click.option(
                "--sandbox",
                type=click.Path(path_type=Path),
                is_flag=False,
                flag_value=SANDBOX,
                metavar="[FILE]",
                help=f"Use the local tenant, kept in FILE ({SANDBOX}), instead of a real one.",
            ),
            click.option(
                "--allow-removals",
                type=click.IntRange(min=0),
                default=0,
                metavar="N",
                help="Lift the limit on removals for a plan with at most N of them.",
            ),
        )
    ):
        command = decorate(command)
    return command


since = click.option(
    "--since",
    metavar="REVISION",
    help="Only the cohort files that came or changed since this revision of git.",
)
"""For the commands that look at a part of the files."""


def sorted_out(
    paths: tuple[Path, ...], sandbox: Path | None
) -> tuple[tuple[Path, ...], Path | None]:
    """Tell cohort files from the sandbox's file in `--sandbox cohorts/`.

    An option whose value may be left out takes the word after it; a folder or a YAML file
    can only have been meant as a PATH.
    """
    if sandbox and (sandbox.is_dir() or sandbox.suffix in {".yaml", ".yml"}):
        paths, sandbox = (sandbox, *paths), SANDBOX
    return paths or (COHORTS,), sandbox


def desired_from(paths: Sequence[Path], revision: str | None = None) -> Desired:
    """Load the files, with recipients really parsed as the keys that they claim to be.

    With *revision* only those that came or changed since it, where that is enough.
    """
    if revision is not None:
        paths = changed_since(revision, paths)
    return load(paths, check_recipients)


@contextmanager
def environment(sandbox: Path | None) -> Iterator[Mapping[str, str]]:
    """Give the variables that say which tenant this is; with *sandbox*, of one run here."""
    with ExitStack() as stack:
        if sandbox is None:
            yield os.environ
            return
        from reconciler.sandbox.server import running

        try:
            endpoints = stack.enter_context(running(sandbox, tunnel_port=None))
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(
                f"cannot keep a sandbox tenant in '{sandbox}': {reason}",
                "name another file: --sandbox=FILE",
            ) from error
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OF_IDENTITY)}
        stack.enter_context(_no_proxy_on_loopback())
        yield {**kept, **endpoints.environment}


@contextmanager
def _no_proxy_on_loopback() -> Iterator[None]:
    """Keep requests to this machine on this machine, whatever proxy is set.

    httpx and requests read these variables themselves.
    """
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    for name, value in before.items():
        os.environ[name] = ",".join(filter(None, (value, "127.0.0.1", "localhost")))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def planned(graph: Graph, desired: Desired, allowed_removals: int) -> Plan:
    """Observe the tenant and plan; raises PermissionMissing before anything is misread."""
    return (await compared(graph, desired, allowed_removals))[1]


async def compared(graph: Graph, desired: Desired, allowed_removals: int) -> tuple[Observed, Plan]:
    """Give what the tenant holds with the plan that is made upon it, as `planned` does.

    No change hinges on what an index says: whom only that has told of, and the plan would
    change, is read directly first.
    """
    from reconciler.graph.observe import observe, read_directly
    from reconciler.graph.permissions import check_reads
    from reconciler.plan import build, doubtful

    check_reads(graph.token(), desired)
    observed = await observe(graph, desired)
    plan = build(desired, observed, allowed_removals=allowed_removals)
    while doubts := doubtful(plan, observed):
        observed = await read_directly(graph, desired, observed, doubts)
        plan = build(desired, observed, allowed_removals=allowed_removals)
    return observed, plan
