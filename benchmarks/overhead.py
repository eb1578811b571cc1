"""What a debugger costs the program while it is enabled, attached, or holds breakpoints in hot code.

Each round starts fresh processes: the program bare, bare once more as a control, under Remora and under
debugpy. They run the same workload in turns of some 40 ms of CPU time; a figure is each one's best turn.
Every process is measured before its debugger is enabled as well, so a ratio is

    (in this state / before, here) / (now / before, in the bare process)

which cancels both the memory layout of one process and the drift of the machine. How far the control's ratio
is from 1 is the noise that the table shows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks import _options
from benchmarks._dap import DapClient, DapError
from benchmarks._figures import Row, median
from benchmarks._pythons import Python
from benchmarks._target import BARE, DEBUGPY, REMORA, WORKLOADS, Target, line_of

CONTROL = "control"
TURN_SECONDS = 0.04
Times = dict[str, float]  # process name -> seconds of one iteration
Case = tuple[int, str]  # index of the state, workload
Found = dict[Case, "Times | None"]  # None: that state could not be set up


@dataclass(frozen=True)
class State:
    """What the client sets up, the workloads to run in it, and the most (or least) it may cost."""

    name: str
    prepare: Callable[[Round], None]
    workloads: tuple[str, ...]
    target: float | None
    hits: bool = False  # one breakpoint hit per iteration: shown as hits per second


class Round:
    """One set of processes."""

    def __init__(self, python: Python, options: argparse.Namespace, stack: ExitStack) -> None:
        self.turns = options.turns
        kinds = {BARE: BARE, CONTROL: BARE, REMORA: REMORA}
        if not options.no_debugpy:
            kinds[DEBUGPY] = DEBUGPY
        self.targets = {name: stack.enter_context(Target(python, kind)) for name, kind in kinds.items()}
        self.clients: dict[str, DapClient] = {}
        self._stack = stack

    def time(self, workload: str) -> Times:
        lengths = {name: _iterations(target, workload) for name, target in self.targets.items()}
        best = dict.fromkeys(self.targets, float("inf"))
        names = list(self.targets)
        for turn in range(self.turns):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                n = lengths[name]
                best[name] = min(best[name], self.targets[name].ask("run", workload=workload, n=n) / n)
        return best

    def time_step_over(self) -> Times:
        """CPU time inside the call that is stepped over. The bare ones just make it."""
        best = dict.fromkeys(self.targets, float("inf"))
        lengths = {}
        for name, target in self.targets.items():
            trial = max(self._step_over_once(name, target, 2000) / 2000, 1e-9)
            lengths[name] = max(2000, int(TURN_SECONDS / trial))
        for _ in range(self.turns):
            for name, target in self.targets.items():
                n = lengths[name]
                best[name] = min(best[name], self._step_over_once(name, target, n) / n)
        return best

    def _step_over_once(self, name: str, target: Target, n: int) -> float:
        client = self.clients.get(name)
        target.tell("run_step_over", n=n)
        if client is not None:
            thread = client.event("stopped")["threadId"]
            for command in ("next", "next"):
                client.request(command, threadId=thread)
                client.event("stopped")
            client.request("continue", threadId=thread)
        seconds: float = target.answer()
        return seconds

    def enable(self) -> None:
        for target in self.targets.values():
            target.enable()

    def attach(self) -> None:
        for name in (REMORA, DEBUGPY):
            if name in self.targets:
                self.clients[name] = self._stack.enter_context(self.targets[name].attach())

    def break_at(self, marker: str, **more: str) -> None:
        self.attach_once()
        for client in self.clients.values():
            client.set_breakpoints(WORKLOADS, [{"line": line_of(marker), **more}])

    def attach_once(self) -> None:
        if not self.clients:
            self.attach()

    def break_never_raised(self) -> None:
        """Stop at raised exceptions of a type that never comes; each server is told in the words it knows."""
        self.attach_once()
        for client in self.clients.values():
            client.request("setBreakpoints", source={"path": WORKLOADS}, breakpoints=[])
        self.clients[REMORA].request(
            "setExceptionBreakpoints",
            filters=[],
            filterOptions=[{"filterId": "raised", "condition": "ZeroDivisionError"}],
        )
        if DEBUGPY in self.clients:
            path = [{"names": ["Python Exceptions"]}, {"names": ["ZeroDivisionError"]}]
            never = {"path": path, "breakMode": "always"}
            self.clients[DEBUGPY].request("setExceptionBreakpoints", filters=[], exceptionOptions=[never])

    def detach(self) -> None:
        for client in self.clients.values():
            client.detach()
        self.clients.clear()


def states(python: Python) -> list[State]:
    monitoring = python.minor >= (3, 12)
    return [
        State("enabled, nobody attached", Round.enable, ("loop", "calls"), 1.0),
        State("attached, breakpoint elsewhere", lambda r: r.break_at("elsewhere"), ("loop", "calls"), 1.02),
        State("breakpoint never reached", lambda r: r.break_at("cold-loop"), ("cold_loop",), 1.05),
        State("breakpoint never reached", lambda r: r.break_at("cold-leaf"), ("cold_calls",), 1.05),
        State(
            "false condition",
            lambda r: r.break_at("conditional", condition="i < 0"),
            ("conditional",),
            1.5 if monitoring else 3.0,
            hits=True,
        ),
        State("step over a heavy call", lambda r: r.break_at("step-over"), ("step over",), 1.05),
        State(
            "exception filter, none matching",
            Round.break_never_raised,
            ("exceptions_here", "exceptions_below"),
            2.0 if monitoring else None,
        ),
        State("detached again", Round.detach, ("loop", "cold_calls"), None),
    ]


TITLES = {
    "loop": "loop",
    "calls": "calls",
    "cold_loop": "in the hot loop",
    "cold_calls": "in the hot function",
    "conditional": "on a hot line",
    "step over": "",
    "exceptions_here": "caught in the same frame",
    "exceptions_below": "caught in the caller",
}


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    plan = states(python)
    seen: list[Found] = []
    trouble: dict[Case, str] = {}
    for _ in range(options.rounds):
        with ExitStack() as stack:
            seen.append(_measure_round(Round(python, options, stack), plan, trouble))
    return [
        _row(python, state, (index, workload), seen, trouble)
        for index, state in enumerate(plan)
        for workload in state.workloads
    ]


def _measure_round(processes: Round, plan: list[State], trouble: dict[Case, str]) -> Found:
    """For each state and workload the ratio of each process, or its millions of hits a second."""
    workloads = dict.fromkeys(workload for state in plan for workload in state.workloads)
    before = {workload: _time(processes, workload) for workload in workloads}
    found: Found = {}
    for index, state in enumerate(plan):
        try:
            state.prepare(processes)
        except DapError as error:
            trouble.update(dict.fromkeys(((index, workload) for workload in state.workloads), str(error)))
            found.update(dict.fromkeys((index, workload) for workload in state.workloads))
            continue
        for workload in state.workloads:
            now = _time(processes, workload)
            if state.hits:
                found[index, workload] = {name: 1e-6 / seconds for name, seconds in now.items()}
            else:
                found[index, workload] = _ratios(before[workload], now)
    return found


def _time(processes: Round, workload: str) -> Times:
    return processes.time_step_over() if workload == "step over" else processes.time(workload)


def _ratios(before: Times, now: Times) -> Times:
    drift = now[BARE] / before[BARE]
    return {name: now[name] / before[name] / drift for name in now}


def _row(python: Python, state: State, case: Case, seen: list[Found], trouble: dict[Case, str]) -> Row:
    rounds = [found[case] for found in seen]
    done = [figures for figures in rounds if figures is not None]
    what = ", ".join(filter(None, (state.name, TITLES[case[1]])))

    def middle(name: str) -> float | None:
        values = [figures[name] for figures in done if name in figures]
        return median(values) if values else None

    noise = 0.0 if state.hits or not done else max(abs(figures[CONTROL] - 1) for figures in done)
    return Row(
        what,
        python.version,
        "M/s" if state.hits else "x",
        middle(REMORA),
        middle(DEBUGPY),
        state.target,
        higher_is_better=state.hits,
        noise=noise,
        remark=trouble.get(case, ""),
        details={"rounds": rounds},
    )


def _iterations(target: Target, workload: str) -> int:
    """How many iterations take one turn, from a warm run."""
    n = 500
    target.ask("run", workload=workload, n=n)
    while True:
        seconds = target.ask("run", workload=workload, n=n)
        if seconds >= TURN_SECONDS / 8:
            return max(1, int(n * TURN_SECONDS / seconds))
        n = int(n * min(16.0, max(2.0, TURN_SECONDS / 2 / max(seconds, 1e-5))))


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
