"""The command line: parse, hand over, print what went wrong, exit.

Commands are imported when they are called, so that `validate` never waits for Graph's
client. This is the only place that prints errors and chooses exit codes.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import signal
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import click

from reconciler import __version__
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.errors import DiagnosedError, ExitCode, ReconcilerError
from reconciler.text import counted, did_you_mean, visible, without_secrets

COMMANDS = {
    "validate": "reconciler.commands.validate:command",
    "plan": "reconciler.commands.plan:command",
    "apply": "reconciler.commands.apply:command",
    "drift": "reconciler.commands.drift:command",
    "doctor": "reconciler.commands.doctor:command",
    "unseal": "reconciler.commands.unseal:command",
    "schema": "reconciler.commands.schema:command",
    "github": "reconciler.commands.github:group",
    "sandbox": "reconciler.commands.sandbox:group",
}


class Commands(click.Group):
    """Finds commands by name, and imports only the one that is meant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Give the names in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Import the command called *cmd_name*."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))


HELP = """Bring people into Microsoft Entra ID from cohort files in git.

\b
Exit codes:
  0    done, or nothing to do
  1    failed, or partly failed
  2    changes pending (only with plan --detailed-exitcode)
  3    refused by a guard, or more than was approved
  4    drift (only of the command drift)
  64   usage
  65   invalid input
  69   Graph unreachable
  77   permission missing
  130  interrupted
"""


@click.group(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reconciler")
def root() -> None:
    """Hold the commands together."""


def main() -> NoReturn:
    """Run the command line of this process, and exit as the table of codes says."""
    # Nearly everything that a command makes lives until its end. Looking through it for cycles
    # as often as Python does by itself takes a fifth of the time of a large plan.
    gc.set_threshold(200_000, 50, 100)
    # A cancelled job sends SIGTERM: it ends a command as Ctrl-C does, wherever it is.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], command: click.Command = root) -> int:
    """Run *command* with *arguments*; gives back its exit code and never raises."""
    # What libraries log is theirs: Python would print their warnings beside our own words.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        code = command.main(arguments, prog_name="reconciler", standalone_mode=False)
    except click.exceptions.Abort as error:
        return _interrupted(error)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help(), err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        _tell((_of_usage(error),), 1)
        return ExitCode.USAGE
    except DiagnosedError as error:
        _tell(error.diagnostics, error.total, told=error.told)
        return error.exit_code
    except ReconcilerError as error:
        _tell((Diagnostic(str(error), error.hint),), 1)
        return error.exit_code
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        _tell((_of_system(error),), 1)
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 -- whatever it is, a person gets one line and a place
        return _unexpected(error)
    return code if isinstance(code, int) else ExitCode.DONE


def _interrupted(error: click.exceptions.Abort) -> int:
    """Say that nothing was changed only where a question was not answered with yes."""
    was_killed = isinstance(error.__cause__, KeyboardInterrupt)  # as click tells of Ctrl-C
    told = "error: interrupted" if was_killed else "Interrupted: nothing was changed."
    click.echo(told, err=True)
    return ExitCode.INTERRUPTED


def _tell(diagnostics: tuple[Diagnostic, ...], total: int, *, told: bool = False) -> None:
    shown = tuple(map(_harmless, diagnostics))
    for diagnostic in () if told else shown:
        place = f"{diagnostic.position}: " if diagnostic.position else ""
        color = "red" if diagnostic.severity is Severity.ERROR else "yellow"
        label = click.style(f"{diagnostic.severity}:", fg=color, bold=True)
        hint = f"\n  hint: {diagnostic.hint}" if diagnostic.hint else ""
        click.echo(f"{place}{label} {diagnostic.summary}{hint}", err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from reconciler.render.annotations import annotation

        for diagnostic in shown:
            click.echo(annotation(diagnostic), err=True)
    rest_ = total - len(diagnostics)
    if rest_:
        click.echo(f"and {rest_:,} more: mend these first", err=True)
    if total > 1 and not told:
        click.echo(counted(total, "problem"), err=True)


def _harmless(diagnostic: Diagnostic) -> Diagnostic:
    """Leave nothing in it that a terminal obeys, and no secret, wherever its words come from."""

    def harmless(text: str) -> str:
        return visible(without_secrets(text))

    place = diagnostic.position
    return replace(
        diagnostic,
        summary=harmless(diagnostic.summary),
        hint=diagnostic.hint and harmless(diagnostic.hint),
        position=place and replace(place, file=harmless(place.file)),
    )


def _of_usage(error: click.ClickException) -> Diagnostic:
    """Say what click found in the words and the form of every other error."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "reconciler"
    word, _, rest = message.partition(" ")
    mistyped = re.fullmatch(r"No such command '(.+)'", message)
    near = did_you_mean(mistyped[1], COMMANDS) if mistyped else None
    return Diagnostic(f"{word.lower()} {visible(rest)}", near or f"see `{path} --help`")


def _of_system(error: OSError) -> Diagnostic:
    """Say what the operating system refused: a full disk behind `>`, for one."""
    reason = (error.strerror or type(error).__name__).lower()
    where = f" '{visible(str(error.filename))}'" if error.filename else ""
    return Diagnostic(f"the system refused{where}: {reason}", "see that there is room, and access")


def _reader_gone() -> int:
    """End quietly where the reader of our output has left (`reconciler plan | head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _unexpected(error: Exception) -> int:
    """Say that it is our fault, and where the trace went; names of lines, never values."""
    handle, name = tempfile.mkstemp(prefix="reconciler-", suffix=".trace")
    frames = traceback.format_tb(error.__traceback__)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"reconciler {__version__}\n{type(error).__name__}\n{''.join(frames)}")
    click.echo(
        f"error: unexpected {type(error).__name__} in reconciler itself\n"
        f"  hint: the trace is in {Path(name)}; it holds no values, please report it",
        err=True,
    )
    return ExitCode.FAILED
