from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.company.contoso import GROUPS
from reconciler.sandbox.company.skus import ID_OF

if TYPE_CHECKING:
    import httpx

Joiner = Callable[..., dict[str, Any]]
YAMMER = "7547a3fe-08ee-4ccb-b430-5077c5041653"
SWAY = "a23b959c-7ce8-4e57-9140-b90eb88a9e97"
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
