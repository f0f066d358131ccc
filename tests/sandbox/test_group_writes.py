"""Groups are created, changed and deleted as Graph does it, or refused in its words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox import errors
from reconciler.sandbox.company.contoso import APPLY_APP, EXTENSIONS, GROUPS, PEOPLE, PLAN_APP
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.company.skus import ID_OF
from reconciler.sandbox.data import store
from reconciler.sandbox.data.properties import GROUP_DEFAULTS
from reconciler.sandbox.trouble.lag import Lag
from reconciler.sandbox.trouble.settings import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Made = Callable[..., dict[str, Any]]
Token = Callable[..., str]
ID = {group.nickname: group.id for group in GROUPS}
PRIYA = next(person.id for person in PEOPLE if person.upn == "priya@contoso.com")
ABSENT = "00000000-0000-4000-8000-000000000000"
M365 = {"mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}
DYNAMIC = {"groupTypes": ["DynamicMembership"], "membershipRule": '(user.city -eq "Oslo)")'}
ROLES = "/roleManagement/directory/roleAssignments"


def _where(key: str) -> str:
    return f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"


def _ids(graph: httpx.Client, path: str) -> set[str]:
    return {item["id"] for item in graph.get(f"{path}?$select=id&$top=999").json()["value"]}


def _as(admin: httpx.Client, token: str) -> dict[str, str]:
    assert admin.base_url
    return {"Authorization": f"Bearer {token}"}


def _refused(reply: httpx.Response, row: errors.Refusal, **slots: object) -> None:
    error = reply.json()["error"]
    expected = (row.status, row.code, row.message.format(**slots))
    assert (reply.status_code, error["code"], error["message"]) == expected


# --- creating


def test_a_new_security_group_shows_its_defaults(admin: httpx.Client, group_body: Made) -> None:
    """201, all default properties, and where the object is."""
    sent = group_body(description="Who builds it")
    reply = admin.post("/Groups", json=sent)
    shown = reply.json()
    assert reply.status_code == 201
    assert shown.pop("@odata.context").endswith("/$metadata#groups/$entity")
    assert tuple(shown) == GROUP_DEFAULTS
    assert {name: shown[name] for name in sent} == sent
    assert shown["securityIdentifier"].startswith("S-1-12-1-")
    assert shown["createdDateTime"] == shown["renewedDateTime"]
    unset = ("mail", "visibility", "isAssignableToRole", "uniqueName", "deletedDateTime")
    assert [shown[name] for name in unset] == [None] * 5
    assert reply.headers["location"].endswith(
        f"/directoryObjects/{shown['id']}/Microsoft.DirectoryServices.Group"
    )
    assert admin.get(f"/groups/{shown['id']}").json()["displayName"] == sent["displayName"]


def test_a_new_microsoft_365_group_has_an_address(new_group: Made) -> None:
    """It is public unless it says otherwise, and its mail is at the default domain."""
    shown = new_group(**M365)
    address = f"{shown['mailNickname']}@contoso.com"
    assert (shown["mail"], shown["proxyAddresses"]) == (address, [f"SMTP:{address}"])
    assert shown["visibility"] == "Public"
    assert new_group(**M365, visibility="HiddenMembership")["visibility"] == "HiddenMembership"


def test_a_new_dynamic_group_has_its_rule(admin: httpx.Client, new_group: Made) -> None:
    """Its rule is on from the start, and decides alone who is in it."""
    shown = new_group(**DYNAMIC)
    assert shown["membershipRuleProcessingState"] == "On"
    bind = {"members@odata.bind": [_where(PRIYA)]}
    _refused(admin.patch(f"/groups/{shown['id']}", json=bind), errors.DENIED)


def test_a_role_assignable_group_is_private(new_group: Made) -> None:
    """Nobody but its owners and administrators lets people in."""
    assert new_group(isAssignableToRole=True)["visibility"] == "Private"


def test_annotations_nulls_and_extensions_are_taken(admin: httpx.Client, new_group: Made) -> None:
    """What clients send beside the properties does no harm; an extension is kept."""
    more = {"@odata.type": "#microsoft.graph.group", "theme": None, EXTENSIONS[0]: "x"}
    shown = new_group(**more, groupTypes=None)
    path = f"/groups/{shown['id']}?$select=id,{EXTENSIONS[0]}"
    assert admin.get(path).json()[EXTENSIONS[0]] == "x"
    assert (shown["theme"], shown["groupTypes"]) == (None, [])


def test_members_and_owners_come_with_the_group(
    admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """Up to 20 of both together are bound at creation."""
    keys = [joiner()["id"] for _ in range(4)]
    shown = new_group(
        **{
            "members@odata.bind": [_where(key) for key in keys],
            "owners@odata.bind": [_where(keys[0]), _where(APPLY_APP.principal_id)],
        }
    )
    path = f"/groups/{shown['id']}"
    assert _ids(admin, f"{path}/members") == set(keys)
    assert _ids(admin, f"{path}/owners") == {keys[0], APPLY_APP.principal_id}


@pytest.mark.parametrize(
    ("changes", "row", "slots"),
    [
        *(
            ({name: ...}, errors.GROUP_REQUIRED, {"property": name})
            for name in ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
        ),
        ({"displayName": None}, errors.GROUP_REQUIRED, {"property": "displayName"}),
        ({"displayName": ""}, errors.GROUP_BAD_VALUE, {"property": "displayName"}),
        ({"displayName": "x" * 257}, errors.GROUP_BAD_VALUE, {"property": "displayName"}),
        *(
            ({"mailNickname": bad}, errors.GROUP_BAD_VALUE, {"property": "mailNickname"})
            for bad in ("a b", "a@b", "ä", "a\\b", "a,b", "x" * 65)
        ),
        ({"description": ""}, errors.GROUP_BAD_VALUE, {"property": "description"}),
        ({"groupTypes": ["Team"]}, errors.GROUP_BAD_VALUE, {"property": "groupTypes"}),
        ({"visibility": "Secret"}, errors.GROUP_BAD_VALUE, {"property": "visibility"}),
        ({"theme": "Beige"}, errors.GROUP_BAD_VALUE, {"property": "theme"}),
        (
            {"membershipRuleProcessingState": "Off"},
            errors.GROUP_BAD_VALUE,
            {"property": "membershipRuleProcessingState"},
        ),
        ({"securityEnabled": "true"}, errors.WRONG_TYPE, {"kind": "Boolean"}),
        ({"groupTypes": [7]}, errors.WRONG_TYPE, {"kind": "String"}),
        (
            {"groupTypes": "Unified"},
            errors.WRONG_NODE,
            {"found": "PrimitiveValue", "property": "groupTypes", "expected": "StartArray"},
        ),
        ({"shoeSize": 43}, errors.UNKNOWN_PROPERTY, {"property": "shoeSize"}),
        ({"mail": "a@contoso.com"}, errors.READ_ONLY_PROPERTY, {"property": "mail"}),
        ({"members": []}, errors.NAVIGATION, {"property": "members"}),
        ({"memberOf@odata.bind": []}, errors.NAVIGATION, {"property": "memberOf"}),
        (
            {f"extension_{'0' * 32}_mark": "x"},
            errors.UNKNOWN_EXTENSION,
            {"property": f"extension_{'0' * 32}_mark"},
        ),
        (
            {"allowExternalSenders": True},
            errors.NOT_SERVED,
            {"what": "the property allowExternalSenders of a group"},
        ),
        ({"mailEnabled": True}, errors.MAIL_GROUP_CREATION, {}),
        ({"mailEnabled": True, "securityEnabled": False}, errors.MAIL_GROUP_CREATION, {}),
        ({"securityEnabled": False}, errors.MAIL_ENABLEMENT, {}),
        ({"groupTypes": ["Unified"]}, errors.INVALID_VALUES, {}),
        ({"groupTypes": ["DynamicMembership"]}, errors.INVALID_VALUES, {}),
        *(
            (DYNAMIC | {"membershipRule": bad}, errors.INVALID_VALUES, {})
            for bad in ("everybody", '(user.city -eq "Oslo"', 'user.city) -eq ("Oslo"')
        ),
        ({"visibility": "HiddenMembership"}, errors.INVALID_VALUES, {}),
        ({"isAssignableToRole": True, "visibility": "Public"}, errors.INVALID_VALUES, {}),
        ({"isAssignableToRole": True, **DYNAMIC}, errors.INVALID_VALUES, {}),
        ({"isAssignableToRole": True, **M365}, errors.INVALID_VALUES, {}),
        (
            M365 | {"mailNickname": "tokyo-office"},
            errors.GROUP_CONFLICT,
            {"property": "mailNickname"},
        ),
        ({"members@odata.bind": []}, errors.BAD_REFERENCE, {"reference": []}),
        ({"owners@odata.bind": None}, errors.BAD_REFERENCE, {"reference": None}),
        (
            {
                "members@odata.bind": [_where(PRIYA)] * 10,
                "owners@odata.bind": [_where(PRIYA)] * 11,
            },
            errors.TOO_MANY_LINKS,
            {},
        ),
        ({"members@odata.bind": [_where(PRIYA)] * 2}, errors.TWICE_IN_ONE_CHANGE, {}),
        ({"members@odata.bind": [_where(ABSENT)]}, errors.NO_RESOURCE, {"id": ABSENT}),
        ({**DYNAMIC, "members@odata.bind": [_where(PRIYA)]}, errors.DENIED, {}),
    ],
)
def test_a_creation_is_refused(
    admin: httpx.Client,
    group_body: Made,
    changes: dict[str, Any],
    row: errors.Refusal,
    slots: dict[str, Any],
) -> None:
    """A group that Graph would not create is refused with its status, code and message."""
    sent = group_body(**changes)
    _refused(admin.post("/groups", json=sent), row, **slots)
    query = {"$filter": f"mailNickname eq '{group_body()['mailNickname']}'"}
    assert admin.get("/groups", params=query).json()["value"] == []


def test_security_groups_may_share_a_mail_nickname(new_group: Made) -> None:
    """It is asked for and means nothing there."""
    assert new_group(mailNickname="phoenix")["mailNickname"] == "phoenix"


def test_a_taken_name_is_told_in_details(admin: httpx.Client, group_body: Made) -> None:
    """The detail names the property, under the code ObjectConflict."""
    error = admin.post("/groups", json=group_body(**M365, mailNickname="beta-programme")).json()
    assert error["error"]["details"] == [
        {
            "code": "ObjectConflict",
            "message": error["error"]["message"],
            "target": "mailNickname",
        }
    ]


@pytest.mark.parametrize(
    ("permissions", "changes", "status"),
    [
        (("Group.Read.All",), {}, 403),
        (("Group.Create",), {}, 201),
        (("Group.ReadWrite.All",), {"isAssignableToRole": True}, 403),
        (
            ("Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"),
            {"isAssignableToRole": True},
            201,
        ),
        (("Group.Create",), {"members@odata.bind": [_where(PRIYA)]}, 403),
        (("Group.Create", "User.Read.All"), {"members@odata.bind": [_where(PRIYA)]}, 201),
        (("Group.Create",), {"members@odata.bind": [_where(ID["tokyo"])]}, 403),
        (
            ("Group.Create", "Group.Read.All"),
            {"members@odata.bind": [_where(ID["tokyo"])]},
            201,
        ),
        (("Group.Create",), {"owners@odata.bind": [_where(APPLY_APP.principal_id)]}, 201),
        (("Group.Create",), {"owners@odata.bind": [_where(PLAN_APP.principal_id)]}, 403),
        (
            ("Group.Create", "Application.Read.All"),
            {"owners@odata.bind": [_where(PLAN_APP.principal_id)]},
            201,
        ),
    ],
)
def test_a_creation_wants_permissions(  # noqa: PLR0913, PLR0917 -- three of them are fixtures
    admin: httpx.Client,
    token: Token,
    group_body: Made,
    permissions: tuple[str, ...],
    changes: dict[str, Any],
    status: int,
) -> None:
    """`Group.Create` is enough for a group of those whom the caller may see."""
    headers = _as(admin, token(*permissions))
    reply = admin.post("/groups", json=group_body(**changes), headers=headers)
    assert reply.status_code == status


# --- changing


def test_properties_and_links_change_together(
    admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """One PATCH sets texts, clears others, and adds members and owners."""
    made, key, boss = new_group(description="old"), joiner()["id"], joiner()["id"]
    path = f"/groups/{made['id']}"
    change = {
        "DisplayName": "Renamed",
        "description": None,
        "isAssignableToRole": False,
        "members@odata.bind": [_where(key)],
        "owners@odata.bind": [_where(boss)],
    }
    reply = admin.patch(path, json=change)
    assert (reply.status_code, reply.content) == (204, b"")
    shown = admin.get(path).json()
    names = ("displayName", "description", "isAssignableToRole")
    assert [shown[name] for name in names] == ["Renamed", None, None]
    assert (_ids(admin, f"{path}/members"), _ids(admin, f"{path}/owners")) == ({key}, {boss})
    assert admin.patch(path, json={}).status_code == 204


def test_a_change_is_all_or_nothing(admin: httpx.Client, new_group: Made, joiner: Made) -> None:
    """An owner that is not there undoes the new name and the new member too."""
    made, key = new_group(), joiner()["id"]
    path = f"/groups/{made['id']}"
    change = {
        "displayName": "Renamed",
        "members@odata.bind": [_where(key), _where(ABSENT)],
        "owners@odata.bind": [_where(key)],
    }
    _refused(admin.patch(path, json=change), errors.NO_RESOURCE, id=ABSENT)
    assert admin.get(path).json()["displayName"] == made["displayName"]
    assert _ids(admin, f"{path}/members") == _ids(admin, f"{path}/owners") == set()


def test_a_group_becomes_dynamic_and_ordinary_again(admin: httpx.Client, new_group: Made) -> None:
    """The rule may stay when the group no longer follows it; members are then welcome."""
    path = f"/groups/{new_group()['id']}"
    assert admin.patch(path, json=DYNAMIC).status_code == 204
    assert admin.get(path).json()["groupTypes"] == ["DynamicMembership"]
    back = {"groupTypes": [], "members@odata.bind": [_where(PRIYA)]}
    assert admin.patch(path, json=back).status_code == 204
    assert _ids(admin, f"{path}/members") == {PRIYA}
    assert admin.get(path).json()["membershipRule"] == DYNAMIC["membershipRule"]


@pytest.mark.parametrize(
    ("kind", "change", "row", "slots"),
    [
        ({}, {"isAssignableToRole": True}, errors.ROLE_ASSIGNABLE_FIXED, {}),
        (
            {"isAssignableToRole": True},
            {"isAssignableToRole": None},
            errors.ROLE_ASSIGNABLE_FIXED,
            {},
        ),
        (
            {},
            {"resourceBehaviorOptions": ["WelcomeEmailDisabled"]},
            errors.READ_ONLY_PROPERTY,
            {"property": "resourceBehaviorOptions"},
        ),
        (
            M365,
            {"visibility": "HiddenMembership"},
            errors.GROUP_BAD_VALUE,
            {"property": "visibility"},
        ),
        (M365, {"groupTypes": []}, errors.INVALID_VALUES, {}),
        (M365, {"mailEnabled": False}, errors.INVALID_VALUES, {}),
        (
            M365,
            {"mailNickname": "Tokyo-Office"},
            errors.GROUP_CONFLICT,
            {"property": "mailNickname"},
        ),
        ({}, {"mailEnabled": True}, errors.MAIL_ENABLEMENT, {}),
        ({}, {"securityEnabled": False}, errors.MAIL_ENABLEMENT, {}),
        ({}, {"mailNickname": None}, errors.GROUP_REQUIRED, {"property": "mailNickname"}),
    ],
)
def test_a_change_is_refused(  # noqa: PLR0913, PLR0917 -- two of them are fixtures
    admin: httpx.Client,
    new_group: Made,
    kind: dict[str, Any],
    change: dict[str, Any],
    row: errors.Refusal,
    slots: dict[str, Any],
) -> None:
    """What is settled at creation, or contradicts the rest, is refused in Graph's words."""
    _refused(admin.patch(f"/groups/{new_group(**kind)['id']}", json=change), row, **slots)


@pytest.mark.parametrize(
    ("nickname", "row", "deletion"),
    [
        ("finance-onprem", errors.SYNCED, errors.SYNCED),
        ("newsletter", errors.MAIL_GROUP, errors.MAIL_GROUP_DELETION),
        ("site-alerts", errors.MAIL_GROUP, errors.MAIL_GROUP_DELETION),
    ],
)
def test_what_has_another_master_is_not_changed(
    admin: httpx.Client, nickname: str, row: errors.Refusal, deletion: errors.Refusal
) -> None:
    """Synced groups and those of Exchange refuse each kind of write."""
    path = f"/groups/{ID[nickname]}"
    reference = {"@odata.id": _where(PRIYA)}
    _refused(admin.patch(path, json={"description": "x"}), row)
    _refused(admin.patch(path, json={"owners@odata.bind": [_where(PRIYA)]}), row)
    _refused(admin.post(f"{path}/owners/$ref", json=reference), row)
    _refused(admin.delete(f"{path}/owners/{PRIYA}/$ref"), row)
    _refused(admin.delete(path), deletion)


def test_a_role_assignable_group_wants_one_permission_more(
    admin: httpx.Client, new_group: Made, token: Token
) -> None:
    """Without RoleManagement.ReadWrite.Directory no write of any kind gets through."""
    path = f"/groups/{new_group(isAssignableToRole=True)['id']}"
    headers = _as(admin, token("Group.ReadWrite.All", "GroupMember.ReadWrite.All"))
    reference = {"@odata.id": _where(PRIYA)}
    for method, where, sent in (
        ("PATCH", path, {"description": "x"}),
        ("PATCH", path, {"members@odata.bind": [_where(PRIYA)]}),
        ("POST", f"{path}/members/$ref", reference),
        ("POST", f"{path}/owners/$ref", reference),
        ("DELETE", f"{path}/members/{PRIYA}/$ref", None),
        ("DELETE", path, None),
    ):
        _refused(admin.request(method, where, json=sent, headers=headers), errors.DENIED)
    assert admin.post(f"{path}/members/$ref", json=reference).status_code == 204


def test_a_bind_of_members_needs_less_than_a_change(
    admin: httpx.Client, new_group: Made, token: Token
) -> None:
    """GroupMember.ReadWrite.All is for members alone; an unknown group is told to its holder."""
    path = f"/groups/{new_group()['id']}"
    headers = _as(admin, token("GroupMember.ReadWrite.All"))
    bind = {"@odata.type": "#microsoft.graph.group", "Members@odata.bind": [_where(PRIYA)]}
    assert admin.patch(path, json=bind, headers=headers).status_code == 204
    more = {"displayName": "x", "members@odata.bind": [_where(PRIYA)]}
    _refused(admin.patch(path, json=more, headers=headers), errors.DENIED)
    absent = f"/groups/{ABSENT}"
    _refused(admin.patch(absent, json=bind, headers=headers), errors.NO_RESOURCE, id=ABSENT)
    nobody = _as(admin, token("Group.Read.All"))
    _refused(admin.patch(absent, json=bind, headers=nobody), errors.DENIED)
    _refused(admin.patch("/groups/x", json=bind, headers=headers), errors.BAD_ID, id="x")


# --- uniqueName


def test_a_group_is_made_and_changed_by_its_unique_name(
    admin: httpx.Client, group_body: Made
) -> None:
    """With the wish in `Prefer` a missing group is created, one that is there changed."""
    path = "/groups(uniqueName='crew''s')"
    wish = {"Prefer": "return=minimal, Create-If-Missing"}
    name = {"id": "crew's"}
    _refused(admin.get(path), errors.NO_RESOURCE, **name)
    _refused(admin.patch(path, json=group_body()), errors.NO_RESOURCE, **name)
    made = admin.patch(path, json=group_body(description="first"), headers=wish)
    assert (made.status_code, made.json()["uniqueName"]) == (201, "crew's")
    again = admin.patch(path, json={"description": "second"}, headers=wish)
    assert (again.status_code, again.content) == (204, b"")
    shown = admin.get("/groups/(uniquename='CREW''s')?$select=id,description").json()
    assert (shown["id"], shown["description"]) == (made.json()["id"], "second")
    other = group_body(uniqueName="another")
    bad = admin.patch("/groups(uniqueName='one')", json=other, headers=wish)
    _refused(bad, errors.GROUP_BAD_VALUE, property="uniqueName")
    assert admin.get("/groups(name='x')").status_code == 400


def test_a_unique_name_is_unique_and_stays(admin: httpx.Client, new_group: Made) -> None:
    """It may be given later, once; nobody else gets it."""
    one, other = new_group(uniqueName="harbour"), new_group()
    path = f"/groups/{other['id']}"
    conflict = admin.patch(path, json={"uniqueName": "Harbour"})
    _refused(conflict, errors.GROUP_CONFLICT, property="uniqueName")
    assert admin.patch(path, json={"uniqueName": "quay"}).status_code == 204
    same = {"uniqueName": "harbour", "description": "x"}
    assert admin.patch(f"/groups/{one['id']}", json=same).status_code == 204
    for change in ("pier", None):
        reply = admin.patch(path, json={"uniqueName": change})
        _refused(reply, errors.READ_ONLY_PROPERTY, property="uniqueName")


# --- deleting


def test_a_security_group_is_gone_with_all_that_it_was(
    admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """Members, owners, roles and its own memberships go with it; it cannot come back."""
    key = joiner()["id"]
    bind = {"members@odata.bind": [_where(key)], "owners@odata.bind": [_where(key)]}
    made, outer = new_group(**bind, isAssignableToRole=True)["id"], new_group()["id"]
    inside = {"@odata.id": _where(made)}
    assert admin.post(f"/groups/{outer}/members/$ref", json=inside).status_code == 204
    role = {
        "roleDefinitionId": BUILT_IN["Reports Reader"],
        "principalId": made,
        "directoryScopeId": "/",
    }
    assert admin.post(ROLES, json=role).status_code == 201
    assert admin.delete(f"/groups/{made}").status_code == 204
    _refused(admin.get(f"/groups/{made}"), errors.NO_RESOURCE, id=made)
    _refused(admin.delete(f"/groups/{made}"), errors.NO_RESOURCE, id=made)
    assert admin.get(f"/directory/deletedItems/{made}").status_code == 404
    assert made not in _ids(admin, f"/groups/{outer}/members")
    assert made not in _ids(admin, f"/users/{key}/memberOf")
    held = admin.get(ROLES, params={"$filter": f"principalId eq '{made}'"}).json()["value"]
    assert held == []


def test_a_group_that_gives_licenses_stays(
    admin: httpx.Client, new_group: Made, joiner: Made
) -> None:
    """The licenses go first, whose members then hold nothing through it."""
    key = joiner()["id"]
    path = f"/groups/{new_group(**{'members@odata.bind': [_where(key)]})['id']}"
    sku = ID_OF["SPE_E3"]
    added = {"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []}
    assert admin.post(f"{path}/assignLicense", json=added).status_code == 202
    _refused(admin.delete(path), errors.GROUP_LICENSED)
    held = f"/users/{key}?$select=assignedLicenses"
    assert [one["skuId"] for one in admin.get(held).json()["assignedLicenses"]] == [sku]
    removed = {"addLicenses": [], "removeLicenses": [sku]}
    gone = {
        "requests": [
            {
                "id": "1",
                "method": "POST",
                "url": f"{path}/assignLicense",
                "body": removed,
                "headers": {"Content-Type": "application/json"},
            },
            {"id": "2", "method": "DELETE", "url": path, "dependsOn": ["1"]},
        ]
    }
    statuses = {r["id"]: r["status"] for r in admin.post("/$batch", json=gone).json()["responses"]}
    assert statuses == {"1": 202, "2": 204}
    assert admin.get(held).json()["assignedLicenses"] == []


def test_a_deletion_wants_its_permission(
    admin: httpx.Client, new_group: Made, token: Token
) -> None:
    """Directory.ReadWrite.All changes groups and does not delete them."""
    path = f"/groups/{new_group()['id']}"
    _refused(
        admin.delete(path, headers=_as(admin, token("Directory.ReadWrite.All"))), errors.DENIED
    )
    assert admin.delete(path, headers=_as(admin, token("Group.ReadWrite.All"))).status_code == 204


def test_without_ref_a_nested_group_is_deleted(
    admin: httpx.Client, new_group: Made, token: Token
) -> None:
    """Forgetting `/$ref` deletes the group inside, given the right; never an application."""
    inner = new_group()["id"]
    bind = {"members@odata.bind": [_where(inner), _where(APPLY_APP.principal_id)]}
    path = f"/groups/{new_group(**bind)['id']}/members"
    users_only = _as(admin, token("User.ReadWrite.All", "GroupMember.Read.All"))
    _refused(admin.delete(f"{path}/{inner}", headers=users_only), errors.DENIED)
    assert admin.delete(f"{path}/{inner}").status_code == 204
    assert admin.get(f"/groups/{inner}").status_code == 404
    assert admin.delete(f"{path}/{APPLY_APP.principal_id}").status_code == 501


def test_members_lose_what_a_deleted_group_still_gave(
    start: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    """Licenses on their way back to the company are there when the group is gone."""
    file, made = tmp_path / "tenant.sqlite", ID["power-bi-viewers"]
    graph = start(file, trouble=Trouble(lag=Lag(licenses=60)))
    db, _ = store.connect(file)
    with closing(db):
        db.execute(
            "INSERT INTO owner (group_id, owner_id) VALUES (?, ?)", (made, APPLY_APP.principal_id)
        )
    sku = ID_OF["POWER_BI_PRO"]
    held = "/users/diego.fernandez@contoso.com?$select=assignedLicenses"
    removed = {"addLicenses": [], "removeLicenses": [sku]}
    assert graph.post(f"/groups/{made}/assignLicense", json=removed).status_code == 202
    assert sku in graph.get(held).text
    assert graph.delete(f"/groups/{made}").status_code == 204
    assert sku not in graph.get(held).text


def test_what_a_group_was_extended_with_goes_with_it(admin: httpx.Client, new_group: Made) -> None:
    """Open extensions have no life of their own."""
    path = f"/groups/{new_group()['id']}"
    more = {
        "@odata.type": "microsoft.graph.openTypeExtension",
        "extensionName": "com.contoso.team",
        "size": "11",
    }
    assert admin.post(f"{path}/extensions", json=more).status_code == 201
    assert admin.delete(path).status_code == 204
    assert admin.get(f"{path}/extensions/com.contoso.team").status_code == 404
