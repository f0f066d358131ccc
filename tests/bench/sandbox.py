"""The sandbox with 100,000 people: how soon it serves, and how fast its pages come."""

from __future__ import annotations

import json
import shlex
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.bench.measures import Measure
from tests.bench.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED: Final = Path(__file__).with_name("people.yaml")
_RAW: Final = Path(__file__).with_name("raw.py")
_PEOPLE: Final = 100_000
_PAGES: Final = "/v1.0/users?$top=999"
_ROUNDS: Final = 5
_SOONEST: Final = 2.0
"""Seconds in which the tenant must serve."""
_SHARE: Final = 3
"""Of raw Starlette's pages, one in so many."""
_FILTERED: Final = 5.0
"""Milliseconds for one person among 100,000, by an indexed property."""


def measures(folder: Path) -> list[Measure]:
    """Measure with a tenant that is made in *folder*."""
    file = folder / "people.sqlite"
    _run("sandbox", "reset", "--file", str(file), "--seed", str(_SEED))
    with _served(file) as (environment, seconds):
        url = urlsplit(environment["RECONCILER_GRAPH_URL"])
        with Wire(str(url.hostname), int(url.port or 0), _token(environment)) as wire:
            page = bytes(wire.get(_PAGES))
            cold, warm = _rate(wire, 1), _rate(wire, _ROUNDS)
            found = _milliseconds(wire, "/v1.0/users?$filter=displayName%20eq%20%27nobody%27")
    raw = _raw_rate(folder, page)
    return [
        Measure("a tenant of 100,000 people serves", "s", seconds, _SOONEST),
        Measure(
            f"pages of 999 people, read once (raw Starlette: {raw:,.0f}/s)",
            "/s",
            cold,
            raw / _SHARE,
            at_least=True,
        ),
        Measure("the same, read again", "/s", warm, raw / _SHARE, at_least=True),
        Measure("one person by displayName", "ms", found, _FILTERED),
    ]


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "reconciler", *arguments], check=True)  # noqa: S603 -- our own program


@contextmanager
def _served(file: Path) -> Iterator[tuple[dict[str, str], float]]:
    """Serve the tenant in *file*, and give its environment and the seconds that took."""
    lines = file.with_name("people.env")
    start = time.perf_counter()
    command = ["sandbox", "serve", "--file", str(file), "--env-file", str(lines)]
    with subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "reconciler", *command], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout
            server.stdout.readline()
            yield _exports(lines.read_text()), time.perf_counter() - start
        finally:
            server.terminate()


def _exports(text: str) -> dict[str, str]:
    words = [shlex.split(line) for line in text.splitlines() if line.startswith("export ")]
    pairs = [word.partition("=") for line in words for word in line[1:]]
    return {name: value for name, _, value in pairs}


def _token(environment: dict[str, str]) -> str:
    form = (
        "grant_type=client_credentials&scope=https://graph.microsoft.com/.default"
        f"&client_id={environment['AZURE_CLIENT_ID']}"
        f"&client_secret={environment['AZURE_CLIENT_SECRET']}"
    )
    tenant = f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}"
    context = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    request = Request(f"{tenant}/oauth2/v2.0/token", form.encode())  # noqa: S310 -- on loopback
    with urlopen(request, context=context) as reply:  # noqa: S310 -- as above
        return str(json.load(reply)["access_token"])


def _rate(wire: Wire, rounds: int) -> float:
    """Give the pages that come in a second."""
    start = time.perf_counter()
    count = sum(wire.pages(_PAGES) for _ in range(rounds))
    seconds = time.perf_counter() - start
    assert count == rounds * -(-_PEOPLE // 999), count
    return count / seconds


def _milliseconds(wire: Wire, path: str, times: int = 200) -> float:
    start = time.perf_counter()
    for _ in range(times):
        wire.get(path)
    return (time.perf_counter() - start) * 1000 / times


def _raw_rate(folder: Path, page: bytes) -> float:
    """Give how often in a second Starlette alone can say *page*."""
    file, times = folder / "page.json", 500
    file.write_bytes(page)
    with subprocess.Popen(  # noqa: S603 -- our own script
        [sys.executable, _RAW, file], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout
            with Wire("127.0.0.1", int(server.stdout.readline())) as wire:
                milliseconds = _milliseconds(wire, "/users", times)
        finally:
            server.terminate()
    return 1000 / milliseconds
