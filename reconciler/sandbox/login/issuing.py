"""Tokens as replies: what Microsoft puts into them, and around them."""

from __future__ import annotations

import base64
import secrets
import time
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.sandbox.data.store import setting
from reconciler.sandbox.login import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.login.grants import Grant, TokenRequest
    from reconciler.sandbox.tenant import Tenant


def reply(
    tenant: Tenant,
    application: Mapping[str, Any],
    grant: Grant,
    lifetime: float,
    request: TokenRequest,
) -> dict[str, Any]:
    """Give the body that carries a token; there is none to refresh it with.

    Version 1.0 tells its numbers as text, and the resource with them.
    """
    claims = _claims(tenant, application, grant, lifetime)
    shown: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": int(lifetime),
        "ext_expires_in": int(lifetime),
    }
    if grant.is_person:
        shown["scope"] = claims["scp"]
        if request.form.get("client_info") == "1":
            shown["client_info"] = _client_info(claims)
    if request.is_v1:
        shown |= {
            "expires_on": int(claims["exp"]),
            "not_before": claims["nbf"],
            "resource": grant.audience,
        }
        shown = {name: str(value) for name, value in shown.items()}
    shown["access_token"] = tokens.sign(claims, tenant.key)
    return shown


def _claims(
    tenant: Tenant, application: Mapping[str, Any], grant: Grant, lifetime: float
) -> dict[str, Any]:
    now = time.time()
    directory = setting(tenant.db, "tenant")
    return {
        "aud": grant.audience,
        "iss": f"https://sts.windows.net/{directory}/",
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now + lifetime) if lifetime >= 1 else now + lifetime,
        "aio": secrets.token_urlsafe(24),
        "app_displayname": application["displayName"],
        "appid": application["appId"],
        "oid": grant.subject,
        "rh": f"1.{secrets.token_urlsafe(30)}.",
        "sub": grant.subject,
        "tenant_region_scope": "EU",
        "tid": directory,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
        **grant.claims,
    }


def _client_info(claims: Mapping[str, Any]) -> str:
    """Give whose token it is, as MSAL names accounts."""
    shown = orjson.dumps({"uid": claims["oid"], "utid": claims["tid"]})
    return base64.urlsafe_b64encode(shown).rstrip(b"=").decode()
