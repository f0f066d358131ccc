"""What a user may be made of: the body of POST and PATCH `/users`, checked as Graph does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reconciler.sandbox import errors
from reconciler.sandbox.data.countries import CODES
from reconciler.sandbox.data.properties import (
    EXTENSION_ATTRIBUTES,
    EXTENSION_NAME,
    USER,
    Kind,
    Property,
    extension,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

_LOCAL = re.compile(r"[A-Za-z0-9'._!#^~$-]+")
"""Microsoft's rule; `$` is not in it and was accepted in recordings."""
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 48
_NICKNAME = re.compile(r"[\x21-\x7e]+")
_NOT_IN_NICKNAME = frozenset('@()\\[]";:<>, ')
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_CHOICES = {
    "ageGroup": ("Minor", "NotAdult", "Adult"),
    "consentProvidedForMinor": ("Granted", "Denied", "NotRequired"),
    "userType": ("Member", "Guest"),
}
_POLICIES = frozenset(("DisablePasswordExpiration", "DisableStrongPassword"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OF_LINES = frozenset(("description", "streetAddress"))
"""Texts that may have several lines."""
_MOST_ITEMS = {"businessPhones": 1, "otherMails": 250}
_MOST_EXTENSIONS = 100
"""Values on one object (Graph, "Add custom data to resources")."""
_NAVIGATION = frozenset(("manager", "directreports", "memberof", "ownedobjects", "licensedetails"))
_BY_LOWER_CASE = {name.lower(): name for name in EXTENSION_ATTRIBUTES}
_ELSEWHERE = {
    name.lower(): name
    for name in (
        "aboutMe",
        "birthday",
        "customSecurityAttributes",
        "employeeLeaveDateTime",
        "employeeOrgData",
        "hireDate",
        "identities",
        "interests",
        "mySite",
        "pastProjects",
        "preferredName",
        "responsibilities",
        "schools",
        "skills",
    )
}
"""What Graph lets clients write (Graph, "Update user") and the sandbox tenant does not keep."""
_PASSWORD_PROFILE = {
    "password": Kind.TEXT,
    "forceChangePasswordNextSignIn": Kind.BOOLEAN,
    "forceChangePasswordNextSignInWithMfa": Kind.BOOLEAN,
}


def properties(body: Mapping[str, Any], extensions: Mapping[str, str]) -> dict[str, Any]:
    """Give the properties that *body* sets, under Graph's names, each checked by itself.

    Annotations (`@odata.type`) are passed over. Raises Graph's refusal of the first
    property that is no good.
    """
    given: dict[str, Any] = {}
    for name, value in body.items():
        if "@" in name and not name.lower().endswith("@odata.bind"):
            continue
        if elsewhere := _ELSEWHERE.get(name.lower()):
            raise errors.NOT_SERVED.error(what=f"writes of the property {elsewhere} of a user")
        prop = known(name, USER, _NAVIGATION, extensions)
        given[prop.name] = _checked(prop, value)
    return given


def known(
    name: str,
    properties: Mapping[str, Property],
    navigation: AbstractSet[str],
    extensions: Mapping[str, str],
) -> Property:
    """Give the property of a body called *name*; raises Graph's refusal of what is none.

    *properties*, *navigation* and *extensions* are what its type has, by lower-case name.
    """
    lower = name.lower().removesuffix("@odata.bind")
    if lower in navigation:
        raise errors.NAVIGATION.error(property=name.partition("@")[0])
    if EXTENSION_NAME.fullmatch(name):
        if lower not in extensions:
            raise errors.UNKNOWN_EXTENSION.error(property=name)
        return extension(extensions[lower])
    prop = properties.get(lower)
    if prop is None:
        raise errors.UNKNOWN_PROPERTY.error(property=name)
    if not prop.is_writable:
        raise errors.READ_ONLY_PROPERTY.error(property=prop.name)
    return prop


def _checked(prop: Property, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if value is None:
        if not prop.is_nullable:
            raise errors.REQUIRED.error(property=prop.name)
        return _cleared(prop)
    match prop.name:
        case "onPremisesExtensionAttributes":
            return _extension_attributes(value)
        case "passwordProfile":
            return _password_profile(value)
    check_type(prop.name, prop.kind, value)
    if prop.kind is Kind.TEXTS:
        _check_items(prop, value)
    elif prop.kind is not Kind.BOOLEAN:
        _check_text(prop, value)
    return value


def _cleared(prop: Property) -> Any:  # noqa: ANN401 -- any JSON
    """Give what null sets: complex values are cleared part by part."""
    if prop.name == "onPremisesExtensionAttributes":
        return dict.fromkeys(EXTENSION_ATTRIBUTES)
    return [] if prop.kind is Kind.TEXTS else None


def check_type(name: str, kind: Kind, value: object) -> None:
    """Raise the refusal of a value whose JSON type is another."""
    is_list = kind is Kind.TEXTS
    if isinstance(value, dict | list) and not (is_list and isinstance(value, list)):
        found = "StartObject" if isinstance(value, dict) else "StartArray"
        expected = "StartArray" if is_list else "PrimitiveValue"
        raise errors.WRONG_NODE.error(found=found, property=name, expected=expected)
    if is_list:
        if not isinstance(value, list):
            raise errors.WRONG_NODE.error(
                found="PrimitiveValue", property=name, expected="StartArray"
            )
        return
    if not isinstance(value, bool if kind is Kind.BOOLEAN else str):
        raise errors.WRONG_TYPE.error(kind=kind.value)


def check_extension_values(document: Mapping[str, Any]) -> None:
    """Raise the refusal of more values of directory extensions than one object may have."""
    held = sum(
        name.startswith("extension_") and value is not None for name, value in document.items()
    )
    if held > _MOST_EXTENSIONS:
        raise errors.EXTENSION_VALUES.error()


def _check_items(prop: Property, items: list[Any]) -> None:
    if len(items) > _MOST_ITEMS.get(prop.name, len(items)):
        raise errors.BAD_VALUE.error(property=prop.name)
    for item in items:
        check_type(prop.name, Kind.TEXT, item)
        _check_text(prop, item)


def _check_text(prop: Property, text: str) -> None:
    if prop.name == "userPrincipalName":
        if not is_upn(text):
            raise errors.BAD_UPN.error()
    elif prop.longest and len(text) > prop.longest and prop.name == "mobilePhone":
        raise errors.BAD_LENGTH.error(property=prop.name, limit=prop.longest)
    elif not text or (prop.longest and len(text) > prop.longest) or not _is_valid(prop, text):
        if prop.name == "mailNickname" and not text:
            raise errors.NO_MAIL_NICKNAME.error()
        raise errors.BAD_VALUE.error(property=prop.name)


def _is_valid(prop: Property, text: str) -> bool:
    if not is_clean(prop.name, text):
        return False
    if prop.kind is Kind.MOMENT:
        return _MOMENT.fullmatch(text) is not None
    match prop.name:
        case "usageLocation":
            return text in CODES
        case "mailNickname":
            return bool(_NICKNAME.fullmatch(text)) and _NOT_IN_NICKNAME.isdisjoint(text)
        case "passwordPolicies":
            return _are_policies(text)
        case "ageGroup" | "consentProvidedForMinor" | "userType":
            return text in _CHOICES[prop.name]
    return True


def _are_policies(text: str) -> bool:
    """Whether *text* names password policies: none, one, or both with a comma between them."""
    named = [name.strip() for name in text.split(",")]
    return named == ["None"] or (set(named) <= _POLICIES and len(set(named)) == len(named))


def is_clean(name: str, text: str) -> bool:
    """Whether *text* has no control characters, which no property takes (inferred)."""
    if name in _OF_LINES:
        text = text.translate(dict.fromkeys(map(ord, "\t\r\n")))
    return _CONTROL.search(text) is None


def is_upn(text: str) -> bool:
    """Whether Entra takes *text* as a UPN, as far as its form goes."""
    local, _, domain = text.rpartition("@")
    return (
        _LOCAL.fullmatch(local) is not None
        and not local.endswith(".")
        and len(local) <= _LONGEST_LOCAL
        and 0 < len(domain) <= _LONGEST_DOMAIN
    )


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        found = "StartArray" if isinstance(value, list) else "PrimitiveValue"
        raise errors.WRONG_NODE.error(found=found, property=name, expected="StartObject")
    return {key: item for key, item in value.items() if "@" not in key}


def _extension_attributes(value: object) -> dict[str, str | None]:
    given: dict[str, str | None] = {}
    for key, item in _object("onPremisesExtensionAttributes", value).items():
        name = _BY_LOWER_CASE.get(key.lower())
        if name is None:
            raise errors.UNKNOWN_PROPERTY.error(property=key)
        if item is not None:
            check_type(name, Kind.TEXT, item)
            _check_text(Property(name, longest=1024), item)
        given[name] = item
    return given


def _password_profile(value: object) -> dict[str, Any]:
    given: dict[str, Any] = {}
    lower = {name.lower(): name for name in _PASSWORD_PROFILE}
    for key, item in _object("passwordProfile", value).items():
        name = lower.get(key.lower())
        if name is None:
            raise errors.UNKNOWN_PROPERTY.error(property=key)
        if item is not None:
            check_type(name, _PASSWORD_PROFILE[name], item)
            given[name] = item
    return given
