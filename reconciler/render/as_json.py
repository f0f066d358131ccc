"""The JSON form: complete, stable, and described by `schema/plan.schema.json`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

import orjson

from reconciler.changes import LicenseKey, ManagerKey, MembershipKey, RoleAssignmentKey, UserKey
from reconciler.plan import FORMAT_VERSION
from reconciler.render.outline import sealings
from reconciler.render.totals import counts
from reconciler.text import is_hidden_there

if TYPE_CHECKING:
    from reconciler.changes import Change, Key
    from reconciler.diagnostics import Diagnostic, Position
    from reconciler.model import Account
    from reconciler.plan import Plan
    from reconciler.seats import Seats

_Object = dict[str, object]

SUSPECT = re.compile(r"[^\n -~]|#(?=#\[)")
"""What may have to be escaped; the only raw line feeds are those of the layout."""


def json(plan: Plan) -> str:
    """Give everything the plan knows, changes in the order in which they happen."""
    document = {
        "format_version": FORMAT_VERSION,
        "tenant": {"id": plan.tenant.id, "displayName": plan.tenant.display_name},
        "source": plan.source,
        "ownership": plan.ownership,
        "digest": plan.digest,
        "applyable": not plan.refusals,
        "summary": dict(counts(plan)),
        "changes": [_change(change) for change in plan.changes],
        "credentials": [
            {"cohort": each.cohort, "accounts": each.accounts, "recipients": each.recipients}
            for each in sealings(plan)
        ],
        "seats": [_seats(seats) for seats in plan.seats],
        "notes": [diagnostic(note) for note in plan.notes],
        "refusals": [diagnostic(refusal) for refusal in plan.refusals],
        "declarations": dict(plan.declarations),
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return SUSPECT.sub(escaped, orjson.dumps(document, option=options).decode())


def escaped(found: re.Match[str]) -> str:
    r"""Write a hidden character as `\uXXXX`, which JSON holds to be the same value.

    So too the `#` of `##[`, which GitHub's runner obeys anywhere in a log (actions/runner,
    ActionCommand.cs).
    """
    character = found[0]
    if character != "#" and not is_hidden_there(found):
        return character
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _change(change: Change) -> _Object:
    return {
        "address": change.key.address,
        "resource": change.key.kind,
        "action": change.verb,
        "wave": change.wave.value,
        "reason": change.reason.value,
        "cohort": change.cohort,
        "user": account(change.key.account),
        "name": change.key.name,
        **particulars(change.key),
        "fields": [
            {"path": field.path, "before": field.before, "after": field.after}
            for field in change.fields
        ],
        "position": position(change.position),
    }


def particulars(key: Key) -> _Object:
    """Give what only this kind of resource has, under Graph's names."""
    match key:
        case UserKey():
            return {}
        case ManagerKey(manager=manager):
            return {"manager": account(manager) if manager else None}
        case LicenseKey():
            return {"skuId": key.sku_id, "skuPartNumber": key.sku_part_number}
        case MembershipKey():
            return {"groupId": key.group_id, "displayName": key.group_display_name}
        case RoleAssignmentKey():
            return {
                "roleDefinitionId": key.role_definition_id,
                "displayName": key.role_display_name,
                "directoryScopeId": key.directory_scope_id,
                "assignmentId": key.assignment_id,
            }
        case _:
            assert_never(key)


def account(of: Account) -> _Object:
    """Give an account, the id null where it does not exist yet."""
    return {"id": of.id, "userPrincipalName": of.user_principal_name}


def _seats(seats: Seats) -> _Object:
    return {
        "skuId": seats.sku_id,
        "skuPartNumber": seats.sku_part_number,
        "total": seats.total,
        "freeBefore": seats.free,
        "assigned": seats.assigned,
        "freed": seats.freed,
        "freeAfter": seats.free_after,
    }


def diagnostic(diagnostic: Diagnostic) -> _Object:
    """Give a note or a problem with its place."""
    return {
        "severity": diagnostic.severity.value,
        "summary": diagnostic.summary,
        "hint": diagnostic.hint,
        "position": position(diagnostic.position),
    }


def position(of: Position | None) -> _Object | None:
    """Give a place in a file; null where there is none."""
    return {"file": of.file, "line": of.line, "column": of.column} if of else None
