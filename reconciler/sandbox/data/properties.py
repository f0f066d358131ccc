"""The properties of `user` and `group`: type, limits, and how a filter may use each.

Names, types and nullability from Microsoft's published CSDL for v1.0 and the property
notes in the Graph SDK (August 2026); filter support from "Advanced query capabilities".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from reconciler.sandbox.data.store import INDEXED_PATHS, path_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

EXTENSION_ATTRIBUTES: Final = tuple(f"extensionAttribute{n}" for n in range(1, 16))
EXTENSION_NAME: Final = re.compile(r"extension_[0-9a-f]{32}_\w+", re.IGNORECASE)


class Kind(Enum):
    """The type of a property's value."""

    TEXT = "String"
    BOOLEAN = "Boolean"
    MOMENT = "DateTimeOffset"
    INTEGER = "Int32"
    TEXTS = "Collection(String)"
    OTHER = "ComplexType"
    OTHERS = "Collection(ComplexType)"


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
    ordered: Filter = Filter.NEVER
    """How a `$filter` may use `ge` and `le`, of a text."""
    is_indexed: bool = False
    """Whether the tenant has an index for it."""
    is_collected: bool = True
    """Whether a list may show it; else only the object itself does."""
    truth: str | None = None
    """The SQL of `eq true`, of what a filter knows in no other form."""

    @property
    def orders(self) -> Filter:
        """Tell how a `$filter` may use `ge` and `le`: with moments as it uses `eq`."""
        return self.filter if self.kind is Kind.MOMENT else self.ordered

    @property
    def sql(self) -> str:
        """Give the SQL expression that reads it."""
        return self.column or path_expression(self.name.replace("/", "."))


_T, _B, _M, _L = Kind.TEXT, Kind.BOOLEAN, Kind.MOMENT, Kind.TEXTS
_O, _R = Kind.OTHER, Kind.OTHERS
_D, _A = Filter.DEFAULT, Filter.ADVANCED

_USER: Final = (
    Property("id", filter=_D, is_writable=False, column="id"),
    Property(
        "userPrincipalName", filter=_D, longest=113, is_nullable=False, column="upn", ordered=_D
    ),
    Property("accountEnabled", _B, _D, is_nullable=False, ordered=_A),
    Property("ageGroup", filter=_A),
    Property("businessPhones", _L, longest=64),
    Property("city", filter=_D, longest=128, ordered=_D),
    Property("companyName", filter=_A, longest=64, ordered=_A),
    Property("consentProvidedForMinor", filter=_A),
    Property("country", filter=_D, longest=128, ordered=_D),
    Property("department", filter=_D, longest=64, ordered=_D),
    Property("displayName", filter=_D, longest=256, is_nullable=False),
    Property("employeeHireDate", _M, _A),
    Property("employeeId", filter=_D, longest=16, ordered=_A),
    Property("employeeType", filter=_A, ordered=_A),
    Property("faxNumber", filter=_A, ordered=_A),
    Property("givenName", filter=_D, longest=64, ordered=_D),
    Property("jobTitle", filter=_D, longest=128, ordered=_D),
    Property("mail", filter=_D, ordered=_D),
    Property("mailNickname", filter=_D, longest=64, is_nullable=False, ordered=_D),
    Property("mobilePhone", filter=_A, longest=64, ordered=_A),
    Property("officeLocation", filter=_A, ordered=_A),
    Property("onPremisesExtensionAttributes", _O),
    Property("onPremisesImmutableId", filter=_D, ordered=_A),
    Property("otherMails", _L, longest=250),
    Property("passwordPolicies", filter=_A),
    Property("passwordProfile", _O),
    Property("postalCode", filter=_A, longest=40, ordered=_A),
    Property("preferredDataLocation"),
    Property("preferredLanguage", filter=_A, ordered=_A),
    Property("showInAddressList", _B, _A),
    Property("state", filter=_D, longest=128, ordered=_D),
    Property("streetAddress", filter=_A, ordered=_A),
    Property("surname", filter=_D, longest=64, ordered=_D),
    Property("usageLocation", filter=_D, is_nullable=False, ordered=_D),
    Property("userType", filter=_D),
    Property("createdDateTime", _M, _D, is_writable=False),
    Property("onPremisesLastSyncDateTime", _M, _A, is_writable=False),
    Property("onPremisesSamAccountName", _T, _A, is_writable=False, ordered=_A),
    *(
        Property(name, kind, use, is_writable=False)
        for name, kind, use in (
            ("assignedLicenses", _R, Filter.NEVER),
            ("assignedPlans", _R, Filter.NEVER),
            ("authorizationInfo", _O, Filter.NEVER),
            ("creationType", _T, _A),
            ("customSecurityAttributes", _O, Filter.NEVER),
            ("deletedDateTime", _M, Filter.NEVER),
            ("employeeLeaveDateTime", _M, Filter.NEVER),
            ("employeeOrgData", _O, Filter.NEVER),
            ("externalUserState", _T, _A),
            ("externalUserStateChangeDateTime", _M, Filter.NEVER),
            ("identities", _R, Filter.NEVER),
            ("identityParentId", _T, Filter.NEVER),
            ("imAddresses", _L, Filter.NEVER),
            ("isManagementRestricted", _B, Filter.NEVER),
            ("isResourceAccount", _B, _A),
            ("lastPasswordChangeDateTime", _M, Filter.NEVER),
            ("legalAgeGroupClassification", _T, Filter.NEVER),
            ("licenseAssignmentStates", _R, Filter.NEVER),
            ("onPremisesDistinguishedName", _T, Filter.NEVER),
            ("onPremisesDomainName", _T, Filter.NEVER),
            ("onPremisesProvisioningErrors", _R, Filter.NEVER),
            ("onPremisesSecurityIdentifier", _T, _A),
            ("onPremisesSyncEnabled", _B, _D),
            ("onPremisesUserPrincipalName", _T, Filter.NEVER),
            ("print", _O, Filter.NEVER),
            ("provisionedPlans", _R, Filter.NEVER),
            ("proxyAddresses", _L, Filter.NEVER),
            ("securityIdentifier", _T, Filter.NEVER),
            ("serviceProvisioningErrors", _R, Filter.NEVER),
            ("signInActivity", _O, Filter.NEVER),
            ("signInSessionsValidFromDateTime", _M, Filter.NEVER),
        )
    ),
    *(
        Property(name, kind, is_writable=False, is_collected=False)
        for name, kind in (
            ("aboutMe", _T),
            ("birthday", _M),
            ("deviceEnrollmentLimit", Kind.INTEGER),
            ("hireDate", _M),
            ("interests", _L),
            ("mailboxSettings", _O),
            ("mySite", _T),
            ("pastProjects", _L),
            ("preferredName", _T),
            ("responsibilities", _L),
            ("schools", _L),
            ("skills", _L),
        )
    ),
)

_GROUP: Final = (
    Property("id", filter=_D, is_writable=False, column="id"),
    Property("deletedDateTime", _M, is_writable=False, column="deleted"),
    Property("classification", filter=_A, ordered=_A),
    Property("createdDateTime", _M, _D, is_writable=False),
    Property("creationOptions", _L, is_writable=False),
    Property("description", filter=_D, longest=1024, ordered=_A),
    Property("displayName", filter=_D, longest=256, is_nullable=False, ordered=_A),
    Property("expirationDateTime", _M, _A, is_writable=False),
    Property("groupTypes", _L),
    Property("isAssignableToRole", _B, _D),
    Property("mail", filter=_D, is_writable=False, ordered=_D),
    Property("mailEnabled", _B, _D, is_nullable=False),
    Property("mailNickname", filter=_D, longest=64, is_nullable=False, ordered=_D),
    Property("membershipRule", filter=_A, longest=3072, ordered=_A),
    Property("membershipRuleProcessingState", filter=_A),
    Property("onPremisesDomainName", is_writable=False),
    Property("onPremisesLastSyncDateTime", _M, _D, is_writable=False),
    Property("onPremisesNetBiosName", is_writable=False),
    Property("onPremisesSamAccountName", filter=_A, is_writable=False, ordered=_A),
    Property("onPremisesSecurityIdentifier", filter=_D, is_writable=False),
    Property("onPremisesSyncEnabled", _B, _D, is_writable=False),
    Property("preferredDataLocation"),
    Property("preferredLanguage", filter=_A, ordered=_A),
    Property("proxyAddresses", _L, is_writable=False),
    Property("renewedDateTime", _M, _A, is_writable=False),
    Property("resourceBehaviorOptions", _L),
    Property("resourceProvisioningOptions", _L),
    Property("securityEnabled", _B, _D, is_nullable=False),
    Property("securityIdentifier", is_writable=False),
    Property("theme"),
    Property("uniqueName", filter=_D, longest=128),
    Property("visibility"),
    Property("onPremisesProvisioningErrors", _L, is_writable=False),
    Property("serviceProvisioningErrors", _L, is_writable=False),
)


_GROUP_SELECTED: Final = tuple(
    Property(name, kind, is_writable=False)
    for name, kind in (
        ("accessType", _T),
        ("allowExternalSenders", _B),
        ("assignedLabels", _R),
        ("assignedLicenses", _R),
        ("autoSubscribeNewMembers", _B),
        ("hideFromAddressLists", _B),
        ("hideFromOutlookClients", _B),
        ("infoCatalogs", _L),
        ("isArchived", _B),
        ("isFavorite", _B),
        ("isManagementRestricted", _B),
        ("isSubscribedByMail", _B),
        ("licenseProcessingState", _O),
        ("onPremisesExtensionAttributes", _O),
        ("organizationId", _T),
        ("unseenConversationsCount", Kind.INTEGER),
        ("unseenCount", Kind.INTEGER),
        ("unseenMessagesCount", Kind.INTEGER),
        ("welcomeMessageEnabled", _B),
    )
)
"""What a group shows only when it is selected."""

_LICENSE_ERRORS: Final = Property(
    "hasMembersWithLicenseErrors",
    _B,
    is_writable=False,
    # Of what people hold themselves the id is empty.
    truth="id IN (SELECT group_id FROM license JOIN user ON user.id = user_id "
    "WHERE error <> 'None' AND group_id > '' AND user.deleted IS NULL)",
)
"""What a filter finds and no group shows (Graph, "group resource type")."""


def _by_name(table: str, properties: Iterable[Property]) -> dict[str, Property]:
    indexed = {*INDEXED_PATHS[table], "id", "userPrincipalName"}
    return {
        prop.name.lower(): replace(prop, is_indexed=prop.name in indexed) for prop in properties
    }


USER: Final = _by_name("user", _USER)
GROUP: Final = _by_name("group", (*_GROUP, *_GROUP_SELECTED, _LICENSE_ERRORS))
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
    return Property(
        f"onPremisesExtensionAttributes/{name}",
        filter=Filter.ADVANCED,
        longest=1024,
        ordered=Filter.ADVANCED,
        is_indexed=f"onPremisesExtensionAttributes.{name}" in INDEXED_PATHS["user"],
    )
