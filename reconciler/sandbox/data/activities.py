"""What the changes of one write are called in the audit log, and whom they concern.

Names, services and categories from "Microsoft Entra audit log categories and activities".
Values of directory properties stand in a list, as Entra writes them; that each is JSON in a
text is left to whoever shows a record.
A password is in no record, and of an object without a table of its own only what is known
to be harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.data.ledger import PASSWORD
from reconciler.sandbox.data.store import resource, setting, to_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.sandbox.data.ledger import Change

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the log."""

    name: str
    targets: tuple[Json, ...]


@dataclass(slots=True)
class _Directory:
    """Looks up whom a record concerns, each once."""

    db: sqlite3.Connection
    known: dict[str, Json] = field(default_factory=dict)

    def target(self, key: str) -> Json:
        """Give the object with this id or UPN as a target without properties, whatever it is."""
        if key not in self.known:
            self.known[key] = self._found(key)
        return self.known[key]

    def _found(self, key: str) -> Json:
        row = self.db.execute(
            "SELECT id, document ->> '$.displayName', upn FROM user WHERE id = ?1 OR upn = ?1",
            (key,),
        ).fetchone()
        if row:
            return target(row[0], "User", row[1], upn=row[2])
        row = self.db.execute('SELECT document FROM "group" WHERE id = ?', (key,)).fetchone()
        if row:
            return group_target(key, orjson.loads(row[0]))
        for kind, name in _TYPES.items():
            if document := resource(self.db, kind, key):
                return target(key, name, document.get("displayName"))
        return target(key, "Other", None)


_TYPES: Final = {
    "roleDefinition": "Role",
    "servicePrincipal": "ServicePrincipal",
    "administrativeUnit": "AdministrativeUnit",
    "application": "Application",
}
_PLAIN: Final = frozenset(("administrativeUnit",))
"""The objects without a table whose properties may stand in a record."""


def target(key: str | None, kind: str, name: str | None, *, upn: str | None = None) -> Json:
    """Give whom a record concerns."""
    return {
        "id": key,
        "displayName": name,
        "type": kind,
        "userPrincipalName": upn,
        "groupType": None,
        "modifiedProperties": [],
    }


def group_target(key: str, document: Mapping[str, Any]) -> Json:
    """Give a group that a record concerns."""
    is_unified = "Unified" in (document.get("groupTypes") or ())
    kind = "unifiedGroups" if is_unified else "azureAD"
    return target(key, "Group", document.get("displayName")) | {"groupType": kind}


def _user_target(key: str, document: Mapping[str, Any]) -> Json:
    upn = document.get("userPrincipalName")
    return target(key, "User", document.get("displayName"), upn=upn)


def _property(name: str, old: Any, new: Any) -> Json:  # noqa: ANN401 -- any JSON
    return {"displayName": name, "oldValue": old, "newValue": new}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 -- any JSON
    return value if isinstance(value, list) else [] if value is None else [value]


def _modified(change: Change, names: Iterable[str]) -> Json:
    """Give the properties that changed, as short as they can be kept; see `shown`."""
    kept = [name for name in names if name != PASSWORD]
    return {
        "names": kept,
        "before": {n: v for n in kept if n != _PROFILE and (v := change.before.get(n)) is not None},
        "after": {n: v for n in kept if n != _PROFILE and (v := change.after.get(n)) is not None},
    }


_PROFILE: Final = "passwordProfile"


def shown(document: Json) -> Json:
    """Give a record as Graph shows it: each value of a property is JSON in a text."""
    for one in document["targetResources"]:
        kept = one["modifiedProperties"]
        whole = _spelled(kept) if isinstance(kept, dict) else kept
        one["modifiedProperties"] = [
            {name: value if name == "displayName" else _text(value) for name, value in p.items()}
            for p in whole
        ]
    return document


def _text(value: Any) -> str | None:  # noqa: ANN401 -- any JSON
    return None if value is None else to_text(value)


def _spelled(kept: Json) -> list[Json]:
    """Give the properties that `_modified` kept, and at the end their names."""
    properties = []
    for name in kept["names"]:
        values = (kept["before"].get(name), kept["after"].get(name))
        old, new = (None, None) if name == _PROFILE else map(_listed, values)
        properties.append(_property(_title(name), old, new))
    told = ", ".join(map(_title, kept["names"]))
    return [*properties, _property("Included Updated Properties", None, told)] if told else []


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


# --- from changes to records


def performed(
    db: sqlite3.Connection, changes: Sequence[Change], activity: str | None, keys: Sequence[str]
) -> list[Activity]:
    """Give the records of one write; *activity* is its route's, *keys* the ids of its path.

    What goes along with an object that is gone for good has no record of its own. A write
    that changed nothing has the one that its route is called by.
    """
    directory = _Directory(db)
    gone = {c.id for c in changes if c.table in {"user", "group"} and c.verb == "delete"}
    left = [c for c in changes if c.table in {"user", "group"} or not gone & {c.id, c.other}]
    found: list[Activity] = []
    for change in left:
        match change.table:
            case "user":
                found += _of_user(directory, change, activity)
            case "group":
                found += _of_group(change)
            case "member" | "owner" | "role_assignment":
                found.append(_of_link(directory, change))
    found += _of_licenses(directory, [change for change in left if change.table == "license"])
    documents = [change for change in left if change.table == "resource"]
    # PIM only judged what changed nothing.
    is_done = bool(documents) or _PIM not in (activity or "")
    if not found and activity is not None and is_done:
        found.append(_of_route(directory, documents, activity, keys))
    return found


_PIM: Final = " in PIM"
_SESSIONS: Final = "signInSessionsValidFromDateTime"
_PASSWORD: Final = frozenset(("passwordProfile", "lastPasswordChangeDateTime", PASSWORD))
_UNSHOWN: Final = frozenset((*_PASSWORD, _SESSIONS, "manager"))
_HIDDEN: Final = _UNSHOWN - {"passwordProfile"}
"""What a new account is not told with."""


def _lifecycle(change: Change) -> str | None:
    """Give what happened to the whole object, if it was more than a change."""
    if change.verb == "insert":
        return "Add"
    if change.verb == "delete":
        return "Hard Delete"
    was, now = change.before.get("deletedDateTime"), change.after.get("deletedDateTime")
    return None if was == now else "Delete" if now else "Restore"


def _of_user(directory: _Directory, change: Change, activity: str | None) -> Iterator[Activity]:
    plain = _user_target(change.id, change.after or change.before)
    names = change.names()
    if step := _lifecycle(change):
        given = _modified(change, (n for n in names if n not in _HIDDEN))
        yield Activity(
            f"{step} user", (plain | {"modifiedProperties": given if step == "Add" else []},)
        )
        return
    if "manager" in names:
        yield _of_manager(directory, change, plain)
    if _SESSIONS in names:
        title = "StsRefreshTokensValidFrom"
        old, new = _listed(change.before.get(_SESSIONS)), _listed(change.after[_SESSIONS])
        changed = [_property(title, old, new)]
        yield Activity(
            "Update StsRefreshTokenValidFrom Timestamp", (plain | {"modifiedProperties": changed},)
        )
    if not _PASSWORD.isdisjoint(names):
        is_reset = PASSWORD in names
        yield Activity("Reset user password" if is_reset else _FORCED, (plain,))
    if "accountEnabled" in names:
        is_on = change.after.get("accountEnabled")
        yield Activity("Enable account" if is_on else "Disable account", (plain,))
    if rest := [name for name in names if name not in _UNSHOWN]:
        yield Activity("Update user", (plain | {"modifiedProperties": _modified(change, rest)},))
    if not names:
        yield Activity(activity or "Update user", (plain,))


_FORCED: Final = "Set force change user password"


def _of_manager(directory: _Directory, change: Change, plain: Json) -> Activity:
    old, new = change.before.get("manager"), change.after.get("manager")
    changed = [_property("Manager", old, new)]
    whole = plain | {"modifiedProperties": changed}
    name = "Set user manager" if new else "Remove user manager"
    return Activity(name, (whole, directory.target(str(new or old))))


def _of_group(change: Change) -> Iterator[Activity]:
    plain = group_target(change.id, change.after or change.before)
    names = [name for name in change.names() if name != "licenseProcessingState"]
    if step := _lifecycle(change):
        given = _modified(change, names) if step == "Add" else []
        yield Activity(f"{step} group", (plain | {"modifiedProperties": given},))
    elif names or not change.names():
        name = "Set group license" if "assignedLicenses" in names else "Update group"
        yield Activity(name, (plain | {"modifiedProperties": _modified(change, names)},))


_LINKS: Final = {
    ("member", "insert"): "Add member to group",
    ("member", "delete"): "Remove member from group",
    ("owner", "insert"): "Add owner to group",
    ("owner", "delete"): "Remove owner from group",
    ("role_assignment", "insert"): "Add member to role",
    ("role_assignment", "delete"): "Remove member from role",
}


def _of_link(directory: _Directory, change: Change) -> Activity:
    """Give the record of a member, an owner or a holder: it comes first, then the other end."""
    name = _LINKS[change.table, change.verb]
    is_role = change.table == "role_assignment"
    if is_role and (change.after or change.before)["scope"] != "/":
        name = name.replace("member", "scoped member")
    ends = (change.id, change.other or "") if is_role else (change.other or "", change.id)
    one, other = map(directory.target, ends)
    word = "Role" if is_role else "Group"
    if other["type"] == _TYPES["administrativeUnit"]:
        name, word = name.replace("group", "administrative unit"), other["type"]
    values = [
        (f"{word}.ObjectID", other["id"]),
        (f"{word}.DisplayName", other["displayName"]),
    ]
    is_new = change.verb == "insert"
    changed = [_property(n, None if is_new else v, v if is_new else None) for n, v in values]
    return Activity(name, (one | {"modifiedProperties": changed}, other))


def _of_licenses(directory: _Directory, changes: Sequence[Change]) -> Iterator[Activity]:
    for user in dict.fromkeys(change.id for change in changes):
        rows = directory.db.execute(
            "SELECT group_id, sku_id, disabled FROM license WHERE user_id = ?", (user,)
        )
        now = {(group, sku): orjson.loads(plans) for group, sku, plans in rows}
        was = dict(now)
        mine = [change for change in changes if change.id == user]
        for change in mine:
            was.pop((change.after.get("groupId"), change.after.get("skuId")), None)
        for before in (change.before for change in mine if change.before):
            was[before["groupId"], before["skuId"]] = before["disabledPlans"]
        old, new = (_assigned(directory.db, held) for held in (was, now))
        changed = [
            _property("AssignedLicense", old, new),
            _property("Included Updated Properties", None, "AssignedLicense"),
        ]
        plain = directory.target(user)
        yield Activity("Change user license", (plain | {"modifiedProperties": changed},))


def _assigned(db: sqlite3.Connection, held: Mapping[tuple[str, str], Sequence[str]]) -> list[str]:
    tenant = setting(db, "tenant")
    return [
        f"[SkuName={(resource(db, 'sku', sku) or {}).get('skuPartNumber')}, AccountId={tenant}, "
        f"SkuId={sku}, DisabledPlans=[{', '.join(plans)}]]"
        for (_, sku), plans in sorted(held.items())
    ]


def _of_route(
    directory: _Directory, documents: Sequence[Change], activity: str, keys: Sequence[str]
) -> Activity:
    """Give the record of what has no table of its own, after the route that wrote it."""
    targets: dict[str, Json] = {}
    for change in documents:
        document = change.after or change.before
        ends = [document.get("roleDefinitionId"), document.get("principalId")]
        for key in filter(None, ends):
            targets[key] = directory.target(key)
        if change.other in _TYPES:
            plain = target(change.id, _TYPES[change.other], document.get("displayName"))
            names = change.names() if change.other in _PLAIN else ()
            targets[change.id] = plain | {"modifiedProperties": _modified(change, names)}
    if not targets:
        targets = {key: directory.target(key) for key in keys[:1]}
    return Activity(activity, tuple(targets.values()))
