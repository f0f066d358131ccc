"""The lines that point a shell, and clients of all kinds, at a running sandbox."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.server import Endpoints

_LOOPBACK = "127.0.0.1,localhost"
"""What no proxy may see: the requests carry tokens."""
_UNSHOWN = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Categories of characters that end a line, or are nothing that a file could hold."""
_GRAPH = "https://graph.microsoft.com"
_MANAGEMENT = "https://management.core.windows.net/"

_TOKEN = (
    'TOKEN=$(curl --silent --cacert "$SSL_CERT_FILE" '
    '"$AZURE_AUTHORITY_HOST/$AZURE_TENANT_ID/oauth2/v2.0/token" '
    '--data grant_type=client_credentials --data "client_id=$AZURE_CLIENT_ID" '
    '--data-urlencode "client_secret=$AZURE_CLIENT_SECRET" '
    f"--data-urlencode scope={_GRAPH}/.default "
    """| sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')"""
)
_USERS = 'curl --silent --header "Authorization: Bearer $TOKEN" "$RECONCILER_GRAPH_URL/v1.0/users"'
_SIGN_IN = (
    'az login --service-principal --allow-no-subscriptions --tenant "$AZURE_TENANT_ID" '
    '--username "$AZURE_CLIENT_ID" --password "$AZURE_CLIENT_SECRET"'
)


def exports(endpoints: Endpoints) -> str:
    """Give what a shell evaluates: the writer's lines, then all other ways as comments.

    Raises a `UsageError` for a value that no line can hold.
    """
    return "\n".join(
        (
            "# the reconciler and the Azure SDKs: the application that may write",
            *_lines(endpoints.environment),
            *(_appended(name, _LOOPBACK) for name in ("NO_PROXY", "no_proxy")),
            *_certificate(endpoints),
            *_others(endpoints),
            *_curl(),
            *_sdks(endpoints),
            *_azure_cli(endpoints),
            *_tunnel(endpoints),
        )
    )


def _certificate(endpoints: Endpoints) -> Iterable[str]:
    if endpoints.certificate is None:
        return
    (line,) = _lines({"AZURE_CLIENT_CERTIFICATE_PATH": str(endpoints.certificate)})
    yield "# or, instead of its secret, its certificate"
    yield from _comments((f"{line}; unset AZURE_CLIENT_SECRET",))


def _others(endpoints: Endpoints) -> Iterable[str]:
    known = {
        "only read": endpoints.read_only_environment,
        "do everything": endpoints.administration,
    }
    for can, environment in known.items():
        own = {name: environment[name] for name in environment if name.startswith("AZURE_CLIENT_")}
        if own:
            yield f"# the application that may {can}: take these instead"
            yield from _comments(_lines(own))


def _curl() -> Iterable[str]:
    yield "# curl: a token, and what it opens"
    yield from _comments((_TOKEN, _USERS))


def _sdks(endpoints: Endpoints) -> Iterable[str]:
    yield "# SDKs of Microsoft Graph: set the base address, and keep the scope as it is"
    yield from _comments((f"{endpoints.graph}/v1.0 with {_GRAPH}/.default",))


def _azure_cli(endpoints: Endpoints) -> Iterable[str]:
    """Give a cloud of the Azure CLI's, in a folder of its own so that yours stays as it is."""
    known = endpoints.environment
    folder = PurePath(known["SSL_CERT_FILE"]).with_name("azure-cli")
    login = known["AZURE_AUTHORITY_HOST"]
    register = {
        "--name": "sandbox",
        "--endpoint-active-directory": login,
        "--endpoint-active-directory-resource-id": _MANAGEMENT,
        "--endpoint-management": _MANAGEMENT,
        "--endpoint-resource-manager": login,
        "--endpoint-active-directory-graph-resource-id": endpoints.graph,
        "--endpoint-microsoft-graph-resource-id": endpoints.graph,
    }
    options = " ".join(f"{name} {shlex.quote(value)}" for name, value in register.items())
    yield "# Azure CLI 2.75 or newer: a cloud of its own, without subscriptions"
    yield from _comments(
        (
            *_lines({"AZURE_CONFIG_DIR": str(folder), "AZURE_CORE_INSTANCE_DISCOVERY": "false"}),
            f"az cloud register --skip-endpoint-discovery {options}",
            "az cloud set --name sandbox",
            _SIGN_IN,
            "az ad user list --output table",
        )
    )


def _tunnel(endpoints: Endpoints) -> Iterable[str]:
    if endpoints.tunnel is None:
        return
    trusted = endpoints.environment["SSL_CERT_FILE"]
    yield "# everything else, with Microsoft's own addresses: through a proxy that knows no others"
    yield from _comments(
        _lines(
            {
                **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), endpoints.tunnel),
                "NODE_EXTRA_CA_CERTS": trusted,
                "NODE_USE_ENV_PROXY": "1",
            }
        )
    )


def _comments(lines: Iterable[str]) -> Iterable[str]:
    """Give *lines* as comments, which a shell takes line by line."""
    return (f"# {physical}" for line in lines for physical in line.splitlines())


def _lines(environment: Mapping[str, str]) -> list[str]:
    return [f"export {name}={_quoted(name, value)}" for name, value in environment.items()]


def _appended(name: str, value: str) -> str:
    """Give the line that adds *value* to the list that the shell has."""
    return f'export {name}={_quoted(name, value)}"${{{name}:+,${name}}}"'


def _quoted(name: str, value: str) -> str:
    """Give *value* in single quotes always, so that the lines look alike.

    One that goes on in another line would leave a comment, and be run.
    """
    if any(unicodedata.category(sign) in _UNSHOWN for sign in value):
        raise UsageError(
            f"{name} would hold a control character",
            "take it out of the seed file, or out of the folder's name",
        )
    quoted = shlex.quote(value)
    return quoted if quoted != value else f"'{value}'"
