"""Temporary Access Passes: a code for a first sign-in, shown once, of which only a hash is kept.

A user has one: a new one takes the place of the one before (Graph, "Create
temporaryAccessPassMethod").
"""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import bodies
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.company.governance import ACCESS_PASS, METHOD_POLICY
from reconciler.sandbox.data import accounts, moments, passwords
from reconciler.sandbox.data.store import add_resource, resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.wire import Reply

_KIND: Final = "temporaryAccessPass"
_TYPE: Final = "#microsoft.graph.temporaryAccessPassAuthenticationMethod"
_CHARACTERS: Final = string.ascii_letters + string.digits + "+*%&=#!@$?"
"""Graph's example of a pass is `+drkzqAD`; the rest is inferred."""
_LONGEST: Final = 43_200
_SHORTEST: Final = 10
"""Minutes that Graph allows, within which a policy chooses."""


def policy(call: Call) -> Reply:
    """`GET /policies/authenticationMethodsPolicy/…/temporaryAccessPass`."""
    where = "includeTargets@odata.context"
    address = (
        f"{call.request.root}/$metadata#policies/authenticationMethodsPolicy/"
        f"{_CONFIGURATIONS}('{ACCESS_PASS}')/"
        "microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration/includeTargets"
    )
    shown = {**_policy(call.db), where: address}
    return call.entity(f"{_CONFIGURATIONS}/$entity", shown)


def _policy(db: sqlite3.Connection) -> dict[str, Any]:
    return resource(db, METHOD_POLICY, ACCESS_PASS) or {"state": "disabled"}


def _allows(call: Call, user: User) -> bool:
    """Whether passes are enabled, and for this user."""
    rules = _policy(call.db)
    targets = rules.get("includeTargets", ())
    left_out = rules.get("excludeTargets", ())
    return (
        rules["state"] == "enabled"
        and any(_reaches(call.db, target, user) for target in targets)
        and not any(_reaches(call.db, target, user) for target in left_out)
    )


def _reaches(db: sqlite3.Connection, target: Mapping[str, Any], user: User) -> bool:
    """Whether a target of the policy is this user, all of them, or a group above."""
    if target["id"] in {"all_users", user.id}:
        return True
    found = db.execute(
        "WITH RECURSIVE above(id) AS (SELECT group_id FROM member WHERE member_id = ? "
        "UNION SELECT group_id FROM member JOIN above ON member_id = above.id) "
        "SELECT 1 FROM above WHERE id = ?",
        (user.id, target["id"]),
    ).fetchone()
    return found is not None


# --- passes


def listing(call: Call) -> Reply:
    """`GET /users/{id}/authentication/temporaryAccessPassMethods`: one or none."""
    user = accounts.get(call.db, call.key)
    found = resource(call.db, _KIND, user.id)
    value = [] if found is None else [_shown(call, user, found)]
    return call.entity(_context(user), {"value": value})


def read(call: Call) -> Reply:
    """`GET /users/{id}/authentication/temporaryAccessPassMethods/{id}`."""
    user, found = _get(call)
    return call.entity(f"{_context(user)}/$entity", _shown(call, user, found))


def _context(user: User) -> str:
    return f"users('{user.id}')/authentication/temporaryAccessPassMethods"


def _get(call: Call) -> tuple[User, dict[str, Any]]:
    user = accounts.get(call.db, call.key)
    found = resource(call.db, _KIND, user.id)
    if found is None or found["id"] != call.keys[1].lower():
        raise errors.NO_RESOURCE.error(id=call.keys[1])
    return user, found


def _shown(
    call: Call, user: User, kept: Mapping[str, Any], value: str | None = None
) -> dict[str, Any]:
    """Give a pass as Graph shows it: its *value* only where it is made."""
    reason = _usability(call, user, kept)
    return {
        "@odata.type": _TYPE,
        "id": kept["id"],
        "temporaryAccessPass": value,
        "createdDateTime": kept["createdDateTime"],
        "startDateTime": kept["startDateTime"],
        "lifetimeInMinutes": kept["lifetimeInMinutes"],
        "isUsableOnce": kept["isUsableOnce"],
        "isUsable": reason == "EnabledByPolicy",
        "methodUsabilityReason": reason,
    }


def _usability(call: Call, user: User, kept: Mapping[str, Any]) -> str:
    if not _allows(call, user):
        return "DisabledByPolicy"
    start = moments.parse(kept["startDateTime"]) or call.now
    end = start + timedelta(minutes=kept["lifetimeInMinutes"])
    if call.now < start:
        return "NotYetValid"
    return "EnabledByPolicy" if call.now < end else "Expired"


def create(call: Call) -> Reply:
    """`POST /users/{id}/authentication/temporaryAccessPassMethods`."""
    user = accounts.get(call.db, call.key)
    if user.properties.get("userType") == "Guest" and "#EXT#" in user.upn.upper():
        raise errors.PASS_FOR_GUEST.error()
    if not _allows(call, user):
        raise errors.PASS_NOT_ALLOWED.error()
    rules = _policy(call.db)
    given = bodies.lowered({} if call.request.body is None else call.body())
    value = "".join(secrets.choice(_CHARACTERS) for _ in range(rules["defaultLength"]))
    kept = {
        "id": str(uuid4()),
        "createdDateTime": moments.precise(call.now),
        "startDateTime": _start(call, given),
        "lifetimeInMinutes": _lifetime(given, rules),
        "isUsableOnce": _once(given, rules),
        "hash": passwords.hashed(value),
    }
    forget(call.db, user.id)
    add_resource(call.db, _KIND, user.id, kept)
    return call.entity(f"{_context(user)}/$entity", _shown(call, user, kept, value), 201)


def _start(call: Call, given: Mapping[str, Any]) -> str:
    asked = bodies.text(given, "startDateTime")
    start = call.now if asked is None else moments.parse(asked)
    longest = timedelta(minutes=_LONGEST)
    if start is None or moments.after(start, longest) is None or call.now - start > longest:
        raise errors.PASS_START.error()
    return moments.precise(start)


def _lifetime(given: Mapping[str, Any], rules: Mapping[str, Any]) -> int:
    asked = bodies.number(given, "lifetimeInMinutes")
    least = max(_SHORTEST, rules["minimumLifetimeInMinutes"])
    most = min(_LONGEST, rules["maximumLifetimeInMinutes"])
    length = int(rules["defaultLifetimeInMinutes"]) if asked is None else asked
    if not least <= length <= most:
        raise errors.PASS_LIFETIME.error(least=least, most=most)
    return length


def _once(given: Mapping[str, Any], rules: Mapping[str, Any]) -> bool:
    asked = bodies.flag(given, "isUsableOnce")
    if asked is False and rules["isUsableOnce"]:
        raise errors.PASS_ONLY_ONCE.error()
    return bool(rules["isUsableOnce"] if asked is None else asked)


def remove(call: Call) -> Reply:
    """`DELETE /users/{id}/authentication/temporaryAccessPassMethods/{id}`."""
    user, _ = _get(call)
    forget(call.db, user.id)
    return NO_CONTENT


def forget(db: sqlite3.Connection, user_id: str) -> None:
    """Forget the pass of a user, if there is one."""
    db.execute("DELETE FROM resource WHERE kind = ? AND id = ?", (_KIND, user_id))


_CONFIGURATIONS: Final = "authenticationMethodConfigurations"
_PASSES: Final = "users/{}/authentication/temporaryAccessPassMethods"

ROUTES: Final = (
    (
        "GET",
        f"policies/authenticationMethodsPolicy/{_CONFIGURATIONS}/temporaryAccessPass",
        Route(policy, p.METHOD_POLICY_READ),
    ),
    ("GET", _PASSES, Route(listing, p.PASS_READ)),
    ("POST", _PASSES, Route(create, p.PASS_WRITE, activity="Admin registered security info")),
    ("GET", f"{_PASSES}/{{}}", Route(read, p.PASS_READ)),
    (
        "DELETE",
        f"{_PASSES}/{{}}",
        Route(remove, p.PASS_WRITE, activity="Admin deleted security info"),
    ),
)
