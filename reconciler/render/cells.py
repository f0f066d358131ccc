"""What one change, and one diagnostic, says in the Markdown of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, ManagerKey, UserKey
from reconciler.render import outline
from reconciler.render.github import cell, code, titled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.changes import Change, FieldChange
    from reconciler.diagnostics import Diagnostic
    from reconciler.model import FieldValue


def what(change: Change) -> str:
    """Give what changes, and from what to what, in one cell."""
    word = outline.noun(change)
    match change.key:
        case ManagerKey():
            before, after = map(_value, outline.managers(change.key, change.fields))
            return f"{word} {after if isinstance(change, Create) else f'{before} → {after}'}"
        case UserKey():
            consequence = outline.consequence(change)
            first = f"{word}: {consequence}" if consequence else word
        case _:
            first = f"{word} {cell(change.key.name)}"
    return "<br>".join([first, *fields(change)])


def fields(change: Change) -> Iterator[str]:
    """Give each property, from what to what."""
    for field in change.fields:
        yield f"{cell(field.path)}: {_transition(change, field)}"


def symbol(change: Change) -> str:
    """Give the symbol of the action."""
    return f"`{change.symbol}`"


def listed(title: str, diagnostics: Iterable[Diagnostic]) -> str:
    """Give a list under a heading, each hint once; nothing at all where there is none."""
    return titled(title, map(_remedied, outline.by_hint(diagnostics)))


def _transition(change: Change, field: FieldChange) -> str:
    after = _value(field.after)
    return after if isinstance(change, Create) else f"{_value(field.before)} → {after}"


def _value(value: FieldValue) -> str:
    match value:
        case None | ():
            return "(none)"
        case bool():
            return cell(str(value).lower())
        case str():
            return cell(value)
        case _:
            return ", ".join(map(cell, value))


def _remedied(group: Sequence[Diagnostic]) -> str:
    """Give the items of a list, the last with the hint that all of them have."""
    hint = group[0].hint
    told = f"<br>\n  {outline.hint_of(group)}: {code(hint)}" if hint else ""
    return "\n".join(map(_diagnostic, group)) + told


def _diagnostic(diagnostic: Diagnostic) -> str:
    place = f" {code(str(diagnostic.position))}" if diagnostic.position else ""
    return f"- **{diagnostic.severity}**{place}: {code(diagnostic.summary)}"
