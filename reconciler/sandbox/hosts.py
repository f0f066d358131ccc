"""Microsoft's addresses that this tenant stands for, in every cloud.

From "National cloud deployments" (Graph) and the cloud tables of go-azure-sdk. The TLS
certificate covers them, and the tunnel leads to nothing else.
"""

from __future__ import annotations

from typing import Final

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
