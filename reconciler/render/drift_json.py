"""The JSON form of a drift: complete, stable, and described by `schema/drift.schema.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from reconciler.findings import FORMAT_VERSION, Standing
from reconciler.render.as_json import (
    SUSPECT,
    account,
    diagnostic,
    escaped,
    particulars,
    position,
)
from reconciler.render.drift_words import people

if TYPE_CHECKING:
    from reconciler.findings import Drift, Evidence, Finding

_Object = dict[str, object]


def json(drift: Drift) -> str:
    """Give everything that the drift knows, person by person."""
    document = {
        "format_version": FORMAT_VERSION,
        "tenant": {"id": drift.tenant.id, "displayName": drift.tenant.display_name},
        "source": drift.source,
        "ownership": drift.ownership,
        "digest": drift.digest,
        "drifted": bool(drift.drifted),
        "summary": {
            "people": people(drift.drifted),
            **{standing.value: len(drift.of(standing)) for standing in Standing},
        },
        "findings": [_finding(finding) for finding in drift.findings],
        "auditLog": {
            "asked": drift.log.asked,
            "wanted": drift.log.wanted,
            "silence": drift.log.silence,
        },
        "refusals": [diagnostic(refusal) for refusal in drift.refusals],
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return SUSPECT.sub(escaped, orjson.dumps(document, option=options).decode())


def _finding(finding: Finding) -> _Object:
    return {
        "kind": finding.kind.value,
        "standing": finding.standing.value,
        "address": finding.key.address,
        "resource": finding.key.kind,
        "cohort": finding.cohort,
        "user": account(finding.key.account),
        "name": finding.key.name,
        **{name: part for name, part in particulars(finding.key).items() if name != "manager"},
        "path": finding.path,
        "declared": finding.declared,
        "actual": finding.actual,
        "position": position(finding.position),
        "evidence": _evidence(finding.evidence) if finding.evidence else None,
    }


def _evidence(evidence: Evidence) -> _Object:
    return {
        "at": evidence.at,
        "activity": evidence.activity,
        "property": evidence.property,
        "initiatedBy": {
            "type": "user" if evidence.actor.is_person else "app",
            "displayName": evidence.actor.name,
            "identity": evidence.actor.identity,
            "isReconciler": evidence.actor.is_ours,
        },
    }
