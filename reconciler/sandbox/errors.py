"""Every refusal of the tenant, in Graph's own words, each with the evidence for it.

Evidence marks: `R` a recorded reply or a quoted body, `D` Microsoft's documentation,
`C` what mature clients rely on, `I` inferred, no quote found. A live tenant that says
something else corrects its row here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping


def new_id() -> str:
    """Give an id for a request."""
    return str(uuid4())


class GraphError(Exception):
    """The tenant's refusal of one request."""

    def __init__(
        self, status: int, code: str, message: str, details: tuple[Mapping[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def envelope(self, request_id: str, client_request_id: str | None = None) -> dict[str, Any]:
        """Give the body; `innerError.date` has no zone (Azure CLI recordings)."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        error["innerError"] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        }
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row: status, code and message with `{slots}`; *detail* is the code of `details[]`."""

    status: int
    code: str
    message: str
    evidence: str = field(kw_only=True)
    detail: str | None = field(default=None, kw_only=True)

    def error(self, *, target: str = "", **slots: object) -> GraphError:
        """Make the error to raise."""
        message = self.message.format(**slots)
        entry = {"code": self.detail or "", "message": message, "target": target}
        return GraphError(self.status, self.code, message, (entry,) if self.detail else ())


_BAD = "Request_BadRequest"
_UNSUPPORTED = "Request_UnsupportedQuery"
_DENIED = "Authorization_RequestDenied"
_NOT_FOUND = "Request_ResourceNotFound"
_TOKEN = "InvalidAuthenticationToken"  # noqa: S105 -- Graph's error code, not a token

# --- tokens and permissions
TOKEN_EMPTY = Refusal(401, _TOKEN, "Access token is empty.", evidence="R")
TOKEN_EXPIRED = Refusal(
    401, _TOKEN, "Lifetime validation failed, the token is expired.", evidence="R"
)
TOKEN_MALFORMED = Refusal(
    401, _TOKEN, "CompactToken parsing failed with error code: 80049217", evidence="C"
)
TOKEN_FORGED = Refusal(401, _TOKEN, "Access token validation failure.", evidence="C")
DENIED = Refusal(
    403, _DENIED, "Insufficient privileges to complete the operation.", evidence="R, D"
)

# --- addresses and bodies
NO_RESOURCE = Refusal(
    404,
    _NOT_FOUND,
    "Resource '{id}' does not exist or one of its queried reference-property objects "
    "are not present.",
    evidence="R, Azure CLI test_group_scenario.yaml",
)
NO_SEGMENT = Refusal(
    400, "BadRequest", "Resource not found for the segment '{segment}'.", evidence="C"
)
METHOD_NOT_ALLOWED = Refusal(
    405,
    _BAD,
    "Specified HTTP method is not allowed for the request target.",
    evidence="D json-batching.md",
)
BAD_ID = Refusal(400, _BAD, "Invalid object identifier '{id}'.", evidence="C midPoint")
BAD_JSON = Refusal(
    400,
    "BadRequest",
    "Unable to read JSON request payload. Please ensure Content-Type header is set and "
    "payload is of valid JSON format.",
    evidence="C",
)
NOT_SERVED = Refusal(
    501, "NotImplemented", "The sandbox tenant does not serve {what}.", evidence="the sandbox's own"
)

# --- values of properties
DUPLICATE_UPN = Refusal(
    400,
    _BAD,
    "Another object with the same value for property userPrincipalName already exists.",
    evidence="R cli-microsoft365 user-add.spec.ts, microsoft-graph-docs#1508",
    detail="ObjectConflict",
)
CONFLICTING = Refusal(
    400,
    _BAD,
    "A conflicting object with one or more of the specified property values is present in "
    "the directory.",
    evidence="R, C go-azure-sdk errors.go",
)
UNVERIFIED_DOMAIN = Refusal(
    400,
    _BAD,
    "The domain portion of the userPrincipalName property is invalid. You must use one of "
    "the verified domain names in your organization.",
    evidence="R",
)
BAD_UPN = Refusal(
    400,
    _BAD,
    "Property userPrincipalName is invalid.",
    evidence="R microsoft-graph-docs-contrib#6967",
)
WEAK_PASSWORD = Refusal(
    400,
    _BAD,
    "The specified password does not comply with password complexity requirements. Please "
    "provide a different password.",
    evidence="R, C midPoint",
)
NO_PASSWORD = Refusal(400, _BAD, "A password must be specified to create a new user.", evidence="R")
NO_MAIL_NICKNAME = Refusal(
    400,
    _BAD,
    "Property mailNickname value is required but is empty or missing.",
    evidence="R MSGraph-SDK-Code-Generator#244",
)
REQUIRED = Refusal(
    400,
    _BAD,
    "A value is required for property '{property}' of resource 'User'.",
    evidence="R CIPP#6096",
)
BAD_VALUE = Refusal(
    400,
    _BAD,
    "Invalid value specified for property '{property}' of resource 'User'.",
    evidence="R msgraph-sdk-dotnet#187; I for usageLocation and for texts that are too long",
)
BAD_LENGTH = Refusal(
    400,
    _BAD,
    "The {property} should be between 1 and {limit} characters.",
    evidence="R msgraph-sdk-powershell#2087, for mobilePhone",
)
UNKNOWN_PROPERTY = Refusal(
    400, _BAD, "Invalid property '{property}'.", evidence="R PnP-Sites-Core#1807"
)
READ_ONLY_PROPERTY = Refusal(
    400,
    _BAD,
    "Property '{property}' is read-only and cannot be set.",
    evidence="I",
)
WRONG_TYPE = Refusal(
    400,
    _BAD,
    "Cannot convert a primitive value to the expected type 'Edm.{kind}'. See the inner exception "
    "for more details.",
    evidence="R for Edm.Guid, I for other types",
)
WRONG_NODE = Refusal(
    400,
    _BAD,
    "{found} node found for {property}, {expected} expected",
    evidence="R CIPP-API PR#2044, paraphrased there",
)
NAVIGATION = Refusal(
    400,
    _BAD,
    "The navigation property '{property}' cannot be set here. Use '{property}/$ref'.",
    evidence="D msgraph-sdk-powershell#1380 that it is refused, I words",
)
SYNCED = Refusal(
    400,
    _BAD,
    "Unable to update the specified properties for on-premises mastered Directory Sync "
    "objects or objects currently undergoing migration.",
    evidence="R",
)
EXTERNAL_ORIGIN = Refusal(
    400,
    _BAD,
    "Unable to update the specified properties for objects that have originated within an "
    "external service.",
    evidence="R msgraph-sdk-powershell#1854",
)
UNKNOWN_EXTENSION = Refusal(
    400,
    _BAD,
    "The following extension properties are not available: {property}.",
    evidence="C",
)

# --- queries
PAGE_SIZE = Refusal(
    400,
    _UNSUPPORTED,
    "Invalid page size specified: '{size}'. Must be between 1 and 999 inclusive.",
    evidence="R",
)
TOO_MANY_CLAUSES = Refusal(
    400,
    _UNSUPPORTED,
    "Too many child clauses specified in search filter expression containing 'OR' operators: "
    "{count}. Max allowed: 15.",
    evidence="R",
)
UNSUPPORTED = Refusal(400, _UNSUPPORTED, "Unsupported Query.", evidence="D aad-advanced-queries")
NOT_INDEXED = Refusal(
    400,
    _UNSUPPORTED,
    "The request uses a filter property that is not indexed",
    evidence="D aad-advanced-queries",
)
UNDECLARED = Refusal(
    400,
    _UNSUPPORTED,
    "Property '{property}' does not exist as a declared property or extension property.",
    evidence="R msgraph-sdk-php#329",
)
COUNT_UNSUPPORTED = Refusal(
    400, _BAD, "$count is not currently supported.", evidence="D aad-advanced-queries"
)
SEARCH_NEEDS_HEADER = Refusal(
    400,
    _UNSUPPORTED,
    "Request with $search query parameter only works through MSGraph with a special request "
    "header: 'ConsistencyLevel: eventual'",
    evidence="D aad-advanced-queries",
)
BAD_FILTER = Refusal(
    400, "BadRequest", "Invalid filter clause", evidence="R postman-collections#41"
)
UNKNOWN_SELECT = Refusal(
    400,
    "BadRequest",
    "Parsing OData Select and Expand failed: Could not find a property named '{property}' on "
    "type 'microsoft.graph.{type}'.",
    evidence="R",
)
PAGE_TOKEN = Refusal(
    400,
    "Directory_ExpiredPageToken",
    "The specified page token value has expired and can no longer be included in your request.",
    evidence="D for the code, I for the words",
)

# --- licenses
LICENSE_ARRAYS = Refusal(
    400,
    _BAD,
    "One or more parameters of the operation 'assignLicense' are missing from the request "
    "payload. The missing parameters are: {missing}.",
    evidence="R",
)
NO_USAGE_LOCATION = Refusal(
    400,
    _BAD,
    "License assignment cannot be done for user with invalid usage location.",
    evidence="R CIPP#783",
)
NO_SEATS = Refusal(
    400, _BAD, "Subscription with SKU {sku} does not have any available licenses.", evidence="R"
)
UNKNOWN_SKU = Refusal(
    400, _BAD, "License {sku} does not correspond to a valid company License.", evidence="R"
)
INHERITED = Refusal(
    400,
    _BAD,
    "User license is inherited from a group membership and it cannot be removed directly from "
    "the user.",
    evidence="R",
)
NOT_HELD = Refusal(400, _BAD, "User does not have a corresponding license.", evidence="R")
BAD_GUID = Refusal(
    400,
    _BAD,
    "Cannot convert a primitive value to the expected type 'Edm.Guid'. See the inner exception "
    "for more details.",
    evidence="R for the first sentence",
)
UNKNOWN_PLANS = Refusal(
    400,
    _BAD,
    "License assignment failed because the following service plans are not part of the license: "
    "{plans}",
    evidence="I",
)
PLAN_DEPENDENCY = Refusal(
    400,
    _BAD,
    "License assignment failed because service plan {plan} depends on the service plan(s) {needs}",
    evidence="R",
)
# --- groups
ALREADY_MEMBER = Refusal(
    400,
    _BAD,
    "One or more added object references already exist for the following modified properties: "
    "'members'.",
    evidence="R",
)
TWICE_IN_ONE_CHANGE = Refusal(
    400,
    _BAD,
    "A specific navigation property value can only be present once as an add/remove change.",
    evidence="R for the end of the sentence",
)
TOO_MANY_LINKS = Refusal(
    400,
    _BAD,
    "A resource cannot contain more than 20 link changes for the same request.",
    evidence="R for the first half of the sentence",
)
BARE_MEMBERS = Refusal(
    400, "BadRequest", "Write requests are only supported on contained entities", evidence="R"
)
MAIL_GROUP = Refusal(
    400,
    _BAD,
    "Cannot Update a mail-enabled security groups and or distribution list.",
    evidence="R microsoft-graph-docs#14827",
)
BAD_REFERENCE = Refusal(
    400, _BAD, "The reference '{reference}' is not a valid URI of a directory object.", evidence="I"
)

# --- batches
BATCH_TOO_LONG = Refusal(
    400, "BadRequest", "Number of batch request steps exceeds the max value of 20.", evidence="C"
)
BATCH_INVALID = Refusal(400, "BadRequest", "Invalid batch payload format.", evidence="C")
BATCH_DUPLICATE = Refusal(
    400, "BadRequest", "Request Id '{id}' has to be unique in a batch.", evidence="D rule, I words"
)
BATCH_BODY = Refusal(
    400,
    "BadRequest",
    "Write request id : {id} does not contain Content-Type header or body.",
    evidence="C",
)
BATCH_NESTED = Refusal(
    400, "BadRequest", "A batch request cannot contain another batch request.", evidence="D rule"
)
BATCH_URL = Refusal(
    400, "BadRequest", "Request id : {id} does not have a relative URL.", evidence="D rule"
)
BATCH_DEPENDS = Refusal(
    400,
    "BadRequest",
    "Request id : {id} depends on a request that does not stand before it.",
    evidence="D rule",
)
FAILED_DEPENDENCY = Refusal(
    424, "FailedDependency", "A request that this one depends on has failed.", evidence="D, I words"
)

# --- roles
SUBJECT_NOT_FOUND = Refusal(
    404,
    "SubjectNotFound",
    "The subject is not found.",
    evidence="R for the code, msgraph-sdk-dotnet#2772; I words",
)
UNKNOWN_ROLE = Refusal(400, _BAD, "The role definition '{id}' is not valid.", evidence="I")
ROLE_SCOPE = Refusal(400, _BAD, "The directory scope '{scope}' is not valid.", evidence="I")
NOT_ROLE_ASSIGNABLE = Refusal(400, _BAD, "The group is not assignable to a role.", evidence="I")
