"""The tenant answers: token, permission, handler, one transaction, and a test's say in it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson

from reconciler.sandbox import batch, errors, routes
from reconciler.sandbox.calls import Call
from reconciler.sandbox.data import ledger
from reconciler.sandbox.data.store import setting, transaction
from reconciler.sandbox.login import tokens
from reconciler.sandbox.permissions import require
from reconciler.sandbox.trouble.lag import NO_LAG, Area, Lag, Replicas
from reconciler.sandbox.wire import (
    JSON_TYPE,
    After,
    Exchange,
    Incoming,
    Intercept,
    Record,
    Reply,
    stamp,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from reconciler.sandbox.calls import Route

_MOST_TOKENS = 256
"""Tokens whose signature is remembered as good."""
_FEW = 20
"""Pages smaller than this cost a unit less."""


class Tenant:
    """A company's directory behind `answer`: one request in, one reply out, never an error."""

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        intercept: Intercept | None = None,
        records: Sequence[Record] = (),
        lag: Lag = NO_LAG,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.db = db
        ledger.watch(db)
        self._replicas = Replicas(db, lag, clock)
        self.key = bytes.fromhex(setting(db, "key"))
        self._intercept = intercept
        self._records = records
        self._callers: dict[str, tokens.Caller] = {}

    def answer(self, incoming: Incoming) -> Reply:
        """Answer one request, or one part of a batch."""
        verdict = self._intercept(incoming) if self._intercept else None
        if isinstance(verdict, Reply):
            reply = verdict
        else:
            reply = self._safely(incoming)
            if isinstance(verdict, After):
                reply = verdict.reply
        if self._records:
            exchange = _exchange(incoming, reply)
            for record in self._records:
                record(exchange)
        return reply

    def _safely(self, incoming: Incoming) -> Reply:
        """Give the reply with the headers of all replies, or the envelope of an error."""
        request_id = errors.new_id()
        echo = incoming.headers.get("client-request-id")
        try:
            reply = self._reply(incoming)
        except errors.GraphError as error:
            reply = Reply(
                error.status,
                error.envelope(request_id, echo),
                {"content-type": "application/json", "cache-control": "no-cache"},
            )
        return replace(reply, headers=_common(reply, request_id, echo))

    def _reply(self, incoming: Incoming) -> Reply:
        caller = self._caller(incoming.headers.get("authorization", ""))
        parts = routes.segments(incoming.path)
        if len(parts) == 1 and parts[0].lower() == "$batch":
            if incoming.method != "POST":
                raise errors.METHOD_NOT_ALLOWED.error()
            return batch.run(incoming, self.answer)
        route, keys = routes.find(incoming.method, parts)
        db = self._replicas.reading(_area(incoming, route)) if _is_read(incoming) else self.db
        call = Call(db, incoming, caller, keys)
        require(call, route.permissions)
        reply = route.handler(call) if _is_read(incoming) else self._written(call, route)
        units = {"x-ms-resource-unit": str(_units(incoming, route.cost))}
        return replace(reply, headers={**units, **reply.headers})

    def _written(self, call: Call, route: Route) -> Reply:
        """Let the handler write, and keep what it touched for those who ask later."""
        hidden = self._replicas.hidden(route.area, call.keys, call.request.body)
        if hidden:
            row = errors.SUBJECT_NOT_FOUND if route.area is Area.PIM else errors.NO_RESOURCE
            raise row.error(id=hidden)
        with transaction(self.db):
            reply = route.handler(call)
            touches = ledger.taken(self.db)
            ledger.keep(self.db, touches, stamp())
        self._replicas.noted(touches)
        return reply

    def close(self) -> None:
        """Let go of what the tenant keeps beside its database."""
        self._replicas.close()

    def _caller(self, authorization: str) -> tokens.Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise errors.TOKEN_EMPTY.error()
        known = self._callers.get(token)
        if known is not None:
            return tokens.alive(known)
        caller = tokens.read(token, self.key)
        if len(self._callers) >= _MOST_TOKENS:
            self._callers.clear()
        self._callers[token] = caller
        return caller


def _is_read(incoming: Incoming) -> bool:
    return incoming.method == "GET"


def _area(incoming: Incoming, route: Route) -> Area:
    """Give what a read is answered from: advanced queries have an index of their own."""
    is_eventual = incoming.headers.get("consistencylevel", "").lower() == "eventual"
    return Area.INDEX if route.area is Area.DIRECTORY and is_eventual else route.area


def _common(reply: Reply, request_id: str, echo: str | None) -> dict[str, str]:
    """Give the headers as recorded by the Azure CLI; what has no body has no type."""
    headers = {
        "cache-control": "no-cache",
        "request-id": request_id,
        "client-request-id": echo or request_id,
        "strict-transport-security": "max-age=31536000",
        "x-ms-ags-diagnostic": (
            '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0",'
            '"ScaleUnit":"000","RoleInstance":"SANDBOX"}}'
        ),
    }
    if reply.body is not None:
        headers |= {
            "content-type": JSON_TYPE,
            "odata-version": "4.0",
            "vary": "Accept-Encoding",
        }
    return {**headers, **reply.headers}


def _units(incoming: Incoming, cost: int) -> int:
    """Give what a read costs (Graph, "Throttling limits"); a write costs its route's price."""
    if incoming.method != "GET":
        return cost
    asked = {name.lower().lstrip("$"): value for name, value in parse_qsl(incoming.query)}
    top = asked.get("top", "")
    saved = ("select" in asked) + (top.isdigit() and int(top) < _FEW)
    return max(1, cost - saved + ("expand" in asked))


def _exchange(incoming: Incoming, reply: Reply) -> Exchange:
    shown = {name: value for name, value in incoming.headers.items() if name != "authorization"}
    return Exchange(
        method=incoming.method,
        path=incoming.target,
        headers=shown,
        body=incoming.body,
        status=reply.status,
        reply=orjson.loads(reply.body) if isinstance(reply.body, bytes) else reply.body,
        reply_headers=dict(reply.headers),
        is_cut=reply.is_cut,
        is_inner=incoming.is_inner,
        is_batch=not incoming.is_inner and incoming.path.lower().endswith("/$batch"),
    )
