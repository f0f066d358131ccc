"""What Graph's errors mean to us: one table, because codes alone do not say.

`Request_BadRequest` covers nearly everything, so every mature client reads messages too
(Graph, "Microsoft Graph error responses", advises against it and offers nothing else).
Each row cites where its wording was seen; a wording that changes is corrected here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from reconciler.text import visible, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meaning(Enum):
    """What to do about an error."""

    ALREADY_THERE = auto()
    """What was to be added is there: done."""
    ALREADY_GONE = auto()
    """What was to be removed is gone: done."""
    NAME_TAKEN = auto()
    """An account of that name exists."""
    NOT_THERE = auto()
    """404: gone, or not visible yet where this run has just made it."""
    NOT_YET = auto()
    """A dependent object has not arrived everywhere: again, in a while."""
    WEAK_PASSWORD = auto()
    """The tenant's banned-password list caught it: another one."""
    NO_SEATS = auto()
    """No seat is free, or the counter lags behind those just freed."""
    THROTTLED = auto()
    """Too fast: not executed, again after Retry-After."""
    UNAVAILABLE = auto()
    """The service failed: it may have executed the request."""
    PAGE_EXPIRED = auto()
    """The link to the next page is too old: the list from its beginning."""
    UNKNOWN_TOKEN = auto()
    """401: not executed. The token has expired, was revoked, or is not one for Graph."""
    FORBIDDEN = auto()
    """The identity may not."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class GraphError:
    """An error reply, reduced to what people and programs need, and harmless to show."""

    status: int
    code: str
    message: str
    request_id: str | None = None

    def __str__(self) -> str:
        """Give one line for a person, with Graph's request-id."""
        where = f" (request-id {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.code}: {self.message}{where}"

    @property
    def meaning(self) -> Meaning:
        """Look the error up in the table; the first row that fits decides."""
        for row in TABLE:
            if row.fits(self):
                return row.meaning
        return Meaning.OTHER if self.status in _OF_THE_REQUEST else Meaning.UNAVAILABLE


_OF_THE_REQUEST = range(300, 500)
"""What is below is no answer that ends anything."""
_LONGEST = 1_000
_LONGEST_CODE = 200
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Row:
    """An error is recognised by status, code and a part of its message; None is any."""

    meaning: Meaning
    status: int
    code: str | None = None
    message: str | None = None

    def fits(self, error: GraphError) -> bool:
        """Whether *error* is of this kind."""
        return (
            self.status == error.status
            and self.code in {None, error.code}
            and (self.message or "").casefold() in error.message.casefold()
        )


TABLE = (
    # microsoft-graph-docs#1508; cli-microsoft365 user-add.spec.ts: 400, never 409
    Row(
        Meaning.NAME_TAKEN,
        400,
        "Request_BadRequest",
        "same value for property userPrincipalName already exists",
    ),
    # terraform-provider-azuread, groups; Graph, add members
    Row(
        Meaning.ALREADY_THERE,
        400,
        "Request_BadRequest",
        "added object references already exist",
    ),
    # dod-ccpo/atat, 2020: a role assignment that exists
    Row(
        Meaning.ALREADY_THERE,
        400,
        "Request_BadRequest",
        "conflicting object with one or more of the specified property values",
    ),
    # midPoint connector, GraphEndpoint.java: the racing form of a removal
    Row(
        Meaning.ALREADY_GONE,
        400,
        "Request_BadRequest",
        "removed object references do not exist",
    ),
    # recorded by several administrators; assignLicense with removeLicenses
    Row(
        Meaning.ALREADY_GONE,
        400,
        "Request_BadRequest",
        "user does not have a corresponding license",
    ),
    # midPoint connector; recorded
    Row(
        Meaning.WEAK_PASSWORD,
        400,
        "Request_BadRequest",
        "does not comply with password complexity requirements",
    ),
    # recorded; the same wording when the counter lags
    Row(
        Meaning.NO_SEATS,
        400,
        "Request_BadRequest",
        "does not have any available licenses",
    ),
    # Partner-Center-DotNet-Samples#131: right after usageLocation was set
    Row(
        Meaning.NOT_YET,
        400,
        "Request_BadRequest",
        "cannot be done for user with invalid usage location",
    ),
    # terraform-provider-azuread, user_resource.go: retries creation on it
    Row(
        Meaning.NOT_YET,
        400,
        "Request_BadRequest",
        "one or more property values specified are invalid",
    ),
    # a principal just created, named in a body (ansible PR#2258; sdk-dotnet#2772)
    Row(
        Meaning.NOT_THERE,
        400,
        "Request_BadRequest",
        "does not exist or one of its queried reference-property objects are not present",
    ),
    Row(Meaning.NOT_THERE, 404),
    # Graph, "Error codes": two writers at once
    Row(Meaning.NOT_YET, 400, "Directory_ConcurrencyViolation"),
    Row(Meaning.NOT_YET, 409, "Directory_ConcurrencyViolation"),
    Row(Meaning.NOT_YET, 412, "Directory_ConcurrencyViolation"),
    Row(Meaning.THROTTLED, 429),
    # something between here and Graph gave up waiting: it may have been executed
    Row(Meaning.UNAVAILABLE, 408),
    Row(Meaning.UNAVAILABLE, 499),
    # json-batching: a batch answers 424 for what waited for a failed one
    Row(Meaning.NOT_YET, 424),
    # Graph, "Error codes": the page token of a listing that took too long
    Row(Meaning.PAGE_EXPIRED, 400, "Directory_ExpiredPageToken"),
    Row(Meaning.FORBIDDEN, 403),
    # Graph, "Error codes", and the challenges of continuous access evaluation
    Row(Meaning.UNKNOWN_TOKEN, 401, "InvalidAuthenticationToken"),
    Row(Meaning.FORBIDDEN, 401),
)


def graph_error(status: int, body: Any, headers: Mapping[str, str]) -> GraphError:  # noqa: ANN401 -- JSON
    """Read an error reply; tolerates every shape that services behind Graph have sent.

    `message` may be an object or JSON in a string, `details` an object, the body empty or
    HTML (go-azure-sdk, sdk/odata/errors.go).
    """
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    message = error.get("message")
    inner = error.get("innerError")
    inner = inner if isinstance(inner, dict) else {}
    return GraphError(
        status=status,
        code=_line(error.get("code"))[:_LONGEST_CODE] or "UnknownError",
        message=_message(message) or "Graph gave no reason",
        request_id=request_id(inner.get("request-id")) or request_id(headers.get("request-id")),
    )


def request_id(value: object) -> str | None:
    """Give what a reply calls itself, as it may be shown; None for what is no text."""
    return visible(value[:_LONGEST_ID]) if isinstance(value, str) else None


def _message(message: object) -> str:
    if isinstance(message, dict):
        message = message.get("value") or message.get("message") or ""
    return _line(message)[:_LONGEST]


def _line(text: object) -> str:
    """Give what came over the network on one line, as it may be shown."""
    return visible(without_secrets(" ".join(str(text or "").split())))
