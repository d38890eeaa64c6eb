"""A row of the benchmark's table: two things measured in one run, their ratio, the goal beside it. Pure.

Owns the arithmetic and the words. What is measured, and how, is the rows' modules'.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

UNITS = {
    "s": [(1.0, "s", 1), (1e-3, "ms", 1)],
    "MB": [(1.0, "MB", 2)],
    "USD": [(1.0, "USD", 4)],
    "": [(1.0, "", 0)],
}
"""Each unit's scales, largest first: factor, name, decimals."""


@dataclass(frozen=True)
class Goal:
    """At most so much: of the ratio, or of our own median (or another percentile)."""

    at_most: float
    of_ratio: bool = False
    percentile: int = 50


@dataclass(frozen=True)
class Row:
    """Samples of ours and of what stands beside it, taken in turn."""

    what: str
    ours: Sequence[float]
    beside: str
    theirs: Sequence[float]
    unit: str
    goals: Sequence[Goal] = ()

    @property
    def ratios(self) -> list[float]:
        """Pair by pair where the samples were taken in turn; else of the medians. None of nothing."""
        if 0 in self.theirs:
            return []
        if len(self.ours) == len(self.theirs):
            return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        return [statistics.median(self.ours) / statistics.median(self.theirs)]

    def value(self, goal: Goal) -> float:
        """What a goal is held against."""
        return percentile(self.ratios if goal.of_ratio else self.ours, goal.percentile)

    def met(self, goal: Goal) -> bool:
        return self.value(goal) <= goal.at_most


def percentile(samples: Sequence[float], percent: int) -> float:
    """The smallest sample that so many percent are not above; the median for 50."""
    if percent == 50:
        return statistics.median(samples)
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def quantity(value: float, unit: str) -> str:
    """A value in the scale that suits it."""
    scales = UNITS[unit]
    factor, name, decimals = next((scale for scale in scales if abs(value) >= scale[0]), scales[-1])
    return f"{value / factor:,.{decimals}f} {name}".strip()


def spread(samples: Sequence[float], unit: str) -> str:
    """The median, with the least and the most where they differ."""
    median = quantity(statistics.median(samples), unit)
    least, most = quantity(min(samples), unit), quantity(max(samples), unit)
    return median if least == most else f"{median} ({least} – {most})"


def ratio(value: float) -> str:
    """1.32, or 1/41 where that is easier to read."""
    return f"1/{1 / value:.0f}" if 0 < value < 0.095 else f"{value:.2f}"


def ratios(values: Sequence[float]) -> str:
    """The median, with the least and the most where there are several."""
    if not values:
        return "–"
    median = ratio(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({ratio(min(values))} – {ratio(max(values))})"


def goal_text(row: Row, goal: Goal) -> str:
    """`median ratio ≤ 1/30: yes`, with the value where it is not met."""
    limit = ratio(goal.at_most) if goal.of_ratio else quantity(goal.at_most, row.unit)
    which = "" if goal.percentile == 50 else f"p{goal.percentile} "
    verdict = "met"
    if not row.met(goal):
        value = row.value(goal)
        verdict = f"**missed: {ratio(value) if goal.of_ratio else quantity(value, row.unit)}**"
    return f"{which}≤ {limit}{' ×' if goal.of_ratio else ''}: {verdict}"


def markdown(rows: Sequence[Row]) -> str:
    """All rows as one table."""
    lines = [
        "| what | ours: median (min – max) | beside it | its median (min – max) | ratio (min – max) | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        goals = "; ".join(goal_text(row, goal) for goal in row.goals) or "–"
        cells = [
            row.what,
            spread(row.ours, row.unit),
            row.beside,
            spread(row.theirs, row.unit),
            ratios(row.ratios),
            goals,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
