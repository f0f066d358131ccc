"""The least that Starlette and uvicorn can do: the same bytes again and again."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


def main(page: bytes) -> None:
    """Serve *page* on any free port, which is printed, until the process is ended."""

    async def users(_: Request) -> Response:
        return Response(page, media_type="application/json")

    application = Starlette(routes=[Route("/users", users)])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201 -- for the parent process
        config = uvicorn.Config(application, log_level="critical", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])


main(Path(sys.argv[1]).read_bytes())
