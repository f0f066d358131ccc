"""What a role's policy asks of whoever assigns it through PIM, and whether PIM may be used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.sandbox import errors
from reconciler.sandbox.company.governance import DEFAULT_RULES, ROLE_POLICY
from reconciler.sandbox.data import moments
from reconciler.sandbox.data.schedules import ACTIVE
from reconciler.sandbox.data.store import resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.api.periods import Period

_PREMIUM: Final = ("AAD_PREMIUM_P2", "Entra_Identity_Governance")
"""Service plans that allow PIM (entra-docs, licensing-fundamentals)."""


def require_premium(db: sqlite3.Connection) -> None:
    """Raise Graph's refusal unless a subscription with P2 or Governance is alive."""
    found = db.execute(
        "SELECT 1 FROM resource, json_each(document, '$.servicePlans') AS plan "
        "WHERE kind = 'sku' AND json_extract(document, '$.capabilityStatus') "
        "IN ('Enabled', 'Warning') "
        "AND json_extract(plan.value, '$.servicePlanName') IN (?, ?) LIMIT 1",
        _PREMIUM,
    ).fetchone()
    if found is None:
        raise errors.NO_PREMIUM.error()


def require_policy(  # noqa: PLR0913 -- what the rules look at, each named at the call
    db: sqlite3.Connection,
    kind: str,
    role_id: str,
    *,
    period: Period,
    justification: str | None,
    ticket: Mapping[str, Any],
) -> None:
    """Raise Graph's refusal, with all rules of the role that are not kept."""
    policy = resource(db, ROLE_POLICY, role_id) or {}
    rules = {**DEFAULT_RULES, **policy.get("rules", {})}
    level = "Assignment" if kind == ACTIVE else "Eligibility"
    failed = []
    if not _is_kept(rules[f"Expiration_Admin_{level}"], period):
        failed.append("ExpirationRule")
    wanted = rules[f"Enablement_Admin_{level}"]["enabledRules"]
    if "Justification" in wanted and not (justification or "").strip():
        failed.append("JustificationRule")
    if "Ticketing" in wanted and not (ticket["ticketNumber"] and ticket["ticketSystem"]):
        failed.append("TicketingRule")
    if failed:
        raise errors.POLICY_FAILED.error(rules=orjson.dumps(failed).decode())


def _is_kept(rule: Mapping[str, Any], period: Period) -> bool:
    """Whether the period ends soon enough; a role that may be held for good has no limit.

    Graph's example makes somebody eligible for two years under a rule of 365 days.
    """
    if not rule["isExpirationRequired"]:
        return True
    longest = moments.duration(rule["maximumDuration"]) or timedelta()
    return period.end is not None and period.end - period.start <= longest
