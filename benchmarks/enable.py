"""What enabling costs a fresh program: time, memory, threads and further processes, counting the import."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmarks import _options
from benchmarks._figures import MB, MS, Row, median
from benchmarks._pythons import Python
from benchmarks._target import DEBUGPY, REMORA, WORKLOADS, Target, line_of, resident

SETTLED = 0.3  # seconds until what was begun in the background is done


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    names = [REMORA] if options.no_debugpy else [REMORA, DEBUGPY]
    for name in names:  # not counted: writes the .pyc files
        _enable_once(python, name)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(max(5, options.turns // 2)):
        for name in names:
            found[name].append(_enable_once(python, name))

    def row(what: str, unit: str, target: float | None, take: Callable[[dict[str, float]], float]) -> Row:
        details = {name: [take(once) for once in found[name]] for name in names}
        middle = {name: median(values) for name, values in details.items()}
        return Row(what, python.version, unit, middle[REMORA], middle.get(DEBUGPY), target, details=details)

    return [
        row("enable attach", "ms", 30.0, lambda once: once["time"]),
        row("enable attach, memory", "MB", 4.0, lambda once: once["memory"]),
        row("enable attach, processes", "", 1.0, lambda once: once["processes"]),
        row("enable attach, memory of other processes", "MB", None, lambda once: once["helpers"]),
        row("enable attach, threads started", "", 1.0, lambda once: once["threads"]),
        row("attached with a breakpoint, memory", "MB", None, lambda once: once["attached"]),
        *_with_secret(python, len(found[REMORA])),
    ]


def _with_secret(python: Python, times: int) -> list[Row]:
    """The same with a secret to check, which debugpy has not got."""
    found = []
    for _ in range(times):
        with Target(python, REMORA) as target:
            cost = target.enable(secret="correct horse")
            time.sleep(SETTLED)
            found.append((cost["enable"] * MS, _growth(cost["before"], target.ask("usage"))))
    elapsed, memory = (median(figures) for figures in zip(*found, strict=True))
    return [
        Row("enable attach with a secret", python.version, "ms", elapsed, None, 30.0),
        Row("enable attach with a secret, memory", python.version, "MB", memory, None, 4.0),
    ]


def _enable_once(python: Python, name: str) -> dict[str, float]:
    with Target(python, name) as target:
        cost = target.enable()
        time.sleep(SETTLED)
        after = target.ask("usage")
        helpers = target.helpers()
        result = {
            "time": cost["enable"] * MS,
            "memory": _growth(cost["before"], after),
            "threads": after["threads"] - cost["before"]["threads"],
            "processes": 1 + len(helpers),
            "helpers": sum(resident(pid) or 0 for pid in helpers) * MB,
        }
        with target.attach() as client:
            client.set_breakpoints(WORKLOADS, [{"line": line_of("cold-leaf")}])
            result["attached"] = _growth(cost["before"], target.ask("usage"))
        return result


def _growth(before: dict[str, Any], after: dict[str, Any]) -> float:
    if before["memory"] is None:
        return float("nan")
    grown: float = (after["memory"] - before["memory"]) * MB
    return grown


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
