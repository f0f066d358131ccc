"""What every reply of Graph has around it: headers, and the envelope of an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.sandbox.login import sessions
from reconciler.sandbox.wire import JSON_TYPE, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.errors import GraphError
    from reconciler.sandbox.wire import Cut


def dressed(reply: Reply, request_id: str, echo: str | None) -> Reply:
    """Add the headers of all replies, as recorded by the Azure CLI.

    *echo* is the request's own `client-request-id`; what has no body has no type.
    """
    headers = {
        "cache-control": "no-cache",
        "request-id": request_id,
        "client-request-id": echo or request_id,
        "strict-transport-security": "max-age=31536000",
        "x-ms-ags-diagnostic": (
            '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0",'
            '"ScaleUnit":"000","RoleInstance":"SANDBOX"}}'
        ),
    }
    if reply.body is not None:
        headers |= {
            "content-type": JSON_TYPE,
            "odata-version": "4.0",
            "vary": "Accept-Encoding",
        }
    return replace(reply, headers={**headers, **reply.headers})


def refused(error: GraphError, request_id: str, echo: str | None) -> Reply:
    """Give the reply that says *error*."""
    headers = {"content-type": "application/json", "cache-control": "no-cache"}
    headers |= {**error.headers, **sessions.challenge(error)}
    return Reply(error.status, error.envelope(request_id, echo), headers)


def with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Give *reply* with more headers."""
    return replace(reply, headers={**reply.headers, **headers})


def delayed(reply: Reply, seconds: float) -> Reply:
    """Give *reply* held back for so much longer."""
    return replace(reply, delay=reply.delay + seconds) if seconds else reply


def cut(reply: Reply, where: Cut) -> Reply:
    """Give *reply* as it is when the connection breaks on its way."""
    return replace(reply, is_cut=True, cut_in=where)
