"""Opening Graph: who signs in, whom to trust, and how long to wait."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter

from reconciler import __version__
from reconciler.graph.auth import Renewable, credential
from reconciler.graph.clouds import cloud as cloud_of
from reconciler.graph.transport import VERSION, Graph
from reconciler.graph.trust import trusted
from reconciler.graph.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from azure.core.credentials import TokenCredential

    from reconciler.graph.clouds import Cloud

_TIMEOUT = httpx.Timeout(100.0, connect=10.0)

logging.getLogger("hpack").setLevel(logging.WARNING)  # its DEBUG lines hold the token


@asynccontextmanager
async def connect(  # noqa: PLR0913 -- what a connection needs of the world, each by its name
    cloud_name: str,
    environment: Mapping[str, str],
    *,
    sign_in: Callable[[Cloud, Mapping[str, str]], TokenCredential] = credential,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Graph]:
    """Open Graph as *environment* and the cloud say; closed with the block."""
    cloud = cloud_of(cloud_name, environment)
    credential_ = Renewable(sign_in(cloud, environment))
    hostname = urlsplit(cloud.graph).hostname or ""
    provider = AzureIdentityAuthenticationProvider(
        credential_, scopes=[cloud.scope], allowed_hosts=[hostname]
    )
    client = httpx.AsyncClient(
        # A proxy would see the token of what is not encrypted: this machine's own sandbox.
        trust_env=cloud.graph.startswith("https://"),
        http2=True,
        timeout=_TIMEOUT,
        verify=trusted(environment),
        follow_redirects=False,
        headers={"User-Agent": f"entra-reconciler/{__version__}"},
    )
    async with client:
        adapter = GraphRequestAdapter(provider, client)
        adapter.base_url = cloud.graph + VERSION
        yield Graph(adapter, credential_, cloud, Waiting(sleep, jitter, monotonic))
