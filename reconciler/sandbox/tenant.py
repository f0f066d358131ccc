"""The tenant answers: token, permission, handler, one transaction, and a test's say in it."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import orjson

from reconciler.sandbox import batch, errors, replies, routes
from reconciler.sandbox.api import purging
from reconciler.sandbox.calls import Call
from reconciler.sandbox.data import creations, ledger, processing, records, schedules
from reconciler.sandbox.data.moments import utc_now
from reconciler.sandbox.data.store import resources, setting, transaction
from reconciler.sandbox.login import sessions, tokens
from reconciler.sandbox.permissions import require
from reconciler.sandbox.trouble import costs, faults, latencies, throttling
from reconciler.sandbox.trouble.lag import Area, Replicas
from reconciler.sandbox.trouble.quotas import Meter
from reconciler.sandbox.trouble.settings import NO_TROUBLE, Quota, Trouble
from reconciler.sandbox.wire import (
    After,
    Exchange,
    Incoming,
    Intercept,
    Record,
    Reply,
    Spoil,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reconciler.sandbox.calls import Route
    from reconciler.sandbox.data.ledger import Touch

_MOST_TOKENS = 256
"""Tokens whose signature is remembered as good."""
_LONGEST_TARGET: Final = 16 * 1024
"""Bytes of an address with its query (http.sys, `MaxRequestBytes`: 16,384 by default)."""
_PURGING = records.Actor(name="Microsoft Entra ID")
"""Who empties the recycle bin; the name is inferred."""


class Tenant:
    """A company's directory behind `answer`: one request in, one reply out, never an error."""

    def __init__(  # noqa: PLR0913 -- all but the database have a default
        self,
        db: sqlite3.Connection,
        *,
        intercept: Intercept | None = None,
        records: Sequence[Record] = (),
        trouble: Trouble = NO_TROUBLE,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        report: Callable[[BaseException], object] = traceback.print_exception,
    ) -> None:
        """*report* is told of every fault of the tenant itself; it goes to stderr otherwise."""
        self.db = db
        self._report = report
        ledger.watch(db)
        self._replicas = Replicas(db, trouble.lag, clock)
        self._quota = trouble.quota or Quota()
        self._meter = Meter(trouble.quota, clock)
        self._latency = latencies.delays(trouble.latency, trouble.seed)
        self.key = bytes.fromhex(setting(db, "key"))
        self._id = str(resources(db, "organization")[0]["id"])
        scripted = faults.compiled(trouble.faults, trouble.seed, self._id)
        self._intercept = faults.first_of(intercept, scripted)
        self._records = records
        self._now = now
        self._directory_quota = trouble.directory_quota
        self._processing_takes = timedelta(seconds=trouble.lag.licenses)
        self._callers: dict[str, tokens.Caller] = {}

    def answer(self, incoming: Incoming) -> Reply:
        """Answer one request, or one part of a batch."""
        verdict = self._intercept(incoming)
        if isinstance(verdict, Reply):
            reply = _dressed(verdict, incoming)
        else:
            reply = self._spoilt(incoming, verdict)
        reply = replies.delayed(reply, self._latency(incoming))
        if self._records:
            exchange = _exchange(incoming, reply, is_fault=verdict is not None)
            for record in self._records:
                record(exchange)
        return reply

    def _spoilt(self, incoming: Incoming, verdict: After | Spoil | None) -> Reply:
        """Do what was asked, and give what is left of the answer."""
        reply = self._safely(incoming)
        if isinstance(verdict, After):
            return _dressed(verdict.reply, incoming)
        if verdict is None:
            return reply
        reply = replies.delayed(reply, verdict.delay)
        return replies.cut(reply, verdict.cut_in) if verdict.cut_in else reply

    def _safely(self, incoming: Incoming) -> Reply:
        """Give the reply with the headers of all replies, or the envelope of an error."""
        request_id = errors.new_id()
        echo = incoming.headers.get("client-request-id")
        try:
            reply = self._reply(incoming, echo or request_id)
        except errors.GraphError as error:
            reply = replies.refused(error, request_id, echo)
        except Exception as fault:  # noqa: BLE001 -- a fault of ours is answered in Graph's form too
            self.db.rollback()
            self._report(fault)
            reply = replies.refused(errors.UNFORESEEN.error(), request_id, echo)
        return replies.dressed(reply, request_id, echo)

    def _reply(self, incoming: Incoming, correlation: str) -> Reply:
        if len(incoming.target) > _LONGEST_TARGET:
            raise errors.TARGET_TOO_LONG.error()
        caller = self._caller(incoming.headers.get("authorization", ""))
        sessions.require(self.db, caller)
        parts = routes.segments(incoming.path)
        if len(parts) == 1 and batch.is_meant(parts):
            if incoming.is_inner:
                raise errors.BATCH_NESTED.error()
            if incoming.method != "POST":
                raise errors.METHOD_NOT_ALLOWED.error()
            return batch.run(incoming, self.answer)
        route, keys = routes.find(incoming.method, parts)
        cost = costs.cost(incoming, route.cost)
        units = {"x-ms-resource-unit": str(cost.units)}
        toll = self._meter.charge(caller.app_id, cost)
        if toll.wait:
            whose = throttling.Whose(caller.app_id, self._id)
            return throttling.refusal(incoming, toll, self._quota, whose, units)
        now = self._now()
        self._settle(now)
        is_read = costs.only_asks(incoming)
        db = self._replicas.reading(_area(incoming, route)) if is_read else self.db
        call = Call(db, incoming, caller, keys, now)
        require(call, route.permissions, is_pim=route.area is Area.PIM)
        reply = route.handler(call) if is_read else self._written(call, route, correlation)
        return replace(reply, headers={**units, **toll.headers, **reply.headers})

    def _written(self, call: Call, route: Route, correlation: str) -> Reply:
        """Let the handler write, and keep what it touched for those who ask later."""
        hidden = self._replicas.hidden(route.area, call.keys, call.request.body)
        if hidden:
            row = errors.SUBJECT_NOT_FOUND if route.area is Area.PIM else errors.NO_RESOURCE
            raise row.error(id=hidden)
        with transaction(self.db):
            reply = route.handler(call)
            touches = records.noted(self.db, _actor(call, route, correlation), call.now)
            self._count(call, touches)
        self._replicas.noted(touches)
        return reply

    def _count(self, call: Call, touches: Sequence[Touch]) -> None:
        """Keep who made what; raises the refusal of more than one principal may make."""
        maker = call.caller.principal_id
        has_made = creations.noted(self.db, maker, touches, call.now)
        if has_made and self._directory_quota is not None:
            creations.require_quota(self.db, maker, self._directory_quota, call.now)

    def _settle(self, now: datetime) -> None:
        """Do what is due by itself.

        Roles begin and end, group licenses reach members, and the recycle bin is emptied.
        """
        queued = now - self._processing_takes
        is_due = (
            schedules.is_due(self.db, now)
            or processing.is_due(self.db, queued)
            or purging.is_due(self.db, now)
        )
        if not is_due:
            return
        with transaction(self.db):
            schedules.settle(self.db, now)
            touches = records.noted(self.db, records.PIM, now)
            processing.settle(self.db, queued, now)
            touches += records.noted(self.db, records.LICENSING, now)
            purging.settle(self.db, now)
            gone = records.noted(self.db, _PURGING, now)
            creations.noted(self.db, None, gone, now)
            touches += gone
        self._replicas.noted(touches)

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


def _actor(call: Call, route: Route, correlation: str) -> records.Actor:
    """Give who writes, as the audit log names them."""
    caller = call.caller
    return records.Actor(
        caller.app_id,
        caller.principal_id,
        is_person=caller.is_person,
        activity=route.activity,
        keys=call.keys,
        correlation=correlation,
        agent=call.request.headers.get("user-agent"),
    )


def _dressed(reply: Reply, incoming: Incoming) -> Reply:
    return replies.dressed(reply, errors.new_id(), incoming.headers.get("client-request-id"))


def _area(incoming: Incoming, route: Route) -> Area:
    """Give what a read is answered from: advanced queries have an index of their own."""
    is_eventual = incoming.headers.get("consistencylevel", "").lower() == "eventual"
    return Area.INDEX if route.area is Area.DIRECTORY and is_eventual else route.area


def _exchange(incoming: Incoming, reply: Reply, *, is_fault: bool) -> Exchange:
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
        is_batch=not incoming.is_inner and unquote(incoming.path).lower().endswith("/$batch"),
        is_fault=is_fault,
    )
