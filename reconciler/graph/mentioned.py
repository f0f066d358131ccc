"""What the files name, as far as Graph has to be asked about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.model import folded
from reconciler.names import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model import Desired

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Everything that the files name, each once, ids apart from names."""

    users: tuple[str, ...]
    people: tuple[str, ...]
    people_ids: tuple[str, ...]
    groups: tuple[str, ...]
    group_ids: tuple[str, ...]
    roles: frozenset[str]

    @classmethod
    def by(cls, desired: Desired) -> Mentioned:
        """Collect what *desired* names."""
        tenant_file = desired.tenant_file
        users = [user.user_principal_name for user in desired.users]
        managers = (str(u.fields["manager"]) for u in desired.users if u.fields.get("manager"))
        people = [*managers, *tenant_file.protected]
        groups = [group.group for user in desired.users for group in user.groups]
        groups += [listed.name for listed in tenant_file.groups or ()]
        roles = [role.role for user in desired.users for role in user.roles]
        roles += [listed.name for listed in tenant_file.roles or ()]
        declared = {folded(user) for user in users}
        return cls(
            users=_once(users),
            people=_once(p for p in people if not _is_id(p) and folded(p) not in declared),
            people_ids=_once(p for p in people if _is_id(p)),
            groups=_once(g for g in groups if not _is_id(g) and len(g) <= LONGEST_NAME),
            group_ids=_once(group for group in groups if _is_id(group)),
            roles=frozenset(folded(role) for role in roles),
        )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """Give each name once, compared without case, in a stable order."""
    once: dict[str, str] = {}
    for name in sorted(names):
        once.setdefault(folded(name), name)
    return tuple(once.values())


def _is_id(name: str) -> bool:
    return _GUID.fullmatch(name) is not None
