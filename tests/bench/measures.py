"""What a measurement is, and the one table that they all end in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure and its bound; *at_least* tells on which side of the bound it must be."""

    what: str
    unit: str
    measured: float
    bound: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        """Give measured to bound."""
        return self.measured / self.bound

    @property
    def is_within(self) -> bool:
        """Whether the bound is kept."""
        return self.ratio >= 1 if self.at_least else self.ratio <= 1


def table(measures: list[Measure]) -> str:
    """Give the measurements as a Markdown table."""
    lines = ["| what | bound | measured | ratio |", "|---|---:|---:|---:|"]
    for each in measures:
        sign = "≥" if each.at_least else "≤"
        mark = "" if each.is_within else " **out of bounds**"
        lines.append(
            f"| {each.what} | {sign} {_figure(each.bound)} {each.unit} "
            f"| {_figure(each.measured)} {each.unit} | {each.ratio:.2f}{mark} |"
        )
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
