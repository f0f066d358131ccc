"""Convergence: ask, with bounds, until Graph answers what a run has written.

Graph gives no time within which a write is seen everywhere, so a run says what it has seen:
applied and confirmed, applied and not yet visible, or broken, where a licence that Graph
took ended in an error.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from reconciler.changes import MembershipKey, RoleAssignmentKey
from reconciler.errors import ReconcilerError
from reconciler.executor.outcomes import Applied, Failed
from reconciler.executor.receipt import described
from reconciler.executor.visibility import Broken, Visible, view
from reconciler.graph import decoding
from reconciler.graph.memberships import memberships
from reconciler.graph.permissions import may_ask_member_of
from reconciler.graph.requests import Requests
from reconciler.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.changes import Change
    from reconciler.executor.outcomes import Outcome
    from reconciler.executor.surroundings import Clock, Records, Stop
    from reconciler.executor.visibility import View
    from reconciler.graph.transport import Graph
    from reconciler.model import ObservedUser

_NONSENSE = (LookupError, TypeError, ValueError, AttributeError)
"""What an answer raises that has not the form of what was asked for."""
PATIENCE = 120.0
"""Seconds after the last write in which it is expected to be seen. One to two minutes is
what people report of new accounts (msgraph-sdk-dotnet#2772)."""


class Convergence:
    """Asks about the changes of one run."""

    def __init__(
        self, ownership: str, graph: Graph, records: Records, clock: Clock, stop: Stop
    ) -> None:
        self._ownership = ownership
        self._graph = graph
        self._records = records
        self._clock = clock
        self._stop = stop
        self._requests = Requests(graph.client)

    async def confirmed(self, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """Give *outcomes* with what of them was seen; reads only, and never raises for them.

        A run that is to end is not kept by this.
        """
        pending = {o.change.key.address: o for o in outcomes if isinstance(o, Applied)}
        known: dict[str, Outcome] = {}
        until, attempt = self._clock.monotonic() + PATIENCE, 0
        while pending and self._stop.because is None:
            try:
                views = await self._in_time([o.change for o in pending.values()], until)
            except (ReconcilerError, TimeoutError, *_NONSENSE) as error:
                because = without_secrets(str(error)) or type(error).__name__
                self._records.journal.note("not confirmed", because=because)
                break
            known |= self._concluded(pending, views)
            wait = self._graph.waiting.backoff(attempt)
            if not pending or self._clock.monotonic() + wait > until:
                break
            self._records.watcher.confirming(len(pending))
            await self._stop.cut_short(self._graph.waiting.sleep(wait))
            attempt += 1
        return tuple(known.get(o.change.key.address, o) for o in outcomes)

    def _concluded(
        self, pending: dict[str, Applied], views: Mapping[str, View]
    ) -> dict[str, Outcome]:
        """Take from *pending* what is known now, and write it down."""
        known: dict[str, Outcome] = {}
        for address, seen in views.items():
            if isinstance(seen, Visible):
                known[address] = replace(pending.pop(address), is_confirmed=True)
            elif isinstance(seen, Broken):
                applied = pending.pop(address)
                known[address] = failed = Failed(
                    applied.change,
                    self._clock.now(),
                    seen.code,
                    seen.message,
                    request_id=applied.request_id,
                )
                self._records.journal.note("outcome", **described(failed))
        confirmed = [address for address, outcome in known.items() if isinstance(outcome, Applied)]
        if confirmed:
            self._records.journal.note("confirmed", changes=confirmed)
        return known

    async def _in_time(self, changes: Sequence[Change], until: float) -> dict[str, View]:
        """Look at *changes*, unless the run is to end or it takes too long; nothing then."""
        looking = asyncio.ensure_future(self._views(changes))
        async with asyncio.timeout(max(1.0, until - self._clock.monotonic())):
            await self._stop.cut_short(looking)
        return looking.result() if looking.done() and not looking.cancelled() else {}

    async def _views(self, changes: Sequence[Change]) -> dict[str, View]:
        users = await self._users(changes)
        return {
            change.key.address: view(change, users.get(change.key.account.id or ""))
            for change in changes
        }

    async def _users(self, changes: Sequence[Change]) -> dict[str, ObservedUser]:
        """Read the accounts that *changes* are about, with what they are to show, directly."""
        keys = [change.key for change in changes]
        ids = sorted({key.account.id for key in keys if key.account.id})
        groups = {key.group_id for key in keys if isinstance(key, MembershipKey)}
        held = {key.role_definition_id for key in keys if isinstance(key, RoleAssignmentKey)}
        accounts = self._requests.users(self._ownership, ids=ids)
        assignments = [self._requests.role_assignments(role) for role in sorted(held)]
        answers = await self._graph.read_all([*accounts, *assignments])
        joined = {key.account.id for key in keys if isinstance(key, MembershipKey)}
        groups_of = await memberships(
            self._graph,
            groups,
            sorted(id_ for id_ in joined if id_),
            may_ask=may_ask_member_of(self._graph.token()),
        )
        found = decoding.by_id(chain.from_iterable(answers[: len(accounts)]))
        held_by = chain.from_iterable(answers[len(accounts) :])
        users = decoding.users(found, self._ownership, groups_of, held_by)
        return {user.id: user for user in users}
