"""What a burst of output costs the program that prints it: 10 MB of short lines into /dev/null.

Once while an attached client takes all that it is sent, and once while it takes nothing. The ratio is of CPU
time of the whole process, with the server's thread and what that still does just after the burst. Bursts with
and without a client take turns in one process, and the best of each count.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import _options
from benchmarks._dap import DapError
from benchmarks._figures import NEVER, Row
from benchmarks._pythons import Python
from benchmarks._target import BARE, DEBUGPY, REMORA, Target

WIDTH = 80
LINES = 10 * 1024 * 1024 // WIDTH
WANTED = WIDTH * LINES
# What is left out of a flood is counted by what the process wrote, give or take its buffers.
NEARLY = 0.95 * WANTED
DEADLINE = 60.0
TARGET = 1.10
# Remora drops what the client cannot take in time, and says how much.
_LEFT_OUT = re.compile(r"([\d,]+) characters of the program's output were left out")


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    names = [REMORA] if options.no_debugpy else [REMORA, DEBUGPY]
    shown = {name: _shown(python, name) for name in names}
    trouble = "; ".join(burst.trouble for burst in shown.values() if burst.trouble)
    bare = _bare(python)
    read, unread = _cost(python, options.turns, is_read=True), _cost(python, options.turns, is_read=False)

    def row(what: str, unit: str, take: Callable[[Burst], float], remark: str = "") -> Row:
        values = {name: take(burst) for name, burst in shown.items()}
        return Row(what, python.version, unit, values[REMORA], values.get(DEBUGPY), remark=remark)

    def cost_row(what: str, cost: Cost, other: float | None) -> Row:
        return Row(what, python.version, "x", cost.ratio, other, TARGET, noise=cost.noise)

    debugpy = shown[DEBUGPY].cpu / bare if DEBUGPY in shown else None
    return [
        cost_row("10 MB of short lines, CPU, a client reads", read, debugpy),
        cost_row("10 MB of short lines, CPU, a client does not read", unread, None),
        row("10 MB of short lines, part that the client is shown", "%", lambda burst: burst.shown * 100),
        row("10 MB of short lines, until the client has that", "s", lambda burst: burst.settled, trouble),
    ]


@dataclass(frozen=True)
class Cost:
    """A ratio, and the same of two halves of the bursts without a client."""

    ratio: float
    noise: float


def _cost(python: Python, turns: int, *, is_read: bool) -> Cost:
    alone: list[float] = []
    attached: list[float] = []
    with Target(python, REMORA) as target:
        target.enable()
        for _ in range(turns + 1):
            alone.append(target.ask("burst", lines=LINES, width=WIDTH)["cpu"])
            with target.attach(redirectOutput=True) as client:
                client.on_output = lambda _text: None
                target.tell("burst", lines=LINES, width=WIDTH)
                if is_read:
                    client.pump(target.answers, DEADLINE)
                attached.append(target.answer()["cpu"])
    alone, attached = alone[1:], attached[1:]  # the first client loads the server
    best = min(alone)
    return Cost(min(attached) / best, max(min(alone[::2]), min(alone[1::2] or alone)) / best - 1)


def _bare(python: Python) -> float:
    with Target(python, BARE) as target:
        return min(float(target.ask("burst", lines=LINES, width=WIDTH)["cpu"]) for _ in range(5))


@dataclass(frozen=True)
class Burst:
    """Seconds of CPU, seconds until all was shown or said to be left out, and the part that was shown."""

    cpu: float
    settled: float
    shown: float
    trouble: str = ""


def _shown(python: Python, name: str) -> Burst:
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
            cpu, begun = NEVER, time.perf_counter()
            target.tell("burst", lines=LINES, width=WIDTH)
            try:
                client.pump(target.answers, DEADLINE)
                cpu = target.answer()["cpu"]
                client.pump_while(lambda: shown + left_out < NEARLY, DEADLINE)
            except DapError as error:
                missing = 1 - (shown + left_out) / WANTED
                return Burst(cpu, NEVER, shown / WANTED, f"{name}: {missing:.0%} never came ({error})")
    return Burst(cpu, time.perf_counter() - begun, shown / WANTED)


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
