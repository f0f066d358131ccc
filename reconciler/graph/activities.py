"""The directory audit log: who did what to the accounts that drifted.

Asked only of those, one small request for each, twenty at a time: Graph allows five such
requests in ten seconds (Graph, throttling limits of identity and access reports). What the
log does not say is never an error: drift is told without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.audit_logs.directory_audits.directory_audits_request_builder import (
    DirectoryAuditsRequestBuilder,
)

from reconciler.errors import PermissionMissing, ReconcilerError
from reconciler.findings import AuditLog, Drift, with_evidence
from reconciler.graph.batching import chunks
from reconciler.graph.evidence import Record, evidence, record
from reconciler.graph.permissions import AUDIT_LOG, application, may_read_audit_log
from reconciler.graph.requests import quoted
from reconciler.graph.transport import page
from reconciler.model import folded
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from kiota_abstractions.request_information import RequestInformation

    from reconciler.graph.transport import Graph
    from reconciler.model import Account

_Audits = DirectoryAuditsRequestBuilder.DirectoryAuditsRequestBuilderGetQueryParameters

DAYS = 30
"""How long Microsoft Entra keeps the log with a P1 license; without one Graph does not give it
(Entra, data retention)."""
MOST = 60
"""Accounts that are asked about: two minutes of what Graph allows."""
ENTRIES = 100
"""The latest entries of an account that are looked at."""


async def explained(
    graph: Graph, drift: Drift, now: datetime, applied_by: Iterable[str] = ()
) -> Drift:
    """Say of each difference who made it, where the log tells; without drift nothing is asked.

    *applied_by* are the appIds of the applications that apply, beside the one that asks.
    """
    accounts = list(dict.fromkeys(f.key.account for f in drift.findings))
    if not accounts:
        return drift
    if not may_read_audit_log(graph.token()):
        silence = f"the application is not granted {AUDIT_LOG}"
        return replace(drift, log=AuditLog(0, len(accounts), silence))
    reading = _Reading(graph, now - timedelta(days=DAYS), _ours(graph, applied_by))
    await reading.read(accounts[:MOST])
    return replace(
        drift,
        findings=tuple(
            with_evidence(f, evidence(f, found, drift.ownership))
            if (found := reading.found.get(f.key.account)) is not None
            else f
            for f in drift.findings
        ),
        log=AuditLog(len(reading.found), len(accounts), reading.silence),
    )


def _ours(graph: Graph, applied_by: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(app) for app in (application(graph.token()), *applied_by) if app)


class _Reading:
    """What was asked of the log, and what it said."""

    def __init__(self, graph: Graph, since: datetime, ours: AbstractSet[str]) -> None:
        self.graph = graph
        self.since = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.ours = ours
        self.found: dict[Account, tuple[Record, ...]] = {}
        self.silence: str | None = None

    async def read(self, accounts: Sequence[Account]) -> None:
        """Ask about each of *accounts*; ends where Graph does not answer."""
        try:
            for some in chunks(accounts):
                await self._read_some(some)
        except PermissionMissing as error:
            self.silence = f"Graph does not give the audit log: {visible(str(error))}"
        except ReconcilerError as error:
            self.silence = f"the audit log could not be read: {visible(str(error))}"

    async def _read_some(self, accounts: Sequence[Account]) -> None:
        found = dict(zip(accounts, await self._asked(map(_about, accounts)), strict=True))
        # Who was deleted stands in the log under another name, so that only the id leads there.
        gone = {
            account: key
            for account, records in found.items()
            if account.id is None and (key := _id_in(records, account))
        }
        for (account, _), more in zip(
            gone.items(), await self._asked(map(_by_id, gone.values())), strict=True
        ):
            found[account] = more
        self.found |= found

    async def _asked(self, targets: Iterable[str]) -> list[tuple[Record, ...]]:
        replies = await self.graph.read([self._request(target) for target in targets])
        return [self._records(page(reply)[0]) for reply in replies]

    def _request(self, target: str) -> RequestInformation:
        parameters = _Audits(
            filter=f"targetResources/any(t: {target}) and activityDateTime ge {self.since}",
            orderby=["activityDateTime desc"],
            top=ENTRIES,
        )
        builder = self.graph.client.audit_logs.directory_audits
        return builder.to_get_request_information(RequestConfiguration(query_parameters=parameters))

    def _records(self, items: Iterable[Any]) -> tuple[Record, ...]:
        read = (record(item, self.ours) for item in items)
        done = [each for each in read if each is not None]
        return tuple(sorted(done, key=lambda each: each.at, reverse=True))


def _about(account: Account) -> str:
    return _by_id(account.id) if account.id else f"t/userPrincipalName eq {_name(account)}"


def _by_id(key: str) -> str:
    return f"t/id eq {quoted(key)}"


def _name(account: Account) -> str:
    return quoted(account.user_principal_name)


def _id_in(records: Iterable[Record], account: Account) -> str | None:
    """Give the id of the account that latest had the name of *account*."""
    name = folded(account.user_principal_name)
    return next((key for r in records for key, upn in r.targets.items() if upn == name), None)
