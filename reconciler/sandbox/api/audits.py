"""`/auditLogs/directoryAudits`: what was done in the tenant, newest first.

Filters from the directoryAudit resource type, page size and order from "List directoryAudits".
What is written is in `data/records.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.calls import Call, Route
from reconciler.sandbox.data import moments
from reconciler.sandbox.data.activities import shown
from reconciler.sandbox.data.records import moment
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.filters import (
    AnyOf,
    Bare,
    Both,
    Compare,
    Either,
    Function,
    Node,
    parse,
)
from reconciler.sandbox.query.options import read_token, token
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_PAGE: Final = 1000
"""Records on a page, which is the default too."""

_CONTEXT: Final = "auditLogs/directoryAudits"
_ID: Final = re.compile(r"Directory_[0-9a-f-]{36}_(\d{1,18})", re.IGNORECASE)
_ORDER: Final = re.compile(r"activityDateTime(?:\s+(asc|desc))?", re.IGNORECASE)
_NAMES: Final = (
    "id",
    "category",
    "correlationId",
    "result",
    "resultReason",
    "activityDisplayName",
    "activityDateTime",
    "loggedByService",
    "operationType",
    "initiatedBy",
    "targetResources",
    "additionalDetails",
)


# --- reading


def listing(call: Call) -> Reply:
    """`GET /auditLogs/directoryAudits`."""
    given = _given(call)
    names = _selected(given)
    where, values = _condition(parse(given["filter"])) if "filter" in given else ("1", [])
    top, is_rising = _top(given), _is_rising(given)
    start, sign, order = (0, ">", "ASC") if is_rising else (1 << 62, "<", "DESC")
    after = read_token(given["skiptoken"])[0] if "skiptoken" in given else start
    rows = call.db.execute(
        f"SELECT seq, document FROM audit WHERE seq {sign} ? AND {where} ORDER BY seq {order} "  # noqa: S608 -- made below
        "LIMIT ?",
        (after, *values, top + 1),
    ).fetchall()
    root = call.request.root
    body: dict[str, Any] = {
        "@odata.context": f"{root}/$metadata#{odata.context(_CONTEXT, names, names)}"
    }
    if len(rows) > top:
        kept = {f"${name}": value for name, value in given.items() if name != "skiptoken"}
        query = urlencode(
            kept | {"$skiptoken": token(rows[top - 1][0])}, safe="$,()'", quote_via=quote
        )
        body["@odata.nextLink"] = f"{root}/{_CONTEXT}?{query}"
    body["value"] = [_shown(row, names) for row in rows[:top]]
    return Reply(200, body)


def read(call: Call) -> Reply:
    """`GET /auditLogs/directoryAudits/{id}`."""
    names = _selected(_given(call))
    found = _ID.fullmatch(call.key)
    row = call.db.execute(
        "SELECT seq, document FROM audit WHERE seq = ?", (found[1] if found else None,)
    ).fetchone()
    document = _shown(row, ()) if row else {}
    if document.get("id", "").lower() != call.key.lower():
        raise errors.NO_RESOURCE.error(id=call.key)
    context = odata.context(_CONTEXT, names, names)
    return call.entity(f"{context}/$entity", _shown(row, names))


def _shown(row: tuple[int, str], names: tuple[str, ...]) -> dict[str, Any]:
    document = shown(orjson.loads(row[1]))
    whole = {"id": f"Directory_{document['correlationId']}_{row[0]:08d}", **document}
    return {name: whole[name] for name in names} if names else whole


# --- query options


def _given(call: Call) -> dict[str, str]:
    given = {
        name.lower().removeprefix("$"): value
        for name, value in parse_qsl(call.request.query, keep_blank_values=True)
    }
    if not given.keys().isdisjoint({"expand", "search", "skip"}):
        raise errors.UNSUPPORTED.error()
    return given


def _selected(given: Mapping[str, str]) -> tuple[str, ...]:
    known = {name.lower(): name for name in _NAMES}
    names = [name.strip() for name in given.get("select", "").split(",") if name.strip()]
    for name in names:
        if name.lower() not in known:
            raise errors.UNKNOWN_SELECT.error(property=name, type="directoryAudit")
    return tuple(known[name.lower()] for name in names)


def _top(given: Mapping[str, str]) -> int:
    text = given.get("top", str(LARGEST_PAGE))
    size = int(text) if re.fullmatch(r"\d{1,9}", text) else 0
    if not 1 <= size <= LARGEST_PAGE:
        raise errors.AUDIT_PAGE_SIZE.error(limit=LARGEST_PAGE, size=text)
    return size


def _is_rising(given: Mapping[str, str]) -> bool:
    found = _ORDER.fullmatch(given.get("orderby", "activityDateTime desc").strip())
    if found is None:
        raise errors.UNSUPPORTED.error()
    return (found[1] or "asc").lower() == "asc"


# --- filters

_Sql = tuple[str, list[Any]]

_SIGNS: Final = {"eq": "=", "ge": ">=", "le": "<="}
_MOMENT: Final = "activitydatetime"
_TEXTS: Final = {
    path.lower(): f"document ->> '$.{path.replace('/', '.')}'"
    for path in (
        "activityDisplayName",
        "category",
        "correlationId",
        "loggedByService",
        "result",
        "initiatedBy/app/appId",
        "initiatedBy/app/displayName",
        "initiatedBy/user/displayName",
        "initiatedBy/user/id",
        "initiatedBy/user/userPrincipalName",
    )
}
_PREFIXES: Final = frozenset(("activitydisplayname", "initiatedby/user/userprincipalname"))
"""What `startswith` may ask for."""
_TARGET: Final = {
    name.lower(): f"value ->> '$.{name}'" for name in ("displayName", "id", "userPrincipalName")
}


def _condition(node: Node) -> _Sql:
    """Give the SQL of a `$filter`; raises Graph's refusal of what the log does not know."""
    match node:
        case Both(parts):
            return _joined(parts, "AND")
        case Either(parts):
            return _joined(parts, "OR")
        case Compare(path, operator, Bare(text)) if path.lower() == _MOMENT and operator in _SIGNS:
            if when := moments.parse(text):
                return f"at {_SIGNS[operator]} ?", [moment(when)]
        case Compare(path, "eq", Bare(text) | str(text)) if path.lower() == "id":
            found = _ID.fullmatch(text)
            return "seq = ?", [int(found[1]) if found else None]
        case Compare(path, "eq", value) if path.lower() in _TEXTS:
            return _equal(_TEXTS[path.lower()], value)
        case Function("startswith", path, str(text)) if path.lower() in _PREFIXES:
            return _begins(_TEXTS[path.lower()], text)
        case AnyOf(collection, test) if collection.lower() == "targetresources":
            where, values = _of_target(test)
            items = "json_each(document, '$.targetResources')"
            return f"EXISTS (SELECT 1 FROM {items} WHERE {where})", values  # noqa: S608 -- made here
    raise errors.BAD_FILTER.error()


def _of_target(test: Node) -> _Sql:
    match test:
        case Compare(path, "eq", value) if path.lower() in _TARGET:
            return _equal(_TARGET[path.lower()], value)
        case Function("startswith", path, str(text)) if path.lower() in _TARGET:
            return _begins(_TARGET[path.lower()], text)
    raise errors.BAD_FILTER.error()


def _joined(parts: tuple[Node, ...], word: str) -> _Sql:
    found = [_condition(part) for part in parts]
    text = f" {word} ".join(text for text, _ in found)
    return f"({text})", [value for _, values in found for value in values]


def _equal(expression: str, value: object) -> _Sql:
    text = value.text if isinstance(value, Bare) else value
    if text is not None and not isinstance(text, str):
        raise errors.BAD_FILTER.error()
    return f"{expression} IS ? COLLATE NOCASE", [text]


def _begins(expression: str, text: str) -> _Sql:
    return f"substr({expression}, 1, ?) = ? COLLATE NOCASE", [len(text), text]


ROUTES: Final = (
    ("GET", _CONTEXT, Route(listing, permissions.AUDIT_READ)),
    ("GET", f"{_CONTEXT}/{{}}", Route(read, permissions.AUDIT_READ)),
)
