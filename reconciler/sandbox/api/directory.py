"""The company itself: domains, organization, objects by id, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import objects
from reconciler.sandbox.calls import Call, Route, checked_id
from reconciler.sandbox.data.store import resource, resources
from reconciler.sandbox.query import odata
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from reconciler.sandbox.query.odata import Options

_MOST_IDS = 1000


def _selected(kind: str, document: dict[str, Any], asked: Options) -> dict[str, Any]:
    """Give what `$select` names; domain and organization are closed types."""
    if not asked.select:
        return document
    known = {name.lower(): name for name in document}
    for name in asked.select:
        if name.lower() not in known:
            raise errors.UNKNOWN_SELECT.error(property=name, type=kind)
    return {known[name.lower()]: document[known[name.lower()]] for name in asked.select}


def _list(call: Call, kind: str, name: str) -> Reply:
    asked = odata.options(call.request)
    value = [_selected(kind, document, asked) for document in resources(call.db, kind)]
    context = odata.context(name, asked.select, asked.select)
    return call.entity(context, {"value": value})


def _one(call: Call, kind: str, name: str) -> Reply:
    asked = odata.options(call.request)
    document = resource(call.db, kind, call.key)
    if document is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    context = odata.context(name, asked.select, asked.select)
    return call.entity(f"{context}/$entity", _selected(kind, document, asked))


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
    ids, types = body.get("ids"), body.get("types") or []
    if not isinstance(ids, list) or len(ids) > _MOST_IDS:
        raise errors.BAD_ID.error(id="ids")
    asked = odata.options(call.request)
    shown = [
        objects.show(call, found, asked)
        for key in ids
        if (found := objects.find(call.db, checked_id(str(key))))
    ]
    wanted = {f"#microsoft.graph.{name}".lower() for name in types}
    value = [item for item in shown if not wanted or item["@odata.type"].lower() in wanted]
    return call.entity("directoryObjects", {"value": value})


def count_users(call: Call) -> Reply:
    """`GET /users/$count`, which only an advanced query may ask."""
    if not odata.options(call.request).is_eventual:
        raise errors.COUNT_UNSUPPORTED.error()
    (number,) = call.db.execute("SELECT count(*) FROM user WHERE deleted IS NULL").fetchone()
    return Reply(200, number, {"content-type": "text/plain"})


ROUTES: Final = (
    ("GET", "users/$count", Route(count_users, p.USER_READ_FULL)),
    ("GET", "domains", Route(domains, p.DOMAIN_READ)),
    ("GET", "domains/{}", Route(domain, p.DOMAIN_READ)),
    ("GET", "organization", Route(organizations, p.ORGANIZATION_READ)),
    ("GET", "organization/{}", Route(organization, p.ORGANIZATION_READ)),
    ("POST", "directoryObjects/getByIds", Route(by_ids, p.OBJECT_READ, 5)),
)
