"""`/users/delta` and `/groups/delta`: what there is, then what has changed since.

Rules from "Use delta query to track changes in Microsoft Graph data" and "Get incremental
changes for groups". Changes come from the ledger; what an object is now, from its row.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote

from reconciler.sandbox import errors
from reconciler.sandbox import permissions as p
from reconciler.sandbox.api import groups
from reconciler.sandbox.calls import Call, Route
from reconciler.sandbox.data import accounts, tracking
from reconciler.sandbox.data.ledger import KEPT_FOR
from reconciler.sandbox.data.properties import GROUP, GROUP_DEFAULTS, USER, USER_DEFAULTS
from reconciler.sandbox.data.store import setting
from reconciler.sandbox.query import odata
from reconciler.sandbox.query.deltatokens import State, packed, unpacked
from reconciler.sandbox.query.filters import Bare, Compare, Either, Node, parse
from reconciler.sandbox.wire import Reply

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from reconciler.sandbox.data.properties import Property

PAGE: Final = 200
"""Objects on a page, as seen by callers of Graph (Microsoft Q&A 5875141)."""
MOST_LINKS: Final = 400
"""Members on a page; Graph has a limit too and does not tell it (inferred)."""
MOST_IDS: Final = 50
"""Objects in a `$filter`."""

_REFUSED: Final = ("expand", "top", "orderby", "search", "skip", "count")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between users and groups."""

    name: str
    is_link_default: bool
    """Whether links are shown without `$select`: so documented for groups."""
    properties: Mapping[str, Property]
    defaults: tuple[str, ...]
    columns: str
    show: Callable[[sqlite3.Connection, tuple[Any, ...], tuple[str, ...]], dict[str, Any]]


_USER: Final = _Kind(
    name="user",
    is_link_default=False,
    properties=USER,
    defaults=USER_DEFAULTS,
    columns=accounts.COLUMNS,
    show=lambda db, row, names: accounts.show(db, accounts.from_row(row), names),
)
_GROUP: Final = _Kind(
    name="group",
    is_link_default=True,
    properties=GROUP,
    defaults=GROUP_DEFAULTS,
    columns=groups.COLUMNS,
    show=lambda _, row, names: groups.show(groups.from_row(row), names),
)


def users(call: Call) -> Reply:
    """`GET /users/delta`."""
    return _answer(call, _USER)


def groups_(call: Call) -> Reply:
    """`GET /groups/delta`."""
    return _answer(call, _GROUP)


# --- the request


def _answer(call: Call, kind: _Kind) -> Reply:
    given = {
        name.lower().removeprefix("$"): value
        for name, value in parse_qsl(call.request.query, keep_blank_values=True)
    }
    for name in _REFUSED:
        if name in given:
            raise errors.DELTA_OPTION.error(option=f"${name}")
    token = given.get("skiptoken") or given.get("deltatoken") or ""
    if token == "" or token.lower() == "latest":
        state = State(kind.name, _names(given), _ids(given.get("filter")), time.time(), None)
        if token:
            return _Page(call, kind, state).latest()
    else:
        state = _resumed(call, kind, token, given)
    return _Page(call, kind, state).reply()


def _names(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.get("select", "").split(",") if name.strip())


def _ids(text: str | None) -> tuple[str, ...]:
    """Give the objects that a `$filter` names; raises the refusal of any other filter."""
    if text is None:
        return ()
    tree = parse(text)
    tests: tuple[Node, ...] = tree.parts if isinstance(tree, Either) else (tree,)
    ids = []
    for test in tests:
        match test:
            case Compare(path, "eq", Bare(key) | str(key)) if path.lower() == "id":
                ids.append(key.lower())
            case _:
                raise errors.DELTA_FILTER.error()
    if len(ids) > MOST_IDS:
        raise errors.DELTA_FILTER.error()
    return tuple(dict.fromkeys(ids))


def _resumed(call: Call, kind: _Kind, token: str, given: Mapping[str, str]) -> State:
    state = unpacked(token, bytes.fromhex(setting(call.db, "key")))
    if state.kind != kind.name:
        raise errors.DELTA_TOKEN.error()
    if time.time() - state.issued > KEPT_FOR.total_seconds():
        error = errors.DELTA_EXPIRED.error()
        error.headers = {"location": _afresh(call, state)}
        raise error
    # A new choice of properties counts from the next round on.
    return replace(state, select=_names(given)) if "select" in given else state


def _afresh(call: Call, state: State) -> str:
    """Give the address that starts again: the first request, with an empty token."""
    options = ["$deltatoken="]
    if state.select:
        options.append(f"$select={quote(','.join(state.select), safe=',')}")
    if state.ids:
        options.append("$filter=" + quote(" or ".join(f"id eq '{key}'" for key in state.ids)))
    return f"{call.request.root}/{state.kind}s/delta?{'&'.join(options)}"


# --- the page


class _Page:
    """One page of a round: objects first to last, and of the last perhaps not all links."""

    def __init__(self, call: Call, kind: _Kind, state: State) -> None:
        self._call, self._kind, self._db = call, kind, call.db
        until = state.until
        if until is None:
            until = tracking.last_change(call.db)
            state = replace(state, until=until, issued=time.time())
        self._state = state
        self._window = tracking.Window(kind.name, state.ids, state.since, until)
        self._link = tracking.LINKS[kind.name].name
        self._chosen, self._has_link = self._selected()
        self._is_minimal = "return=minimal" in call.request.headers.get("prefer", "").lower()
        self._links_left = MOST_LINKS

    def _selected(self) -> tuple[tuple[str, ...], bool]:
        """Give the properties to show, and whether links are tracked."""
        select = self._state.select
        if not select:
            return self._kind.defaults, self._kind.is_link_default
        plain = tuple(name for name in select if name.lower() != self._link)
        known = {"assignedlicenses": "assignedLicenses"}
        if odata.mentions_extension(",".join(plain)):
            known |= odata.extensions(self._call)
        names = odata.chosen(plain, self._kind.properties, (), known)
        return names, len(plain) < len(select)

    def latest(self) -> Reply:
        """Give a link to what changes from now on, and nothing else."""
        return self._body([], None)

    def reply(self) -> Reply:
        """Give the page."""
        read = tracking.objects if self._window.since is None else tracking.changed
        value: list[dict[str, Any]] = []
        after = self._state.after
        rows = read(self._db, self._window, after, PAGE + 1)
        for place, (number, key) in enumerate(rows):
            if place == PAGE or self._links_left == 0:
                return self._body(value, replace(self._state, after=after, within=0))
            item, last = self._item(key, 0 if place else self._state.within)
            value += [item] if item else []
            if last:
                return self._body(value, replace(self._state, after=number - 1, within=last))
            after = number
        return self._body(value, None)

    def _body(self, value: list[dict[str, Any]], following: State | None) -> Reply:
        name = odata.context(f"{self._kind.name}s", self._state.select, self._chosen)
        state = following or replace(
            self._state, since=self._window.until, until=None, after=0, within=0
        )
        link, option = ("next", "skip") if following else ("delta", "delta")
        token = packed(state, bytes.fromhex(setting(self._db, "key")))
        root = self._call.request.root
        body = {
            "@odata.context": f"{root}/$metadata#{name}",
            f"@odata.{link}Link": f"{root}/{self._kind.name}s/delta?${option}token={token}",
            "value": value,
        }
        applied = {"preference-applied": "return=minimal"} if self._is_minimal else {}
        return Reply(200, body, applied)

    def _item(self, key: str, within: int) -> tuple[dict[str, Any] | None, int]:
        """Give what the page shows of an object, and the last link on it if more follow."""
        is_first = self._window.since is None
        seen = tracking.UNSEEN if is_first else tracking.seen(self._db, self._window, key)
        row = self._db.execute(
            f'SELECT deleted, {self._kind.columns} FROM "{self._kind.name}" WHERE id = ?',  # noqa: S608 -- constants
            (key,),
        ).fetchone()
        is_moved = "deletedDateTime" in seen.names
        if row is None or row[0] is not None:
            is_told = is_moved if row else seen.is_gone and not seen.is_new
            reason = {"reason": "changed" if row else "deleted"}
            return ({"id": key, "@removed": reason} if is_told else None), 0
        is_whole = seen.is_new or is_moved
        changed = seen.names.intersection(self._chosen)
        has_links = self._has_link and (is_whole or seen.has_links)
        if not (is_whole or changed or has_links):
            return None, 0
        item = self._shown(row[1:], changed, is_whole=is_whole)
        if not has_links:
            return item, 0
        links, last = self._links(key, within, is_whole=is_whole)
        return item | ({f"{self._link}@delta": links} if links else {}), last

    def _shown(
        self, row: tuple[Any, ...], changed: frozenset[str], *, is_whole: bool
    ) -> dict[str, Any]:
        """Give the chosen properties; what was never set is left out."""
        shown = self._kind.show(self._db, row, self._chosen)
        rest = is_whole or not self._is_minimal
        kept = {n: v for n, v in shown.items() if n in changed or (rest and v is not None)}
        return kept | {"id": row[1]}

    def _links(self, key: str, within: int, *, is_whole: bool) -> tuple[list[dict[str, Any]], int]:
        """Give as many links as the page has room for, and the last if there are more."""
        limit = self._links_left
        found = list(
            tracking.present(self._db, self._kind.name, key, within, limit + 1)
            if is_whole
            else tracking.moved(self._db, self._window, key, within, limit + 1)
        )
        shown = found[:limit]
        self._links_left -= len(shown)
        return [link for _, link in shown], shown[-1][0] if len(found) > limit else 0


ROUTES: Final = (
    ("GET", "users/delta", Route(users, p.USER_READ_FULL, 2)),
    ("GET", "groups/delta", Route(groups_, p.GROUP_READ, 2)),
)
