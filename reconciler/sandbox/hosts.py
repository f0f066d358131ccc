"""Microsoft's addresses that this tenant stands for, in every cloud.

From "National cloud deployments" (Graph) and the cloud tables of go-azure-sdk. The TLS
certificate covers them, and the tunnel leads to nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

GRAPH: Final = (
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
)
LOGIN: Final = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
)
MANAGEMENT: Final = (
    "management.azure.com",
    "management.core.windows.net",
    "management.usgovcloudapi.net",
    "management.core.usgovcloudapi.net",
    "management.chinacloudapi.cn",
    "management.core.chinacloudapi.cn",
)
"""Azure Resource Manager, which is asked for subscriptions at sign-in; here there are none."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_NETLOC: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{1,5})?")


def is_known(netloc: str, names: Collection[str]) -> bool:
    """Whether *netloc*, a name with or without a port, is one of *names* (RFC 9110, 7.2)."""
    match = _NETLOC.fullmatch(netloc)
    return match is not None and (match[1] or match[2]).lower() in names
