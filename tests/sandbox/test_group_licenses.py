from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.data import accounts, keeping, plans, store
from reconciler.sandbox.login import tokens
from reconciler.sandbox.tenant import Tenant
from reconciler.sandbox.trouble.lag import NO_LAG, Lag
from reconciler.sandbox.trouble.settings import Trouble
from reconciler.sandbox.wire import Incoming

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    import httpx

GROUP = {group.nickname: group.id for group in GROUPS}
PERSON = {person.upn.partition("@")[0]: person.id for person in PEOPLE}
VIEWERS, RESEARCH, PILOT = (
    GROUP[name] for name in ("power-bi-viewers", "research-all", "helpdesk-pilot")
)
YAMMER = "7547a3fe-08ee-4ccb-b430-5077c5041653"
SKYPE = "0feaeb32-d00e-4d66-bd5a-43b5b83db82c"
PHONE = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"
START = datetime(2026, 11, 1, 9, tzinfo=UTC)


def _change(*add: str, remove: tuple[str, ...] = (), disabled: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 -- a JSON body
    return {
        "addLicenses": [{"skuId": ID_OF[name], "disabledPlans": list(disabled)} for name in add],
        "removeLicenses": [ID_OF[name] for name in remove],
    }


class Local:
    """A tenant without a server, whose time is the test's."""

    def __init__(self, db: sqlite3.Connection, *, lag: Lag = NO_LAG) -> None:
        self.now = START
        self.tenant = Tenant(
            db,
            trouble=Trouble(lag=lag),
            clock=self._clock,
            now=lambda: self.now,
        )
        claims = {
            "aud": "https://graph.microsoft.com",
            "appid": APPLY_APP.client_id,
            "oid": APPLY_APP.principal_id,
            "roles": list(permissions.APPLY_SET),
            "exp": time.time() + 600,
        }
        self._headers = {"authorization": f"Bearer {tokens.sign(claims, self.tenant.key)}"}

    def _clock(self) -> float:
        return (self.now - START).total_seconds()

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 -- JSON
        """Give the body of a reply."""
        path, _, query = f"/v1.0{path}".partition("?")
        reply = self.tenant.answer(Incoming(method, path, query, self._headers, body))
        return orjson.loads(reply.body) if isinstance(reply.body, bytes) else reply.body

    def seats(self) -> dict[str, int]:
        """Give how many seats of each SKU are used."""
        skus = self.ask("GET", "/subscribedSkus")["value"]
        return {sku["skuPartNumber"]: sku["consumedUnits"] for sku in skus}


def _member(graph: httpx.Client, group: str, key: str) -> None:
    where = {"@odata.id": f"{graph.base_url}directoryObjects/{key}"}
    assert graph.post(f"/groups/{group}/members/$ref", json=where).status_code == 204


def _states(graph: httpx.Client, key: str) -> list[tuple[str | None, str, str]]:
    """Give by which group a user holds its licenses, their states and errors."""
    shown = graph.get(f"/users/{key}?$select=licenseAssignmentStates").json()
    return [
        (state["assignedByGroup"], state["state"], state["error"])
        for state in shown["licenseAssignmentStates"]
    ]


def _joiner(graph: httpx.Client, body: Callable[..., dict[str, Any]], **changes: object) -> str:
    return str(graph.post("/users", json=body(**changes)).json()["id"])


def _assign(graph: httpx.Client, group: str, change: Any) -> httpx.Response:  # noqa: ANN401 -- as above
    reply = graph.post(f"/groups/{group}/assignLicense", json=change)
    assert reply.status_code == 202, reply.text
    return reply


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: str) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


def test_a_group_is_answered_before_its_members(start: Callable[..., httpx.Client]) -> None:
    """The reply is 202 with the group; the members are licensed when somebody asks next."""
    graph = start()
    reply = _assign(graph, PILOT, _change("POWER_BI_PRO"))
    assert reply.headers["location"].endswith(f"{PILOT}/Microsoft.DirectoryServices.Group")
    assert (reply.json()["id"], reply.json()["displayName"]) == (PILOT, "Helpdesk pilot")
    assert reply.json()["@odata.context"].endswith("$metadata#groups/$entity")
    held = _states(graph, PERSON["amara.diallo"])
    assert held == [(None, "Active", "None"), (PILOT, "Active", "None")]
    shown = graph.get(f"/groups/{PILOT}?$select=assignedLicenses,licenseProcessingState").json()
    assert shown["assignedLicenses"] == [{"disabledPlans": [], "skuId": ID_OF["POWER_BI_PRO"]}]
    assert shown["licenseProcessingState"] == {"state": "ProcessingComplete"}


def test_a_group_without_licenses_says_so(company: httpx.Client) -> None:
    """A group that gives none has an empty list of them, and no state of processing."""
    shown = company.get(f"/groups/{PILOT}?$select=assignedLicenses,licenseProcessingState").json()
    assert (shown["assignedLicenses"], shown["licenseProcessingState"]) == ([], None)


def test_the_members_may_have_to_wait() -> None:
    """Processing takes as long as the tenant is told, and the group tells how far it is."""
    with keeping.opened(None) as db:
        local = Local(db, lag=Lag(licenses=60))
        with closing(local.tenant):
            local.ask("POST", f"/groups/{PILOT}/assignLicense", _change("POWER_BI_PRO"))
            local.now = START + timedelta(seconds=59)
            shown = local.ask("GET", f"/groups/{PILOT}?$select=licenseProcessingState")
            assert shown["licenseProcessingState"] == {"state": "QueuedForProcessing"}
            assert local.seats()["POWER_BI_PRO"] == 4
            local.now = START + timedelta(seconds=60)
            assert local.seats()["POWER_BI_PRO"] == 5


def test_the_counters_may_lag() -> None:
    """Used seats can show later than the licenses that use them."""
    with keeping.opened(None) as db:
        local = Local(db, lag=Lag(seats=30))
        with closing(local.tenant):
            path = f"/users/{PERSON['priya']}"
            local.ask("POST", f"{path}/assignLicense", _change("POWER_BI_PRO"))
            assert (
                len(local.ask("GET", f"{path}?$select=assignedLicenses")["assignedLicenses"]) == 2
            )
            assert local.seats()["POWER_BI_PRO"] == 4
            local.now = START + timedelta(seconds=30)
            assert local.seats()["POWER_BI_PRO"] == 5


def test_what_waits_is_done_after_a_restart(tmp_path: Path) -> None:
    """A tenant that stops between the reply and the work does the work when it is back."""
    file = tmp_path / "sandbox.sqlite"
    with keeping.opened(file) as db, closing((local := Local(db)).tenant):
        local.ask("POST", f"/groups/{PILOT}/assignLicense", _change("POWER_BI_PRO"))
    with keeping.opened(file) as db, closing((local := Local(db)).tenant):
        assert local.seats()["POWER_BI_PRO"] == 5


def test_a_large_group_takes_several_requests(tmp_path: Path) -> None:
    """Some members are processed before each request, so that none waits for all of them."""
    file = tmp_path / "sandbox.sqlite"
    with keeping.opened(file) as db, store.transaction(db):
        for number in range(502):
            key = f"00000000-0000-4000-9000-{number:012}"
            accounts.insert(db, key, f"many{number}@contoso.com", {"usageLocation": "GB"})
            db.execute("INSERT INTO member (group_id, member_id) VALUES (?, ?)", (PILOT, key))
        sku = store.resource(db, "sku", ID_OF["SPE_F1"]) or {}
        sku["prepaidUnits"]["enabled"] = 1000
        store.set_resource(db, "sku", ID_OF["SPE_F1"], sku)
        off = [plan["servicePlanId"] for plan in sku["servicePlans"]]
    with keeping.opened(file) as db, closing((local := Local(db)).tenant):
        change = {
            "addLicenses": [{"skuId": ID_OF["SPE_F1"], "disabledPlans": off}],
            "removeLicenses": [],
        }
        local.ask("POST", f"/groups/{PILOT}/assignLicense", change)
        assert local.seats()["SPE_F1"] == 500
        shown = local.ask("GET", f"/groups/{PILOT}?$select=licenseProcessingState")
        assert shown["licenseProcessingState"] == {"state": "ProcessingComplete"}
        assert local.seats()["SPE_F1"] == 503


def test_a_second_change_replaces_the_first_in_the_queue() -> None:
    """A group that waits is processed as it is when its turn comes."""
    with keeping.opened(None) as db:
        local = Local(db, lag=Lag(licenses=60))
        with closing(local.tenant):
            path = f"/groups/{PILOT}/assignLicense"
            local.ask("POST", path, _change("POWER_BI_PRO"))
            local.ask("POST", path, _change("SPE_E5", remove=("POWER_BI_PRO",)))
            local.now = START + timedelta(seconds=61)
            assert (local.seats()["POWER_BI_PRO"], local.seats()["SPE_E5"]) == (4, 11)


def test_groups_that_wait_are_processed_together() -> None:
    """Several groups whose time has come are all done before the next request."""
    with keeping.opened(None) as db:
        local = Local(db, lag=Lag(licenses=60))
        with closing(local.tenant):
            for group in (PILOT, GROUP["phoenix"]):
                local.ask("POST", f"/groups/{group}/assignLicense", _change("POWER_BI_PRO"))
            local.now = START + timedelta(seconds=60)
            assert local.seats()["POWER_BI_PRO"] == 6


def test_a_group_loses_what_it_gave(start: Callable[..., httpx.Client]) -> None:
    """What is taken from a group goes from its members, even from one in the recycle bin."""
    graph = start()
    member = PERSON["fatima.haddad"]
    graph.delete(f"/users/{member}")
    _assign(graph, VIEWERS, _change(remove=("POWER_BI_PRO",)))
    assert (VIEWERS, "Active", "None") not in _states(graph, PERSON["grace.kim"])
    graph.post(f"/directory/deletedItems/{member}/restore")
    assert _states(graph, member) == [(None, "Active", "None")]


def test_an_added_license_takes_nothing_away(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """What a member has from a group stays when the group's next license cannot come."""
    graph = start()
    key = _joiner(graph, body)
    _member(graph, VIEWERS, key)
    graph.post(f"/users/{key}/assignLicense", json=_change("SPE_E3"))
    _assign(graph, VIEWERS, _change("SPE_F1"))
    assert _states(graph, key) == [
        (VIEWERS, "Active", "None"),
        (None, "Active", "None"),
        (VIEWERS, "Error", "MutuallyExclusiveViolation"),
    ]


def test_a_deleted_member_gets_nothing_new(start: Callable[..., httpx.Client]) -> None:
    """Somebody in the recycle bin is passed over, and has it after being reprocessed."""
    graph = start()
    rita = PERSON["amara.diallo"]
    graph.delete(f"/users/{rita}")
    _assign(graph, PILOT, _change("POWER_BI_PRO"))
    graph.post(f"/directory/deletedItems/{rita}/restore")
    assert _states(graph, rita) == [(None, "Active", "None")]
    reply = graph.post(f"/users/{rita}/reprocessLicenseAssignment")
    assert (reply.status_code, reply.json()["id"]) == (200, rita)
    assert _states(graph, rita) == [(None, "Active", "None"), (PILOT, "Active", "None")]


def test_new_disabled_plans_reach_the_members(start: Callable[..., httpx.Client]) -> None:
    """Giving a group again what it has replaces its disabled plans, and so its members'."""
    graph = start()
    amara = PERSON["amara.diallo"]
    _assign(graph, PILOT, _change("SPE_E5"))
    _assign(graph, PILOT, _change("SPE_E5", disabled=(YAMMER,)))
    shown = graph.get(f"/users/{amara}?$select=assignedLicenses").json()["assignedLicenses"]
    assert {"disabledPlans": [YAMMER], "skuId": ID_OF["SPE_E5"]} in shown


def test_who_has_no_location_has_the_companys(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """A group licenses a member without a usage location as one at the company's place."""
    graph = start()
    key = _joiner(graph, body, usageLocation=...)
    _member(graph, VIEWERS, key)
    assert _states(graph, key) == [(VIEWERS, "Active", "None")]


def test_some_locations_are_prohibited(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """Where no subscription may be used, a member holds an error."""
    graph = start()
    key = _joiner(graph, body, usageLocation="CU")
    _member(graph, VIEWERS, key)
    assert _states(graph, key) == [(VIEWERS, "Error", "ProhibitedInUsageLocationViolation")]
    assert graph.patch(f"/users/{key}", json={"usageLocation": "PT"}).status_code == 204
    graph.post(f"/users/{key}/reprocessLicenseAssignment")
    assert _states(graph, key) == [(VIEWERS, "Active", "None")]


def test_a_member_in_error_gets_the_seat_that_comes_free(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """Members without a seat are listed; one of them has it once it is free and it asks."""
    graph = start()
    keys = [_joiner(graph, body) for _ in range(8)]
    for key in keys:
        _member(graph, VIEWERS, key)
    path = f"/groups/{VIEWERS}/membersWithLicenseErrors?$select=id"
    query = "/groups?$select=id&$filter=hasMembersWithLicenseErrors eq true"
    assert [group["id"] for group in graph.get(query).json()["value"]] == [VIEWERS]
    listed = graph.get(path).json()["value"]
    assert [(user["@odata.type"], user["id"]) for user in listed] == [
        ("#microsoft.graph.user", key) for key in keys[6:]
    ]
    first = graph.get(f"{path}&$top=1").json()
    assert graph.get(first["@odata.nextLink"]).json()["value"] == listed[1:]
    graph.post(f"/users/{keys[7]}/reprocessLicenseAssignment")
    assert _states(graph, keys[7]) == [(VIEWERS, "Error", "CountViolation")]
    graph.delete(f"/groups/{VIEWERS}/members/{keys[0]}/$ref")
    graph.post(f"/users/{keys[7]}/reprocessLicenseAssignment")
    assert _states(graph, keys[7]) == [(VIEWERS, "Active", "None")]
    assert [user["id"] for user in graph.get(path).json()["value"]] == [keys[6]]


def test_a_seat_moves_from_one_group_to_another(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """A member who loses a license in one group and has it in another needs no further seat."""
    graph = start()
    keys = [_joiner(graph, body) for _ in range(6)]
    for key in keys:
        _member(graph, VIEWERS, key)
    _member(graph, PILOT, keys[0])
    _assign(graph, PILOT, _change("POWER_BI_PRO"))
    _assign(graph, VIEWERS, _change(remove=("POWER_BI_PRO",)))
    assert _states(graph, keys[0]) == [(PILOT, "Active", "None")]


def test_what_excludes_each_other_is_an_error(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """A group cannot give what excludes a plan of the member, nor anything else beside it."""
    graph = start()
    key = _joiner(graph, body)
    graph.post(f"/users/{key}/assignLicense", json=_change("SPE_E3"))
    _assign(graph, RESEARCH, _change("POWER_BI_PRO", "SPE_F1"))
    _member(graph, RESEARCH, key)
    error = (RESEARCH, "Error", "MutuallyExclusiveViolation")
    assert _states(graph, key) == [(None, "Active", "None"), error, error]
    graph.post(f"/users/{key}/assignLicense", json=_change(remove=("SPE_E3",)))
    graph.post(f"/users/{key}/reprocessLicenseAssignment")
    held = (RESEARCH, "Active", "None")
    assert _states(graph, key) == [held, held]


def test_what_a_license_depends_on_may_go(
    start: Callable[..., httpx.Client], body: Callable[..., dict[str, Any]]
) -> None:
    """A license whose plans need those of a group is in error when its holder leaves."""
    graph = start()
    key = _joiner(graph, body)
    _assign(graph, PILOT, _change("SPE_E3"))
    _member(graph, PILOT, key)
    both = _change("POWER_BI_PRO", "MCOEV")
    assert graph.post(f"/users/{key}/assignLicense", json=both).status_code == 200
    graph.delete(f"/groups/{PILOT}/members/{key}/$ref")
    held, fallen = (None, "Active", "None"), (None, "Error", "DependencyViolation")
    assert _states(graph, key) == [held, fallen]
    graph.post(f"/users/{key}/reprocessLicenseAssignment")
    assert _states(graph, key) == [held, fallen]
    _member(graph, PILOT, key)
    assert _states(graph, key) == [held, held, (PILOT, "Active", "None")]


def test_nested_groups_inherit_nothing(start: Callable[..., httpx.Client]) -> None:
    """A group's licenses are for its own members, not for those of a group within it."""
    graph = start()
    _member(graph, VIEWERS, PILOT)
    _assign(graph, VIEWERS, _change("SPE_E5"))
    amara = PERSON["amara.diallo"]
    assert _states(graph, amara) == [(None, "Active", "None")]
    graph.post(f"/users/{amara}/reprocessLicenseAssignment")
    assert _states(graph, amara) == [(None, "Active", "None")]


def test_a_batch_sees_the_members_licensed(start: Callable[..., httpx.Client]) -> None:
    """A part of a batch that waits for the assignment finds the members with their licenses."""
    graph = start()
    amara = PERSON["amara.diallo"]
    assignment = {
        "id": "1",
        "method": "POST",
        "url": f"/groups/{PILOT}/assignLicense",
        "headers": {"Content-Type": "application/json"},
        "body": _change("POWER_BI_PRO"),
    }
    url = f"/users/{amara}?$select=licenseAssignmentStates"
    look = {"id": "2", "method": "GET", "url": url, "dependsOn": ["1"]}
    replies = graph.post("/$batch", json={"requests": [assignment, look]}).json()["responses"]
    told = {reply["id"]: (reply["status"], reply["body"]) for reply in replies}
    assert told["1"][0] == 202
    assert len(told["2"][1]["licenseAssignmentStates"]) == 2


def test_leaving_a_group_without_licenses_takes_none(
    start: Callable[..., httpx.Client],
) -> None:
    """Who leaves such a group keeps everything."""
    graph = start()
    liam = PERSON["liam.oconnor"]
    graph.delete(f"/groups/{RESEARCH}/members/{liam}/$ref")
    assert len(_states(graph, liam)) == 2


def test_a_group_must_be_a_security_group(start: Callable[..., httpx.Client]) -> None:
    """A group without security cannot have licenses."""
    path = f"/groups/{GROUP['beta-programme']}/assignLicense"
    _refused(start().post(path, json=_change("SPE_E3")), errors.GROUP_NOT_LICENSABLE)


def test_a_group_is_judged_by_what_it_gives(start: Callable[..., httpx.Client]) -> None:
    """What needs or excludes another plan of the same group is refused at once."""
    graph = start()
    path = f"/groups/{PILOT}/assignLicense"
    reply = graph.post(path, json=_change("MCOEV"))
    _refused(reply, errors.PLAN_DEPENDENCY, plan=PHONE, needs=SKYPE)
    reply = graph.post(path, json=_change("SPE_E3", "SPE_F1"))
    assert reply.json()["error"]["details"][0]["code"] == "MutuallyExclusiveViolation"
    reply = graph.post(path, json=_change(remove=("SPE_E3",)))
    _refused(reply, errors.GROUP_LICENSE_NOT_HELD)


def _tenant_with(file: Path, alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Make a tenant whose subscriptions are altered."""
    with keeping.opened(file) as db:
        for sku in store.resources(db, "sku"):
            store.set_resource(db, "sku", sku["skuId"], alter(sku))
    return file


def _without_premium(sku: dict[str, Any]) -> dict[str, Any]:
    kept = [p for p in sku["servicePlans"] if not p["servicePlanName"].startswith("AAD_PREMIUM")]
    return sku | {"servicePlans": kept}


@pytest.mark.parametrize("kept", [(), ("SPE_E3",)], ids=["without", "with E3"])
def test_group_licenses_want_a_subscription(
    start: Callable[..., httpx.Client], tmp_path: Path, kept: tuple[str, ...]
) -> None:
    """Without Entra ID P1, or one of the class of E3, a group cannot have licenses."""
    big = {"SPE_E5", "SPE_E3", "SPE_F1"} - set(kept)

    def alter(sku: dict[str, Any]) -> dict[str, Any]:
        gone = {"capabilityStatus": "Deleted"} if sku["skuPartNumber"] in big else {}
        return _without_premium(sku) | gone

    graph = start(_tenant_with(tmp_path / "sandbox.sqlite", alter))
    reply = graph.post(f"/groups/{PILOT}/assignLicense", json=_change("POWER_BI_PRO"))
    if kept:
        assert reply.status_code == 202
    else:
        _refused(reply, errors.GROUP_LICENSING)


def test_a_subscription_that_is_gone_has_no_seat(
    start: Callable[..., httpx.Client], tmp_path: Path, body: Callable[..., dict[str, Any]]
) -> None:
    """A group keeps a license that the company no longer has; new members hold an error."""
    file = tmp_path / "sandbox.sqlite"
    with keeping.opened(file) as db:
        db.execute("DELETE FROM resource WHERE kind = 'sku' AND id = ?", (ID_OF["POWER_BI_PRO"],))
    graph = start(file)
    key = _joiner(graph, body)
    _member(graph, VIEWERS, key)
    assert _states(graph, key) == [(VIEWERS, "Error", "CountViolation")]
    shown = graph.get(f"/users/{PERSON['noah.schmidt']}?$select=assignedPlans").json()
    assert "PowerBI" not in {plan["service"] for plan in shown["assignedPlans"]}


def test_groups_without_members_in_error_have_no_filter(graph: httpx.Client) -> None:
    """`hasMembersWithLicenseErrors` is asked for being true, and never shown."""
    for text in ("eq false", "ne true", "in (true)", "eq null"):
        query = f"/groups?$filter=hasMembersWithLicenseErrors {text}"
        error = graph.get(query).json()["error"]
        assert error["message"] == errors.UNSUPPORTED.message
    shown = graph.get(f"/groups/{VIEWERS}?$select=id,hasMembersWithLicenseErrors").json()
    assert shown["hasMembersWithLicenseErrors"] is None


def test_errors_of_members_have_no_filter(graph: httpx.Client) -> None:
    """Of the list of members in error only pages are served."""
    reply = graph.get(f"/groups/{VIEWERS}/membersWithLicenseErrors?$filter=id eq 'x'")
    assert reply.status_code == 501


def test_groups_and_people_want_different_permissions(
    graph: httpx.Client, token: Callable[..., str]
) -> None:
    """The right to change groups licenses groups and no people, and the other way round."""
    change = _change(remove=("SPE_F1",))
    paths = f"/groups/{PILOT}/assignLicense", f"/users/{PERSON['priya']}/assignLicense"
    told = {
        name: [
            graph.post(
                path, json=change, headers={"Authorization": f"Bearer {token(name)}"}
            ).status_code
            for path in paths
        ]
        for name in ("Group.ReadWrite.All", "User.ReadWrite.All")
    }
    assert told == {"Group.ReadWrite.All": [400, 403], "User.ReadWrite.All": [403, 400]}


# --- a law

_NAMES = ("POWER_BI_PRO", "PROJECTPROFESSIONAL", "MCOEV", "SPE_E3", "SPE_F1")
_PEOPLE = ("liam.oconnor", "amara.diallo", "unowned.uma", "grace.kim")
_SKU = st.sampled_from(_NAMES)
_GROUP = st.sampled_from((VIEWERS, PILOT, RESEARCH))
_PERSON = st.sampled_from([PERSON[name] for name in _PEOPLE])
_STEPS = st.one_of(
    st.tuples(st.just("add"), _PERSON, _SKU),
    st.tuples(st.just("take"), _PERSON, _SKU),
    st.tuples(st.just("give"), _GROUP, _SKU),
    st.tuples(st.just("ungive"), _GROUP, _SKU),
    st.tuples(st.just("join"), _GROUP, _PERSON),
    st.tuples(st.just("leave"), _GROUP, _PERSON),
    st.tuples(st.just("delete"), _PERSON, st.none()),
    st.tuples(st.just("restore"), _PERSON, st.none()),
    st.tuples(st.just("reprocess"), _PERSON, st.none()),
)


def _request(verb: str, one: str, other: Any) -> tuple[str, str, Any]:  # noqa: ANN401 -- by verb
    match verb:
        case "add":
            return "POST", f"/users/{one}/assignLicense", _change(other)
        case "take":
            return "POST", f"/users/{one}/assignLicense", _change(remove=(other,))
        case "give":
            return "POST", f"/groups/{one}/assignLicense", _change(other)
        case "ungive":
            return "POST", f"/groups/{one}/assignLicense", _change(remove=(other,))
        case "join":
            where = f"https://graph.microsoft.com/v1.0/directoryObjects/{other}"
            return "POST", f"/groups/{one}/members/$ref", {"@odata.id": where}
        case "leave":
            return "DELETE", f"/groups/{one}/members/{other}/$ref", None
        case "delete":
            return "DELETE", f"/users/{one}", None
        case "restore":
            return "POST", f"/directory/deletedItems/{one}/restore", None
    return "POST", f"/users/{one}/reprocessLicenseAssignment", None


@settings(max_examples=40, deadline=None)
@given(st.lists(_STEPS, min_size=5, max_size=40))
def test_seats_are_those_of_living_holders(steps: list[tuple[str, str, Any]]) -> None:
    """Whatever happens, a SKU's used seats are the living users who hold it without error.

    And nobody has service plans that exclude each other or lack what they need.
    """
    with keeping.opened(None) as db, closing((local := Local(db)).tenant):
        for step in steps:
            local.ask(*_request(*step))
            seats = local.seats()
            path = "/users?$top=999&$select=licenseAssignmentStates,assignedPlans"
            users = local.ask("GET", path)["value"]
            for user in users:
                held = {plan["servicePlanId"] for plan in user["assignedPlans"]}
                assert (plans.excluding(held), plans.lacking(held)) == ((), None)
            states = [user["licenseAssignmentStates"] for user in users]
            assert seats == {
                name: sum(
                    any(s["skuId"] == key and s["error"] == "None" for s in u) for u in states
                )
                for name, key in ID_OF.items()
            }


def test_licenses_carry_the_tenants_time() -> None:
    """`lastUpdatedDateTime` follows the tenant's clock, for direct licenses and for groups'."""
    with keeping.opened(None) as db:
        local = Local(db)
        local.now += timedelta(days=40)
        key = PERSON["amara.diallo"]
        change = _change("POWER_BI_PRO")
        assert "id" in local.ask("POST", f"/users/{key}/assignLicense", change)
        local.ask("POST", f"/groups/{PILOT}/assignLicense", change)
        shown = local.ask("GET", f"/users/{key}?$select=licenseAssignmentStates")
        times = {
            state["assignedByGroup"]: state["lastUpdatedDateTime"]
            for state in shown["licenseAssignmentStates"]
            if state["skuId"] == ID_OF["POWER_BI_PRO"]
        }
        assert times == dict.fromkeys((None, PILOT), f"{local.now:%Y-%m-%dT%H:%M:%SZ}")
