"""What a handler is given: the request, the tenant, and who asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from reconciler.sandbox import errors
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.moments import utc_now
from reconciler.sandbox.trouble.lag import Area
from reconciler.sandbox.wire import Incoming, Reply

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from reconciler.sandbox.login.tokens import Caller

_REFERENCE = re.compile(
    r"(?:https?://[^/]+/(?:[^/]+/)?|/(?:v1\.0/|beta/)?)?(?:users|directoryObjects|groups|"
    r"servicePrincipals)(?:/([^/?]+)|\('([^']+)'\))",
    re.IGNORECASE,
)
"""An object's address; any host will do, `graph.windows.net/{tenant}/` too, or none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler; *keys* are the path's ids, in order."""

    db: sqlite3.Connection
    request: Incoming
    caller: Caller
    keys: tuple[str, ...] = ()
    now: datetime = field(default_factory=utc_now)
    """The time in the tenant."""

    @property
    def key(self) -> str:
        """Give the first id of the path."""
        return self.keys[0]

    def may(self, *permissions: str) -> bool:
        """Whether the caller was granted any of these."""
        return not self.caller.permissions.isdisjoint(permissions)

    def body(self) -> dict[str, Any]:
        """Give the body, which must be an object; raises Graph's refusal of anything else."""
        if not isinstance(self.request.body, dict):
            raise errors.BAD_JSON.error()
        return self.request.body

    def entity(self, context: str, properties: dict[str, Any], status: int = 200) -> Reply:
        """Give the reply that shows one object."""
        where = f"{self.request.root}/$metadata#{context}"
        return Reply(status, {"@odata.context": where, **properties})


Handler: TypeAlias = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler, the permissions of which one is needed, and what it costs.

    *cost* is in resource units, before what `$select` saves (Graph, "Throttling limits").
    """

    handler: Handler
    permissions: frozenset[str]
    cost: int = 1
    area: Area = Area.DIRECTORY
    """Where its reads are answered from, and which replica its writes look objects up in."""
    activity: str | None = None
    """What the audit log calls it; None for what is not logged."""


NO_CONTENT = Reply(204)


def checked_id(key: str) -> str:
    """Give an object id in small letters; raises Graph's refusal of what is none."""
    if not GUID.fullmatch(key):
        raise errors.BAD_ID.error(id=key)
    return key.lower()


def referenced(body: dict[str, Any]) -> str:
    """Give the key of the object that `@odata.id` points at."""
    reference = body.get("@odata.id")
    if reference is None:
        raise errors.NO_REFERENCE.error()
    return reference_key(reference)


def reference_key(reference: object) -> str:
    """Give the id or UPN in an object's address."""
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if found is None:
        raise errors.BAD_REFERENCE.error(reference=reference)
    return unquote(found[1] or found[2])
