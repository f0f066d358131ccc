"""Objects of closed types: `$select` names what they have, or is refused.

Lists of them are short: `$top` is done, `$filter` and `$expand` are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox import errors
from reconciler.sandbox.query import odata, singles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.sandbox.calls import Call
    from reconciler.sandbox.errors import Refusal
    from reconciler.sandbox.query.odata import Options
    from reconciler.sandbox.wire import Reply


def listing(
    call: Call,
    name: str,
    kind: str,
    documents: Iterable[dict[str, Any]],
    refusal: Refusal = errors.UNSUPPORTED,
) -> Reply:
    """Give a page of objects of *kind*; *name* is their context, *refusal* that of `$filter`."""
    asked = odata.options(call.request)
    if asked.filter is not None:
        raise refusal.error()
    _refuse_expand(asked)
    rows = list(enumerate(documents, 1))[asked.after : asked.after + asked.top + 1]
    context = odata.context(name, asked.select, asked.select)
    return odata.page(call, asked, context, rows, lambda row: _selected(kind, row[1], asked))


def one(call: Call, name: str, kind: str, document: dict[str, Any]) -> Reply:
    """Give one object of *kind* in the collection called *name*."""
    asked = singles.options(call.request)
    _refuse_expand(asked)
    context = odata.context(name, asked.select, asked.select)
    return call.entity(f"{context}/$entity", _selected(kind, document, asked))


def _refuse_expand(asked: Options) -> None:
    if asked.expand is not None:
        raise errors.UNSUPPORTED.error()


def _selected(kind: str, document: dict[str, Any], asked: Options) -> dict[str, Any]:
    """Give what `$select` names of an object; all of it when there is none."""
    if not asked.select:
        return document
    known = {name.lower(): name for name in document}
    for name in asked.select:
        if name.lower() not in known:
            raise errors.UNKNOWN_SELECT.error(property=name, type=kind)
    return {known[name.lower()]: document[known[name.lower()]] for name in asked.select}
