"""More removals than anybody would make by accident."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changes import (
    Adopt,
    LicenseKey,
    MembershipKey,
    RoleAssignmentKey,
    UserKey,
    is_removal,
)
from reconciler.diagnostics import Diagnostic
from reconciler.diff import Ownership, direct_licenses, directory_roles, ownership
from reconciler.effects import takes_away
from reconciler.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.guards.situation import Situation


def removals(situation: Situation) -> Iterator[Diagnostic]:
    """Refuse to take away more than the tenant file's limit, unless somebody said so."""
    limit = situation.tenant_file.removals
    removed = [change for change in situation.changes if takes_away(change)]
    if len(removed) <= situation.allowed_removals:
        return
    by_kind = Counter(change.key.kind for change in removed)
    for kind, population in _populations(situation).items():
        percent = 100 * by_kind[kind] / population if population else 0
        if population >= limit.minimum and percent > limit.percent:
            yield Diagnostic(
                f"plan removes {by_kind[kind]} of {counted(population, _NOUNS[kind])} "
                f"({percent:.3g} %, limit {limit.percent} %)",
                f"review every removal, then allow all of the plan's with --allow-removals="
                f"{len(removed)}, or in a pull request with a higher `guards.removals`",
                limit.position or situation.tenant_file.position,
            )


_NOUNS = {
    UserKey.kind: "owned account",
    LicenseKey.kind: "managed license",
    MembershipKey.kind: "managed membership",
    RoleAssignmentKey.kind: "managed role assignment",
}


def _populations(situation: Situation) -> Mapping[str, int]:
    """Count what is owned and managed now, by kind."""
    source, managed = situation.tenant_file.source, situation.managed
    owned = [u for u in situation.observed.users if ownership(u.mark, source) is Ownership.OURS]
    return {
        UserKey.kind: len(owned)
        + sum(is_removal(change) for change in situation.changes if isinstance(change, Adopt)),
        LicenseKey.kind: sum(
            len(direct_licenses(user).keys() & managed.skus.keys()) for user in owned
        ),
        MembershipKey.kind: sum(len(user.groups & managed.groups.keys()) for user in owned),
        RoleAssignmentKey.kind: sum(
            len(directory_roles(user).keys() & managed.roles.keys()) for user in owned
        ),
    }
