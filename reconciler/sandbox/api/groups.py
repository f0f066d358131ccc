"""Groups as rows, found by id or `uniqueName`, shown as Graph shows them; who may write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.calls import Call, checked_id
from reconciler.sandbox.data.group_values import DYNAMIC, UNIFIED
from reconciler.sandbox.data.properties import GROUP, GROUP_DEFAULTS, Kind
from reconciler.sandbox.data.store import path_expression
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from reconciler.sandbox.errors import Refusal
    from reconciler.sandbox.query.odata import Options

COLUMNS = "seq, id, deleted, document"
_UNIQUE_NAME = f"{path_expression('uniqueName')} COLLATE NOCASE"


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the tenant keeps it."""

    seq: int
    id: str
    deleted: str | None
    properties: Mapping[str, Any]

    @property
    def is_unified(self) -> bool:
        """Whether it is a Microsoft 365 group."""
        return UNIFIED in self.properties.get("groupTypes", ())

    @property
    def is_role_assignable(self) -> bool:
        """Whether it may hold roles."""
        return self.properties.get("isAssignableToRole") is True

    def refuse_write(self, mail_group: Refusal = errors.MAIL_GROUP) -> errors.GraphError | None:
        """Give the refusal of any change that lies in the kind of group.

        *mail_group* is that of groups which only Exchange may change.
        """
        if self.properties.get("onPremisesSyncEnabled"):
            return errors.SYNCED.error()
        if self.properties.get("mailEnabled") and not self.is_unified:
            return mail_group.error()
        return None

    def refuse_members(self) -> errors.GraphError | None:
        """Give the refusal of any change of members: its rule has a dynamic group's."""
        if DYNAMIC in self.properties.get("groupTypes", ()):
            return self.refuse_write() or errors.DENIED.error()
        return self.refuse_write()


def from_row(row: tuple[Any, ...]) -> Group:
    """Give the group of a row of `COLUMNS`."""
    seq, key, deleted, document = row
    return Group(seq, key, deleted, orjson.loads(document))


def find(db: sqlite3.Connection, key: str, *, deleted: bool = False) -> Group | None:
    """Give the group with this id, among the living or the deleted."""
    return _first(db, "id", key, "NOT NULL" if deleted else "NULL")


def find_unique(db: sqlite3.Connection, name: str) -> Group | None:
    """Give the living group with this `uniqueName`, if there is one."""
    return _first(db, _UNIQUE_NAME, name, "NULL")


def _first(db: sqlite3.Connection, expression: str, value: str, null: str) -> Group | None:
    row = db.execute(
        f'SELECT {COLUMNS} FROM "group" WHERE {expression} = ? AND deleted IS {null}',  # noqa: S608 -- constants
        (value,),
    ).fetchone()
    return None if row is None else from_row(row)


def get(db: sqlite3.Connection, key: str, *, deleted: bool = False) -> Group:
    """Give the group with this id; raises Graph's 400 or 404."""
    group = find(db, checked_id(key), deleted=deleted)
    if group is None:
        raise errors.NO_RESOURCE.error(id=key)
    return group


def show(group: Group, names: Iterable[str]) -> dict[str, Any]:
    """Give the named properties as Graph shows them, nulls included."""
    return {name: _value(group, name) for name in names}


def _value(group: Group, name: str) -> Any:  # noqa: ANN401 -- any JSON
    if name == "id":
        return group.id
    if name == "deletedDateTime":
        return group.deleted
    prop = GROUP.get(name.lower())
    is_many = prop and prop.kind in {Kind.TEXTS, Kind.OTHERS}
    return group.properties.get(name, [] if is_many else None)


def selected(call: Call, asked: Options) -> tuple[str, ...]:
    """Give the properties of groups that a request asks for."""
    known = odata.extensions(call) if odata.mentions_extension(",".join(asked.select)) else {}
    return odata.chosen(asked.select, GROUP, GROUP_DEFAULTS, known)


def require_write(call: Call, granted: frozenset[str], group: Group | None) -> Group:
    """Give *group*, if this caller may change it; raises Graph's 403, or 404 for None.

    An application that owns a group needs no permission (terraform-provider-azuread, `group`),
    a person does: what it may do is what its token's scopes say. For a group that may hold
    roles everybody needs one more.
    """
    if not call.may(*granted) and not (group and _is_owner(call, group)):
        raise errors.DENIED.error()
    group = group or get(call.db, call.key)
    if group.is_role_assignable:
        permissions.require(call, permissions.ROLE_WRITE)
    return group


def _is_owner(call: Call, group: Group) -> bool:
    if call.caller.is_person:
        return False
    row = call.db.execute(
        "SELECT 1 FROM owner WHERE group_id = ? AND owner_id = ?",
        (group.id, call.caller.principal_id),
    ).fetchone()
    return row is not None
