"""The user properties that a cohort file may declare, and what Graph demands of each.

One table, so that a rule that a live tenant contradicts is corrected in one place.
Lengths and nullability come from the docstrings of the Graph SDK (August 2026) and from
the reference pages of `user` and of `Create user`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """How a value is written in YAML and sent to Graph."""

    TEXT = auto()
    BOOLEAN = auto()
    TEXTS = auto()
    """A list of strings, compared without order; cleared by an empty list."""
    DATE = auto()
    """`YYYY-MM-DD` in YAML, midnight UTC in Graph."""


@dataclass(frozen=True, slots=True)
class Field:
    """One property of Graph's `user`, under Graph's own name."""

    name: str
    kind: Kind = Kind.TEXT
    max_length: int | None = None
    """Characters of the text, or of each text of a list."""
    max_items: int | None = None
    nullable: bool = True
    choices: tuple[str, ...] = ()


FIELDS: tuple[Field, ...] = (
    Field("accountEnabled", Kind.BOOLEAN, nullable=False),
    Field("ageGroup", choices=("Minor", "NotAdult", "Adult")),
    Field("businessPhones", Kind.TEXTS, max_length=64, max_items=1),
    Field("city", max_length=128),
    Field("companyName", max_length=64),
    Field("consentProvidedForMinor", choices=("Granted", "Denied", "NotRequired")),
    Field("country", max_length=128),
    Field("department", max_length=64),
    Field("displayName", max_length=256, nullable=False),
    Field("employeeHireDate", Kind.DATE),
    Field("employeeId", max_length=16),
    Field("employeeType"),
    Field("faxNumber"),
    Field("givenName", max_length=64),
    Field("jobTitle", max_length=128),
    Field("mailNickname", max_length=64, nullable=False),
    Field("mobilePhone", max_length=64),
    Field("officeLocation"),
    Field("otherMails", Kind.TEXTS, max_length=250, max_items=250),
    Field("postalCode", max_length=40),
    Field("preferredLanguage"),
    Field("state", max_length=128),
    Field("streetAddress"),
    Field("surname", max_length=64),
    Field("usageLocation", max_length=2, nullable=False),
)

FIELDS_BY_NAME = {field.name: field for field in FIELDS}
