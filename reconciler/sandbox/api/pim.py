"""Privileged Identity Management: requests, and the schedules and instances they lead to.

Schedules of active assignments also tell of those that were made for good (Graph, "List
roleAssignmentSchedules").
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import rolelists, schedulerequests
from reconciler.sandbox.api.rolelists import BASIC, moment, nothing, other, text
from reconciler.sandbox.api.rolepolicies import require_premium
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import schedules
from reconciler.sandbox.data.assignments import of_document
from reconciler.sandbox.data.moments import precise
from reconciler.sandbox.data.properties import Filter, Kind, Property
from reconciler.sandbox.data.schedules import ACTIVE, BEGUN, ELIGIBLE, WAITING
from reconciler.sandbox.data.store import resource
from reconciler.sandbox.trouble.lag import Area

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.api.rolelists import Document
    from reconciler.sandbox.wire import Reply

_KEPT_FOR: Final = timedelta(days=45)
"""How long requests are listed; schedules tell what holds."""

_HOLDING: Final = tuple(
    text(name) for name in ("principalId", "roleDefinitionId", "directoryScopeId", "appScopeId")
)
_REQUEST: Final = (
    text("id"),
    text("status"),
    moment("createdDateTime"),
    moment("completedDateTime"),
    text("approvalId"),
    text("customData"),
    text("action"),
    *_HOLDING,
    Property("isValidationOnly", Kind.BOOLEAN, Filter.DEFAULT),
    text("targetScheduleId"),
    text("justification"),
    other("createdBy"),
    other("scheduleInfo"),
    other("ticketInfo"),
)
_SCHEDULE: Final = (
    text("id"),
    *_HOLDING,
    text("createdUsing"),
    moment("createdDateTime"),
    moment("modifiedDateTime"),
    text("status"),
    text("memberType"),
    other("scheduleInfo"),
)
_INSTANCE: Final = (
    text("id"),
    *_HOLDING,
    moment("startDateTime"),
    moment("endDateTime"),
    text("memberType"),
)


def _target(kind: str) -> rolelists.Related:
    def related(call: Call, document: Document, _: tuple[str, ...]) -> Document | None:
        found = schedules.find(call.db, kind, of_document(document))
        is_same = found is not None and found["id"] == document["targetScheduleId"]
        return found if is_same else None

    return related


_REQUESTS: Final = {
    ELIGIBLE: rolelists.shape(
        "unifiedRoleEligibilityScheduleRequest",
        "roleEligibilityScheduleRequests",
        _REQUEST,
        {**BASIC, "targetSchedule": _target(ELIGIBLE)},
    ),
    ACTIVE: rolelists.shape(
        "unifiedRoleAssignmentScheduleRequest",
        "roleAssignmentScheduleRequests",
        _REQUEST,
        {**BASIC, "targetSchedule": _target(ACTIVE), "activatedUsing": nothing},
    ),
}
_SCHEDULES: Final = {
    ELIGIBLE: rolelists.shape(
        "unifiedRoleEligibilitySchedule", "roleEligibilitySchedules", _SCHEDULE, BASIC
    ),
    ACTIVE: rolelists.shape(
        "unifiedRoleAssignmentSchedule",
        "roleAssignmentSchedules",
        (*_SCHEDULE, text("assignmentType")),
        {**BASIC, "activatedUsing": nothing},
    ),
}
_INSTANCES: Final = {
    ELIGIBLE: rolelists.shape(
        "unifiedRoleEligibilityScheduleInstance",
        "roleEligibilityScheduleInstances",
        (*_INSTANCE, text("roleEligibilityScheduleId")),
        BASIC,
    ),
    ACTIVE: rolelists.shape(
        "unifiedRoleAssignmentScheduleInstance",
        "roleAssignmentScheduleInstances",
        (
            *_INSTANCE,
            text("assignmentType"),
            text("roleAssignmentOriginId"),
            text("roleAssignmentScheduleId"),
        ),
        {**BASIC, "activatedUsing": nothing},
    ),
}

# --- what the lists are made of: a number and a document; those of deleted users wait unseen

_LIVING: Final = (
    "NOT IN (SELECT id FROM user WHERE deleted IS NOT NULL UNION ALL "
    'SELECT id FROM "group" WHERE deleted IS NOT NULL)'
)
_KEPT: Final = (
    "SELECT 2 * rowid AS seq, document FROM resource WHERE kind = ? "  # noqa: S608 -- constants
    f"AND json_extract(document, '$.principalId') {_LIVING}"
)
_HELD: Final = (
    "FROM role_assignment AS a LEFT JOIN resource AS s ON s.kind = 'roleAssignmentSchedule' "
    "AND s.id = principal_id || '/' || role_id || scope "
    f"WHERE principal_id {_LIVING}"
)
_NAMES: Final = (
    "'principalId', principal_id, 'roleDefinitionId', role_id, 'directoryScopeId', scope, "
    "'memberType', 'Direct', 'assignmentType', 'Assigned'"
)
_FOR_GOOD: Final = (
    f"SELECT 2 * seq + 1 AS seq, json_object('id', a.id, {_NAMES}, 'status', 'Provisioned', "
    "'scheduleInfo', json_object('startDateTime', ?, 'recurrence', NULL, 'expiration', "
    "json_object('type', 'noExpiration', 'endDateTime', NULL, 'duration', NULL))) AS document "
    f"{_HELD} AND s.id IS NULL"
)
_ENDS: Final = (
    "'startDateTime', json_extract(s.document, '$.scheduleInfo.startDateTime'), "
    "'endDateTime', json_extract(s.document, '$.scheduleInfo.expiration.endDateTime')"
)
_ACTIVE_NOW: Final = (
    f"SELECT seq, json_object('id', a.id, {_NAMES}, {_ENDS}, 'roleAssignmentOriginId', a.id, "
    "'roleAssignmentScheduleId', coalesce(json_extract(s.document, '$.id'), a.id)) AS document "
    f"{_HELD}"
)

_ELIGIBLE_NOW: Final = (
    "SELECT 2 * s.rowid AS seq, json_object('id', json_extract(s.document, '$.id') || '-1-e', "  # noqa: S608 -- constants
    "'principalId', json_extract(s.document, '$.principalId'), "
    "'roleDefinitionId', json_extract(s.document, '$.roleDefinitionId'), "
    "'directoryScopeId', json_extract(s.document, '$.directoryScopeId'), 'memberType', 'Direct', "
    f"{_ENDS}, 'roleEligibilityScheduleId', json_extract(s.document, '$.id')) AS document "
    "FROM resource AS s WHERE s.kind = ? AND json_extract(s.document, '$.status') = ? "
    f"AND json_extract(s.document, '$.principalId') {_LIVING}"
)


def requests(call: Call, kind: str) -> Reply:
    """`GET …ScheduleRequests`: those of the last 45 days."""
    require_premium(call.db)
    source = f"{_KEPT} AND json_extract(document, '$.createdDateTime') > ?"
    since = precise(call.now - _KEPT_FOR)
    return rolelists.listing(call, _REQUESTS[kind], source, schedules.request_kind(kind), since)


def request(call: Call, kind: str) -> Reply:
    """`GET …ScheduleRequests/{id}`."""
    require_premium(call.db)
    return rolelists.one(call, _REQUESTS[kind], _kept(call, kind))


def _kept(call: Call, kind: str) -> Document:
    found = resource(call.db, schedules.request_kind(kind), call.key)
    if found is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return found


def ask(call: Call, kind: str) -> Reply:
    """`POST …ScheduleRequests`."""
    require_premium(call.db)
    asked = schedulerequests.read(call, kind)
    if kind == ACTIVE and not asked.is_removal:
        p.require(call, p.ACTIVATION_WRITE, is_pim=True)
    return rolelists.one(call, _REQUESTS[kind], schedulerequests.carry_out(call, asked), 201)


def cancel(call: Call, kind: str) -> Reply:
    """`POST …ScheduleRequests/{id}/cancel`: only of what has not begun."""
    require_premium(call.db)
    found = _kept(call, kind)
    if found["status"] != WAITING:
        raise errors.NOT_CANCELABLE.error(status=found["status"])
    schedules.answer(call.db, kind, call.key, "Revoked")
    schedules.drop(call.db, kind, of_document(found))
    return NO_CONTENT


def all_schedules(call: Call, kind: str) -> Reply:
    """`GET …Schedules`: what holds, or will."""
    require_premium(call.db)
    if kind == ELIGIBLE:
        return rolelists.listing(call, _SCHEDULES[kind], _KEPT, kind)
    source = f"{_KEPT} UNION ALL {_FOR_GOOD}"
    return rolelists.listing(call, _SCHEDULES[kind], source, kind, precise(call.now))


def instances(call: Call, kind: str) -> Reply:
    """`GET …ScheduleInstances`: what holds now."""
    require_premium(call.db)
    if kind == ACTIVE:
        return rolelists.listing(call, _INSTANCES[kind], _ACTIVE_NOW)
    return rolelists.listing(call, _INSTANCES[kind], _ELIGIBLE_NOW, kind, BEGUN)


def _routes(
    kind: str, read: frozenset[str], write: frozenset[str], ask_with: frozenset[str], noun: str
) -> tuple[tuple[str, str, Route], ...]:
    """Give the routes of one kind of schedule; requests are only shown to who may write."""

    def route(
        handler: Callable[[Call, str], Reply], allowed: frozenset[str], activity: str | None = None
    ) -> Route:
        return Route(lambda call: handler(call, kind), allowed, area=Area.PIM, activity=activity)

    made = _REQUESTS[kind].collection
    return (
        ("GET", made, route(requests, write)),
        ("POST", made, route(ask, ask_with, f"Add {noun} to role in PIM requested")),
        ("GET", f"{made}/{{}}", route(request, write)),
        (
            "POST",
            f"{made}/{{}}/cancel",
            route(cancel, write, f"Cancel request to add {noun} to role in PIM"),
        ),
        ("GET", _SCHEDULES[kind].collection, route(all_schedules, read)),
        ("GET", _INSTANCES[kind].collection, route(instances, read)),
    )


ROUTES: Final = (
    *_routes(
        ELIGIBLE,
        p.ELIGIBILITY_READ,
        p.ELIGIBILITY_WRITE,
        p.ELIGIBILITY_WRITE,
        "eligible member",
    ),
    *_routes(ACTIVE, p.ACTIVATION_READ, p.ACTIVATION_WRITE, p.ACTIVATION_REMOVE, "member"),
)
