"""`/users`: list, create, read, update, delete, sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.sandbox import errors, permissions
from reconciler.sandbox.calls import NO_CONTENT, Call, Route
from reconciler.sandbox.data import accounts, addresses, passwords, values
from reconciler.sandbox.data.properties import (
    BASIC,
    CLOUD_MASTERED,
    SENSITIVE,
    USER,
    USER_DEFAULTS,
    Kind,
)
from reconciler.sandbox.data.store import resource, setting
from reconciler.sandbox.query import odata
from reconciler.sandbox.wire import Reply, stamp

if TYPE_CHECKING:
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.query.odata import Options

_REQUIRED = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName")
_CREATED = tuple(name for name in USER_DEFAULTS if name != "id")
_CONTEXT = "users/$entity"


# --- reading


def selected(call: Call, asked: Options) -> tuple[str, ...]:
    """Give the properties of users that a request asks for."""
    known = odata.extensions(call) if odata.mentions_extension(",".join(asked.select)) else {}
    return odata.chosen(asked.select, USER, USER_DEFAULTS, known)


def refuse_uncollected(asked: Options) -> None:
    """Raise Graph's 501 for what only a single user shows: it lies in SharePoint or Exchange."""
    for name in asked.select:
        prop = USER.get(name.lower())
        if prop and not prop.is_collected:
            raise errors.NOT_ON_COLLECTION.error(property=prop.name)


def shown(call: Call, user: User, names: tuple[str, ...]) -> dict[str, Any]:
    """Give *user* as this caller may see it."""
    document = accounts.show(call.db, user, names)
    if not permissions.reads_users_whole(call):
        return {name: v if name in BASIC else _hidden(name) for name, v in document.items()}
    return document


def _hidden(name: str) -> list[Any] | None:
    """Give what is shown in place of a value that may not be seen; no collection is null."""
    prop = USER.get(name.lower())
    return [] if prop and prop.kind in {Kind.TEXTS, Kind.OTHERS} else None


def reference(call: Call, user: User, select: tuple[str, ...]) -> dict[str, Any]:
    """Give *user* as what another object refers to."""
    names = selected(call, odata.Options(select=select))
    return {"@odata.type": "#microsoft.graph.user", **shown(call, user, names)}


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
    _require_strong(call, password)
    if mail := given.get("mail"):
        given = addresses.mailed(given, mail)
    now = stamp(call.now)
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


def _require_strong(call: Call, password: str) -> None:
    """Raise Graph's refusal of a password that is too weak."""
    if not passwords.is_acceptable(password, setting(call.db, "domain")):
        raise errors.WEAK_PASSWORD.error()


def _change_at_next(profile: dict[str, Any]) -> dict[str, Any]:
    """Give the profile to keep: the password must be changed unless the caller says no."""
    return {
        "forceChangePasswordNextSignIn": True,
        "forceChangePasswordNextSignInWithMfa": False,
    } | profile


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    """Give what to keep of *document*; raises the refusal of too many values of extensions."""
    attributes = document.get("onPremisesExtensionAttributes")
    if attributes is not None:
        kept = {name: value for name, value in attributes.items() if value is not None}
        document = document | {"onPremisesExtensionAttributes": kept or None}
    left = {name: value for name, value in document.items() if value is not None}
    values.check_extension_values(left)
    return left


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
    profile = given.pop("passwordProfile", None)
    user = _with_password(call, replace(user, upn=upn), profile)
    accounts.save(call.db, replace(user, properties=_merged(user, given)))
    return NO_CONTENT


def _authorize_update(call: Call, user: User, given: dict[str, Any]) -> None:
    """Raise Graph's 403 unless the caller may write all of this: one refusal blocks the rest."""
    others = set(given) - {"passwordProfile"}
    is_reset = "passwordProfile" in given
    if is_reset:
        permissions.require(call, frozenset((permissions.PASSWORD_RESET,)))
        permissions.require_administrator(call, user.id)
    if (others or not is_reset) and not _may_update(call, others):
        raise errors.DENIED.error()
    if SENSITIVE & set(given):
        permissions.require_reach(call, user.id)


def _may_update(call: Call, names: set[str]) -> bool:
    """Whether the caller's permissions cover these properties, a password's not among them."""
    if call.may(*permissions.USER_CREATE):
        return True
    return call.may(permissions.ENABLE_DISABLE) and names <= {"accountEnabled"}


def _check_origin(user: User, given: dict[str, Any]) -> None:
    """Refuse what another authority than this tenant is master of."""
    mastered = {name for name in given if not name.startswith("extension_")} - CLOUD_MASTERED
    if user.is_synced and mastered:
        raise errors.SYNCED.error()
    if user.was_synced and "onPremisesExtensionAttributes" in given:
        raise errors.EXTERNAL_ORIGIN.error()


def _with_password(call: Call, user: User, profile: dict[str, Any] | None) -> User:
    if profile is None:
        return user
    password = profile.pop("password", None)
    if password is not None:
        _require_strong(call, password)
    kept = (user.properties.get("passwordProfile") or {}) | profile
    changed: dict[str, Any] = {"passwordProfile": kept}
    if password is not None:
        changed |= {
            "passwordProfile": _change_at_next(profile),
            "lastPasswordChangeDateTime": stamp(call.now),
        }
        user = replace(user, password=passwords.hashed(password))
    return replace(user, properties={**user.properties, **changed})


def _merged(user: User, given: dict[str, Any]) -> dict[str, Any]:
    document = {**user.properties, **given}
    if attributes := given.get("onPremisesExtensionAttributes"):
        before = user.properties.get("onPremisesExtensionAttributes") or {}
        document["onPremisesExtensionAttributes"] = {**before, **attributes}
    if "mail" in given:
        document = addresses.mailed(document, given["mail"])
    return _without_nulls(document)


def delete(call: Call) -> Reply:
    """`DELETE /users/{id|upn}`: into the recycle bin, out of the seats."""
    user = accounts.get(call.db, call.key)
    permissions.require_reach(call, user.id)
    # That the UPN gets the id before it is widely known and nowhere documented.
    upn = f"{user.id.replace('-', '')}{user.upn}"
    accounts.save(call.db, replace(user, upn=upn, deleted=stamp(call.now)))
    return NO_CONTENT


def revoke_sessions(call: Call) -> Reply:
    """`POST /users/{id}/revokeSignInSessions`: 200 with true, whatever the docs say."""
    user = accounts.get(call.db, call.key)
    permissions.require_reach(call, user.id)
    # Tokens are issued by the real clock, whatever the tenant's says.
    changed = {**user.properties, "signInSessionsValidFromDateTime": stamp()}
    accounts.save(call.db, replace(user, properties=changed))
    return call.entity("Edm.Boolean", {"value": True})


ROUTES: Final = (
    ("POST", "users", Route(create, permissions.USER_CREATE, activity="Add user")),
    ("PATCH", "users/{}", Route(update, permissions.USER_UPDATE, activity="Update user")),
    ("DELETE", "users/{}", Route(delete, permissions.USER_DELETE, activity="Delete user")),
    (
        "POST",
        "users/{}/revokeSignInSessions",
        Route(
            revoke_sessions,
            permissions.USER_REVOKE,
            activity="Update StsRefreshTokenValidFrom Timestamp",
        ),
    ),
)
