"""Whom to trust: the usual certificate authorities, and those that the environment names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from reconciler.errors import UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


def certificates(environment: Mapping[str, str]) -> str | None:
    """Give the file of certificate authorities that the usual variables name."""
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
    return next((environment[name] for name in names if environment.get(name)), None)


def trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Trust the usual authorities, and those that *environment* names."""
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    if folder := environment.get("SSL_CERT_DIR"):
        context.load_verify_locations(capath=folder)
    if extra := certificates(environment):
        try:
            context.load_verify_locations(extra)
        except OSError as error:
            raise UsageError(
                "REQUESTS_CA_BUNDLE, SSL_CERT_FILE or CURL_CA_BUNDLE names no usable file",
                "give a PEM file of certificate authorities",
            ) from error
    return context
