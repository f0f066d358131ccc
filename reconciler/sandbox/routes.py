"""Which address is answered by what, and which permissions open it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from reconciler.sandbox import errors
from reconciler.sandbox.api import (
    access_passes,
    administrative_units,
    audits,
    deleted,
    delta,
    directory,
    directory_roles,
    extensions,
    group_deletions,
    group_licenses,
    group_writes,
    licenses,
    managers,
    members,
    memberships,
    openextensions,
    owners,
    pim,
    reading,
    roles,
    subscribed,
    users,
)

if TYPE_CHECKING:
    from reconciler.sandbox.calls import Route

_KEYED: Final = re.compile(r"([\w.$]+)\('((?:[^']|'')*)'\)")
"""`users('ada@contoso.com')`, the other way to write `users/ada@contoso.com`."""

_ALTERNATE: Final = re.compile(r"([\w.$]*)\((\w+)='((?:[^']|'')*)'\)")
"""`groups(uniqueName='x')`, also written `groups/(uniqueName='x')`: a key that is not the id."""

_ALIAS: Final = re.compile(r"^graph\.")
"""The short form of a cast, which the SDKs send (Graph's CSDL: `Alias="graph"`)."""

_FUNCTION: Final = re.compile(r"^(?:microsoft\.graph\.)?delta(?:\(\))?$", re.IGNORECASE)
"""`delta`, with its parentheses or its whole name, as SDKs write it."""

_NAMESPACE: Final = "microsoft.graph."


TABLE: Final = tuple(
    route
    for area in (
        users,
        managers,
        licenses,
        subscribed,
        memberships,
        group_writes,
        group_deletions,
        group_licenses,
        members,
        owners,
        directory,
        deleted,
        roles,
        pim,
        directory_roles,
        administrative_units,
        access_passes,
        delta,
        audits,
        reading,
        extensions,
        openextensions,
    )
    for route in area.ROUTES
)
"""All that is served below `/v1.0`, but for `$batch`; docs/sandbox.md lists it."""


_KEY: Final = "{}"
"""A key, in a pattern."""


@dataclass(slots=True)
class _Node:
    """What may follow the segments so far, and what answers when nothing does."""

    next: dict[str, _Node] = field(default_factory=dict)
    key: _Node | None = None
    methods: dict[str, Route] = field(default_factory=dict)

    def named(self, word: str) -> _Node | None:
        """Give what *word* leads to; older SDKs write an action with its whole name."""
        name = word.lower()
        found = self.next.get(name)
        if found is None and name.startswith(_NAMESPACE):
            action = self.next.get(name.removeprefix(_NAMESPACE))
            return action if action and action.methods.keys() == {"POST"} else None
        return found


def _tree() -> _Node:
    root = _Node()
    for method, path, route in TABLE:
        node = root
        for word in _split(path.lower()):
            if word == _KEY:
                node.key = node = node.key or _Node()
            else:
                node = node.next.setdefault(word, _Node())
        node.methods[method] = route
    return root


def _split(path: str) -> list[str]:
    parts: list[str] = []
    for raw in path.split("/"):
        part = unquote(raw)
        if keyed := _KEYED.fullmatch(part):
            parts += (keyed[1], _unquoted(keyed[2]))
        elif alternate := _ALTERNATE.fullmatch(part):
            name = alternate[1] or (parts.pop() if parts else "")
            parts += (f"{name}({alternate[2]})", _unquoted(alternate[3]))
        elif part:
            parts.append(_FUNCTION.sub("delta", _ALIAS.sub(_NAMESPACE, part)))
    return parts


def _unquoted(key: str) -> str:
    return key.replace("''", "'")


_ROOT: Final = _tree()


def segments(path: str) -> tuple[str, ...]:
    """Give the parts of a path below `/v1.0`, decoded, with `x('key')` as two parts."""
    parts = _split(path)
    if not parts or parts[0].lower() != "v1.0":
        raise errors.NO_SEGMENT.error(segment=parts[0] if parts else "")
    return tuple(parts[1:])


def find(method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]]:
    """Give the route to *parts* and the keys in them; raises 400 or 405 when there is none."""
    found = _descend(_ROOT, parts)
    if found is None:
        raise errors.NO_SEGMENT.error(segment=_misfit(parts))
    methods, keys = found
    route = methods.get(method)
    if route is None:
        raise errors.METHOD_NOT_ALLOWED.error()
    return route, keys


def _descend(
    node: _Node, parts: tuple[str, ...]
) -> tuple[dict[str, Route], tuple[str, ...]] | None:
    """Follow *parts*; a fixed word wins over a key, unless it leads nowhere."""
    if not parts:
        return (node.methods, ()) if node.methods else None
    word, rest = parts[0], parts[1:]
    if (fixed := node.named(word)) and (found := _descend(fixed, rest)):
        return found
    if node.key and (found := _descend(node.key, rest)):
        methods, keys = found
        return methods, (word, *keys)
    return None


def _misfit(parts: tuple[str, ...]) -> str:
    """Give the first of *parts* that fits nowhere, or the last one, without a key of its own."""
    if not parts:
        return ""
    place = min(_fitting(_ROOT, parts), len(parts) - 1)
    return parts[place].partition("(")[0]


def _fitting(node: _Node, parts: tuple[str, ...]) -> int:
    """Count how many of *parts* fit, one after the other."""
    if not parts:
        return 0
    following = (node.named(parts[0]), node.key)
    return max((1 + _fitting(found, parts[1:]) for found in following if found), default=0)
