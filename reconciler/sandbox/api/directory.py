"""The company itself: domains, organization, objects by id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import closed, objects
from reconciler.sandbox.calls import Call, Route, checked_id
from reconciler.sandbox.data.store import resource, resources
from reconciler.sandbox.query import odata

if TYPE_CHECKING:
    from reconciler.sandbox.wire import Reply

_MOST_IDS: Final = 1000
_SELECTED_COST: Final = "2"
"""Resource units of `getByIds` with `$select` (Graph, "Throttling limits")."""


def _list(call: Call, kind: str, name: str) -> Reply:
    return closed.listing(call, name, kind, resources(call.db, kind))


def _one(call: Call, kind: str, name: str) -> Reply:
    document = resource(call.db, kind, call.key)
    if document is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return closed.one(call, name, kind, document)


def domains(call: Call) -> Reply:
    """`GET /domains`."""
    return _list(call, "domain", "domains")


def domain(call: Call) -> Reply:
    """`GET /domains/{name}`."""
    return _one(call, "domain", "domains")


def organizations(call: Call) -> Reply:
    """`GET /organization`: always a list of one."""
    return _list(call, "organization", "organization")


def organization(call: Call) -> Reply:
    """`GET /organization/{tenantId}`."""
    return _one(call, "organization", "organization")


def by_ids(call: Call) -> Reply:
    """`POST /directoryObjects/getByIds`: what is unknown is left out without a word."""
    body = call.body()
    ids, types = body.get("ids"), body.get("types")
    if ids is None:
        raise errors.PARAMETERS.error(operation="getByIds", missing="ids")
    if not isinstance(ids, list):
        raise errors.BAD_ID.error(id=ids)
    if len(ids) > _MOST_IDS:
        raise errors.TOO_MANY_IDS.error(most=_MOST_IDS)
    asked = odata.options(call.request)
    wanted = _types(types)
    keys = dict.fromkeys(checked_id(str(key)) for key in ids)
    value = [
        objects.show(call, found, asked)
        for key in keys
        if (found := objects.find_any(call.db, key)) and objects.type_of(found).lower() in wanted
    ]
    reply = call.entity("directoryObjects", {"value": value})
    if not asked.select:
        return reply
    return replace(reply, headers={"x-ms-resource-unit": _SELECTED_COST})


def _types(types: object) -> frozenset[str]:
    """Give the types that may be found, in small letters; all of them unless some are named."""
    if types is not None and not isinstance(types, list):
        raise errors.WRONG_NODE.error(
            found="PrimitiveValue", property="types", expected="StartArray"
        )
    named = {str(name).lower().removeprefix("microsoft.graph.") for name in types or ()}
    if not named or "directoryobject" in named:
        named = {name.lower() for name in objects.TYPES}
    return frozenset(named)


ROUTES: Final = (
    ("GET", "domains", Route(domains, p.DOMAIN_READ)),
    ("GET", "domains/{}", Route(domain, p.DOMAIN_READ)),
    ("GET", "organization", Route(organizations, p.ORGANIZATION_READ)),
    ("GET", "organization/{}", Route(organization, p.ORGANIZATION_READ)),
    ("POST", "directoryObjects/getByIds", Route(by_ids, p.OBJECT_READ, 5)),
)
