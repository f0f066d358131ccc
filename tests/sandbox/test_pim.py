from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import ADMIN_APP, APPLY_APP, GROUPS, PEOPLE, UNITS
from reconciler.sandbox.company.governance import ROLE_POLICY
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data import store

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Office

Body = Callable[..., dict[str, Any]]
ROOT = "/roleManagement/directory"
ELIGIBLE, ACTIVE = f"{ROOT}/roleEligibility", f"{ROOT}/roleAssignment"
ASSIGNMENTS = f"{ROOT}/roleAssignments"
BOTH = pytest.mark.parametrize("kind", [ELIGIBLE, ACTIVE], ids=["eligible", "active"])
ABSENT = "00000000-0000-4000-8000-000000000000"
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
TIER1 = next(group.id for group in GROUPS if group.nickname == "tier1-helpdesk")
RESEARCH = next(group.id for group in GROUPS if group.nickname == "research-all")
TOKYO = next(unit.id for unit in UNITS if unit.name == "Tokyo")


def _body(action: str = "adminAssign", **changes: object) -> dict[str, Any]:
    usual = {
        "action": action,
        "justification": "Runs the help desk",
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "directoryScopeId": "/",
        "principalId": PRIYA,
    }
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def _for(duration: str, **more: object) -> dict[str, Any]:
    return {"expiration": {"type": "afterDuration", "duration": duration}, **more}


def _until(end: str, **more: object) -> dict[str, Any]:
    return {"expiration": {"type": "afterDateTime", "endDateTime": end}, **more}


def _ask(office: Office, kind: str, action: str = "adminAssign", **changes: object) -> Any:  # noqa: ANN401 -- JSON
    reply = office.graph.post(f"{kind}ScheduleRequests", json=_body(action, **changes))
    assert reply.status_code == 201, reply.text
    return reply.json()


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> bool:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    return (reply.status_code, error["code"], error["message"]) == expected


def _listed(office: Office, path: str, text: str | None = f"principalId eq '{PRIYA}'") -> Any:  # noqa: ANN401 -- JSON
    reply = office.graph.get(path, params={"$filter": text} if text else {})
    assert reply.status_code == 200, reply.text
    return reply.json()["value"]


# --- assigning


@BOTH
def test_a_role_is_given_for_good(office: Office, kind: str) -> None:
    """What begins now is provisioned at once, with moments of seven digits."""
    made = _ask(office, kind, scheduleInfo={"expiration": {"type": "NoExpiration"}})
    moment = "2026-11-23T09:00:00.2500000Z"
    assert made.pop("@odata.context").endswith(f"#{kind[1:]}ScheduleRequests/$entity")
    key = made["id"]
    assert made == {
        "id": key,
        "status": "Provisioned",
        "createdDateTime": moment,
        "completedDateTime": moment,
        "approvalId": None,
        "customData": None,
        "action": "adminAssign",
        "principalId": PRIYA,
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "directoryScopeId": "/",
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": key,
        "justification": "Runs the help desk",
        "createdBy": {
            "application": None,
            "device": None,
            "user": {"displayName": None, "id": made["createdBy"]["user"]["id"]},
        },
        "scheduleInfo": {
            "startDateTime": moment,
            "recurrence": None,
            "expiration": {"type": "noExpiration", "endDateTime": None, "duration": None},
        },
        "ticketInfo": {"ticketNumber": None, "ticketSystem": None},
    }
    (schedule,) = _listed(office, f"{kind}Schedules")
    assert (schedule["id"], schedule["status"]) == (key, "Provisioned")
    assert (schedule["createdUsing"], schedule["memberType"]) == (key, "Direct")
    (instance,) = _listed(office, f"{kind}ScheduleInstances")
    assert (instance["startDateTime"], instance["endDateTime"]) == (moment, None)
    assert key in instance.values()


def test_an_active_role_is_an_assignment(office: Office) -> None:
    """What is active shows among the assignments under the id that its instance names."""
    _ask(office, ACTIVE, scheduleInfo=_for("PT8H"))
    (held,) = _listed(office, ASSIGNMENTS)
    (instance,) = _listed(office, f"{ACTIVE}ScheduleInstances")
    assert instance["roleAssignmentOriginId"] == held["id"] == instance["id"]
    assert _refused(
        office.graph.post(ASSIGNMENTS, json={k: v for k, v in _body().items() if k != "action"}),
        errors.CONFLICTING,
    )
    assert office.graph.patch(f"/users/{PRIYA}", json={"mobilePhone": "1"}).status_code == 204


def test_an_eligible_role_is_not_held(office: Office) -> None:
    """Who is only eligible has no assignment."""
    _ask(office, ELIGIBLE)
    assert _listed(office, ASSIGNMENTS) == []
    assert _listed(office, f"{ACTIVE}Schedules") == []


@BOTH
def test_a_duration_becomes_a_moment(office: Office, kind: str) -> None:
    """A request keeps the duration it was given; its schedule tells when it ends."""
    made = _ask(office, kind, scheduleInfo=_for("p1dt2h30m"))
    expected = {"type": "afterDuration", "endDateTime": None, "duration": "P1DT2H30M"}
    assert made["scheduleInfo"]["expiration"] == expected
    (schedule,) = _listed(office, f"{kind}Schedules")
    assert schedule["scheduleInfo"]["expiration"] == {
        "type": "afterDateTime",
        "endDateTime": "2026-11-24T11:30:00.2500000Z",
        "duration": None,
    }


@BOTH
def test_an_end_ends_it(office: Office, kind: str) -> None:
    """When its time is over, a schedule is gone, and with it the role; its request is not."""
    made = _ask(office, kind, scheduleInfo=_until("2026-11-23T11:00:00+01:00"))
    assert made["scheduleInfo"]["expiration"]["endDateTime"] == "2026-11-23T10:00:00Z"
    office.later(minutes=59)
    assert len(_listed(office, f"{kind}Schedules")) == 1
    office.later(minutes=1)
    for path in (f"{kind}Schedules", f"{kind}ScheduleInstances", ASSIGNMENTS):
        assert _listed(office, path) == []
    (request,) = _listed(office, f"{kind}ScheduleRequests")
    assert request["id"] == made["id"]


@BOTH
def test_what_begins_later_waits(office: Office, kind: str) -> None:
    """A start in the future is granted now and provisioned when it comes."""
    start = {"startDateTime": "2026-11-24T08:00:00Z"}
    made = _ask(office, kind, scheduleInfo=_for("P30D", **start))
    assert (made["status"], made["completedDateTime"]) == ("Granted", "2026-11-24T08:00:00Z")
    (waiting,) = _listed(office, f"{kind}Schedules")
    assert waiting["status"] == "Granted"
    assert _listed(office, f"{kind}ScheduleInstances") == _listed(office, ASSIGNMENTS) == []
    office.later(days=1)
    (begun,) = _listed(office, f"{kind}Schedules")
    assert begun["status"] == "Provisioned"
    assert len(_listed(office, f"{kind}ScheduleInstances")) == 1
    assert len(_listed(office, ASSIGNMENTS)) == (1 if kind == ACTIVE else 0)
    path = f"{kind}ScheduleRequests/{made['id']}"
    assert office.graph.get(path).json()["status"] == "Provisioned"
    office.later(days=30)
    assert _listed(office, f"{kind}Schedules") == _listed(office, ASSIGNMENTS) == []


def test_the_next_moment_is_never_missed(office: Office) -> None:
    """Schedules that overlap begin and end each in its own time."""
    roles = ("Reports Reader", "Global Reader", "Security Reader")
    for hours, name in zip((3, 1, 2), roles, strict=True):
        _ask(office, ACTIVE, roleDefinitionId=BUILT_IN[name], scheduleInfo=_for(f"PT{hours}H"))
    held = []
    for _ in range(3):
        office.later(hours=1)
        held.append(len(_listed(office, ASSIGNMENTS)))
    assert held == [2, 1, 0]


def test_a_start_that_is_past_is_now(office: Office) -> None:
    """What should have begun begins now, as in Graph's own example."""
    start = {"startDateTime": "2022-04-10T00:00:00Z"}
    made = _ask(office, ELIGIBLE, scheduleInfo=_until("2028-04-10T00:00:00Z", **start))
    assert made["scheduleInfo"]["startDateTime"] == "2026-11-23T09:00:00.2500000Z"


def test_principals_and_scopes_are_those_of_assignments(office: Office) -> None:
    """Role-assignable groups may be eligible, service principals active, units a scope."""
    _ask(office, ELIGIBLE, principalId=TIER1)
    _ask(office, ACTIVE, principalId=APPLY_APP.principal_id)
    scope = f"/administrativeUnits/{TOKYO}"
    user = BUILT_IN["User Administrator"]
    over = _ask(office, ELIGIBLE, roleDefinitionId=user, directoryScopeId=scope)
    assert over["directoryScopeId"] == scope
    by_app_scope = _body(directoryScopeId=..., appScopeId="/")
    reply = office.graph.post(f"{ELIGIBLE}ScheduleRequests", json=by_app_scope)
    assert reply.json()["directoryScopeId"] == "/"
    query = {"$expand": "directoryScope,principal($select=id)", "$filter": "memberType ne 'Group'"}
    shown = office.graph.get(f"{ELIGIBLE}Schedules", params=query).json()["value"]
    assert [each["directoryScope"] and each["directoryScope"]["id"] for each in shown] == [
        None,
        TOKYO,
        None,
    ]


# --- asking only whether


@BOTH
def test_a_validation_keeps_nothing(office: Office, kind: str) -> None:
    """`isValidationOnly` judges the rules and leaves no trace."""
    made = _ask(office, kind, isValidationOnly=True)
    assert (made["isValidationOnly"], made["targetScheduleId"]) == (True, None)
    for path in (f"{kind}Schedules", f"{kind}ScheduleRequests", ASSIGNMENTS):
        assert _listed(office, path) == []
    strict: dict[str, Any] = {
        "roleDefinitionId": BUILT_IN["Global Administrator"],
        "isValidationOnly": True,
    }
    reply = office.graph.post(f"{kind}ScheduleRequests", json=_body("adminAssign", **strict))
    assert reply.json()["error"]["code"] == "RoleAssignmentRequestPolicyValidationFailed"


# --- refusals


@BOTH
def test_a_role_is_given_once(office: Office, kind: str) -> None:
    """A second request is refused while there is a schedule, even one that waits."""
    later = {"scheduleInfo": {"startDateTime": "2026-11-30T08:00:00Z"}}
    for changes in (later, {"roleDefinitionId": BUILT_IN["Global Reader"]}):
        _ask(office, kind, **changes)
        again = office.graph.post(f"{kind}ScheduleRequests", json=_body(**changes))
        assert _refused(again, errors.ASSIGNMENT_EXISTS)


def test_what_is_held_for_good_exists(office: Office) -> None:
    """A permanent assignment is one for PIM too, but nobody is eligible by it."""
    body = {name: value for name, value in _body().items() if name != "action"}
    assert office.graph.post(ASSIGNMENTS, json=body).status_code == 201
    reply = office.graph.post(f"{ACTIVE}ScheduleRequests", json=_body())
    assert _refused(reply, errors.ASSIGNMENT_EXISTS)
    (schedule,) = _listed(office, f"{ACTIVE}Schedules")
    (instance,) = _listed(office, f"{ACTIVE}ScheduleInstances")
    assert schedule["createdUsing"] is schedule["createdDateTime"] is None
    assert schedule["id"] == instance["roleAssignmentScheduleId"] == instance["id"]
    _ask(office, ELIGIBLE)
    _ask(office, ACTIVE, "adminRemove")
    assert _listed(office, ASSIGNMENTS) == []


def test_a_permanent_assignment_does_not_overtake_a_schedule(office: Office) -> None:
    """While an active schedule waits, the role cannot be given for good."""
    _ask(office, ACTIVE, scheduleInfo={"startDateTime": "2026-11-30T08:00:00Z"})
    body = {name: value for name, value in _body().items() if name != "action"}
    assert _refused(office.graph.post(ASSIGNMENTS, json=body), errors.CONFLICTING)


@BOTH
@pytest.mark.parametrize("action", ["adminRemove", "adminUpdate", "adminExtend", "adminRenew"])
def test_what_is_not_there_cannot_be_changed(office: Office, kind: str, action: str) -> None:
    """Nothing can be removed, updated, extended or renewed that never was."""
    reply = office.graph.post(f"{kind}ScheduleRequests", json=_body(action))
    assert _refused(reply, errors.NO_ASSIGNMENT)


@BOTH
@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"principalId": ABSENT}, errors.SUBJECT_NOT_FOUND),
        ({"principalId": "priya"}, errors.SUBJECT_NOT_FOUND),
        ({"roleDefinitionId": ABSENT}, errors.ROLE_NOT_FOUND),
        ({"principalId": RESEARCH}, errors.NOT_ROLE_ASSIGNABLE),
        ({"action": "selfActivate"}, errors.NOT_ONESELF),
        ({"action": "adminPromote"}, errors.BAD_PIM_REQUEST),
        ({"action": ...}, errors.BAD_PIM_REQUEST),
        ({"principalId": None}, errors.BAD_PIM_REQUEST),
        ({"directoryScopeId": ...}, errors.BAD_PIM_REQUEST),
        ({"scheduleInfo": _for("PT4M59S")}, errors.TOO_SHORT),
        ({"scheduleInfo": _until("2026-11-23T09:04:00Z")}, errors.TOO_SHORT),
        ({"scheduleInfo": _until("2026-11-23T08:00:00Z")}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": _until("tomorrow")}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": {"expiration": {"type": "afterDateTime"}}}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": {"expiration": {"type": "afterDuration"}}}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": {"expiration": {"type": "never"}}}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": _for("8 hours")}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": _for("P999999Y")}, errors.BAD_SCHEDULE),
        ({"scheduleInfo": {"startDateTime": "2026-99-01T00:00:00Z"}}, errors.BAD_SCHEDULE),
    ],
)
def test_a_request_that_is_none_is_refused(
    office: Office, kind: str, changes: dict[str, Any], row: errors.Refusal
) -> None:
    """Who, which role, what and when are each checked, and nothing is kept."""
    reply = office.graph.post(f"{kind}ScheduleRequests", json=_body(**changes))
    assert _refused(reply, row)
    assert _listed(office, f"{kind}ScheduleRequests", None) == []


@pytest.mark.parametrize(
    ("changes", "row", "slots"),
    [
        ({"justification": 7}, errors.WRONG_TYPE, {"kind": "String"}),
        ({"isValidationOnly": "yes"}, errors.WRONG_TYPE, {"kind": "Boolean"}),
        (
            {"ticketInfo": "CHG1"},
            errors.WRONG_NODE,
            {"found": "PrimitiveValue", "property": "ticketInfo", "expected": "StartObject"},
        ),
        (
            {"scheduleInfo": []},
            errors.WRONG_NODE,
            {"found": "StartArray", "property": "scheduleInfo", "expected": "StartObject"},
        ),
        (
            {"justification": {}},
            errors.WRONG_NODE,
            {"found": "StartObject", "property": "justification", "expected": "PrimitiveValue"},
        ),
        (
            {"isValidationOnly": []},
            errors.WRONG_NODE,
            {"found": "StartArray", "property": "isValidationOnly", "expected": "PrimitiveValue"},
        ),
    ],
)
def test_a_value_of_another_type_is_refused(
    office: Office, changes: dict[str, Any], row: errors.Refusal, slots: dict[str, Any]
) -> None:
    """Texts, booleans and objects are what they say."""
    reply = office.graph.post(f"{ELIGIBLE}ScheduleRequests", json=_body(**changes))
    assert _refused(reply, row, **slots)


def test_a_service_principal_is_never_eligible(office: Office) -> None:
    """Only people and role-assignable groups can be eligible."""
    body = _body(principalId=APPLY_APP.principal_id)
    assert _refused(
        office.graph.post(f"{ELIGIBLE}ScheduleRequests", json=body), errors.NOT_ELIGIBLE
    )


# --- policy


@pytest.mark.parametrize(
    ("kind", "changes", "rules"),
    [
        (ACTIVE, {"justification": " "}, ["JustificationRule"]),
        (
            ACTIVE,
            {"justification": ..., "roleDefinitionId": "strict"},
            ["ExpirationRule", "JustificationRule", "TicketingRule"],
        ),
        (ACTIVE, {"roleDefinitionId": "strict", "scheduleInfo": _for("P15D")}, ["TicketingRule"]),
        (
            ACTIVE,
            {
                "roleDefinitionId": "strict",
                "scheduleInfo": _for("P15DT1S"),
                "ticketInfo": {"ticketNumber": "CHG1", "ticketSystem": "git"},
            },
            ["ExpirationRule"],
        ),
        (
            ELIGIBLE,
            {"roleDefinitionId": "strict", "justification": None},
            ["ExpirationRule", "JustificationRule"],
        ),
        (
            ELIGIBLE,
            {"roleDefinitionId": "strict", "scheduleInfo": _for("P181D")},
            ["ExpirationRule"],
        ),
    ],
)
def test_a_policy_names_all_rules_that_failed(
    office: Office, kind: str, changes: dict[str, Any], rules: list[str]
) -> None:
    """Every rule that is not kept is in the message, as a list of JSON."""
    strict = changes.get("roleDefinitionId") == "strict"
    role = {"roleDefinitionId": BUILT_IN["Privileged Role Administrator"]} if strict else {}
    reply = office.graph.post(f"{kind}ScheduleRequests", json=_body(**(changes | role)))
    assert _refused(reply, errors.POLICY_FAILED, rules=orjson.dumps(rules).decode())


def test_a_strict_role_is_given_by_its_rules(office: Office) -> None:
    """With an end, a reason and a ticket the rules are kept, and the ticket is shown."""
    ticket = {"ticketNumber": "CHG0012345", "ticketSystem": "git"}
    role = BUILT_IN["Global Administrator"]
    made = _ask(office, ACTIVE, roleDefinitionId=role, scheduleInfo=_for("P15D"), ticketInfo=ticket)
    assert made["ticketInfo"] == ticket


def test_a_role_may_have_rules_of_its_own(office: Office) -> None:
    """A policy that says only some of the rules leaves the others as they are."""
    rules = {
        "Expiration_Admin_Eligibility": {"isExpirationRequired": True, "maximumDuration": "P1D"}
    }
    with office.opened() as db:
        store.add_resource(db, ROLE_POLICY, BUILT_IN["Reports Reader"], {"rules": rules})
    reply = office.graph.post(f"{ELIGIBLE}ScheduleRequests", json=_body(justification=None))
    assert _refused(reply, errors.POLICY_FAILED, rules='["ExpirationRule"]')
    _ask(office, ELIGIBLE, justification=None, scheduleInfo=_for("P1D"))


# --- changing


@BOTH
def test_a_role_is_taken_back(office: Office, kind: str) -> None:
    """A removal is a request of its own, revoked, without a schedule."""
    _ask(office, kind)
    office.later(minutes=5)
    gone = _ask(office, kind, "adminRemove", justification=...)
    assert (gone["status"], gone["completedDateTime"]) == ("Revoked", None)
    assert gone["scheduleInfo"] is gone["targetScheduleId"] is None
    for path in (f"{kind}Schedules", f"{kind}ScheduleInstances", ASSIGNMENTS):
        assert _listed(office, path) == []
    revoked = f"principalId eq '{PRIYA}' and status eq 'Revoked'"
    assert [each["id"] for each in _listed(office, f"{kind}ScheduleRequests", revoked)] == [
        gone["id"]
    ]


def test_an_activation_lasts_five_minutes(office: Office) -> None:
    """An active role cannot be taken back sooner; an eligible one, or one that waits, can."""
    _ask(office, ACTIVE)
    office.later(minutes=4, seconds=59)
    body = _body("adminRemove")
    assert _refused(office.graph.post(f"{ACTIVE}ScheduleRequests", json=body), errors.TOO_SHORT)
    _ask(office, ELIGIBLE)
    _ask(office, ELIGIBLE, "adminRemove")
    waiting = {"roleDefinitionId": BUILT_IN["Global Reader"]}
    start = {"startDateTime": "2026-11-30T08:00:00Z"}
    made = _ask(office, ACTIVE, **waiting, scheduleInfo=start)
    _ask(office, ACTIVE, "adminRemove", **waiting)
    path = f"{ACTIVE}ScheduleRequests/{made['id']}"
    assert office.graph.get(path).json()["status"] == "Revoked"


def test_unassigning_ends_the_schedule(office: Office) -> None:
    """Who deletes the assignment of an active role ends its schedule."""
    _ask(office, ACTIVE, scheduleInfo=_for("PT8H"))
    (held,) = _listed(office, ASSIGNMENTS)
    assert office.graph.delete(f"{ASSIGNMENTS}/{held['id']}").status_code == 204
    assert _listed(office, f"{ACTIVE}Schedules") == []
    office.later(hours=8)
    assert _listed(office, ASSIGNMENTS) == []


@BOTH
def test_an_update_sets_another_time(office: Office, kind: str) -> None:
    """An update keeps the schedule's id and its beginning, and says when it was."""
    made = _ask(office, kind, scheduleInfo=_for("PT1H"))
    office.later(minutes=30)
    updated = _ask(office, kind, "adminUpdate", scheduleInfo=_for("P1D"))
    assert updated["targetScheduleId"] == made["id"]
    (schedule,) = _listed(office, f"{kind}Schedules")
    assert (schedule["id"], schedule["createdUsing"]) == (made["id"], updated["id"])
    assert schedule["scheduleInfo"]["startDateTime"] == made["scheduleInfo"]["startDateTime"]
    assert schedule["modifiedDateTime"] == "2026-11-23T09:30:00.2500000Z"
    office.later(hours=2)
    assert len(_listed(office, f"{kind}ScheduleInstances")) == 1


def test_an_update_may_put_a_role_off(office: Office) -> None:
    """An active role that is updated to begin later is not held until then."""
    body = {name: value for name, value in _body().items() if name != "action"}
    office.graph.post(ASSIGNMENTS, json=body)
    _ask(office, ACTIVE, "adminUpdate", scheduleInfo={"startDateTime": "2026-11-24T08:00:00Z"})
    assert _listed(office, ASSIGNMENTS) == []
    office.later(days=1)
    assert len(_listed(office, ASSIGNMENTS)) == 1


@BOTH
def test_an_extension_is_longer(office: Office, kind: str) -> None:
    """What ends can be extended, by more than nothing; what never ends cannot."""
    _ask(office, kind, scheduleInfo=_for("P1D"))
    shorter = _body("adminExtend", scheduleInfo=_for("PT23H"))
    assert _refused(office.graph.post(f"{kind}ScheduleRequests", json=shorter), errors.BAD_SCHEDULE)
    _ask(office, kind, "adminExtend", scheduleInfo=_for("P2D"))
    office.later(days=1, hours=12)
    assert len(_listed(office, f"{kind}ScheduleInstances")) == 1
    _ask(office, kind, "adminExtend")
    again = _body("adminExtend", scheduleInfo=_for("P9D"))
    assert _refused(office.graph.post(f"{kind}ScheduleRequests", json=again), errors.BAD_SCHEDULE)


@BOTH
def test_what_ended_is_renewed(office: Office, kind: str) -> None:
    """A role that was held once can be given again as a renewal, but not while it is held."""
    _ask(office, kind, scheduleInfo=_for("P1D"))
    renewal = _body("adminRenew", scheduleInfo=_for("P1D"))
    reply = office.graph.post(f"{kind}ScheduleRequests", json=renewal)
    assert _refused(reply, errors.ASSIGNMENT_EXISTS)
    office.later(days=2)
    _ask(office, kind, "adminRenew", scheduleInfo=_for("P1D"))
    assert len(_listed(office, f"{kind}ScheduleInstances")) == 1


@BOTH
def test_what_waits_can_be_canceled(office: Office, kind: str) -> None:
    """A request that is granted and has not begun is revoked; no other is."""
    path = f"{kind}ScheduleRequests"
    made = _ask(office, kind, scheduleInfo={"startDateTime": "2026-11-24T08:00:00Z"})
    assert office.graph.post(f"{path}/{made['id']}/cancel").status_code == 204
    assert _listed(office, f"{kind}Schedules") == []
    shown = office.graph.get(f"{path}/{made['id']}", params={"$expand": "targetSchedule"}).json()
    assert (shown["status"], shown["targetSchedule"]) == ("Revoked", None)
    again = office.graph.post(f"{path}/{made['id']}/cancel", json={})
    assert _refused(again, errors.NOT_CANCELABLE, status="Revoked")
    begun = _ask(office, kind)
    expanded = {"$expand": "targetSchedule", "$select": "id,status"}
    shown = office.graph.get(f"{path}/{begun['id']}", params=expanded).json()
    assert shown["targetSchedule"]["id"] == begun["id"]
    refused = office.graph.post(f"{path}/{begun['id']}/cancel")
    assert _refused(refused, errors.NOT_CANCELABLE, status="Provisioned")
    assert _refused(office.graph.get(f"{path}/{ABSENT}"), errors.NO_RESOURCE, id=ABSENT)


# --- lists


def test_requests_are_forgotten_after_45_days(office: Office) -> None:
    """Old requests are not listed; what they gave still holds."""
    _ask(office, ELIGIBLE)
    office.later(days=46)
    assert _listed(office, f"{ELIGIBLE}ScheduleRequests") == []
    assert len(_listed(office, f"{ELIGIBLE}Schedules")) == 1


def test_lists_of_active_roles_are_paged(office: Office) -> None:
    """Assignments for good and by schedule are one list, each once."""
    for role in ("Reports Reader", "Global Reader"):
        _ask(office, ACTIVE, roleDefinitionId=BUILT_IN[role])
    for path in (f"{ACTIVE}Schedules", f"{ACTIVE}ScheduleInstances"):
        seen, address = [], f"{path}?$top=1&$select=id&$expand=activatedUsing,roleDefinition"
        while address:
            page = office.graph.get(address).json()
            seen += page["value"]
            address = page.get("@odata.nextLink")
        everything = _listed(office, path, None)
        assert [each["id"] for each in seen] == [each["id"] for each in everything]
        assert len({each["id"] for each in seen}) == len(seen) > 2
        assert {each["activatedUsing"] for each in seen} == {None}


def test_schedules_of_a_deleted_user_wait_unseen(office: Office, body: Body) -> None:
    """What a deleted user was eligible for is not listed, and is gone when the user is."""
    key = office.graph.post("/users", json=body()).json()["id"]
    _ask(office, ELIGIBLE, principalId=key)
    text = f"principalId eq '{key}'"
    assert office.graph.delete(f"/users/{key}").status_code == 204
    assert _listed(office, f"{ELIGIBLE}Schedules", text) == []
    assert _listed(office, f"{ELIGIBLE}ScheduleInstances", text) == []
    office.graph.post(f"/directory/deletedItems/{key}/restore")
    assert len(_listed(office, f"{ELIGIBLE}Schedules", text)) == 1
    office.graph.delete(f"/users/{key}")
    assert office.graph.delete(f"/directory/deletedItems/{key}").status_code == 204
    assert _listed(office, f"{ELIGIBLE}Schedules", text) == []


# --- who may


def test_an_active_administrator_is_privileged(office: Office, body: Body) -> None:
    """A role by PIM protects its holder as long as it is active."""
    graph = office.graph
    key = graph.post("/users", json=body()).json()["id"]
    (mine,) = _listed(office, ASSIGNMENTS, f"principalId eq '{ADMIN_APP.principal_id}'")
    assert graph.delete(f"{ASSIGNMENTS}/{mine['id']}").status_code == 204
    change = {"mobilePhone": "+44 20 7946 0002"}
    _ask(office, ELIGIBLE, principalId=key)
    assert graph.patch(f"/users/{key}", json=change).status_code == 204
    _ask(office, ACTIVE, principalId=key, scheduleInfo=_for("PT8H"))
    assert graph.patch(f"/users/{key}", json=change).status_code == 403
    office.later(hours=8)
    assert graph.patch(f"/users/{key}", json=change).status_code == 204


@pytest.mark.parametrize("status", ["Suspended", "Deleted"])
def test_without_p2_there_is_no_pim(office: Office, status: str) -> None:
    """PIM wants a living subscription with P2, for reading too; the role APIs do not."""
    with office.opened() as db:
        for sku in store.resources(db, "sku"):
            store.set_resource(db, "sku", sku["skuId"], {**sku, "capabilityStatus": status})
    for kind in (ELIGIBLE, ACTIVE):
        requests = f"{kind}ScheduleRequests"
        assert _refused(office.graph.post(requests, json=_body()), errors.NO_PREMIUM)
        for path in (
            requests,
            f"{requests}/{ABSENT}",
            f"{kind}Schedules",
            f"{kind}ScheduleInstances",
        ):
            assert _refused(office.graph.get(path), errors.NO_PREMIUM)
        assert _refused(office.graph.post(f"{requests}/{ABSENT}/cancel"), errors.NO_PREMIUM)
    assert office.graph.get(ASSIGNMENTS).status_code == 200


def test_pim_says_which_scope_is_missing(graph: httpx.Client, token: Callable[..., str]) -> None:
    """A missing permission is a 403 whose message is a text of JSON."""
    reply = graph.get(
        f"{ELIGIBLE}ScheduleRequests",
        headers={"Authorization": f"Bearer {token('RoleEligibilitySchedule.Read.Directory')}"},
    )
    scopes = "RoleEligibilitySchedule.ReadWrite.Directory,RoleManagement.ReadWrite.Directory"
    assert _refused(reply, errors.NO_SCOPE, scopes=scopes)
    said = orjson.loads(reply.json()["error"]["message"])
    assert said["errorCode"] == "PermissionScopeNotGranted"


@pytest.mark.parametrize(
    ("permission", "path", "status"),
    [
        ("RoleEligibilitySchedule.Read.Directory", f"{ELIGIBLE}Schedules", 200),
        ("RoleEligibilitySchedule.Read.Directory", f"{ACTIVE}Schedules", 403),
        ("RoleAssignmentSchedule.Read.Directory", f"{ACTIVE}ScheduleInstances", 200),
        ("RoleManagement.Read.Directory", f"{ELIGIBLE}ScheduleInstances", 200),
        ("RoleManagement.Read.All", f"{ACTIVE}Schedules", 200),
        ("RoleAssignmentSchedule.ReadWrite.Directory", f"{ACTIVE}ScheduleRequests", 200),
        ("Directory.ReadWrite.All", f"{ACTIVE}ScheduleRequests", 403),
    ],
)
def test_permissions_open_what_they_name(
    graph: httpx.Client, token: Callable[..., str], permission: str, path: str, status: int
) -> None:
    """Each list has its permissions; requests are only for who may write."""
    reply = graph.get(path, headers={"Authorization": f"Bearer {token(permission)}"})
    assert reply.status_code == status


def test_who_may_remove_may_not_assign(graph: httpx.Client, token: Callable[..., str]) -> None:
    """The permission to remove opens the same address for removals alone."""
    bearer = {"Authorization": f"Bearer {token('RoleAssignmentSchedule.Remove.Directory')}"}
    path = f"{ACTIVE}ScheduleRequests"
    assert graph.post(path, json=_body(), headers=bearer).status_code == 403
    removal = _body("adminRemove", roleDefinitionId=BUILT_IN["Teams Administrator"])
    reply = graph.post(path, json=removal, headers=bearer)
    assert _refused(reply, errors.NO_ASSIGNMENT)
