"""The properties of `user` and `group`: type, limits, and how a filter may use each.

Names, types and nullability from Microsoft's published CSDL for v1.0 and the property
notes in the Graph SDK (August 2026); filter support from "Advanced query capabilities".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from reconciler.sandbox.data.store import path_expression

EXTENSION_ATTRIBUTES: Final = tuple(f"extensionAttribute{n}" for n in range(1, 16))
EXTENSION_NAME: Final = re.compile(r"extension_[0-9a-f]{32}_\w+", re.IGNORECASE)


class Kind(Enum):
    """The type of a property's value."""

    TEXT = "String"
    BOOLEAN = "Boolean"
    MOMENT = "DateTimeOffset"
    TEXTS = "Collection(String)"
    OTHER = "ComplexType"


class Filter(Enum):
    """How a `$filter` may use a property."""

    DEFAULT = auto()
    """Always."""
    ADVANCED = auto()
    """Only beside `ConsistencyLevel: eventual` and `$count=true`."""
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Property:
    """One property, under Graph's own name."""

    name: str
    kind: Kind = Kind.TEXT
    filter: Filter = Filter.NEVER
    longest: int | None = None
    is_nullable: bool = True
    is_writable: bool = True
    column: str | None = None
    """The column that holds it, if it is not in the document."""
    is_extension: bool = False

    @property
    def sql(self) -> str:
        """Give the SQL expression that reads it."""
        return self.column or path_expression(self.name.replace("/", "."))


_T, _B, _M, _L, _O = Kind.TEXT, Kind.BOOLEAN, Kind.MOMENT, Kind.TEXTS, Kind.OTHER
_D, _A = Filter.DEFAULT, Filter.ADVANCED

_USER: Final = (
    Property("id", filter=_D, is_writable=False, column="id"),
    Property("userPrincipalName", filter=_D, longest=113, is_nullable=False, column="upn"),
    Property("accountEnabled", _B, _D, is_nullable=False),
    Property("ageGroup", filter=_A),
    Property("businessPhones", _L, longest=64),
    Property("city", filter=_D, longest=128),
    Property("companyName", filter=_A, longest=64),
    Property("consentProvidedForMinor", filter=_A),
    Property("country", filter=_D, longest=128),
    Property("department", filter=_D, longest=64),
    Property("displayName", filter=_D, longest=256, is_nullable=False),
    Property("employeeHireDate", _M, _A),
    Property("employeeId", filter=_D, longest=16),
    Property("employeeType", filter=_A),
    Property("faxNumber", filter=_A),
    Property("givenName", filter=_D, longest=64),
    Property("jobTitle", filter=_D, longest=128),
    Property("mail", filter=_D),
    Property("mailNickname", filter=_D, longest=64, is_nullable=False),
    Property("mobilePhone", filter=_A, longest=64),
    Property("officeLocation", filter=_A),
    Property("onPremisesExtensionAttributes", _O),
    Property("onPremisesImmutableId", filter=_D),
    Property("otherMails", _L, longest=250),
    Property("passwordPolicies"),
    Property("passwordProfile", _O),
    Property("postalCode", filter=_A, longest=40),
    Property("preferredDataLocation"),
    Property("preferredLanguage", filter=_A),
    Property("showInAddressList", _B),
    Property("state", filter=_D, longest=128),
    Property("streetAddress", filter=_A),
    Property("surname", filter=_D, longest=64),
    Property("usageLocation", filter=_D, is_nullable=False),
    Property("userType", filter=_D),
    *(
        Property(name, kind, use, is_writable=False)
        for name, kind, use in (
            ("assignedLicenses", _O, Filter.NEVER),
            ("createdDateTime", _M, _D),
            ("creationType", _T, Filter.NEVER),
            ("deletedDateTime", _M, Filter.NEVER),
            ("identities", _O, Filter.NEVER),
            ("lastPasswordChangeDateTime", _M, Filter.NEVER),
            ("licenseAssignmentStates", _O, Filter.NEVER),
            ("onPremisesDistinguishedName", _T, Filter.NEVER),
            ("onPremisesDomainName", _T, Filter.NEVER),
            ("onPremisesLastSyncDateTime", _M, _A),
            ("onPremisesProvisioningErrors", _O, Filter.NEVER),
            ("onPremisesSamAccountName", _T, _A),
            ("onPremisesSecurityIdentifier", _T, _A),
            ("onPremisesSyncEnabled", _B, _D),
            ("onPremisesUserPrincipalName", _T, Filter.NEVER),
            ("proxyAddresses", _L, Filter.NEVER),
            ("signInSessionsValidFromDateTime", _M, Filter.NEVER),
        )
    ),
)

_GROUP: Final = (
    Property("id", filter=_D, is_writable=False, column="id"),
    *(
        Property(name, kind, use, is_writable=False)
        for name, kind, use in (
            ("deletedDateTime", _M, Filter.NEVER),
            ("classification", _T, Filter.NEVER),
            ("createdDateTime", _M, _D),
            ("creationOptions", _L, Filter.NEVER),
            ("description", _T, _D),
            ("displayName", _T, _D),
            ("expirationDateTime", _M, Filter.NEVER),
            ("groupTypes", _L, Filter.NEVER),
            ("isAssignableToRole", _B, _D),
            ("mail", _T, _D),
            ("mailEnabled", _B, _D),
            ("mailNickname", _T, _D),
            ("membershipRule", _T, Filter.NEVER),
            ("membershipRuleProcessingState", _T, Filter.NEVER),
            ("onPremisesDomainName", _T, Filter.NEVER),
            ("onPremisesLastSyncDateTime", _M, _D),
            ("onPremisesNetBiosName", _T, Filter.NEVER),
            ("onPremisesSamAccountName", _T, Filter.NEVER),
            ("onPremisesSecurityIdentifier", _T, _D),
            ("onPremisesSyncEnabled", _B, _D),
            ("preferredDataLocation", _T, Filter.NEVER),
            ("preferredLanguage", _T, Filter.NEVER),
            ("proxyAddresses", _L, Filter.NEVER),
            ("renewedDateTime", _M, Filter.NEVER),
            ("resourceBehaviorOptions", _L, Filter.NEVER),
            ("resourceProvisioningOptions", _L, Filter.NEVER),
            ("securityEnabled", _B, _D),
            ("securityIdentifier", _T, Filter.NEVER),
            ("theme", _T, Filter.NEVER),
            ("uniqueName", _T, _D),
            ("visibility", _T, Filter.NEVER),
            ("onPremisesProvisioningErrors", _L, Filter.NEVER),
            ("serviceProvisioningErrors", _L, Filter.NEVER),
        )
    ),
)

USER: Final = {prop.name.lower(): prop for prop in _USER}
GROUP: Final = {prop.name.lower(): prop for prop in _GROUP}
"""By lower-case name: Graph takes any capitals."""

USER_DEFAULTS: Final = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
GROUP_DEFAULTS: Final = tuple(prop.name for prop in _GROUP)

BASIC: Final = frozenset(("id", "displayName", "givenName", "surname", "mail", "userPrincipalName"))
"""What `User.ReadBasic.All` shows; the rest reads as null (microsoft-graph-docs#3975)."""

SENSITIVE: Final = frozenset(
    (
        "accountEnabled",
        "businessPhones",
        "mobilePhone",
        "onPremisesImmutableId",
        "otherMails",
        "passwordProfile",
        "userPrincipalName",
    )
)
"""Graph, "Who can perform sensitive actions"."""

CLOUD_MASTERED: Final = frozenset(
    (
        "ageGroup",
        "consentProvidedForMinor",
        "onPremisesExtensionAttributes",  # refused too, in other words
        "passwordPolicies",
        "passwordProfile",
        "preferredDataLocation",
        "usageLocation",
    )
)
"""What stays writable here on a synced account; inferred."""


def extension(name: str) -> Property:
    """Give the property of a directory extension."""
    return Property(name, filter=Filter.DEFAULT, longest=256, is_extension=True)


def extension_attribute(name: str) -> Property:
    """Give the property that a filter names `onPremisesExtensionAttributes/<name>`."""
    return Property(f"onPremisesExtensionAttributes/{name}", filter=Filter.ADVANCED, longest=1024)
