"""What the sandbox serves and the description does not have: by address, what success looks like.

All are Graph's own; the description is a selection.
"""

from __future__ import annotations

from typing import Any, Final

_SCHEMAS: Final = "#/components/schemas/microsoft.graph."
_RELATIONS: Final = (
    "users/{}/memberOf",
    "users/{}/transitiveMemberOf",
    "users/{}/ownedObjects",
    "users/{}/directReports",
    "groups/{}/memberOf",
    "groups/{}/transitiveMemberOf",
    "groups/{}/members",
    "groups/{}/transitiveMembers",
    "groups/{}/owners",
)
_CHECKS: Final = (
    "checkMemberGroups",
    "checkMemberObjects",
    "getMemberGroups",
    "getMemberObjects",
)
_EXTENSIONS: Final = "{}/extensionProperties"

NOTHING: Final = None
"""An empty body."""
COUNT: Final = {"type": "integer"}
IDS: Final = {
    "type": "object",
    "required": ["value"],
    "properties": {
        "@odata.context": {"type": "string"},
        "value": {"type": "array", "items": {"type": "string"}},
    },
}


def _one(kind: str) -> dict[str, Any]:
    return {"$ref": f"{_SCHEMAS}{kind}"}


def _many(kind: str) -> dict[str, Any]:
    return {"$ref": f"{_SCHEMAS}{kind}CollectionResponse"}


_CASTS: Final = {
    "": "directoryObject",
    "/microsoft.graph.user": "user",
    "/microsoft.graph.group": "group",
    "/microsoft.graph.servicePrincipal": "directoryObject",
    "/microsoft.graph.administrativeUnit": "administrativeUnit",
    "/microsoft.graph.directoryRole": "directoryRole",
}

SUCCESS: Final[dict[str, Any]] = {
    "GET /auditLogs/directoryAudits/{}": _one("directoryAudit"),
    # It deletes the object itself, as people found out.
    "DELETE /groups/{}/members/{}": NOTHING,
    "GET /directory/administrativeUnits/{}/members/graph.group": _many("group"),
    "GET /directory/administrativeUnits/{}/members/microsoft.graph.group": _many("group"),
    "GET /directory/administrativeUnits/{}/members/microsoft.graph.user": _many("user"),
    "GET /directoryRoles/{}": _one("directoryRole"),
    "GET /groups/{}/membersWithLicenseErrors": _many("directoryObject"),
    **{f"GET /{path}{cast}": _many(kind) for path in _RELATIONS for cast, kind in _CASTS.items()},
    **{f"GET /{path}{cast}/$count": COUNT for path in _RELATIONS for cast in _CASTS},
    **{
        f"POST /{path}/{{}}/{name}": IDS
        for path in ("users", "groups", "directoryObjects")
        for name in _CHECKS
    },
    **{
        f"{method} /{application}{path}": shape
        for application in ("applications/", "")
        for method, path, shape in (
            ("GET", _EXTENSIONS, _many("extensionProperty")),
            ("POST", _EXTENSIONS, _one("extensionProperty")),
            ("GET", f"{_EXTENSIONS}/{{}}", _one("extensionProperty")),
            ("DELETE", f"{_EXTENSIONS}/{{}}", NOTHING),
        )
    },
}
