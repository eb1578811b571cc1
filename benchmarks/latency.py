"""How long a person waits: for a step, a pause, the first stack, a page of a long list. All on loopback.

The clock starts before the request is sent and stops when its result has been read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmarks import _options
from benchmarks._dap import DapClient, DapError
from benchmarks._figures import MB, MS, NEVER, Row, median, percentile
from benchmarks._pythons import Python
from benchmarks._target import DEBUGPY, REMORA, WORKLOADS, Target, line_of, resident

STEPS = 100
PAUSES = 10
ATTACHES = 10
PAUSE_DEADLINE = 6.0
PAGES = [1_000_000 + 1000 * page for page in range(5)]
Figures = dict[str, Any]


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    names = [REMORA] if options.no_debugpy else [REMORA, DEBUGPY]

    def both(take: Callable[[Target], Figures]) -> dict[str, Figures]:
        result = {}
        for name in names:
            with Target(python, name) as target:
                target.enable()
                try:
                    result[name] = take(target)
                except DapError as error:
                    result[name] = {"trouble": f"{name}: {error}"[:200]}
        return result

    steps = both(_steps)
    loops, one_line = both(lambda t: _pauses(t, "spin")), both(lambda t: _pauses(t, "spin_on_one_line"))
    stacks, pages = both(_first_stacks), both(_pages)

    def row(what: str, unit: str, found: dict[str, Figures], key: str, target: float | None) -> Row:
        trouble = [figures["trouble"] for figures in found.values() if figures.get("trouble")]
        remark = "; ".join(trouble) if key == "median" else ""
        values = {name: figures.get(key) for name, figures in found.items()}
        return Row(what, python.version, unit, values[REMORA], values.get(DEBUGPY), target, remark=remark)

    return [
        row("step, request to stopped, median", "ms", steps, "median", 2.0),
        row("step, request to stopped, 95 of 100", "ms", steps, "p95", None),
        row("pause in a loop, median", "ms", loops, "median", 20.0),
        row("pause in a loop, worst", "ms", loops, "worst", None),
        row("pause in `while x: pass`, median", "ms", one_line, "median", 20.0),
        row("attach to first stack, median", "ms", stacks, "median", 50.0),
        row("attach to first stack, the first client ever", "ms", stacks, "first", None),
        row("100 items at 1,000,000 of 2,000,000", "ms", pages, "median", 10.0),
        row("100 items at 1,000,000 of 2,000,000, memory", "MB", pages, "memory", 1.0),
    ]


def _steps(target: Target) -> Figures:
    with target.attach() as client:
        client.set_breakpoints(WORKLOADS, [{"line": line_of("single-steps")}])
        target.tell("single_steps")
        thread = client.event("stopped")["threadId"]
        times = []
        for _ in range(STEPS):
            begun = time.perf_counter()
            client.send("next", threadId=thread)
            client.event("stopped")
            times.append((time.perf_counter() - begun) * MS)
    return {"median": median(times), "p95": percentile(times, 0.95), "times": times}


def _pauses(target: Target, loop: str) -> Figures:
    times: list[float] = []
    with target.attach() as client:
        target.tell(loop)
        thread = _main_thread(client)
        for _ in range(PAUSES):
            time.sleep(0.1)  # let the loop run
            begun = time.perf_counter()
            client.send("pause", threadId=thread)
            try:
                stopped = client.event("stopped", PAUSE_DEADLINE)
            except DapError:
                return {"median": NEVER, "worst": NEVER, "times": times}
            times.append((time.perf_counter() - begun) * MS)
            client.request("continue", threadId=stopped["threadId"])
    return {"median": median(times), "worst": max(times), "times": times}


def _first_stacks(target: Target) -> Figures:
    """From nothing to the stack of a running program: connect, attach, pause, stackTrace."""
    times: list[float] = []
    trouble = ""
    target.tell("spin")
    time.sleep(0.1)
    for _ in range(ATTACHES):
        begun = time.perf_counter()
        try:
            times.append((_first_stack(target) - begun) * MS)
        except DapError as error:
            trouble = f"{target.debugger}: attach {len(times) + 1} of {ATTACHES} failed ({error})"
            break
    if not times:
        return {"median": NEVER, "first": NEVER, "times": times, "trouble": trouble}
    return {"median": median(times), "first": times[0], "times": times, "trouble": trouble}


def _first_stack(target: Target) -> float:
    with target.attach() as client:
        client.send("pause", threadId=_main_thread(client))
        thread = client.event("stopped")["threadId"]
        frames = client.request("stackTrace", threadId=thread, startFrame=0, levels=20)["stackFrames"]
        shown = time.perf_counter()
        if not any(frame["name"].startswith("spin") for frame in frames):
            raise DapError(f"not the stack of the loop: {frames}")
        client.detach()
    return shown


def _pages(target: Target) -> Figures:
    with target.attach() as client:
        client.set_breakpoints(WORKLOADS, [{"line": line_of("page")}])
        target.tell("page")
        thread = client.event("stopped")["threadId"]
        frame = client.request("stackTrace", threadId=thread)["stackFrames"][0]["id"]
        scope = client.request("scopes", frameId=frame)["scopes"][0]["variablesReference"]
        variables = client.request("variables", variablesReference=scope)["variables"]
        items = next(variable for variable in variables if variable["name"] == "items")["variablesReference"]
        before = resident(target.pid)
        times, wrong = [], 0
        for start in PAGES:
            begun = time.perf_counter()
            shown = client.request(
                "variables", variablesReference=items, filter="indexed", start=start, count=100
            )["variables"]
            times.append((time.perf_counter() - begun) * MS)
            values = [variable["value"] for variable in shown]
            wrong += values != [str(value) for value in range(start, start + 100)]
        after = resident(target.pid)
    memory = max(0.0, (after - before) * MB) if before is not None and after is not None else None
    trouble = f"{target.debugger}: not those items" if wrong else ""
    return {"median": median(times), "memory": memory, "times": times, "trouble": trouble}


def _main_thread(client: DapClient) -> int:
    threads = client.request("threads")["threads"]
    main: int = next((thread["id"] for thread in threads if thread["name"] == "MainThread"), threads[0]["id"])
    return main


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
