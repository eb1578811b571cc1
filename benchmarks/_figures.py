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
        return f"{value:.2f} M/s"
    if unit in ("ms", "MB"):
        return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{value:.3g} {unit}".strip()


def show_target(row: Row) -> str:
    if row.target is None:
        return "–"
    sign = ">" if row.higher_is_better else ("≤" if row.unit in ("x", "") else "<")
    return f"{sign} {show(row.target, row.unit)}"


def show_rows(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, also readable as it is."""
    head = ("what", "Python", "target", "Remora", "debugpy", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    text = [f"| {' | '.join(cells)} |" for cells in padded]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    noise = f" (±{row.noise:.2f})" if row.noise >= 0.005 and row.unit == "x" else ""
    verdict = row.verdict + (f" {row.remark}" if row.remark else "")
    return (
        row.what,
        row.python,
        show_target(row),
        show(row.remora, row.unit) + noise,
        show(row.debugpy, row.unit),
        verdict.strip(),
    )
