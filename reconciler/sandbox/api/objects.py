"""Directory objects of any type: users, groups and service principals by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox.api import groups, users
from reconciler.sandbox.api.groups import Group
from reconciler.sandbox.data import accounts
from reconciler.sandbox.data.store import resource

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.query.odata import Options


def find(db: sqlite3.Connection, key: str) -> User | Group | None:
    """Give the living user or the group with this id."""
    return accounts.find(db, key) or groups.find(db, key)


def exists(db: sqlite3.Connection, key: str) -> bool:
    """Whether a living user, a group or a service principal has this id."""
    return find(db, key) is not None or resource(db, "servicePrincipal", key) is not None


def show(call: Call, found: User | Group, asked: Options) -> dict[str, Any]:
    """Give *found* as a member of a collection of mixed types."""
    if isinstance(found, Group):
        document = groups.show(found, groups.selected(call, asked))
        return {"@odata.type": "#microsoft.graph.group", **document}
    document = users.shown(call, found, asked, users.selected(call, asked))
    return {"@odata.type": "#microsoft.graph.user", **document}
