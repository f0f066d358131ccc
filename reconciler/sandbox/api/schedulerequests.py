"""What PIM does when it is asked: assign, update, extend, renew, remove; or only whether it could.

An application acts as an administrator; to activate a role is for the person who is eligible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox import errors
from reconciler.sandbox.api import bodies, groups, objects, periods, rolelists, rolescopes
from reconciler.sandbox.api.rolepolicies import require_policy
from reconciler.sandbox.data import assignments, schedules
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.assignments import Holding
from reconciler.sandbox.data.moments import precise
from reconciler.sandbox.data.schedules import ACTIVE, BEGUN, WAITING
from reconciler.sandbox.data.store import add_resource, resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.api.periods import Period
    from reconciler.sandbox.calls import Call

_ACTIONS: Final = {
    name.lower(): name
    for name in (
        "adminAssign",
        "adminUpdate",
        "adminRemove",
        "adminExtend",
        "adminRenew",
        "selfActivate",
        "selfDeactivate",
        "selfExtend",
        "selfRenew",
    )
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to PIM, checked as far as it can be by itself."""

    id: str
    kind: str
    """The kind of schedule that it is about."""
    action: str
    holding: Holding
    justification: str | None
    ticket: Mapping[str, Any]
    custom: str | None
    is_validation: bool
    period: Period | None = None
    """None when the role is taken back."""

    @property
    def is_removal(self) -> bool:
        """Whether the role is taken back."""
        return self.action == "adminRemove"


def read(call: Call, kind: str) -> Request:
    """Give what the body asks for; raises Graph's refusals."""
    given = bodies.lowered(call.body())
    action = _ACTIONS.get((bodies.text(given, "action") or "").lower())
    if action is None:
        raise errors.BAD_PIM_REQUEST.error()
    if action.startswith("self"):
        raise errors.NOT_ONESELF.error()
    ticket = bodies.part(given, "ticketInfo") or {}
    request = Request(
        id=str(uuid4()),
        kind=kind,
        action=action,
        holding=_holding(call, kind, given),
        justification=bodies.text(given, "justification"),
        ticket={name: bodies.text(ticket, name) for name in ("ticketNumber", "ticketSystem")},
        custom=bodies.text(given, "customData"),
        is_validation=bool(bodies.flag(given, "isValidationOnly")),
    )
    if request.is_removal:
        return request
    return replace(request, period=periods.read(bodies.part(given, "scheduleInfo"), call.now))


def _holding(call: Call, kind: str, given: Mapping[str, Any]) -> Holding:
    """Give who is to hold which role over what; only some may, as for good."""
    principal_id = bodies.text(given, "principalId") or ""
    role_id = bodies.text(given, "roleDefinitionId") or ""
    scope = bodies.text(given, "directoryScopeId") or bodies.text(given, "appScopeId")
    if not (principal_id and role_id and scope):
        raise errors.BAD_PIM_REQUEST.error()
    if not GUID.fullmatch(principal_id) or not objects.exists(call.db, principal_id):
        raise errors.SUBJECT_NOT_FOUND.error()
    role = rolelists.role(call.db, role_id)
    if role is None:
        raise errors.ROLE_NOT_FOUND.error()
    group = groups.find(call.db, principal_id)
    if group and not group.properties.get("isAssignableToRole"):
        raise errors.NOT_ROLE_ASSIGNABLE.error()
    if kind != ACTIVE and resource(call.db, "servicePrincipal", principal_id):
        raise errors.NOT_ELIGIBLE.error()
    return Holding(role["id"], principal_id.lower(), rolescopes.checked(call.db, role, scope))


def carry_out(call: Call, request: Request) -> dict[str, Any]:
    """Do what is asked and give the request as Graph keeps it; raises its refusals."""
    found = schedules.find(call.db, request.kind, request.holding)
    is_held = request.kind == ACTIVE and assignments.is_held(call.db, request.holding)
    _require_state(call, request, found, is_held=is_held)
    if request.period is not None:
        require_policy(
            call.db,
            request.kind,
            request.holding.role_id,
            period=request.period,
            justification=request.justification,
            ticket=request.ticket,
        )
    status = "Revoked" if request.is_removal else _status(call, request)
    schedule_id = request.id if found is None else str(found["id"])
    shown = _document(call, request, status, schedule_id)
    if request.is_validation:
        return shown
    if found is not None and found["status"] == WAITING:
        schedules.answer(call.db, request.kind, found["createdUsing"], "Revoked")
    add_resource(call.db, schedules.request_kind(request.kind), request.id, shown)
    if request.period is None:
        schedules.drop(call.db, request.kind, request.holding)
    else:
        _schedule(call, request, request.period, found)
    return shown


def _status(call: Call, request: Request) -> str:
    """Give the status of one that begins now, or later (Graph's examples of replies)."""
    is_later = request.period is not None and request.period.start > call.now
    return WAITING if is_later else BEGUN


def _require_state(
    call: Call, request: Request, found: dict[str, Any] | None, *, is_held: bool
) -> None:
    """Raise Graph's refusal of an action that does not fit what there is."""
    exists = found is not None or is_held
    match request.action:
        case "adminAssign" if exists:
            raise errors.ASSIGNMENT_EXISTS.error()
        case "adminRenew" if exists:
            raise errors.ASSIGNMENT_EXISTS.error()
        case "adminRenew" if not _was_there(call, request):
            raise errors.NO_ASSIGNMENT.error()
        case "adminUpdate" | "adminExtend" | "adminRemove" if not exists:
            raise errors.NO_ASSIGNMENT.error()
        case "adminRemove" if found is not None and request.kind == ACTIVE:
            _require_age(call, found)
        case "adminExtend":
            _require_longer(request, found)


def _was_there(call: Call, request: Request) -> bool:
    """Whether the role was once given by a request, so that it can be renewed."""
    found = call.db.execute(
        "SELECT 1 FROM resource WHERE kind = ? AND json_extract(document, '$.principalId') = ? "
        "AND json_extract(document, '$.roleDefinitionId') = ? "
        "AND json_extract(document, '$.directoryScopeId') = ?",
        (
            schedules.request_kind(request.kind),
            request.holding.principal_id,
            request.holding.role_id,
            request.holding.scope,
        ),
    ).fetchone()
    return found is not None


def _require_age(call: Call, schedule: dict[str, Any]) -> None:
    """Raise the refusal to end what has begun less than five minutes ago."""
    age = call.now - schedules.start_of(schedule)
    if schedule["status"] == BEGUN and age < periods.SHORTEST:
        raise errors.TOO_SHORT.error()


def _require_longer(request: Request, found: dict[str, Any] | None) -> None:
    """Raise the refusal of an extension of what never ends, or by nothing (inferred)."""
    end = None if found is None else schedules.end_of(found)
    wanted = None if request.period is None else request.period.end
    if end is None or (wanted is not None and wanted <= end):
        raise errors.BAD_SCHEDULE.error()


def _document(call: Call, request: Request, status: str, schedule_id: str) -> dict[str, Any]:
    kept = not request.is_validation and not request.is_removal
    done = precise(call.now if request.period is None else request.period.start)
    return {
        "id": request.id,
        "status": status,
        "createdDateTime": precise(call.now),
        "completedDateTime": None if request.is_removal else done,
        "approvalId": None,
        "customData": request.custom,
        "action": request.action,
        "principalId": request.holding.principal_id,
        "roleDefinitionId": request.holding.role_id,
        "directoryScopeId": request.holding.scope,
        "appScopeId": None,
        "isValidationOnly": request.is_validation,
        "targetScheduleId": schedule_id if kept else None,
        "justification": request.justification,
        "createdBy": {
            "application": None,
            "device": None,
            "user": {"displayName": None, "id": call.caller.principal_id},
        },
        "scheduleInfo": None if request.period is None else request.period.shown(),
        "ticketInfo": dict(request.ticket),
    }


def _schedule(call: Call, request: Request, period: Period, found: dict[str, Any] | None) -> None:
    """Keep what the request makes, or makes of what there was, and let it begin."""
    holding = request.holding
    if found is not None and found["status"] == BEGUN and period.start <= call.now:
        period = replace(period, start=schedules.start_of(found))
    if period.start > call.now and request.kind == ACTIVE:
        assignments.remove(call.db, holding)
    document = {
        "id": request.id if found is None else found["id"],
        "principalId": holding.principal_id,
        "roleDefinitionId": holding.role_id,
        "directoryScopeId": holding.scope,
        "appScopeId": None,
        "createdUsing": request.id,
        "createdDateTime": precise(call.now) if found is None else found["createdDateTime"],
        "modifiedDateTime": None if found is None else precise(call.now),
        "status": _status(call, replace(request, period=period)),
        "memberType": "Direct",
        "scheduleInfo": period.kept(),
    }
    if request.kind == ACTIVE:
        document["assignmentType"] = "Assigned"
    schedules.keep(call.db, request.kind, document, call.now)
