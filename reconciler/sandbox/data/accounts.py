"""Users as rows: found by id or UPN, written whole, shown as Graph shows them."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.data import addresses, pages, plans
from reconciler.sandbox.data.group_values import security_identifier
from reconciler.sandbox.data.properties import EXTENSION_ATTRIBUTES, USER, USER_DEFAULTS, Kind
from reconciler.sandbox.data.store import setting, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNSET: Final = {
    "birthday": "0001-01-01T00:00:00Z",
    "hireDate": "0001-01-01T00:00:00Z",
    "deviceEnrollmentLimit": 5,
}
"""What cannot be null and was never set; Intune's limit is its default."""

COLUMNS = "seq, id, upn, deleted, manager, password, document"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class User:
    """A user as the tenant keeps it; *password* is a hash."""

    seq: int
    id: str
    upn: str
    deleted: str | None
    manager: str | None
    password: str | None
    properties: Mapping[str, Any]

    @property
    def is_synced(self) -> bool:
        """Whether on-premises is its authority."""
        return self.properties.get("onPremisesSyncEnabled") is True

    @property
    def was_synced(self) -> bool:
        """Whether it is synced or was once: false is not null here."""
        return self.properties.get("onPremisesSyncEnabled") is not None


def from_row(row: tuple[Any, ...]) -> User:
    """Give the user of a row of `COLUMNS`."""
    seq, key, upn, deleted, manager, password, document = row
    return User(seq, key, upn, deleted, manager, password, orjson.loads(document))


def find(db: sqlite3.Connection, key: str, *, deleted: bool = False) -> User | None:
    """Give the user with this id or UPN, among the living or the deleted."""
    column = "id" if GUID.fullmatch(key) else "upn"
    null = "NOT NULL" if deleted else "NULL"
    row = db.execute(
        f"SELECT {COLUMNS} FROM user WHERE {column} = ? AND deleted IS {null}",  # noqa: S608 -- constants
        (key,),
    ).fetchone()
    return None if row is None else from_row(row)


def get(db: sqlite3.Connection, key: str, *, deleted: bool = False) -> User:
    """Give the user with this id or UPN; raises Graph's 404."""
    user = find(db, key, deleted=deleted)
    if user is None:
        raise errors.NO_RESOURCE.error(id=key)
    return user


def insert(
    db: sqlite3.Connection,
    key: str,
    upn: str,
    properties: Mapping[str, Any],
    *,
    password: str | None = None,
) -> User:
    """Keep a new user; raises Graph's refusal of a UPN or an address that is taken."""
    try:
        cursor = db.execute(
            "INSERT INTO user (id, upn, password, document) VALUES (?, ?, ?, ?)",
            (key, upn, password, to_text(properties)),
        )
    except sqlite3.IntegrityError as error:
        raise errors.DUPLICATE_UPN.error(target="userPrincipalName") from error
    user = User(cursor.lastrowid or 0, key, upn, None, None, password, properties)
    addresses.hold(db, key, properties)
    _show_on_pages(db, user)
    return user


def save(db: sqlite3.Connection, user: User) -> None:
    """Keep *user* as it is now; raises Graph's refusal of a UPN or an address that is taken."""
    try:
        db.execute(
            "UPDATE user SET upn = ?, deleted = ?, manager = ?, password = ?, document = ? "
            "WHERE id = ?",
            (
                user.upn,
                user.deleted,
                user.manager,
                user.password,
                to_text(user.properties),
                user.id,
            ),
        )
    except sqlite3.IntegrityError as error:
        raise errors.DUPLICATE_UPN.error(target="userPrincipalName") from error
    addresses.hold(db, user.id, user.properties)
    _show_on_pages(db, user)


def remove(db: sqlite3.Connection, user: User) -> None:
    """Forget *user*, which is deleted already, and nothing else."""
    db.execute("DELETE FROM user WHERE id = ?", (user.id,))
    addresses.forget(db, user.id)


def page_text(user: User) -> str:
    """Give the default properties of *user* as they stand in a list: the JSON of one item."""
    return to_text({name: _plain(user, name) for name in USER_DEFAULTS})


def _show_on_pages(db: sqlite3.Connection, user: User) -> None:
    """Keep what lists show of *user* ready."""
    if user.deleted is None:
        pages.put(db, user.seq, page_text(user))
    else:
        pages.drop(db, user.seq)


def show(
    db: sqlite3.Connection, user: User, names: Iterable[str], *, id_first: bool = False
) -> dict[str, Any]:
    """Give the named properties as Graph shows them, nulls included."""
    shown = {name: _value(db, user, name) for name in names}
    return {"id": user.id, **shown} if id_first else shown


def _value(db: sqlite3.Connection, user: User, name: str) -> Any:  # noqa: ANN401 -- any JSON
    match name:
        case "deletedDateTime":
            return user.deleted
        case "assignedLicenses" | "licenseAssignmentStates":
            states = license_states(db, user.id)
            return states if name.startswith("license") else _assigned(states)
        case "assignedPlans":
            return plans.assigned(db, license_states(db, user.id))
        case "provisionedPlans":
            return plans.provisioned(plans.assigned(db, license_states(db, user.id)))
        case "securityIdentifier":
            return security_identifier(user.id)
        case "identities":
            return [_identity(db, user)]
        case "onPremisesExtensionAttributes":
            kept = user.properties.get(name) or {}
            return {attribute: kept.get(attribute) for attribute in EXTENSION_ATTRIBUTES}
        case "passwordProfile":
            return {"password": None, **(user.properties.get(name) or {})}
    return _plain(user, name)


def _plain(user: User, name: str) -> Any:  # noqa: ANN401 -- any JSON
    """Give a property that lies in the row itself."""
    if name == "id":
        return user.id
    if name == "userPrincipalName":
        return user.upn
    if name in user.properties:
        return user.properties[name]
    if name in _UNSET:
        return _UNSET[name]
    prop = USER.get(name.lower())
    return [] if prop and prop.kind in {Kind.TEXTS, Kind.OTHERS} else None


def _identity(db: sqlite3.Connection, user: User) -> dict[str, str]:
    return {
        "signInType": "userPrincipalName",
        "issuer": setting(db, "domain"),
        "issuerAssignedId": user.upn,
    }


def license_states(db: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    """Give `licenseAssignmentStates`: one entry for each way in which a SKU is held."""
    rows = db.execute(
        "SELECT sku_id, group_id, disabled, updated, error FROM license WHERE user_id = ? "
        "ORDER BY rowid",
        (user_id,),
    )
    return [
        {
            "skuId": sku,
            "assignedByGroup": group or None,
            "disabledPlans": orjson.loads(disabled),
            # Without an error Graph says the text "None", whatever the docs say.
            "error": error,
            "lastUpdatedDateTime": updated,
            "state": "Active" if error == "None" else "Error",
        }
        for sku, group, disabled, updated, error in rows
    ]


def _assigned(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give `assignedLicenses`: a plan is off only if every way of holding the SKU has it off."""
    disabled: dict[str, list[str]] = {}
    for state in states:
        if state["state"] == "Active":
            plans = state["disabledPlans"]
            kept = disabled.get(state["skuId"], plans)
            disabled[state["skuId"]] = [plan for plan in kept if plan in plans]
    return [{"disabledPlans": plans, "skuId": sku} for sku, plans in disabled.items()]
