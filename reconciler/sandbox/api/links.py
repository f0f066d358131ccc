"""Members and owners of groups: who can be one, and how one comes and goes.

Which types go into which group is in Graph, "group: Add members" and "Add owners".
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.api import licenses, objects
from reconciler.sandbox.api.groups import Group
from reconciler.sandbox.calls import reference_key
from reconciler.sandbox.data import accounts
from reconciler.sandbox.data.accounts import User
from reconciler.sandbox.wire import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.sandbox.api.objects import Object
    from reconciler.sandbox.calls import Call

MOST_LINKS: Final = 20
_PRINCIPAL: Final = "servicePrincipal"
_TARGET: Final = "membersWithLicenseErrors.members"
"""What Graph's `details` name in place of the members (microsoft-graph-docs#11629)."""
_RACE: Final = timedelta(seconds=2)
"""How long a removal is under way; the parts of a batch run side by side."""
_RECENT: Final = 1000
"""Changes among which a removal under way is looked for."""


def bound(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the keys that *body* binds, as `members` and as `owners`; at most 20 together."""
    given = {name.lower(): value for name, value in body.items()}
    found: dict[str, list[str]] = {}
    for name in ("members", "owners"):
        references = given.get(f"{name}@odata.bind", ...)
        if references is ...:
            continue
        if not isinstance(references, list) or not references:
            raise errors.BAD_REFERENCE.error(reference=references)
        found[name] = references
    if sum(len(references) for references in found.values()) > MOST_LINKS:
        raise errors.TOO_MANY_LINKS.error()
    return {name: [reference_key(one) for one in some] for name, some in found.items()}


# --- adding


def add_members(
    call: Call,
    group: Group,
    keys: Sequence[str],
    *,
    principals: frozenset[str] = permissions.PRINCIPAL_WRITE,
) -> None:
    """Make the objects with these ids or UPNs members of *group*, all or none.

    One of *principals* is wanted of who adds a service principal other than itself.
    """
    found = _found(call, keys)
    for member in found:
        _check_member(group, member)
        if objects.type_of(member) == _PRINCIPAL and member.id != call.caller.principal_id:
            permissions.require(call, principals)
    _insert(call, group, found, is_owner=False)
    for member in found:
        if isinstance(member, User):
            licenses.inherit(call, member, group)


def add_owners(call: Call, group: Group, keys: Sequence[str]) -> None:
    """Make the objects with these ids or UPNs owners of *group*, all or none."""
    found = _found(call, keys)
    for owner in found:
        if objects.type_of(owner) not in {"user", _PRINCIPAL}:
            raise _invalid(owner, "owners")
    _insert(call, group, found, is_owner=True)


def _found(call: Call, keys: Sequence[str]) -> list[Object]:
    found: list[Object] = []
    for key in keys:
        one = objects.find_any(call.db, key)
        if one is None:
            raise errors.NO_RESOURCE.error(id=key)
        found.append(one)
    if len({one.id for one in found}) < len(found):
        raise errors.TWICE_IN_ONE_CHANGE.error()
    return found


def _check_member(group: Group, member: Object) -> None:
    """Raise Graph's refusal of a member that *group* cannot hold."""
    if isinstance(member, User):
        return
    kind = objects.type_of(member)
    if kind not in {"group", _PRINCIPAL} or member.id == group.id:
        raise _invalid(member, "members")
    if group.is_unified:
        raise errors.NOT_IN_UNIFIED.error(target=_TARGET, type=_in_words(member))
    if isinstance(member, Group) and member.is_unified:
        raise errors.UNIFIED_NOT_NESTED.error(target=_TARGET)
    if kind == "group" and group.is_role_assignable:
        raise errors.NOT_IN_ROLE_GROUP.error()


def _in_words(member: Object) -> str:
    if isinstance(member, Group):
        return "Unified Groups" if member.is_unified else "Security Groups"
    return "ServicePrincipal"


def _invalid(target: Object, name: str) -> errors.GraphError:
    kind = objects.type_of(target)
    shown = kind[0].upper() + kind[1:]
    return errors.INVALID_TARGET.error(type=shown, id=target.id, property=name)


def _insert(call: Call, group: Group, found: Sequence[Object], *, is_owner: bool) -> None:
    table = "owner (group_id, owner_id)" if is_owner else "member (group_id, member_id)"
    try:
        call.db.executemany(
            f"INSERT INTO {table} VALUES (?, ?)",  # noqa: S608 -- constants
            [(group.id, one.id) for one in found],
        )
    except sqlite3.IntegrityError as error:
        row = errors.ALREADY_OWNER if is_owner else errors.ALREADY_MEMBER
        raise row.error() from error


# --- removing


def remove_member(call: Call, group: Group, key: str) -> None:
    """Take a member out of *group*."""
    cursor = call.db.execute(
        "DELETE FROM member WHERE group_id = ? AND member_id = ?", (group.id, key)
    )
    if not cursor.rowcount:
        raise _absent(call, group, key)
    licenses.disinherit(call.db, key, group, call.now)


def remove_owner(call: Call, group: Group, key: str) -> None:
    """Take an owner from *group*, unless it is the last one, or the last one who is a user."""
    held = _living_owners(call, group)
    if key not in held:
        raise errors.NO_RESOURCE.error(id=key)
    left = held - {key}
    users = {one for one in held if accounts.find(call.db, one)}
    if not left or users == {key}:
        raise errors.LAST_OWNER.error()
    call.db.execute("DELETE FROM owner WHERE group_id = ? AND owner_id = ?", (group.id, key))


def _living_owners(call: Call, group: Group) -> set[str]:
    rows = call.db.execute(
        "SELECT owner_id FROM owner WHERE group_id = ? "
        "AND owner_id NOT IN (SELECT id FROM user WHERE deleted IS NOT NULL)",
        (group.id,),
    )
    return {key for (key,) in rows}


def _absent(call: Call, group: Group, key: str) -> errors.GraphError:
    """Give the refusal to remove a member that is none: another one in a race with a removal."""
    if call.request.is_inner and _was_just_removed(call, group, key):
        return errors.LINK_GONE.error()
    return errors.NO_RESOURCE.error(id=key)


def _was_just_removed(call: Call, group: Group, key: str) -> bool:
    row = call.db.execute(
        "SELECT 1 FROM change WHERE kind = 'group' AND id = ? AND other = ? AND verb = 'unlink' "
        "AND seq > (SELECT max(seq) FROM change) - ? AND at >= ?",
        (group.id, key, _RECENT, stamp(call.now - _RACE)),
    ).fetchone()
    return row is not None
