"""What a `$filter` may ask of users and groups, and the SQL that answers it.

Two kinds of query (Graph, "Advanced query capabilities on Microsoft Entra ID objects"):
the default index knows some properties and few operators; the advanced one, asked for
with `ConsistencyLevel: eventual` and `$count=true`, knows more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.sandbox import errors
from reconciler.sandbox.data.properties import (
    EXTENSION_ATTRIBUTES,
    EXTENSION_NAME,
    GROUP,
    Filter,
    Kind,
    Property,
    extension,
    extension_attribute,
)
from reconciler.sandbox.query import lambdas
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
from reconciler.sandbox.query.sql import Reach, Sql, begins, both, either, ends, negated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.sandbox.query.lambdas import Collection

MOST_CLAUSES: Final = 15
LONGEST_VALUE: Final = 120
"""Characters of a compared value in a default query (known issues, February 2026)."""
LONGEST_TARGET: Final = 2048
"""Characters of the address of an advanced query."""

_SIGNS: Final = {"eq": "=", "ne": "<>", "ge": ">=", "le": "<="}
_PREFIX: Final = "onpremisesextensionattributes/"
_BY_LOWER_CASE: Final = {name.lower(): name for name in EXTENSION_ATTRIBUTES}
_ENDS_WITH: Final = frozenset(("mail", "userPrincipalName"))


def _by_name(*collections: Collection) -> dict[str, Collection]:
    return {collection.name.lower(): collection for collection in collections}


USER_COLLECTIONS: Final = _by_name(
    lambdas.LICENSES,
    lambdas.texts("businessPhones"),
    lambdas.texts("imAddresses"),
    lambdas.texts("otherMails"),
    lambdas.texts("proxyAddresses"),
)
GROUP_COLLECTIONS: Final = _by_name(
    lambdas.records("assignedLicenses", "skuId"),
    lambdas.texts("groupTypes"),
    lambdas.texts("proxyAddresses"),
    lambdas.texts("resourceBehaviorOptions"),
    lambdas.texts("resourceProvisioningOptions"),
)
"""By name in small letters."""


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
    readable: frozenset[str] | None = None
    """The properties that the caller may read, if not all: by no others it may look either."""
    has_expand: bool = False
    """`$expand` is not for advanced queries, and makes a default one of any."""

    @property
    def is_advanced(self) -> bool:
        """Whether this is an advanced query."""
        return self.has_header and self.has_count and not self.has_expand

    def condition(self, text: str) -> Sql:
        """Give the SQL of a `$filter`; raises Graph's refusals."""
        return self._sql(parse(text))

    def _sql(self, node: Node) -> Sql:
        match node:
            case Compare():
                return self._counted(node) or self._truth(node) or self._compare(node)
            case In():
                return self._in(node)
            case Function():
                return self._function(node)
            case AnyOf(name, test):
                return lambdas.any_of(self._collection(name), test, is_advanced=self.is_advanced)
            case Not(part):
                self._advanced()
                return negated(self._sql(part))
            case Both(parts):
                return both([self._sql(part) for part in parts])
            case Either(parts):
                self._bounded(len(parts))
                return either([self._sql(part) for part in parts])
            case _:
                assert_never(node)

    def _bounded(self, count: int) -> None:
        if count > MOST_CLAUSES and not self.is_advanced:
            raise errors.TOO_MANY_CLAUSES.error(count=count)

    def _advanced(self) -> None:
        if not self.is_advanced:
            raise errors.UNSUPPORTED.error()

    def _collection(self, name: str) -> Collection:
        collection = self.collections.get(name.lower())
        if collection is None:
            raise errors.UNSUPPORTED.error()
        self._require_readable(collection.name)
        return collection

    def _counted(self, node: Compare) -> Sql | None:
        name = lambdas.collection_of(node.path)
        if name is None:
            return None
        self._advanced()
        return lambdas.count(self._collection(name), node)

    def _truth(self, node: Compare) -> Sql | None:
        prop = self.properties.get(node.path.lower())
        if prop is None or prop.truth is None or (node.operator, node.value) != ("eq", True):
            return None
        return Sql(prop.truth, (), Reach.MANY)

    def property_at(self, path: str) -> Property:
        """Give the property at *path*, if this query may filter on it and its caller read it."""
        prop = self._filterable(path)
        self._require_readable(prop.name)
        return prop

    def _require_readable(self, name: str) -> None:
        if self.readable is not None and name not in self.readable:
            raise errors.DENIED.error()

    def _filterable(self, path: str) -> Property:
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
            if self.has_expand and self.has_header:
                raise errors.FILTER_BESIDE_EXPAND.error(
                    property=prop.name, type="Group" if self.properties is GROUP else "User"
                )
            raise errors.NOT_INDEXED.error()
        return prop

    def _value(self, prop: Property, value: Literal) -> str | int:
        """Give *value* as SQLite compares it; raises the refusal of a wrong type."""
        match prop.kind, value:
            case Kind.BOOLEAN, bool():
                return int(value)
            case Kind.MOMENT, Bare(text):
                return _moment(text)
            case Kind.TEXT, (Bare(text) | str(text)):
                if len(text) > LONGEST_VALUE and not self.is_advanced:
                    raise errors.UNSUPPORTED.error()
                return text
        raise errors.BAD_FILTER.error()

    def _compare(self, node: Compare) -> Sql:
        prop = self.property_at(node.path)
        key = f"{prop.sql} COLLATE NOCASE"
        if node.value is None:
            if node.operator not in {"eq", "ne"}:
                raise errors.BAD_FILTER.error()
            self._advanced()
            return Sql(f"{prop.sql} IS {'NOT ' if node.operator == 'ne' else ''}NULL")
        self._require_operator(prop, node.operator)
        condition = f"{key} {_SIGNS[node.operator]} ?"
        values = (self._value(prop, node.value),)
        match node.operator:
            case "eq":
                return Sql(condition, values, _reach(prop))
            case "ne":
                # An object without a value differs from every value.
                return Sql(f"({prop.sql} IS NULL OR {condition})", values)
        return Sql(condition, values, min(_reach(prop), Reach.MANY))

    def _require_operator(self, prop: Property, operator: str) -> None:
        """Raise the refusal of an operator that the property knows only else, or never."""
        if operator == "eq":
            return
        if operator == "ne":
            self._advanced()
        elif operator not in _SIGNS or prop.orders is Filter.NEVER:
            raise errors.UNSUPPORTED.error()
        elif prop.orders is Filter.ADVANCED:
            self._advanced()

    def _in(self, node: In) -> Sql:
        prop = self.property_at(node.path)
        self._bounded(len(node.values))
        values = tuple(self._value(prop, value) for value in node.values)
        text = f"{prop.sql} COLLATE NOCASE IN ({', '.join('?' * len(values))})"
        return Sql(text, values, min(_reach(prop), Reach.MANY))

    def _function(self, node: Function) -> Sql:
        prop = self.property_at(node.path)
        if prop.kind is not Kind.TEXT or not isinstance(node.text, str):
            raise errors.BAD_FILTER.error()
        if node.name == "endswith" and prop.name in _ENDS_WITH:
            self._advanced()
            return ends(prop.sql, node.text)
        if node.name != "startswith" or prop.name == "id":
            raise errors.UNSUPPORTED.error()
        if prop.is_extension:
            self._advanced()
        return begins(prop.sql, node.text, _reach(prop))


def _reach(prop: Property) -> Reach:
    return Reach.ONE if prop.is_indexed else Reach.SCAN


def _moment(text: str) -> str:
    """Give a moment as the tenant keeps it: UTC, whole seconds."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        whole = moment + timedelta(seconds=round(moment.microsecond / 1e6))
    except (ValueError, OverflowError) as error:
        raise errors.BAD_FILTER.error() from error
    return f"{whole.replace(microsecond=0, tzinfo=None).isoformat()}Z"
