"""Signing in from a job of GitHub Actions: with GitHub's word, asked for anew each time.

A job with `id-token: write` has an address and a token to ask there for another one, which
says for some minutes which repository, branch or environment this is (GitHub Docs, "OpenID
Connect reference"). The login service takes it in place of a secret where the application
trusts it (Microsoft identity platform, "Workload identity federation").
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
import orjson
from azure.core.exceptions import ClientAuthenticationError

from reconciler.errors import GraphUnreachable, PermissionMissing, UsageError
from reconciler.graph.clouds import is_safe
from reconciler.graph.refusals import AssertionRefused, is_unreached, presented
from reconciler.graph.trust import trusted
from reconciler.graph.waiting import Waiting
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import AccessToken, TokenCredential

    from reconciler.graph.refusals import Presented

URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 -- a variable's name
ATTEMPTS = 4
"""How often GitHub is asked for one token; it takes seconds, and trouble is told soon."""
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_WRITE = (
    "give the job `permissions: {id-token: write}`, and the job that calls its workflow where it "
    "is called; a pull request from a fork never gets it, so skip the job there"
)
_AGAIN = "run the job again; if it stays so, look at githubstatus.com and at the runner's proxy"


def is_job(environment: Mapping[str, str]) -> bool:
    """Whether this runs in GitHub Actions, or in what stands for it."""
    is_told = environment.get("GITHUB_ACTIONS") == "true"
    return is_told or any(environment.get(name) for name in (URL, TOKEN))


@dataclass(frozen=True, slots=True)
class Job:
    """Where a job asks for its token, and with what; the tokens are for *audience*."""

    url: str
    token: str = field(repr=False)
    audience: str
    environment: Mapping[str, str] = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    backoff: Callable[[int], float] = Waiting().backoff

    def assertion(self) -> str:
        """Ask GitHub for a new token; trouble that may pass is waited out some times."""
        client = httpx.Client(
            # A proxy would see the token of what is not encrypted: this machine's own issuer.
            trust_env=self.url.startswith("https://"),
            verify=trusted(self.environment),
            timeout=_TIMEOUT,
        )
        with client:
            for attempt in range(ATTEMPTS - 1):
                try:
                    return self._asked(client)
                except _MayPassError:
                    self.sleep(self.backoff(attempt))
            return self._asked(client)

    def _asked(self, client: httpx.Client) -> str:
        joint = "&" if urlsplit(self.url).query else "?"
        try:
            response = client.get(
                f"{self.url}{joint}audience={quote(self.audience, safe='')}",
                headers={"Authorization": f"bearer {self.token}", "Accept": "application/json"},
            )
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            raise UsageError(
                f"{URL} or {TOKEN} holds what GitHub never puts there",
                "leave both as the runner sets them; what they hold now is not shown",
            ) from error
        except httpx.RequestError as error:
            raise self._unanswered(error) from error
        return self._token(response)

    def _unanswered(self, error: httpx.RequestError) -> GraphUnreachable:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return GraphUnreachable(
                f"the certificate of GitHub's token service at {self._host} is not trusted",
                "name the file of its certificate authority in REQUESTS_CA_BUNDLE",
            )
        # Its text may quote a header, and with it the token.
        words = f"does not answer: {type(error).__name__}"
        return _MayPassError(f"GitHub's token service at {self._host} {words}", _AGAIN)

    def _token(self, response: httpx.Response) -> str:
        status = response.status_code
        if status in _REFUSED:
            raise PermissionMissing(
                f"GitHub refused this job a token to sign in with (HTTP {status})",
                f"{_WRITE}; if it has it, {TOKEN} is of a job that has ended",
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
            raise _MayPassError(
                f"GitHub's token service at {self._host} is in trouble (HTTP {status})", _AGAIN
            )
        try:
            value = orjson.loads(response.content)["value"]
        except (ValueError, KeyError, TypeError):
            value = None
        if not response.is_success or not isinstance(value, str) or not value:
            raise GraphUnreachable(
                f"GitHub's token service at {self._host} answered no token (HTTP {status})",
                f"check that nothing else answers there, a proxy for one; {_AGAIN}",
            )
        return value

    @property
    def _host(self) -> str:
        return visible(urlsplit(self.url).hostname or "")


class _MayPassError(GraphUnreachable):
    """Trouble that is worth asking again."""


def job(environment: Mapping[str, str], audience: str) -> Job:
    """Give the job that *environment* tells of; raises UsageError where it may not ask."""
    missing = [name for name in (URL, TOKEN) if not environment.get(name)]
    if missing:
        raise UsageError(
            "this job may not ask GitHub for a token to sign in with: "
            f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not set",
            _WRITE,
        )
    if not is_safe(environment[URL]):
        raise UsageError(
            f"{URL} is an address where a token would travel in the clear",
            "leave it as the runner sets it: https, or http on 127.0.0.1",
        )
    return Job(environment[URL], environment[TOKEN], audience, environment)


class Federated:
    """Signs in with what *ask* gives; who is refused is told what was presented."""

    def __init__(
        self,
        ask: Callable[[], str],
        sign_in: Callable[[Callable[[], str]], TokenCredential],
    ) -> None:
        self._ask = ask
        self._presented: Presented | None = None
        self._inner = sign_in(self._assertion)

    def _assertion(self) -> str:
        token = self._ask()
        self._presented = presented(token)
        return token

    def get_token(
        self,
        *scopes: str,
        **options: Any,  # noqa: ANN401 -- passed on as they are
    ) -> AccessToken:
        """Give a token; raises AssertionRefused where the login service will not."""
        try:
            return self._inner.get_token(*scopes, **options)
        except ClientAuthenticationError as error:
            if self._presented is None or is_unreached(error):
                raise
            raise AssertionRefused(error.message, self._presented) from error
