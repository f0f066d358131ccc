"""What clients look up before they sign in: endpoints, keys, clouds, kinds of people.

After the documents that login.microsoftonline.com serves ("OpenID Connect on the Microsoft
identity platform"; the instance discovery of MSAL). Addresses are those of the caller.
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.sandbox import hosts

SHARED: Final = frozenset(("common", "organizations", "consumers"))
"""Names that stand for no tenant in particular."""

_CLOUDS: Final = (
    ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"),
    ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
    ("login.microsoftonline.us", "login.usgovcloudapi.net"),
)


def configuration(origin: str, tenant: str, *, is_v1: bool = False) -> dict[str, Any]:
    """Give the document at `.well-known/openid-configuration` of *tenant*."""
    base = f"{origin}/{tenant}"
    below, keys = (
        ("/oauth2", "/discovery/keys") if is_v1 else ("/oauth2/v2.0", "/discovery/v2.0/keys")
    )
    shown = "{tenantid}" if tenant in SHARED else tenant
    issuer = f"https://sts.windows.net/{shown}/" if is_v1 else f"{origin}/{shown}/v2.0"
    return {
        "token_endpoint": f"{base}{below}/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{base}{keys}",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}{below}/authorize",
        "device_authorization_endpoint": f"{base}{below}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}{below}/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "acr", "nonce", "name", "tid"],
        "tenant_region_scope": None if tenant in SHARED else "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


def instances(origin: str, tenant: str) -> dict[str, Any]:
    """Give the document of instance discovery, which knows this server as a cloud of its own."""
    host = origin.partition("://")[2]
    clouds = [_cloud(names) for names in _CLOUDS]
    if host not in hosts.LOGIN:
        clouds.append(_cloud((host,)))
    return {
        "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": clouds,
    }


def _cloud(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "preferred_network": names[0],
        "preferred_cache": names[0],
        "aliases": list(names),
    }


def realm(user: str) -> dict[str, Any]:
    """Say that *user* signs in here and not with a federated domain's own service."""
    domain = user.rpartition("@")[2]
    return {
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
