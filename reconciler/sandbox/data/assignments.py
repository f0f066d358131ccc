"""Assignments of roles as rows: who holds which role, and over what.

A row is there as long as the role is held, for good or by a schedule of PIM that has begun.
"""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from reconciler.sandbox import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE_TENANT: Final = "/"
UNITS: Final = "/administrativeUnits/"


@dataclass(frozen=True, slots=True)
class Holding:
    """A role in somebody's hands, over a scope; all ids in small letters."""

    role_id: str
    principal_id: str
    scope: str = WHOLE_TENANT

    @property
    def assignment_id(self) -> str:
        """Give an id in the form of Graph's: the ids in one text, and a number."""
        objects = [self.role_id, self.principal_id]
        if self.scope != WHOLE_TENANT:
            objects.append(self.scope.rpartition("/")[2])
        packed = b"".join(UUID(key).bytes_le for key in objects)
        return f"{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}-{len(objects) - 1}"

    @property
    def key(self) -> str:
        """Give what a schedule of it is kept under; all of one principal stand together."""
        return f"{self.principal_id}/{self.role_id}{self.scope}"


def of_document(document: Mapping[str, Any]) -> Holding:
    """Give the holding that an assignment or a schedule is of."""
    return Holding(
        document["roleDefinitionId"], document["principalId"], document["directoryScopeId"]
    )


def add(db: sqlite3.Connection, holding: Holding) -> str:
    """Let the role be held, and give the assignment's id; raises Graph's refusal of a second."""
    key = holding.assignment_id
    try:
        db.execute(
            "INSERT INTO role_assignment (id, role_id, principal_id, scope) VALUES (?, ?, ?, ?)",
            (key, holding.role_id, holding.principal_id, holding.scope),
        )
    except sqlite3.IntegrityError as error:
        raise errors.CONFLICTING.error() from error
    return key


def is_held(db: sqlite3.Connection, holding: Holding) -> bool:
    """Whether the role is held now."""
    found = db.execute("SELECT 1 FROM role_assignment WHERE id = ?", (holding.assignment_id,))
    return found.fetchone() is not None


def remove(db: sqlite3.Connection, holding: Holding) -> bool:
    """Take the role back; tell whether it was held."""
    cursor = db.execute("DELETE FROM role_assignment WHERE id = ?", (holding.assignment_id,))
    return cursor.rowcount > 0
