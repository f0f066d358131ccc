"""Owners of groups, and what an owner may do without a permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, GROUPS, PEOPLE, PLAN_APP

if TYPE_CHECKING:
    import httpx

Made = Callable[..., dict[str, Any]]
ID = {group.nickname: group.id for group in GROUPS}
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
ABSENT = "00000000-0000-4000-8000-000000000000"


def _reference(key: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"}


def _owned_by(*keys: str) -> dict[str, Any]:
    return {"owners@odata.bind": [_reference(key)["@odata.id"] for key in keys]}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


def test_an_owner_comes_and_goes(admin: httpx.Client, new_group: Made, joiner: Made) -> None:
    """Users and service principals own groups; the list tells the type of each."""
    one, other = joiner(), joiner()
    path = f"/groups/{new_group(**_owned_by(one['id']))['id']}/Owners"
    by_upn = {"@odata.id": f"{admin.base_url}users/{other['userPrincipalName']}"}
    assert admin.post(f"{path}/$ref", json=by_upn).status_code == 204
    assert admin.post(f"{path}/$ref", json=_reference(APPLY_APP.principal_id)).status_code == 204
    shown = admin.get(f"{path}?$select=id").json()
    assert shown["@odata.context"].endswith("$metadata#directoryObjects(id)")
    assert [(item["id"], item["@odata.type"].rpartition(".")[2]) for item in shown["value"]] == [
        (one["id"], "user"),
        (other["id"], "user"),
        (APPLY_APP.principal_id, "servicePrincipal"),
    ]
    assert admin.delete(f"{path}/{one['id']}/$ref").status_code == 204
    _refused(admin.delete(f"{path}/{one['id']}/$ref"), errors.NO_RESOURCE, id=one["id"])


def test_the_last_owner_stays(admin: httpx.Client, new_group: Made, joiner: Made) -> None:
    """So does the last user among the owners, whatever application owns the group too."""
    one, other = joiner()["id"], joiner()["id"]
    path = f"/groups/{new_group(**_owned_by(one))['id']}/owners"
    _refused(admin.delete(f"{path}/{one}/$ref"), errors.LAST_OWNER)
    admin.post(f"{path}/$ref", json=_reference(APPLY_APP.principal_id))
    _refused(admin.delete(f"{path}/{one}/$ref"), errors.LAST_OWNER)
    assert admin.delete(f"{path}/{APPLY_APP.principal_id}/$ref").status_code == 204
    admin.post(f"{path}/$ref", json=_reference(other))
    admin.delete(f"/users/{other}")
    _refused(admin.delete(f"{path}/{one}/$ref"), errors.LAST_OWNER)


@pytest.mark.parametrize(
    ("key", "row", "slots"),
    [
        (PRIYA, errors.ALREADY_OWNER, {}),
        (ABSENT, errors.NO_RESOURCE, {"id": ABSENT}),
        (
            ID["tokyo"],
            errors.INVALID_TARGET,
            {"type": "Group", "id": ID["tokyo"], "property": "owners"},
        ),
    ],
)
def test_an_owner_is_refused(
    admin: httpx.Client, new_group: Made, key: str, row: errors.Refusal, slots: dict[str, Any]
) -> None:
    """One that owns the group already, one that is nobody, and a group."""
    path = f"/groups/{new_group(**_owned_by(PRIYA))['id']}/owners/$ref"
    _refused(admin.post(path, json=_reference(key)), row, **slots)


def test_a_dynamic_group_has_owners(admin: httpx.Client, new_group: Made) -> None:
    """Its rule says who is in it, not whose it is."""
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": "user.city -ne null"}
    path = f"/groups/{new_group(**rule)['id']}/owners/$ref"
    assert admin.post(path, json=_reference(PRIYA)).status_code == 204


def test_owners_are_read_with_a_permission_of_theirs(
    admin: httpx.Client, new_group: Made, token: Callable[..., str]
) -> None:
    """The one that shows members does not do, nor does it write owners."""
    path = f"/groups/{new_group(**_owned_by(PRIYA))['id']}/owners"
    members = {"Authorization": f"Bearer {token('GroupMember.ReadBasic.All')}"}
    writer = {"Authorization": f"Bearer {token('GroupMember.ReadWrite.All')}"}
    assert admin.get(path, headers=members).status_code == 403
    assert admin.get(f"{path}?$select=id", headers=writer).status_code == 200
    _refused(admin.post(f"{path}/$ref", json=_reference(PRIYA), headers=writer), errors.DENIED)


def test_an_application_does_as_it_likes_with_its_own_group(
    admin: httpx.Client, new_group: Made, token: Callable[..., str]
) -> None:
    """An owner needs no permission for members, owners, properties and deletion."""
    path = f"/groups/{new_group(**_owned_by(PLAN_APP.principal_id))['id']}"
    owner = {"Authorization": f"Bearer {token('Group.Create', oid=PLAN_APP.principal_id)}"}
    stranger = {"Authorization": f"Bearer {token('Group.Create')}"}
    requests = (
        ("POST", f"{path}/members/$ref", _reference(PRIYA)),
        ("DELETE", f"{path}/members/{PRIYA}/$ref", None),
        ("POST", f"{path}/owners/$ref", _reference(PRIYA)),
        ("PATCH", path, {"description": "ours"}),
        ("DELETE", path, None),
    )
    for method, where, sent in requests:
        _refused(admin.request(method, where, json=sent, headers=stranger), errors.DENIED)
        assert admin.request(method, where, json=sent, headers=owner).status_code == 204


def test_whoever_owns_a_role_assignable_group_is_protected(
    admin: httpx.Client, new_group: Made, joiner: Made, token: Callable[..., str]
) -> None:
    """An application without a role of its own may not block such a person's sign-in."""
    key = joiner()["id"]
    new_group(**_owned_by(key), isAssignableToRole=True)
    headers = {"Authorization": f"Bearer {token('User.ReadWrite.All', oid=ABSENT)}"}
    _refused(
        admin.patch(f"/users/{key}", json={"accountEnabled": False}, headers=headers),
        errors.DENIED,
    )
