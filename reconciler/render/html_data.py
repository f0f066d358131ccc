"""The changes of the report as data: what its script searches, and lists as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from reconciler.changes import ACTIONS, Create
from reconciler.render import outline
from reconciler.render.html_cells import subject, value_text
from reconciler.render.lines import shown
from reconciler.render.outline import WORDS

if TYPE_CHECKING:
    from reconciler.changes import Change, FieldChange
    from reconciler.plan import Plan
    from reconciler.render.outline import Person

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
r"""As JSON may write them: so no text ends the element, and none begins a comment in it."""


def data(plan: Plan) -> str:
    """Give every change, person by person, as JSON that any HTML may hold."""
    document = {
        "symbols": {action.verb: action.symbol for action in ACTIONS},
        "people": [_person(person) for person in outline.people(plan.changes)],
    }
    return orjson.dumps(document).decode().translate(_ESCAPES)


def fate(person: Person) -> str:
    """Say what happens to a person: `leaves (blocked)`."""
    return f"{person.fate} ({person.ending})" if person.ending else person.fate


def _person(person: Person) -> dict[str, object]:
    return {
        "name": shown(person.display_name or ""),
        "account": shown(person.account.user_principal_name),
        "cohort": shown(person.cohort),
        "fate": fate(person),
        "changes": [_change(change) for change in person.changes],
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "action": change.verb,
        "kind": WORDS[change.key.kind],
        "noun": outline.noun(change),
        "what": shown(subject(change)),
        "why": change.reason.value,
        "place": shown(str(change.position)) if change.position else "",
        "fields": [_field(change, field) for field in outline.told_fields(change)],
    }


def _field(change: Change, field: FieldChange) -> tuple[str | None, ...]:
    """Give path and value, or path and both values where there was one before."""
    after = value_text(field.after)
    if isinstance(change, Create):
        return shown(field.path), after
    return shown(field.path), value_text(field.before), after
