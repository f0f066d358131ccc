"""Objects of closed types: `$select` names what they have, or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.sandbox import errors

if TYPE_CHECKING:
    from reconciler.sandbox.query.odata import Options


def selected(kind: str, document: dict[str, Any], asked: Options) -> dict[str, Any]:
    """Give what `$select` names of an object of *kind*; all of it when there is none."""
    if not asked.select:
        return document
    known = {name.lower(): name for name in document}
    for name in asked.select:
        if name.lower() not in known:
            raise errors.UNKNOWN_SELECT.error(property=name, type=kind)
    return {known[name.lower()]: document[known[name.lower()]] for name in asked.select}
