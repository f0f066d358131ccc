from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.requests import Requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.graph.reply import Reply
    from reconciler.graph.transport import Graph
    from tests.graph.conftest import Fake

    Faked = Callable[..., Fake]


async def domains(graph: Graph) -> list[Reply]:
    """Ask one question."""
    return await graph.read([Requests(graph.client).domains()])


async def token(graph: Graph) -> str:
    """Look at the token."""
    return graph.token()


UNTRUSTED = (
    "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
)
REFUSED = "AADSTS7000222: The provided client secret keys for app 'x' are expired."


def _unanswered(words: str = "") -> ClientAuthenticationError:
    """Make what azure-identity raises where nobody answers."""
    error = ClientAuthenticationError(message=f"Authentication failed: {words}")
    error.__cause__ = ServiceRequestError("refused")
    return error


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (
            ClientAuthenticationError(message="AADSTS7000215: Invalid client secret.\nTrace"),
            PermissionMissing,
            "the login service refused to sign in: AADSTS7000215: Invalid client secret.",
        ),
        (
            ClientAuthenticationError(
                message=f"Authentication failed: {REFUSED} Trace ID: 1 Correlation ID: 2 "
                "Timestamp: 2026-03-02 09:00:00Z"
            ),
            PermissionMissing,
            f"the login service refused to sign in: {REFUSED}",
        ),
        (
            ClientAuthenticationError(message=f"{REFUSED} Timestamp: 2026-03-02 09:00:00Z\nmore"),
            PermissionMissing,
            f"the login service refused to sign in: {REFUSED}",
        ),
        (
            ClientAuthenticationError(message=f"{REFUSED}\x1b[2J\u202e"),
            PermissionMissing,
            rf"the login service refused to sign in: {REFUSED}\u{{1b}}[2J\u{{202e}}",
        ),
        (
            ClientAuthenticationError(message=""),
            PermissionMissing,
            "the login service refused to sign in: Operation returned an invalid status 'None'",
        ),
        (
            CredentialUnavailableError("az login"),
            UsageError,
            "no usable credentials for Microsoft Graph in the environment",
        ),
        (ServiceRequestError("refused"), GraphUnreachable, "the login service does not answer"),
        (ServiceResponseError("cut"), GraphUnreachable, "the login service does not answer"),
        (_unanswered(), GraphUnreachable, "the login service does not answer"),
        (
            ServiceRequestError(UNTRUSTED),
            GraphUnreachable,
            "the certificate of the login service is not trusted",
        ),
        (
            _unanswered(UNTRUSTED),
            GraphUnreachable,
            "the certificate of the login service is not trusted",
        ),
        (
            FileNotFoundError(2, "No such file", "/run/token"),
            UsageError,
            "AZURE_FEDERATED_TOKEN_FILE names no file that can be read",
        ),
        (ZeroDivisionError("a bug"), ZeroDivisionError, "a bug"),
    ],
    ids=[
        "refused",
        "refused with ids",
        "refused with a time",
        "refused with an escape",
        "silent",
        "no az",
        "no way",
        "cut",
        "unanswered",
        "not trusted",
        "not trusted, as a refusal",
        "no file",
        "a bug",
    ],
)
def test_signing_in_fails(
    fake: Faked, trouble: Exception, kind: type[Exception], words: str
) -> None:
    """Each way in which there is no token is told in our words, in one line."""
    graph = fake(lambda _: httpx.Response(200))
    graph.credential.trouble = trouble

    asks: list[Any] = [token, domains]
    for ask in asks:
        with pytest.raises(kind) as caught:
            graph.run(ask)
        assert str(caught.value) == words
    assert graph.sent == []


def test_a_token(fake: Faked) -> None:
    """The token is given, to look at the permissions that it carries."""
    assert fake(lambda _: httpx.Response(200)).run(token) == "header.payload.signature"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("AADSTS700024: Client assertion is not within its valid time range.", "clock is off"),
        (REFUSED, "make a new secret"),
        ("AADSTS70021: No matching federated identity record found.", "federated credential"),
        ("AADSTS999999: Something new.", "check AZURE_TENANT_ID"),
    ],
    ids=["clock", "secret", "federation", "unknown"],
)
def test_a_refusal_says_what_to_check(fake: Faked, words: str, hint: str) -> None:
    """Each number has its remedy; what nobody has met yet is told what to compare."""
    graph = fake(lambda _: httpx.Response(500))
    graph.credential.trouble = ClientAuthenticationError(message=words)

    with pytest.raises(PermissionMissing) as caught:
        graph.run(token)

    assert hint in (caught.value.hint or "")
