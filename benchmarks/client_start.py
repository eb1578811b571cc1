"""How fast the command line starts, and what a burst of output costs the program that prints it.

The burst is 10 MB of short lines into /dev/null while an attached client reads all of them as output events.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _options
from benchmarks._dap import DapError
from benchmarks._figures import MS, NEVER, Row, median
from benchmarks._pythons import Python
from benchmarks._target import BARE, DEBUGPY, REMORA, Target

BURST_LINES = 100_000  # of 100 bytes each
WANTED = 100 * BURST_LINES
# What is left out of a flood is counted by what the process wrote, give or take its buffers.
NEARLY = 0.95 * WANTED
BURST_DEADLINE = 60.0
# Remora drops what the client cannot take in time, and says how much.
_LEFT_OUT = re.compile(r"([\d,]+) characters of the program's output were left out")


def measure_help(options: argparse.Namespace) -> list[Row]:
    """`remora --help`, of the client in the environment that runs this."""
    command = Path(sys.executable).parent / "remora"
    times = []
    for _ in range(options.turns + 1):
        begun = time.perf_counter()
        try:
            ran = subprocess.run([command, "--help"], capture_output=True, timeout=60, check=False)
        except OSError as error:
            return [_help_row(None, str(error))]
        times.append((time.perf_counter() - begun) * MS)
        if ran.returncode:
            return [_help_row(None, f"exit status {ran.returncode}")]
    times = times[1:]  # the first may have written .pyc files
    return [_help_row(median(times), "")]


def _help_row(value: float | None, remark: str) -> Row:
    return Row("remora --help", platform.python_version(), "ms", value, None, 150.0, remark=remark)


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    bare = _bare_burst(python)
    names = [REMORA] if options.no_debugpy else [REMORA, DEBUGPY]
    bursts = {name: _burst(python, name) for name in names}
    trouble = "; ".join(burst.trouble for burst in bursts.values() if burst.trouble)

    def row(what: str, unit: str, take: Callable[[Burst], float], remark: str = "") -> Row:
        values = {name: take(burst) for name, burst in bursts.items()}
        return Row(what, python.version, unit, values[REMORA], values.get(DEBUGPY), remark=remark)

    return [
        row("10 MB of prints, client attached", "x", lambda burst: burst.wall / bare, trouble),
        row("10 MB of prints, part that the client is shown", "%", lambda burst: burst.shown * 100),
        row("10 MB of prints, until the client has that", "s", lambda burst: burst.settled),
    ]


@dataclass(frozen=True)
class Burst:
    """Seconds until the prints had returned, and until all was shown or said to be left out."""

    wall: float
    settled: float
    shown: float
    trouble: str = ""


def _bare_burst(python: Python) -> float:
    with Target(python, BARE) as target:
        return min(float(target.ask("burst", lines=BURST_LINES)["wall"]) for _ in range(5))


def _burst(python: Python, name: str) -> Burst:
    shown = left_out = 0

    def count(text: str) -> None:
        nonlocal shown, left_out
        notice = _LEFT_OUT.search(text)
        if notice is None:
            shown += len(text)
        else:
            left_out += int(notice[1].replace(",", ""))

    with Target(python, name) as target:
        target.enable()
        with target.attach(redirectOutput=True) as client:
            client.on_output = count
            wall, begun = NEVER, time.perf_counter()
            target.tell("burst", lines=BURST_LINES)
            try:
                client.pump(target.answers, BURST_DEADLINE)
                wall = target.answer()["wall"]
                client.pump_while(lambda: shown + left_out < NEARLY, BURST_DEADLINE)
            except DapError as error:
                missing = 1 - (shown + left_out) / WANTED
                return Burst(wall, NEVER, shown / WANTED, f"{name}: {missing:.0%} never came ({error})")
    return Burst(wall, time.perf_counter() - begun, shown / WANTED)


def measure_both(python: Python, options: argparse.Namespace) -> list[Row]:
    return [*measure_help(options), *measure(python, options)]


if __name__ == "__main__":
    _options.run_alone(__doc__, measure_both)
