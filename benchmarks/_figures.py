"""What is measured, in numbers: rows, ratios and how far to trust them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MS, MB = 1e3, 1 / (1024 * 1024)
NEVER = float("inf")  # the server was given its time, and did not do it


@dataclass(frozen=True)
class Row:
    """One line of the table for one interpreter. `noise` is what the same measurement of nothing gave."""

    what: str
    python: str
    unit: str
    remora: float | None
    debugpy: float | None
    target: float | None = None
    higher_is_better: bool = False
    noise: float = 0.0
    remark: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """PASS, MISS, or NOISE: a miss by less than two equal programs differed in this very run."""
        if self.target is None:
            return ""
        if self.remora is None:
            return "MISS"
        over = self.target - self.remora if self.higher_is_better else self.remora - self.target
        if over <= 0:
            return "PASS"
        return "NOISE" if over <= self.noise else "MISS"


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def show(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if value == NEVER:
        return "never"
    if unit == "x":
        return f"{value:.2f}" if value < 10 else f"{value:.0f}"
    if unit == "M/s":
        return f"{value:.2f}"
    return f"{value:.3g}"


def show_rows(rows: Sequence[Row]) -> str:
    """One line for each thing measured, its interpreters side by side; Markdown that reads well as it is."""
    things: dict[str, list[Row]] = {}
    for row in rows:
        things.setdefault(row.what, []).append(row)
    lines = [("what", "target", "Remora", "debugpy", ""), *map(_cells, things.values())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    text = [f"| {' | '.join(cells)} |" for cells in padded]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    remarks = [f"- {row.what}, {row.python}: {row.remark}" for row in rows if row.remark]
    return "\n".join([*text, "", *remarks])


def _cells(rows: list[Row]) -> tuple[str, ...]:
    unit = rows[0].unit
    suffix = f" {unit}" if unit and unit != "x" else ""
    noise = max(row.noise for row in rows)
    return (
        rows[0].what + (f" (±{noise:.2f})" if noise else ""),
        _join([_limit(row) for row in rows], suffix),
        _join([show(row.remora, unit) for row in rows], suffix),
        _join([show(row.debugpy, unit) for row in rows], suffix),
        _join([row.verdict for row in rows], ""),
    )


def _limit(row: Row) -> str:
    if row.target is None:
        return "–"
    sign = "> " if row.higher_is_better else ("≤ " if row.unit in ("x", "") else "< ")
    return sign + show(row.target, row.unit)


def _join(cells: list[str], suffix: str) -> str:
    """One text where all interpreters agree, else one for each, in order."""
    agreed = cells[:1] if len(set(cells)) == 1 else cells
    text = " / ".join(agreed)
    return text if set(agreed) <= {"–", "", "never"} else text + suffix
