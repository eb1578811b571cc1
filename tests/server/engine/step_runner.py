"""Runs under the Python to be tested: makes the steps that `steps/` asks for and prints where they end.

python step_runner.py FILE…      one JSON object a line: file, line of the request, stops
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import os
import queue
import re
import sys
from typing import Any, Callable

from controller import Controller

from remora._stopping._breakpoints import SourceBreakpoint

RUN = re.compile(r"#> (?:\[(?P<where>[^]]*)\] )?(?P<steps>[\w ]+?) *(?:->.*)?$")
MARKER = re.compile(r"# @(\w+)\s*$")


def here() -> set[str]:
    """The names that a request may be limited to and that fit this Python."""
    minor = sys.version_info[1]
    name = sys.implementation.name
    names = {name, f"3.{minor}", f"{name}3.{minor}"}
    names |= {f"3.{older}+" for older in range(9, minor + 1)}
    names |= {f"3.{newer}-" for newer in range(minor, 16)}
    return names


def fits(where: str | None, names: set[str]) -> bool:
    """Whether all of the names apply, but for those after `!`, of which none may."""
    return all(
        (name[1:] not in names) if name.startswith("!") else name in names for name in (where or "").split()
    )


class File:
    """One file of programs, with its requests."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().splitlines()

    def is_for(self, names: set[str]) -> bool:
        needs = re.match(r"# needs (\S+)", self.lines[0])
        return fits(needs and needs[1], names)

    def label(self, line: int) -> str:
        marker = MARKER.search(self.lines[line - 1])
        return marker[1] if marker else f"?{self.lines[line - 1].strip()}"

    def requests(self, names: set[str]) -> list[tuple[int, list[str], str, int]]:
        """(line of the request, steps, function, line to start at)."""
        found = []
        pending: list[tuple[int, list[str]]] = []
        function = ""
        for number, text in enumerate(self.lines, 1):
            request = RUN.match(text)
            definition = re.match(r"(?:async )?def (\w+)", text)
            if request and fits(request["where"], names):
                pending.append((number, request["steps"].split()))
            elif definition:
                function = definition[1]
            marker = MARKER.search(text)
            if marker and marker[1] == "start":
                found += [(line, steps, function, number) for line, steps in pending]
                pending = []
        return found


class Runner:
    def __init__(self, control: Controller) -> None:
        self.control = control

    def run(self, file: File, program: Callable[[], Any], start: int, steps: list[str]) -> list[str]:
        control, stops = self.control, []
        control.call("set_breakpoints", file.path, [SourceBreakpoint(start, temporary=True)])

        def script() -> None:
            for step in [*steps, "end"]:
                try:
                    event, body = self.next_event()
                except queue.Empty:
                    stops.append("lost")  # the program waits for something, but not as a stop
                    control.call("detach")
                    control.attach()
                    return
                if event == "ended":
                    stops.append("end")
                    return
                thread = body["threadId"]
                if step != steps[0] or stops:
                    stops.append(self.describe(file, thread))
                elif body["reason"] != "breakpoint":
                    stops.append(f"?{body}")
                else:
                    stops.append("")
                if step == "end":
                    control.call("resume", None)
                else:
                    self.step(thread, step)
            self.next_event()

        operator = control.operate(script)
        try:
            result = program()
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except Exception as error:
            stops.append(f"raised {type(error).__name__}")
        control.events.put(("ended", {}))
        if not operator.join(30):
            stops.append("the operator still waits")
        return stops[1:] if stops and stops[0] == "" else stops

    def step(self, thread: int, step: str) -> None:
        """`into_NAME` goes into that call of several, `in_all` into library code as well."""
        kind, _, name = step.partition("_")
        if kind == "into":
            targets = self.control.call("step_targets", self.control.call("frames", thread)[0])
            starts = [each.offsets.start for each in targets if each.label.endswith(name)]
            assert len(starts) == 1, f"{step}: {[each.label for each in targets]}"
            self.control.call("step", thread, "in", target=starts[0])
        else:
            self.control.call("step", thread, kind, everywhere=name == "all")

    def next_event(self) -> tuple[str, dict[str, Any]]:
        while True:
            event, body = self.control.events.get(timeout=5)
            if event in ("stopped", "ended"):
                return event, body
            if event == "output":
                print(body["output"], file=sys.stderr)

    def describe(self, file: File, thread: int) -> str:
        frame = self.control.call("frames", thread)[0]
        stop = self.control.call("stop_info", thread)
        if os.path.basename(frame.filename) != os.path.basename(file.path):
            return f"{os.path.basename(frame.filename)}:{frame.name}"
        label = file.label(frame.line)
        if stop.returned is not None:
            label += f"={stop.returned.value!r}".replace(" ", "")
            label = re.sub("=<function.*", "=<function>", label)
        if stop.description.startswith("task"):
            label += "!" + stop.description.split()[-1]
        return label if stop.reason == "step" else f"{label}({stop.reason})"


def load(path: str) -> Any:
    name = f"steps_{os.path.splitext(os.path.basename(path))[0]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import would; the names of some are those of library modules
    spec.loader.exec_module(module)
    return module


def main(paths: list[str]) -> None:
    names = here()
    control = Controller()
    control.attach()
    for own in (__file__, sys.modules["controller"].__file__):
        control.debugger.filters._rules[str(own)] = "test"  # steps go on to the program's end
    runner = Runner(control)
    for path in paths:
        file = File(path)
        if not file.is_for(names):
            continue
        module = load(path)
        for line, steps, function, start in file.requests(names):
            stops = runner.run(file, getattr(module, function), start, steps)
            print(json.dumps({"file": os.path.basename(path), "line": line, "stops": stops}), flush=True)
    control.end()


if __name__ == "__main__":
    main(sys.argv[1:])
