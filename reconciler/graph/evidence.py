"""What entries of the directory audit log say, and which of them tells of a difference.

Names of activities are those of Entra ("Microsoft Entra audit log categories and activities");
properties bear the directory's own names there, with a capital, and their values are JSON in
a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.changes import LicenseKey, MembershipKey, RoleAssignmentKey
from reconciler.findings import Actor, Evidence, Finding, Kind
from reconciler.model import folded
from reconciler.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

_LONGEST = 256
_NAMES: Mapping[str, frozenset[str]] = {
    "businessPhones": frozenset({"telephonenumber"}),
    "country": frozenset({"co"}),
    "faxNumber": frozenset({"facsimiletelephonenumber"}),
    "mobilePhone": frozenset({"mobile"}),
    "officeLocation": frozenset({"physicaldeliveryofficename"}),
    "otherMails": frozenset({"othermail"}),
}
"""What the directory calls properties that Graph has given another name (Graph, `user`
resource, beside Azure AD Graph's)."""
_SLOTS = "onpremisesextensionattributes"
_SWITCHES = frozenset({"enable account", "disable account"})
_MANAGERS = frozenset({"set user manager", "remove user manager"})
_ENDS = frozenset({"delete user", "hard delete user"})


@dataclass(frozen=True, slots=True)
class Property:
    """One property that an entry tells of; values as they are written there."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log."""

    at: str
    activity: str
    actor: Actor
    targets: Mapping[str, str]
    """The userPrincipalName of each object that it concerns, folded, by id."""
    properties: tuple[Property, ...]

    @property
    def deed(self) -> str:
        """Give the activity in the form in which it is compared."""
        return folded(self.activity)


def record(item: Any, ours: AbstractSet[str]) -> Record | None:  # noqa: ANN401 -- JSON
    """Read one entry; None for what failed, and for what is none.

    *ours* are appIds, folded.
    """
    if not isinstance(item, dict) or item.get("result") not in {"success", None}:
        return None
    targets = [t for t in _list(item.get("targetResources")) if isinstance(t, dict)]
    changed = (p for t in targets for p in _list(t.get("modifiedProperties")))
    return Record(
        at=_text(item.get("activityDateTime")) or "",
        activity=_text(item.get("activityDisplayName")) or "an activity without a name",
        actor=_actor(item.get("initiatedBy"), ours),
        targets={
            folded(key): folded(_text(t.get("userPrincipalName")) or "")
            for t in targets
            if (key := _text(t.get("id")))
        },
        properties=tuple(
            Property(_text(p.get("displayName")) or "", _raw(p, "oldValue"), _raw(p, "newValue"))
            for p in changed
            if isinstance(p, dict)
        ),
    )


def _actor(initiated: Any, ours: AbstractSet[str]) -> Actor:  # noqa: ANN401 -- JSON
    by = initiated if isinstance(initiated, dict) else {}
    user, app = by.get("user"), by.get("app")
    if isinstance(user, dict):
        identity = _text(user.get("userPrincipalName")) or _text(user.get("id"))
        return Actor(_text(user.get("displayName")), identity, is_person=True)
    app = app if isinstance(app, dict) else {}
    key = _text(app.get("appId"))
    name = _text(app.get("displayName")) or _text(app.get("servicePrincipalName"))
    identity = key or _text(app.get("servicePrincipalId"))
    return Actor(name, identity, is_person=False, is_ours=folded(key or "") in ours)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return without_secrets(value)[:_LONGEST] if isinstance(value, str) and value else None


def _raw(part: Mapping[str, object], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


# --- which of them tells


def evidence(finding: Finding, records: Iterable[Record], ownership: str) -> Evidence | None:
    """Give the latest of *records*, which come latest first, that tells of *finding*."""
    for each in records:
        told = _tells(finding, each, ownership)
        if told is not None:
            return Evidence(each.at, each.activity, told or None, each.actor)
    return None


def _tells(finding: Finding, each: Record, ownership: str) -> str | None:
    """Give the property by which it tells; "" where it does by its activity, None if not at all."""
    match finding.kind:
        case Kind.ABSENT:
            return ""  # whatever it says, the account was there
        case Kind.DELETED:
            return "" if each.deed in _ENDS else None
        case Kind.UNDECLARED:
            named = _changed(each, {"userprincipalname"})
            return "" if each.deed in {"add user", "restore user"} else named or None
        case Kind.MARK | Kind.UNADOPTED:
            return _changed(each, {folded(ownership), _SLOTS}) or None
        case Kind.HELD | Kind.NOT_HELD | Kind.BROKEN:
            return _of_entitlement(finding, each)
        case _:
            return _of_field(finding, each)


def _of_field(finding: Finding, each: Record) -> str | None:
    if isinstance(finding.key, LicenseKey):
        return _of_license(finding.key, each, finding.kind)
    path = finding.path or ""
    if path == "accountEnabled" and each.deed in _SWITCHES:
        return ""
    if path == "manager" and each.deed in _MANAGERS:
        return ""
    return _changed(each, {folded(path), *_NAMES.get(path, ())}) or None


def _changed(each: Record, names: AbstractSet[str]) -> str:
    return next((p.name for p in each.properties if folded(p.name) in names), "")


def _of_entitlement(finding: Finding, each: Record) -> str | None:
    match finding.key:
        case LicenseKey():
            return _of_license(finding.key, each, finding.kind)
        case MembershipKey():
            is_of_it = "member" in each.deed and finding.key.group_id in _mentioned(each)
        case RoleAssignmentKey() as key:
            words = {key.role_definition_id, folded(key.role_display_name)}
            is_of_it = " role" in each.deed and not words.isdisjoint(_mentioned(each))
        case _:
            return None
    word = "add" if finding.kind is Kind.HELD else "remove"
    return "" if is_of_it and each.deed.startswith(word) else None


def _mentioned(each: Record) -> set[str]:
    """Give the ids of everything that an entry is about, and the values in it."""
    values = (value for p in each.properties for value in (p.old, p.new))
    return {*each.targets, *(folded(value.strip('[]"')) for value in values)}


def _of_license(key: LicenseKey, each: Record, kind: Kind) -> str | None:
    """Tell whether the SKU's own part of the property differs, in the way that fits."""
    for changed in each.properties:
        if folded(changed.name) != "assignedlicense":
            continue
        old, new = (_part(value, key.sku_id) for value in (changed.old, changed.new))
        fits = {Kind.HELD: not old and new, Kind.NOT_HELD: old and not new}.get(kind, old != new)
        if fits:
            return changed.name
    return None


def _part(value: str, sku_id: str) -> str:
    """Give what *value* says of one SKU: `[SkuName=…, SkuId=…, DisabledPlans=[…]]`."""
    pattern = rf"(?is)SkuId={re.escape(sku_id)}.*?(?=\[SkuName=|$)"
    found = re.search(pattern, value)
    return found[0].rstrip('"], ') + "." if found else ""
