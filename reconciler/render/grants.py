"""Who becomes privileged: what every form of a plan says of it, before any form says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.changes import RoleAssignmentKey
from reconciler.effects import is_privileged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.changes import Change

UNJUSTIFIED = "no justification given"
EVERYWHERE = "the whole directory"
OF_THE_GROUP = "whatever the group holds"
_ROOT = "/"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role, or one membership of a group that can hold roles, and what is said for it."""

    change: Change
    scope: str | None
    """What a role is confined to, as Graph writes it; None where it is not."""
    justification: str | None
    ticket: str | None

    @property
    def reach(self) -> str:
        """Say in our own words how far it reaches, where no scope confines it."""
        return EVERYWHERE if isinstance(self.change.key, RoleAssignmentKey) else OF_THE_GROUP


def grant(change: Change) -> Grant | None:
    """Give what is to be said of *change*, if it makes somebody privileged."""
    if not is_privileged(change):
        return None
    said = {field.path: field.after for field in change.fields}
    scope = change.key.directory_scope_id if isinstance(change.key, RoleAssignmentKey) else _ROOT
    return Grant(
        change,
        scope if scope != _ROOT else None,
        _text(said.get("justification")),
        _text(said.get("ticket")),
    )


def grants(changes: Iterable[Change]) -> tuple[Grant, ...]:
    """Give whatever makes somebody privileged, in the order of *changes*."""
    return tuple(filter(None, map(grant, changes)))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
