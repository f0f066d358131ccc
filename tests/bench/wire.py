"""A client that costs next to nothing, so that what is measured is the server."""

from __future__ import annotations

import socket
from typing import Final, Self

_ROOM: Final = 1 << 22
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_NEXT: Final = b'"@odata.nextLink":"'


class Wire:
    """One connection, kept open; `get` gives the bytes of a body."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self._head = f"Host: {host}:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._socket = socket.create_connection((host, port))
        self._room = memoryview(bytearray(_ROOM))

    def __enter__(self) -> Self:
        """Give the wire."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._socket.close()

    def get(self, path: str) -> memoryview:
        """Ask for *path* and give the body, which holds until the next question."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
        got, start, end = 0, 0, _ROOM
        while got < end:
            received = self._socket.recv_into(self._room[got:])
            if not received:
                raise ConnectionError(path)
            got += received
            if not start and (found := bytes(self._room[: min(got, 8192)]).find(_END)) >= 0:
                start = found + len(_END)
                end = start + _length(bytes(self._room[:found]))
        return self._room[start:end]

    def pages(self, path: str) -> int:
        """Follow the next links from *path* to the end and give how many pages there were."""
        count = 0
        while path:
            body = bytes(self.get(path)[:1000])
            count += 1
            _, found, rest = body.partition(_NEXT)
            link = rest.partition(b'"')[0].decode()
            path = link[link.index("/v1.0/") :] if found else ""
        return count


def _length(head: bytes) -> int:
    return int(head.lower().partition(_LENGTH)[2].split(b"\r\n")[0])
