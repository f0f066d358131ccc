"""A chart of horizontal bars, as SVG that is light or dark as its reader is."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH: Final = 760
_LEFT: Final = 190
_RIGHT: Final = 150
_BAR: Final = 20
_STEP: Final = 30
_HEAD: Final = 40
_FOOT: Final = 14
_STYLE: Final = """
  .page { fill: #ffffff; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .usual { fill: #8c959f; }
  .ours { fill: #0969da; }
  .axis { stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .usual { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .axis { stroke: #30363d; }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is, what stands at its end, and whether it is ours."""

    name: str
    value: float
    figure: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of one unit below one title; the longest fills the width."""

    title: str
    bars: Sequence[Bar]

    @property
    def height(self) -> int:
        """Give the pixels that it takes."""
        return _HEAD + _STEP * len(self.bars) + _FOOT


def chart(title: str, panels: Sequence[Panel]) -> str:
    """Draw *panels* below each other; *title* is what a screen reader says."""
    height = sum(panel.height for panel in panels)
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"',
        f'  viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"',
        f'  aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="6"/>',
    ]
    top = 0
    for panel in panels:
        lines += _panel(panel, top)
        top += panel.height
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel, top: int) -> Iterable[str]:
    most = max((bar.value for bar in panel.bars), default=0) or 1
    first, last = top + _HEAD - 5, top + _HEAD + _STEP * len(panel.bars)
    yield f'<text class="title" x="16" y="{top + 25}">{escape(panel.title)}</text>'
    yield f'<line class="axis" x1="{_LEFT}" y1="{first}" x2="{_LEFT}" y2="{last}"/>'
    for number, bar in enumerate(panel.bars):
        y = top + _HEAD + _STEP * number
        length = max(2.0, (_WIDTH - _LEFT - _RIGHT) * bar.value / most)
        text = y + _BAR * 0.72
        kind = "ours" if bar.is_ours else "usual"
        yield f'<text x="{_LEFT - 10}" y="{text:.0f}" text-anchor="end">{escape(bar.name)}</text>'
        size = f'width="{length:.1f}" height="{_BAR}"'
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" {size} rx="3"/>'
        yield f'<text x="{_LEFT + length + 8:.1f}" y="{text:.0f}">{escape(bar.figure)}</text>'
