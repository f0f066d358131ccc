"""A proxy for clients that cannot be pointed elsewhere: Microsoft's hosts lead to the sandbox.

It knows one method, CONNECT (RFC 9110, 9.3.6), and a handful of hosts. All others are
refused, so whatever a client asks for, nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import string
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

_HOST: Final = "127.0.0.1"
_TLS: Final = 443
_LONGEST: Final = 16 * 1024
"""Bytes of a request's head."""
_CHUNK: Final = 64 * 1024
_PLAIN: Final = frozenset(string.ascii_letters + string.digits + ".-_:[]/")

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Tunnel:
    """Leads `CONNECT host:443` to the port of this machine that *ports* has for the host."""

    def __init__(
        self, ports: Mapping[str, int], *, patience: float = 10, idle: float = 300
    ) -> None:
        self._ports = ports
        self._patience = patience
        self._idle = idle
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, listening: socket.socket, stopped: asyncio.Event) -> None:
        """Serve until *stopped*; what is still open is broken then."""
        server = await asyncio.start_server(self._accepted, sock=listening, limit=_LONGEST)
        await stopped.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- asyncio runs this callback in a task
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._patience):
                head = await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            return await _refuse(writer, "408 Request Timeout", "no request came")
        except asyncio.LimitOverrunError:
            return await _refuse(
                writer, "431 Request Header Fields Too Large", "the request is too long"
            )
        except asyncio.IncompleteReadError:
            return None
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        target = rest.partition(" ")[0]
        port = self._port(target) if method == "CONNECT" else None
        if port is None:
            return await _refuse(writer, "403 Forbidden", _reason(target))
        return await self._connected((reader, writer), port)

    def _port(self, target: str) -> int | None:
        """Give the port that *target* leads to; None for what is no part of the sandbox."""
        host, _, port = target.rpartition(":")
        return self._ports.get(host.lower().rstrip(".")) if port == str(_TLS) else None

    async def _connected(self, client: _Streams, port: int) -> None:
        server = await asyncio.open_connection(_HOST, port)
        try:
            client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay(client, server)
        finally:
            server[1].close()

    async def _relay(self, client: _Streams, server: _Streams) -> None:
        """Carry bytes both ways until one side ends, or neither says anything for long."""
        moved = [0]
        pumps = [
            asyncio.ensure_future(_pump(client[0], server[1], moved)),
            asyncio.ensure_future(_pump(server[0], client[1], moved)),
        ]
        try:
            before, done = -1, set[asyncio.Future[None]]()
            while not done and moved[0] != before:
                before = moved[0]
                done, _ = await asyncio.wait(
                    pumps, timeout=self._idle, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, moved: list[int]
) -> None:
    while chunk := await reader.read(_CHUNK):
        moved[0] += len(chunk)
        writer.write(chunk)
        await writer.drain()


def _reason(target: str) -> str:
    shown = "".join(sign if sign in _PLAIN else "?" for sign in target[:200]) or "?"
    return f"{shown} is no part of the sandbox tenant, and nothing else is reached from here"


async def _refuse(writer: asyncio.StreamWriter, status: str, reason: str) -> None:
    body = f"{reason}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
