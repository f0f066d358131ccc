"""`/users/{id}/manager`: a reference of its own, which no creation can carry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api.users import reference
from reconciler.sandbox.calls import NO_CONTENT, Call, Route, referenced
from reconciler.sandbox.data import accounts
from reconciler.sandbox.query import singles

if TYPE_CHECKING:
    from reconciler.sandbox.data.accounts import User
    from reconciler.sandbox.wire import Reply


def read(call: Call) -> Reply:
    """`GET /users/{id}/manager`."""
    found = _manager(call)
    asked = singles.options(call.request)
    return call.entity("directoryObjects/$entity", reference(call, found, asked.select))


def read_reference(call: Call) -> Reply:
    """`GET /users/{id}/manager/$ref`."""
    where = f"{call.request.root}/directoryObjects/{_manager(call).id}"
    return call.entity("$ref", {"@odata.id": where})


def _manager(call: Call) -> User:
    user = accounts.get(call.db, call.key)
    found = accounts.find(call.db, user.manager) if user.manager else None
    if found is None:
        raise errors.NO_RESOURCE.error(id="manager")
    return found


def assign(call: Call) -> Reply:
    """`PUT /users/{id}/manager/$ref`."""
    user = _manageable(call)
    target = accounts.get(call.db, referenced(call.body()))
    if target.id == user.id:
        raise errors.INVALID_TARGET.error(type="User", id=user.id, property="manager")
    accounts.save(call.db, replace(user, manager=target.id))
    return NO_CONTENT


def clear(call: Call) -> Reply:
    """`DELETE /users/{id}/manager/$ref`."""
    user = _manageable(call)
    if user.manager is None:
        raise errors.NO_RESOURCE.error(id="manager")
    accounts.save(call.db, replace(user, manager=None))
    return NO_CONTENT


def _manageable(call: Call) -> User:
    user = accounts.get(call.db, call.key)
    if user.is_synced:
        raise errors.SYNCED.error()
    return user


ROUTES: Final = (
    ("GET", "users/{}/manager", Route(read, p.MANAGER_READ)),
    ("GET", "users/{}/manager/$ref", Route(read_reference, p.MANAGER_READ)),
    (
        "PUT",
        "users/{}/manager/$ref",
        Route(assign, p.USER_CREATE, activity="Set user manager"),
    ),
    (
        "DELETE",
        "users/{}/manager/$ref",
        Route(clear, p.USER_CREATE, activity="Remove user manager"),
    ),
)
