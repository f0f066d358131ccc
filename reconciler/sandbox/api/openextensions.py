"""`/users/{id}/extensions` and `/groups/{id}/extensions`: open extensions, free-form data.

Graph, "Add custom data to resources": up to 2 KB each, two for each application on one
object; no query finds them, and delta queries do not tell of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import accounts
from reconciler.sandbox.data.store import add_resource, resource, set_resource, to_text
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from reconciler.sandbox.calls import Handler
    from reconciler.sandbox.wire import Reply

KIND: Final = "openExtension"
_TYPE: Final = "#microsoft.graph.openTypeExtension"
_FULL_NAME: Final = re.compile(r"^(?:#?microsoft\.graph\.openTypeExtension\.)", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_MOST: Final = 2
_LARGEST: Final = 2048


def of(db: sqlite3.Connection, key: str) -> list[dict[str, Any]]:
    """Give the open extensions of the object with this id."""
    return [_shown(document) for document in _documents(db, key)]


def _documents(db: sqlite3.Connection, key: str) -> list[dict[str, Any]]:
    # Ids have no case, and `0` comes right after `/`.
    rows = db.execute(
        "SELECT document FROM resource WHERE kind = ? AND id >= ? AND id < ? ORDER BY rowid",
        (KIND, f"{key}/", f"{key}0"),
    )
    return [orjson.loads(document) for (document,) in rows]


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    name = document["name"]
    return {"@odata.type": _TYPE, **document["data"], "id": name, "extensionName": name}


def _user(call: Call) -> tuple[str, str]:
    return "users", accounts.get(call.db, call.key).id


def _group(call: Call) -> tuple[str, str]:
    return "groups", groups.get(call.db, call.key).id


def _name(call: Call) -> str:
    return _FULL_NAME.sub("", call.keys[1])


def _existing(call: Call, key: str) -> dict[str, Any]:
    document = resource(call.db, KIND, f"{key}/{_name(call)}")
    if document is None:
        raise errors.NO_RESOURCE.error(id=call.keys[1])
    return document


def _listing(owner: Callable[[Call], tuple[str, str]]) -> Handler:
    def listed(call: Call) -> Reply:
        name, key = owner(call)
        asked = odata.options(call.request)
        if asked.filter is not None:
            raise errors.UNSUPPORTED.error()
        return call.entity(f"{name}('{key}')/extensions", {"value": of(call.db, key)})

    return listed


def _read(owner: Callable[[Call], tuple[str, str]]) -> Handler:
    def read(call: Call) -> Reply:
        name, key = owner(call)
        document = _existing(call, key)
        return call.entity(f"{name}('{key}')/extensions/$entity", _shown(document))

    return read


def _create(owner: Callable[[Call], tuple[str, str]]) -> Handler:
    def created(call: Call) -> Reply:
        name, key = owner(call)
        body = call.body()
        given = body.get("extensionName")
        if not isinstance(given, str) or not _NAME.fullmatch(given):
            raise errors.OPEN_EXTENSION_NAME.error(name=given)
        own = [d for d in _documents(call.db, key) if d["appId"] == call.caller.app_id]
        if resource(call.db, KIND, f"{key}/{given}") is not None:
            raise errors.OPEN_EXTENSION_EXISTS.error()
        if len(own) >= _MOST:
            raise errors.OPEN_EXTENSIONS_FULL.error()
        document = {"name": given, "appId": call.caller.app_id, "data": _data(body)}
        add_resource(call.db, KIND, f"{key}/{given}", _checked(document))
        return call.entity(f"{name}('{key}')/extensions/$entity", _shown(document), 201)

    return created


def _data(body: dict[str, Any]) -> dict[str, Any]:
    """Give the data of a body: all but the name and annotations."""
    own = {"id", "extensionname"}
    return {n: v for n, v in body.items() if n.lower() not in own and not n.startswith("@")}


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    if len(to_text(document["data"]).encode()) + len(document["name"]) > _LARGEST:
        raise errors.OPEN_EXTENSION_LARGE.error()
    return document


def _update(owner: Callable[[Call], tuple[str, str]]) -> Handler:
    def updated(call: Call) -> Reply:
        """Change what the body names; null takes it away."""
        _, key = owner(call)
        document = _existing(call, key)
        data = document["data"] | _data(call.body())
        kept = {name: value for name, value in data.items() if value is not None}
        changed = _checked(document | {"data": kept})
        set_resource(call.db, KIND, f"{key}/{_name(call)}", changed)
        return NO_CONTENT

    return updated


def _delete(owner: Callable[[Call], tuple[str, str]]) -> Handler:
    def deleted(call: Call) -> Reply:
        _, key = owner(call)
        document = _existing(call, key)
        call.db.execute(
            "DELETE FROM resource WHERE kind = ? AND id = ?", (KIND, f"{key}/{document['name']}")
        )
        return NO_CONTENT

    return deleted


def forget(db: sqlite3.Connection, key: str) -> None:
    """Forget what an object that is no more was extended with."""
    db.execute(
        "DELETE FROM resource WHERE kind = ? AND id > ? AND id < ?", (KIND, f"{key}/", f"{key}0")
    )


def _routes(
    path: str,
    owner: Callable[[Call], tuple[str, str]],
    readers: frozenset[str],
    writers: frozenset[str],
    activity: str,
) -> tuple[tuple[str, str, Route], ...]:
    """Give the routes; *activity* is the owner's: the list of activities has no own name (I)."""
    one = f"{path}/{{}}"
    return (
        ("GET", path, Route(_listing(owner), readers)),
        ("POST", path, Route(_create(owner), writers, activity=activity)),
        ("GET", one, Route(_read(owner), readers)),
        ("PATCH", one, Route(_update(owner), writers, activity=activity)),
        ("DELETE", one, Route(_delete(owner), writers, activity=activity)),
    )


ROUTES: Final = (
    *_routes("users/{}/extensions", _user, p.USER_READ_FULL, p.USER_CREATE, "Update user"),
    *_routes(
        "groups/{}/extensions",
        _group,
        p.GROUP_EXTENSION_READ,
        p.GROUP_EXTENSION_WRITE,
        "Update group",
    ),
)
