from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS
from reconciler.sandbox.company.skus import ID_OF, Sku, document
from reconciler.sandbox.data import keeping, store
from reconciler.sandbox.server import TENANT_ID

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Joiner = Callable[..., dict[str, Any]]
YAMMER = "7547a3fe-08ee-4ccb-b430-5077c5041653"
SWAY = "a23b959c-7ce8-4e57-9140-b90eb88a9e97"
PHONE, SKYPE = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "0feaeb32-d00e-4d66-bd5a-43b5b83db82c"
KIOSK, EXCHANGE = "4a82b400-a79f-41a4-b4e2-e94f5787b113", "efb87545-963c-4e0d-99df-69c6916d9eb0"
SITES, DESKLESS_SITES = (
    "5dbe027f-2339-4123-9542-606e4d348a72",
    "902b47e5-dcb2-4fdc-858b-c63a90a2bdb9",
)
VIEWERS = next(group.id for group in GROUPS if group.nickname == "power-bi-viewers")


def _change(*add: str, remove: tuple[str, ...] = (), disabled: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 -- a JSON body
    return {
        "addLicenses": [{"skuId": ID_OF[name], "disabledPlans": list(disabled)} for name in add],
        "removeLicenses": [ID_OF[name] for name in remove],
    }


def _seats(graph: httpx.Client, name: str) -> tuple[int, int]:
    skus = graph.get("/subscribedSkus").json()["value"]
    sku = next(sku for sku in skus if sku["skuPartNumber"] == name)
    return sku["consumedUnits"], sku["prepaidUnits"]["enabled"]


def _held(graph: httpx.Client, key: str) -> list[dict[str, Any]]:
    reply = graph.get(f"/users/{key}?$select=licenseAssignmentStates").json()
    states = reply["licenseAssignmentStates"]
    return [{k: v for k, v in state.items() if k != "lastUpdatedDateTime"} for state in states]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("POWER_BI_PRO", (4, 10)),
        ("PROJECTPROFESSIONAL", (3, 3)),
        ("VISIOCLIENT", (0, 0)),
        ("WINDOWS_STORE", (0, 25)),
        ("MCOEV", (0, 5)),
        ("SPE_F1", (0, 25)),
    ],
)
def test_the_company_starts_with_these_seats(
    start: Callable[..., httpx.Client], name: str, expected: tuple[int, int]
) -> None:
    """A group's members use seats, and some subscriptions have none left."""
    assert _seats(start(), name) == expected


def test_one_sku_can_be_read_alone(graph: httpx.Client) -> None:
    """A subscription is addressed by tenant and SKU."""
    listed = graph.get("/subscribedSkus").json()["value"][0]
    shown = graph.get(f"/subscribedSkus/{listed['id']}").json()
    assert {**listed, "@odata.context": shown["@odata.context"]} == shown


def test_a_license_is_assigned_replaced_and_taken_back(graph: httpx.Client, joiner: Joiner) -> None:
    """Adding a SKU that is held replaces its disabled plans and uses no other seat."""
    key = joiner()["id"]
    path = f"/users/{key}/assignLicense"
    before, _ = _seats(graph, "SPE_E5")
    assert graph.post(path, json=_change("SPE_E5", disabled=(YAMMER, SWAY))).status_code == 200
    assert graph.post(path, json=_change("SPE_E5", disabled=(YAMMER,))).json()["id"] == key
    assert _held(graph, key) == [
        {
            "skuId": ID_OF["SPE_E5"],
            "assignedByGroup": None,
            "disabledPlans": [YAMMER],
            "error": "None",
            "state": "Active",
        }
    ]
    assert _seats(graph, "SPE_E5")[0] == before + 1
    graph.post(path, json=_change(remove=("SPE_E5",)))
    assert (_held(graph, key), _seats(graph, "SPE_E5")[0]) == ([], before)


def test_a_swap_is_one_change(graph: httpx.Client, joiner: Joiner) -> None:
    """A removal and an addition happen together, and fail together."""
    key = joiner()["id"]
    path = f"/users/{key}/assignLicense"
    graph.post(path, json=_change("SPE_E3"))
    failed = graph.post(path, json=_change("PROJECTPROFESSIONAL", remove=("SPE_E3",)))
    assert failed.status_code == 400
    assert [state["skuId"] for state in _held(graph, key)] == [ID_OF["SPE_E3"]]
    graph.post(path, json=_change("SPE_E5", remove=("SPE_E3",)))
    assert [state["skuId"] for state in _held(graph, key)] == [ID_OF["SPE_E5"]]


def test_disabled_plans_may_be_left_out(graph: httpx.Client, joiner: Joiner) -> None:
    """`addLicenses` without `disabledPlans` disables none."""
    key = joiner()["id"]
    change = {"addLicenses": [{"skuId": ID_OF["SPE_E3"]}], "removeLicenses": []}
    assert graph.post(f"/users/{key}/assignLicense", json=change).status_code == 200
    assert _held(graph, key)[0]["disabledPlans"] == []


def test_details_name_the_plans(graph: httpx.Client, joiner: Joiner) -> None:
    """`licenseDetails` tells which plans of a SKU are off."""
    key = joiner()["id"]
    graph.post(f"/users/{key}/assignLicense", json=_change("SPE_E3", disabled=(YAMMER,)))
    (detail,) = graph.get(f"/users/{key}/licenseDetails").json()["value"]
    off = [
        p["servicePlanName"] for p in detail["servicePlans"] if p["provisioningStatus"] != "Success"
    ]
    assert (detail["skuPartNumber"], off) == ("SPE_E3", ["YAMMER_ENTERPRISE"])


def test_members_inherit_and_leavers_lose(start: Callable[..., httpx.Client], body: Joiner) -> None:
    """A group's license comes with membership, counts once, and goes with it."""
    graph = start()
    key = graph.post("/users", json=body()).json()["id"]
    where = {"@odata.id": f"{graph.base_url}directoryObjects/{key}"}
    graph.post(f"/groups/{VIEWERS}/members/$ref", json=where)
    assert [state["assignedByGroup"] for state in _held(graph, key)] == [VIEWERS]
    assert _seats(graph, "POWER_BI_PRO")[0] == 5
    both = graph.post(f"/users/{key}/assignLicense", json=_change("POWER_BI_PRO"))
    assert (both.status_code, len(_held(graph, key))) == (200, 2)
    assert _seats(graph, "POWER_BI_PRO")[0] == 5
    graph.delete(f"/groups/{VIEWERS}/members/{key}/$ref")
    assert [state["assignedByGroup"] for state in _held(graph, key)] == [None]


def test_a_group_without_seats_gives_an_error(
    start: Callable[..., httpx.Client], body: Joiner
) -> None:
    """The member that finds no seat holds CountViolation, which uses none."""
    graph = start()
    keys = [graph.post("/users", json=body()).json()["id"] for _ in range(7)]
    bind = {"members@odata.bind": [f"{graph.base_url}directoryObjects/{key}" for key in keys]}
    assert graph.patch(f"/groups/{VIEWERS}", json=bind).status_code == 204
    last = _held(graph, keys[-1])[0]
    assert (last["state"], last["error"]) == ("Error", "CountViolation")
    assert _seats(graph, "POWER_BI_PRO") == (10, 10)
    shown = graph.get(f"/users/{keys[-1]}?$select=assignedLicenses").json()["assignedLicenses"]
    assert shown == []
    refused = graph.post(f"/users/{keys[-1]}/assignLicense", json=_change("POWER_BI_PRO"))
    assert refused.status_code == 400


def test_users_are_found_by_license(graph: httpx.Client, joiner: Joiner) -> None:
    """`assignedLicenses/any` is a filter of the default index."""
    key = joiner()["id"]
    graph.post(f"/users/{key}/assignLicense", json=_change("POWER_BI_PRO"))
    text = f"assignedLicenses/any(x:x/skuId eq {ID_OF['POWER_BI_PRO']})"
    found = graph.get("/users", params={"$filter": text, "$select": "id"}).json()["value"]
    assert key in {user["id"] for user in found}
    assert len(found) >= 5


# --- service plans of several SKUs


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: str) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


def test_an_addition_depends_on_what_else_is_held(graph: httpx.Client, joiner: Joiner) -> None:
    """A plan may need one of another SKU, in the same call or before, and then holds it there."""
    path = f"/users/{joiner()['id']}/assignLicense"
    _refused(
        graph.post(path, json=_change("MCOEV")), errors.PLAN_DEPENDENCY, plan=PHONE, needs=SKYPE
    )
    without = {"addLicenses": [], "removeLicenses": [ID_OF["SPE_E3"]]}
    both = _change("SPE_E3", "MCOEV")
    assert graph.post(path, json=both).status_code == 200
    _refused(graph.post(path, json=without), errors.PLAN_DEPENDENCY, plan=PHONE, needs=SKYPE)
    off = _change("SPE_E3", disabled=(SKYPE,))
    _refused(graph.post(path, json=off), errors.PLAN_DEPENDENCY, plan=PHONE, needs=SKYPE)
    assert graph.post(path, json=_change("SPE_E5", remove=("SPE_E3",))).status_code == 200
    assert graph.post(path, json=_change(remove=("SPE_E5", "MCOEV"))).status_code == 200


def test_some_plans_exclude_each_other(graph: httpx.Client, joiner: Joiner) -> None:
    """The kiosk plan of a service cannot be held beside the full one, unless one is off."""
    key = joiner()["id"]
    path = f"/users/{key}/assignLicense"
    graph.post(path, json=_change("SPE_E3"))
    reply = graph.post(path, json=_change("SPE_F1"))
    _refused(reply, errors.PLANS_EXCLUSIVE, plans=f"{KIOSK},{EXCHANGE}")
    (detail,) = reply.json()["error"]["details"]
    assert detail["code"] == "MutuallyExclusiveViolation"
    off = _change("SPE_F1", disabled=(KIOSK, DESKLESS_SITES))
    assert graph.post(path, json=off).status_code == 200
    half = graph.post(path, json=_change("SPE_F1", disabled=(KIOSK,)))
    _refused(half, errors.PLANS_EXCLUSIVE, plans=f"{SITES},{DESKLESS_SITES}")
    assert graph.post(path, json=_change("SPE_F1", remove=("SPE_E3",))).status_code == 200
    assert [state["skuId"] for state in _held(graph, key)] == [ID_OF["SPE_F1"]]


def test_what_a_group_gives_is_judged_too(start: Callable[..., httpx.Client], body: Joiner) -> None:
    """A license is refused beside one of a group, and rests on one of a group."""
    graph = start()
    key = graph.post("/users", json=body()).json()["id"]
    graph.post(f"/groups/{VIEWERS}/assignLicense", json=_change("SPE_E3"))
    where = {"@odata.id": f"{graph.base_url}directoryObjects/{key}"}
    graph.post(f"/groups/{VIEWERS}/members/$ref", json=where)
    path = f"/users/{key}/assignLicense"
    reply = graph.post(path, json=_change("SPE_F1"))
    _refused(reply, errors.PLANS_EXCLUSIVE, plans=f"{KIOSK},{EXCHANGE}")
    assert graph.post(path, json=_change("MCOEV")).status_code == 200


# --- who and what


def test_nothing_to_change_is_refused(graph: httpx.Client, joiner: Joiner) -> None:
    """Two empty arrays are no request."""
    reply = graph.post(f"/users/{joiner()['id']}/assignLicense", json=_change())
    _refused(reply, errors.NO_LICENSE_CHANGES)


def test_a_license_of_the_company_is_not_for_people(graph: httpx.Client, joiner: Joiner) -> None:
    """A SKU that applies to the company cannot be assigned, and nobody holds it."""
    path = f"/users/{joiner()['id']}/assignLicense"
    reply = graph.post(path, json=_change("WINDOWS_STORE"))
    _refused(reply, errors.COMPANY_SKU, sku=ID_OF["WINDOWS_STORE"])
    reply = graph.post(path, json=_change(remove=("WINDOWS_STORE",)))
    _refused(reply, errors.NOT_HELD)


def test_some_locations_are_prohibited(graph: httpx.Client, joiner: Joiner) -> None:
    """Where no subscription may be used, a location is as good as none."""
    path = f"/users/{joiner(usageLocation='KP')['id']}/assignLicense"
    _refused(graph.post(path, json=_change("SPE_E3")), errors.NO_USAGE_LOCATION)


def test_a_synced_user_is_licensed_here(start: Callable[..., httpx.Client]) -> None:
    """Licenses and the usage location belong to the cloud, wherever the user comes from."""
    graph = start()
    sam = "synced.sam@contoso.com"
    assert graph.patch(f"/users/{sam}", json={"usageLocation": "IE"}).status_code == 204
    change = _change("SPE_E5", remove=("SPE_E3",))
    assert graph.post(f"/users/{sam}/assignLicense", json=change).status_code == 200


@pytest.mark.parametrize(
    ("status", "count", "expected"),
    [
        ("Enabled", "enabled", 200),
        ("Warning", "warning", 200),
        ("Suspended", "suspended", 400),
        ("LockedOut", "lockedOut", 400),
        ("Deleted", None, 400),
    ],
)
def test_a_subscription_goes_through_its_stages(
    start: Callable[..., httpx.Client],
    tmp_path: Path,
    status: str,
    count: str | None,
    expected: int,
) -> None:
    """Seats can be had until the grace period of a subscription has passed."""
    file = tmp_path / "sandbox.sqlite"
    changed = document(
        Sku("SPE_E3", ID_OF["SPE_E3"], 40, "SWAY", status=status), TENANT_ID, "contoso"
    )
    with keeping.opened(file) as db:
        store.set_resource(db, "sku", ID_OF["SPE_E3"], changed)
    graph = start(file)
    reply = graph.post("/users/priya@contoso.com/assignLicense", json=_change("SPE_E3"))
    assert reply.status_code == expected
    shown = graph.get(f"/subscribedSkus/{TENANT_ID}_{ID_OF['SPE_E3']}").json()
    assert shown["capabilityStatus"] == status
    assert {name: number for name, number in shown["prepaidUnits"].items() if number} == (
        {count: 40} if count else {}
    )


# --- reading


def test_subscriptions_are_selected_and_not_filtered(graph: httpx.Client) -> None:
    """`$select` chooses, `$top` makes pages, and `$filter` is refused."""
    path = "/subscribedSkus?$select=skuPartNumber,ConsumedUnits"
    reply = graph.get(f"{path}&$top=1").json()
    assert reply["@odata.context"].endswith("#subscribedSkus(skuPartNumber,ConsumedUnits)")
    rest = graph.get(reply["@odata.nextLink"].replace("top=1&", "top=99&")).json()
    assert len(reply["value"] + rest["value"]) == len(ID_OF)
    assert "@odata.nextLink" not in rest
    assert set(reply["value"][0]) == {"skuPartNumber", "consumedUnits"}
    key = f"{TENANT_ID}_{ID_OF['SPE_E3']}"
    shown = graph.get(f"/subscribedSkus/{key}?$select=skuId").json()
    assert shown["skuId"] == ID_OF["SPE_E3"]
    assert shown["@odata.context"].endswith("#subscribedSkus(skuId)/$entity")
    refused = graph.get(f"/subscribedSkus?$filter=skuId eq {ID_OF['SPE_E3']}")
    _refused(refused, errors.SKU_FILTER)
    unknown = graph.get("/subscribedSkus?$select=price")
    _refused(unknown, errors.UNKNOWN_SELECT, property="price", type="subscribedSku")


def test_a_subscription_of_another_tenant_is_not_there(graph: httpx.Client) -> None:
    """The id of a subscription begins with that of the tenant."""
    key = f"00000000-0000-4000-8000-000000000000_{ID_OF['SPE_E3']}"
    _refused(graph.get(f"/subscribedSkus/{key}"), errors.NO_RESOURCE, id=key)


def test_details_can_be_chosen(graph: httpx.Client, joiner: Joiner) -> None:
    """`licenseDetails` knows `$select`."""
    key = joiner()["id"]
    graph.post(f"/users/{key}/assignLicense", json=_change("SPE_E3"))
    shown = graph.get(f"/users/{key}/licenseDetails?$select=skuPartNumber").json()
    assert shown["value"] == [{"skuPartNumber": "SPE_E3"}]


def test_plans_show_what_is_on(graph: httpx.Client, joiner: Joiner) -> None:
    """`assignedPlans` and `provisionedPlans` have the plans that are not disabled."""
    key = joiner()["id"]
    graph.post(f"/users/{key}/assignLicense", json=_change("PROJECTPROFESSIONAL", "SPE_F1"))
    graph.post(f"/users/{key}/assignLicense", json=_change("SPE_F1", disabled=(SWAY, YAMMER)))
    shown = graph.get(f"/users/{key}?$select=assignedPlans,provisionedPlans").json()
    assigned = {plan["servicePlanId"]: plan for plan in shown["assignedPlans"]}
    assert assigned[KIOSK]["service"] == "exchange"
    assert {SWAY, YAMMER}.isdisjoint(assigned)
    assert {plan["capabilityStatus"] for plan in assigned.values()} == {"Enabled"}
    services = {plan["service"] for plan in shown["provisionedPlans"]}
    assert {"SharePoint", "TeamspaceAPI"} <= services
    assert "Sway" not in services
