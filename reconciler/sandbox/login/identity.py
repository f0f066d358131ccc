"""The login service: tokens for applications, sign-in for people (OAuth 2.0).

Beside them it answers what clients look up on their way: metadata, instance discovery, and
Azure Resource Manager's lists, which are empty here.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote_plus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.sandbox import hosts
from reconciler.sandbox.data.store import resource, setting
from reconciler.sandbox.login import grants, issuing, metadata, refusals, tokens
from reconciler.sandbox.login.grants import TokenRequest
from reconciler.sandbox.login.refusals import SignInError
from reconciler.sandbox.reached import only_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from reconciler.sandbox.tenant import Tenant

    Endpoint = Callable[[Request], Awaitable[Response]]

_LONGEST: Final = 256 * 1024
"""Bytes of a form; the longest assertions have a few thousand."""
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Of which token endpoints take one, and say so."""


def login_app(tenant: Tenant, *, lifetime: float = tokens.LIFETIME) -> ASGIApp:
    """Give the application that signs in to *tenant*; tokens live *lifetime* seconds."""
    login = _Login(tenant, lifetime)
    app = Starlette(
        routes=[
            Route("/common/discovery/instance", login.instances),
            Route("/common/userrealm/{user}", login.realm),
            Route("/subscriptions", login.subscriptions),
            Route("/tenants", login.tenants),
            Route("/{tenant}/.well-known/openid-configuration", _answered(login.metadata_v1)),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", _answered(login.metadata)),
            Route("/{tenant}/discovery/keys", _answered(login.keys)),
            Route("/{tenant}/discovery/v2.0/keys", _answered(login.keys)),
            Route("/{tenant}/oauth2/token", _answered(login.token_v1), methods=_METHODS),
            Route("/{tenant}/oauth2/v2.0/token", _answered(login.token), methods=_METHODS),
        ]
    )
    return only_by((*hosts.LOOPBACK, *hosts.LOGIN, *hosts.MANAGEMENT), app)


def _answered(endpoint: Endpoint) -> Endpoint:
    """Give *endpoint* with its refusals as replies; the caller's id of the request is told back."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SignInError as error:
            return error.response(request.headers.get("client-request-id"))
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


class _Login:
    """What the login service answers, by address."""

    def __init__(self, tenant: Tenant, lifetime: float) -> None:
        self._tenant = tenant
        self._lifetime = lifetime

    async def metadata(self, request: Request) -> Response:
        return JSONResponse(metadata.configuration(_origin(request), self._named(request)))

    async def metadata_v1(self, request: Request) -> Response:
        name = self._named(request)
        return JSONResponse(metadata.configuration(_origin(request), name, is_v1=True))

    async def keys(self, request: Request) -> Response:
        self._named(request)
        return JSONResponse({"keys": []})

    async def instances(self, request: Request) -> Response:
        return JSONResponse(metadata.instances(_origin(request), "common"))

    async def realm(self, request: Request) -> Response:
        return JSONResponse(metadata.realm(request.path_params["user"]))

    async def subscriptions(self, request: Request) -> Response:
        return self._managed(request, [])

    async def tenants(self, request: Request) -> Response:
        key = setting(self._tenant.db, "tenant")
        return self._managed(request, [{"id": f"/tenants/{key}", "tenantId": key}])

    async def token_v1(self, request: Request) -> Response:
        return await self._token(request, is_v1=True)

    async def token(self, request: Request) -> Response:
        return await self._token(request, is_v1=False)

    async def _token(self, request: Request, *, is_v1: bool) -> Response:
        if request.method != "POST":
            raise refusals.NOT_POSTED.error(method=request.method)
        form = {**await _form(request), **_basic(request)}
        self._check_grant(request, form)
        tenant = self._tenant
        asked = TokenRequest(tenant.db, form, self._addresses(request), is_v1=is_v1)
        application = grants.find_application(asked)
        grant = await grants.granted(asked, application)
        reply = issuing.reply(tenant, application, grant, self._lifetime, asked)
        return JSONResponse(reply, headers={"cache-control": "no-store, no-cache"})

    def _check_grant(self, request: Request, form: dict[str, str]) -> None:
        """Raise Microsoft's refusal of a tenant, or of one that is none, for what is asked."""
        name = self._named(request)
        if name not in metadata.SHARED:
            return
        if form.get("grant_type") != "password":
            raise refusals.WHICH_TENANT.error()
        if name != "organizations":
            raise refusals.NOT_COMMON.error()
        self._id(form.get("username", "").rpartition("@")[2])

    def _named(self, request: Request) -> str:
        """Give the tenant in the path by its id, or the name that is shared by all."""
        name = str(request.path_params["tenant"]).lower()
        return name if name in metadata.SHARED else self._id(name)

    def _id(self, name: str) -> str:
        db = self._tenant.db
        key = setting(db, "tenant")
        domain = resource(db, "domain", name)
        if name != key and not (domain and domain["isVerified"]):
            raise refusals.NO_TENANT.error(name=name)
        return key

    def _addresses(self, request: Request) -> list[str]:
        """Give what this tenant is called: as the caller wrote it and by id, at each address.

        Whatever name the caller used itself, an assertion is for the server that it reached.
        """
        names = {request.path_params["tenant"], setting(self._tenant.db, "tenant")}
        port = request.scope["server"][1]
        reached = [f"[{name}]" if ":" in name else name for name in hosts.LOOPBACK]
        origins = (*(f"{name}:{port}" for name in reached), *hosts.LOGIN)
        return [f"https://{origin}/{name}" for origin in origins for name in sorted(names)]

    def _managed(self, request: Request, value: list[dict[str, Any]]) -> Response:
        """Answer for Azure Resource Manager, which wants a token of this tenant."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and tokens.is_ours(token.strip(), self._tenant.key):
            return JSONResponse({"value": value, "count": {"type": "Total", "value": len(value)}})
        message = "Authentication failed. The 'Authorization' header is missing or invalid."
        return JSONResponse(
            {"error": {"code": "AuthenticationFailed", "message": message}}, status_code=401
        )


def _origin(request: Request) -> str:
    return f"https://{request.url.netloc}"


def _basic(request: Request) -> dict[str, str]:
    """Give id and secret of an application that shows them in a header (RFC 6749, 2.3.1)."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client, _, secret = base64.b64decode(shown).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}


async def _form(request: Request) -> dict[str, str]:
    """Read a form of bounded length; what is not UTF-8 in it is no value that anybody has."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > _LONGEST:
            raise refusals.TOO_LARGE.error()
    return dict(parse_qsl(whole.decode("utf-8", "replace"), keep_blank_values=True))
