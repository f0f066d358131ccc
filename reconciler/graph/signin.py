"""Signing in, when it fails: what azure-identity raises, in our words."""

from __future__ import annotations

import re

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.auth import WHAT_TO_SET
from reconciler.graph.refusals import AssertionRefused, is_unreached, remedy
from reconciler.text import visible


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
            case ClientAuthenticationError() if not is_unreached(error):
                line = _first_line(error)
                presented = error.presented if isinstance(error, AssertionRefused) else None
                raise PermissionMissing(
                    f"the login service refused to sign in: {line}", remedy(line, presented)
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


def _first_line(error: BaseException) -> str:
    """Give what it says, less the ids and the time that follow."""
    line = (str(error).splitlines() or [""])[0]
    line = re.split(r" (?:Trace ID|Correlation ID|Timestamp): ", line)[0]
    line = line.removeprefix("Authentication failed: ")
    return visible(re.sub(r"^Microsoft Entra ID error '\(\w+\) (?=AADSTS)", "", line))
