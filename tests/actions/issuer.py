"""GitHub's side of a federated login, on this machine: tokens of jobs, and the keys to them.

One server is both the address that a job asks for its token and the issuer that a tenant
asks for its keys. In a test:

    with issuing() as issuer:
        issuer.trust(tenant_file, PLAN_APP.client_id, SUBJECT)   # the federated credential
        environment = {...} | issuer.job(SUBJECT)                # what the runner sets

and beside other programs, until SIGINT or SIGTERM:

    python -m tests.actions.issuer --subject repo:contoso/identity:pull_request \
        --env-file job.env [--tenant FILE --client-id ID]

Each job has a token of its own to ask with, so one issuer serves jobs of several subjects.
The tenant is one in a file, run by the sandbox; it reads the credential at each sign-in, and
asks issuers on loopback over plain HTTP.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import shlex
import signal
import sys
import threading
import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from reconciler.sandbox.data import store

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIENCE: Final = "api://AzureADTokenExchange"
LIFETIME: Final = 300
"""Seconds, as GitHub's tokens live."""
_KEYS: Final = "/.well-known/jwks"
_METADATA: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a token, and the token that was given."""

    subject: str
    audience: str
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered instead of a token; without a status the server hangs up."""

    status: int | None
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Issuer:
    """A running issuer; *url* is the `iss` of its tokens."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    """Every token given, in order."""
    instead: deque[Answer] = field(default_factory=deque)
    """Answers to the next requests for a token, before any is given."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims of the next tokens that differ from the usual ones."""
    requests: int = 0
    """Requests for a token, given or not."""
    _jobs: dict[str, str] = field(default_factory=dict)
    _key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def job(self, subject: str) -> dict[str, str]:
        """Begin a job with `id-token: write`; gives the variables that its runner sets."""
        token = secrets.token_urlsafe(24)
        self._jobs[token] = subject
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
        }

    def trust(self, tenant: Path, client: str, subject: str, audience: str = AUDIENCE) -> None:
        """Give the application *client* of the tenant in a file a federated credential."""
        with closing(store.connect(tenant)[0]) as db, store.transaction(db):
            document = store.resource(db, "application", client)
            if document is None:
                raise LookupError(client)
            known = document.setdefault("federatedIdentityCredentials", [])
            known.append(
                {
                    "name": f"actions{len(known)}",
                    "issuer": self.url,
                    "subject": subject,
                    "audiences": [audience],
                }
            )
            store.set_resource(db, "application", client, document)

    def answer(self, target: str, authorization: str) -> Answer:
        """Answer a GET of *target*."""
        parts = urlsplit(target)
        if parts.path == _METADATA:
            return _json({"issuer": self.url, "jwks_uri": f"{self.url}{_KEYS}"})
        if parts.path == _KEYS:
            return _json({"keys": [self._jwk()]})
        if parts.path != "/token":
            return Answer(404)
        self.requests += 1
        if self.instead:
            return self.instead.popleft()
        scheme, _, token = authorization.partition(" ")
        subject = self._jobs.get(token)
        if subject is None or scheme.lower() != "bearer":
            return Answer(401, b'{"message": "not a token of a job"}')
        audience = parse_qs(parts.query).get("audience", ["https://github.com/contoso"])[0]
        made = self._signed(subject, audience)
        self.asked.append(Asked(subject, audience, made))
        return _json({"count": len(made), "value": made})

    def _signed(self, subject: str, audience: str) -> str:
        now = int(time.time())
        claims = {
            "jti": secrets.token_hex(16),
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "nbf": now - LIFETIME,
            "exp": now + LIFETIME,
        }
        header = {"typ": "JWT", "alg": "RS256", "kid": "actions"}
        text = ".".join(_encoded(orjson.dumps(part)) for part in (header, claims | self.claims))
        return f"{text}.{_encoded(self._key.sign(text.encode(), padding.PKCS1v15(), _HASH))}"

    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        n, e = (
            _encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (numbers.n, numbers.e)
        )
        return {"kty": "RSA", "kid": "actions", "alg": "RS256", "use": "sig", "n": n, "e": e}


_HASH: Final = hashes.SHA256()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(content: object) -> Answer:
    return Answer(200, orjson.dumps(content), (("Content-Type", "application/json"),))


@contextmanager
def issuing(port: int = 0) -> Iterator[Issuer]:
    """Run an issuer until the block ends, on a port that the system chooses unless it is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = issuer.answer(self.path, self.headers.get("Authorization", ""))
            if answer.status is None:
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve one job, and write its variables to a file or to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.actions.issuer")
    parser.add_argument("--subject", required=True, help="the `sub` of the job's tokens")
    parser.add_argument("--env-file", type=Path, help="write the job's variables here")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tenant", type=Path, help="file of a sandbox tenant that is to trust it")
    parser.add_argument("--client-id", help="the application that is to trust it")
    given = parser.parse_args()
    if (given.tenant is None) != (given.client_id is None):
        parser.error("--tenant and --client-id belong together")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), issuing(given.port) as issuer:
        if given.tenant:
            issuer.trust(given.tenant, given.client_id, given.subject)
        job = issuer.job(given.subject)
        lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in job.items())
        if given.env_file:
            given.env_file.write_text(lines, encoding="utf-8")
        else:
            sys.stdout.write(lines)
            sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
