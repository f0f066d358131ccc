"""`/applications/{id}/extensionProperties`: directory extensions, registered once.

Values live on users and groups under `extension_<appId>_<name>`. Deleting the definition
hides them (Graph, "Add custom data to resources"); registering it again shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, checked_id
from reconciler.sandbox.data.store import add_resource, resource, resources
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Reply

_KIND: Final = "extension"
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_DATA_TYPES: Final = ("Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String")
_TARGETS: Final = ("User", "Group", "AdministrativeUnit", "Application", "Device", "Organization")
_HERE: Final = ("User", "Group")
"""The objects of the tenant that carry values."""
_ACTIVITY: Final = "Update application"
"""An extension is a part of its application; the list of activities has no own name (I)."""


def _shown(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    """Give a definition whole; those of a new tenant are kept with their names alone."""
    application = resource(call.db, "application", str(document.get("appId"))) or {}
    return {
        "id": document.get("id") or str(uuid5(NAMESPACE_URL, document["name"])),
        "deletedDateTime": None,
        "appDisplayName": application.get("displayName", ""),
        "dataType": document.get("dataType", "String"),
        "isMultiValued": False,
        "isSyncedFromOnPremises": False,
        "name": document["name"],
        "targetObjects": document.get("targetObjects", list(_HERE)),
    }


def _application(call: Call) -> dict[str, Any]:
    """Give the application of the path, by its own id or by that of its registration."""
    key = checked_id(call.key)
    for application in resources(call.db, "application"):
        if key in {application["appId"].lower(), str(application.get("id")).lower()}:
            return application
    raise errors.NO_RESOURCE.error(id=call.key)


def _own(call: Call, application: dict[str, Any]) -> list[dict[str, Any]]:
    prefix = _prefix(application)
    return [e for e in resources(call.db, _KIND) if e["name"].lower().startswith(prefix)]


def _prefix(application: dict[str, Any]) -> str:
    return f"extension_{application['appId'].replace('-', '').lower()}_"


def _writable(call: Call) -> dict[str, Any]:
    """Give the application, if the caller may change it; each owns at least itself."""
    application = _application(call)
    is_own = application["appId"].lower() == call.caller.app_id.lower()
    if not is_own and not call.may(p.APPLICATION_WRITE_ALL):
        raise errors.DENIED.error()
    return application


def listing(call: Call) -> Reply:
    """`GET /applications/{id}/extensionProperties`."""
    application = _application(call)
    odata.options(call.request)
    value = [_shown(call, document) for document in _own(call, application)]
    return call.entity(_context(call), {"value": value})


def _context(call: Call) -> str:
    return f"applications('{call.key}')/extensionProperties"


def create(call: Call) -> Reply:
    """`POST /applications/{id}/extensionProperties`."""
    application = _writable(call)
    document = _definition(call.body())
    document["name"] = f"{_prefix(application)}{document['name']}"
    document["appId"] = application["appId"]
    if resource(call.db, _KIND, document["name"]) is not None:
        raise errors.EXTENSION_REGISTERED.error(name=document["name"])
    add_resource(call.db, _KIND, document["name"], document)
    return call.entity(f"{_context(call)}/$entity", _shown(call, document), 201)


def _definition(body: dict[str, Any]) -> dict[str, Any]:
    """Give what a body defines; raises the refusal of what Graph would refuse."""
    given = {name.lower(): value for name, value in body.items()}
    name, targets = given.get("name"), given.get("targetobjects")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.EXTENSION_DEFINITION.error(property="name")
    if given.get("datatype") not in _DATA_TYPES:
        raise errors.EXTENSION_DEFINITION.error(property="dataType")
    if not isinstance(targets, list) or not targets or not set(map(str, targets)) <= set(_TARGETS):
        raise errors.EXTENSION_DEFINITION.error(property="targetObjects")
    if given["datatype"] != "String" or given.get("ismultivalued"):
        raise errors.NOT_SERVED.error(what="directory extensions of other types than String")
    if not set(targets) <= set(_HERE):
        raise errors.NOT_SERVED.error(what="directory extensions of other objects")
    return {
        "id": str(uuid4()),
        "name": name,
        "dataType": given["datatype"],
        "targetObjects": targets,
    }


def _one(call: Call, application: dict[str, Any]) -> dict[str, Any]:
    key = checked_id(call.keys[1])
    for document in _own(call, application):
        if _shown(call, document)["id"] == key:
            return document
    raise errors.NO_RESOURCE.error(id=call.keys[1])


def read(call: Call) -> Reply:
    """`GET /applications/{id}/extensionProperties/{id}`."""
    document = _one(call, _application(call))
    return call.entity(f"{_context(call)}/$entity", _shown(call, document))


def delete(call: Call) -> Reply:
    """`DELETE /applications/{id}/extensionProperties/{id}`: the values stay, unseen."""
    document = _one(call, _writable(call))
    call.db.execute("DELETE FROM resource WHERE kind = ? AND id = ?", (_KIND, document["name"]))
    return NO_CONTENT


def available(call: Call) -> Reply:
    """`POST /directoryObjects/getAvailableExtensionProperties`: none is synced here."""
    is_synced = call.body().get("isSyncedFromOnPremises") is True
    value = [
        {"@odata.type": "#microsoft.graph.extensionProperty", **_shown(call, document)}
        for document in resources(call.db, _KIND)
        if not is_synced
    ]
    return call.entity("Collection(extensionProperty)", {"value": value})


ROUTES: Final = (
    *(
        route
        for path in (
            "applications/{}/extensionProperties",
            "applications(appId='{}')/extensionProperties",
        )
        for route in (
            ("GET", path, Route(listing, p.EXTENSION_READ)),
            ("POST", path, Route(create, p.EXTENSION_WRITE, activity=_ACTIVITY)),
            ("GET", f"{path}/{{}}", Route(read, p.EXTENSION_READ)),
            ("DELETE", f"{path}/{{}}", Route(delete, p.EXTENSION_WRITE, activity=_ACTIVITY)),
        )
    ),
    (
        "POST",
        "directoryObjects/getAvailableExtensionProperties",
        Route(available, p.EXTENSION_READ),
    ),
)
