"""HTML as values: what is no `Markup` yet is text from outside, and is escaped.

So no name can become an element by being forgotten: only `tag` makes markup, and only
out of names of elements that stand in our code.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from reconciler.render.lines import shown
from reconciler.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_EMPTY = frozenset({"br", "input", "link", "meta", "rect"})
"""Elements without content here: void ones of HTML, and those of SVG that need none."""


class Markup(str):
    """HTML that is ready to be written."""

    __slots__ = ()


def text(outside: str) -> Markup:
    """Give text as HTML, every hidden character of it written out."""
    return outside if isinstance(outside, Markup) else Markup(escape(visible(outside)))


def joined(children: Iterable[str | None]) -> Markup:
    """Put parts one after the other; what is None is left out."""
    return Markup("".join(text(child) for child in children if child is not None))


def tag(name: str, /, *children: str | None, **attributes: str | bool | None) -> Markup:
    """Give an element; `class_` is its class, `aria_label` its `aria-label`.

    True is an attribute without a value; False and None are none at all.
    """
    start = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{start}>" if name != "rect" else f"<{name}{start}/>")
    return Markup(f"<{name}{start}>{joined(children)}</{name}>")


def _attribute(key: str, value: str | bool | None) -> str:  # noqa: FBT001 -- as HTML has them
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def outside(name: str) -> Markup:
    """Give a name with its spaces in quotes; how it is written stays its own business.

    A long address breaks after its `@` before it breaks anywhere else.
    """
    return tag("bdi", Markup(text(shown(name)).replace("@", "@<wbr>")))


def table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """Give a table whose first column names the row.

    The roles say again what the elements are, because a narrow page shows the rows as
    blocks, and a table that is not shown as one is none to some browsers. Every cell
    repeats its column's name for that page.
    """
    names = tuple(columns)
    head = (tag("th", name, scope="col", role="columnheader") for name in names)
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head, role="row"), role="rowgroup"),
        tag("tbody", *(_row(names, row) for row in rows), role="rowgroup"),
        role="table",
    )


def _row(names: Iterable[str], row: Iterable[str]) -> Markup:
    first, *rest = zip(names, row, strict=True)
    cells = (tag("td", value, role="cell", data_label=name) for name, value in rest)
    return tag("tr", tag("th", first[1], scope="row", role="rowheader"), *cells, role="row")
