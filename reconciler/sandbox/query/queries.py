"""What a `$filter` may ask of users and groups, and the SQL that answers it.

Two kinds of query (Graph, "Advanced query capabilities on Microsoft Entra ID objects"):
the default index knows some properties and few operators; the advanced one, asked for
with `ConsistencyLevel: eventual` and `$count=true`, knows more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import (
    EXTENSION_ATTRIBUTES,
    EXTENSION_NAME,
    Filter,
    Kind,
    Property,
    extension,
    extension_attribute,
)
from reconciler.sandbox.query.filters import (
    AnyOf,
    Bare,
    Both,
    Compare,
    Either,
    Function,
    In,
    Literal,
    Node,
    Not,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CLAUSES = 15
LONGEST_VALUE = 120
"""Characters of a compared value in a default query (known issues, February 2026)."""
LONGEST_TARGET = 2048
"""Characters of the address of an advanced query."""

_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PREFIX = "onpremisesextensionattributes/"
_BY_LOWER_CASE = {name.lower(): name for name in EXTENSION_ATTRIBUTES}
_ENDS_WITH = frozenset(("mail", "userPrincipalName"))


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition with its parameters."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """A property with many values: the SQL of its rows, and of one item."""

    rows: str
    item: str
    member: str = ""
    """The path below the item, in small letters."""


USER_COLLECTIONS = {
    "assignedlicenses": Collection(
        "license WHERE license.user_id = user.id", "license.sku_id", "skuid"
    ),
    "othermails": Collection("json_each(document, '$.otherMails')", "value"),
    "proxyaddresses": Collection("json_each(document, '$.proxyAddresses')", "value"),
}
GROUP_COLLECTIONS = {
    "grouptypes": Collection("json_each(document, '$.groupTypes')", "value"),
    "proxyaddresses": Collection("json_each(document, '$.proxyAddresses')", "value"),
}


@dataclass(frozen=True, slots=True)
class Index:
    """What can be asked of one type of object in one request.

    *has_header* and *has_count* are the two halves of an advanced query.
    """

    properties: Mapping[str, Property]
    collections: Mapping[str, Collection]
    extensions: Mapping[str, str] = field(default_factory=dict)
    """The registered directory extensions, by lower-case name."""
    has_header: bool = False
    has_count: bool = False

    @property
    def is_advanced(self) -> bool:
        """Whether this is an advanced query."""
        return self.has_header and self.has_count

    def condition(self, text: str) -> Sql:
        """Give the SQL of a `$filter`; raises Graph's refusals."""
        return self._sql(parse(text))

    def _sql(self, node: Node) -> Sql:
        match node:
            case Compare():
                return self._compare(node)
            case In():
                return self._in(node)
            case Function():
                return self._function(node)
            case AnyOf():
                return self._any(node)
            case Not(part):
                self._advanced()
                inner = self._sql(part)
                return Sql(f"NOT coalesce({inner.text}, 0)", inner.values)
            case Both(parts):
                return self._join(parts, "AND")
            case Either(parts):
                self._bounded(len(parts))
                return self._join(parts, "OR")
            case _:
                assert_never(node)

    def _join(self, parts: tuple[Node, ...], word: str) -> Sql:
        conditions = [self._sql(part) for part in parts]
        text = f" {word} ".join(condition.text for condition in conditions)
        return Sql(f"({text})", tuple(v for condition in conditions for v in condition.values))

    def _bounded(self, count: int) -> None:
        if count > MOST_CLAUSES and not self.is_advanced:
            raise errors.TOO_MANY_CLAUSES.error(count=count)

    def _advanced(self) -> None:
        if not self.is_advanced:
            raise errors.UNSUPPORTED.error()

    def _property(self, path: str) -> Property:
        """Give the property at *path*, if this query may filter on it."""
        lower = path.lower()
        if lower.startswith(_PREFIX) and (name := _BY_LOWER_CASE.get(lower[len(_PREFIX) :])):
            if not self.has_header and not self.has_count:
                raise errors.UNDECLARED.error(property=name)
            self._advanced()
            return extension_attribute(name)
        if EXTENSION_NAME.fullmatch(path):
            if lower not in self.extensions:
                raise errors.UNDECLARED.error(property=path)
            return extension(self.extensions[lower])
        return self._plain(path)

    def _plain(self, path: str) -> Property:
        prop = self.properties.get(path.lower())
        if prop is None:
            raise errors.UNDECLARED.error(property=path)
        if prop.filter is Filter.NEVER:
            raise errors.UNSUPPORTED.error()
        if prop.filter is Filter.ADVANCED and not self.is_advanced:
            raise errors.NOT_INDEXED.error()
        return prop

    def _value(self, prop: Property, value: Literal) -> str | int:
        """Give *value* as SQLite compares it; raises the refusal of a wrong type."""
        match prop.kind, value:
            case Kind.BOOLEAN, bool():
                return int(value)
            case ((Kind.TEXT | Kind.MOMENT), (Bare(text) | str(text))):
                if prop.kind is Kind.MOMENT and isinstance(value, str):
                    raise errors.BAD_FILTER.error()
                if len(text) > LONGEST_VALUE and not self.is_advanced:
                    raise errors.UNSUPPORTED.error()
                return text
        raise errors.BAD_FILTER.error()

    def _compare(self, node: Compare) -> Sql:
        prop = self._property(node.path)
        if node.value is None:
            if node.operator not in {"eq", "ne"}:
                raise errors.BAD_FILTER.error()
            self._advanced()
            return Sql(f"{prop.sql} IS {'NOT ' if node.operator == 'ne' else ''}NULL")
        ordered = prop.kind is Kind.MOMENT and node.operator in {"ge", "le"}
        if node.operator != "eq" and not ordered:
            self._advanced()
        value = self._value(prop, node.value)
        condition = f"{prop.sql} COLLATE NOCASE {_SIGNS[node.operator]} ?"
        # An object without a value differs from every value.
        text = f"({prop.sql} IS NULL OR {condition})" if node.operator == "ne" else condition
        return Sql(text, (value,))

    def _in(self, node: In) -> Sql:
        prop = self._property(node.path)
        self._bounded(len(node.values))
        values = tuple(self._value(prop, value) for value in node.values)
        return Sql(f"{prop.sql} COLLATE NOCASE IN ({', '.join('?' * len(values))})", values)

    def _function(self, node: Function) -> Sql:
        prop = self._property(node.path)
        is_prefix = node.name == "startswith"
        if prop.kind is not Kind.TEXT or not isinstance(node.text, str):
            raise errors.BAD_FILTER.error()
        is_suffix = node.name == "endswith" and prop.name in _ENDS_WITH
        if not is_suffix and (not is_prefix or prop.name == "id"):
            raise errors.UNSUPPORTED.error()
        if prop.is_extension or not is_prefix:
            self._advanced()
        return Sql(*_affix(prop.sql, node.text, is_prefix=is_prefix))

    def _any(self, node: AnyOf) -> Sql:
        collection = self.collections.get(node.collection.lower())
        if collection is None:
            raise errors.UNSUPPORTED.error()
        word = "AND" if " WHERE " in collection.rows else "WHERE"
        head = f"EXISTS (SELECT 1 FROM {collection.rows} {word}"  # noqa: S608 -- constants
        match node.test:
            case Compare(path, "eq", Bare(text) | str(text)) if path.lower() == collection.member:
                return Sql(f"{head} {collection.item} = ? COLLATE NOCASE)", (text,))
            case Function("startswith", "", str(text)) if not collection.member:
                condition, values = _affix(collection.item, text, is_prefix=True)
                return Sql(f"{head} {condition})", values)
        raise errors.UNSUPPORTED.error()


def _affix(expression: str, text: str, *, is_prefix: bool) -> tuple[str, tuple[Any, ...]]:
    """Give the condition that *expression* begins or ends with *text*, in any capitals."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"{escaped}%" if is_prefix else f"%{escaped}"
    return f"{expression} LIKE ? ESCAPE '\\'", (pattern,)
