"""What the login service answers when it says no: Microsoft's numbers, and their texts.

Evidence marks: `R` a reply that somebody quoted, `D` Microsoft's documentation, `C` what
mature clients rely on, `I` inferred, no quote found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from starlette.responses import JSONResponse


class SignInError(Exception):
    """The login service says no."""

    def __init__(self, row: SignInRefusal, text: str) -> None:
        super().__init__(text)
        self.row = row
        self.text = text

    def response(self, correlation: str | None = None) -> JSONResponse:
        """Give Microsoft's body: number, text and the ids to report."""
        number, trace, correlation = self.row.number, str(uuid4()), correlation or str(uuid4())
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": self.row.kind,
            "error_description": f"AADSTS{number}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {moment}",
            "error_codes": [number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        }
        return JSONResponse(body, self.row.status, {"cache-control": "no-store, no-cache"})


@dataclass(frozen=True, slots=True)
class SignInRefusal:
    """A row: number, OAuth's word for it, and text with `{slots}`."""

    number: int
    kind: str
    text: str
    status: int = 400
    evidence: str = field(kw_only=True)

    def error(self, **slots: object) -> SignInError:
        """Make the error to raise."""
        return SignInError(self, self.text.format(**slots))


_REQUEST: Final = "invalid_request"
_GRANT: Final = "invalid_grant"
_SCOPE: Final = "invalid_scope"
_CLIENT: Final = "invalid_client"
_CHECK: Final = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented "
    "assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
_NO_RECORD: Final = "No matching federated identity record found for presented assertion"

# --- the request, its tenant and its application
MISSING = SignInRefusal(
    900144,
    _REQUEST,
    "The request body must contain the following parameter: '{name}'.",
    evidence="R",
)
NOT_POSTED = SignInRefusal(
    900561,
    _REQUEST,
    "The endpoint only accepts POST requests. Received a {method} request.",
    evidence="R",
)
NO_SCOPE = SignInRefusal(
    90014,
    _REQUEST,
    "The required field 'scope' is missing from the credential. Ensure that you have all the "
    "necessary parameters for the login request.",
    evidence="R",
)
TOO_LARGE = SignInRefusal(
    90015, _REQUEST, "The request is too long.", 413, evidence="D the number, I the words"
)
NO_TENANT = SignInRefusal(
    90002,
    _REQUEST,
    "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing "
    "into the correct cloud. Check with your subscription administrator, this may happen if there "
    "are no active subscriptions for the tenant.",
    evidence="R",
)
WHICH_TENANT = SignInRefusal(
    50059,
    _REQUEST,
    "No tenant-identifying information found in either the request or implied by any provided "
    "credentials.",
    evidence="R MSAL.NET documentation",
)
NOT_COMMON = SignInRefusal(
    9001023,
    _REQUEST,
    "The grant type is not supported over the /common or /consumers endpoints. Please use the "
    "/organizations or tenant-specific endpoint.",
    evidence="D reference-error-codes",
)
NO_APPLICATION = SignInRefusal(
    700016,
    "unauthorized_client",
    "Application with identifier '{client}' was not found in the directory '{company}'. This can "
    "happen if the application has not been installed by the administrator of the tenant or "
    "consented to by any user in the tenant. You may have sent your authentication request to the "
    "wrong tenant.",
    evidence="R",
)
BAD_GRANT = SignInRefusal(
    70003,
    "unsupported_grant_type",
    "The app requested an unsupported grant type '{grant}'.",
    evidence="D reference-error-codes",
)

# --- what is asked for
NOT_DEFAULT = SignInRefusal(
    1002012,
    _SCOPE,
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope "
    "value with /.default suffixed to the resource identifier (application ID URI).",
    evidence="R",
)
BAD_SCOPE = SignInRefusal(
    70011,
    _SCOPE,
    "The provided request must include a 'scope' input parameter. The provided value for the "
    "input parameter 'scope' is not valid. The scope {scope} is not valid.",
    evidence="R",
)
TWO_RESOURCES = SignInRefusal(
    28000,
    _REQUEST,
    "Provided value for the input parameter scope is not valid because it contains more than one "
    "resource. Scope {scope} is not valid.",
    evidence="R",
)
NO_RESOURCE = SignInRefusal(
    500011,
    "invalid_resource",
    "The resource principal named {resource} was not found in the tenant named {company}. This can "
    "happen if the application has not been installed by the administrator of the tenant or "
    "consented to by any user in the tenant. You might have sent your authentication request to "
    "the wrong tenant.",
    evidence="R",
)
NO_CONSENT = SignInRefusal(
    65001,
    _GRANT,
    "The user or administrator has not consented to use the application with ID '{client}' named "
    "'{name}'. Send an interactive authorization request for this user and resource.",
    evidence="R",
)

# --- who the application is
NO_PROOF = SignInRefusal(
    7000216,
    _CLIENT,
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' "
    "grant type.",
    401,
    evidence="D reference-error-codes",
)
BAD_SECRET = SignInRefusal(
    7000215,
    _CLIENT,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client "
    "secret value, not the client secret ID, for a secret added to app '{client}'.",
    401,
    evidence="R",
)
OLD_SECRET = SignInRefusal(
    7000222,
    _CLIENT,
    "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to "
    "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate "
    "credentials for added security: https://aka.ms/certCreds.",
    401,
    evidence="R, May 2026",
)
MALFORMED = SignInRefusal(
    50027, _CLIENT, "JWT token is invalid or malformed.", 401, evidence="D reference-error-codes"
)
NO_KEY = SignInRefusal(
    700027,
    _CLIENT,
    "The certificate with identifier used to sign the client assertion is not registered on "
    "application. [Reason - {reason}, Please visit the Azure Portal, Graph Explorer or directly "
    "use MS Graph to see configured keys for app Id '{client}'].",
    401,
    evidence="R microsoft-authentication-library-for-js#8339",
)
WRONG_CLIENT = SignInRefusal(
    700021,
    _CLIENT,
    "Client assertion application identifier doesn't match 'client_id' parameter.",
    401,
    evidence="R",
)
WRONG_AUDIENCE = SignInRefusal(
    700023,
    _CLIENT,
    "Client assertion audience claim does not match Realm issuer.",
    401,
    evidence="R microsoft-authentication-library-for-dotnet#4951",
)
WRONG_TIME = SignInRefusal(
    700024,
    _CLIENT,
    "Client assertion is not within its valid time range. Current time: {now}, assertion valid "
    "from {start}, expiry time of assertion {end}. Review the documentation at "
    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    401,
    evidence="R",
)

# --- federated credentials
NO_FEDERATION = SignInRefusal(
    70025,
    _CLIENT,
    "The client '{client}'({name}) has no configured federated identity credentials.",
    401,
    evidence="R",
)
FOREIGN_ISSUER = SignInRefusal(
    700211,
    _CLIENT,
    f"{_NO_RECORD} issuer '{{value}}'. {_CHECK}",
    401,
    evidence="R azure-workload-identity#1200",
)
FOREIGN_AUDIENCE = SignInRefusal(
    700212,
    _CLIENT,
    f"{_NO_RECORD} audience '{{value}}'. {_CHECK}",
    401,
    evidence="R, quoted in 2024",
)
FOREIGN_SUBJECT = SignInRefusal(
    700213,
    _CLIENT,
    f"{_NO_RECORD} subject '{{value}}'. {_CHECK}",
    401,
    evidence="R dotnet/maui#31978",
)
SUBJECT_CASE = SignInRefusal(
    7002138,
    _CLIENT,
    f"{_NO_RECORD} subject '{{value}}'. The subject matches with case-insensitive comparison, but "
    "not with case-sensitive comparison. Check your federated identity credential Subject, "
    "Audience and Issuer against the presented assertion. See documentation at: "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation. See breaking "
    "change notification and remediation at: https://learn.microsoft.com/en-us/entra/"
    "identity-platform/reference-breaking-changes#august-2024.",
    401,
    evidence="R Azure/login#515",
)
NO_FEDERATED_RECORD = SignInRefusal(
    70021,
    _CLIENT,
    f"{_NO_RECORD}. Assertion Issuer: '{{issuer}}'. Assertion Subject: '{{subject}}'. Assertion "
    "Audience: '{audience}'. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
    401,
    evidence="R azure-workload-identity#616; I that it is said when parts match different records",
)
ISSUER_UNREACHABLE = SignInRefusal(
    501661,
    _REQUEST,
    "Request to External OIDC endpoint failed.",
    evidence="R GitLab documentation, Azure OIDC troubleshooting",
)
UNKNOWN_ISSUER_KEY = SignInRefusal(
    7000272,
    _CLIENT,
    "The certificate with identifier '{key}' used to sign the federated credential could not be "
    "found in the metadata of identity provider '{issuer}'.",
    401,
    evidence="R paraphrased in several repositories, I the end of the sentence",
)
BAD_SIGNATURE = SignInRefusal(
    700027,
    _CLIENT,
    "Client assertion failed signature validation.",
    401,
    evidence="D reference-error-codes",
)

# --- people
NO_USER = SignInRefusal(
    50034,
    _GRANT,
    "The user account {user} does not exist in the {tenant} directory. To sign into this "
    "application, the account must be added to the directory.",
    evidence="R",
)
BAD_PASSWORD = SignInRefusal(
    50126,
    _GRANT,
    "Error validating credentials due to invalid username or password.",
    evidence="R",
)
DISABLED = SignInRefusal(50057, _GRANT, "The user account is disabled.", evidence="R")
EXPIRED_PASSWORD = SignInRefusal(50055, _GRANT, "The password is expired.", evidence="R")
