"""`GET` of users and groups: pages, counts and single objects, with what is expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import expansions, groups, objects, users
from reconciler.sandbox.calls import Call, Route
from reconciler.sandbox.data import accounts, pages
from reconciler.sandbox.query import lists, odata, singles
from reconciler.sandbox.query.lists import Rows
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    from reconciler.sandbox.api.groups import Group
    from reconciler.sandbox.query.odata import Options

_USERS: Final = Rows(accounts.COLUMNS, "user WHERE deleted IS NULL")
_GROUPS: Final = Rows(groups.COLUMNS, '"group" WHERE deleted IS NULL')
_TEXT: Final = {"content-type": "text/plain"}


# --- users


def list_users(call: Call) -> Reply:
    """`GET /users`."""
    asked = odata.options(call.request, is_searchable=True)
    if _is_plain(call, asked):
        return _plain_page(call, asked)
    users.refuse_uncollected(asked)
    expansions.check(call, asked, "user")
    names = users.selected(call, asked)

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        user = accounts.from_row(row)
        return users.shown(call, user, names) | expansions.of_user(call, user, asked)

    context = odata.context("users", asked.select, names)
    return lists.page(call, asked, context, _USERS, objects.USERS, show)


def _is_plain(call: Call, asked: Options) -> bool:
    """Whether a page shows everybody's default properties, which are kept ready."""
    narrowing = (asked.filter, asked.expand, asked.search, asked.orderby)
    is_whole = not asked.select and narrowing == (None, None, None, None)
    return is_whole and p.reads_users_whole(call)


def _plain_page(call: Call, asked: Options) -> Reply:
    items, last = pages.parts(call.db, asked.after, asked.top)
    count = None
    if asked.count and asked.is_eventual:
        (count,) = call.db.execute("SELECT count(*) FROM user_page").fetchone()
    return odata.ready_page(call, asked, "users", odata.Ready(items, last, count))


def read_user(call: Call) -> Reply:
    """`GET /users/{id|upn}`."""
    asked = singles.options(call.request)
    expansions.check(call, asked, "user")
    user = accounts.get(call.db, call.key)
    names = users.selected(call, asked)
    context = odata.context("users", asked.select, names)
    document = users.shown(call, user, names) | expansions.of_user(call, user, asked)
    return call.entity(f"{context}/$entity", document)


def count_users(call: Call) -> Reply:
    """`GET /users/$count`, which only an advanced query may ask."""
    asked = odata.counting(call.request)
    where = lists.condition(call, asked, objects.USERS)
    return Reply(200, lists.counted(call, _USERS, where), _TEXT)


# --- groups


def list_groups(call: Call) -> Reply:
    """`GET /groups`."""
    asked = odata.options(call.request, is_searchable=True)
    expansions.check(call, asked, "group")
    names = groups.selected(call, asked)

    def show(row: tuple[Any, ...]) -> dict[str, Any]:
        return _group(call, groups.from_row(row), names, asked)

    context = odata.context("groups", asked.select, names)
    return lists.page(call, asked, context, _GROUPS, objects.GROUPS, show)


def _group(call: Call, group: Group, names: tuple[str, ...], asked: Options) -> dict[str, Any]:
    return groups.show(group, names) | expansions.of_group(call, group, asked)


def read_group(call: Call) -> Reply:
    """`GET /groups/{id}`."""
    return _read_group(call, groups.get(call.db, call.key))


def read_unique_group(call: Call) -> Reply:
    """`GET /groups(uniqueName='{name}')`."""
    group = groups.find_unique(call.db, call.key)
    if group is None:
        raise errors.NO_RESOURCE.error(id=call.key)
    return _read_group(call, group)


def _read_group(call: Call, group: Group) -> Reply:
    asked = singles.options(call.request)
    expansions.check(call, asked, "group")
    names = groups.selected(call, asked)
    context = odata.context("groups", asked.select, names)
    return call.entity(f"{context}/$entity", _group(call, group, names, asked))


def count_groups(call: Call) -> Reply:
    """`GET /groups/$count`, which only an advanced query may ask."""
    asked = odata.counting(call.request)
    where = lists.condition(call, asked, objects.GROUPS)
    return Reply(200, lists.counted(call, _GROUPS, where), _TEXT)


ROUTES: Final = (
    ("GET", "users", Route(list_users, p.USER_READ, 2)),
    ("GET", "users/$count", Route(count_users, p.USER_READ_FULL)),
    ("GET", "users/{}", Route(read_user, p.USER_READ)),
    ("GET", "groups", Route(list_groups, p.GROUP_READ)),
    ("GET", "groups/$count", Route(count_groups, p.GROUP_READ)),
    ("GET", "groups/{}", Route(read_group, p.GROUP_READ)),
    ("GET", "groups(uniqueName='{}')", Route(read_unique_group, p.GROUP_READ)),
)
