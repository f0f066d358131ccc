"""What a group may be made of: the body of POST and PATCH `/groups`, checked as Graph does.

Rules from Graph, "Create group", "Update group" and "group resource type".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import (
    GROUP,
    Kind,
    Property,
)
from reconciler.sandbox.data.values import check_type, is_clean, known

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIFIED: Final = "Unified"
DYNAMIC: Final = "DynamicMembership"
PRIVATE: Final = "Private"
HIDDEN: Final = "HiddenMembership"

_NICKNAME: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+")
"""ASCII but for `@ () \\ [] " ; : <> ,`, space and what has no shape."""
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "groupTypes": (UNIFIED, DYNAMIC),
    "membershipRuleProcessingState": ("On", "Paused"),
    "theme": ("Teal", "Purple", "Green", "Blue", "Pink", "Orange", "Red"),
    "visibility": (PRIVATE, "Public", HIDDEN),
}
_NAVIGATION: Final = frozenset(("members", "owners", "memberof", "transitivemembers"))
_LINKS: Final = frozenset(("members@odata.bind", "owners@odata.bind"))
_ELSEWHERE: Final = {
    name.lower(): name
    for name in (
        "accessType",
        "allowExternalSenders",
        "assignedLabels",
        "autoSubscribeNewMembers",
        "hideFromAddressLists",
        "hideFromOutlookClients",
        "isSubscribedByMail",
        "onPremisesExtensionAttributes",
        "welcomeMessageEnabled",
    )
}
"""What other services than the directory keep of a group."""
_QUOTED: Final = re.compile(r'"[^"]*"|\'[^\']*\'')
_OPERATOR: Final = re.compile(r"\s-[a-zA-Z]+\b")


def properties(body: Mapping[str, Any], extensions: Mapping[str, str]) -> dict[str, Any]:
    """Give the properties that *body* sets, under Graph's names, each checked by itself.

    Annotations and links are passed over; `links` of `api/links.py` reads those. Raises
    Graph's refusal of the first property that is no good.
    """
    given: dict[str, Any] = {}
    for name, value in body.items():
        if name.lower() in _LINKS or ("@" in name and not name.lower().endswith("@odata.bind")):
            continue
        if elsewhere := _ELSEWHERE.get(name.lower()):
            raise errors.NOT_SERVED.error(what=f"the property {elsewhere} of a group")
        prop = known(name, GROUP, _NAVIGATION, extensions)
        given[prop.name] = _checked(prop, value)
    return given


def _checked(prop: Property, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if value is None:
        if not prop.is_nullable:
            raise errors.GROUP_REQUIRED.error(property=prop.name)
        return [] if prop.kind is Kind.TEXTS else None
    check_type(prop.name, prop.kind, value)
    if prop.kind is Kind.TEXTS:
        for item in value:
            check_type(prop.name, Kind.TEXT, item)
            _check_text(prop, item)
    elif prop.kind is not Kind.BOOLEAN:
        _check_text(prop, value)
    return value


def _check_text(prop: Property, text: str) -> None:
    is_short = not prop.longest or len(text) <= prop.longest
    if not text or not is_short or not _is_valid(prop.name, text):
        raise errors.GROUP_BAD_VALUE.error(property=prop.name)


def _is_valid(name: str, text: str) -> bool:
    if not is_clean(name, text):
        return False
    if name == "mailNickname":
        return _NICKNAME.fullmatch(text) is not None
    return text in _CHOICES.get(name, (text,))


def require_consistent(properties: Mapping[str, Any]) -> None:
    """Raise Graph's refusal of a group whose properties contradict each other."""
    kinds = properties.get("groupTypes") or ()
    is_unified, is_dynamic = UNIFIED in kinds, DYNAMIC in kinds
    is_open = not is_unified and not properties["securityEnabled"]
    if is_open or (properties["mailEnabled"] and not is_unified):
        raise errors.MAIL_ENABLEMENT.error()
    rule = properties.get("membershipRule")
    is_hidden = properties.get("visibility") == HIDDEN
    if (
        is_unified is not properties["mailEnabled"]
        # A group that is dynamic no more may keep its rule.
        or (is_dynamic and rule is None)
        or (rule is not None and not _is_rule(rule))
        or (is_hidden and not is_unified)
    ):
        raise errors.INVALID_VALUES.error()
    if properties.get("isAssignableToRole") and (
        is_dynamic
        or not properties["securityEnabled"]
        or properties.get("visibility") not in {None, PRIVATE}
    ):
        raise errors.INVALID_VALUES.error()


def _is_rule(rule: str) -> bool:
    """Whether *rule* has the form of one: an operator, and brackets that match."""
    bare = _QUOTED.sub("''", rule)
    depth = 0
    for sign in bare:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0 and _OPERATOR.search(bare) is not None


def security_identifier(key: str) -> str:
    """Give the SID that Entra derives from an object id: its four little-endian words."""
    raw = bytes.fromhex(key.replace("-", ""))
    ordered = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    words = (int.from_bytes(ordered[n : n + 4], "little") for n in (0, 4, 8, 12))
    return "S-1-12-1-" + "-".join(str(word) for word in words)
