"""The login service: tokens for applications, sign-in for people (OAuth 2.0).

Errors carry the AADSTS number that people search for; their texts are Microsoft's as
commonly quoted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from reconciler.sandbox.data import accounts, passwords
from reconciler.sandbox.data.store import resource, setting
from reconciler.sandbox.login import assertions, tokens
from reconciler.sandbox.login.refusals import SignInError, of_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from reconciler.sandbox.tenant import Tenant

_AUDIENCE = "https://graph.microsoft.com"


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a token says beside the usual: who it is for, and what it allows."""

    subject: str
    claims: Mapping[str, Any]


def login_app(tenant: Tenant) -> Starlette:
    """Give the application that signs in to *tenant*."""

    async def metadata(request: Request) -> JSONResponse:
        try:
            _check_tenant(tenant, request.path_params["tenant"])
        except SignInError as error:
            return error.response()
        return JSONResponse(_metadata(_base(request)))

    async def token(request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        try:
            _check_tenant(tenant, request.path_params["tenant"])
            granted = _token(tenant, form, _base(request))
            return JSONResponse(granted, headers={"cache-control": "no-store"})
        except SignInError as error:
            return error.response()

    return Starlette(
        routes=[
            Route("/{tenant}/v2.0/.well-known/openid-configuration", metadata),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        ]
    )


def _check_tenant(tenant: Tenant, name: str) -> None:
    if name.lower() == setting(tenant.db, "tenant"):
        return
    domain = resource(tenant.db, "domain", name)
    if domain is None or not domain["isVerified"]:
        raise SignInError(
            90002,
            "invalid_request",
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and "
            "are signing into the correct cloud. Check with your subscription administrator, "
            "this may happen if there are no active subscriptions for the tenant.",
        )


def _base(request: Request) -> str:
    """Give the address below which this tenant signs in, as the caller wrote it."""
    return f"https://{request.url.netloc}/{request.path_params['tenant']}"


def _metadata(base: str) -> dict[str, Any]:
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "issuer": f"{base}/v2.0",
        "response_types_supported": ["code", "id_token"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }


def _token(tenant: Tenant, form: Mapping[str, str], base: str) -> dict[str, Any]:
    application = _application(tenant, form)
    match form.get("grant_type"):
        case "client_credentials":
            if not _proofs(application, form, base):
                raise of_client(
                    7000216,
                    "'client_assertion', 'client_secret' or 'request' is required for the "
                    "'client_credentials' grant type.",
                )
            grant = _application_grant(application)
        case "password":
            _proofs(application, form, base)
            grant = _person_grant(tenant, form.get("username", ""), form.get("password", ""))
        case other:
            raise SignInError(
                70003,
                "unsupported_grant_type",
                f"The app requested an unsupported grant type '{other}'.",
            )
    return {
        "token_type": "Bearer",
        "expires_in": tokens.LIFETIME,
        "ext_expires_in": tokens.LIFETIME,
        "access_token": _signed(tenant, application, grant),
    }


def _application(tenant: Tenant, form: Mapping[str, str]) -> dict[str, Any]:
    client = form.get("client_id", "")
    application = resource(tenant.db, "application", client)
    if application is None:
        raise SignInError(
            700016,
            "unauthorized_client",
            f"Application with identifier '{client}' was not found in the directory 'Contoso'. "
            "This can happen if the application has not been installed by the administrator of "
            "the tenant or consented to by any user in the tenant. You may have sent your "
            "authentication request to the wrong tenant.",
        )
    return application


def _proofs(application: Mapping[str, Any], form: Mapping[str, str], base: str) -> bool:
    """Whether the application proves who it is; raises when what it shows is wrong."""
    if "client_secret" in form:
        _check_secret(application, form["client_secret"])
        return True
    if form.get("client_assertion_type") != assertions.TYPE or "client_assertion" not in form:
        return False
    certificate = application.get("certificate")
    assertions.check(
        form["client_assertion"],
        certificate=certificate.encode() if certificate else None,
        client_id=application["appId"],
        audiences=(f"{base}/oauth2/v2.0/token", f"{base}/v2.0"),
    )
    return True


def _check_secret(application: Mapping[str, Any], secret: str) -> None:
    if not compare_digest(secret.encode(), application["secret"].encode()):
        raise of_client(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app "
            f"'{application['appId']}'.",
        )


def _application_grant(application: Mapping[str, Any]) -> _Grant:
    claims = {"idtyp": "app", "roles": application["permissions"]}
    return _Grant(application["principalId"], claims)


def _person_grant(tenant: Tenant, username: str, password: str) -> _Grant:
    """Sign a person in; the person's token allows what is delegated, here nothing."""
    user = accounts.find(tenant.db, username)
    if user is None:
        raise SignInError(
            50034,
            "invalid_grant",
            f"The user account {username} does not exist in the "
            f"{setting(tenant.db, 'tenant')} directory. To sign into this application, the "
            "account must be added to the directory.",
        )
    if user.password is None or not passwords.matches(password, user.password):
        raise SignInError(
            50126,
            "invalid_grant",
            "Error validating credentials due to invalid username or password.",
        )
    if not user.properties.get("accountEnabled"):
        raise SignInError(50057, "invalid_grant", "The user account is disabled.")
    if (user.properties.get("passwordProfile") or {}).get("forceChangePasswordNextSignIn"):
        raise SignInError(50055, "invalid_grant", "The password is expired.")
    return _Grant(user.id, {"idtyp": "user", "scp": "User.Read", "upn": user.upn})


def _signed(tenant: Tenant, application: Mapping[str, Any], grant: _Grant) -> str:
    now = int(time.time())
    directory = setting(tenant.db, "tenant")
    claims = {
        "aud": _AUDIENCE,
        "iss": f"https://sts.windows.net/{directory}/",
        "iat": now,
        "nbf": now,
        "exp": now + tokens.LIFETIME,
        "app_displayname": application["displayName"],
        "appid": application["appId"],
        "oid": grant.subject,
        "sub": grant.subject,
        "tid": directory,
        "ver": "1.0",
        **grant.claims,
    }
    return tokens.sign(claims, tenant.key)
