"""Who may hold which role over what: checked alike for good and through PIM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox.company.governance import UNIT
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data.accounts import GUID
from reconciler.sandbox.data.assignments import UNITS, WHOLE_TENANT
from reconciler.sandbox.data.store import resource, resources

if TYPE_CHECKING:
    import sqlite3

_OVER_UNITS: Final = frozenset(
    BUILT_IN[name]
    for name in (
        "Authentication Administrator",
        "Cloud Device Administrator",
        "Groups Administrator",
        "Helpdesk Administrator",
        "License Administrator",
        "Password Administrator",
        "Privileged Authentication Administrator",
        "SharePoint Administrator",
        "Teams Administrator",
        "User Administrator",
    )
)
"""Built-in roles that can be held over a unit (entra-docs, "Assign roles with administrative
unit scope")."""
_OVER_APPLICATIONS: Final = frozenset(
    (BUILT_IN["Application Administrator"], BUILT_IN["Cloud Application Administrator"])
)


def checked(db: sqlite3.Connection, role: dict[str, Any], scope: object) -> str:
    """Give the scope as it is kept; raises Graph's refusal of what is none for this role."""
    if scope == WHOLE_TENANT:
        return WHOLE_TENANT
    text = scope if isinstance(scope, str) else ""
    is_unit = text.lower().startswith(UNITS.lower())
    key = text[len(UNITS) :] if is_unit else text.removeprefix("/")
    if not text.startswith("/") or not GUID.fullmatch(key):
        raise errors.ROLE_SCOPE.error(scope=scope)
    if is_unit:
        exists, allowed = resource(db, UNIT, key) is not None, _OVER_UNITS
    else:
        exists, allowed = _is_application(db, key.lower()), _OVER_APPLICATIONS
    if not exists:
        raise errors.NO_RESOURCE.error(id=key)
    if role["isBuiltIn"] and role["id"] not in allowed:
        raise errors.ROLE_NOT_SCOPED.error()
    return (UNITS if is_unit else "/") + key.lower()


def _is_application(db: sqlite3.Connection, key: str) -> bool:
    """Whether an application registration, or its service principal, has this object id."""
    if resource(db, "servicePrincipal", key):
        return True
    return any(application.get("id") == key for application in resources(db, "application"))
