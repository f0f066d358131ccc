"""`/groups`: create, change and upsert."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import groups, links, objects
from reconciler.sandbox.api.groups import Group
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import addresses, group_values, values
from reconciler.sandbox.data.accounts import GUID, User
from reconciler.sandbox.data.group_values import DYNAMIC, HIDDEN, PRIVATE, UNIFIED
from reconciler.sandbox.data.properties import GROUP_DEFAULTS
from reconciler.sandbox.data.store import path_expression, resources, setting, to_text
from reconciler.sandbox.query import odata
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.wire import Reply

_REQUIRED: Final = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_ONLY_AT_CREATION: Final = ("resourceBehaviorOptions",)


# --- creating


def create(call: Call) -> Reply:
    """`POST /groups`: a security or a Microsoft 365 group, with up to 20 members and owners."""
    return _created(call, _given(call))


def _given(call: Call) -> dict[str, Any]:
    body = call.body()
    known = odata.extensions(call) if odata.mentions_extension(" ".join(body)) else {}
    return group_values.properties(body, known)


def _created(call: Call, given: dict[str, Any]) -> Reply:
    links_ = links.bound(call.body())
    for name in _REQUIRED:
        if name not in given:
            raise errors.GROUP_REQUIRED.error(property=name)
    if given["mailEnabled"] and UNIFIED not in given.get("groupTypes", ()):
        raise errors.MAIL_GROUP_CREATION.error()
    group_values.require_consistent(given)
    if given.get("isAssignableToRole"):
        permissions.require(call, permissions.ROLE_WRITE)
    group = _insert(call, given)
    _link_new(call, group, links_)
    where = f"{call.request.root.removesuffix('/v1.0')}/v2/{setting(call.db, 'tenant')}"
    location = f"{where}/directoryObjects/{group.id}/Microsoft.DirectoryServices.Group"
    made = call.entity("groups/$entity", groups.show(group, GROUP_DEFAULTS), 201)
    return replace(made, headers={"location": location})


def _insert(call: Call, given: Mapping[str, Any]) -> Group:
    key, now = str(uuid4()), stamp(call.now)
    document = {
        "createdDateTime": now,
        "renewedDateTime": now,
        "groupTypes": [],
        "securityIdentifier": group_values.security_identifier(key),
        **_filled_in(call.db, given),
        **_without_nulls(given),
    }
    require_unique(call.db, document, key)
    values.check_extension_values(document)
    cursor = call.db.execute(
        'INSERT INTO "group" (id, document) VALUES (?, ?)', (key, to_text(document))
    )
    addresses.hold(call.db, key, document)
    return Group(cursor.lastrowid or 0, key, None, document)


def _filled_in(db: sqlite3.Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what Graph adds to a new group by its kind ("Create group"; the state is inferred)."""
    added: dict[str, Any] = {}
    kinds = given.get("groupTypes", ())
    if UNIFIED in kinds:
        domain = next(one["id"] for one in resources(db, "domain") if one["isDefault"])
        address = f"{given['mailNickname']}@{domain}"
        added = {
            "mail": address,
            "proxyAddresses": [f"SMTP:{address}"],
            "visibility": "Public",
        }
    if given.get("isAssignableToRole"):
        added["visibility"] = PRIVATE
    if DYNAMIC in kinds:
        added["membershipRuleProcessingState"] = "On"
    return added


def _without_nulls(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def require_unique(db: sqlite3.Connection, properties: Mapping[str, Any], key: str) -> None:
    """Raise Graph's refusal of a name that another living group has.

    Security groups may share a `mailNickname`.
    """
    kinds = properties.get("groupTypes", ())
    for name in ("uniqueName", "mailNickname"):
        if name not in properties or (name == "mailNickname" and UNIFIED not in kinds):
            continue
        among = "" if name == "uniqueName" else f"AND {path_expression('mailEnabled')}"
        row = db.execute(
            f'SELECT 1 FROM "group" WHERE {path_expression(name)} COLLATE NOCASE = ? '  # noqa: S608 -- constants
            f"AND id <> ? AND deleted IS NULL {among}",
            (properties[name], key),
        ).fetchone()
        if row:
            raise errors.GROUP_CONFLICT.error(target=name, property=name)


def _link_new(call: Call, group: Group, bound: Mapping[str, list[str]]) -> None:
    if not call.may(*permissions.GROUP_WRITE):
        _require_sight(call, [key for keys in bound.values() for key in keys])
    if owners := bound.get("owners"):
        links.add_owners(call, group, owners)
    if members := bound.get("members"):
        if refusal := group.refuse_members():
            raise refusal
        links.add_members(call, group, members, principals=permissions.PRINCIPAL_READ)


def _require_sight(call: Call, keys: Iterable[str]) -> None:
    """Raise Graph's 403 unless the caller may read whom it puts in, itself excepted.

    So it is for those who were granted `Group.Create` alone ("Create group"). What is not
    there is refused like what it could be, so that nobody learns which of both it is.
    """
    for key in keys:
        match objects.find_any(call.db, key):
            case None:
                _require_any_sight(call, key)
            case User():
                permissions.require(call, permissions.USER_READ_FULL)
            case Group():
                permissions.require(call, permissions.GROUP_READ)
            case found if found.id != call.caller.principal_id:
                permissions.require(call, permissions.PRINCIPAL_READ)


def _require_any_sight(call: Call, key: str) -> None:
    """Raise Graph's 403 unless the caller may read all that could have this id or UPN."""
    permissions.require(call, permissions.USER_READ_FULL)
    if GUID.fullmatch(key):
        permissions.require(call, permissions.GROUP_READ)
        permissions.require(call, permissions.PRINCIPAL_READ)


# --- changing


def update(call: Call) -> Reply:
    """`PATCH /groups/{id}`: properties, up to 20 new members and owners, all or nothing."""
    return _updated(call, groups.find(call.db, call.key))


def _updated(call: Call, found: Group | None) -> Reply:
    body = call.body()
    named = {name.lower() for name in body if not name.lower().startswith("@odata.")}
    is_membership = named == {"members@odata.bind"}
    granted = permissions.MEMBER_WRITE if is_membership else permissions.GROUP_WRITE
    group = groups.require_write(call, granted, found)
    given, bound = _given(call), links.bound(body)
    if refusal := group.refuse_write():
        raise refusal
    if given:
        group = _changed(call, group, given)
    if owners := bound.get("owners"):
        links.add_owners(call, group, owners)
    if members := bound.get("members"):
        if refusal := group.refuse_members():
            raise refusal
        links.add_members(call, group, members)
    return NO_CONTENT


def _changed(call: Call, group: Group, given: dict[str, Any]) -> Group:
    _require_changeable(group, given)
    properties = _without_nulls({**group.properties, **given})
    group_values.require_consistent(properties)
    require_unique(call.db, properties, group.id)
    values.check_extension_values(properties)
    call.db.execute('UPDATE "group" SET document = ? WHERE id = ?', (to_text(properties), group.id))
    return replace(group, properties=properties)


def _require_changeable(group: Group, given: dict[str, Any]) -> None:
    """Raise Graph's refusal of what is settled when a group is created."""
    if "isAssignableToRole" in given:
        if bool(given["isAssignableToRole"]) is not group.is_role_assignable:
            raise errors.ROLE_ASSIGNABLE_FIXED.error()
        del given["isAssignableToRole"]
    before = group.properties
    for name in _ONLY_AT_CREATION:
        if name in given:
            raise errors.READ_ONLY_PROPERTY.error(property=name)
    unique = before.get("uniqueName")
    if unique is not None and given.get("uniqueName", unique) != unique:
        raise errors.READ_ONLY_PROPERTY.error(property="uniqueName")
    if given.get("visibility") == HIDDEN != before.get("visibility"):
        raise errors.GROUP_BAD_VALUE.error(property="visibility")
    kinds = given.get("groupTypes")
    if kinds is not None and (UNIFIED in kinds) is not group.is_unified:
        raise errors.INVALID_VALUES.error()


def upsert(call: Call) -> Reply:
    """`PATCH /groups(uniqueName='{name}')`: with `Prefer: create-if-missing` it may be new."""
    group = groups.find_unique(call.db, call.key)
    if group is not None:
        return _updated(call, group)
    wishes = call.request.headers.get("prefer", "").lower().split(",")
    if "create-if-missing" not in {wish.strip() for wish in wishes}:
        raise errors.NO_RESOURCE.error(id=call.key)
    named = group_values.properties({"uniqueName": call.key}, {})
    given = _given(call)
    if given.get("uniqueName", call.key) != call.key:
        raise errors.GROUP_BAD_VALUE.error(property="uniqueName")
    return _created(call, given | named)


ROUTES: Final = (
    ("POST", "groups", Route(create, permissions.GROUP_CREATE, activity="Add group")),
    ("PATCH", "groups/{}", Route(update, permissions.ANYBODY, activity="Update group")),
    (
        "PATCH",
        "groups(uniqueName='{}')",
        Route(upsert, permissions.GROUP_WRITE, activity="Update group"),
    ),
)
