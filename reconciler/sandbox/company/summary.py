"""What there is in a tenant, in a few numbers and lists: read without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox.company.governance import UNIT
from reconciler.sandbox.data.schedules import ACTIVE, ELIGIBLE
from reconciler.sandbox.data.store import path_expression, resources
from reconciler.sandbox.data.subscriptions import consumed

if TYPE_CHECKING:
    import sqlite3

_MARK: Final = "onPremisesExtensionAttributes.extensionAttribute15"
_RECENT: Final = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """A tenant at one moment; the parts are lists of what `sandbox show --format json` gives."""

    company: dict[str, Any]
    domains: list[dict[str, Any]]
    skus: list[dict[str, Any]]
    people: dict[str, Any]
    marks: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    applications: list[dict[str, Any]]
    units: list[dict[str, Any]]
    audit: list[dict[str, Any]]


def summary(db: sqlite3.Connection) -> Summary:
    """Sum the tenant up as it is now."""
    db.execute("BEGIN")  # all of it is read at one moment, whoever writes meanwhile
    try:
        return Summary(
            _company(db),
            [_picked(domain, _DOMAIN) for domain in resources(db, "domain")],
            [_sku(db, sku) for sku in resources(db, "sku")],
            _people(db),
            _marks(db),
            _groups(db),
            _roles(db),
            [_application(db, application) for application in resources(db, "application")],
            _units(db),
            _audit(db),
        )
    finally:
        db.execute("ROLLBACK")


_DOMAIN: Final = ("id", "isVerified", "isDefault", "isInitial")


def _picked(document: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: document[name] for name in names}


def _company(db: sqlite3.Connection) -> dict[str, Any]:
    (found,) = resources(db, "organization")
    return _picked(found, ("id", "displayName", "countryLetterCode"))


def _sku(db: sqlite3.Connection, sku: dict[str, Any]) -> dict[str, Any]:
    units = sku["prepaidUnits"]
    return {
        "skuPartNumber": sku["skuPartNumber"],
        "capabilityStatus": sku["capabilityStatus"],
        "appliesTo": sku["appliesTo"],
        "seats": units["enabled"] + units["warning"],
        "used": consumed(db, sku["skuId"]),
    }


def _number(db: sqlite3.Connection, where: str) -> int:
    (number,) = db.execute(f"SELECT count(*) FROM user WHERE {where}").fetchone()  # noqa: S608 -- constants
    return int(number)


def _people(db: sqlite3.Connection) -> dict[str, Any]:
    here = "deleted IS NULL AND "
    departments = db.execute(
        f"SELECT {path_expression('department')} AS name, count(*) FROM user "  # noqa: S608 -- constants
        "WHERE deleted IS NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return {
        "enabled": _number(db, f"{here}{path_expression('accountEnabled')} = 1"),
        "disabled": _number(db, f"{here}{path_expression('accountEnabled')} = 0"),
        "guests": _number(db, f"{here}{path_expression('userType')} = 'Guest'"),
        "synced": _number(db, f"{here}{path_expression('onPremisesSyncEnabled')} = 1"),
        "deleted": _number(db, "deleted IS NOT NULL"),
        "departments": [{"department": name, "people": number} for name, number in departments],
    }


def _marks(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Count the accounts by what their extension attributes and directory extensions hold."""
    paths = {"extensionAttribute15": f"$.{_MARK}"}
    paths |= {name: f'$."{name}"' for name in (e["name"] for e in resources(db, "extension"))}
    return [
        {"attribute": name, "value": value, "people": living, "deleted": number - living}
        for name, path in paths.items()
        for value, number, living in db.execute(
            "SELECT json_extract(document, ?1), count(*), sum(deleted IS NULL) FROM user "
            "WHERE json_extract(document, ?1) IS NOT NULL GROUP BY 1 ORDER BY 1",
            (path,),
        )
    ]


def _groups(db: sqlite3.Connection) -> list[dict[str, Any]]:
    part_numbers = {sku["skuId"]: sku["skuPartNumber"] for sku in resources(db, "sku")}
    rows = db.execute(
        "SELECT document, (SELECT count(*) FROM member WHERE group_id = id), "
        "(SELECT count(*) FROM owner WHERE group_id = id) "
        'FROM "group" WHERE deleted IS NULL ORDER BY seq'
    )
    found = []
    for text, members, owners in rows:
        group = orjson.loads(text)
        held = [part_numbers.get(entry["skuId"]) for entry in group.get("assignedLicenses", ())]
        found.append(
            {
                "displayName": group["displayName"],
                "kind": _kind(group),
                "members": members,
                "owners": owners,
                "licenses": held,
            }
        )
    return found


def _kind(group: dict[str, Any]) -> str:
    """Give the kind of a group, under the name that a seed file has for it."""
    types = group.get("groupTypes", ())
    if "DynamicMembership" in types:
        return "dynamic"
    if group.get("onPremisesSyncEnabled"):
        return "synced"
    if "Unified" in types:
        return "microsoft365"
    if group.get("isAssignableToRole"):
        return "roleAssignable"
    if not group["mailEnabled"]:
        return "security"
    return "mailSecurity" if group["securityEnabled"] else "distribution"


def _roles(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Give the roles that somebody holds or may take, with whom and how."""
    held: dict[str, list[dict[str, Any]]] = {}
    rows = db.execute("SELECT role_id, principal_id, scope FROM role_assignment ORDER BY seq")
    for role, principal, scope in rows.fetchall():
        holder = {"name": _name(db, principal), "how": "permanent", "until": None, "scope": scope}
        held.setdefault(role, []).append(holder)
    for kind, how in ((ACTIVE, "active"), (ELIGIBLE, "eligible")):
        for schedule in resources(db, kind):
            holder = {
                "name": _name(db, schedule["principalId"]),
                "how": how,
                "until": schedule["scheduleInfo"]["expiration"]["endDateTime"],
                "scope": schedule["directoryScopeId"],
            }
            held.setdefault(schedule["roleDefinitionId"], []).append(holder)
    names = {role["id"]: role["displayName"] for role in resources(db, "roleDefinition")}
    return sorted(
        (
            {"displayName": names.get(role, role), "holders": holders}
            for role, holders in held.items()
        ),
        key=lambda role: role["displayName"],
    )


def _name(db: sqlite3.Connection, key: str) -> str:
    """Give what a principal is called; of one that is gone, its id."""
    row = db.execute(
        "SELECT upn FROM user WHERE id = ?1 "
        "UNION ALL SELECT json_extract(document, '$.displayName') FROM \"group\" WHERE id = ?1 "
        "UNION ALL SELECT json_extract(app.document, '$.displayName') FROM resource AS principal "
        "JOIN resource AS app ON app.kind = 'application' "
        "AND app.id = json_extract(principal.document, '$.appId') "
        "WHERE principal.kind = 'servicePrincipal' AND principal.id = ?1",
        (key,),
    ).fetchone()
    return key if row is None else str(row[0])


def _application(db: sqlite3.Connection, application: dict[str, Any]) -> dict[str, Any]:
    roles = db.execute(
        "SELECT json_extract(document, '$.displayName') FROM role_assignment JOIN resource "
        "ON kind = 'roleDefinition' AND resource.id = role_id WHERE principal_id = ? ORDER BY 1",
        (application["principalId"],),
    )
    ways = ["secret"] if application.get("secret") else []
    ways += ["certificate"] if application.get("certificate") else []
    ways += [
        f"tokens of {credential['issuer']} for {credential['subject']}"
        for credential in application.get("federatedIdentityCredentials") or ()
    ]
    return {
        "displayName": application["displayName"],
        "appId": application["appId"],
        "permissions": application["permissions"],
        "roles": [name for (name,) in roles],
        "signsInWith": ways,
    }


def _units(db: sqlite3.Connection) -> list[dict[str, Any]]:
    counted = "SELECT count(*) FROM member WHERE group_id = ?"
    return [
        {
            "displayName": unit["displayName"],
            "members": db.execute(counted, (unit["id"],)).fetchone()[0],
        }
        for unit in resources(db, UNIT)
    ]


def _audit(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Give the latest records, the last one first."""
    rows = db.execute("SELECT at, document FROM audit ORDER BY seq DESC LIMIT ?", (_RECENT,))
    return [_record(at, orjson.loads(text)) for at, text in rows]


def _record(at: str, record: dict[str, Any]) -> dict[str, Any]:
    actors = (record.get("initiatedBy") or {}).values()
    names = [
        actor.get("displayName") or actor.get("userPrincipalName") for actor in actors if actor
    ]
    targets = [
        target.get("userPrincipalName") or target.get("displayName") or target.get("id")
        for target in record.get("targetResources") or ()
    ]
    return {
        "at": at,
        "activity": record.get("activityDisplayName"),
        "by": next((name for name in names if name), None),
        "targets": [target for target in targets if target],
    }
