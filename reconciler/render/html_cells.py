"""What one change, one value and one diagnostic says in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.changes import Create, ManagerKey, UserKey
from reconciler.render import outline
from reconciler.render.elements import Markup, joined, outside, tag, text
from reconciler.render.lines import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.changes import Change, FieldChange
    from reconciler.diagnostics import Diagnostic
    from reconciler.model import FieldValue

NONE = "none"


def action(change: Change) -> Markup:
    """Give the action, by symbol for the eye and by name for everybody."""
    sign = tag("span", change.symbol, class_="sign", aria_hidden="true")
    return tag("span", sign, " ", change.verb, class_=f"action {change.verb}")


def subject(change: Change) -> str:
    """Give what a change is about, beside its kind; nothing where that says it all."""
    match change.key:
        case ManagerKey():
            before, after = outline.managers(change.key, change.fields)
            return after or NONE if isinstance(change, Create) else _arrow(before, after)
        case UserKey():
            return outline.consequence(change) or ""
        case _:
            return change.key.name


def _arrow(before: str | None, after: str | None) -> str:
    return f"{before or NONE} → {after or NONE}"


def named(change: Change) -> Markup:
    """Give kind and subject of *change*."""
    subject_ = subject(change)
    name = joined([" ", outside(subject_)]) if subject_ else None
    return joined([tag("span", outline.noun(change), class_="kind"), name])


def what(change: Change) -> Markup:
    """Give kind and subject of *change*, and its fields below."""
    return joined([named(change), fields(change)])


def fields(change: Change) -> Markup:
    """Give each property, from what to what; nothing at all where none is told."""
    told = [_field(change, field) for field in outline.told_fields(change)]
    return tag("ul", *told, class_="fields") if told else Markup()


def _field(change: Change, field: FieldChange) -> Markup:
    after = _value(field.after)
    before = () if isinstance(change, Create) else (tag("del", _value(field.before)), " → ")
    return tag("li", tag("span", field.path, class_="path"), " ", *before, tag("ins", after))


def _value(value: FieldValue) -> Markup:
    told = value_text(value)
    return tag("em", NONE) if told is None else outside(told)


def value_text(value: FieldValue) -> str | None:
    """Give a value as a reader knows it; None where there is none."""
    match value:
        case None | ():
            return None
        case bool():
            return str(value).lower()
        case str():
            return shown(value)
        case _:
            return ", ".join(map(shown, value))


def listed(diagnostics: Iterable[Diagnostic]) -> Markup:
    """Give a list of diagnostics, each hint once."""
    return tag("ul", *map(_remedied, outline.by_hint(diagnostics)), class_="told")


def _remedied(group: Sequence[Diagnostic]) -> Markup:
    hint = group[0].hint
    return tag(
        "li",
        *map(_diagnostic, group),
        tag("p", tag("b", f"{outline.hint_of(group)}:"), " ", outside(hint), class_="hint")
        if hint
        else None,
    )


def _diagnostic(diagnostic: Diagnostic) -> Markup:
    place = tag("code", outside(str(diagnostic.position))) if diagnostic.position else None
    return tag(
        "p",
        tag("b", diagnostic.severity.value, class_=diagnostic.severity.value),
        " ",
        outside(diagnostic.summary),
        place and text(" "),
        place,
    )
