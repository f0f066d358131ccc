"""Graph's published description as a judge of exchanges with it.

Stricter than OpenAPI asks: a property that the description does not know is a fault too,
since Graph's types are open and a slip in a name would pass unseen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import orjson
from jsonschema_rs import Draft202012Validator

from tests.contract import beyond

FILE: Final = Path(__file__).with_name("graph-openapi.json")
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_KEYED: Final = re.compile(r"([\w.$]+)\('((?:[^']|'')*)'\)")
_ALTERNATE: Final = re.compile(r"([\w.$]*)\((\w+)='((?:[^']|'')*)'\)")
_DELTA: Final = re.compile(r"^(?:microsoft\.graph\.)?delta\(\)$")
"""The function as SDKs write it."""
_BY_TEMPLATE: Final = re.compile(r"directoryRoles\(roleTemplateId='([^']*)'\)", re.IGNORECASE)
"""Another key of the same address (Graph, "Get directoryRole")."""
_OURS: Final = "entra-reconciler/"
_ANNOTATIONS: Final = {
    r"^@odata\.(context|count|deltaLink|etag|id|nextLink|type)$": {"type": ["string", "integer"]},
    r"^@removed$": {"type": "object"},
    r"^[^@]+@odata\.(context|count|nextLink|type)$": {"type": ["string", "integer"]},
    r"^[^@]+@delta$": {"type": "array"},
    r"^extension_[0-9a-fA-F]{32}_": True,
}
"""What OData and directory extensions may add to any object."""
_OPEN: Final = frozenset(
    (
        "microsoft.graph.ODataErrors.ODataError",
        "microsoft.graph.ODataErrors.MainError",
        "microsoft.graph.ODataErrors.InnerError",
        "microsoft.graph.customSecurityAttributeValue",
        "microsoft.graph.extension",
        "microsoft.graph.openTypeExtension",
        "request.openExtension",
    )
)
"""Types that hold whatever a caller or a service puts into them."""
_TYPES: Final = ("user", "group", "directoryRole", "administrativeUnit", "servicePrincipal")
_FIRST_ERROR, _FIRST_FAULT, _NOT_SERVED = 400, 500, 501
_ERROR: Final = "4XX"

_SERVICE_PRINCIPAL: Final = {
    "type": "object",
    "properties": {
        name: {"type": kinds}
        for name, kinds in {
            "id": "string",
            "accountEnabled": ["boolean", "null"],
            "appDisplayName": ["string", "null"],
            "appId": ["string", "null"],
            "deletedDateTime": ["string", "null"],
            "displayName": ["string", "null"],
            "servicePrincipalType": ["string", "null"],
        }.items()
    },
}
"""The description has none (Graph, "servicePrincipal resource type")."""
_RECORDED: Final = {
    "microsoft.graph.group": {"creationOptions": {"type": "array", "items": {"type": "string"}}},
    "microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration": {
        "includeTargets": {"type": "array", "items": {"type": "object"}}
    },
}
"""What replies have and the description does not (Azure CLI test_group_scenario.yaml; Graph,
"Get temporaryAccessPassAuthenticationMethodConfiguration")."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its reply, as the sandbox traces them."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    reply: Any
    reply_headers: dict[str, str]
    is_cut: bool
    is_inner: bool
    is_batch: bool
    is_fault: bool
    """Whether a test or a faults file had its say in the reply."""

    @property
    def is_ours(self) -> bool:
        """Whether the reconciler sent it."""
        return self.headers.get("user-agent", "").startswith(_OURS)


@dataclass(slots=True)
class Operation:
    """One method of one path of the description."""

    name: str
    """`GET /users/{user-id}`."""
    parts: tuple[str, ...]
    request: Any
    """The schema of the body, None where there is none."""
    replies: dict[str, Any]
    """The schema of the body by status, None for an empty one."""
    parameters: frozenset[str]
    seen: set[int] = field(default_factory=set)
    """The statuses with which it was answered."""

    @property
    def has_succeeded(self) -> bool:
        """Whether it was ever answered with what was asked."""
        return any(status < _FIRST_ERROR for status in self.seen)


class Contract:
    """Every exchange is shown to `problems`; what has been seen is in `operations`."""

    def __init__(self, file: Path = FILE) -> None:
        self._description = orjson.loads(file.read_bytes())
        self._schemas = _prepared(self._description["components"]["schemas"])
        self._validators: dict[str, Draft202012Validator] = {}
        self.operations = [
            self._operation(path, method, said)
            for path, methods in self._description["paths"].items()
            for method, said in methods.items()
            if method in _METHODS
        ]
        self._by_shape: dict[tuple[str, int], list[Operation]] = {}
        # A fixed word wins over a key: `{` sorts after all letters.
        for operation in sorted(self.operations, key=lambda each: each.parts):
            shape = (operation.name.partition(" ")[0], len(operation.parts))
            self._by_shape.setdefault(shape, []).append(operation)

    def _operation(self, path: str, method: str, said: dict[str, Any]) -> Operation:
        return Operation(
            f"{method.upper()} {path}",
            _parts(path),
            _schema(said.get("requestBody", {}).get("content")),
            {
                status: _schema(self._resolved(reply).get("content"))
                for status, reply in said["responses"].items()
            },
            frozenset(
                self._resolved(parameter)["name"].lower()
                for parameter in said.get("parameters", ())
            ),
        )

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._description
        for word in node["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        return dict(found)

    def find(self, exchange: Exchange) -> Operation | None:
        """Give the operation that *exchange* is of, if the description has it."""
        parts = _parts(exchange.path.partition("?")[0].removeprefix("/v1.0"))
        for operation in self._by_shape.get((exchange.method, len(parts)), ()):
            if all(_fits(known, part) for known, part in zip(operation.parts, parts, strict=True)):
                return operation
        return None

    def problems(self, exchange: Exchange) -> list[str]:
        """Give what is wrong with *exchange*, in words; nothing when it conforms."""
        operation = self.find(exchange)
        found = [*_bad_headers(exchange), *self._bad_reply(exchange, operation)]
        if exchange.is_ours:
            found += self._bad_request(exchange, operation)
        if operation and not found:
            operation.seen.add(exchange.status)
        return found

    def _bad_request(self, exchange: Exchange, operation: Operation | None) -> list[str]:
        if operation is None:
            return ["request: Graph has no such address"]
        query = exchange.path.partition("?")[2]
        names = {unquote(pair.partition("=")[0]).lower() for pair in query.split("&") if pair}
        foreign = sorted(names - operation.parameters - {"$skiptoken", "$deltatoken"})
        found = [f"request: {name} is no parameter of it" for name in foreign]
        if operation.request is None:
            return found + (["request: it takes no body"] if exchange.body else [])
        return found + self._faults(f"{operation.name} request", operation.request, exchange.body)

    def _bad_reply(self, exchange: Exchange, operation: Operation | None) -> list[str]:
        if exchange.is_cut:
            return []
        if exchange.status >= _FIRST_FAULT and not _may_break(exchange):
            return ["reply: the tenant broke, and nobody asked it to"]
        if exchange.status >= _FIRST_FAULT and exchange.reply is None:
            return []
        if operation is None:
            return self._bad_beyond(exchange)
        status = str(exchange.status)
        key = status if status in operation.replies else f"{status[0]}XX"
        if key not in operation.replies:
            return [f"reply: {status} is none of its statuses"]
        schema = operation.replies[key]
        if schema is None:
            return ["reply: it has a body"] if exchange.reply is not None else []
        return self._faults(f"{operation.name} {key}", schema, exchange.reply)

    def _bad_beyond(self, exchange: Exchange) -> list[str]:
        """Judge the reply at an address that the description does not have."""
        if exchange.status >= _FIRST_ERROR:
            error = self._description["components"]["responses"]["error"]
            return self._faults(_ERROR, _schema(error["content"]), exchange.reply)
        name = _pattern(exchange)
        if name not in beyond.SUCCESS:
            return ["reply: no such address succeeds"]
        schema = beyond.SUCCESS[name]
        if schema is beyond.NOTHING:
            return ["reply: it has a body"] if exchange.reply is not None else []
        return self._faults(name, schema, exchange.reply)

    def _faults(self, name: str, schema: Any, body: Any) -> list[str]:  # noqa: ANN401 -- any JSON
        validator = self._validators.get(name)
        if validator is None:
            whole = {
                **_closed(_translated(schema)),
                "components": {"schemas": self._schemas},
            }
            validator = Draft202012Validator(whole, validate_formats=True)
            self._validators[name] = validator
        where = "request" if name.endswith("request") else "reply"
        return [
            f"{where}: {'/'.join(map(str, error.instance_path)) or '(whole)'}: {error.message}"
            for error in validator.iter_errors(body)
        ]


def _schema(content: dict[str, Any] | None) -> Any:  # noqa: ANN401 -- a schema
    return next(iter(content.values()))["schema"] if content else None


def _parts(path: str) -> tuple[str, ...]:
    parts: list[str] = []
    for raw in _BY_TEMPLATE.sub(r"directoryRoles/\1", path).split("/"):
        part = unquote(raw)
        if keyed := _KEYED.fullmatch(part):
            parts += (keyed[1], keyed[2] if keyed[2].startswith("{") else f"='{keyed[2]}'")
        elif alternate := _ALTERNATE.fullmatch(part):
            parts += (f"{alternate[1] or parts.pop()}({alternate[2]})", alternate[3])
        elif part:
            parts.append(_DELTA.sub("delta", part))
    return tuple(parts)


def _fits(known: str, part: str) -> bool:
    lower = part.lower()
    # A cast may be short, and an action's name whole.
    forms = {lower, f"microsoft.{lower}", lower.removeprefix("microsoft.graph.")}
    return known.startswith("{") or known.lower() in forms


def _may_break(exchange: Exchange) -> bool:
    """Whether a 5xx is meant: a fault, or the sandbox's own word for what it does not serve."""
    return exchange.is_fault or exchange.status == _NOT_SERVED


def _pattern(exchange: Exchange) -> str:
    """Give method and path with `{}` for every part that is no word of Graph's."""
    path = _BY_TEMPLATE.sub(r"directoryRoles/\1", exchange.path.partition("?")[0])
    parts = path.removeprefix("/v1.0/").split("/")
    shown = [part if re.fullmatch(r"[$a-zA-Z.]+", part) else "{}" for part in parts]
    return f"{exchange.method} /{'/'.join(shown)}"


def _bad_headers(exchange: Exchange) -> list[str]:
    """Judge the headers that all replies carry, as the Azure CLI recorded them."""
    if exchange.is_cut:
        return []
    given = {name.lower(): value for name, value in exchange.reply_headers.items()}
    wanted = {"request-id", "client-request-id", "cache-control", "strict-transport-security"}
    if exchange.status < _FIRST_ERROR and not exchange.is_batch and not exchange.is_fault:
        wanted |= {"x-ms-resource-unit"}
    if exchange.reply is not None:
        wanted |= {"odata-version"}
    found = [f"reply: the header {name} is missing" for name in sorted(wanted - set(given))]
    kinds = (
        ("application/json", "text/plain")
        if isinstance(exchange.reply, int)
        else ("application/json",)
    )
    if exchange.reply is not None and not given.get("content-type", "").startswith(kinds):
        found.append("reply: its content-type is not that of its body")
    return found


def _prepared(schemas: dict[str, Any]) -> dict[str, Any]:
    translated = _translated(schemas) | {"microsoft.graph.servicePrincipal": _SERVICE_PRINCIPAL}
    for name, properties in _RECORDED.items():
        translated[name]["properties"] |= properties
    made = {
        name: schema if name in _OPEN else _closed(schema) for name, schema in translated.items()
    }
    plain = made["microsoft.graph.directoryObject"]
    made["microsoft.graph.directoryObject"] = _by_type(
        _TYPES, plain | {"additionalProperties": True}
    )
    return made


def _by_type(names: tuple[str, ...], other: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of an object that says itself what it is."""
    if not names:
        return {key: value for key, value in other.items() if key != "unevaluatedProperties"}
    kind = f"microsoft.graph.{names[0]}"
    return {
        "if": {"properties": {"@odata.type": {"const": f"#{kind}"}}, "required": ["@odata.type"]},
        "then": {"$ref": f"#/components/schemas/{kind}"},
        "else": _by_type(names[1:], other),
    }


def _translated(node: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Give an OpenAPI 3.0 schema as JSON Schema: `nullable` is a type there."""
    if isinstance(node, list):
        return [_translated(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _translated(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        made["type"] = [node["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Give *schema* as one of an object that has no properties but those named in it."""
    if "properties" not in schema or schema.get("additionalProperties", True) is not True:
        return schema
    kept = {key: value for key, value in schema.items() if key != "additionalProperties"}
    return kept | {"patternProperties": _ANNOTATIONS, "unevaluatedProperties": False}
