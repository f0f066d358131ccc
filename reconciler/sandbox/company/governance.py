"""How the company governs: policies of roles and of Temporary Access Passes, active roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox.company.model import Document, object_id
from reconciler.sandbox.company.roledata import BUILT_IN
from reconciler.sandbox.data.store import add_resource, setting, to_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

ROLE_POLICY: Final = "roleManagementPolicy"
METHOD_POLICY: Final = "authenticationMethodConfiguration"
ACCESS_PASS: Final = "TemporaryAccessPass"  # noqa: S105 -- a name
UNIT: Final = "administrativeUnit"
DIRECTORY_ROLE: Final = "directoryRole"

DEFAULT_RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Enablement_Admin_Assignment": {"enabledRules": ["Justification"]},
    "Enablement_Admin_Eligibility": {"enabledRules": []},
    "Expiration_Admin_Assignment": {"isExpirationRequired": False, "maximumDuration": "P180D"},
    "Expiration_Admin_Eligibility": {"isExpirationRequired": False, "maximumDuration": "P365D"},
}
"""The rules of a role that nobody changed: Graph's page "unifiedRoleManagementPolicy: list
rules" shows these; what Entra ships is not confirmed."""

_STRICT: Final[Mapping[str, Mapping[str, Any]]] = {
    "Enablement_Admin_Assignment": {"enabledRules": ["Justification", "Ticketing"]},
    "Enablement_Admin_Eligibility": {"enabledRules": ["Justification"]},
    "Expiration_Admin_Assignment": {"isExpirationRequired": True, "maximumDuration": "P15D"},
    "Expiration_Admin_Eligibility": {"isExpirationRequired": True, "maximumDuration": "P180D"},
}
STRICT_ROLES: Final = (
    "Global Administrator",
    "Privileged Authentication Administrator",
    "Privileged Role Administrator",
)
"""What Contoso decided for its most powerful roles."""

ACCESS_PASS_POLICY: Final[dict[str, Any]] = {
    "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
    "id": ACCESS_PASS,
    "state": "enabled",
    "defaultLifetimeInMinutes": 60,
    "defaultLength": 8,
    "minimumLifetimeInMinutes": 60,
    "maximumLifetimeInMinutes": 480,
    "isUsableOnce": False,
    "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}],
    "excludeTargets": [],
}
"""Graph's defaults; a new tenant of Entra has it disabled (inferred), Contoso's has not."""


def policies() -> tuple[Document, ...]:
    """Give Contoso's policies of roles."""
    return tuple(Document(ROLE_POLICY, BUILT_IN[name], {"rules": _STRICT}) for name in STRICT_ROLES)


def fill(db: sqlite3.Connection) -> None:
    """Complete a new tenant: the policy of passes, unless it has one, and its active roles."""
    db.execute(
        "INSERT OR IGNORE INTO resource VALUES (?, ?, ?)",
        (METHOD_POLICY, ACCESS_PASS, to_text(ACCESS_PASS_POLICY)),
    )
    held = db.execute("SELECT DISTINCT role_id FROM role_assignment WHERE scope = '/'").fetchall()
    for role_id in {BUILT_IN["Global Administrator"], *(key for (key,) in held)}:
        activate(db, role_id)


def activate(db: sqlite3.Connection, role_id: str) -> dict[str, Any] | None:
    """Activate a built-in role for the older API, and give it; None if it was active."""
    key = object_id(setting(db, "tenant"), f"directoryRole {role_id}")
    found = db.execute(
        "SELECT json_extract(document, '$.displayName'), json_extract(document, '$.description') "
        "FROM resource WHERE kind = 'roleDefinition' AND id = ? "
        "AND NOT EXISTS (SELECT 1 FROM resource WHERE kind = ? AND id = ?)",
        (role_id, DIRECTORY_ROLE, key),
    ).fetchone()
    if found is None:
        return None
    role = {
        "id": key,
        "deletedDateTime": None,
        "description": found[1],
        "displayName": found[0],
        "roleTemplateId": role_id,
    }
    add_resource(db, DIRECTORY_ROLE, key, role)
    return role
