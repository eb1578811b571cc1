"""Runs under the Python to be tested: steps through random programs and prints where it went another way.

python runner.py FOLDER SECONDS FIRST [COUNT]      one JSON object a line: what differs; last, how much it was
"""

from __future__ import annotations

import ast
import importlib.util
import json
import logging
import os
import queue
import random
import sys
import time
import warnings
from typing import Any, Callable

import loops
import programs
import reference
import threads

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from controller import Controller

from remora._stopping._breakpoints import SourceBreakpoint

KINDS = ("in", "over", "out", "until", "return")
MIXTURES = (("in",), ("over",), KINDS, ("in", "in", "in", "in", "over", "out"), ("in", "over"))
MOST_STEPS = 30


class Program:
    def __init__(self, folder: str, seed: int) -> None:
        self.seed = seed
        self.text = (loops if seed % 3 == 2 else programs).make(seed)
        self.path = os.path.join(folder, f"program_{seed}.py")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(self.text)
        spec = importlib.util.spec_from_file_location(f"program_{seed}", self.path)
        assert spec is not None
        assert spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.main: Callable[[], object] = self.module.main
        self.start = self.text.splitlines().index(f"    {programs.START}") + 1
        self.statements = {
            node.lineno: node.end_lineno or node.lineno
            for node in ast.walk(ast.parse(self.text))
            if isinstance(node, ast.stmt) and not hasattr(node, "body") and not hasattr(node, "cases")
        }
        self.recording = reference.record(self.main, self.path, self.text)


class Steps:
    """Makes steps through a program and compares."""

    def __init__(
        self, control: Controller, program: Program, choices: tuple[str, ...], chooser: random.Random
    ) -> None:
        self.control = control
        self.program = program
        self.choices = choices
        self.chooser = chooser
        self.kinds: list[str] = []
        self.went: list[str] = []
        self.expected: list[str] = []

    def run(self) -> bool:
        """Whether all ended where they should."""
        program, control = self.program, self.control
        control.call("set_breakpoints", program.path, [SourceBreakpoint(program.start, temporary=True)])
        operator = control.operate(self.operate)
        end = "end"
        try:
            program.main()
        except Exception as error:
            end = f"raised {type(error).__name__}"
        control.events.put(("ended", {}))
        operator.join(30)
        if end != program.recording.end:
            self.went.append(end)
            self.expected.append(program.recording.end)
        return self.went == self.expected

    def operate(self) -> None:
        position: reference.Position | None = self.program.recording.start(self.program.start)
        while True:
            event, body = self.next_event()
            self.went.append(self.describe(body) if event == "stopped" else event)
            self.expected.append("ended" if position is None else str(position))
            if event == "ended":
                return
            thread = body["threadId"]
            if self.went != self.expected or len(self.kinds) == MOST_STEPS or position is None:
                self.control.call("resume", None)
                if position is None or len(self.kinds) == MOST_STEPS:
                    self.went.pop()
                    self.expected.pop()
                break
            kind = self.chooser.choice(self.choices)
            self.kinds.append(kind)
            position = self.program.recording.step(kind, position)
            self.control.call("step", thread, kind)
        while event != "ended":
            event, body = self.next_event()
            if event == "stopped":
                self.went.append(f"again {self.describe(body)}")
                self.control.call("resume", None)

    def next_event(self) -> tuple[str, dict[str, Any]]:
        while True:
            try:
                event, body = self.control.events.get(timeout=10)
            except queue.Empty:
                return "lost", {}
            if event in ("stopped", "ended"):
                return event, body
            if event == "output":
                print(body["output"], file=sys.stderr)

    def describe(self, body: dict[str, Any]) -> str:
        frame = self.control.call("frames", body["threadId"])[0]
        stop = self.control.call("stop_info", body["threadId"])
        mark = "=" if stop.returned is not None else "!" if stop.description.startswith("task") else ""
        name = os.path.basename(frame.filename)
        return f"{frame.line}{mark}" if frame.filename == self.program.path else f"{name}:{frame.line}"


class Breakpoints:
    """Sets some breakpoints in a program, runs it, and compares where it stops and what it logs."""

    def __init__(self, control: Controller, program: Program, chooser: random.Random) -> None:
        self.control = control
        self.program = program
        self.went: list[str] = []
        self.expected: list[str] = []
        lines = sorted({event.line for event in program.recording.events if event.kind == "line"})
        chosen = chooser.sample(lines, min(len(lines), chooser.randint(1, 4)))
        self.specs = [self.spec(line, chooser) for line in chosen]

    def spec(self, line: int, chooser: random.Random) -> SourceBreakpoint:
        visits = self.visits(line)
        kind = chooser.choice(("plain", "plain", "temporary", "hits", "condition", "log", "both"))
        has_x = all(type(event.x) is int for event in visits)
        test = "x % 2 == 0" if has_x and kind in ("condition", "both") else None
        hits = chooser.choice(("== 2", ">= 2", "% 2", "3")) if kind in ("hits", "both") else None
        log = f"at {line} x={{x}}" if kind == "log" and has_x else None
        return SourceBreakpoint(line, None, test, hits, log, temporary=kind == "temporary")

    def visits(self, line: int) -> list[reference.Event]:
        return self.program.recording.visits(line, self.program.statements.get(line, line))

    def expect(self) -> list[str]:
        """By the recording: the lines of the stops and the texts of the logs, in their order."""
        found: list[tuple[int, str]] = []
        events = {id(event): index for index, event in enumerate(self.program.recording.events)}
        for spec in self.specs:
            visits = self.visits(spec.line)
            if spec.condition:
                visits = [event for event in visits if event.x % 2 == 0]
            visits = [event for hit, event in enumerate(visits, 1) if self.counts(spec, hit)]
            for event in visits[:1] if spec.temporary else visits:
                text = f"at {spec.line} x={event.x}" if spec.log_message else str(spec.line)
                found.append((events[id(event)], text))
        return [text for _, text in sorted(found)]

    def counts(self, spec: SourceBreakpoint, hit: int) -> bool:
        wanted = {"== 2": hit == 2, ">= 2": hit >= 2, "% 2": hit % 2 == 0, "3": hit == 3}
        return wanted[spec.hit_condition] if spec.hit_condition else True

    def run(self) -> bool:
        program, control = self.program, self.control
        control.call("set_breakpoints", program.path, self.specs)
        operator = control.operate(self.operate)
        try:
            program.main()
        except Exception:
            pass
        control.events.put(("ended", {}))
        operator.join(30)
        control.call("set_breakpoints", program.path, [])
        self.expected = self.expect()
        return self.went == self.expected

    def operate(self) -> None:
        while True:
            try:
                event, body = self.control.events.get(timeout=10)
            except queue.Empty:
                event = "lost"
            if event in ("ended", "lost"):
                return
            if event == "output":
                self.went.append(body["output"].strip())
            elif event == "stopped":
                self.went.append(str(self.control.call("frames", body["threadId"])[0].line))
                self.control.call("resume", None)


def tell(seed: int, what: Steps | Breakpoints | threads.Walk, **how: Any) -> None:
    print(json.dumps({"seed": seed, **how, "went": what.went, "expected": what.expected}), flush=True)


def main(folder: str, seconds: float, first: int, count: int = 10**9) -> None:
    sys.setswitchinterval(0.0005)  # threads take turns more often
    logging.disable()  # asyncio's, about exceptions that no task waits for
    warnings.simplefilter("ignore")  # about `return` in `finally`, and more of what random programs do
    sys.unraisablehook = lambda _: None  # nor is what goes wrong in a generator that is closed for good
    control = Controller()
    control.attach()
    here = os.path.dirname(os.path.abspath(__file__))
    for own in (*(os.path.join(here, name) for name in os.listdir(here)), sys.modules["controller"].__file__):
        control.debugger.filters._rules[str(own)] = "test"  # steps go on to the program's end
    Program(folder, 1)  # what 3.12 traces first, it does not trace by instructions
    deadline = time.monotonic() + seconds
    done = steps = stops = 0
    for seed in range(first, first + count):
        if time.monotonic() > deadline:
            break
        try:
            program = Program(folder, seed)
        except reference.TooLong:
            continue
        except SyntaxError:
            continue
        chooser = random.Random(seed)
        for kinds in MIXTURES:
            made = Steps(control, program, kinds, chooser)
            if not made.run():
                tell(seed, made, steps=made.kinds)
            steps += len(made.kinds)
        for _ in range(3):
            points = Breakpoints(control, program, chooser)
            if not points.run():
                tell(seed, points, breakpoints=list(map(str, points.specs)))
            stops += len(points.went)
        for walk in threads.walks(control, program, chooser):
            if not walk.run():
                tell(seed, walk, threads=walk.what())
            stops += sum(map(len, walk.went.values()))
        done += 1
        os.remove(program.path)
    print(json.dumps({"programs": done, "steps": steps, "stops": stops}), flush=True)
    control.end()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), *map(int, sys.argv[4:]))
