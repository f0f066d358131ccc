"""Asking a person at a terminal, so that Ctrl-C is an answer whenever it comes.

A blocking read can lose a signal that arrives just before it blocks; the event loop
waits for both, the line and the signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import click

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


async def agreed(question: str) -> bool:
    """Ask *question*; the end of the input and Ctrl-C are a no."""
    while True:
        line = await _line(f"{question} [y/N]: ")
        if line is None:
            return False
        answer = _ANSWERS.get(line.strip().casefold())
        if answer is not None:
            return answer
        click.echo("please answer y or n")


async def _line(question: str) -> str | None:
    """Ask and read one line; None where there is none, or where Ctrl-C came first."""
    if os.name == "nt":  # pragma: no cover -- asyncio waits for no console on Windows
        click.echo(question, nl=False)
        return sys.stdin.readline() or None
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None) -> None:
        if not read.done():
            read.set_result(line)

    terminal = sys.stdin.fileno()
    loop.add_reader(terminal, lambda: settle(sys.stdin.readline() or None))
    loop.add_signal_handler(signal.SIGINT, settle, None)
    click.echo(question, nl=False)
    try:
        return await read
    finally:
        loop.remove_reader(terminal)
        loop.remove_signal_handler(signal.SIGINT)
