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
        self.headers: Mapping[str, str] = {}
        """What the reply carries beside the body."""

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
    """A row: status, code and message with `{slots}`; *detail* is the code in `details[]`."""

    status: int
    code: str
    message: str
    evidence: str = field(kw_only=True)
    detail: str | None = field(default=None, kw_only=True)
    also: tuple[str, ...] = field(default=(), kw_only=True)
    """Codes of further entries of `details[]`, which say the same."""

    def error(self, *, target: str = "", **slots: object) -> GraphError:
        """Make the error to raise."""
        message = self.message.format(**slots)
        codes = (self.detail, *self.also) if self.detail else ()
        details = ({"code": code, "message": message, "target": target} for code in codes)
        return GraphError(self.status, self.code, message, tuple(details))


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
TOKEN_AUDIENCE = Refusal(
    401, _TOKEN, "Access token validation failure. Invalid audience.", evidence="R"
)
TOKEN_REVOKED = Refusal(
    401,
    _TOKEN,
    "Continuous access evaluation resulted in claims challenge with result: InteractionRequired "
    "and code: TokenIssuedBeforeRevocationTimestamp",
    evidence="R",
)
DENIED = Refusal(
    403, _DENIED, "Insufficient privileges to complete the operation.", evidence="R, D"
)

# --- trouble: what the tenant says only where a faults file asks for it
THROTTLED = Refusal(
    429, "TooManyRequests", "Please retry again later.", evidence="D throttling.md, sample response"
)
THROTTLED_TEMPORARILY = Refusal(
    429,
    "Request_ThrottledTemporarily",
    "Your request is throttled temporarily. Please try after {seconds} seconds.",
    evidence="D errors for the code, C words",
)
BAD_REQUEST = Refusal(400, "BadRequest", "The request is not valid.", evidence="C code, I words")
CONCURRENCY = Refusal(
    409,
    "Directory_ConcurrencyViolation",
    "A conflicting write was made to the same object. Please try again.",
    evidence="D for the code, I for status and words",
)
PRECONDITION = Refusal(
    412,
    "PreconditionFailed",
    "A precondition provided in the request does not match the resource's current state.",
    evidence="D errors for the meaning, I code",
)
LOCKED = Refusal(
    423, "Locked", "The resource that is being accessed is locked.", evidence="D errors, I code"
)
INTERNAL = Refusal(
    500,
    "Service_InternalServerError",
    "Encountered an internal server error.",
    evidence="C code, I words",
)
UNFORESEEN = Refusal(
    500,
    "InternalServerError",
    "The server encountered an internal error.",
    evidence="C code, I words; a fault of the sandbox itself",
)
BAD_GATEWAY = Refusal(502, "UnknownError", "", evidence="I, as the row below")
GATEWAY_TIMEOUT = Refusal(504, "UnknownError", "", evidence="R microsoft-graph-docs#2505, #5288")
UNAVAILABLE = Refusal(
    503, "ServiceUnavailable", "The service is unavailable.", evidence="C code, I words"
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
MISDIRECTED = Refusal(
    421,
    "MisdirectedRequest",
    "The sandbox answers for this machine and for Microsoft's own names, not for this host.",
    evidence="the sandbox's own",
)
BODY_TOO_LARGE = Refusal(
    413,
    "RequestEntityTooLarge",
    "The request entity is too large.",
    evidence="D known limits (4 MB), I code and words",
)
TARGET_TOO_LONG = Refusal(
    414,
    "RequestUriTooLong",
    "The request URI is too long.",
    evidence="I, http.sys takes 16 KB of address by default",
)
BODY_ENCODING = Refusal(
    415,
    "UnsupportedMediaType",
    "The content encoding '{encoding}' is not supported.",
    evidence="C kiota-http-go sends again without compression after a 415, I words",
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
DUPLICATE_ADDRESS = Refusal(
    400,
    _BAD,
    "Another object with the same value for property proxyAddresses already exists.",
    evidence="R microsoft-graph-docs-contrib#8421",
    detail="ObjectConflict",
    also=("ConflictingObjects",),
)
DIRECTORY_QUOTA = Refusal(
    403,
    "Directory_QuotaExceeded",
    "The directory object quota limit for the Principal has been exceeded. Please ask your "
    "administrator to increase the quota limit or delete objects to reduce the used quota.",
    evidence="R, quoted by Azure Arc Jumpstart and others; C azure-sdk-tools#5169; D status",
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
MISSING_VALUE = Refusal(
    400,
    _BAD,
    "A value is required for property '{property}' of resource '{resource}'.",
    evidence="I, after the same words for users and groups",
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
    evidence="R for the first sentence with Edm.Guid, I for other types",
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

SKIP_UNSUPPORTED = Refusal(
    400,
    _BAD,
    "'$skip' is not supported by the service.",
    evidence="R microsoft-graph-docs#9279",
)
SORTING = Refusal(
    400,
    _UNSUPPORTED,
    "Sorting not supported for current query.",
    evidence="R, quoted by tests of Graph clients (users?$orderby beside $filter)",
)
ORDER_SYNTAX = Refusal(
    400,
    "BadRequest",
    "Syntax error at position {position} in '{text}'.",
    evidence="C OData library; I that Graph passes it on",
)
SEARCH_SYNTAX = Refusal(
    400,
    "BadRequest",
    "Syntax error: character '{character}' is not valid at position {position} in '{text}'.",
    evidence="R, quoted by a test of a Graph client ($search=displayName:room without quotes)",
)
SEARCH_PROPERTY = Refusal(
    400,
    _BAD,
    "The search clause '{clause}' does not name a property.",
    evidence="D search-query-parameter rule, I words",
)
EXPAND_MANY = Refusal(
    400,
    "BadRequest",
    "The result of parsing $expand contained at least {count} items, but the maximum allowed is 1.",
    evidence="R microsoft-graph-docs#96",
)
EXPAND_TERM = Refusal(
    400,
    "BadRequest",
    "Parsing OData Select and Expand failed: Term '{term}' is not valid in a $select or $expand "
    "expression.",
    evidence="C OData library",
)
FILTER_BESIDE_EXPAND = Refusal(
    400,
    _UNSUPPORTED,
    "Unsupported or invalid query filter clause specified for property '{property}' of resource "
    "'{type}'.",
    evidence="R microsoft-graph-docs-contrib#9095 for users",
)
OPTION_TWICE = Refusal(
    400,
    "BadRequest",
    "Query option '{option}' was specified more than once, but it must be specified at most once.",
    evidence="C OData library",
)
OPTION_UNKNOWN = Refusal(
    400,
    "BadRequest",
    "The query parameter '{option}' is not supported.",
    evidence="C OData library",
)
BAD_COUNT = Refusal(
    400,
    "BadRequest",
    "Invalid value '{value}' for $count query option found. Valid values are 'true' or 'false'.",
    evidence="C OData library",
)
NOT_ON_COLLECTION = Refusal(
    501,
    "NotImplemented",
    "The property '{property}' cannot be requested for a collection of users.",
    evidence="D List users, for status and code; I words",
)
NOT_COLLECTION = Refusal(
    400,
    "BadRequest",
    "The query specified in the URI is not valid. The requested resource is not a collection. "
    "Query options $filter, $orderby, $count, $skip, and $top can be applied only on collections.",
    evidence="R msgraph-sdk-powershell#2466 for the words, C code",
)
TOO_MANY_IDS = Refusal(
    400,
    _BAD,
    "Number of included identifiers cannot exceed '{most}'.",
    evidence="R for getByIds, I for checkMemberGroups",
)
PARAMETERS = Refusal(
    400,
    _BAD,
    "One or more parameters of the operation '{operation}' are missing from the request payload. "
    "The missing parameters are: {missing}.",
    evidence="R for assignLicense, I for other operations",
)

# --- extensions
OPEN_EXTENSION_EXISTS = Refusal(
    400,
    _BAD,
    "An extension already exists with given id.",
    evidence="R, quoted by tests of cli-microsoft365 (2025) and msgraph-sdk-dotnet",
)
OPEN_EXTENSIONS_FULL = Refusal(
    400,
    _BAD,
    "maximum number of extensions values supported per application is 2.",
    evidence="R sp-dev-docs#3328 for the words, I for the code",
)
OPEN_EXTENSION_NAME = Refusal(
    400, _BAD, "The extensionName '{name}' is not valid.", evidence="D rule, I words"
)
OPEN_EXTENSION_LARGE = Refusal(
    400,
    _BAD,
    "The extension exceeds the maximum size of 2 KB.",
    evidence="D extensibility-overview rule, I words",
)
EXTENSION_REGISTERED = Refusal(
    400,
    _BAD,
    "An extension property exists with the name {name}.",
    evidence="D that a name is registered once, I words",
)
EXTENSION_DEFINITION = Refusal(
    400,
    _BAD,
    "Invalid value specified for property '{property}' of resource 'ExtensionProperty'.",
    evidence="I, after the same words for users",
)
EXTENSION_VALUES = Refusal(
    400,
    _BAD,
    "The maximum number of 100 extension values of the object is exceeded.",
    evidence="D extensibility-overview rule, I words",
)

# --- licenses
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
    evidence="R, with ids of service plans",
)
PLANS_EXCLUSIVE = Refusal(
    400,
    _BAD,
    "License assignment failed because service plans {plans} are mutually exclusive",
    evidence="R, with ids of service plans",
    detail="MutuallyExclusiveViolation",
)
COMPANY_SKU = Refusal(
    400,
    _BAD,
    "License {sku} cannot be assigned to a user.",
    evidence="R microsoft-graph-docs-contrib#5644",
)
NO_LICENSE_CHANGES = Refusal(400, _BAD, "No license changes provided", evidence="C TeamsFunctions")
GROUP_LICENSE_NOT_HELD = Refusal(
    400, _BAD, "Group does not have a corresponding license.", evidence="I, after the user's"
)
GROUP_NOT_LICENSABLE = Refusal(
    400,
    _BAD,
    "Licenses can be assigned to security groups and to Microsoft 365 groups with "
    "securityEnabled set to true.",
    evidence="D rule, I words",
)
GROUP_LICENSING = Refusal(
    400,
    _BAD,
    "Group-based licensing requires a Microsoft Entra ID P1 license, or one of Office 365 E3 or "
    "above.",
    evidence="I",
)
SKU_FILTER = Refusal(
    400,
    _UNSUPPORTED,
    "Filtered searches against this resource are not supported.",
    evidence="R microsoft-graph-docs-contrib#6500; I for the code",
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
NO_REFERENCE = Refusal(
    400,
    _BAD,
    "The required property '@odata.id' is missing from the request payload.",
    evidence="I",
)

ALREADY_OWNER = Refusal(
    400,
    _BAD,
    "One or more added object references already exist for the following modified properties: "
    "'owners'.",
    evidence="R, quoted by Teams Toolkit and others",
)
LINK_GONE = Refusal(
    400,
    _BAD,
    "One or more removed object references do not exist for the following modified properties: "
    "'members'.",
    evidence="R Canvas LMS, C go-azure-sdk errors.go: in a race with another removal",
)
LAST_OWNER = Refusal(
    400,
    _BAD,
    "The group must have at least one owner, hence this owner cannot be removed.",
    evidence="R microsoft-graph-docs-contrib#3741",
)
INVALID_TARGET = Refusal(
    400,
    _BAD,
    "The reference target '{type}_{id}' of type '{type}' is invalid for the '{property}' "
    "reference.",
    evidence="R for groups and applications as owners, I for a manager of oneself",
)
NOT_IN_UNIFIED = Refusal(
    400,
    _BAD,
    "{type} cannot be added to Unified Groups. paramName: Members, paramValue: , objectType: "
    "Microsoft.Online.DirectoryServices.Group",
    evidence="R microsoft-graph-docs#11629 for Microsoft 365 groups; the names of others are I",
    detail="InvalidValue",
)
UNIFIED_NOT_NESTED = Refusal(
    400,
    _BAD,
    "Unified Groups cannot be added to Security Groups. paramName: Members, paramValue: , "
    "objectType: Microsoft.Online.DirectoryServices.Group",
    evidence="D group: add members, that it is refused; I words",
    detail="InvalidValue",
)
NOT_IN_ROLE_GROUP = Refusal(
    400,
    _BAD,
    "Groups cannot be added to groups assignable to role.",
    evidence="D Entra groups-concept, that it is refused; I words",
)
GROUP_REQUIRED = Refusal(
    400,
    _BAD,
    "A value is required for property '{property}' of resource 'Group'.",
    evidence="R Microsoft365DSC#3072, CIPP#2201",
)
GROUP_BAD_VALUE = Refusal(
    400,
    _BAD,
    "Invalid value specified for property '{property}' of resource 'Group'.",
    evidence="C for description and mailNickname, I for others and for texts that are too long",
)
INVALID_VALUES = Refusal(
    400,
    _BAD,
    "One or more property values specified are invalid.",
    evidence="R microsoft-graph-docs-contrib#8122 for a membership rule, I for contradictions",
)
GROUP_CONFLICT = Refusal(
    400,
    _BAD,
    "Another object with the same value for property {property} already exists.",
    evidence="R for mailNickname, I for uniqueName",
    detail="ObjectConflict",
)
MAIL_GROUP_CREATION = Refusal(
    400,
    _BAD,
    "Cannot Create a mail-enabled security groups and or distribution list.",
    evidence="R msgraph-sdk-powershell#1805",
)
MAIL_GROUP_DELETION = Refusal(
    400,
    _BAD,
    "Cannot Delete a mail-enabled security groups and or distribution list.",
    evidence="I, after the two others",
)
MAIL_ENABLEMENT = Refusal(
    400,
    _BAD,
    "The service does not currently support writes of mail-enabled groups. Please ensure that "
    "the mail-enablement property is unset and the security-enablement property is set.",
    evidence="R microsoft-graph-docs#372 and, for PATCH, #12014",
)
ROLE_ASSIGNABLE_FIXED = Refusal(
    400,
    _BAD,
    "Value for IsAssignableToRole cannot be updated for groups assignable to role.",
    evidence="R, a body of 2026-09-06",
)
GROUP_LICENSED = Refusal(
    400,
    _BAD,
    "Unable to delete the group because there is a product license assigned to the group. To "
    "delete this group, remove any product licenses first.",
    evidence="R timmcmic.blog 2021-05, from a deletion by synchronisation",
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
ROLE_NOT_SCOPED = Refusal(
    400,
    _BAD,
    "The given built-in role is not supported to be assigned to a single resource scope.",
    evidence="D entra-docs, assign custom roles with Microsoft Graph",
)

# --- PIM
NO_SCOPE = Refusal(
    403,
    "UnknownError",
    '{{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed due to missing '
    'permission scope {scopes}.","instanceAnnotations":[]}}',
    evidence="R microsoft-graph-docs#22292",
)
NO_PREMIUM = Refusal(
    400,
    "AadPremiumLicenseRequired",
    "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    evidence="R maester#1421",
)
ROLE_NOT_FOUND = Refusal(
    404,
    "RoleNotFound",
    "The role is not found.",
    evidence="R for the code, msgraph-sdk-dotnet#2772; I words",
)
ASSIGNMENT_EXISTS = Refusal(
    400, "RoleAssignmentExists", "The Role assignment already exists.", evidence="R"
)
NO_ASSIGNMENT = Refusal(
    400,
    "RoleAssignmentDoesNotExist",
    "The Role assignment does not exist.",
    evidence="R terraform-provider-azuread#1306",
)
POLICY_FAILED = Refusal(
    400,
    "RoleAssignmentRequestPolicyValidationFailed",
    "The following policy rules failed: {rules}",
    evidence="R azure-docs#80426, terraform-provider-azuread#1450",
)
TOO_SHORT = Refusal(
    400,
    "ActiveDurationTooShort",
    "The Active duration is too short. Miniumum Required is 5 minutes.",
    evidence="R, quoted by several PIM clients with this spelling",
)
BAD_PIM_REQUEST = Refusal(
    400,
    "InvalidRoleAssignmentRequest",
    "The role assignment request is invalid.",
    evidence="C Omnicit.PIM",
)
BAD_SCHEDULE = Refusal(
    400,
    "InvalidRoleAssignmentRequestSchedule",
    "The role assignment request schedule is invalid.",
    evidence="C for the code, I for the words",
)
NOT_ONESELF = Refusal(
    403,
    "UnauthorizedAccess",
    "The request can only be made by the principal that it is for.",
    evidence="D that only users act for themselves; I code and words",
)
NOT_ELIGIBLE = Refusal(
    400,
    "SubjectTypeNotSupported",
    "A service principal cannot be made eligible for a role.",
    evidence="D that it cannot; I code and words",
)
NOT_CANCELABLE = Refusal(
    400,
    "RoleAssignmentRequestNotCancelable",
    "The role assignment request cannot be canceled in its status '{status}'.",
    evidence="D unifiedRoleEligibilityScheduleRequest: cancel, that it is a 400; I code and words",
)

# --- Temporary Access Pass
PASS_LIFETIME = Refusal(
    400,
    "badRequest",
    "Invalid LifetimeInMinutes specified. The valid range between {least} and {most}.",
    evidence="R microsoft-graph-docs#12187",
)
PASS_ONLY_ONCE = Refusal(
    400,
    "badRequest",
    "The policy only allows a Temporary Access Pass that is usable once.",
    evidence="D that it is refused, I words",
)
PASS_NOT_ALLOWED = Refusal(
    400,
    "badRequest",
    "Converged UserCredentialPolicy does not allow creating or updating authentication method "
    "TemporaryAccessPass.",
    evidence="R for the beginning and the last word, I between",
)
PASS_FOR_GUEST = Refusal(
    400,
    "badRequest",
    "Temporary Access Pass cannot be added to an external guest user.",
    evidence="R entra-docs, howto-authentication-temporary-access-pass",
)
PASS_START = Refusal(400, "badRequest", "Invalid StartDateTime specified.", evidence="I")

# --- delta queries and the audit log
DELTA_EXPIRED = Refusal(
    410,
    "syncStateNotFound",
    "The sync state generation is not found. The delta token is expired and data must be "
    "synchronized again.",
    evidence="D delta-query-overview.md for 410 and Location, R Microsoft 365 developer blog, "
    "July 2020, for code and words",
)
DELTA_TOKEN = Refusal(
    400,
    _BAD,
    "The delta token is not valid.",
    evidence="I",
)
DELTA_OPTION = Refusal(
    400,
    _UNSUPPORTED,
    "The query option '{option}' is not supported with a delta query.",
    evidence="D delta-query-overview.md that it is not, I words",
)
DELTA_FILTER = Refusal(
    400,
    _UNSUPPORTED,
    "A delta query supports '$filter' only with 'id eq', for up to 50 objects.",
    evidence="D delta-query-overview.md and user-delta.md for the rule, I words",
)
AUDIT_PAGE_SIZE = Refusal(
    400,
    "BadRequest",
    "The limit of '{limit}' for Top query has been exceeded. The value from the incoming "
    "request is '{size}'.",
    evidence="C the words of Microsoft's OData library; I that the log uses them",
)
