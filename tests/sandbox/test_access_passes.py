from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import GROUPS, PEOPLE
from reconciler.sandbox.company.governance import ACCESS_PASS, METHOD_POLICY
from reconciler.sandbox.data import store

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Office

ABSENT = "00000000-0000-4000-8000-000000000000"
POLICY = (
    "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
)
PERSON = {person.upn: person.id for person in PEOPLE}
PRIYA, GRACE = PERSON["priya@contoso.com"], PERSON["grace.kim@contoso.com"]
PASSES = f"/users/{PRIYA}/authentication/temporaryAccessPassMethods"
STAFF = next(group.id for group in GROUPS if group.nickname == "research-all")


def _change_policy(office: Office, **changes: object) -> None:
    with office.opened() as db:
        kept = store.resource(db, METHOD_POLICY, ACCESS_PASS)
        assert kept
        store.set_resource(db, METHOD_POLICY, ACCESS_PASS, {**kept, **changes})


def _created(office: Office, **asked: object) -> dict[str, Any]:
    reply = office.graph.post(PASSES, json=asked)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def _shown(office: Office) -> dict[str, Any]:
    (found,) = office.graph.get(PASSES).json()["value"]
    return dict(found)


def test_the_policy_wants_its_permission(company: httpx.Client) -> None:
    """Who may write users may not read this policy."""
    assert company.get(POLICY).status_code == 403


def test_the_policy_says_who_and_how_long(office: Office) -> None:
    """Lifetimes, length and targets are those of Graph's page."""
    policy = office.graph.get(POLICY).json()
    assert (policy["id"], policy["state"]) == ("TemporaryAccessPass", "enabled")
    assert policy["includeTargets"][0]["id"] == "all_users"
    names = ("default", "minimum", "maximum")
    assert [policy[f"{name}LifetimeInMinutes"] for name in names] == [60, 60, 480]


def test_a_pass_is_shown_once(office: Office) -> None:
    """Its value is in the reply to its creation, nowhere else, and not in the file."""
    made = _created(office)
    assert made.pop("@odata.context").endswith("/authentication/temporaryAccessPassMethods/$entity")
    assert len(made["temporaryAccessPass"]) == 8
    assert made == {
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
        "id": made["id"],
        "temporaryAccessPass": made["temporaryAccessPass"],
        "createdDateTime": "2026-11-23T09:00:00.2500000Z",
        "startDateTime": "2026-11-23T09:00:00.2500000Z",
        "lifetimeInMinutes": 60,
        "isUsableOnce": False,
        "isUsable": True,
        "methodUsabilityReason": "EnabledByPolicy",
    }
    assert _shown(office) == made | {"temporaryAccessPass": None}
    one = office.graph.get(f"{PASSES}/{made['id']}").json()
    assert one["temporaryAccessPass"] is None
    with office.opened() as db:
        assert made["temporaryAccessPass"] not in "\n".join(db.iterdump())


def test_a_pass_is_made_without_a_body(office: Office) -> None:
    """Everything about a pass is optional."""
    assert office.graph.post(PASSES).status_code == 201


def test_a_new_pass_takes_the_place_of_the_old(office: Office) -> None:
    """A user has one pass; deleted, it is gone."""
    old, new = _created(office), _created(office, isUsableOnce=True, lifetimeInMinutes=480)
    assert _shown(office)["id"] == new["id"]
    assert (new["isUsableOnce"], new["lifetimeInMinutes"]) == (True, 480)
    for key, status in ((old["id"], 404), (new["id"], 204), (new["id"], 404)):
        assert office.graph.delete(f"{PASSES}/{key}").status_code == status
    assert office.graph.get(PASSES).json()["value"] == []


def test_a_pass_is_usable_in_its_time(office: Office) -> None:
    """Before its start it is not yet valid, after its lifetime it is expired."""
    _created(office, startDateTime="2026-11-23T10:00:00Z", lifetimeInMinutes=90)
    seen = []
    for minutes in (0, 60, 60, 60):
        office.later(minutes=minutes)
        shown = _shown(office)
        seen.append((shown["methodUsabilityReason"], shown["isUsable"]))
    assert seen == [
        ("NotYetValid", False),
        ("EnabledByPolicy", True),
        ("EnabledByPolicy", True),
        ("Expired", False),
    ]


@pytest.mark.parametrize(
    ("asked", "row", "slots"),
    [
        ({"lifetimeInMinutes": 59}, errors.PASS_LIFETIME, {"least": 60, "most": 480}),
        ({"lifetimeInMinutes": 481}, errors.PASS_LIFETIME, {"least": 60, "most": 480}),
        ({"lifetimeInMinutes": "60"}, errors.WRONG_TYPE, {"kind": "Int32"}),
        ({"lifetimeInMinutes": True}, errors.WRONG_TYPE, {"kind": "Int32"}),
        ({"isUsableOnce": 1}, errors.WRONG_TYPE, {"kind": "Boolean"}),
        ({"startDateTime": "soon"}, errors.PASS_START, {}),
        ({"startDateTime": "9999-12-31T23:59:00Z"}, errors.PASS_START, {}),
        ({"startDateTime": "2026-01-01T00:00:00Z"}, errors.PASS_START, {}),
    ],
)
def test_a_pass_that_the_policy_forbids_is_refused(
    office: Office, asked: dict[str, Any], row: errors.Refusal, slots: dict[str, Any]
) -> None:
    """Lifetimes are bounded by the policy; values have their types."""
    error = office.graph.post(PASSES, json=asked).json()["error"]
    assert (error["code"], error["message"]) == (row.code, row.message.format(**slots))
    assert office.graph.get(PASSES).json()["value"] == []


def test_a_policy_may_want_passes_that_are_used_once(office: Office) -> None:
    """Under such a policy a pass is used once, and no other can be asked for."""
    _change_policy(office, isUsableOnce=True)
    assert _created(office)["isUsableOnce"] is True
    error = office.graph.post(PASSES, json={"isUsableOnce": False}).json()["error"]
    assert error["message"] == errors.PASS_ONLY_ONCE.message


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"state": "disabled"}, False),
        ({"includeTargets": []}, False),
        ({"includeTargets": [{"targetType": "group", "id": STAFF}]}, True),
        ({"excludeTargets": [{"targetType": "group", "id": STAFF}]}, False),
        ({"excludeTargets": [{"targetType": "user", "id": GRACE}]}, True),
    ],
)
def test_a_pass_is_for_whom_the_policy_names(
    office: Office, changes: dict[str, Any], *, allowed: bool
) -> None:
    """Who is out of scope gets no pass, and one that is there cannot be used."""
    _created(office)
    _change_policy(office, **changes)
    reason = _shown(office)["methodUsabilityReason"]
    assert reason == ("EnabledByPolicy" if allowed else "DisabledByPolicy")
    reply = office.graph.post(PASSES, json={})
    assert reply.status_code == (201 if allowed else 400)
    if not allowed:
        assert reply.json()["error"]["message"] == errors.PASS_NOT_ALLOWED.message


def test_without_a_policy_there_are_no_passes(office: Office) -> None:
    """A tenant that has no such policy has it disabled."""
    with office.opened() as db:
        db.execute("DELETE FROM resource WHERE kind = ?", (METHOD_POLICY,))
    assert office.graph.get(POLICY).json()["state"] == "disabled"
    assert office.graph.post(PASSES, json={}).status_code == 400


def test_a_guest_from_outside_gets_no_pass(
    office: Office, body: Callable[..., dict[str, Any]]
) -> None:
    """Guests with an account of the company may have one, those from elsewhere may not."""
    outside = body(
        userType="Guest", userPrincipalName="ada_example.com#EXT#@contoso.onmicrosoft.com"
    )
    for guest, status in ((outside, 400), (body(userType="Guest"), 201)):
        key = office.graph.post("/users", json=guest).json()["id"]
        path = f"/users/{key}/authentication/temporaryAccessPassMethods"
        reply = office.graph.post(path, json={})
        assert reply.status_code == status
        if status == 400:
            assert reply.json()["error"]["message"] == errors.PASS_FOR_GUEST.message


@pytest.mark.parametrize(
    ("permission", "statuses"),
    [
        ("UserAuthMethod-TAP.Read.All", (200, 403)),
        ("UserAuthMethod-TAP.ReadWrite.All", (200, 201)),
        ("UserAuthenticationMethod.Read.All", (200, 403)),
        ("UserAuthenticationMethod.ReadWrite.All", (200, 201)),
        ("User.ReadWrite.All", (403, 403)),
    ],
)
def test_passes_want_their_permissions(
    graph: httpx.Client,
    joiner: Callable[..., dict[str, Any]],
    token: Callable[..., str],
    permission: str,
    statuses: tuple[int, int],
) -> None:
    """To read and to write passes are permissions of their own."""
    path = f"/users/{joiner()['id']}/authentication/temporaryAccessPassMethods"
    bearer = {"Authorization": f"Bearer {token(permission)}"}
    made = graph.post(path, json={}, headers=bearer).status_code
    assert (graph.get(path, headers=bearer).status_code, made) == statuses
