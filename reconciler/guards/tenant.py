"""The right tenant, its domains, and keys that are fit for its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.guards.situation import Situation, new_accounts
from reconciler.model import folded
from reconciler.text import did_you_mean, listing, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHED_RECIPIENT = "age1rgcep0zp2gu26tzkzy7a5jdnhwd9jggmz9cy6c42lmfqzu7rmv4q9kjvrp"
"""The key of the demonstration: its private half is published with this program."""
DEMONSTRATION_TENANT = "28d80e74-2d69-4bb9-b1e4-740c4cf0551f"
"""The only tenant whose credentials may be sealed to it."""


def wrong_tenant(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse any tenant but the one that the tenant file names."""
    wanted, tenant = situation.tenant_file.tenant, situation.observed.tenant
    known = {folded(tenant.id), *(folded(d.name) for d in tenant.domains if d.is_verified)}
    if wanted and folded(wanted) not in known:
        yield Diagnostic(
            f"these credentials belong to tenant '{visible(tenant.display_name)}' ({tenant.id}), "
            f"not to '{visible(wanted)}'",
            "use an identity of the tenant that the tenant file names, or correct `tenant:`",
            situation.tenant_file.position,
        )


def domains(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse accounts in domains that the tenant has not verified."""
    verified = [d.name for d in situation.observed.tenant.domains if d.is_verified]
    unverified = {folded(d.name) for d in situation.observed.tenant.domains if not d.is_verified}
    for create in new_accounts(situation):
        domain = create.key.account.user_principal_name.rpartition("@")[2]
        if folded(domain) in map(folded, verified):
            continue
        is_pending = folded(domain) in unverified
        problem = "is not verified in this tenant" if is_pending else "is not one of this tenant"
        others = f"the verified ones are: {listing(verified)}"
        verify = f"verify it in Microsoft Entra first; {others}"
        yield Diagnostic(
            f"domain '{visible(domain)}' of '{visible(create.key.name)}' {problem}",
            verify if is_pending else did_you_mean(domain, verified) or others,
            create.position,
        )


def published_recipient(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to seal a real tenant's credentials to the key of the demonstration."""
    receiving = {create.cohort for create in new_accounts(situation)}
    for cohort in situation.desired.cohorts:
        published = any(PUBLISHED_RECIPIENT in folded(key) for key in cohort.recipients)
        real = situation.observed.tenant.id != DEMONSTRATION_TENANT
        if published and real and cohort.name in receiving:
            yield Diagnostic(
                f"cohort '{cohort.name}' seals its credentials to the demonstration's key, "
                "which anybody can open",
                "name the public key of the person who receives the credentials",
                cohort.position,
            )
