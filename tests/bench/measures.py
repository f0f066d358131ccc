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
    def ratio(self) -> float | None:
        """Give measured to bound; None where the bound is nothing at all."""
        return self.measured / self.bound if self.bound else None

    @property
    def is_within(self) -> bool:
        """Whether the bound is kept."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def table(measures: list[Measure]) -> str:
    """Give the measurements as a Markdown table."""
    lines = ["| what | bound | measured | ratio |", "|---|---:|---:|---:|"]
    for each in measures:
        sign = "≥" if each.at_least else "≤"
        ratio = "-" if each.ratio is None else f"{each.ratio:.2f}"
        mark = "" if each.is_within else " **out of bounds**"
        bound, measured = (figure(value, each.unit) for value in (each.bound, each.measured))
        lines.append(f"| {each.what} | {sign} {bound} | {measured} | {ratio}{mark} |")
    return "\n".join(lines)


def figure(value: float, unit: str = "") -> str:
    """Write *value* with as many digits as say something, and its unit."""
    is_whole = value == int(value)
    digits = f"{value:,.0f}" if value >= 10 or (is_whole and not unit) else f"{value:.2f}"
    return f"{digits} {unit}".rstrip()
