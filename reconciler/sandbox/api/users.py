"""`/users`: list, create, read, update, delete, sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import accounts, passwords, values
from reconciler.sandbox.data.properties import (
    BASIC,
    CLOUD_MASTERED,
    SENSITIVE,
    USER,
    USER_DEFAULTS,
)
from reconciler.sandbox.data.store import resource, setting
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.queries import USER_COLLECTIONS
from reconciler.sandbox.wire import Reply, stamp

if TYPE_CHECKING:
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.query.odata import Options

_REQUIRED = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName")
_CREATED = tuple(name for name in USER_DEFAULTS if name != "id")
_CONTEXT = "users/$entity"


# --- reading


def listing(call: Call) -> Reply:
    """`GET /users`."""
    asked = odata.options(call.request)
    if _is_plain(call, asked):
        return _plain_page(call, asked)
    where = odata.condition(call, asked, USER, USER_COLLECTIONS)
    names = selected(call, asked)
    rows = call.db.execute(
        f"SELECT {accounts.COLUMNS} FROM user WHERE deleted IS NULL AND {where.text} "  # noqa: S608 -- by queries.py
        "AND seq > ? ORDER BY seq LIMIT ?",
        (*where.values, asked.after, asked.top + 1),
    ).fetchall()

    def count() -> int:
        text = f"SELECT count(*) FROM user WHERE deleted IS NULL AND {where.text}"  # noqa: S608 -- as above
        (number,) = call.db.execute(text, where.values).fetchone()
        return int(number)

    return odata.page(
        call,
        asked,
        odata.context("users", asked.select, names),
        rows,
        lambda row: shown(call, accounts.from_row(row), asked, names),
        count=count,
    )


def _is_plain(call: Call, asked: Options) -> bool:
    """Whether a page shows everybody's default properties, which are kept ready."""
    is_whole = asked.filter is None and asked.expand is None and not asked.select
    return is_whole and not permissions.USER_READ_FULL.isdisjoint(call.caller.permissions)


def _plain_page(call: Call, asked: Options) -> Reply:
    items, last = call.db.execute(
        "SELECT CAST(group_concat(shown, ',') AS BLOB), max(seq) FROM "
        "(SELECT seq, shown FROM user_page WHERE seq > ? ORDER BY seq LIMIT ?)",
        (asked.after, asked.top),
    ).fetchone()
    more = call.db.execute("SELECT 1 FROM user_page WHERE seq > ? LIMIT 1", (last or 0,)).fetchone()
    count = None
    if asked.count and asked.is_eventual:
        (count,) = call.db.execute("SELECT count(*) FROM user_page").fetchone()
    ready = odata.Ready(items or b"", last if more else None, count)
    return odata.ready_page(call, asked, "users", ready)


def selected(call: Call, asked: Options) -> tuple[str, ...]:
    """Give the properties of users that a request asks for."""
    known = odata.extensions(call) if odata.mentions_extension(",".join(asked.select)) else {}
    return odata.chosen(asked.select, USER, USER_DEFAULTS, known)


def shown(call: Call, user: User, asked: Options, names: tuple[str, ...]) -> dict[str, Any]:
    """Give *user* as this caller may see it, with its manager when that is asked for."""
    document = accounts.show(call.db, user, names)
    if permissions.USER_READ_FULL.isdisjoint(call.caller.permissions):
        document = {name: v if name in BASIC else None for name, v in document.items()}
    expanded = asked.expanded()
    if expanded is None:
        return document
    name, inner = expanded
    if name != "manager":
        raise errors.NOT_SERVED.error(what=f"$expand={name}")
    manager = accounts.find(call.db, user.manager) if user.manager else None
    return document | ({"manager": reference(call, manager, inner)} if manager else {})


def reference(call: Call, user: User, select: tuple[str, ...]) -> dict[str, Any]:
    """Give *user* as what another object refers to."""
    names = selected(call, odata.Options(select=select))
    return {"@odata.type": "#microsoft.graph.user", **accounts.show(call.db, user, names)}


def read(call: Call) -> Reply:
    """`GET /users/{id|upn}`."""
    asked = odata.options(call.request)
    user = accounts.get(call.db, call.key)
    names = selected(call, asked)
    context = odata.context("users", asked.select, names)
    return call.entity(f"{context}/$entity", shown(call, user, asked, names))


# --- writing


def create(call: Call) -> Reply:
    """`POST /users`."""
    body = call.body()
    extensions = odata.extensions(call) if odata.mentions_extension(" ".join(body)) else {}
    given = values.properties(body, extensions)
    for name in _REQUIRED:
        if given.get(name) is None:
            raise _missing(name)
    profile = given.pop("passwordProfile", None) or {}
    password = profile.pop("password", None)
    if not password:
        raise errors.NO_PASSWORD.error()
    upn = given.pop("userPrincipalName")
    check_domain(call, upn)
    if not passwords.is_acceptable(password):
        raise errors.WEAK_PASSWORD.error()
    now = stamp()
    document = {"userType": "Member", "createdDateTime": now, "lastPasswordChangeDateTime": now}
    user = accounts.insert(
        call.db,
        str(uuid4()),
        upn,
        _without_nulls(document | given | {"passwordProfile": _change_at_next(profile)}),
        password=passwords.hashed(password),
    )
    where = f"{call.request.root.removesuffix('/v1.0')}/v2/{setting(call.db, 'tenant')}"
    location = f"{where}/directoryObjects/{user.id}/Microsoft.DirectoryServices.User"
    made = call.entity(_CONTEXT, accounts.show(call.db, user, _CREATED, id_first=True), 201)
    return replace(made, headers={"location": location})


def _missing(name: str) -> errors.GraphError:
    if name == "mailNickname":
        return errors.NO_MAIL_NICKNAME.error()
    return errors.REQUIRED.error(property=name)


def check_domain(call: Call, upn: str) -> None:
    """Raise Graph's refusal of a UPN whose domain is not the tenant's."""
    domain = resource(call.db, "domain", upn.rpartition("@")[2])
    if domain is None or not domain["isVerified"]:
        raise errors.UNVERIFIED_DOMAIN.error()


def _change_at_next(profile: dict[str, Any]) -> dict[str, Any]:
    """Give the profile to keep: the password must be changed unless the caller says no."""
    return {
        "forceChangePasswordNextSignIn": True,
        "forceChangePasswordNextSignInWithMfa": False,
    } | profile


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    attributes = document.get("onPremisesExtensionAttributes")
    if attributes is not None:
        kept = {name: value for name, value in attributes.items() if value is not None}
        document = document | {"onPremisesExtensionAttributes": kept or None}
    return {name: value for name, value in document.items() if value is not None}


def update(call: Call) -> Reply:
    """`PATCH /users/{id|upn}`."""
    user = accounts.get(call.db, call.key)
    body = call.body()
    extensions = odata.extensions(call) if odata.mentions_extension(" ".join(body)) else {}
    given = values.properties(body, extensions)
    _authorize_update(call, user, given)
    _check_origin(user, given)
    upn = given.pop("userPrincipalName", user.upn)
    if upn != user.upn:
        check_domain(call, upn)
    user = _with_password(replace(user, upn=upn), given.pop("passwordProfile", None))
    accounts.save(call.db, replace(user, properties=_merged(user, given)))
    return NO_CONTENT


def _authorize_update(call: Call, user: User, given: dict[str, Any]) -> None:
    if "passwordProfile" in given:
        if not call.may(permissions.PASSWORD_RESET):
            raise errors.DENIED.error()
        permissions.require_administrator(call)
    elif not call.may(*permissions.USER_CREATE) and not (
        call.may(permissions.ENABLE_DISABLE) and set(given) <= {"accountEnabled"}
    ):
        raise errors.DENIED.error()
    if SENSITIVE & set(given):
        permissions.require_reach(call, user.id)


def _check_origin(user: User, given: dict[str, Any]) -> None:
    """Refuse what another authority than this tenant is master of."""
    mastered = {name for name in given if not name.startswith("extension_")} - CLOUD_MASTERED
    if user.is_synced and mastered:
        raise errors.SYNCED.error()
    if user.was_synced and "onPremisesExtensionAttributes" in given:
        raise errors.EXTERNAL_ORIGIN.error()


def _with_password(user: User, profile: dict[str, Any] | None) -> User:
    if profile is None:
        return user
    password = profile.pop("password", None)
    if password is not None and not passwords.is_acceptable(password):
        raise errors.WEAK_PASSWORD.error()
    kept = (user.properties.get("passwordProfile") or {}) | profile
    changed: dict[str, Any] = {"passwordProfile": kept}
    if password is not None:
        changed |= {
            "passwordProfile": _change_at_next(profile),
            "lastPasswordChangeDateTime": stamp(),
        }
        user = replace(user, password=passwords.hashed(password))
    return replace(user, properties={**user.properties, **changed})


def _merged(user: User, given: dict[str, Any]) -> dict[str, Any]:
    document = {**user.properties, **given}
    if attributes := given.get("onPremisesExtensionAttributes"):
        before = user.properties.get("onPremisesExtensionAttributes") or {}
        document["onPremisesExtensionAttributes"] = {**before, **attributes}
    return _without_nulls(document)


def delete(call: Call) -> Reply:
    """`DELETE /users/{id|upn}`: into the recycle bin, out of the seats."""
    user = accounts.get(call.db, call.key)
    permissions.require_reach(call, user.id)
    # That the UPN gets the id before it is widely known and nowhere documented.
    upn = f"{user.id.replace('-', '')}{user.upn}"
    accounts.save(call.db, replace(user, upn=upn, deleted=stamp()))
    return NO_CONTENT


def revoke_sessions(call: Call) -> Reply:
    """`POST /users/{id}/revokeSignInSessions`: 200 with true, whatever the docs say."""
    user = accounts.get(call.db, call.key)
    permissions.require_reach(call, user.id)
    changed = {**user.properties, "signInSessionsValidFromDateTime": stamp()}
    accounts.save(call.db, replace(user, properties=changed))
    return call.entity("Edm.Boolean", {"value": True})


ROUTES: Final = (
    ("GET", "users", Route(listing, permissions.USER_READ, 2)),
    ("POST", "users", Route(create, permissions.USER_CREATE)),
    ("GET", "users/{}", Route(read, permissions.USER_READ)),
    ("PATCH", "users/{}", Route(update, permissions.USER_UPDATE)),
    ("DELETE", "users/{}", Route(delete, permissions.USER_DELETE)),
    ("POST", "users/{}/revokeSignInSessions", Route(revoke_sessions, permissions.USER_REVOKE)),
)
