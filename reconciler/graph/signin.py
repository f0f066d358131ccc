"""Signing in, when it fails: what azure-identity raises, in our words."""

from __future__ import annotations

import re

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.auth import WHAT_TO_SET

_OF_CLOCK = ("AADSTS700024", "AADSTS500133")
"""An assertion outside the time in which it is valid (Entra, "Authentication error codes")."""
_CLOCK = (
    "this machine's clock is off, or the federated token is too old: mend it, then run it again"
)
_IDENTITY = (
    "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret, certificate or federated credential "
    "behind them"
)


class sign_in_errors:  # noqa: N801 -- a context manager, used like a function
    """Translate what azure-identity raises, at the one place where a token is fetched."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case CredentialUnavailableError():
                raise UsageError(
                    "no usable credentials for Microsoft Graph in the environment", WHAT_TO_SET
                ) from error
            case ClientAuthenticationError() if not _is_unreached(error):
                line = _first_line(error)
                hint = _CLOCK if any(code in line for code in _OF_CLOCK) else _IDENTITY
                raise PermissionMissing(
                    f"the login service refused to sign in: {line}", hint
                ) from error
            case AzureError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise GraphUnreachable(
                    "the certificate of the login service is not trusted",
                    "name the file of its certificate authority in REQUESTS_CA_BUNDLE",
                ) from error
            case AzureError():  # no connection, a broken one, or an answer that is none
                raise GraphUnreachable(
                    "the login service does not answer",
                    "check the network, the proxy and AZURE_AUTHORITY_HOST, then run it again; a "
                    "sandbox that was started anew has other ports: read its lines again",
                ) from error
            case OSError():  # read anew for every token, as it changes under a long run
                raise UsageError(
                    "AZURE_FEDERATED_TOKEN_FILE names no file that can be read", WHAT_TO_SET
                ) from error
            case _:
                return


def _is_unreached(error: ClientAuthenticationError) -> bool:
    """Whether azure-identity calls it a refusal that nobody answered, as it does."""
    return isinstance(error.__cause__ or error.__context__, ServiceRequestError)


def _first_line(error: BaseException) -> str:
    """Give what it says, less the ids and the time that follow."""
    line = (str(error).splitlines() or [""])[0]
    line = re.split(r" (?:Trace ID|Correlation ID|Timestamp): ", line)[0]
    return line.removeprefix("Authentication failed: ")
