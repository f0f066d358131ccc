"""Who signs in: an application by what proves it, a person by a password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.data import accounts, passwords
from reconciler.sandbox.data.store import resource, setting
from reconciler.sandbox.login import assertions, federation, jwts, refusals, resources
from reconciler.sandbox.login.resources import Asked
from reconciler.sandbox.permissions import roles_of
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.sandbox.data.accounts import User

_CONSENTED: Final = ("User.Read",)
"""What a new application is consented to for people, as in the portal."""
_EVERYBODY: Final = "b79fbf4d-3ef9-4689-8143-76b194e85509"
_EVERY_APPLICATION: Final = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
"""What Microsoft puts into `wids` of tokens of people and of applications, role or none."""
_TOKEN_PATHS: Final = ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "", "/")
"""Below a tenant's address: what an assertion may have as audience."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says beside the usual: who it is of, what it is for and what it allows."""

    subject: str
    audience: str
    claims: Mapping[str, Any]
    is_person: bool = False


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form sent to a token endpoint of one tenant, known by these addresses."""

    db: sqlite3.Connection
    form: Mapping[str, str]
    addresses: Collection[str]
    is_v1: bool = False

    @property
    def company(self) -> str:
        """Give the tenant's name."""
        tenant = setting(self.db, "tenant")
        return str((resource(self.db, "organization", tenant) or {}).get("displayName", tenant))

    def needed(self, name: str) -> str:
        """Give a field of the form; raises Microsoft's refusal of a form without it."""
        if not self.form.get(name):
            raise refusals.MISSING.error(name=name)
        return self.form[name]


async def granted(request: TokenRequest, application: Mapping[str, Any]) -> Grant:
    """Give what *request* is granted; raises Microsoft's refusal."""
    match request.needed("grant_type"):
        case "client_credentials":
            proof = await _proof(request, application)
            if proof is None:
                raise refusals.NO_PROOF.error()
            return _of_application(request, application, proof)
        case "password":
            await _proof(request, application)
            return _of_person(request, application)
        case other:
            raise refusals.BAD_GRANT.error(grant=other)


def find_application(request: TokenRequest) -> dict[str, Any]:
    """Give the application that asks; raises Microsoft's refusal of an unknown one."""
    client = request.needed("client_id")
    application = resource(request.db, "application", client)
    if application is None:
        raise refusals.NO_APPLICATION.error(client=client, company=request.company)
    return application


async def _proof(request: TokenRequest, application: Mapping[str, Any]) -> str | None:
    """Give how the application proves who it is, as `appidacr` says it; None without proof."""
    form = request.form
    if "client_secret" in form:
        _check_secret(application, form["client_secret"])
        return "1"
    if form.get("client_assertion_type") != assertions.TYPE or "client_assertion" not in form:
        return None
    token = jwts.parsed(form["client_assertion"])
    if federation.is_federated(token):
        await federation.check(application, token)
    else:
        certificate = application.get("certificate")
        assertions.check(
            token,
            certificate=certificate.encode() if certificate else None,
            client_id=application["appId"],
            audiences=[f"{base}{path}" for base in request.addresses for path in _TOKEN_PATHS],
        )
    return "2"


def _check_secret(application: Mapping[str, Any], shown: str) -> None:
    now = stamp(datetime.now(UTC))
    client = application["appId"]
    for secret, end in _secrets(application):
        if compare_digest(shown.encode(), secret.encode()):
            if end is not None and end <= now:
                raise refusals.OLD_SECRET.error(client=client)
            return
    raise refusals.BAD_SECRET.error(client=client)


def _secrets(application: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Give the secrets of *application* and until when each is good: an application may have more.

    `passwordCredentials` is Graph's name for them; only the sandbox keeps their text.
    """
    if application.get("secret"):
        yield application["secret"], None
    for kept in application.get("passwordCredentials") or ():
        yield kept["secretText"], kept.get("endDateTime")


def _of_application(request: TokenRequest, application: Mapping[str, Any], proof: str) -> Grant:
    wanted = (
        resources.resource(request.needed("resource"), request.company)
        if request.is_v1
        else resources.of_application(request.form.get("scope", ""), request.company)
    )
    principal = application["principalId"]
    claims = {
        "appidacr": proof,
        "idtyp": "app",
        "idp": _issuer(request),
        "wids": [*sorted(roles_of(request.db, principal)), _EVERY_APPLICATION],
    }
    if wanted.is_graph:
        claims["roles"] = application["permissions"]
    return Grant(principal, wanted.audience, claims)


def _of_person(request: TokenRequest, application: Mapping[str, Any]) -> Grant:
    """Sign a person in; the token allows what the application was consented to, delegated."""
    user = _signed_in(request)
    asked = (
        Asked(resources.resource(request.needed("resource"), request.company))
        if request.is_v1
        else resources.of_person(request.form.get("scope", ""), request.company)
    )
    claims = {
        "appidacr": "1" if "client_secret" in request.form else "0",
        "idtyp": "user",
        "amr": ["pwd"],
        "name": user.properties.get("displayName"),
        "scp": " ".join(_consented(application, asked)),
        "unique_name": user.upn,
        "upn": user.upn,
        "wids": [*sorted(roles_of(request.db, user.id)), _EVERYBODY],
    }
    return Grant(user.id, asked.resource.audience, claims, is_person=True)


def _consented(application: Mapping[str, Any], asked: Asked) -> tuple[str, ...]:
    consented = tuple(application.get("delegatedPermissions") or _CONSENTED)
    known = {name.casefold(): name for name in consented}
    if not known.keys() >= {name.casefold() for name in asked.permissions}:
        raise refusals.NO_CONSENT.error(
            client=application["appId"], name=application["displayName"]
        )
    return tuple(known[name.casefold()] for name in asked.permissions) or consented


def _signed_in(request: TokenRequest) -> User:
    name = request.needed("username")
    user = accounts.find(request.db, name)
    if user is None:
        raise refusals.NO_USER.error(user=name, tenant=setting(request.db, "tenant"))
    shown = request.form.get("password", "")
    if user.password is None or not passwords.matches(shown, user.password):
        raise refusals.BAD_PASSWORD.error()
    if not user.properties.get("accountEnabled"):
        raise refusals.DISABLED.error()
    if (user.properties.get("passwordProfile") or {}).get("forceChangePasswordNextSignIn"):
        raise refusals.EXPIRED_PASSWORD.error()
    return user


def _issuer(request: TokenRequest) -> str:
    return f"https://sts.windows.net/{setting(request.db, 'tenant')}/"
